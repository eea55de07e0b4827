// The open objects and arrays of a JSON machine.
#include <algorithm>
#include <set>

#include "runtime/constraint/json_machine.h"

namespace sgl::constraint {
namespace {

std::uint64_t mix(std::uint64_t h, std::uint64_t x) {  // the finaliser of splitmix64
  h ^= x + 0x9e3779b97f4a7c15 + (h << 6) + (h >> 2);
  h ^= h >> 30, h *= 0xbf58476d1ce4e5b9;
  return h ^ h >> 27;
}

std::uint64_t plus(std::uint64_t a, std::uint64_t b) {
  return std::min(a + b, kInfinite);
}

bool has(const Frame& f, std::uint32_t name) {
  return (f.seen[name / 64] >> (name % 64) & 1) != 0;
}

// Of texts lo … hi, which are sorted and agree in `depth` bytes, those whose next byte is `byte`.
template <typename TextAt>
void narrow_range(std::uint32_t& lo, std::uint32_t& hi, std::uint32_t depth, unsigned char byte, TextAt text_at) {
  const auto next = [&](std::uint32_t i) {  // -1: the text ends here
    const std::string& text = text_at(i);
    return depth < text.size() ? static_cast<int>(static_cast<unsigned char>(text[depth])) : -1;
  };
  const auto first = [&](int value) {  // the first in the range whose next byte is `value` or more
    std::uint32_t a = lo, b = hi;
    while (a < b) {
      const std::uint32_t mid = a + (b - a) / 2;
      if (next(mid) < value) {
        a = mid + 1;
      } else {
        b = mid;
      }
    }
    return a;
  };
  const std::uint32_t from = first(byte), to = first(byte + 1);
  lo = from, hi = to;
}

}  // namespace

FrameId JsonMachine::intern_frame(Frame f) const {
  std::uint64_t h = mix(static_cast<std::uint64_t>(f.kind), static_cast<std::uint64_t>(f.shape));
  for (std::uint64_t x :
       {std::uint64_t{f.parent}, f.count, f.hits, static_cast<std::uint64_t>(f.last), std::uint64_t{f.taken}})
    h = mix(h, x);
  h = mix(h, f.unrecorded ? 1 : 0);
  for (std::uint64_t word : f.seen) h = mix(h, word);
  for (FrameId member : f.members) h = mix(h, member);
  const std::uint32_t known = frame_index_.find(h, [&](std::uint32_t id) { return frames_[id] == f; });
  if (known != InternIndex::kNone) return known;
  f.need = f.kind == Frame::Kind::kObject ? object_need(f) : 0;
  f.rest = frame_rest(f);
  if (f.kind == Frame::Kind::kAny) {
    f.depth = frame(f.members[0]).depth;
  } else if (f.kind != Frame::Kind::kRoot) {
    f.depth = frame(f.parent).depth + 1;
  }
  f.differ = must_differ(f);
  frames_.push_back(std::move(f));
  const auto id = static_cast<FrameId>(frames_.size() - 1);
  frame_index_.add(h, id);
  return id;
}

std::uint64_t JsonMachine::frame_rest(const Frame& f) const {
  if (f.kind == Frame::Kind::kRoot) return 0;
  if (f.kind == Frame::Kind::kAny) {
    std::uint64_t least = kInfinite;
    for (FrameId member : f.members) least = std::min(least, frame(member).rest);
    return least;
  }
  const std::uint64_t own =
      f.kind == Frame::Kind::kArray ? goals_.array_rest(f.shape, f.count, f.hits) : plus(f.need, 1);
  return plus(own, frame(f.parent).rest);
}

std::vector<bool> JsonMachine::required_now(const Frame& f) const {
  const ObjectShape& shape = object_of(f);
  std::vector<bool> out(shape.names.size());
  std::vector<std::uint32_t> open;
  for (std::uint32_t i = 0; i < shape.names.size(); ++i) {
    if (shape.names[i].required) out[i] = true;
    if (shape.counted && has(f, i)) open.push_back(i);
  }
  while (!open.empty()) {
    const std::uint32_t i = open.back();
    open.pop_back();
    for (std::uint32_t implied : shape.names[i].implied) {
      if (out[implied]) continue;
      out[implied] = true;
      open.push_back(implied);
    }
  }
  for (std::uint32_t i = 0; i < out.size(); ++i) {
    if (has(f, i)) out[i] = false;
  }
  return out;
}

std::uint64_t JsonMachine::object_need(const Frame& f) const {
  const ObjectShape& shape = object_of(f);
  if (shape.counted) return counted_need(f);
  std::uint64_t total = 0;
  for (std::uint32_t i : shape.required) {
    if (has(f, i)) continue;
    if (static_cast<std::int32_t>(i) < f.last) return kInfinite;  // its turn is over
    total = plus(total, shape.names[i].bytes);
  }
  return total;
}

std::uint64_t JsonMachine::counted_need(const Frame& f, std::uint64_t* unlisted) const {
  const ObjectShape& shape = object_of(f);
  const std::vector<bool> required = required_now(f);
  std::uint64_t total = 0, more = 0;
  for (std::uint32_t i = 0; i < required.size(); ++i) {
    if (!required[i]) continue;
    if (static_cast<std::int32_t>(i) < f.last) return kInfinite;  // its turn is over
    total = plus(total, shape.names[i].bytes);
    ++more;
  }
  if (total >= kInfinite) return total;
  if (shape.max >= 0 && f.count + more > static_cast<std::uint64_t>(shape.max)) return kInfinite;
  const auto min = static_cast<std::uint64_t>(shape.min);
  if (f.count + more >= min) return total;
  std::uint64_t lacking = min - f.count - more;
  std::vector<std::uint64_t> others;
  for (std::uint32_t i = 0; i < required.size(); ++i) {
    const bool usable = !required[i] && !has(f, i) && (i >= shape.ordered || static_cast<std::int32_t>(i) > f.last) &&
                        shape.names[i].implied.empty();
    if (usable && shape.names[i].bytes < kInfinite) others.push_back(shape.names[i].bytes);
  }
  std::sort(others.begin(), others.end());
  for (std::size_t i = 0; i < others.size() && lacking > 0; ++i, --lacking) total = plus(total, others[i]);
  if (unlisted != nullptr) *unlisted = lacking;
  if (lacking == 0) return total;
  if (!shape.open || shape.goals.empty()) return kInfinite;
  const std::uint64_t each = goals_.free_properties(f.shape, true)[0];  // from the start of a name
  return each >= kInfinite ? kInfinite : std::min(total + lacking * (each + Goals::kOtherName + 4), kInfinite);
}

bool JsonMachine::must_differ(const Frame& f) const {
  if (f.kind == Frame::Kind::kRoot) return false;
  if (f.kind == Frame::Kind::kAny) {
    return std::any_of(f.members.begin(), f.members.end(), [&](FrameId member) { return frame(member).differ; });
  }
  if (frame(f.parent).differ) return true;
  if (f.kind == Frame::Kind::kArray) return items_differ(f);
  const ObjectShape& shape = object_of(f);
  std::uint64_t unlisted = 0;
  if (shape.counted) counted_need(f, &unlisted);
  if (unlisted > 1 || (unlisted == 1 && f.unrecorded)) return true;
  for (std::uint32_t i = 0; i < shape.names.size(); ++i) {
    const bool needed = shape.names[i].required || shape.counted;
    if (needed && !has(f, i) && shape.names[i].allowed && goals_.differs(shape.names[i].goal)) return true;
  }
  return unlisted > 0 && std::any_of(shape.goals.begin(), shape.goals.end(),
                                     [&](const auto& entry) { return goals_.differs(entry.second); });
}

bool JsonMachine::items_differ(const Frame& f) const {
  const ArrayShape& shape = goals_.array(f.shape);
  const auto min = static_cast<std::uint64_t>(shape.min);
  // The item that is being read counts already, and another one that is unlike it is still to come.
  if (shape.unique && (f.taken != 0 || f.unrecorded || (min > 1 && f.count < min))) return true;
  const auto differ = [&](const std::vector<ArrayShape::Variant>& variants) {
    return std::any_of(variants.begin(), variants.end(),
                       [&](const auto& v) { return goals_.cost(v.goal) < kInfinite && goals_.differs(v.goal); });
  };
  if (f.count >= min && shape.contains.empty()) return false;
  for (std::uint64_t i = f.count; i < shape.prefix.size(); ++i) {
    if (differ(shape.prefix[i])) return true;
  }
  return differ(shape.rest);
}

bool JsonMachine::may_be_taken(const Thread& t) const {
  if (t.kind != Thread::Kind::kName && t.kind != Thread::Kind::kUnlisted) return false;
  const Frame& f = frame(t.frame);
  const bool taken = t.kind == Thread::Kind::kName ? f.taken != 0 : t.taken_hi != 0;
  return f.unrecorded || (taken && object_of(f).keys != nullptr);
}

std::uint64_t JsonMachine::need_with_unlisted(const Frame& f) const {
  if (object_of(f).counted) return object_need(with_unlisted(f, nullptr));
  // In the schema's order nothing that is listed comes after an unlisted name.
  return options_.order == PropertyOrder::kSchema && f.need > 0 ? kInfinite : f.need;
}

std::uint64_t JsonMachine::need_with(const Frame& f, std::uint32_t name) const {
  const ObjectShape& shape = object_of(f);
  if (shape.counted) return object_need(with_name(f, name));
  return f.need - (shape.names[name].required ? shape.names[name].bytes : 0);
}

bool JsonMachine::may_close(const Frame& f) const {
  if (f.kind == Frame::Kind::kArray) {
    const ArrayShape& shape = goals_.array(f.shape);
    if (f.count < static_cast<std::uint64_t>(shape.min)) return false;
    for (std::size_t i = 0; i < shape.contains.size(); ++i) {
      if (static_cast<std::int64_t>(f.hits >> (16 * i) & 0xFFFF) < shape.contains[i].min) return false;
    }
    return goals_.hits_allowed(shape, f.hits);
  }
  return object_need(f) == 0;  // begin_object asks before the frame is interned
}

bool JsonMachine::may_add(const Frame& f, std::uint32_t name) const {
  const ObjectShape& shape = object_of(f);
  if (has(f, name) || !shape.names[name].allowed) return false;
  if (options_.order == PropertyOrder::kSchema) {
    if (name < shape.ordered && static_cast<std::int32_t>(name) <= f.last) return false;
    for (auto i = static_cast<std::uint32_t>(f.last + 1); i < std::min(name, shape.ordered) && !shape.counted; ++i) {
      if (shape.names[i].required && !has(f, i)) return false;
    }
  }
  return !shape.counted || need_with(f, name) < kInfinite;
}

bool JsonMachine::may_add_unlisted(const Frame& f) const {
  const ObjectShape& shape = object_of(f);
  return shape.open && need_with_unlisted(f) < kInfinite;
}

Frame JsonMachine::with_name(Frame f, std::uint32_t name) const {
  const ObjectShape& shape = object_of(f);
  f.seen[name / 64] |= std::uint64_t{1} << (name % 64);
  if (shape.counted && (shape.max >= 0 || f.count < static_cast<std::uint64_t>(shape.min))) ++f.count;
  if (options_.order == PropertyOrder::kSchema) f.last = static_cast<std::int32_t>(std::min(name, shape.ordered));
  return f;
}

Frame JsonMachine::with_unlisted(Frame f, Text text) const {
  const ObjectShape& shape = object_of(f);
  if (shape.counted && (shape.max >= 0 || f.count < static_cast<std::uint64_t>(shape.min))) ++f.count;
  if (options_.order == PropertyOrder::kSchema) f.last = static_cast<std::int32_t>(shape.ordered);
  if (text != nullptr) {
    f.taken = take(f.taken, *text);
  } else {
    f.unrecorded = true;
  }
  return f;
}

Frame JsonMachine::with_item(Frame f, std::uint32_t hits) const {
  const ArrayShape& shape = goals_.array(f.shape);
  f.hits = goals_.add_hits(shape, f.hits, hits);
  const std::uint64_t enough = std::max<std::uint64_t>(shape.prefix.size(), static_cast<std::uint64_t>(shape.min));
  if (shape.max >= 0 || f.count < std::max<std::uint64_t>(enough, 1)) ++f.count;
  return f;
}

std::uint32_t JsonMachine::take(std::uint32_t set, const std::string& text) const {
  const auto [it, fresh] = taken_index_.try_emplace({set, text}, static_cast<std::uint32_t>(taken_.size()));
  if (!fresh) return it->second;
  std::vector<std::string> more = taken_[set];
  more.insert(std::lower_bound(more.begin(), more.end(), text), text);
  taken_.push_back(std::move(more));
  taken_bytes_ += 64 * taken_.back().size();
  return it->second;
}

void JsonMachine::narrow(const ObjectShape* shape, Thread& t, unsigned char byte) const {
  if (t.lo < t.hi) {
    narrow_range(t.lo, t.hi, t.depth, byte,
                 [&](std::uint32_t i) -> const std::string& { return shape->names[shape->sorted[i]].key; });
  }
  if (t.taken_lo < t.taken_hi) {
    const std::vector<std::string>& taken = taken_[frame(t.frame).taken];
    narrow_range(t.taken_lo, t.taken_hi, t.depth, byte,
                 [&](std::uint32_t i) -> const std::string& { return taken[i]; });
  }
  ++t.depth;
  if (t.spelled != 0) t.spelled = text_id(texts_[t.spelled] + static_cast<char>(byte));
}

bool JsonMachine::few_texts(const Thread& t) const {
  if (t.kind == Thread::Kind::kWord) return true;
  if (t.kind == Thread::Kind::kNumber) return goals_.number(t.what).count(0) < CharDfa::kMany;
  const TextShape& shape = goals_.text(t.what);
  if (shape.dfa) return shape.dfa->count(shape.dfa->start()) < CharDfa::kMany;
  return shape.max >= 0 && shape.max < 2;
}

bool JsonMachine::is_listed(const ObjectShape& shape, const Thread& t) const {
  return t.lo < t.hi && shape.names[shape.sorted[t.lo]].key.size() == t.depth;
}

bool JsonMachine::is_taken(const Thread& t) const {
  return t.taken_lo < t.taken_hi && taken_[frame(t.frame).taken][t.taken_lo].size() == t.depth;
}

bool JsonMachine::can_differ(const CharDfa* dfa, const ObjectShape* shape, const Thread& t) const {
  if (dfa == nullptr || (t.lo == t.hi && t.taken_lo == t.taken_hi)) return true;
  const std::uint64_t count = dfa->count(t.q);
  if (count >= CharDfa::kMany) return true;
  // Few enough to look at the texts that are excluded: those that the automaton would accept from here.
  std::set<std::string_view> excluded;
  const auto exclude = [&](const std::string& text) {
    std::string_view rest = std::string_view(text).substr(std::min<std::size_t>(t.depth, text.size()));
    CharDfa::State q = t.q;
    Pending pending = t.pending;
    for (char c : rest) {
      const CharStep step = next_byte(pending, static_cast<unsigned char>(c), Escapes::kCanonical);
      pending = step.pending;
      if (step.kind == CharStep::Kind::kChar) q = dfa->step(q, step.character);
      if (q < 0 || step.kind == CharStep::Kind::kDead) return;
    }
    if (dfa->accepting(q)) excluded.insert(text);
  };
  for (std::uint32_t i = t.lo; i < t.hi; ++i) exclude(shape->names[shape->sorted[i]].key);
  const std::vector<std::string>& taken = taken_[frame(t.frame).taken];
  for (std::uint32_t i = t.taken_lo; i < t.taken_hi; ++i) exclude(taken[i]);
  return count > excluded.size();
}

}  // namespace sgl::constraint
