#include <cctype>

#include "runtime/base/utf8.h"
#include "runtime/tokenizer/jinja/ast.h"

namespace sgl::tokenizer::jinja {
namespace {

using base::Expected;
using base::Status;
using Kind = Token::Kind;

constexpr std::string_view kSpaces = " \t\r\n\f\v";

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(source) {
    // Jinja drops one newline at the end of a template.
    if (source_.ends_with("\r\n")) {
      source_.remove_suffix(2);
    } else if (source_.ends_with('\n')) {
      source_.remove_suffix(1);
    }
  }

  Expected<std::vector<Token>> run() {
    while (at_ < source_.size()) {
      const std::size_t open = next_opening();
      text(open);
      if (open == source_.size()) break;
      SGL_TRY_STATUS(tag());
    }
    emit(Kind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  bool looking_at(std::string_view what) const { return source_.substr(at_).starts_with(what); }
  void move(std::size_t to) {
    for (; at_ < to; ++at_) line_ += source_[at_] == '\n' ? 1 : 0;
  }
  void emit(Kind kind, std::string text) { tokens_.push_back({kind, std::move(text), line_}); }

  std::size_t next_opening() const {
    std::size_t at = at_;
    for (; (at = source_.find('{', at)) != std::string_view::npos; ++at) {
      const char next = at + 1 < source_.size() ? source_[at + 1] : '\0';
      if (next == '{' || next == '%' || next == '#') return at;
    }
    return source_.size();
  }

  // The text before an opening, with the white space that either side takes away.
  void text(std::size_t end) {
    std::string_view piece = source_.substr(at_, end - at_);
    const bool after_newline = at_ == 0 || source_[at_ - 1] == '\n';
    if (trim_next_ == '-') {
      const std::size_t first = piece.find_first_not_of(kSpaces);
      piece = first == std::string_view::npos ? std::string_view() : piece.substr(first);
    }
    const char sign = end + 2 < source_.size() ? source_[end + 2] : '\0';
    const bool statement = end + 1 < source_.size() && source_[end + 1] != '{';
    if (sign == '-') {
      const std::size_t last = piece.find_last_not_of(kSpaces);
      piece = piece.substr(0, last == std::string_view::npos ? 0 : last + 1);
    } else if (sign != '+' && statement && end < source_.size()) {
      // lstrip_blocks: white space between the beginning of the line and the tag.
      const std::size_t newline = piece.rfind('\n');
      const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
      const bool at_line_start = newline != std::string_view::npos || after_newline;
      if (at_line_start && piece.find_first_not_of(kSpaces, begin) == std::string_view::npos)
        piece = piece.substr(0, begin);
    }
    if (!piece.empty()) emit(Kind::kText, std::string(piece));
    trim_next_ = '\0';
    move(end);
  }

  // Ends a tag at `close` (two characters): notes what the text after it loses.
  void close(std::size_t close, bool block) {
    const bool minus = close > 0 && source_[close - 1] == '-' && close > at_;
    const bool plus = close > 0 && source_[close - 1] == '+' && close > at_;
    move(close + 2);
    trim_next_ = minus ? '-' : '\0';
    // trim_blocks: the first newline after a block or comment.
    if (!minus && !plus && block && at_ < source_.size() && source_[at_] == '\n') move(at_ + 1);
  }

  Status tag() {
    const char kind = source_[at_ + 1];
    if (kind == '#') {
      const std::size_t end = source_.find("#}", at_ + 2);
      if (end == std::string_view::npos) return at_line(line_, "comment without end");
      close(end, true);
      return {};
    }
    if (kind == '%' && raw_tag("raw", at_)) return raw();
    const bool output = kind == '{';
    emit(output ? Kind::kOutputBegin : Kind::kTagBegin, "");
    move(at_ + 2);
    if (at_ < source_.size() && (source_[at_] == '-' || source_[at_] == '+')) move(at_ + 1);
    return inside(output);
  }

  // End of "{%- name -%}" when it stands at `at`.
  std::optional<std::size_t> raw_tag(std::string_view name, std::size_t at) const {
    std::size_t i = at + 2;
    if (i < source_.size() && (source_[i] == '-' || source_[i] == '+')) ++i;
    i = source_.find_first_not_of(kSpaces, i);
    if (i == std::string_view::npos || !source_.substr(i).starts_with(name)) return std::nullopt;
    i = source_.find_first_not_of(kSpaces, i + name.size());
    if (i == std::string_view::npos) return std::nullopt;
    if (source_[i] == '-' || source_[i] == '+') ++i;
    if (!source_.substr(i).starts_with("%}")) return std::nullopt;
    return i;
  }

  Status raw() {
    close(*raw_tag("raw", at_), true);
    for (std::size_t end = at_; (end = source_.find("{%", end)) != std::string_view::npos; end += 2) {
      const auto finish = raw_tag("endraw", end);
      if (!finish) continue;
      text(end);
      close(*finish, true);
      return {};
    }
    return at_line(line_, "raw without endraw");
  }

  // Tokens up to the end of the tag. Brackets hide "}}".
  Status inside(bool output) {
    int open = 0;
    while (at_ < source_.size()) {
      const std::size_t next = source_.find_first_not_of(kSpaces, at_);
      if (next == std::string_view::npos) break;
      move(next);
      const std::string_view end = output ? "}}" : "%}";
      const bool signed_end = (looking_at("-") || looking_at("+")) && source_.substr(at_ + 1).starts_with(end);
      if (open == 0 && (signed_end || looking_at(end))) {
        emit(output ? Kind::kOutputEnd : Kind::kTagEnd, "");
        close(at_ + (signed_end ? 1 : 0), !output);
        return {};
      }
      const char c = source_[at_];
      open += c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
      SGL_TRY_STATUS(token());
    }
    return at_line(line_, "tag without end");
  }

  Status token() {
    const char c = source_[at_];
    if (c == '"' || c == '\'') return string(c);
    std::size_t end = at_;
    const auto more = [&](auto test) {
      while (end < source_.size() && test(static_cast<unsigned char>(source_[end]))) ++end;
    };
    if (std::isalpha(static_cast<unsigned char>(c)) || c == '_') {
      more([](unsigned char x) { return std::isalnum(x) || x == '_'; });
      emit(Kind::kName, std::string(source_.substr(at_, end - at_)));
      return move(end), Status();
    }
    if (std::isdigit(static_cast<unsigned char>(c))) return number();
    for (std::string_view two : {"==", "!=", "<=", ">=", "//", "**"}) {
      if (!looking_at(two)) continue;
      emit(Kind::kOperator, std::string(two));
      return move(at_ + 2), Status();
    }
    if (std::string_view("+-*/%~<>=()[]{}.,:|").find(c) == std::string_view::npos) {
      return at_line(line_, std::string("unexpected character '") + c + "'");
    }
    emit(Kind::kOperator, std::string(1, c));
    return move(at_ + 1), Status();
  }

  Status number() {
    std::size_t end = at_;
    bool real = false;
    const auto digit = [&](std::size_t i) {
      return i < source_.size() && std::isdigit(static_cast<unsigned char>(source_[i]));
    };
    while (digit(end) || (end < source_.size() && source_[end] == '_')) ++end;
    if (end < source_.size() && source_[end] == '.' && digit(end + 1)) {
      real = true;
      for (++end; digit(end);) ++end;
    }
    if (end < source_.size() && (source_[end] | 32) == 'e') {
      const std::size_t sign = end + 1 < source_.size() && (source_[end + 1] == '-' || source_[end + 1] == '+') ? 1 : 0;
      if (digit(end + 1 + sign)) {
        real = true;
        for (end += 1 + sign; digit(end);) ++end;
      }
    }
    std::string text(source_.substr(at_, end - at_));
    std::erase(text, '_');
    emit(real ? Kind::kFloat : Kind::kInt, std::move(text));
    return move(end), Status();
  }

  Status string(char quote) {
    std::string out;
    std::size_t i = at_ + 1;
    for (; i < source_.size() && source_[i] != quote; ++i) {
      if (source_[i] != '\\' || i + 1 == source_.size()) {
        out += source_[i];
        continue;
      }
      switch (const char c = source_[++i]) {
        case 'n':
          out += '\n';
          break;
        case 't':
          out += '\t';
          break;
        case 'r':
          out += '\r';
          break;
        case 'b':
          out += '\b';
          break;
        case 'f':
          out += '\f';
          break;
        case '\\':
        case '\'':
        case '"':
        case '/':
          out += c;
          break;
        case '\n':
          break;
        case 'u':
        case 'x': {
          const std::size_t digits = c == 'u' ? 4 : 2;
          const std::string_view hex = source_.substr(i + 1, digits);
          if (hex.size() < digits || hex.find_first_not_of("0123456789abcdefABCDEF") != std::string_view::npos) {
            return at_line(line_, "malformed escape in a string");
          }
          base::append_utf8(out, static_cast<char32_t>(std::stoul(std::string(hex), nullptr, 16)));
          i += digits;
          break;
        }
        default:
          out += '\\', out += c;
      }
    }
    if (i == source_.size()) return at_line(line_, "string without end");
    emit(Kind::kString, std::move(out));
    return move(i + 1), Status();
  }

  std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
  char trim_next_ = '\0';
  std::vector<Token> tokens_;
};

}  // namespace

Expected<std::vector<Token>> tokenize(std::string_view source) {
  return Lexer(source).run();
}

}  // namespace sgl::tokenizer::jinja
