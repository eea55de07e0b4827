// The verifier: types and constants.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "runtime/plan/verify_parts.h"

namespace sgl::plan {

using base::invalid;
using base::Status;

namespace {

constexpr std::size_t kMaxFields = 10'000;     // of one record; schemas look fields up one by one
constexpr std::size_t kMaxUnion = 2'000;       // members of one union; values are tried against all
constexpr std::size_t kMaxConstantDepth = 64;  // lists in lists; printing and comparing recurse

// ---- types ---------------------------------------------------------------------------------------------------------

Status check_fields(const Plan& plan, const Type& type, const std::string& place) {
  if (type.fields.size() > kMaxFields) {
    return invalid(fmt::format("{}: {} fields, over the limit of {}", place, type.fields.size(), kMaxFields));
  }
  std::unordered_set<std::string_view> names;
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const Field& field = type.fields[i];
    if (field.name.empty()) return invalid(fmt::format("{}: field {} has no name", place, i));
    if (!names.insert(field.name).second) {
      return invalid(fmt::format("{}: two fields are named {}", place, in_quotes(field.name)));
    }
    if (field.type.value >= plan.types.size()) {
      return invalid(fmt::format("{}: field {} is of type {} of {}", place, i, field.type.value, plan.types.size()));
    }
  }
  return {};
}

Status check_ranges(const Type& type, const std::string& place) {
  if (type.min_size < 0 || type.max_size < -1 || (type.max_size >= 0 && type.max_size < type.min_size)) {
    return invalid(fmt::format("{}: sizes from {} to {}", place, type.min_size, type.max_size));
  }
  if (type.min_int && type.max_int && *type.min_int > *type.max_int) {
    return invalid(fmt::format("{}: integers from {} to {}", place, *type.min_int, *type.max_int));
  }
  if ((type.min_float && std::isnan(*type.min_float)) || (type.max_float && std::isnan(*type.max_float)) ||
      (type.min_float && type.max_float && *type.min_float > *type.max_float)) {
    return invalid(fmt::format("{}: the range of floats is empty", place));
  }
  return {};
}

// A schema's text is JSON that is not nested deeply: writers of JSON recurse. What it means is found out where it is
// compiled.
Status check_schema(const Type& type, const std::string& place) {
  constexpr std::size_t kMaxNesting = 200;  // as SchemaLimits::max_nesting
  std::size_t level = 0;
  bool text = false;
  for (std::size_t i = 0; i < type.pattern.size(); ++i) {
    const char c = type.pattern[i];
    if (text && c == '\\') {
      ++i;
    } else if (c == '"') {
      text = !text;
    } else if (!text && (c == '[' || c == '{')) {
      if (++level > kMaxNesting) return invalid(place + ": its JSON Schema is nested too deeply");
    } else if (!text && (c == ']' || c == '}')) {
      level -= level > 0 ? 1 : 0;
    }
  }
  if (!type.pattern.empty() && !nlohmann::json::accept(type.pattern))
    return invalid(place + ": its JSON Schema is not JSON");
  return {};
}

Status check_type(const Plan& plan, std::size_t index) {
  const Type& type = plan.types[index];
  const std::string place = fmt::format("type {}", index);
  if (type.kind > TypeKind::kJson) return invalid(place + ": unknown kind");
  const bool has_args = type.kind == TypeKind::kList || type.kind == TypeKind::kUnion;
  if (!has_args && !type.args.empty()) return invalid(place + ": this kind of type has no members");
  if (type.kind != TypeKind::kRecord && !type.fields.empty()) return invalid(place + ": only records have fields");
  if (type.kind == TypeKind::kList && type.args.size() != 1) {
    return invalid(fmt::format("{}: a list of {} types", place, type.args.size()));
  }
  if (type.args.size() > kMaxUnion) {
    return invalid(fmt::format("{}: {} members, over the limit of {}", place, type.args.size(), kMaxUnion));
  }
  if (type.kind == TypeKind::kUnion && type.args.size() < 2) {
    return invalid(fmt::format("{}: a union of {} types", place, type.args.size()));
  }
  for (const TypeId arg : type.args) {
    if (arg.value >= plan.types.size()) {
      return invalid(fmt::format("{}: refers to type {} of {}", place, arg.value, plan.types.size()));
    }
    // Flat unions also rule out a cycle of types that passes through no list and no record.
    if (type.kind == TypeKind::kUnion && plan.type(arg).kind == TypeKind::kUnion) {
      return invalid(fmt::format("{}: member {} of the union is a union", place, arg.value));
    }
  }
  if (type.kind == TypeKind::kLiteral) {
    if (type.literal.kind > Literal::Kind::kBool) return invalid(place + ": unknown kind of literal");
    if (type.literal.kind == Literal::Kind::kBool && type.literal.number != 0 && type.literal.number != 1) {
      return invalid(fmt::format("{}: the bool is {}", place, type.literal.number));
    }
  }
  if (type.kind == TypeKind::kJson) SGL_TRY_STATUS(check_schema(type, place));
  SGL_TRY_STATUS(check_ranges(type, place));
  return check_fields(plan, type, place);
}

// Types refer to each other in any order, so a type may contain itself. One that has no finite value (a record with a
// field of its own type) is refused: a least fixpoint, in which every type is looked at once more for each of its parts
// that turns out to have one. O(types and their parts).
Status check_finite(const Plan& plan) {
  std::vector<std::vector<std::uint32_t>> users(plan.types.size());  // by type: those that need a value of it
  std::vector<std::size_t> missing(plan.types.size());               // parts that are not known to have a value
  std::vector<std::uint32_t> ready;
  for (std::uint32_t i = 0; i < plan.types.size(); ++i) {
    const Type& type = plan.types[i];
    const auto need = [&](TypeId part) { users[part.value].push_back(i), ++missing[i]; };
    if (type.kind == TypeKind::kList && type.min_size > 0) need(type.args[0]);
    if (type.kind == TypeKind::kUnion) {
      for (const TypeId arg : type.args) need(arg);
      missing[i] = 1;  // any one of them is enough
    }
    for (const Field& field : type.fields) {
      if (!field.optional) need(field.type);
    }
    if (missing[i] == 0) ready.push_back(i);
  }
  std::size_t finite = 0;
  while (!ready.empty()) {
    const std::uint32_t type = ready.back();
    ready.pop_back();
    ++finite;
    for (const std::uint32_t user : users[type]) {
      if (missing[user] > 0 && --missing[user] == 0) ready.push_back(user);
    }
  }
  if (finite == plan.types.size()) return {};
  const auto endless = std::find_if(missing.begin(), missing.end(), [](std::size_t n) { return n > 0; });
  return invalid(fmt::format("type {}: no finite value has this type", endless - missing.begin()));
}

// ---- constants -----------------------------------------------------------------------------------------------------

Status check_record_constant(const Plan& plan, const ConstantTypes& types, const Constant& constant,
                             const std::string& place) {
  if (constant.type.value >= plan.types.size()) {
    return invalid(fmt::format("{}: of type {} of {}", place, constant.type.value, plan.types.size()));
  }
  const Type& type = plan.type(constant.type);
  if (type.kind != TypeKind::kRecord) {
    return invalid(fmt::format("{}: type {} is not a record", place, constant.type.value));
  }
  if (constant.items.size() != type.fields.size()) {
    return invalid(fmt::format("{}: {} values for {} fields", place, constant.items.size(), type.fields.size()));
  }
  for (std::size_t i = 0; i < type.fields.size(); ++i) {
    const Constant& item = plan.constants[constant.items[i].value];
    if (type.fields[i].optional && item.kind == Constant::Kind::kNull) continue;
    if (!types.fits(constant.items[i], type.fields[i].type)) {
      return invalid(fmt::format("{}: constant {} does not fit field {}", place, constant.items[i].value,
                                 in_quotes(type.fields[i].name)));
    }
  }
  return {};
}

}  // namespace

