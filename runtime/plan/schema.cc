#include "runtime/plan/schema.h"

#include <cmath>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace sgl::plan {
namespace {

using OrderedJson = nlohmann::ordered_json;

// Named records become definitions. Other types are written in place, unless they refer to themselves, nest deeper or
// grow larger than this: types share parts, so written in place they can be exponentially larger than the plan.
constexpr std::size_t kMaxInlineDepth = 32;
constexpr std::size_t kMaxInlineSize = 64;  // types

class SchemaWriter {
 public:
  explicit SchemaWriter(const Plan& plan) : plan_(plan), notes_(plan.types.size()) {}

  // The schema of a type for use in a larger one; definitions that it needs are collected.
  OrderedJson reference(TypeId id) {
    measure(id, 0);
    return emit(id);
  }

  // Writes the collected definitions into the outermost schema.
  void add_definitions(OrderedJson& schema) {
    OrderedJson definitions = OrderedJson::object();
    // Writing one may collect more.
    for (std::size_t next = 0; next < pending_.size(); ++next) {
      const TypeId id = pending_[next];
      const Type& type = plan_.type(id);
      measure_children(type, 0);
      OrderedJson body = emit_body(type, id);
      describe(body, type);
      definitions[notes_[id.value].key] = std::move(body);
    }
    if (!definitions.empty()) schema["$defs"] = std::move(definitions);
  }

 private:
  enum class State : std::uint8_t { kNew, kOpen, kDone };
  struct Note {
    State state = State::kNew;
    bool defined = false;  // written as a definition
    std::size_t size = 1;  // types, when written in place
    std::string key;       // in $defs, once referred to
  };

  // The size of the type where it is referred to; decides which types become definitions.
  std::size_t measure(TypeId id, std::size_t depth) {
    Note& note = notes_[id.value];
    const Type& type = plan_.type(id);
    if (type.kind == TypeKind::kRecord && !type.name.empty()) note.defined = true;
    if (note.defined) return 1;
    if (note.state == State::kDone) return note.size;
    if (note.state == State::kOpen || depth > kMaxInlineDepth) {
      note.defined = true;
      return 1;
    }
    note.state = State::kOpen;
    note.size = 1 + measure_children(type, depth + 1);
    note.state = State::kDone;
    if (note.size > kMaxInlineSize) note.defined = true;
    return note.defined ? 1 : note.size;
  }

  std::size_t measure_children(const Type& type, std::size_t depth) {
    std::size_t size = 0;
    for (const TypeId arg : type.args) size += measure(arg, depth);
    for (const Field& field : type.fields) size += measure(field.type, depth);
    return size;
  }

  OrderedJson emit(TypeId id) {
    const Type& type = plan_.type(id);
    Note& note = notes_[id.value];
    if (!note.defined) {
      OrderedJson body = emit_body(type, id);
      describe(body, type);
      return body;
    }
    if (note.key.empty()) {
      note.key = free_key(id);
      pending_.push_back(id);
    }
    return {{"$ref", "#/$defs/" + note.key}};
  }

  std::string free_key(TypeId id) {
    const std::string& name = plan_.type(id).name;
    bool plain = !name.empty();  // needs no escapes in a JSON pointer inside a URI
    for (const char c : name) {
      plain &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    }
    if (plain && keys_.insert(name).second) return name;
    // A dot occurs in no plain name, so this is free.
    return (plain ? name : "type") + "." + std::to_string(id.value);
  }

  static void describe(OrderedJson& body, const Type& type) {
    if (!type.doc.empty()) body["description"] = type.doc;
  }

  OrderedJson emit_body(const Type& type, TypeId id) {
    switch (type.kind) {
      case TypeKind::kNull:
        return {{"type", "null"}};
      case TypeKind::kBool:
        return {{"type", "boolean"}};
      case TypeKind::kInt:
        return int_body(type);
      case TypeKind::kFloat:
        return float_body(type);
      case TypeKind::kString:
        return string_body(type);
      case TypeKind::kLiteral:
        return {{"const", literal(type.literal)}};
      case TypeKind::kList:
        return list_body(type);
      case TypeKind::kRecord:
        return record_body(type);
      case TypeKind::kUnion:
        return union_body(type);
      case TypeKind::kRegex:
        return {{"type", "string"}, {"pattern", "^(?:" + type.pattern + ")$"}};
      case TypeKind::kGrammar:  // JSON Schema has nothing for it
        return {{"type", "string"}};
      case TypeKind::kJson:
        return json_body(type, id);
    }
    return OrderedJson::object();
  }

  // A schema as its file has it. Its references are relative to itself, so it needs an identifier of its own here.
  static OrderedJson json_body(const Type& type, TypeId id) {
    OrderedJson body = OrderedJson::object();
    if (type.pattern.empty()) return body;
    OrderedJson given = OrderedJson::parse(type.pattern, nullptr, false);
    if (given.is_boolean() && !given.get<bool>()) body["not"] = OrderedJson::object();
    if (!given.is_object()) return body;
    const bool named = given.contains("$id") || given.contains("id");
    const bool refers = type.pattern.find("$ref") != std::string::npos || given.contains("$schema");
    if (refers && !named) body["$id"] = "urn:sgl:type:" + std::to_string(id.value);
    for (auto& [key, value] : given.items()) body[key] = std::move(value);
    return body;
  }

