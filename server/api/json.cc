#include "server/api/json.h"

#include <cstddef>

namespace sgl::server {

std::optional<JsonMistake> parse_json(std::string_view text, Json& out, int max_depth) {
  base::JsonRules rules;
  rules.max_depth = static_cast<std::size_t>(max_depth);
  rules.refuse_repeated_keys = true;
  return base::parse_json(text, out, rules);
}

std::string text_member(const Json& object, const char* name, std::string_view otherwise) {
  const auto it = object.find(name);
  if (it == object.end()) return std::string(otherwise);
  return it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace sgl::server
