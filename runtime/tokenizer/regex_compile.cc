#include <fmt/format.h>

#include "runtime/base/utf8.h"
#include "runtime/tokenizer/regex.h"

namespace sgl::tokenizer {
namespace {

using base::CodeSet;
using base::Expected;
using base::Status;
using Op = RegexInstruction::Op;
using Mode = RegexInstruction::Mode;

constexpr std::size_t kMaxProgram = 20'000;  // instructions; the largest published pattern needs about 200
constexpr int kMaxNesting = 100;             // groups; bounds the recursion of the compiler and of the matcher
constexpr std::uint32_t kMaxRepeat = 1000;   // of a group, which is expanded
constexpr std::uint32_t kUnbounded = UINT32_MAX;

}  // namespace

// Recursive descent straight to instructions: every parse function appends code that matches what it parsed.
class RegexCompiler {
 public:
  explicit RegexCompiler(std::string_view pattern) : pattern_(pattern) {}

  Expected<Regex> run() {
    SGL_TRY_STATUS(alternation(0));
    if (!at_end()) return error("unmatched ')'");
    emit(Op::kMatch);
    return std::move(regex_);
  }

 private:
  bool at_end() const { return at_ == pattern_.size(); }
  char peek() const { return at_end() ? '\0' : pattern_[at_]; }
  bool take(std::string_view what) {
    if (!pattern_.substr(at_).starts_with(what)) return false;
    at_ += what.size();
    return true;
  }
  base::Error error(std::string_view what) const {
    return base::invalid(fmt::format("regular expression, column {}: {}", at_ + 1, what));
  }
  std::size_t here() const { return regex_.program_.size(); }
  RegexInstruction& emit(Op op, std::size_t a = 0) {
    regex_.program_.push_back({op, Mode::kGreedy, static_cast<std::uint32_t>(a), 0, 0, 0});
    return regex_.program_.back();
  }
  // Shifts the code from `begin` on by one and puts an instruction there. Targets inside move along.
  void insert(std::size_t begin, RegexInstruction instruction) {
    auto& program = regex_.program_;
    program.insert(program.begin() + static_cast<std::ptrdiff_t>(begin), instruction);
    for (std::size_t i = begin + 1; i < program.size(); ++i) retarget(program[i], 1);
  }
  static bool has_target(Op op) {
    return op == Op::kSplit || op == Op::kJump || op == Op::kAhead || op == Op::kNotAhead || op == Op::kAtomic;
  }
  static void retarget(RegexInstruction& i, std::size_t by) {
    if (!has_target(i.op)) return;
    i.a += static_cast<std::uint32_t>(by);
    i.b += static_cast<std::uint32_t>(by);
  }
  std::uint32_t class_index(CodeSet set) {
    if (ignore_case_) set = set.case_closed();
    for (std::size_t i = 0; i < regex_.classes_.size(); ++i) {
      if (regex_.classes_[i].set() == set) return static_cast<std::uint32_t>(i);
    }
    regex_.classes_.emplace_back(std::move(set));
    return static_cast<std::uint32_t>(regex_.classes_.size() - 1);
  }

  Status alternation(int depth) {
    if (depth > kMaxNesting) return error("groups are nested too deeply");
    const bool outer_case = ignore_case_;
    const std::size_t begin = here();
    std::vector<std::size_t> exits;
    std::size_t branch = begin;
    SGL_TRY_STATUS(sequence(depth));
    while (take("|")) {
      insert(branch, {Op::kSplit, Mode::kGreedy, static_cast<std::uint32_t>(branch + 1), 0, 0, 0});
      exits.push_back(here());
      emit(Op::kJump);
      regex_.program_[branch].b = static_cast<std::uint32_t>(here());
      branch = here();
      SGL_TRY_STATUS(sequence(depth));
    }
    for (std::size_t i : exits) regex_.program_[i].a = static_cast<std::uint32_t>(here());
    ignore_case_ = outer_case;
    return {};
  }

  Status sequence(int depth) {
    while (!at_end() && peek() != '|' && peek() != ')') {
      const std::size_t begin = here();
      SGL_TRY_STATUS(atom(depth));
      SGL_TRY_STATUS(quantifiers(begin));
      if (here() > kMaxProgram) return base::over_limit("regular expression: too large");
    }
    return {};
  }

  Status atom(int depth) {
    const char c = peek();
    if (c == '(') return group(depth);
    if (c == '[') {
      SGL_TRY(CodeSet set, bracket(0));
      emit(Op::kClass, class_index(std::move(set)));
      return {};
    }
    if (c == '*' || c == '+' || c == '?') return error("nothing to repeat");
    if (take("^")) return emit(Op::kLineBegin), Status();
    if (take("$")) return emit(Op::kLineEnd), Status();
    if (take(".")) {
      emit(Op::kClass, class_index(CodeSet{{'\n', '\n'}}.negated()));
      return {};
    }
    if (take("\\A")) return emit(Op::kTextBegin), Status();
    if (take("\\z")) return emit(Op::kTextEnd), Status();
    if (take("\\b")) return emit(Op::kWordEdge), Status();
    if (take("\\B")) return emit(Op::kNotWordEdge), Status();
    SGL_TRY(CodeSet set, c == '\\' ? escape() : literal());
    emit(Op::kClass, class_index(std::move(set)));
    return {};
  }