// Constants share parts, so written out (as JSON, in a value) they can be exponentially larger than the plan: both
// their depth and their size when written out are bounded.
Status check_constants(const Plan& plan, const ConstantTypes& types, std::size_t max_bytes,
                       std::vector<std::size_t>& sizes) {
  constexpr std::size_t kBytesPerValue = 16;
  std::vector<std::size_t> depths(plan.constants.size());
  sizes.assign(plan.constants.size(), 0);
  for (std::size_t i = 0; i < plan.constants.size(); ++i) {
    const Constant& constant = plan.constants[i];
    const std::string place = fmt::format("constant {}", i);
    if (constant.kind > Constant::Kind::kRecord) return invalid(place + ": unknown kind");
    if (constant.kind == Constant::Kind::kBool && constant.number != 0 && constant.number != 1) {
      return invalid(fmt::format("{}: the bool is {}", place, constant.number));
    }
    if (constant.kind < Constant::Kind::kList && !constant.items.empty()) {
      return invalid(place + ": this kind of constant has no items");
    }
    sizes[i] = kBytesPerValue + constant.text.size();
    for (const ConstId item : constant.items) {
      if (item.value >= i)
        return invalid(fmt::format("{}: refers to constant {}, not an earlier one", place, item.value));
      depths[i] = std::max(depths[i], depths[item.value] + 1);
      sizes[i] += sizes[item.value];
      if (sizes[i] > max_bytes) {
        return invalid(fmt::format("{}: written out it exceeds {} bytes", place, max_bytes));
      }
    }
    if (depths[i] > kMaxConstantDepth) {
      return invalid(fmt::format("{}: nested deeper than {}", place, kMaxConstantDepth));
    }
    if (constant.kind == Constant::Kind::kRecord) SGL_TRY_STATUS(check_record_constant(plan, types, constant, place));
  }
  return {};
}

Status check_types(const Plan& plan) {
  for (std::size_t i = 0; i < plan.types.size(); ++i) SGL_TRY_STATUS(check_type(plan, i));
  return check_finite(plan);
}

}  // namespace sgl::plan
