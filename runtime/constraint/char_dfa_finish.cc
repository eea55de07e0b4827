#include <algorithm>
#include <array>
#include <functional>
#include <queue>

#include "runtime/constraint/char_dfa_build.h"
#include "runtime/constraint/tuple_index.h"

namespace sgl::constraint {

using State = CharDfa::State;

namespace {

struct CharCost {
  char32_t lo, hi;
  std::uint8_t bytes;
};
// How a character stands in a JSON string, by length: raw, as \n and the like, as \u00XX.
constexpr CharCost kCosts[] = {
    {0x20, 0x21, 1}, {0x23, 0x5B, 1},  {0x5D, 0x7F, 1},    {'"', '"', 2},       {'\\', '\\', 2},        {0x08, 0x0A, 2},
    {0x0C, 0x0D, 2}, {0x80, 0x7FF, 2}, {0x800, 0xD7FF, 3}, {0xE000, 0xFFFF, 3}, {0x10000, 0x10FFFF, 4}, {0, 0x1F, 6},
};

}  // namespace

std::uint8_t CharDfaBuilder::least_bytes(char32_t lo, char32_t hi) {
  std::uint8_t least = UINT8_MAX;
  for (const CharCost& cost : kCosts) {
    if (lo <= cost.hi && cost.lo <= hi) least = std::min(least, cost.bytes);
  }
  return least;
}

// States that lead to no accepting one go, and all transitions to them.
void CharDfaBuilder::prune(RawCharDfa& raw) {
  const std::size_t classes = raw.partition.classes;
  std::vector<bool> live(raw.size(), false);
  {
    const Predecessors before(raw.table, classes, raw.size());
    std::vector<std::size_t> todo;
    for (std::size_t s = 0; s < raw.size(); ++s) {
      if (raw.accepting[s] != 0) live[s] = true, todo.push_back(s);
    }
    while (!todo.empty()) {
      const std::size_t at = todo.back();
      todo.pop_back();
      for (const Predecessors::Entry& e : before.of(at)) {
        if (!live[e.from]) live[e.from] = true, todo.push_back(e.from);
      }
    }
  }
  if (raw.size() == 0 || !live[0]) {
    raw.table.clear(), raw.accepting.clear(), raw.tags.clear();
    return;
  }
  std::vector<State> name(raw.size(), CharDfa::kDead);
  State next = 0;
  for (std::size_t s = 0; s < raw.size(); ++s) {
    if (live[s]) name[s] = next++;
  }
  for (std::size_t s = 0; s < raw.size(); ++s) {
    if (!live[s]) continue;
    const auto to = static_cast<std::size_t>(name[s]);
    for (std::size_t c = 0; c < classes; ++c) {
      const State target = raw.table[s * classes + c];
      raw.table[to * classes + c] = target == CharDfa::kDead ? CharDfa::kDead : name[static_cast<std::size_t>(target)];
    }
    raw.accepting[to] = raw.accepting[s];
    if (!raw.tags.empty()) raw.tags[to] = raw.tags[s];
  }
  const auto size = static_cast<std::size_t>(next);
  raw.table.resize(size * classes);
  raw.accepting.resize(size);
  if (!raw.tags.empty()) raw.tags.resize(size);
}

// Merges states that go on alike. A few rounds find what subset construction leaves: copies of loops and of ends. This
// is not minimisation; it costs no more than the construction.
void CharDfaBuilder::merge(RawCharDfa& raw) {
  const std::size_t classes = raw.partition.classes;
  for (int round = 0; round < 4; ++round) {
    TupleIndex rows;
    std::vector<State> name(raw.size());
    std::vector<std::size_t> first;  // of each merged state, in the order of the old ones
    std::vector<std::uint32_t> key(classes + 3);
    for (std::size_t s = 0; s < raw.size(); ++s) {
      std::copy_n(raw.table.begin() + static_cast<std::ptrdiff_t>(s * classes), classes, key.begin());
      const std::uint64_t tags = raw.tags.empty() ? 0 : raw.tags[s];
      key[classes] = raw.accepting[s];
      key[classes + 1] = static_cast<std::uint32_t>(tags);
      key[classes + 2] = static_cast<std::uint32_t>(tags >> 32);
      const auto [id, fresh] = rows.add(key);
      name[s] = static_cast<State>(id);
      if (fresh) first.push_back(s);
    }
    const std::size_t merged = raw.size() - first.size();
    if (merged == 0) return;
    for (std::size_t to = 0; to < first.size(); ++to) {
      for (std::size_t c = 0; c < classes; ++c) {
        const State target = raw.table[first[to] * classes + c];
        raw.table[to * classes + c] =
            target == CharDfa::kDead ? CharDfa::kDead : name[static_cast<std::size_t>(target)];
      }
      raw.accepting[to] = raw.accepting[first[to]];
      if (!raw.tags.empty()) raw.tags[to] = raw.tags[first[to]];
    }
    raw.table.resize(first.size() * classes);
    raw.accepting.resize(first.size());
    if (!raw.tags.empty()) raw.tags.resize(first.size());
    if (merged < first.size() / 16) return;  // what is left to find is not worth another round
  }
}

namespace {

std::vector<std::uint64_t> sizes_of_classes(std::span<const char32_t> starts, std::span<const std::uint16_t> class_of,
                                            std::size_t classes) {
  std::vector<std::uint64_t> out(classes, 0);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const char32_t end = i + 1 < starts.size() ? starts[i + 1] : base::kMaxCodePoint + 1;
    if (class_of[i] != 0) out[class_of[i]] += end - starts[i];
  }
  return out;
}

// Counts backwards from the ends. By state, `sum`: 1 where a text may end, and `open`: its transitions to states that
// lead to an end. A state that is never done lies on a cycle or leads to one, and every cycle leads to an end, so what
// it accepts is infinite.
std::vector<std::uint64_t> count_backwards(const Predecessors& before, std::span<const std::uint64_t> class_sizes,
                                           std::vector<std::uint64_t> sum, std::vector<std::uint32_t> open) {
  std::vector<std::uint64_t> out(sum.size(), CharDfa::kMany);
  std::vector<std::size_t> todo;
  for (std::size_t s = 0; s < sum.size(); ++s) {
    if (open[s] == 0) todo.push_back(s);
  }
  while (!todo.empty()) {
    const std::size_t at = todo.back();
    todo.pop_back();
    out[at] = sum[at];
    if (sum[at] == 0) continue;  // it leads to no end, and nothing counts on it
    for (const Predecessors::Entry& e : before.of(at)) {
      // Both factors are at most 2^32, and at most 2^21 characters.
      sum[e.from] = std::min(CharDfa::kMany, sum[e.from] + sum[at] * class_sizes[e.cls]);
      if (--open[e.from] == 0) todo.push_back(e.from);
    }
  }
  return out;
}

}  // namespace

