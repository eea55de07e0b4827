#include "runtime/constraint/type_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

namespace sgl::constraint {
namespace {

class TypeReader {
 public:
  explicit TypeReader(const TypeSpec& spec) : spec_(spec) {
    doc_.nodes.resize(2 + spec.nodes.size());
    doc_.nodes[kFalseNode].allowed = 0;
  }

  base::Expected<SchemaDoc> run() {
    for (std::uint32_t i = 0; i < spec_.nodes.size(); ++i) SGL_TRY_STATUS(read(spec_.nodes[i], doc_.nodes[index(i)]));
    doc_.root = index(spec_.root);
    std::move(more_.begin(), more_.end(), std::back_inserter(doc_.nodes));
    return std::move(doc_);
  }

 private:
  static NodeIndex index(std::uint32_t type) { return type + 2; }

  base::Status read(const SpecNode& type, SchemaNode& out) {
    switch (type.kind) {
      case SpecKind::kString:
      case SpecKind::kRegex:
        return text(type, out);
      case SpecKind::kInt:
        out.allowed = types::kInteger;
        out.canonical = true;
        out.min = Decimal::parse(std::to_string(type.min_int.value_or(INT64_MIN)));
        out.max = Decimal::parse(std::to_string(type.max_int.value_or(INT64_MAX)));
        break;
      case SpecKind::kFloat:
        out.allowed = types::kNumber;
        if (type.min_float) out.min = Decimal::parse(nlohmann::json(*type.min_float).dump());
        if (type.max_float) out.max = Decimal::parse(nlohmann::json(*type.max_float).dump());
        break;
      case SpecKind::kBool:
        out.allowed = types::kBoolean;
        break;
      case SpecKind::kNull:
        out.allowed = types::kNull;
        break;
      case SpecKind::kLiteral:
        return literal(type, out);
      case SpecKind::kList:
        out.allowed = types::kArray;
        out.items = index(type.children[0]);
        out.min_items = std::max<std::int64_t>(type.min_items, 0), out.max_items = type.max_items;
        break;
      case SpecKind::kMap:
        out.allowed = types::kObject;
        out.additional = index(type.children[0]);
        out.min_properties = std::max<std::int64_t>(type.min_items, 0), out.max_properties = type.max_items;
        break;
      case SpecKind::kRecord:
        out.allowed = types::kObject;
        out.additional = kFalseNode;
        for (const SpecField& field : type.fields) {
          out.properties.emplace_back(field.name, index(field.type));
          if (!field.optional) out.required.push_back(field.name);
        }
        break;
      case SpecKind::kUnion: {
        std::vector<NodeIndex> members;
        for (std::uint32_t child : type.children) members.push_back(index(child));
        out.any_of.push_back(std::move(members));
        break;
      }
      case SpecKind::kGrammar:
        out.allowed = 0;  // the root does not lead to it: compile_type refuses that
        break;
      case SpecKind::kJson:
        if (!type.pattern.empty()) return schema(type.pattern, out);
        break;
    }
    return {};
  }

  // The nodes of the schema become nodes of this one.
  base::Status schema(std::string_view text, SchemaNode& out) {
    SchemaOptions options;
    options.numbers = SchemaNumbers::kOfValues;
    SchemaDoc given = parse_schema(text, options);
    if (given.problem) {
      const bool limit =
          given.problem->status == SchemaStatus::kLimit || given.problem->status == SchemaStatus::kTimeout;
      const std::string place = given.problem->pointer.empty() ? "" : " at " + given.problem->pointer;
      return base::Error{limit ? base::ErrorKind::kLimit : base::ErrorKind::kInvalid,
                         fmt::format("value: the JSON Schema{}: {}", place, given.problem->message)};
    }
    const auto offset = static_cast<NodeIndex>(doc_.nodes.size() + more_.size() - 2);
    const auto moved = [&](NodeIndex& node) { node += node > kFalseNode ? offset : 0; };
    out.ref = given.root;
    moved(*out.ref);
    for (std::size_t i = 2; i < given.nodes.size(); ++i) {
      for_each_node(given.nodes[i], moved);
      more_.push_back(std::move(given.nodes[i]));
    }
    return {};
  }

  template <typename F>
  static void for_each_node(SchemaNode& node, const F& f) {
    const auto all = [&](std::vector<NodeIndex>& nodes) {
      for (NodeIndex& n : nodes) f(n);
    };
    for (ValueSet& set : node.values) all(set.composites);
    for (auto& [name, n] : node.properties) f(n);
    for (auto& [name, n] : node.dependent_schemas) f(n);
    for (SchemaNode::PatternProperty& p : node.pattern_properties) f(p.node);
    all(node.prefix), all(node.all_of);
    for (auto* lists : {&node.any_of, &node.one_of}) {
      for (std::vector<NodeIndex>& list : *lists) all(list);
    }
    f(node.items), f(node.additional);
    for (auto* n : {&node.contains, &node.property_names, &node.unevaluated_properties, &node.unevaluated_items,
                    &node.ref, &node.negated, &node.condition, &node.then_branch, &node.else_branch}) {
      if (*n) f(**n);
    }
  }

  static base::Status text(const SpecNode& type, SchemaNode& out) {
    out.allowed = types::kString;
    const bool regex = type.kind == SpecKind::kRegex;
    if (!regex) out.min_chars = std::max<std::int64_t>(type.min_chars, 0), out.max_chars = type.max_chars;
    if (regex || !type.pattern.empty()) {
      SGL_TRY(auto pattern, CharDfa::pattern(type.pattern, !regex, {}));
      out.texts.push_back(std::move(pattern));
    }
    if (!regex && !type.format.empty()) {
      SGL_TRY(auto format, CharDfa::format(type.format, {}));
      if (format == nullptr) return base::invalid(fmt::format("format '{}' is not supported", type.format));
      out.texts.push_back(std::move(format));
    }
    return {};
  }

  static base::Status literal(const SpecNode& type, SchemaNode& out) {
    const nlohmann::json value = nlohmann::json::parse(type.text, nullptr, false);
    ValueSet set;
    if (value.is_string()) {
      set.strings.push_back(value.get<std::string>());
      SGL_TRY(set.text, CharDfa::texts(set.strings, {}));
    } else if (value.is_boolean()) {
      set.words = value.get<bool>() ? types::kTrue : types::kFalse;
    } else if (value.is_null()) {
      set.words = types::kNull;
    } else if (const auto number = Decimal::parse(type.text); value.is_number() && number) {
      set.numbers.push_back(*number);
      out.canonical = true;
    } else {
      return base::invalid("a literal that is neither text, number, truth value nor null");
    }
    out.values.push_back(std::move(set));
    return {};
  }

  const TypeSpec& spec_;
  SchemaDoc doc_;
  std::vector<SchemaNode> more_;  // of JSON Schemas; they come after the types
};

}  // namespace

base::Expected<SchemaDoc> schema_of(const TypeSpec& spec) {
  return TypeReader(spec).run();
}

}  // namespace sgl::constraint
