#include "runtime/plan/constant_types.h"

#include <algorithm>
#include <map>
#include <string_view>

namespace sgl::plan {
namespace {

using Kind = Constant::Kind;

constexpr std::int64_t kNoLiteral = -1;  // of a text that no literal has

std::uint32_t bit(Kind kind) {
  return std::uint32_t{1} << static_cast<unsigned>(kind);
}

Kind kind_of(Literal::Kind kind) {
  switch (kind) {
    case Literal::Kind::kString:
      return Kind::kString;
    case Literal::Kind::kInt:
      return Kind::kInt;
    case Literal::Kind::kBool:
      return Kind::kBool;
  }
  return Kind::kNull;
}

}  // namespace

ConstantTypes::ConstantTypes(const Plan& plan) : literal_texts_(plan.types.size(), kNoLiteral) {
  // Equal texts get the same number, so that they are compared here and never again.
  std::map<std::string_view, std::int64_t> texts;
  for (std::size_t i = 0; i < plan.types.size(); ++i) {
    const Type& type = plan.types[i];
    if (type.kind != TypeKind::kLiteral || type.literal.kind != Literal::Kind::kString) continue;
    literal_texts_[i] = texts.emplace(type.literal.text, static_cast<std::int64_t>(texts.size())).first->second;
  }
  constants_.reserve(plan.constants.size());
  for (const Constant& constant : plan.constants) {
    std::int64_t number = constant.number;
    if (constant.kind == Kind::kRecord) number = constant.type.value;
    if (constant.kind == Kind::kString) {
      const auto it = texts.find(constant.text);
      number = it == texts.end() ? kNoLiteral : it->second;
    }
    constants_.emplace_back(constant.kind, number);
  }
  accepted_.resize(plan.types.size());
  for (std::uint32_t i = 0; i < plan.types.size(); ++i) {
    Accepted& out = accepted_[i];
    if (plan.types[i].kind == TypeKind::kUnion) {
      for (const TypeId member : plan.types[i].args) add(plan, member, out);
    } else {
      add(plan, TypeId(i), out);
    }
    std::sort(out.singles.begin(), out.singles.end());
  }
}

// What a type that is no union accepts; members of unions are none.
void ConstantTypes::add(const Plan& plan, TypeId id, Accepted& out) const {
  const Type& type = plan.type(id);
  switch (type.kind) {
    case TypeKind::kNull:
      out.kinds |= bit(Kind::kNull);
      return;
    case TypeKind::kBool:
      out.kinds |= bit(Kind::kBool);
      return;
    case TypeKind::kInt:
      out.kinds |= bit(Kind::kInt);
      return;
    case TypeKind::kFloat:
      out.kinds |= bit(Kind::kFloat);
      return;
    case TypeKind::kString:
    case TypeKind::kRegex:
    case TypeKind::kGrammar:
      out.kinds |= bit(Kind::kString);
      return;
    case TypeKind::kJson:  // what a schema allows is found out at run time only
      if (type.pattern.empty()) {
        for (const Kind kind : {Kind::kNull, Kind::kBool, Kind::kInt, Kind::kFloat, Kind::kString, Kind::kList})
          out.kinds |= bit(kind);
      }
      return;
    case TypeKind::kLiteral: {
      const bool text = type.literal.kind == Literal::Kind::kString;
      out.singles.emplace_back(kind_of(type.literal.kind), text ? literal_texts_[id.value] : type.literal.number);
      return;
    }
    case TypeKind::kList:
      out.kinds |= bit(Kind::kList);
      return;
    case TypeKind::kRecord:
      out.singles.emplace_back(Kind::kRecord, id.value);
      return;
    case TypeKind::kUnion:
      return;
  }
}

bool ConstantTypes::fits(ConstId constant, TypeId type) const {
  const Single& value = constants_[constant.value];
  const Accepted& accepted = accepted_[type.value];
  return (accepted.kinds & bit(value.first)) != 0 ||
         std::binary_search(accepted.singles.begin(), accepted.singles.end(), value);
}

}  // namespace sgl::plan