void CharDfaBuilder::count(CharDfa& dfa, const Predecessors& before) {
  const std::size_t states = dfa.size();
  std::vector<std::uint32_t> open(states, 0);
  for (std::size_t s = 0; s < states; ++s) {
    const auto row = dfa.table_.begin() + static_cast<std::ptrdiff_t>(s * dfa.classes_);
    open[s] = static_cast<std::uint32_t>(std::count_if(row, row + static_cast<std::ptrdiff_t>(dfa.classes_),
                                                       [](State to) { return to != CharDfa::kDead; }));
  }
  dfa.counts_ = count_backwards(before, sizes_of_classes(dfa.class_starts_, dfa.class_of_range_, dfa.classes_),
                                {dfa.accepting_.begin(), dfa.accepting_.end()}, std::move(open));
}

std::vector<std::uint64_t> CharDfa::counts_by_tags(std::span<const std::uint64_t> tags) const {
  const Predecessors before(table_, classes_, size());
  const std::vector<std::uint64_t> sizes = sizes_of_classes(class_starts_, class_of_range_, classes_);
  std::vector<std::uint64_t> out;
  for (const std::uint64_t wanted : tags) {
    std::vector<std::uint64_t> ends(size(), 0);
    std::vector<bool> live(size(), false);
    std::vector<std::size_t> todo;
    for (std::size_t s = 0; s < size(); ++s) {
      if (accepting_[s] == 0 || this->tags(static_cast<State>(s)) != wanted) continue;
      ends[s] = 1, live[s] = true;
      todo.push_back(s);
    }
    std::vector<std::uint32_t> open(size(), 0);
    while (!todo.empty()) {
      const std::size_t at = todo.back();
      todo.pop_back();
      for (const Predecessors::Entry& e : before.of(at)) {
        ++open[e.from];
        if (!live[e.from]) live[e.from] = true, todo.push_back(e.from);
      }
    }
    out.push_back(empty() ? 0 : count_backwards(before, sizes, std::move(ends), std::move(open))[0]);
  }
  return out;
}

// Dijkstra's algorithm backwards from the ends, with a ring of buckets for a queue: costs are numbers of 8 bits.
void CharDfaBuilder::shortest(CharDfa& dfa, const Predecessors& before) {
  const std::size_t states = dfa.size();
  dfa.shortest_.assign(states, UINT32_MAX);
  dfa.shortest_chars_.assign(states, 0);
  std::array<std::vector<std::uint32_t>, UINT8_MAX + 1> ring;
  std::size_t queued = 0;
  for (std::size_t s = 0; s < states; ++s) {
    if (dfa.accepting_[s] != 0) dfa.shortest_[s] = 0, ring[0].push_back(static_cast<std::uint32_t>(s)), ++queued;
  }
  for (std::uint32_t bytes = 0; queued > 0; ++bytes) {
    std::vector<std::uint32_t>& bucket = ring[bytes % ring.size()];
    for (std::uint32_t at : bucket) {
      if (bytes != dfa.shortest_[at]) continue;
      for (const Predecessors::Entry& e : before.of(at)) {
        const std::uint32_t with = bytes + dfa.costs_[e.cls];
        if (with >= dfa.shortest_[e.from]) continue;
        dfa.shortest_[e.from] = with;
        dfa.shortest_chars_[e.from] = dfa.shortest_chars_[at] + 1;
        ring[with % ring.size()].push_back(e.from), ++queued;
      }
    }
    queued -= bucket.size();
    bucket.clear();
  }
}

