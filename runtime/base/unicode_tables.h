// The raw tables behind unicode.h, written by scripts/gen_unicode.py. Private to runtime/base.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace sgl::base::tables {

// Layouts are described beside the data in unicode_tables.cc.
extern const std::span<const std::uint32_t> kCategoryRuns;
extern const std::span<const std::uint32_t> kWhiteSpace, kAlphabetic, kUppercase, kLowercase;
extern const std::span<const std::uint32_t> kNfcNotYes, kCompositionExclusions, kCombining, kDecompositions;
extern const std::span<const std::uint32_t> kFold, kLower, kUpper;
extern const std::span<const std::uint32_t> kScriptRanges;
extern const std::span<const std::string_view> kScriptNames;

}  // namespace sgl::base::tables
