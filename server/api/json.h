// Reading JSON that somebody else wrote.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/base/json.h"

namespace sgl::server {

using Json = nlohmann::ordered_json;
using base::JsonMistake;

// By base::parse_json: at most `max_depth` levels deep, no key twice in one object.
std::optional<JsonMistake> parse_json(std::string_view text, Json& out, int max_depth = 64);

// A member that is a string: `otherwise` when it is absent, "" when it is of another type.
std::string text_member(const Json& object, const char* name, std::string_view otherwise = "");

}  // namespace sgl::server
