// The tokens of a context, as a value.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "runtime/tokenizer/tokenizer.h"

namespace sgl::engine {

// Copying (forking) is O(1) and shares storage; appending is O(tokens appended) and never changes other copies. Holds
// no KV pages itself: the radix tree finds what was computed for these tokens.
class Sequence {
 public:
  void append(std::span<const tokenizer::TokenId> tokens);
  Sequence fork() const { return *this; }
  std::size_t size() const;
  // All tokens from the beginning; O(size).
  std::vector<tokenizer::TokenId> tokens() const;

 private:
  struct Chunk;  // immutable, refers to its parent
  std::shared_ptr<const Chunk> tail_;
};

}  // namespace sgl::engine
