// Which alternative of a union a JSON value is of.
#include <fmt/format.h>

#include <vector>

#include "runtime/exec/json_members.h"
#include "runtime/exec/json_reader.h"

namespace sgl::exec {

using plan::Type;
using plan::TypeId;
using plan::TypeKind;
using Json = JsonReader::Json;

namespace {

// How many values there are in it, itself included. O(their number).
std::size_t count_parts(const Json& json) {
  std::size_t count = 1;
  std::vector<const Json*> open = {&json};
  while (!open.empty()) {
    const Json& next = *open.back();
    open.pop_back();
    if (!next.is_structured()) continue;
    count += next.size();
    for (const Json& part : next) {
      if (part.is_structured()) open.push_back(&part);
    }
  }
  return count;
}

[[gnu::noinline]] base::Error none_fits(const Json& json, const JsonReader::Path& path) {
  return base::invalid(fmt::format("{}: {} fits none of the alternatives", path.text(),
                                   json.is_structured() ? json_kind(json) : dumped(json).substr(0, 60)));
}

}  // namespace

// 1 and 1.0 are different literals.
bool literal_fits(const plan::Literal& literal, const Json& json) {
  switch (literal.kind) {
    case plan::Literal::Kind::kString:
      return json.is_string() && json.get_ref<const std::string&>() == literal.text;
    case plan::Literal::Kind::kInt:
      return json.is_number_integer() && !beyond_int(json) && json.get<std::int64_t>() == literal.number;
    case plan::Literal::Kind::kBool:
      return json.is_boolean() && json.get<bool>() == (literal.number != 0);
  }
  return false;
}

bool size_fits(const Type& type, std::size_t size) {
  const auto count = static_cast<std::int64_t>(size);
  return count >= type.min_size && (type.max_size < 0 || count <= type.max_size);
}

bool beyond_int(const Json& json) {
  return json.is_number_unsigned() && json.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
}

base::Error JsonReader::too_ambiguous(const Path& path) {
  return base::over_limit(path.text() + ": the alternatives of its type are too much alike to be told apart");
}

bool JsonReader::visit() {
  if (++visits_ <= max_visits_) return true;
  if (counted_) return false;
  counted_ = true;
  max_visits_ = kFreeVisits + kMaxVisits * count_parts(json_);
  return visits_ <= max_visits_;
}

std::optional<TypeId> JsonReader::only_alternative(const Type& type, const Json& json) const {
  // Beside null there is often just one.
  std::size_t others = 0, fitting = 0;
  std::optional<TypeId> other, found;
  for (const TypeId alternative : type.args) {
    if (plan_.type(alternative).kind != TypeKind::kNull) ++others, other = alternative;
  }
  if (others == 1 && !json.is_null()) return other;
  for (const TypeId alternative : type.args) {
    if (may_fit(alternative, json, 1)) ++fitting, found = alternative;
  }
  return fitting == 1 ? found : std::nullopt;
}

bool JsonReader::may_fit(TypeId id, const Json& json, int levels) const {
  const Type& type = plan_.type(id);
  switch (type.kind) {
    case TypeKind::kNull:
      return json.is_null();
    case TypeKind::kBool:
      return json.is_boolean();
    case TypeKind::kInt:
      return json.is_number_integer();
    case TypeKind::kFloat:
      return json.is_number();
    case TypeKind::kString:
    case TypeKind::kRegex:
    case TypeKind::kGrammar:
      return json.is_string();
    case TypeKind::kLiteral:
      return literal_fits(type.literal, json);
    case TypeKind::kList:
      if (!json.is_array() || levels == 0) return json.is_array();
      return size_fits(type, json.size()) && (json.empty() || may_fit(type.args[0], json[0], levels - 1));
    case TypeKind::kRecord:
      return json.is_object() && (levels == 0 || fields_may_fit(type, json, levels - 1));
    case TypeKind::kUnion:  // unions are flat
      for (const TypeId alternative : type.args) {
        if (may_fit(alternative, json, levels)) return true;
      }
      return false;
    case TypeKind::kJson:
      return true;
  }
  return true;
}

bool JsonReader::fields_may_fit(const Type& type, const Json& json, int levels) const {
  if (json.size() > type.fields.size()) return false;
  JsonMembers members(json);
  std::size_t known = 0;
  for (const plan::Field& field : type.fields) {
    const Json* const member = members.find(field.name);
    if (member == nullptr) {
      if (!field.optional) return false;
      continue;
    }
    if (!may_fit(field.type, *member, levels)) return false;
    ++known;
  }
  return known == json.size();
}

// Several alternatives look alike, or none fits.
JsonReader::Result JsonReader::read_union(const Type& type, const Json& json, const Path& path, int depth) {
  for (const TypeId alternative : type.args) {
    if (!may_fit(alternative, json, 1)) continue;
    auto value = read(alternative, json, path, depth);
    if (value.ok() || value.error().kind == base::ErrorKind::kLimit) return value;
  }
  return none_fits(json, path);
}

}  // namespace sgl::exec