std::vector<std::uint64_t> CharDfa::least_with(const std::function<std::uint64_t(std::uint64_t)>& end) const {
  const Predecessors before(table_, classes_, size());
  std::vector<std::uint64_t> least(size(), UINT64_MAX);
  using Entry = std::pair<std::uint64_t, std::uint32_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  for (std::size_t s = 0; s < size(); ++s) {
    if (accepting_[s] == 0) continue;
    least[s] = end(tags(static_cast<State>(s)));
    if (least[s] != UINT64_MAX) open.emplace(least[s], static_cast<std::uint32_t>(s));
  }
  while (!open.empty()) {
    const auto [bytes, at] = open.top();
    open.pop();
    if (bytes != least[at]) continue;
    for (const Predecessors::Entry& e : before.of(at)) {
      if (bytes + costs_[e.cls] >= least[e.from]) continue;
      least[e.from] = bytes + costs_[e.cls];
      open.emplace(least[e.from], e.from);
    }
  }
  return least;
}

std::shared_ptr<const CharDfa> CharDfaBuilder::finish(RawCharDfa raw) {
  tidy(raw);
  return finish_tidy(std::move(raw));
}

std::shared_ptr<const CharDfa> CharDfaBuilder::finish_tidy(RawCharDfa raw) {
  raw.table.shrink_to_fit();
  auto out = std::make_shared<CharDfa>();
  CharDfa& dfa = *out;
  dfa.classes_ = raw.partition.classes;
  dfa.class_starts_ = std::move(raw.partition.starts);
  dfa.class_of_range_ = std::move(raw.partition.class_of);
  for (char32_t c = 0; c < 128; ++c) dfa.ascii_[c] = static_cast<std::uint16_t>(dfa.class_of(c));
  dfa.table_ = std::move(raw.table);
  dfa.accepting_ = std::move(raw.accepting);
  dfa.tags_ = std::move(raw.tags);
  std::vector<bool> plain(dfa.classes_, false);  // classes with a plain character
  dfa.costs_.assign(dfa.classes_, UINT8_MAX);
  for (std::size_t i = 0; i < dfa.class_starts_.size(); ++i) {
    const char32_t lo = dfa.class_starts_[i];
    const char32_t hi = i + 1 < dfa.class_starts_.size() ? dfa.class_starts_[i + 1] - 1 : base::kMaxCodePoint;
    const std::size_t cls = dfa.class_of_range_[i];
    if (cls == 0) continue;
    dfa.costs_[cls] = std::min(dfa.costs_[cls], least_bytes(lo, hi));
    const std::uint64_t escaped = (lo <= '"' && '"' <= hi ? 1u : 0u) + (lo <= '\\' && '\\' <= hi ? 1u : 0u);
    if (hi >= 0x20 && hi - std::max<char32_t>(lo, 0x20) + 1 > escaped) plain[cls] = true;
  }
  const Predecessors before(dfa.table_, dfa.classes_, dfa.size());
  count(dfa, before);
  shortest(dfa, before);
  dfa.loops_.resize(dfa.size());
  for (std::size_t s = 0; s < dfa.size(); ++s) {
    bool loops = true;
    for (std::size_t c = 1; c < dfa.classes_ && loops; ++c) {
      loops = !plain[c] || dfa.table_[s * dfa.classes_ + c] == static_cast<State>(s);
    }
    dfa.loops_[s] = loops ? 1 : 0;
  }
  for (std::uint32_t bytes : dfa.shortest_) dfa.longest_shortest_ = std::max(dfa.longest_shortest_, bytes);
  dfa.lengths_ = CharDfa::make_lengths();
  dfa.sure_ = CharDfa::make_sure();
  return out;
}

bool CharDfaBuilder::accepts_all(const CharDfa& dfa, State state) {
  if (!dfa.accepting(state)) return false;
  const State* row = dfa.table_.data() + static_cast<std::size_t>(state) * dfa.classes_;
  return std::all_of(row + 1, row + dfa.classes_, [&](State to) { return to == state; });
}

std::size_t CharDfaBuilder::bytes(const CharDfa& dfa) {
  return sizeof(CharDfa) + dfa.table_.size() * sizeof(State) + dfa.size() * 22 + dfa.class_starts_.size() * 6;
}

}  // namespace sgl::constraint
