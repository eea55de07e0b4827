// The machine of a JSON Schema: what is open around the place in the text, as typed frames, and every way in which the
// schema may be satisfied from there, as threads that are followed side by side. Private to runtime/constraint.
//
// A frame is an object (which properties are there) or an array (how many items, how many of them count for
// `contains`); frames and states are interned, so equal situations are one state whose successors and masks are known.
#pragma once

#include <compare>
#include <unordered_map>
#include <unordered_set>

#include "runtime/constraint/intern_index.h"
#include "runtime/constraint/machine.h"
#include "runtime/constraint/schema_shape.h"

namespace sgl::constraint {

using FrameId = std::uint32_t;

struct Frame {
  enum class Kind : std::uint8_t {
    kRoot,
    kArray,
    kObject,
    kAny,  // one of `members`: the same value is read for all of them
  };
  Kind kind = Kind::kRoot;
  int shape = -1;
  FrameId parent = 0;
  std::uint64_t count = 0;  // items or properties so far; it stays where more of them make no difference
  std::uint64_t hits = 0;   // kArray: for `contains`
  std::int32_t last = -1;   // kObject, in the schema's order: the last listed name; names.size() after an unlisted one
  std::uint32_t taken = 0;  // names that are not listed, or items that must not come again: a set of texts
  // A name or item came whose text was not taken: steps do not know texts, walks do (Machine::Walk).
  bool unrecorded = false;
  std::vector<std::uint64_t> seen;  // kObject: listed names that are there, a bit each
  std::vector<FrameId> members;     // kAny, ascending

  // What follows from the above. Bytes of the properties that still have to come, each with its comma; and bytes from
  // the end of the item or value that is being read to the end of the text.
  std::uint64_t need = 0, rest = 0;
  std::uint32_t depth = 0;  // objects and arrays that are open, this one included
  // Names or items have to come that must differ from each other: steps do not see that, walks do.
  bool differ = false;

  bool operator==(const Frame& o) const {
    return kind == o.kind && shape == o.shape && parent == o.parent && count == o.count && hits == o.hits &&
           last == o.last && taken == o.taken && unrecorded == o.unrecorded && seen == o.seen && members == o.members;
  }
};

// One way in which the text so far may be read.
struct Thread {
  enum class Kind : std::uint8_t {
    kValue,     // before a value: `what` is its goal
    kWord,      // in null, true, false (`what` 0, 1, 2), `n` bytes in
    kNumber,    // in a number of shape `what`, its automaton at `q`
    kText,      // in a string of shape `what`, `n` characters in, `q`, `pending`
    kEmptyEnd,  // after [ or {: the bracket may close at once
    kName,      // before the quote of a name
    kListed,    // in a name that is listed
    kUnlisted,  // in another name: `q`, `pending`
    kColon,     // after a name: `what` is the goal of its value
    kAfter,     // after a value
    kDone,      // after the outermost value
  };
  Kind kind = Kind::kValue;
  // White space came before; no more may come. Only at the end of a token it is seen whether there was too much.
  enum class Spaces : std::uint8_t { kNone, kSome, kEnough } spaces = Spaces::kNone;
  bool breaks = false;  // kIndent: the first of the `gap` bytes is a line break, the others are spaces
  bool kept = false;    // the text since its beginning has to be known at its end
  // The text since its beginning, where there are so few that one may exhaust what is left; 0: not needed.
  std::uint32_t spelled = 0;
  std::uint32_t gap = 0;  // kIndent: bytes of white space that come before anything else
  FrameId frame = 0;
  std::int32_t what = 0;
  std::int32_t q = 0;
  std::uint32_t n = 0;
  Pending pending = 0;
  // The names of the shape (`lo` … `hi` of ObjectShape::sorted) and the frame's taken texts that begin with the `depth`
  // bytes read; all 0 when there are none.
  std::uint32_t depth = 0, lo = 0, hi = 0, taken_lo = 0, taken_hi = 0;
  // Bytes of a shortest completion (JsonMachine::rest_of). It follows from the above, so it takes no part in
  // comparisons.
  struct Rest {
    std::uint64_t bytes = 0;
    friend constexpr bool operator==(Rest, Rest) { return true; }
    friend constexpr std::strong_ordering operator<=>(Rest, Rest) { return std::strong_ordering::equal; }
  } rest = {};
  friend bool operator==(const Thread&, const Thread&) = default;
  friend auto operator<=>(const Thread&, const Thread&) = default;
};

constexpr std::uint32_t kMaxIndentDepth = 1'000;  // open objects and arrays with kIndent; a model never gets there

class JsonMachine final : public Machine {
 public:
  // `longest`: bytes of the longest text, where it is known. `explored`: the schema was looked through before and
  // nothing stood against it; only what the root needs is looked at again.
  JsonMachine(SchemaDoc doc, const SchemaOptions& options, std::optional<std::uint64_t> longest = {},
              bool explored = false);