  static OrderedJson int_body(const Type& type) {
    OrderedJson body = {{"type", "integer"}};
    if (type.min_int) body["minimum"] = *type.min_int;
    if (type.max_int) body["maximum"] = *type.max_int;
    return body;
  }

  static OrderedJson float_body(const Type& type) {
    OrderedJson body = {{"type", "number"}};
    if (type.min_float && std::isfinite(*type.min_float)) body["minimum"] = *type.min_float;
    if (type.max_float && std::isfinite(*type.max_float)) body["maximum"] = *type.max_float;
    return body;
  }

  static OrderedJson string_body(const Type& type) {
    OrderedJson body = {{"type", "string"}};
    if (type.min_size > 0) body["minLength"] = type.min_size;
    if (type.max_size >= 0) body["maxLength"] = type.max_size;
    if (!type.pattern.empty()) body["pattern"] = type.pattern;
    if (!type.format.empty()) body["format"] = type.format;
    return body;
  }

  OrderedJson list_body(const Type& type) {
    OrderedJson body = {{"type", "array"}, {"items", emit(type.args[0])}};
    if (type.min_size > 0) body["minItems"] = type.min_size;
    if (type.max_size >= 0) body["maxItems"] = type.max_size;
    return body;
  }

  OrderedJson record_body(const Type& type) {
    OrderedJson properties = OrderedJson::object(), required = OrderedJson::array();
    for (const Field& field : type.fields) {
      OrderedJson property = emit(field.type);
      if (!field.doc.empty()) property["description"] = field.doc;
      properties[field.name] = std::move(property);
      if (!field.optional) required.push_back(field.name);
    }
    return {{"type", "object"},
            {"properties", std::move(properties)},
            {"required", std::move(required)},
            {"additionalProperties", false}};
  }

  OrderedJson union_body(const Type& type) {
    OrderedJson values = OrderedJson::array(), members = OrderedJson::array();
    for (const TypeId arg : type.args) {
      const Type& member = plan_.type(arg);
      if (member.kind == TypeKind::kLiteral) values.push_back(literal(member.literal));
      if (member.kind == TypeKind::kNull) values.push_back(nullptr);
      members.push_back(emit(arg));
    }
    if (values.size() == type.args.size()) return {{"enum", std::move(values)}};
    return {{"anyOf", std::move(members)}};
  }

  static OrderedJson literal(const Literal& value) {
    switch (value.kind) {
      case Literal::Kind::kString:
        return value.text;
      case Literal::Kind::kInt:
        return value.number;
      case Literal::Kind::kBool:
        return value.number != 0;
    }
    return nullptr;
  }

  const Plan& plan_;
  std::vector<Note> notes_;      // by type
  std::vector<TypeId> pending_;  // types that $defs gets, in the order of their first use
  std::unordered_set<std::string> keys_;
};

}  // namespace

nlohmann::ordered_json type_schema(const Plan& plan, TypeId type) {
  SchemaWriter writer(plan);
  OrderedJson schema = writer.reference(type);
  writer.add_definitions(schema);
  return schema;
}

nlohmann::ordered_json params_schema(const Plan& plan, const Program& program) {
  SchemaWriter writer(plan);
  OrderedJson properties = OrderedJson::object(), required = OrderedJson::array();
  for (const Param& param : program.params) {
    OrderedJson property = writer.reference(param.type);
    if (!param.doc.empty()) property["description"] = param.doc;
    if (param.default_value) {
      property["default"] = constant_json(plan, *param.default_value);
    } else {
      required.push_back(param.name);
    }
    properties[param.name] = std::move(property);
  }
  OrderedJson schema = {{"type", "object"},
                        {"properties", std::move(properties)},
                        {"required", std::move(required)},
                        {"additionalProperties", false}};
  writer.add_definitions(schema);
  return schema;
}

nlohmann::ordered_json program_schema(const Plan& plan, const Program& program) {
  return {{"program", program.name},
          {"description", program.doc},
          {"parameters", params_schema(plan, program)},
          {"result", type_schema(plan, program.result)}};
}

// Recursion and size are bounded by what the verifier allows for constants.
nlohmann::ordered_json constant_json(const Plan& plan, ConstId id) {
  const Constant& constant = plan.constants[id.value];
  switch (constant.kind) {
    case Constant::Kind::kNull:
      return nullptr;
    case Constant::Kind::kBool:
      return constant.number != 0;
    case Constant::Kind::kInt:
      return constant.number;
    case Constant::Kind::kFloat:
      return std::isfinite(constant.real) ? OrderedJson(constant.real) : OrderedJson();
    case Constant::Kind::kString:
      return constant.text;
    case Constant::Kind::kList: {
      OrderedJson list = OrderedJson::array();
      for (const ConstId item : constant.items) list.push_back(constant_json(plan, item));
      return list;
    }
    case Constant::Kind::kRecord:
      break;
  }
  OrderedJson record = OrderedJson::object();
  const Type& type = plan.type(constant.type);
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const Constant& item = plan.constants[constant.items[i].value];
    if (type.fields[i].optional && item.kind == Constant::Kind::kNull) continue;
    record[type.fields[i].name] = constant_json(plan, constant.items[i]);
  }
  return record;
}

}  // namespace sgl::plan
