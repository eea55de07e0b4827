// Reading JSON that somebody else wrote.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sgl::base {

struct JsonMistake {
  std::size_t position = 0;  // bytes; 0: not known
  std::string why;           // "" where it is no JSON at all
};

struct JsonRules {
  // Lists and objects inside each other. No bound of its own: reading takes no stack, what works on the value does.
  std::size_t max_depth = std::numeric_limits<std::size_t>::max();
  // Else the last value of a key counts, in the place of the first, as for the library's own parser.
  bool refuse_repeated_keys = false;
};

// One value and nothing after it, of UTF-8. In time n log n of its bytes: the library's own parser looks for every key
// among all those before it, and copies all members of an object whenever their list grows. After a mistake `out` is of
// no use.
std::optional<JsonMistake> parse_json(std::string_view text, nlohmann::ordered_json& out, const JsonRules& rules = {});

// The same without reasons: discarded (is_discarded) where the text is no JSON.
nlohmann::ordered_json json_or_discarded(std::string_view text);

// Pieces of a text as they are written, for a number that neither 64 bits nor a double hold is another one once it is
// read. Precondition of these: parse_json reads the text. Linear, without recursion.
//
// The value that these keys lead to, one inside the other; with a key that is repeated the first; "": there is none.
std::string_view json_slice(std::string_view text, std::initializer_list<std::string_view> keys);
// The items of a list; none where it is no list.
std::vector<std::string_view> json_items(std::string_view list);
// Without white space, and with strings as the library writes them: values that differ in this alone are equal texts.
std::string json_compact(std::string_view text);

}  // namespace sgl::base
