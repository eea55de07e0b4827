#include "runtime/constraint/plan_types.h"

#include <map>
#include <nlohmann/json.hpp>

namespace sgl::constraint {
namespace {

using plan::TypeKind;

std::string literal_json(const plan::Literal& literal) {
  using Json = nlohmann::ordered_json;
  switch (literal.kind) {
    case plan::Literal::Kind::kString:
      return Json(literal.text).dump(-1, ' ', false, Json::error_handler_t::replace);
    case plan::Literal::Kind::kInt:
      return std::to_string(literal.number);
    case plan::Literal::Kind::kBool:
      return literal.number != 0 ? "true" : "false";
  }
  return "null";
}

// Plan types to specification nodes, each type once, so that recursive types stay finite.
class SpecBuilder {
 public:
  SpecBuilder(std::span<const plan::Type> types, TypeSpec& spec) : types_(types), spec_(spec) {}

  // Depth first, without recursion: a plan's types may be nested deeper than the stack.
  std::uint32_t add(plan::TypeId id) {
    const std::uint32_t root = enter(id);
    while (!open_.empty()) {
      const std::size_t top = open_.size() - 1, next = open_[top].next++;
      const plan::Type& type = types_[open_[top].type.value];
      if (next < type.args.size()) {
        const std::uint32_t index = enter(type.args[next]);
        open_[top].node.children.push_back(index);
      } else if (next < type.args.size() + type.fields.size()) {
        const plan::Field& field = type.fields[next - type.args.size()];
        const std::uint32_t index = enter(field.type);
        open_[top].node.fields.push_back({field.name, index, field.optional});
      } else {
        spec_.nodes[open_[top].index] = std::move(open_[top].node);
        open_.pop_back();
      }
    }
    return root;
  }

 private:
  // A type whose parts are being added, from part `next` on.
  struct Open {
    plan::TypeId type;
    std::uint32_t index = 0;
    std::size_t next = 0;
    SpecNode node;
  };

  // The node's index, at the first meeting with its parts still to come.
  std::uint32_t enter(plan::TypeId id) {
    const auto [it, inserted] = index_.try_emplace(id.value, static_cast<std::uint32_t>(spec_.nodes.size()));
    if (inserted) {
      spec_.nodes.emplace_back();
      open_.push_back({id, it->second, 0, scalar_node(types_[id.value])});
    }
    return it->second;
  }

  static SpecNode scalar_node(const plan::Type& type) {
    SpecNode node;
    switch (type.kind) {
      case TypeKind::kNull:
        node.kind = SpecKind::kNull;
        break;
      case TypeKind::kBool:
        node.kind = SpecKind::kBool;
        break;
      case TypeKind::kInt:
        node.kind = SpecKind::kInt;
        break;
      case TypeKind::kFloat:
        node.kind = SpecKind::kFloat;
        break;
      case TypeKind::kString:
        node.kind = SpecKind::kString;
        break;
      case TypeKind::kLiteral:
        node.kind = SpecKind::kLiteral;
        break;
      case TypeKind::kList:
        node.kind = SpecKind::kList;
        break;
      case TypeKind::kRecord:
        node.kind = SpecKind::kRecord;
        break;
      case TypeKind::kUnion:
        node.kind = SpecKind::kUnion;
        break;
      case TypeKind::kRegex:
        node.kind = SpecKind::kRegex;
        break;
      case TypeKind::kGrammar:
        node.kind = SpecKind::kGrammar;
        break;
      case TypeKind::kJson:
        node.kind = SpecKind::kJson;
        break;
    }
    node.min_chars = node.min_items = type.min_size;
    node.max_chars = node.max_items = type.max_size;
    node.min_int = type.min_int;
    node.max_int = type.max_int;
    node.min_float = type.min_float;
    node.max_float = type.max_float;
    node.pattern = type.pattern;
    node.format = type.format;
    if (type.kind == TypeKind::kLiteral) node.text = literal_json(type.literal);
    return node;
  }

  std::span<const plan::Type> types_;
  TypeSpec& spec_;
  std::map<std::uint32_t, std::uint32_t> index_;
  std::vector<Open> open_;  // outermost first
};

}  // namespace

TypeSpec spec_of(std::span<const plan::Type> types, plan::TypeId type, bool json) {
  TypeSpec spec;
  spec.json = json;
  spec.root = SpecBuilder(types, spec).add(type);
  return spec;
}

}  // namespace sgl::constraint
