#include "runtime/tokenizer/vocab.h"

#include <bit>
#include <cstring>

namespace sgl::tokenizer {

std::uint64_t hash_bytes(std::string_view bytes) {
  std::uint64_t h = bytes.size() * 0x9e3779b97f4a7c15;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    h = mix64(h ^ word);
  }
  if (at < bytes.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, bytes.size() - at);
    h = mix64(h ^ word ^ std::uint64_t{bytes.size() - at} << 56);
  }
  return h;
}

void StringPool::set(std::size_t at, std::string_view text) {
  if (at >= entries_.size()) entries_.resize(at + 1);
  entries_[at] = {bytes_.size(), text.size()};
  bytes_.append(text);
}

void StringIndex::reserve(std::size_t count) {
  slots_.assign(std::bit_ceil(count * 2 + 2), Slot());
}

bool StringIndex::insert(const StringPool& pool, std::int32_t index) {
  if ((used_ + 1) * 2 > slots_.size()) {
    const std::vector<Slot> old = std::move(slots_);
    slots_.assign(std::bit_ceil(old.size() * 2 + 16), Slot());
    used_ = 0;
    for (const Slot& slot : old) {
      if (slot.index >= 0) insert(pool, slot.index);
    }
  }
  const std::string_view text = pool[static_cast<std::size_t>(index)];
  const auto hash = static_cast<std::uint32_t>(hash_bytes(text));
  std::size_t at = hash & (slots_.size() - 1);
  for (; slots_[at].index >= 0; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].hash == hash && pool[static_cast<std::size_t>(slots_[at].index)] == text) return false;
  }
  slots_[at] = {hash, index};
  ++used_;
  return true;
}

std::int32_t StringIndex::find(const StringPool& pool, std::string_view text) const {
  if (slots_.empty()) return -1;
  const auto hash = static_cast<std::uint32_t>(hash_bytes(text));
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at].index >= 0; at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].hash == hash && pool[static_cast<std::size_t>(slots_[at].index)] == text) return slots_[at].index;
  }
  return -1;
}

void MergeTable::reserve(std::size_t count) {
  slots_.assign(std::bit_ceil(count * 2 + 2), Slot());
  mask_ = slots_.size() - 1;
}

void MergeTable::insert(std::int32_t left, std::int32_t right, Merge merge) {
  const std::uint64_t key = pair_key(left, right);
  std::size_t at = mix64(key) & mask_;
  while (slots_[at].key != kEmpty && slots_[at].key != key) at = (at + 1) & mask_;
  slots_[at] = {key, merge};
}

}  // namespace sgl::tokenizer
