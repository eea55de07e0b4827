// Names that people mistype.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sgl::base {

// The candidate nearest to `name` by edit distance (insert, delete, replace, swap), if it is near enough to be a slip.
// Names over 64 bytes are not compared. O(candidates · 64²).
std::optional<std::string> nearest_name(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace sgl::base
