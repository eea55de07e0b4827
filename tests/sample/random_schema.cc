#include "tests/sample/random_schema.h"

namespace sgl::tests {

using Json = nlohmann::ordered_json;

namespace {

// Patterns that mean the same to the engine, to ECMA-262 and to Python.
constexpr const char* kPatterns[] = {"^[a-c]+$", "^a", "b{2}", "^(ab|cd)*$", "[0-9]$", "^[A-Z][a-z]*$", "^x-", "q"};
constexpr const char* kFormats[] = {"date", "ipv4", "uuid", "email", "date-time"};
constexpr const char* kNames[] = {"a", "b", "id", "name", "x-1", "kind", "abc", "next", "\u00e9", "q\"r"};

}  // namespace

std::string RandomSchema::name() {
  return kNames[below(static_cast<int>(std::size(kNames)))];
}

Json RandomSchema::make() {
  Json out = schema(3);
  if (!out.is_object()) out = Json{{"allOf", Json::array({out})}};
  Json one = schema(1);
  // A definition that leads to itself alone means nothing.
  while (one.is_object() && one.dump().find("$ref") != std::string::npos) one = schema(1);
  out["definitions"] = {{"one", std::move(one)}, {"two", object(1)}};
  out["$schema"] = "http://json-schema.org/draft-07/schema#";
  return out;
}

Json RandomSchema::value(int depth) {
  switch (below(depth > 0 ? 8 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return chance(50);
    case 2:
      return below(40) - 20;
    case 3:
      return (below(40) - 20) / 4.0;
    case 4:
      return name();
    case 5:
      return name() + name();
    case 6:
      return Json::array({value(depth - 1), value(depth - 1)});
    default:
      return Json{{name(), value(depth - 1)}};
  }
}

Json RandomSchema::string() {
  Json out{{"type", "string"}};
  if (chance(30)) out["minLength"] = below(4);
  if (chance(40)) out["maxLength"] = 2 + below(12);
  if (chance(25)) out["pattern"] = kPatterns[below(static_cast<int>(std::size(kPatterns)))];
  if (out.size() == 1 && chance(20)) out["format"] = kFormats[below(static_cast<int>(std::size(kFormats)))];
  return out;
}

Json RandomSchema::number(bool integer) {
  Json out{{"type", integer ? "integer" : "number"}};
  if (chance(40)) out[chance(50) ? "minimum" : "exclusiveMinimum"] = below(30) - 20;
  if (chance(40)) out[chance(50) ? "maximum" : "exclusiveMaximum"] = below(300) + 5;
  if (chance(20)) out["multipleOf"] = integer ? 1 + below(6) : 0.25 * (1 + below(6));
  return out;
}

Json RandomSchema::array(int depth) {
  Json out{{"type", "array"}};
  if (chance(25)) {
    out["items"] = Json::array({schema(depth - 1), schema(depth - 1)});
    if (chance(50)) out["additionalItems"] = chance(50) ? Json(false) : schema(depth - 1);
  } else if (chance(80)) {
    out["items"] = schema(depth - 1);
  }
  if (chance(30)) out["minItems"] = below(3);
  if (chance(50)) out["maxItems"] = 1 + below(4);
  if (chance(15)) out["contains"] = schema(depth - 1);
  if (chance(20)) out["uniqueItems"] = true;
  return out;
}

Json RandomSchema::object(int depth) {
  Json out{{"type", "object"}};
  Json properties = Json::object();
  for (int i = below(4); i > 0; --i) properties[name()] = schema(depth - 1);
  if (chance(60)) {
    Json required = Json::array();
    for (const auto& [key, unused] : properties.items()) {
      if (chance(50)) required.push_back(key);
    }
    if (chance(10)) required.push_back("more");
    if (!required.empty()) out["required"] = std::move(required);
  }
  if (!properties.empty()) out["properties"] = std::move(properties);
  if (chance(20)) out["patternProperties"] = {{"^x-", schema(depth - 1)}};
  if (chance(60)) out["additionalProperties"] = chance(60) ? Json(false) : schema(depth - 1);
  if (chance(10)) out["propertyNames"] = {{"maxLength", 1 + below(5)}};
  if (chance(15)) out["minProperties"] = 1 + below(2);
  if (chance(20)) out["maxProperties"] = 1 + below(4);
  if (chance(10)) out["dependencies"] = {{name(), Json::array({name()})}};
  return out;
}

Json RandomSchema::combined(int depth) {
  Json list = Json::array();
  for (int i = 1 + below(3); i >= 0; --i) list.push_back(schema(depth - 1));
  switch (below(5)) {
    case 0:
      return {{"anyOf", list}};
    case 1:
      return {{"oneOf", list}};
    case 2:
      return {{"allOf", Json::array({list[0], Json{{"not", list[1]}}})}};
    case 3:
      return {{"if", list[0]}, {"then", list[1]}, {"else", schema(depth - 1)}};
    default:
      return {{"allOf", Json::array({object(depth - 1), object(depth - 1)})}};
  }
}

Json RandomSchema::schema(int depth) {
  const int kind = below(depth > 0 ? 13 : 6);
  switch (kind) {
    case 0:
    case 1:
      return string();
    case 2:
      return number(true);
    case 3:
      return number(false);
    case 4:
      return chance(50) ? Json{{"type", "boolean"}} : Json{{"type", Json::array({"null", "string"})}, {"maxLength", 3}};
    case 5: {
      if (chance(30)) return {{"const", value(1)}};
      Json values = Json::array();
      for (int i = below(4); i >= 0; --i) {
        Json one = value(1);
        if (std::find(values.begin(), values.end(), one) == values.end()) values.push_back(std::move(one));
      }
      return {{"enum", std::move(values)}};
    }
    case 6:
    case 7:
      return array(depth);
    case 8:
    case 9:
      return object(depth);
    case 10:
      return combined(depth);
    case 11:
      return {{"$ref", chance(50) ? "#/definitions/one" : "#/definitions/two"}};
    default:
      return chance(30) ? Json(true) : object(depth);
  }
}

}  // namespace sgl::tests
