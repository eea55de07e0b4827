// What the threads of a JSON machine become with one more byte.
#include <algorithm>

#include "runtime/constraint/json_machine.h"

namespace sgl::constraint {
namespace {

using Kind = Thread::Kind;
constexpr std::string_view kWords[] = {"null", "true", "false"};

bool is_space(unsigned char byte) {
  return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

}  // namespace

void JsonMachine::push(Thread t, Threads& out) const {
  if (t.lo == t.hi) t.lo = t.hi = 0;
  if (t.taken_lo == t.taken_hi) t.taken_lo = t.taken_hi = 0;
  if (t.hi == 0 && t.taken_hi == 0) t.depth = 0;
  t.rest.bytes = rest_with_space(t);
  if (t.rest.bytes < kInfinite) out.push_back(t);
}

void JsonMachine::step_thread(const Thread& t, unsigned char byte, Text text, Threads& out) const {
  if (t.gap != 0) return void(in_gap(t, byte, out));
  switch (t.kind) {
    case Kind::kValue:
      if (t.frame != 0 && space(t, byte, out)) return;
      return in_value(t, byte, out);
    case Kind::kWord:
      return in_word(t, byte, text, out);
    case Kind::kNumber:
      return in_number(t, byte, text, out);
    case Kind::kText:
      return in_text(t, byte, text, out);
    case Kind::kEmptyEnd:
      if (!space(t, byte, out)) close(frame(t.frame), byte, out);
      return;
    case Kind::kName:
      if (!space(t, byte, out) && byte == '"') begin_name(t, out);
      return;
    case Kind::kListed:
      return in_listed(t, byte, out);
    case Kind::kUnlisted:
      return in_unlisted(t, byte, text, out);
    case Kind::kColon:
      if (!space(t, byte, out) && byte == ':')
        push({.kind = Kind::kValue, .gap = indented() ? 1U : 0U, .frame = t.frame, .what = t.what}, out);
      return;
    case Kind::kAfter:
      return after_value(t, byte, out);
    case Kind::kDone:
      return;
  }
}

Thread JsonMachine::on_new_line(Thread t, std::uint32_t depth) const {
  if (!indented()) return t;
  t.breaks = true;
  t.gap = 1 + depth * static_cast<std::uint32_t>(options_.indent);
  return t;
}

bool JsonMachine::in_gap(const Thread& t, unsigned char byte, Threads& out) const {
  if (byte != (t.breaks ? '\n' : ' ')) return false;
  Thread next = t;
  next.breaks = false;
  --next.gap;
  push(next, out);
  return true;
}

// White space between tokens. True when the byte is white space, allowed or not.
bool JsonMachine::space(const Thread& t, unsigned char byte, Threads& out) const {
  if (!is_space(byte)) return false;
  if (options_.whitespace == Whitespace::kAny && t.spaces != Thread::Spaces::kEnough) {
    Thread next = t;
    next.spaces = Thread::Spaces::kSome;
    out.push_back(next);
  }
  return true;
}

void JsonMachine::in_value(const Thread& t, unsigned char byte, Threads& out) const {
  const std::vector<Alternative>& alternatives = goals_.alternatives(static_cast<GoalId>(t.what));
  const Thread scalar{.kept = unique_items(frame(t.frame)), .frame = t.frame};
  for (const Alternative& a : alternatives) {
    Thread next = scalar;
    if (byte == '"' && a.text >= 0) {
      const TextShape& shape = goals_.text(a.text);
      next.kind = Kind::kText, next.what = a.text, next.q = shape.dfa ? shape.dfa->start() : 0;
      begin_scalar(next, byte, out);
    } else if (byte == '[' && a.array >= 0) {
      begin_array(a.array, t.frame, out);
    } else if (byte == '{' && a.object >= 0) {
      begin_object(a.object, t.frame, out);
    } else if (a.number >= 0 && (byte == '-' || (byte >= '0' && byte <= '9'))) {
      next.kind = Kind::kNumber, next.what = a.number, next.q = goals_.number(a.number).step(0, byte);
      if (next.q >= 0) begin_scalar(next, byte, out);
    } else {
      for (int word = 0; word < 3; ++word) {
        if ((a.words >> word & 1) == 0 || byte != static_cast<unsigned char>(kWords[word][0])) continue;
        next.kind = Kind::kWord, next.what = word, next.n = 1;
        begin_scalar(next, byte, out);
      }
    }
  }
}

void JsonMachine::begin_scalar(Thread t, unsigned char byte, Threads& out) const {
  if (t.kept) {
    t.taken_hi = static_cast<std::uint32_t>(taken_[frame(t.frame).taken].size());
    narrow(nullptr, t, byte);
    if (few_texts(t)) {
      t.kept = false;
      t.spelled = text_id(std::string(1, static_cast<char>(byte)));
    }
  }
  push(t, out);
}

void JsonMachine::begin_array(int shape, FrameId parent, Threads& out) const {
  Frame f;
  f.kind = Frame::Kind::kArray, f.shape = shape, f.parent = parent;
  if (may_close(f)) push({.kind = Kind::kEmptyEnd, .frame = intern_frame(f)}, out);
  begin_item(f, out);
}

void JsonMachine::begin_object(int shape, FrameId parent, Threads& out) const {
  Frame f;
  f.kind = Frame::Kind::kObject, f.shape = shape, f.parent = parent;
  f.seen.resize((goals_.object(shape).names.size() + 63) / 64);
  const FrameId id = intern_frame(f);
  if (may_close(f)) push({.kind = Kind::kEmptyEnd, .frame = id}, out);
  push(on_new_line({.kind = Kind::kName, .frame = id}, frame(id).depth), out);
}

void JsonMachine::begin_item(const Frame& f, Threads& out) const {
  const ArrayShape& shape = goals_.array(f.shape);
  if (shape.max >= 0 && f.count >= static_cast<std::uint64_t>(shape.max)) return;
  for (const ArrayShape::Variant& v : shape.variants(f.count)) {
    if (goals_.cost(v.goal) >= kInfinite) continue;
    if (shape.unique && goals_.distinct(v.goal) <= taken_[f.taken].size()) continue;
    const Frame next = with_item(f, v.hits);
    if (!goals_.hits_allowed(shape, next.hits)) continue;
    const FrameId id = intern_frame(next);
    push(on_new_line({.kind = Kind::kValue, .frame = id, .what = static_cast<std::int32_t>(v.goal)}, frame(id).depth),
         out);
  }
}

void JsonMachine::in_word(const Thread& t, unsigned char byte, Text text, Threads& out) const {
  const std::string_view word = kWords[t.what];
  if (byte != static_cast<unsigned char>(word[t.n])) return;
  Thread next = t;
  ++next.n;
  narrow(nullptr, next, byte);
  if (next.n < word.size()) return push(next, out);
  if (is_taken(next)) return;
  const std::string whole(word);
  end_value(t.frame, text != nullptr || t.spelled != 0 ? &whole : nullptr, out);
}

void JsonMachine::in_number(const Thread& t, unsigned char byte, Text text, Threads& out) const {
  const NumberDfa& dfa = goals_.number(t.what);
  Thread next = t;
  next.q = dfa.step(t.q, byte);
  if (next.q >= 0) {
    narrow(nullptr, next, byte);
    return push(next, out);
  }
  // A number ends where something else begins.
  if (!dfa.accepting(t.q) || is_taken(t)) return;
  Threads ended;
  const std::string spelled = texts_[t.spelled];
  end_value(t.frame, t.spelled != 0 ? &spelled : text, ended);
  for (const Thread& after : ended) step_thread(after, byte, nullptr, out);
}

void JsonMachine::in_text(const Thread& t, unsigned char byte, Text text, Threads& out) const {
  const TextShape& shape = goals_.text(t.what);
  const CharStep step = next_byte(t.pending, byte, shape.escapes);
  Thread next = t;
  switch (step.kind) {
    case CharStep::Kind::kDead:
      return;
    case CharStep::Kind::kQuote: {
      const bool whole = (!shape.dfa || shape.dfa->accepting(t.q)) && t.n >= static_cast<std::uint64_t>(shape.min);
      const std::string spelled = texts_[t.spelled];
      if (whole && !is_taken(t)) end_value(t.frame, t.spelled != 0 ? &spelled : text, out);
      return;
    }
    case CharStep::Kind::kMore:
      next.pending = step.pending;
      break;
    case CharStep::Kind::kChar:
      next.pending = 0;
      if (shape.dfa) next.q = shape.dfa->step(t.q, step.character);
      if (next.q < 0) return;
      // Counted as far as it matters.
      if (shape.max >= 0 || t.n < static_cast<std::uint64_t>(shape.min)) ++next.n;
      break;
  }
  narrow(nullptr, next, byte);
  push(next, out);
}

void JsonMachine::begin_name(const Thread& t, Threads& out) const {
  const Frame& f = frame(t.frame);
  const ObjectShape& shape = object_of(f);
  Thread next{.kind = Kind::kListed, .frame = t.frame};
  next.hi = static_cast<std::uint32_t>(shape.sorted.size());
  push(next, out);
  if (!may_add_unlisted(f)) return;
  next.kind = Kind::kUnlisted, next.kept = true;
  next.q = shape.keys ? shape.keys->start() : 0;
  next.taken_hi = static_cast<std::uint32_t>(taken_[f.taken].size());
  push(next, out);
}

void JsonMachine::in_listed(const Thread& t, unsigned char byte, Threads& out) const {
  const Frame& f = frame(t.frame);
  const ObjectShape& shape = object_of(f);
  if (byte == '"' && is_listed(shape, t)) {
    const std::uint32_t name = shape.sorted[t.lo];
    if (!may_add(f, name)) return;
    push({.kind = Kind::kColon,
          .frame = intern_frame(with_name(f, name)),
          .what = static_cast<std::int32_t>(shape.names[name].goal)},
         out);
    return;
  }
  Thread next = t;
  narrow(&shape, next, byte);
  if (next.lo < next.hi) push(next, out);
}

void JsonMachine::in_unlisted(const Thread& t, unsigned char byte, Text text, Threads& out) const {
  const Frame& f = frame(t.frame);
  const ObjectShape& shape = object_of(f);
  const CharStep step = next_byte(t.pending, byte, Escapes::kCanonical);
  Thread next = t;
  switch (step.kind) {
    case CharStep::Kind::kDead:
      return;
    case CharStep::Kind::kQuote: {
      if (is_listed(shape, t) || is_taken(t) || (shape.keys && !shape.keys->accepting(t.q))) return;
      const auto goal = shape.goals.find(shape.keys ? shape.keys->tags(t.q) : 0);
      if (goal == shape.goals.end()) return;
      push({.kind = Kind::kColon,
            .frame = intern_frame(with_unlisted(f, text)),
            .what = static_cast<std::int32_t>(goal->second)},
           out);
      return;
    }
    case CharStep::Kind::kMore:
      next.pending = step.pending;
      break;
    case CharStep::Kind::kChar:
      next.pending = 0;
      if (shape.keys) next.q = shape.keys->step(t.q, step.character);
      if (next.q < 0) return;
      break;
  }
  narrow(&shape, next, byte);
  push(next, out);
}

void JsonMachine::after_value(const Thread& t, unsigned char byte, Threads& out) const {
  const Frame& f = frame(t.frame);
  if (byte == '\n' && indented() && f.kind != Frame::Kind::kRoot && may_close(f)) {
    Thread closing = on_new_line({.kind = Kind::kEmptyEnd, .frame = t.frame}, f.depth - 1);
    return void(in_gap(closing, byte, out));
  }
  if (space(t, byte, out)) return;
  if (byte != ',' && !indented()) return close(f, byte, out);
  if (byte != ',') return;
  if (f.kind == Frame::Kind::kArray) begin_item(Frame(f), out);
  if (f.kind == Frame::Kind::kObject) push(on_new_line({.kind = Kind::kName, .frame = t.frame}, f.depth), out);
}

void JsonMachine::close(const Frame& f, unsigned char byte, Threads& out) const {
  const unsigned char bracket = f.kind == Frame::Kind::kArray ? ']' : '}';
  if (byte == bracket && f.kind != Frame::Kind::kRoot && may_close(f)) end_value(f.parent, nullptr, out);
}

// `id` counts the value that has ended already; where it must be unlike the others, its text is kept.
void JsonMachine::end_value(FrameId id, Text text, Threads& out) const {
  if (frame(id).kind == Frame::Kind::kRoot) return out.push_back({.kind = Kind::kDone});
  if (frame(id).kind == Frame::Kind::kAny) {
    for (FrameId member : frame(id).members) end_value(member, nullptr, out);
    return;
  }
  if (unique_items(frame(id))) {
    Frame next = frame(id);
    if (text != nullptr) {
      next.taken = take(next.taken, *text);
    } else {
      next.unrecorded = true;
    }
    id = intern_frame(std::move(next));
  }
  push({.kind = Kind::kAfter, .frame = id}, out);
}

}  // namespace sgl::constraint