  // What stands against the schema, once built and explored.
  const std::optional<GoalProblem>& problem() const { return goals_.problem(); }
  bool satisfiable() const { return states() > 0; }

  int only_byte(StateId state) const override;
  int shortest_byte(StateId state) const override;
  std::vector<StringPart> string_parts(StateId state) const override;
  Walk advance(Walk walk, unsigned char byte) const override;
  Walk settle(Walk walk) const override;
  std::optional<std::uint64_t> longest() const override { return longest_; }
  std::uint64_t shortest() const override;
  bool bounded() const override { return indented(); }
  std::chrono::milliseconds mask_time() const override { return options_.limits.mask_time; }
  bool worn() const override;
  std::size_t bytes() const override;

 private:
  using Threads = std::vector<Thread>;
  // The text of the name or value that is being read, where it must be known.
  using Text = const std::string*;

  StateId expand(StateId from, unsigned char byte) const override;
  StateId intern(Threads& threads) const;  // leaves `threads` to be used again
  // Reads a value that several threads expect once for all of them; else nested ambiguity would multiply. Precondition:
  // sorted.
  void merge_values(Threads& threads) const;
  std::bitset<256> may_follow(const Threads& threads) const;
  // Plain bytes that no listed or taken text continues with, where all such bytes lead to the same state; else empty.
  std::bitset<256> alike(const Threads& threads) const;
  struct Parts;
  bool string_part(const Thread& t, Parts& out) const;
  StateId step_all(const Threads& from, unsigned char byte, Text text) const;
  void step_thread(const Thread& t, unsigned char byte, Text text, Threads& out) const;

  // json_step.cc: what a thread becomes.
  bool space(const Thread& t, unsigned char byte, Threads& out) const;
  bool indented() const { return options_.whitespace == Whitespace::kIndent; }
  // The thread after a line break and the indentation of `depth` levels.
  Thread on_new_line(Thread t, std::uint32_t depth) const;
  bool in_gap(const Thread& t, unsigned char byte, Threads& out) const;
  void in_value(const Thread& t, unsigned char byte, Threads& out) const;
  void begin_array(int shape, FrameId parent, Threads& out) const;
  void begin_object(int shape, FrameId parent, Threads& out) const;
  void begin_item(const Frame& frame, Threads& out) const;
  void begin_scalar(Thread t, unsigned char byte, Threads& out) const;
  void in_word(const Thread& t, unsigned char byte, Text text, Threads& out) const;
  void in_number(const Thread& t, unsigned char byte, Text text, Threads& out) const;
  void in_text(const Thread& t, unsigned char byte, Text text, Threads& out) const;
  void begin_name(const Thread& t, Threads& out) const;
  void in_listed(const Thread& t, unsigned char byte, Threads& out) const;
  void in_unlisted(const Thread& t, unsigned char byte, Text text, Threads& out) const;
  void after_value(const Thread& t, unsigned char byte, Threads& out) const;
  void close(const Frame& frame, unsigned char byte, Threads& out) const;
  void end_value(FrameId frame, Text text, Threads& out) const;
  void push(Thread t, Threads& out) const;  // drops what cannot be completed

