#include "runtime/tokenizer/bpe.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <queue>

#include "runtime/base/utf8.h"

namespace sgl::tokenizer {
namespace {

// Words up to this many symbols merge by scanning; longer ones by a heap.
constexpr std::size_t kScanSymbols = 24;

// Recently encoded words of this thread: direct-mapped, so that a look-up is one probe and memory is bounded (1 MB).
struct CachedWord {
  static constexpr std::size_t kMaxBytes = 30, kMaxIds = 6;
  std::uint64_t instance = 0;  // the Bpe that encoded it, 0: empty
  std::uint8_t size = 0, count = 0;
  std::array<char, kMaxBytes> bytes{};
  std::array<TokenId, kMaxIds> ids{};
};
constexpr std::size_t kCacheSlots = 1 << 14;

CachedWord& cache_slot(std::uint64_t instance, std::string_view word) {
  thread_local std::unique_ptr<CachedWord[]> cache = std::make_unique<CachedWord[]>(kCacheSlots);
  return cache[(hash_bytes(word) ^ instance) & (kCacheSlots - 1)];
}

}  // namespace

TokenId Bpe::char_token(std::string_view character) const {
  if (character.size() == 1 && static_cast<unsigned char>(character[0]) < 128) {
    return ascii_ids_[static_cast<unsigned char>(character[0])];
  }
  return find(character);
}

bool Bpe::joinable(char32_t a, char32_t b) const {
  if (a < 128 && b < 128) return ascii_joins_[a][b];
  const std::uint64_t key = std::uint64_t{a} << 32 | b | std::uint64_t{1} << 63;
  for (std::size_t at = mix64(key) & (joins_.size() - 1);; at = (at + 1) & (joins_.size() - 1)) {
    if (joins_[at] == key) return true;
    if (joins_[at] == 0) return false;
  }
}

void Bpe::encode(std::string_view piece, std::vector<TokenId>& out) const {
  if (piece.empty()) return;
  if (byte_level_ || !splittable_) {
    encode_word(piece, out);
    return;
  }
  if (ignore_merges_) {
    if (const std::int32_t id = find(piece); id >= 0) return out.push_back(id);
  }
  encode_text(piece, out);
}

// SentencePiece models treat a whole text as one word. No merge can cross a pair of characters that no rule joins, so
// cutting there changes nothing, and the parts are short and mostly cached.
void Bpe::encode_text(std::string_view piece, std::vector<TokenId>& out) const {
  std::size_t begin = 0;
  base::DecodedChar previous = base::decode_utf8(piece, 0);
  for (std::size_t at = previous.bytes; at < piece.size();) {
    const base::DecodedChar next = base::decode_utf8(piece, at);
    if (!joinable(previous.code, next.code)) {
      encode_word(piece.substr(begin, at - begin), out);
      begin = at;
    }
    previous = next;
    at += next.bytes;
  }
  encode_word(piece.substr(begin), out);
}

void Bpe::encode_word(std::string_view word, std::vector<TokenId>& out) const {
  const bool cacheable = word.size() <= CachedWord::kMaxBytes;
  CachedWord* slot = nullptr;
  if (cacheable) {
    slot = &cache_slot(instance_, word);
    if (slot->instance == instance_ && slot->size == word.size() &&
        std::memcmp(slot->bytes.data(), word.data(), word.size()) == 0) {
      out.insert(out.end(), slot->ids.begin(), slot->ids.begin() + slot->count);
      return;
    }
  }
  const std::size_t before = out.size();
  const std::int32_t whole = !ignore_merges_ ? -1 : byte_level_ ? by_bytes_.find(bytes_, word) : find(word);
  if (whole >= 0) {
    out.push_back(whole);
  } else {
    std::vector<TokenId> ids;
    symbols(word, ids);
    merge_all(ids);
    out.insert(out.end(), ids.begin(), ids.end());
  }
  const std::size_t count = out.size() - before;
  if (!cacheable || count > CachedWord::kMaxIds) return;
  slot->instance = instance_;
  slot->size = static_cast<std::uint8_t>(word.size());
  slot->count = static_cast<std::uint8_t>(count);
  std::copy(word.begin(), word.end(), slot->bytes.begin());
  std::copy(out.end() - static_cast<std::ptrdiff_t>(count), out.end(), slot->ids.begin());
}

// The tokens that merging starts from: one per byte or character; bytes or the unknown token where there is none.
void Bpe::symbols(std::string_view word, std::vector<TokenId>& out) const {
  bool after_unknown = false;
  const auto unknown = [&] {
    if (unknown_ >= 0 && !(fuse_unknown_ && after_unknown)) out.push_back(unknown_);
    after_unknown = true;
  };
  for (std::size_t at = 0; at < word.size();) {
    if (byte_level_) {
      const TokenId id = byte_ids_[static_cast<unsigned char>(word[at++])];
      if (id < 0) {
        unknown();
        continue;
      }
      out.push_back(id);
      after_unknown = false;
      continue;
    }
    const std::string_view character = word.substr(at, base::decode_utf8(word, at).bytes);
    at += character.size();
    if (const TokenId id = char_token(character); id >= 0) {
      out.push_back(id);
      after_unknown = false;
      continue;
    }
    const auto has_token = [&](char c) { return byte_ids_[static_cast<unsigned char>(c)] >= 0; };
    if (byte_fallback_ && std::all_of(character.begin(), character.end(), has_token)) {
      for (char c : character) out.push_back(byte_ids_[static_cast<unsigned char>(c)]);
      after_unknown = false;
    } else {
      unknown();
    }
  }
}

void Bpe::merge_all(std::vector<TokenId>& ids) const {
  const std::size_t n = ids.size();
  if (n < 2) return;
  if (n <= kScanSymbols) {
    std::array<Merge, kScanSymbols> pairs;
    for (std::size_t i = 0; i + 1 < n; ++i) pairs[i] = merges_.find(ids[i], ids[i + 1]);
    for (std::size_t left = n; left > 1;) {
      std::size_t best = 0;
      for (std::size_t i = 1; i + 1 < left; ++i) {
        if (pairs[i].rank < pairs[best].rank) best = i;
      }
      if (pairs[best].rank == UINT32_MAX) break;
      ids[best] = pairs[best].result;
      ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
      std::copy(pairs.begin() + best + 1, pairs.begin() + left - 1, pairs.begin() + best);
      --left;
      if (best > 0) pairs[best - 1] = merges_.find(ids[best - 1], ids[best]);
      if (best + 1 < left) pairs[best] = merges_.find(ids[best], ids[best + 1]);
    }
    return;
  }
  struct Candidate {
    std::uint64_t order;  // rank << 32 | position of the left symbol
    TokenId left, right;  // to see whether the pair is still there
    bool operator<(const Candidate& other) const { return order > other.order; }  // the heap gives the least
  };
  constexpr std::uint32_t kGone = UINT32_MAX;
  std::vector<std::uint32_t> next(n), previous(n);
  for (std::size_t i = 0; i < n; ++i) {
    next[i] = i + 1 < n ? static_cast<std::uint32_t>(i + 1) : kGone;
    previous[i] = i > 0 ? static_cast<std::uint32_t>(i - 1) : kGone;
  }
  std::vector<Candidate> storage;
  storage.reserve(n);
  std::priority_queue<Candidate> queue(std::less<Candidate>(), std::move(storage));
  const auto offer = [&](std::uint32_t at) {
    if (at == kGone || next[at] == kGone) return;
    const Merge merge = merges_.find(ids[at], ids[next[at]]);
    if (merge.rank != UINT32_MAX) queue.push({std::uint64_t{merge.rank} << 32 | at, ids[at], ids[next[at]]});
  };
  for (std::uint32_t i = 0; i + 1 < n; ++i) offer(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    const auto at = static_cast<std::uint32_t>(top.order);
    const std::uint32_t right = next[at];
    if (ids[at] != top.left || right == kGone || ids[right] != top.right) continue;
    ids[at] = merges_.find(top.left, top.right).result;
    ids[right] = -1;
    next[at] = next[right];
    if (next[at] != kGone) previous[next[at]] = at;
    next[right] = kGone;
    offer(previous[at]);
    offer(at);
  }
  std::erase(ids, -1);
}

}  // namespace sgl::tokenizer