  Expected<CodeSet> literal() {
    const base::DecodedChar c = base::decode_utf8(pattern_, at_);
    if (!c.valid) return error("invalid UTF-8");
    at_ += c.bytes;
    return CodeSet{{c.code, c.code}};
  }

  Status group(int depth) {
    take("(");
    if (take("?i)")) return ignore_case_ = true, Status();
    if (take("?-i)")) return ignore_case_ = false, Status();
    if (take("?<=")) return look_behind(Op::kBehind);
    if (take("?<!")) return look_behind(Op::kNotBehind);
    const bool outer_case = ignore_case_;
    std::optional<Op> special;
    if (take("?=")) {
      special = Op::kAhead;
    } else if (take("?!")) {
      special = Op::kNotAhead;
    } else if (take("?>")) {
      special = Op::kAtomic;
    } else if (take("?i:")) {
      ignore_case_ = true;
    } else if (take("?-i:")) {
      ignore_case_ = false;
    } else if (take("?:")) {
    } else if (peek() == '?') {
      return error("this kind of group is not supported");
    }
    const std::size_t begin = here();
    if (special) emit(*special);
    SGL_TRY_STATUS(alternation(depth + 1));
    if (!take(")")) return error("missing ')'");
    ignore_case_ = outer_case;
    if (special) {
      emit(Op::kMatch);
      regex_.program_[begin].a = static_cast<std::uint32_t>(here());
    }
    return {};
  }

  Status look_behind(Op op) {
    CodeSet set;
    if (peek() == '[') {
      SGL_TRY(set, bracket(0));
    } else if (peek() == '\\') {
      SGL_TRY(set, escape());
    } else if (!at_end()) {
      SGL_TRY(set, literal());
    }
    if (!take(")")) return error("look-behind of more than one character is not supported");
    emit(op, class_index(std::move(set)));
    return {};
  }

  // Precondition: at a backslash.
  Expected<CodeSet> escape() {
    take("\\");
    if (at_end()) return error("lone backslash");
    const char c = pattern_[at_++];
    const auto one = [](char32_t code) { return CodeSet{{code, code}}; };
    switch (c) {
      case 'd':
      case 's':
      case 'w':
        return base::unicode_class(c);
      case 'D':
      case 'S':
      case 'W':
        return base::unicode_class(static_cast<char>(c + 32)).negated();
      case 'p':
      case 'P':
        return property(c == 'P');
      case 'n':
        return one('\n');
      case 'r':
        return one('\r');
      case 't':
        return one('\t');
      case 'f':
        return one('\f');
      case 'v':
        return one('\v');
      case 'a':
        return one(7);
      case 'e':
        return one(27);
      case 'x':
        return hex_escape(2);
      case 'u':
        return hex_escape(4);
      default:
        break;
    }
    const bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (word) return error(fmt::format("escape \\{} is not supported", c));
    --at_;
    return literal();
  }

  Expected<CodeSet> hex_escape(int digits) {
    const bool braces = take("{");
    char32_t code = 0;
    int seen = 0;
    for (; !at_end() && (braces || seen < digits) && std::isxdigit(static_cast<unsigned char>(peek())); ++seen) {
      const char c = pattern_[at_++];
      code = code * 16 + static_cast<char32_t>(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
      if (code > base::kMaxCodePoint) return error("character out of range");
    }
    if (seen == 0 || (braces ? !take("}") : seen != digits)) return error("malformed hexadecimal escape");
    return CodeSet{{code, code}};
  }

  Expected<CodeSet> property(bool negate) {
    std::string_view name;
    if (take("{")) {
      if (take("^")) negate = !negate;
      const std::size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos) return error("missing '}'");
      name = pattern_.substr(at_, end - at_);
      at_ = end + 1;
    } else if (!at_end()) {
      name = pattern_.substr(at_++, 1);
    }
    std::optional<CodeSet> set = base::property_set(name);
    if (!set) return error(fmt::format("unknown property '{}'", name));
    return negate ? set->negated() : *std::move(set);
  }

  // Precondition: at '['.
  Expected<CodeSet> bracket(int depth) {
    take("[");
    if (depth > kMaxNesting) return error("classes are nested too deeply");
    if (pattern_.substr(at_).starts_with(":")) return error("POSIX classes are not supported");
    const bool negate = take("^");
    CodeSet set;
    std::optional<CodeSet> left;  // what stands before &&
    for (bool first = true; first || peek() != ']'; first = false) {
      if (at_end()) return error("missing ']'");
      if (take("&&")) {
        left = left ? left->intersected(set) : std::move(set);
        set = CodeSet();
        continue;
      }
      if (peek() == '[') {
        SGL_TRY(const CodeSet inner, bracket(depth + 1));
        set.add(inner);
        continue;
      }
      SGL_TRY(const CodeSet item, peek() == '\\' ? escape() : literal());
      SGL_TRY(const bool ranged, range_to(item, set));
      if (!ranged) set.add(item);
    }
    take("]");
    if (left) set = left->intersected(set);
    if (ignore_case_) set = set.case_closed();
    return negate ? set.negated() : set;
  }

