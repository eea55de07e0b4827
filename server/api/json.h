// Reading JSON that somebody else wrote.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace sgl::server {

using Json = nlohmann::ordered_json;

struct JsonMistake {
  std::size_t position = 0;  // bytes; 0: not known
  std::string why;           // "" where it is no JSON at all
};

// One value and nothing after it, of UTF-8, at most `max_depth` levels deep, no key twice in one object. In time n log
// n of its bytes: the library's own parser looks for every key among those before it.
std::optional<JsonMistake> parse_json(std::string_view text, Json& out, int max_depth = 64);

// A member that is a string: `otherwise` when it is absent, "" when it is of another type.
std::string text_member(const Json& object, const char* name, std::string_view otherwise = "");

}  // namespace sgl::server
