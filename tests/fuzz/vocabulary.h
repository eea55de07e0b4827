// A vocabulary for fuzzers that walk constraints.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/constraint/constraint.h"

namespace sgl::fuzz {

// Every byte, tokens of several bytes, and the end of the text.
inline std::shared_ptr<const constraint::Vocabulary> vocabulary_of(std::initializer_list<const char*> several) {
  std::vector<std::string> bytes;
  for (int b = 0; b < 256; ++b) bytes.emplace_back(1, static_cast<char>(b));
  bytes.insert(bytes.end(), several.begin(), several.end());
  bytes.emplace_back("");
  const auto eos = static_cast<constraint::TokenId>(bytes.size() - 1);
  return constraint::Vocabulary::from_bytes(std::move(bytes), {eos});
}

}  // namespace sgl::fuzz
