// Automata over characters in compiled constraints: the classes of characters, and the transitions in runs, relative to
// the state that they leave. What CharDfa knows of each state is computed anew.
#include <algorithm>

#include "runtime/constraint/char_dfa_build.h"
#include "runtime/constraint/compiled_io.h"

namespace sgl::constraint {
namespace {

constexpr char32_t kFirstSurrogate = 0xD800, kAfterSurrogates = 0xE000;

constexpr std::size_t kFixedCost = 256;  // of an automaton, in transitions: what else it takes

using State = CharDfa::State;

// 0: none; else how far it is from the state, of either sign, and 1.
std::uint64_t code_of(State from, State to) {
  if (to == CharDfa::kDead) return 0;
  const std::int64_t step = std::int64_t{to} - from;
  return (static_cast<std::uint64_t>(step) << 1 ^ static_cast<std::uint64_t>(step >> 63)) + 1;
}

State target_of(std::size_t from, std::uint64_t code, std::size_t states) {
  if (code == 0) return CharDfa::kDead;
  const std::uint64_t zigzag = code - 1;
  const std::uint64_t to = from + (zigzag >> 1 ^ (~(zigzag & 1) + 1));  // wraps around when it is negative
  return to < states ? static_cast<State>(to) : CharDfa::kDead;
}

// The ranges cover the code points in order; class 0 holds the surrogates and nothing else, and every class is there.
CharPartition read_partition(CompiledReader& in) {
  CharPartition out;
  const std::size_t ranges = in.count();
  out.classes = in.number(UINT16_MAX);
  if (out.classes == 0) in.fault("no classes of characters");
  std::vector<bool> met(in.ok() ? out.classes : 1);
  char32_t at = 0;
  for (std::size_t i = 0; i < ranges && in.ok(); ++i) {
    const std::uint64_t step = in.number(base::kMaxCodePoint - at);
    if ((step == 0) != (i == 0)) in.fault("ranges of characters out of order");
    at += static_cast<char32_t>(step);
    out.starts.push_back(at);
    out.class_of.push_back(static_cast<std::uint16_t>(in.index(out.classes)));
    met[out.class_of.back()] = true;
  }
  if (!in.ok()) return out;
  for (std::size_t i = 0; i < ranges; ++i) {
    const char32_t end = i + 1 < ranges ? out.starts[i + 1] : base::kMaxCodePoint + 1;
    const bool inside = out.starts[i] >= kFirstSurrogate && end <= kAfterSurrogates;
    const bool outside = end <= kFirstSurrogate || out.starts[i] >= kAfterSurrogates;
    if (!(out.class_of[i] == 0 ? inside : outside)) in.fault("class 0 is that of the surrogates");
  }
  if (std::find(met.begin(), met.end(), false) != met.end()) in.fault("a class without characters");
  return out;
}

RawCharDfa read_raw(CompiledReader& in) {
  RawCharDfa out;
  out.partition = read_partition(in);
  const std::size_t states = in.number(CharDfa::Limits{}.max_states), classes = out.partition.classes;
  if (!in.ok() || !in.take_table(kFixedCost + states * classes)) return out;
  out.table.resize(states * classes, CharDfa::kDead);
  out.accepting.resize(states);
  for (std::size_t s = 0; s < states && in.ok(); ++s) {
    out.accepting[s] = in.flag() ? 1 : 0;
    for (std::size_t c = 1; c < classes && in.ok();) {
      const std::uint64_t code = in.number(2 * states);
      const State to = target_of(s, code, states);
      if (code != 0 && to == CharDfa::kDead) in.fault("a transition out of the automaton");
      const std::size_t run = 1 + in.number(classes - c - 1);
      std::fill_n(out.table.begin() + static_cast<std::ptrdiff_t>(s * classes + c), in.ok() ? run : 0, to);
      c += run;
    }
  }
  return out;
}

}  // namespace

RawCharDfa CharDfaBuilder::raw(const CharDfa& dfa) {
  RawCharDfa out;
  out.partition.starts = dfa.class_starts_;
  out.partition.class_of = dfa.class_of_range_;
  out.partition.classes = dfa.classes_;
  out.table = dfa.table_;
  out.accepting = dfa.accepting_;
  out.tags = dfa.tags_;
  return out;
}

void CompiledWriter::dfa(const std::shared_ptr<const CharDfa>& dfa) {
  const auto [it, fresh] = dfas_.try_emplace(dfa->id(), dfas_.size());
  number(it->second);
  if (!fresh) return;
  const RawCharDfa raw = CharDfaBuilder::raw(*dfa);
  SGL_ASSERT(raw.tags.empty());  // those of objects' names are made as a schema is walked
  const std::size_t classes = raw.partition.classes;
  number(raw.partition.starts.size());
  number(classes);
  char32_t at = 0;
  for (std::size_t i = 0; i < raw.partition.starts.size(); ++i) {
    number(raw.partition.starts[i] - at);
    at = raw.partition.starts[i];
    number(raw.partition.class_of[i]);
  }
  number(raw.size());
  for (std::size_t s = 0; s < raw.size(); ++s) {
    flag(raw.accepting[s] != 0);
    const State* row = raw.table.data() + s * classes;
    for (std::size_t c = 1; c < classes;) {
      std::size_t end = c + 1;
      while (end < classes && row[end] == row[c]) ++end;
      number(code_of(static_cast<State>(s), row[c]));
      number(end - c - 1);
      c = end;
    }
  }
}

std::shared_ptr<const CharDfa> CompiledReader::dfa() {
  const std::size_t id = number(dfas_.size());
  if (ok() && id == dfas_.size()) {
    RawCharDfa raw = read_raw(*this);
    if (ok()) dfas_.push_back(CharDfaBuilder::finish(std::move(raw)));
  }
  return ok() ? dfas_[id] : nullptr;
}

}  // namespace sgl::constraint
