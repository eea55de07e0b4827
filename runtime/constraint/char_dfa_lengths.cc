// Least bytes of remainders with a number of characters.
//
// While a text is read, the window of lengths that may still come slides: (min, max) becomes (min - 1, max - 1), its
// width stays. So there is one table per width w: row m holds, for every state, the least bytes of m … m + w more
// characters. Row 0 (at most w characters) comes from a table of its own, which all widths share.
#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <mutex>

#include "runtime/constraint/char_dfa_build.h"

namespace sgl::constraint {

using base::Expected;
using State = CharDfa::State;

namespace {

constexpr std::uint32_t kNone = UINT32_MAX;

// Rows of numbers, one per state, that are only ever added, and read without a lock: blocks of doubling size do not
// move.
class Rows {
 public:
  explicit Rows(std::size_t width) : width_(width) {}
  ~Rows() {
    for (auto& block : blocks_) delete[] block.load(std::memory_order_relaxed);
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  std::size_t size() const { return size_.load(std::memory_order_acquire); }
  // Precondition: row < size().
  const std::uint32_t* row(std::size_t row) const { return place(row); }
  // The next row, to be filled and then published by commit(). One thread at a time.
  std::uint32_t* next() {
    const std::size_t at = size_.load(std::memory_order_relaxed);
    const auto block = static_cast<std::size_t>(std::bit_width(at + 1) - 1);
    if (blocks_[block].load(std::memory_order_relaxed) == nullptr) {
      blocks_[block].store(new std::uint32_t[width_ << block], std::memory_order_relaxed);
    }
    return place(at);
  }
  void commit() { size_.fetch_add(1, std::memory_order_release); }

 private:
  std::uint32_t* place(std::size_t row) const {
    const auto block = static_cast<std::size_t>(std::bit_width(row + 1) - 1);
    return blocks_[block].load(std::memory_order_relaxed) + (row + 1 - (std::size_t{1} << block)) * width_;
  }
  const std::size_t width_;
  std::atomic<std::size_t> size_{0};
  std::array<std::atomic<std::uint32_t*>, 40> blocks_{};
};

struct Window {
  Window(std::int64_t window_width, std::size_t states) : width(window_width), rows(states) {}
  const std::int64_t width;  // < 0: unbounded
  Rows rows;
  const Window* next = nullptr;
};

}  // namespace

struct CharDfa::Lengths {
  struct Step {
    std::uint32_t to = 0, bytes = 0;
  };
  std::mutex mutex;                          // of everything that grows
  std::atomic<Window*> windows{nullptr};     // by width, newest first
  std::vector<std::unique_ptr<Window>> all;  // owns them
  std::unique_ptr<Rows> at_most;             // row k: at most k characters
  bool at_most_done = false;                 // its last row holds for every greater number as well
  std::vector<std::size_t> begin;            // per state, its first step
  std::vector<Step> steps;                   // each target once, with its cheapest character
  std::atomic<std::size_t> entries = 0;      // of all tables

