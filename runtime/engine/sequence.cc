#include <algorithm>

#include "runtime/engine/engine.h"

namespace sgl::engine {
namespace {

// Appends below this many tokens are merged into one chunk: a bound on their copying cost, and a chain of chunks that
// stays short when tokens are appended one by one.
constexpr std::size_t kChunkTokens = 64;

}  // namespace

struct Sequence::Chunk {
  std::shared_ptr<const Chunk> parent;
  std::size_t begin = 0;  // this chunk holds the half-open interval [begin, begin + tokens.size()) of the sequence
  std::vector<TokenId> tokens;

  Chunk(std::shared_ptr<const Chunk> before, std::size_t at, std::vector<TokenId> held)
      : parent(std::move(before)), begin(at), tokens(std::move(held)) {}
  Chunk(const Chunk&) = delete;
  Chunk& operator=(const Chunk&) = delete;
  // A long chain must not be destroyed recursively.
  ~Chunk() {
    std::shared_ptr<const Chunk> next = std::move(parent);
    while (next != nullptr && next.use_count() == 1) next = std::move(const_cast<Chunk&>(*next).parent);
  }
};

void Sequence::append(std::span<const TokenId> tokens) {
  if (tokens.empty()) return;
  if (tail_ != nullptr && tail_->tokens.size() + tokens.size() <= kChunkTokens) {
    std::vector<TokenId> merged = tail_->tokens;
    merged.insert(merged.end(), tokens.begin(), tokens.end());
    tail_ = std::make_shared<const Chunk>(tail_->parent, tail_->begin, std::move(merged));
    return;
  }
  const std::size_t at = size();
  tail_ = std::make_shared<const Chunk>(tail_, at, std::vector<TokenId>(tokens.begin(), tokens.end()));
}

std::size_t Sequence::size() const {
  return tail_ == nullptr ? 0 : tail_->begin + tail_->tokens.size();
}

std::vector<TokenId> Sequence::tokens() const {
  std::vector<TokenId> out(size());
  for (const Chunk* chunk = tail_.get(); chunk != nullptr; chunk = chunk->parent.get()) {
    std::copy(chunk->tokens.begin(), chunk->tokens.end(), out.begin() + static_cast<std::ptrdiff_t>(chunk->begin));
  }
  return out;
}

}  // namespace sgl::engine