  // json_frames.cc
  FrameId intern_frame(Frame frame) const;
  const Frame& frame(FrameId id) const { return frames_[id]; }
  const ObjectShape& object_of(const Frame& f) const { return goals_.known_object(f.shape); }
  std::uint64_t frame_rest(const Frame& f) const;
  // Bytes of the properties that still have to come, each with its comma.
  std::uint64_t object_need(const Frame& f) const;
  std::uint64_t counted_need(const Frame& f, std::uint64_t* unlisted = nullptr) const;  // how many unlisted ones
  bool must_differ(const Frame& f) const;
  bool items_differ(const Frame& f) const;
  // A name is being read for which shorter ones may be taken, by texts that the state knows or does not.
  bool may_be_taken(const Thread& t) const;
  std::vector<bool> required_now(const Frame& f) const;  // listed names that have to come
  // The same when an unlisted, or this listed, name is added.
  std::uint64_t need_with_unlisted(const Frame& f) const;
  std::uint64_t need_with(const Frame& f, std::uint32_t name) const;
  bool may_close(const Frame& f) const;
  bool may_add(const Frame& f, std::uint32_t name) const;
  bool may_add_unlisted(const Frame& f) const;
  Frame with_name(Frame f, std::uint32_t name) const;
  Frame with_unlisted(Frame f, Text text) const;
  Frame with_item(Frame f, std::uint32_t hits) const;
  std::uint32_t take(std::uint32_t set, const std::string& text) const;
  bool unique_items(const Frame& f) const { return f.kind == Frame::Kind::kArray && goals_.array(f.shape).unique; }
  bool few_texts(const Thread& t) const;
  std::uint32_t text_id(std::string text) const;
  // One more byte of a name or of an item that must be new.
  void narrow(const ObjectShape* shape, Thread& t, unsigned char byte) const;
  bool is_listed(const ObjectShape& shape, const Thread& t) const;
  bool is_taken(const Thread& t) const;
  // A text with the automaton at t.q may still become one that is neither listed nor taken.
  bool can_differ(const CharDfa* dfa, const ObjectShape* shape, const Thread& t) const;

  // json_rest.cc: bytes of a shortest completion, kInfinite: none. Bounds from above where names are free.
  std::uint64_t rest_of(const Thread& t) const;
  // The same with white space that has to come. With kIndent a bound from above (Machine::bounded): how much there will
  // be depends on what is chosen. It falls with every byte of the shortest completion all the same.
  std::uint64_t rest_with_space(const Thread& t) const { return with_space(t, rest_of(t)); }
  std::uint64_t with_space(const Thread& t, std::uint64_t rest) const;
  // Of the ways on the longest shortest completion: one name may have a far longer value than another.
  std::uint64_t most_of(const Thread& t) const;
  bool word_taken(const Thread& t) const;
  std::uint64_t number_rest(const Thread& t) const;
  std::uint64_t text_rest(const Thread& t) const;
  std::uint64_t before_name_rest(const Thread& t) const;
  std::uint64_t listed_rest(const Thread& t, bool most = false) const;  // of the name with the least or most to come
  std::uint64_t unlisted_rest(const Thread& t) const;

  const SchemaOptions options_;
  const std::optional<std::uint64_t> longest_;
  mutable Goals goals_;
  mutable std::deque<Frame> frames_;
  mutable InternIndex frame_index_;
  mutable std::deque<Threads> threads_;                        // by state
  mutable std::deque<std::optional<std::bitset<256>>> alike_;  // by state, where asked
  mutable InternIndex index_;
  mutable Threads scratch_;
  mutable std::vector<std::vector<std::string>> taken_{{}};  // sorted; 0: the empty set
  mutable std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> taken_index_;
  mutable std::size_t taken_bytes_ = 0;
  mutable std::vector<std::string> texts_{{}};  // of walks; 0: none
  mutable std::unordered_map<std::string, std::uint32_t> text_index_;
  mutable std::unordered_map<StateId, int> only_, shortest_;
};

}  // namespace sgl::constraint
