// Keywords of arrays and objects, and those that combine schemas.
#include <fmt/format.h>

#include "runtime/constraint/schema_parse.h"

namespace sgl::constraint {
namespace {

std::string at(const std::string& pointer, const std::string& key) {
  return pointer + "/" + escape_pointer(key);
}

}  // namespace

bool SchemaParser::array(SchemaNode& out, const Place& place, const std::string& key, const Json& value) {
  if (key == "prefixItems" || (key == "items" && value.is_array())) {
    out.prefix = children(place, key);
  } else if (key == "items") {
    out.items = child(place, key);
    out.lists_items = true;
  } else if (key == "additionalItems") {
    // Says something beside a list in `items` only.
    const auto items = place.value->find("items");
    if (items != place.value->end() && items->is_array()) {
      out.items = child(place, key);
      out.lists_items = true;
    }
  } else if (key == "minItems") {
    out.min_items = count(place, key, value);
  } else if (key == "maxItems") {
    out.max_items = count(place, key, value);
  } else if (key == "contains") {
    out.contains = child(place, key);
  } else if (key == "minContains") {
    out.min_contains = count(place, key, value);
  } else if (key == "maxContains") {
    out.max_contains = count(place, key, value);
  } else if (key == "uniqueItems") {
    out.unique = value.is_boolean() && value.get<bool>();
  } else {
    return false;
  }
  return true;
}

std::vector<std::string> SchemaParser::names(const std::string& pointer, const Json& value) {
  std::vector<std::string> out;
  if (!value.is_array()) problem(SchemaStatus::kInvalid, pointer, "must be a list of names");
  for (const Json& item : value) {
    if (!item.is_string()) {
      problem(SchemaStatus::kInvalid, pointer, "must be a list of names");
      break;
    }
    out.push_back(item.get<std::string>());
  }
  return out;
}

void SchemaParser::pattern_properties(SchemaNode& out, const Place& place, const std::string& key, const Json& value) {
  for (const auto& [text, schema] : value.items()) {
    if (auto dfa = pattern(at(at(place.pointer, key), text), text)) {
      out.pattern_properties.push_back({std::move(dfa), child(place, key, text, schema)});
    }
  }
}

void SchemaParser::dependencies(SchemaNode& out, const Place& place, const std::string& key, const Json& value) {
  for (const auto& [name, what] : value.items()) {
    if (what.is_array()) {
      out.dependent_required.emplace_back(name, names(at(at(place.pointer, key), name), what));
    } else {
      out.dependent_schemas.emplace_back(name, child(place, key, name, what));
    }
  }
}

bool SchemaParser::object(SchemaNode& out, const Place& place, const std::string& key, const Json& value) {
  const bool by_name = key == "properties" || key == "patternProperties" || key == "dependencies" ||
                       key == "dependentRequired" || key == "dependentSchemas";
  if (by_name && !value.is_object()) {
    problem(SchemaStatus::kInvalid, at(place.pointer, key), "must be an object");
    return true;
  }
  if (key == "properties") {
    for (const auto& [name, schema] : value.items()) out.properties.emplace_back(name, child(place, key, name, schema));
  } else if (key == "patternProperties") {
    pattern_properties(out, place, key, value);
  } else if (key == "additionalProperties") {
    out.additional = child(place, key);
    out.lists_additional = true;
  } else if (key == "propertyNames") {
    out.property_names = child(place, key);
  } else if (key == "required") {
    out.required = names(at(place.pointer, key), value);
  } else if (key == "minProperties") {
    out.min_properties = count(place, key, value);
  } else if (key == "maxProperties") {
    out.max_properties = count(place, key, value);
  } else if (by_name) {
    dependencies(out, place, key, value);
  } else {
    return false;
  }
  return true;
}

bool SchemaParser::logic(SchemaNode& out, const Place& place, const std::string& key, const Json& value) {
  if (key == "allOf") {
    out.all_of = children(place, key);
  } else if (key == "anyOf") {
    out.any_of.push_back(children(place, key));
  } else if (key == "oneOf") {
    out.one_of.push_back(children(place, key));
  } else if (key == "not") {
    out.negated = child(place, key);
  } else if (key == "if") {
    out.condition = child(place, key);
  } else if (key == "then" || key == "else") {
    if (place.value->contains("if")) (key == "then" ? out.then_branch : out.else_branch) = child(place, key);
  } else {
    return false;
  }
  if ((key == "allOf" || key == "anyOf" || key == "oneOf") && value.empty()) {
    problem(SchemaStatus::kInvalid, at(place.pointer, key), "must not be empty");
  }
  return true;
}

void SchemaParser::unevaluated(SchemaNode& out, const Place& place, const std::string& key) {
  (key == "unevaluatedItems" ? out.unevaluated_items : out.unevaluated_properties) = child(place, key);
}

// Marks what applies in place below schemas with unevaluated keywords.
void SchemaParser::tell_apart() {
  std::vector<NodeIndex> open;
  const auto mark = [&](NodeIndex index) {
    if (doc_.nodes[index].told_apart) return;
    doc_.nodes[index].told_apart = true;
    open.push_back(index);
  };
  for (NodeIndex i = 0; i < doc_.nodes.size(); ++i) {
    if (doc_.nodes[i].unevaluated_items || doc_.nodes[i].unevaluated_properties) mark(i);
  }
  while (!open.empty()) {
    const SchemaNode& node = doc_.nodes[open.back()];
    open.pop_back();
    for (const auto& one : {node.ref, node.condition, node.then_branch, node.else_branch}) {
      if (one) mark(*one);
    }
    for (NodeIndex part : node.all_of) mark(part);
    for (const auto* lists : {&node.any_of, &node.one_of}) {
      for (const auto& list : *lists) {
        for (NodeIndex part : list) mark(part);
      }
    }
    for (const auto& dependent : node.dependent_schemas) mark(dependent.second);
  }
}

}  // namespace sgl::constraint
