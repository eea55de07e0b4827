#include "runtime/constraint/machine.h"

#include <numeric>

namespace sgl::constraint {
namespace {

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> ids = 0;
  return ++ids;
}

}  // namespace

Machine::Machine(std::size_t max_states) : id_(next_id()), max_states_(max_states) {
  std::iota(class_of_.begin(), class_of_.end(), std::uint8_t{0});
  chunks_ = std::make_unique<std::atomic<Chunk*>[]>(max_states_ / kChunk + 1);
}

Machine::~Machine() {
  for (std::size_t i = 0; i * kChunk < count_; ++i) delete chunks_[i].load();
}

StateId Machine::add_state(const Facts& facts) const {
  const std::size_t id = count_.load(std::memory_order_relaxed);
  if (id >= max_states_) return kOverLimit;
  if (id % kChunk == 0) chunks_[id / kChunk].store(new Chunk, std::memory_order_release);
  at(static_cast<StateId>(id)).facts = facts;
  count_.store(id + 1, std::memory_order_relaxed);
  return static_cast<StateId>(id);
}

std::atomic<StateId>* Machine::new_block() const {
  if (blocks_used_ == kBlocks) {
    blocks_.push_back(std::make_unique<Blocks>());
    blocks_used_ = 0;
    for (std::atomic<StateId>& successor : *blocks_.back()) successor.store(kUnknown, std::memory_order_relaxed);
  }
  return blocks_.back()->data() + 16 * blocks_used_++;
}

std::atomic<StateId>& Machine::successor(StateId from, unsigned char byte) const {
  const std::uint8_t c = class_of_[byte];
  std::atomic<std::atomic<StateId>*>& slot = at(from).next[c >> 4];
  std::atomic<StateId>* block = slot.load(std::memory_order_relaxed);
  if (block == nullptr) {
    block = new_block();
    slot.store(block, std::memory_order_release);
  }
  return block[c & 15];
}

StateId Machine::make_step(StateId from, unsigned char byte) const {
  const std::lock_guard lock(mutex_);
  std::atomic<StateId>& slot = successor(from, byte);
  const StateId known = slot.load(std::memory_order_relaxed);
  if (known != kUnknown) return known;
  const StateId made = expand(from, byte);
  if (made != kOverLimit) slot.store(made, std::memory_order_release);
  return made;
}

void Machine::enter(StateId from, const std::bitset<256>& bytes, StateId to) const {
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (bytes.test(byte)) successor(from, static_cast<unsigned char>(byte)).store(to, std::memory_order_release);
  }
}

int Machine::nearest_byte(StateId state) const {
  int best = shortest_byte(state);
  if (best >= 0) return best;
  std::uint64_t least = kInfinite;
  for (int byte = 0; byte < 256; ++byte) {
    const StateId next = step(state, static_cast<unsigned char>(byte));
    if (next >= 0 && rest(next) < least) least = rest(next), best = byte;
  }
  return best;
}

std::optional<Machine::Run> Machine::run(std::string_view text) const {
  Walk walk;
  for (char c : text) {
    walk = advance(walk, static_cast<unsigned char>(c));
    if (walk.state < 0) return std::nullopt;
  }
  return Run{accepting(walk.state)};
}

}  // namespace sgl::constraint
