#include <unordered_set>
#include <utility>

#include "runtime/base/utf8.h"
#include "runtime/tokenizer/regex.h"

namespace sgl::tokenizer {

CharClass::CharClass(base::CodeSet set) : bitmap_(1024, 0), set_(std::move(set)) {
  for (const base::CodeRange& r : set_.ranges()) {
    for (char32_t c = r.lo; c <= r.hi && c < 0x10000; ++c) bitmap_[c >> 6] |= std::uint64_t{1} << (c & 63);
  }
}

namespace {

using Op = RegexInstruction::Op;
using Mode = RegexInstruction::Mode;

// Steps of one attempt before failures are memoised; real patterns take a few dozen per piece.
constexpr std::size_t kPlainSteps = 4096;
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

// Backtracking over (instruction, position); one object per attempt and per nested assertion.
class Matcher {
 public:
  Matcher(const std::vector<RegexInstruction>& program, const std::vector<CharClass>& classes, std::string_view text)
      : program_(program), classes_(classes), text_(text) {}

  // End of the preferred match from `pc` at `pos`, kNone when there is none.
  std::size_t run(std::size_t pc, std::size_t pos) {
    Outcome out = attempt<false>(pc, pos);
    if (out.gave_up) {
      seen_.clear();
      out = attempt<true>(pc, pos);
    }
    return out.end;
  }

 private:
  struct Outcome {
    std::size_t end = kNone;
    bool gave_up = false;
  };
  // A place to resume. Spans also hold how far they may still give back (greedy) or go on (lazy).
  struct Frame {
    std::size_t pc, pos;
    std::size_t limit;  // greedy span: least end; lazy span: characters taken so far; kNone: no span
  };

  // Length of the character at pos when it is in the class, else 0.
  std::size_t one(const CharClass& set, std::size_t pos) const {
    if (pos >= text_.size()) return 0;
    const auto byte = static_cast<unsigned char>(text_[pos]);
    if (byte < 0x80) return set.contains_ascii(byte) ? 1 : 0;
    const base::DecodedChar c = base::decode_utf8(text_, pos);
    return set.contains(c.code) ? c.bytes : 0;
  }
  std::size_t step_back(std::size_t pos) const {
    do {
      --pos;
    } while (pos > 0 && (static_cast<unsigned char>(text_[pos]) & 0xC0) == 0x80);
    return pos;
  }
  bool word_at(std::size_t pos) const {
    return pos < text_.size() && base::is_word(base::decode_utf8(text_, pos).code);
  }
  bool word_before(std::size_t pos) const { return pos > 0 && word_at(step_back(pos)); }

  bool holds(const RegexInstruction& i, std::size_t pos) const {
    switch (i.op) {
      case Op::kBehind:
        return pos > 0 && one(classes_[i.a], step_back(pos)) != 0;
      case Op::kNotBehind:
        return pos == 0 || one(classes_[i.a], step_back(pos)) == 0;
      case Op::kTextBegin:
        return pos == 0;
      case Op::kTextEnd:
        return pos == text_.size();
      case Op::kLineBegin:
        return pos == 0 || text_[pos - 1] == '\n';
      case Op::kLineEnd:
        return pos == text_.size() || text_[pos] == '\n';
      case Op::kWordEdge:
        return word_at(pos) != word_before(pos);
      case Op::kNotWordEdge:
        return word_at(pos) == word_before(pos);
      default:
        return false;
    }
  }

  // Runs a span; false when it cannot match. Leaves a frame when there is another way.
  bool span(const RegexInstruction& i, std::size_t pc, std::size_t& pos) {
    const CharClass& set = classes_[i.a];
    std::uint32_t count = 0;
    std::size_t least = pos;
    const std::uint32_t goal = i.mode == Mode::kLazy ? i.min : i.max;
    while (count < goal) {
      const std::size_t n = one(set, pos);
      if (n == 0) break;
      pos += n;
      if (++count == i.min) least = pos;
    }
    if (count < i.min) return false;
    if (i.mode == Mode::kGreedy && pos > least) stack_.push_back({pc, pos, least});
    if (i.mode == Mode::kLazy && count < i.max) stack_.push_back({pc, pos, count});
    return true;
  }