  Window* find(std::int64_t width) const {
    Window* at = windows.load(std::memory_order_acquire);
    while (at != nullptr && at->width != width) at = const_cast<Window*>(at->next);
    return at;
  }
  // Whether a table may grow by a row. All together may be larger than one, since an automaton is shared by many uses.
  bool room(const Rows& rows, std::size_t states) const {
    return (rows.size() + 1) * states <= kMaxLengthEntries && entries + states <= 4 * kMaxLengthEntries;
  }
  void prepare(const CharDfa& dfa);
  void advance(const std::uint32_t* from, std::uint32_t* to, std::size_t states) const;
  bool grow_at_most(const CharDfa& dfa, std::int64_t k);
};

std::shared_ptr<CharDfa::Lengths> CharDfa::make_lengths() {
  return std::make_shared<Lengths>();
}

bool CharDfaBuilder::worn(const CharDfa& dfa) {
  return dfa.lengths_->entries > CharDfa::kMaxLengthEntries;
}

void CharDfa::Lengths::prepare(const CharDfa& dfa) {
  if (!begin.empty()) return;
  std::vector<std::uint32_t> best(dfa.size(), kNone), touched;
  for (std::size_t s = 0; s < dfa.size(); ++s) {
    begin.push_back(steps.size());
    touched.clear();
    for (std::size_t c = 0; c < dfa.classes_; ++c) {
      const State to = dfa.table_[s * dfa.classes_ + c];
      if (to == kDead) continue;
      std::uint32_t& bytes = best[static_cast<std::size_t>(to)];
      if (bytes == kNone) touched.push_back(static_cast<std::uint32_t>(to));
      bytes = std::min<std::uint32_t>(bytes, dfa.costs_[c]);
    }
    for (std::uint32_t to : touched) {
      steps.push_back({to, best[to]});
      best[to] = kNone;
    }
  }
  begin.push_back(steps.size());
}

// One character before what `from` says.
void CharDfa::Lengths::advance(const std::uint32_t* from, std::uint32_t* to, std::size_t states) const {
  for (std::size_t s = 0; s < states; ++s) {
    std::uint32_t least = kNone;
    for (std::size_t i = begin[s]; i < begin[s + 1]; ++i) {
      const std::uint32_t rest = from[steps[i].to];
      if (rest != kNone) least = std::min(least, rest + steps[i].bytes);
    }
    to[s] = least;
  }
}

// Grows at_most to row k, or until it no longer changes. False: over max_entries.
bool CharDfa::Lengths::grow_at_most(const CharDfa& dfa, std::int64_t k) {
  const std::size_t states = dfa.size();
  if (!at_most) at_most = std::make_unique<Rows>(states);
  while (!at_most_done && at_most->size() <= static_cast<std::size_t>(k)) {
    if (!room(*at_most, states)) return false;
    std::uint32_t* row = at_most->next();
    const std::size_t at = at_most->size();
    if (at == 0) {
      std::fill_n(row, states, kNone);
    } else {
      advance(at_most->row(at - 1), row, states);
    }
    for (std::size_t s = 0; s < states; ++s) {
      if (dfa.accepting_[s] != 0) row[s] = 0;
    }
    at_most_done = at > 0 && std::equal(row, row + states, at_most->row(at - 1));
    at_most->commit();
    entries += states;
  }
  return true;
}

Expected<std::uint32_t> CharDfa::shortest_between(State state, std::int64_t min, std::int64_t max) const {
  const auto s = static_cast<std::size_t>(state);
  min = std::max<std::int64_t>(min, 0);
  // The shortest remainder of all, when it has a fitting length: the usual case, without a table.
  const auto chars = static_cast<std::int64_t>(shortest_chars_[s]);
  if (min <= chars && (max < 0 || chars <= max)) return shortest_[s];
  if (max >= 0 && max < min) return kNone;
  const std::int64_t width = max < 0 ? -1 : max - min;
  Lengths& lengths = *lengths_;
  Window* window = lengths.find(width);
  if (window != nullptr && window->rows.size() > static_cast<std::size_t>(min)) {
    return window->rows.row(static_cast<std::size_t>(min))[s];
  }
  const std::scoped_lock lock(lengths.mutex);
  lengths.prepare(*this);
  window = lengths.find(width);
  const auto too_many = [] { return base::over_limit("a length that takes too large a table of lengths"); };
  if (window == nullptr) {
    if (width >= 0 && !lengths.grow_at_most(*this, width)) return too_many();
    lengths.all.push_back(std::make_unique<Window>(width, size()));
    window = lengths.all.back().get();
    const std::uint32_t* first = shortest_.data();
    if (width >= 0)
      first = lengths.at_most->row(std::min(lengths.at_most->size() - 1, static_cast<std::size_t>(width)));
    std::copy_n(first, size(), window->rows.next());
    window->rows.commit();
    lengths.entries += size();
    window->next = lengths.windows.load(std::memory_order_relaxed);
    lengths.windows.store(window, std::memory_order_release);
  }
  Rows& rows = window->rows;
  while (rows.size() <= static_cast<std::size_t>(min)) {
    if (!lengths.room(rows, size())) return too_many();
    lengths.advance(rows.row(rows.size() - 1), rows.next(), size());
    rows.commit();
    lengths.entries += size();
  }
  return rows.row(static_cast<std::size_t>(min))[s];
}

}  // namespace sgl::constraint
