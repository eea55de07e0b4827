// Random SGL programs: well typed, ending, and mostly without failures, so that every part of them is executed.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace sgl::diff {

// `count` programs p0 … p<count-1> with the functions and prompts that they use, as the text of one file.
std::string random_source(std::uint64_t seed, int count);

// Arguments for any of them.
nlohmann::ordered_json random_arguments(std::uint64_t seed);

}  // namespace sgl::diff