  // Takes up the youngest frame; false when there is none.
  bool backtrack(std::size_t& pc, std::size_t& pos) {
    while (!stack_.empty()) {
      Frame& frame = stack_.back();
      const RegexInstruction& i = program_[frame.pc];
      if (frame.limit == kNone) {
        pc = frame.pc, pos = frame.pos;
        stack_.pop_back();
        return true;
      }
      if (i.mode == Mode::kGreedy) {
        pos = frame.pos = step_back(frame.pos);
        pc = frame.pc + 1;
        if (frame.pos <= frame.limit) stack_.pop_back();
        return true;
      }
      const std::size_t n = one(classes_[i.a], frame.pos);
      if (n == 0) {
        stack_.pop_back();
        continue;
      }
      pos = frame.pos += n;
      pc = frame.pc + 1;
      if (++frame.limit >= i.max) stack_.pop_back();
      return true;
    }
    return false;
  }

  template <bool kMemo>
  Outcome attempt(std::size_t pc, std::size_t pos) {
    stack_.clear();
    for (std::size_t steps = 0;; ++steps) {
      bool alive = true;
      if constexpr (kMemo) {
        alive = seen_.insert(pc * (text_.size() + 1) + pos).second;
      } else if (steps > kPlainSteps) {
        return {kNone, true};
      }
      if (alive) {
        const RegexInstruction& i = program_[pc];
        if (i.op == Op::kMatch) return {pos, false};
        alive = advance(i, pc, pos);
      }
      if (!alive && !backtrack(pc, pos)) return {};
    }
  }

  // Executes one instruction; false when it fails.
  bool advance(const RegexInstruction& i, std::size_t& pc, std::size_t& pos) {
    switch (i.op) {
      case Op::kClass: {
        const std::size_t n = one(classes_[i.a], pos);
        if (n == 0) return false;
        pos += n, ++pc;
        return true;
      }
      case Op::kSpan:
        if (!span(i, pc, pos)) return false;
        ++pc;
        return true;
      case Op::kSplit:
        stack_.push_back({i.b, pos, kNone});
        pc = i.a;
        return true;
      case Op::kJump:
        pc = i.a;
        return true;
      case Op::kAhead:
      case Op::kNotAhead:
      case Op::kAtomic: {
        // The recursion is as deep as the pattern's groups, which the compiler bounds.
        const std::size_t end = Matcher(program_, classes_, text_).run(pc + 1, pos);
        if ((end == kNone) != (i.op == Op::kNotAhead)) return false;
        if (i.op == Op::kAtomic) pos = end;
        pc = i.a;
        return true;
      }
      default:
        if (!holds(i, pos)) return false;
        ++pc;
        return true;
    }
  }

  const std::vector<RegexInstruction>& program_;
  const std::vector<CharClass>& classes_;
  std::string_view text_;
  std::vector<Frame> stack_;
  std::unordered_set<std::size_t> seen_;
};

}  // namespace

std::optional<Regex::Match> Regex::find(std::string_view text, std::size_t from) const {
  Matcher matcher(program_, classes_, text);
  for (std::size_t at = from; at <= text.size();) {
    const std::size_t end = matcher.run(0, at);
    if (end != kNone) return Match{at, end};
    if (at == text.size()) break;
    at += base::decode_utf8(text, at).bytes;
  }
  return std::nullopt;
}

std::vector<Regex::Match> Regex::find_all(std::string_view text) const {
  std::vector<Match> out;
  Matcher matcher(program_, classes_, text);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = matcher.run(0, at);
    if (end != kNone && end > at) {
      out.push_back({at, end});
      at = end;
    } else {
      at += base::decode_utf8(text, at).bytes;
    }
  }
  return out;
}

}  // namespace sgl::tokenizer
