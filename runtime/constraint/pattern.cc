#include "runtime/constraint/pattern.h"

#include <fmt/format.h>

#include "runtime/base/utf8.h"

namespace sgl::constraint {
namespace {

using base::CodeSet;
using base::Expected;
using Kind = PatternNode::Kind;

constexpr std::uint32_t kUnbounded = UINT32_MAX;
constexpr std::uint32_t kMaxRepeat = 1'000'000'000;  // so that counters cannot overflow; the automaton's limit is lower

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

CodeSet class_escape(char c) {
  switch (c | 32) {
    case 'd':
      return CodeSet{{'0', '9'}};
    case 'w':
      return CodeSet{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
    default: {  // WhiteSpace and LineTerminator of ECMA-262
      CodeSet set{{0x09, 0x0D}, {0x2028, 0x2029}, {0xFEFF, 0xFEFF}};
      set.add(*base::property_set("Zs"));
      return set;
    }
  }
}

class PatternParser {
 public:
  PatternParser(std::string_view pattern, const Limits& limits, PatternFlags flags)
      : pattern_(pattern), limits_(limits), flags_(flags) {}

  Expected<PatternNode> run() {
    SGL_TRY(PatternNode out, choice(0));
    if (!at_end()) return error("unmatched ')'");
    return out;
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
    return base::invalid(fmt::format("pattern, column {}: {}", at_ + 1, what));
  }
  static PatternNode set_node(CodeSet set) {
    PatternNode out;
    out.kind = Kind::kSet;
    out.set = std::move(set);
    return out;
  }

  Expected<PatternNode> choice(std::size_t depth) {
    if (depth > limits_.max_nesting) {
      return base::over_limit(
          fmt::format("pattern, column {}: groups nested more than {} deep", at_ + 1, limits_.max_nesting));
    }
    PatternNode out;
    out.kind = Kind::kChoice;
    do {
      SGL_TRY(PatternNode branch, sequence(depth));
      out.children.push_back(std::move(branch));
    } while (take("|"));
    if (out.children.size() > 1) return out;
    PatternNode only = std::move(out.children[0]);
    return only;
  }

  Expected<PatternNode> sequence(std::size_t depth) {
    PatternNode out;
    out.kind = Kind::kSequence;
    while (!at_end() && peek() != '|' && peek() != ')') {
      SGL_TRY(PatternNode item, atom(depth));
      SGL_TRY(item, quantified(std::move(item)));
      out.children.push_back(std::move(item));
    }
    return out;
  }

  Expected<PatternNode> atom(std::size_t depth) {
    const char c = peek();
    PatternNode out;
    if (c == '^' || c == '$') {
      if (c == '$' && in_behind_) return error("$ inside a look-behind is not supported");
      ++at_;
      out.kind = c == '^' ? Kind::kBegin : Kind::kEnd;
      return out;
    }
    if (c == '(') return group(depth);
    if (take("\\b")) return word_boundary(true);
    if (take("\\B")) return word_boundary(false);
    if (c == '*' || c == '+' || c == '?') return error("nothing to repeat");
    if (c == '{' && brace_quantifier()) return error("nothing to repeat");
    if (c == '[') {
      SGL_TRY(CodeSet set, bracket());
      return set_node(std::move(set));
    }
    if (c == '.') {
      ++at_;
      return set_node((flags_.dot_all ? CodeSet() : CodeSet{{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}).negated());
    }
    SGL_TRY(CodeSet set, c == '\\' ? escape() : literal());
    return set_node(flags_.ignore_case ? set.case_closed() : std::move(set));
  }

  Expected<PatternNode> group(std::size_t depth) {
    const std::size_t begin = at_;
    take("(");
    PatternNode look;
    if (take("?:")) {
    } else if (take("?=") || take("?!") || take("?<=") || take("?<!")) {
      look.kind = Kind::kLook;
      look.behind = pattern_[begin + 2] == '<';
      look.negated = pattern_[at_ - 1] == '!';
      if (in_behind_) return at_ = begin, error("look-around inside a look-behind is not supported");
      in_behind_ = look.behind;
    } else if (take("?<")) {
      const std::size_t end = pattern_.find('>', at_);
      if (end == std::string_view::npos || end == at_) return error("malformed group name");
      at_ = end + 1;
    } else if (peek() == '?') {
      return error("this kind of group is not supported");
    }
    SGL_TRY(PatternNode out, choice(depth + 1));
    if (!take(")")) return error("missing ')'");
    if (look.kind != Kind::kLook) return out;
    if (look.behind) in_behind_ = false;
    look.children.push_back(std::move(out));
    return look;
  }

  // A word character before and none after, or the other way round; or (\B) not.
  Expected<PatternNode> word_boundary(bool boundary) {
    if (in_behind_) return at_ -= 2, error("look-around inside a look-behind is not supported");
    const auto look = [](bool behind, bool negated) {
      PatternNode out;
      out.kind = Kind::kLook;
      out.behind = behind, out.negated = negated;
      out.children.push_back(set_node(class_escape('w')));
      return out;
    };
    PatternNode out;
    out.kind = Kind::kChoice;
    for (const bool before : {true, false}) {
      PatternNode both;
      both.kind = Kind::kSequence;
      both.children.push_back(look(true, !before));
      both.children.push_back(look(false, before == boundary));
      out.children.push_back(std::move(both));
    }
    return out;
  }

  Expected<CodeSet> literal() {
    const base::DecodedChar c = base::decode_utf8(pattern_, at_);
    if (!c.valid) return error("not valid UTF-8");
    at_ += c.bytes;
    return CodeSet{{c.code, c.code}};
  }

  struct Bounds {
    std::uint32_t min = 0, max = 0;
    std::size_t end = 0;  // offset after the quantifier
  };
  // {n}, {n,}, {n,m} at the current place; anything else that begins with a brace is literal text.
  std::optional<Bounds> brace_quantifier() const {
    std::size_t i = at_ + 1;
    const auto number = [&]() -> std::optional<std::uint32_t> {
      std::optional<std::uint32_t> value;
      for (; i < pattern_.size() && is_digit(pattern_[i]); ++i) {
        value = static_cast<std::uint32_t>(std::min<std::uint64_t>(
            std::uint64_t{value.value_or(0)} * 10 + static_cast<std::uint64_t>(pattern_[i] - '0'), kMaxRepeat));
      }
      return value;
    };
    const auto min = number();
    if (!min) return std::nullopt;
    Bounds out{*min, *min, 0};
    if (i < pattern_.size() && pattern_[i] == ',') {
      ++i;
      out.max = number().value_or(kUnbounded);
    }
    if (i >= pattern_.size() || pattern_[i] != '}') return std::nullopt;
    out.end = i + 1;
    return out;
  }

  Expected<PatternNode> quantified(PatternNode item) {
    Bounds bounds;
    if (take("*")) {
      bounds = {0, kUnbounded, 0};
    } else if (take("+")) {
      bounds = {1, kUnbounded, 0};
    } else if (take("?")) {
      bounds = {0, 1, 0};
    } else if (const auto braces = peek() == '{' ? brace_quantifier() : std::nullopt) {
      bounds = *braces;
      if (bounds.min > bounds.max) return error("repetition with max < min");
      at_ = bounds.end;
    } else {
      return item;
    }
    if (item.kind == Kind::kBegin || item.kind == Kind::kEnd) return error("an anchor cannot be repeated");
    if (item.kind == Kind::kLook) return error("a look-around cannot be repeated");
    take("?");
    if (peek() == '*' || peek() == '+' || peek() == '?' || (peek() == '{' && brace_quantifier())) {
      return error("nothing to repeat");
    }
    PatternNode out;
    out.kind = Kind::kRepeat;
    out.min = bounds.min;
    out.max = bounds.max;
    out.children.push_back(std::move(item));
    return out;
  }

  // Precondition: at a backslash.
  Expected<CodeSet> escape() {
    take("\\");
    if (at_end()) return error("lone backslash");
    const char c = pattern_[at_++];
    const auto one = [](char32_t code) { return CodeSet{{code, code}}; };
    switch (c) {
      case 'd':
      case 'w':
      case 's':
        return class_escape(c);
      case 'D':
      case 'W':
      case 'S':
        return class_escape(c).negated();
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
      case 'x':
        return hexadecimal(2);
      case 'u':
        return hexadecimal(4);
      case 'b':
        return one('\b');  // in a class; elsewhere it is a boundary
      case 'c':
        if (((peek() | 32) < 'a') || ((peek() | 32) > 'z')) return error("malformed control escape");
        return one(static_cast<char32_t>(pattern_[at_++] % 32));
      case '0':
        if (!is_digit(peek())) return one(0);
        return error("octal escapes are not supported");
      default:
        break;
    }
    if (is_digit(c)) return error("back-references are not supported");
    if (is_letter_or_digit(c)) return error(fmt::format("escape \\{} is not supported", c));
    --at_;
    return literal();
  }

  std::optional<char32_t> hex_digits(std::size_t count) {
    char32_t code = 0;
    const std::string_view digits = pattern_.substr(at_, count);
    if (digits.size() < count) return std::nullopt;
    for (char c : digits) {
      const char lower = static_cast<char>(c | 32);
      if (!is_digit(c) && (lower < 'a' || lower > 'f')) return std::nullopt;
      code = code * 16 + static_cast<char32_t>(is_digit(c) ? c - '0' : lower - 'a' + 10);
    }
    at_ += count;
    return code;
  }

  Expected<CodeSet> hexadecimal(std::size_t digits) {
    std::optional<char32_t> code;
    if (digits == 4 && take("{")) {
      const std::size_t end = pattern_.find('}', at_);
      if (end == std::string_view::npos || end == at_ || end - at_ > 6) return error("malformed \\u{…}");
      code = hex_digits(end - at_);
      if (!code || *code > base::kMaxCodePoint) return error("malformed \\u{…}");
      take("}");
    } else {
      code = hex_digits(digits);
      if (!code) return error("malformed hexadecimal escape");
      // A pair of surrogates is one character.
      if (*code >= 0xD800 && *code < 0xDC00 && take("\\u")) {
        const auto low = hex_digits(4);
        if (!low || *low < 0xDC00 || *low > 0xDFFF) return error("lone surrogate");
        code = 0x10000 + ((*code - 0xD800) << 10) + (*low - 0xDC00);
      }
    }
    if (*code >= 0xD800 && *code <= 0xDFFF) return error("lone surrogate");
    return CodeSet{{*code, *code}};
  }

  Expected<CodeSet> property(bool negate) {
    if (!take("{")) return error("expected '{' after \\p");
    const std::size_t end = pattern_.find('}', at_);
    if (end == std::string_view::npos) return error("missing '}'");
    const std::string_view name = pattern_.substr(at_, end - at_);
    const auto set = base::property_set(name);
    if (!set) return error(fmt::format("unknown property '{}'", name));
    at_ = end + 1;
    return negate ? set->negated() : *set;
  }

  Expected<CodeSet> bracket() {
    take("[");
    const bool negate = take("^");
    CodeSet set;
    while (!take("]")) {
      if (at_end()) return error("missing ']'");
      SGL_TRY(const CodeSet item, peek() == '\\' ? escape() : literal());
      if (peek() != '-' || at_ + 1 >= pattern_.size() || pattern_[at_ + 1] == ']') {
        set.add(item);
        continue;
      }
      const std::size_t dash = at_;
      take("-");
      SGL_TRY(const CodeSet last, peek() == '\\' ? escape() : literal());
      const auto single = [](const CodeSet& s) {
        return s.ranges().size() == 1 && s.ranges()[0].lo == s.ranges()[0].hi;
      };
      if (!single(item) || !single(last)) {  // "[\w-.]": the dash is itself
        set.add(item), set.add('-', '-'), set.add(last);
        continue;
      }
      if (last.ranges()[0].lo < item.ranges()[0].lo) {
        at_ = dash;
        return error("range out of order");
      }
      set.add(item.ranges()[0].lo, last.ranges()[0].lo);
    }
    if (flags_.ignore_case) set = set.case_closed();
    return negate ? set.negated() : set;
  }

  std::string_view pattern_;
  const Limits& limits_;
  const PatternFlags flags_;
  std::size_t at_ = 0;
  bool in_behind_ = false;
};

}  // namespace

Expected<PatternNode> parse_pattern(std::string_view pattern, const Limits& limits, PatternFlags flags) {
  if (pattern.size() > limits.max_pattern_bytes) {
    return base::over_limit(fmt::format("pattern of {} bytes, more than {}", pattern.size(), limits.max_pattern_bytes));
  }
  return PatternParser(pattern, limits, flags).run();
}

}  // namespace sgl::constraint