  // Adds item-x to `set` when a range follows.
  Expected<bool> range_to(const CodeSet& item, CodeSet& set) {
    const auto single = [](const CodeSet& s) { return s.ranges().size() == 1 && s.ranges()[0].lo == s.ranges()[0].hi; };
    const std::string_view rest = pattern_.substr(at_);
    if (!rest.starts_with("-") || rest.size() < 2 || rest[1] == ']' || !single(item)) return false;
    take("-");
    if (peek() == '[') return error("a class cannot end a range");
    SGL_TRY(const CodeSet end, peek() == '\\' ? escape() : literal());
    if (!single(end) || end.ranges()[0].lo < item.ranges()[0].lo) return error("bad range");
    set.add(item.ranges()[0].lo, end.ranges()[0].lo);
    return true;
  }

  struct Repeat {
    std::uint32_t min = 0, max = 0;
  };
  // nullopt when no quantifier follows; "{" that begins none is a literal, as in Oniguruma.
  Expected<std::optional<Repeat>> repeat() {
    if (take("*")) return std::optional(Repeat{0, kUnbounded});
    if (take("+")) return std::optional(Repeat{1, kUnbounded});
    if (take("?")) return std::optional(Repeat{0, 1});
    if (peek() != '{') return std::optional<Repeat>();
    const std::size_t start = at_;
    take("{");
    const auto number = [&]() -> std::optional<std::uint32_t> {
      std::optional<std::uint32_t> value;
      for (; peek() >= '0' && peek() <= '9'; ++at_) {
        value = std::min<std::uint32_t>(value.value_or(0) * 10 + static_cast<std::uint32_t>(peek() - '0'), 1'000'000);
      }
      return value;
    };
    const auto min = number();
    const bool comma = take(",");
    const auto max = number();
    if ((!min && !max) || !take("}")) {
      at_ = start;
      return std::optional<Repeat>();
    }
    const Repeat out{min.value_or(0), comma ? max.value_or(kUnbounded) : *min};
    if (out.max < out.min) return error("repetition with max < min");
    return std::optional(out);
  }

  Status quantifiers(std::size_t begin) {
    while (true) {
      SGL_TRY(const std::optional<Repeat> r, repeat());
      if (!r) return {};
      const Mode mode = take("?") ? Mode::kLazy : take("+") ? Mode::kPossessive : Mode::kGreedy;
      const bool single = here() == begin + 1 && regex_.program_[begin].op == Op::kClass;
      if (single) {
        RegexInstruction& i = regex_.program_[begin];
        i.op = Op::kSpan, i.mode = mode, i.min = r->min, i.max = r->max;
        continue;
      }
      SGL_TRY_STATUS(repeat_group(begin, *r, mode));
    }
  }

  // Expands x{min,max} over the code from `begin` on.
  Status repeat_group(std::size_t begin, Repeat r, Mode mode) {
    const std::vector<RegexInstruction> body(regex_.program_.begin() + static_cast<std::ptrdiff_t>(begin),
                                             regex_.program_.end());
    const std::uint32_t copies = r.max == kUnbounded ? r.min + 1 : r.max;
    if (r.min > kMaxRepeat || (r.max != kUnbounded && r.max > kMaxRepeat) || body.size() * copies > kMaxProgram) {
      return base::over_limit("regular expression: repetition too large");
    }
    regex_.program_.resize(begin);
    if (mode == Mode::kPossessive) emit(Op::kAtomic);
    const auto put = [&] {
      const std::size_t shift = here() - begin;
      for (RegexInstruction i : body) {
        retarget(i, shift);
        regex_.program_.push_back(i);
      }
    };
    const auto split = [&] { return emit(Op::kSplit), here() - 1; };
    const auto patch = [&](std::size_t at, std::size_t in, std::size_t out) {
      regex_.program_[at].a = static_cast<std::uint32_t>(mode == Mode::kLazy ? out : in);
      regex_.program_[at].b = static_cast<std::uint32_t>(mode == Mode::kLazy ? in : out);
    };
    for (std::uint32_t i = 0; i < r.min; ++i) put();
    if (r.max == kUnbounded) {
      const std::size_t loop = split();
      put();
      emit(Op::kJump, loop);
      patch(loop, loop + 1, here());
    } else {
      std::vector<std::size_t> splits;
      for (std::uint32_t i = r.min; i < r.max; ++i) {
        splits.push_back(split());
        put();
      }
      for (std::size_t s : splits) patch(s, s + 1, here());
    }
    if (mode == Mode::kPossessive) {
      emit(Op::kMatch);
      regex_.program_[begin].a = static_cast<std::uint32_t>(here());
    }
    return {};
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
  bool ignore_case_ = false;
  Regex regex_;
};

Expected<Regex> Regex::compile(std::string_view pattern) {
  return RegexCompiler(pattern).run();
}

}  // namespace sgl::tokenizer
