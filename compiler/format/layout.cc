#include "compiler/format/layout.h"

#include <algorithm>
#include <initializer_list>

namespace sgl::compiler::formatting {
namespace {

using Kind = LexedToken::Kind;

bool one_of(std::string_view text, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool is(const Token& token, std::string_view punctuation) {
  return token.kind == Kind::kPunctuation && token.text == punctuation;
}

// A regex type is one token with its opening parenthesis; `pattern: /…/` has none.
bool is_regex_type(const Token& token) { return token.kind == Kind::kRegex && token.text.starts_with("regex"); }

bool opens(const Token& token) {
  return is_regex_type(token) || (token.kind == Kind::kPunctuation && one_of(token.text, {"(", "[", "{"}));
}

bool closes(const Token& token) {
  return token.kind == Kind::kPunctuation && one_of(token.text, {")", "]", "}"});
}

// Whether an operand ends with the token, so that what follows is an operator, a call or an index.
bool ends_operand(const Token& token) {
  switch (token.kind) {
    case Kind::kIdentifier: case Kind::kNumber: case Kind::kString: case Kind::kRegex:
      return true;
    case Kind::kKeyword:
      return token.member || one_of(token.text, {"true", "false", "null"});
    case Kind::kPunctuation:
      return closes(token) || token.text == "?" || (token.text == ">" && token.type_bracket);
    default:
      return false;
  }
}

// Whether a line may end after the token without continuing on the next.
bool ends_line(const Token& token) {
  if (ends_operand(token) || is(token, ">")) return true;
  return token.kind == Kind::kKeyword &&
         one_of(token.text, {"break", "continue", "return", "yield", "fail", "gen", "as", "by", "from", "to", "up"});
}

// Whether a line that begins with the token continues the one before.
bool continues_line(const Token& token) {
  if (token.kind == Kind::kKeyword) return token.text == "and" || token.text == "or";
  return token.kind == Kind::kPunctuation &&
         one_of(token.text, {".", "..", "?", "??", "*", "/", "%", "+", "-", "==", "!=", "<", "<=", ">", ">=", ":", "=",
                             "+=", "-=", "*=", "/=", "%=", "->", "|"});
}

// What may stand between the brackets of type arguments.
bool fits_in_type(const Token& token) {
  switch (token.kind) {
    case Kind::kIdentifier: case Kind::kNumber: case Kind::kString: case Kind::kRegex: case Kind::kNewline:
    case Kind::kComment:
      return true;
    case Kind::kKeyword:
      return one_of(token.text, {"true", "false", "null"});
    case Kind::kPunctuation:
      return one_of(token.text, {"<", ">", ",", "|", "?", ".", "..", ":", "(", ")", "{", "}", "-"});
    default:
      return false;
  }
}

// `list` and `map` are the types with arguments. A variable may have that name too, so the closing bracket must
// come before anything that no type holds.
void mark_type_brackets(std::vector<Token>& tokens) {
  std::vector<std::size_t> open;  // indices of `<` that may be type brackets
  const auto discard = [&] {
    for (const std::size_t i : open) tokens[i].type_bracket = false;
    open.clear();
  };
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    Token& token = tokens[i];
    const bool after_name = i > 0 && tokens[i - 1].kind == Kind::kIdentifier && one_of(tokens[i - 1].text, {"list", "map"});
    if (is(token, "<") && after_name) {
      token.type_bracket = true;
      open.push_back(i);
    } else if (is(token, ">") && !open.empty()) {
      token.type_bracket = true;
      open.pop_back();
    } else if (!open.empty() && !fits_in_type(token)) {
      discard();
    }
  }
  discard();
}

bool binds_tightly(const Token& token) {
  return token.kind == Kind::kPunctuation && one_of(token.text, {".", ".."});
}

// Whether a space stands between two tokens of a line. `bracket` is the innermost open one, ' ' if there is none.
bool space_between(const Token& before, const Token& after, char bracket) {
  if (before.kind == Kind::kComment || after.kind == Kind::kComment) return true;
  if (is(before, "{") || is(after, "}")) return !(is(before, "{") && is(after, "}"));
  if (is(before, "(") || is(before, "[") || is(after, ")") || is(after, "]")) return false;
  if (is(after, ",") || is(after, ";") || is(after, "?")) return false;
  if (is(after, ":")) return false;
  if (is(before, ":")) return bracket != '[';  // in brackets it is a slice
  if (binds_tightly(before) || binds_tightly(after) || is(before, "...") || before.prefix) return false;
  if (after.type_bracket || (before.type_bracket && before.text == "<")) return false;
  if (is(after, "(") || is(after, "[")) {
    // A call or an index; after a brace or a number it is neither.
    return !ends_operand(before) || is(before, "}") || before.kind == Kind::kNumber;
  }
  return true;
}

class Layout {
 public:
  explicit Layout(const std::vector<Token>& tokens) : tokens_(tokens) {}

  std::string run() {
    std::size_t at = 0;
    std::size_t line_ends = 0;
    while (at < tokens_.size()) {
      if (tokens_[at].kind == Kind::kNewline) {
        ++line_ends;
        ++at;
        continue;
      }
      // Two line ends or more are one blank line; none at the top of the file.
      if (!out_.empty()) out_.append(line_ends > 1 ? 2 : 1, '\n');
      line_ends = 0;
      at = line(at);
    }
    if (!out_.empty()) out_ += '\n';
    return std::move(out_);
  }

 private:
  struct Frame {
    char bracket = ' ';
    std::size_t indentation = 0;  // of the line where it was opened
  };

  // Lays out the line that begins at `first`; returns the index behind it.
  std::size_t line(std::size_t first) {
    std::size_t last = first;
    while (last < tokens_.size() && tokens_[last].kind != Kind::kNewline) ++last;
    indentation_ = indentation_of(first, last);
    out_.append(indentation_ * 2, ' ');
    for (std::size_t i = first; i < last; ++i) {
      const char bracket = frames_.empty() ? ' ' : frames_.back().bracket;
      if (i > first && space_between(tokens_[i - 1], tokens_[i], bracket)) out_ += ' ';
      out_ += tokens_[i].text;
      track(tokens_[i]);
    }
    return last;
  }

  void track(const Token& token) {
    if (opens(token)) {
      Frame frame;
      frame.bracket = is_regex_type(token) ? '(' : token.text.front();
      frame.indentation = indentation_;
      frames_.push_back(frame);
    } else if (closes(token) && !frames_.empty()) {
      frames_.pop_back();
    }
    if (token.kind != Kind::kComment) previous_ = &token;
  }

  std::size_t indentation_of(std::size_t first, std::size_t last) const {
    // Closers that begin a line stand below the line of their opener.
    std::size_t closers = 0;
    while (first + closers < last && closes(tokens_[first + closers])) ++closers;
    closers = std::min(closers, frames_.size());
    if (closers > 0) return frames_[frames_.size() - closers].indentation;
    const std::size_t inside = frames_.empty() ? 0 : frames_.back().indentation + 1;
    return inside + (is_continuation(tokens_[first]) ? 1 : 0);
  }

  bool is_continuation(const Token& first) const {
    if (previous_ == nullptr || is(*previous_, ",") || is(*previous_, ";")) return false;
    if (opens(*previous_)) return false;
    return continues_line(first) || !ends_line(*previous_);
  }

  const std::vector<Token>& tokens_;
  std::string out_;
  std::vector<Frame> frames_;
  std::size_t indentation_ = 0;       // of the current line
  const Token* previous_ = nullptr;   // the last token that is no comment
};

}  // namespace

void classify(std::vector<Token>& tokens) {
  mark_type_brackets(tokens);
  const Token* previous = nullptr;  // neither comment nor line end
  for (Token& token : tokens) {
    if (token.kind == Kind::kComment || token.kind == Kind::kNewline) continue;
    token.member = previous != nullptr && is(*previous, ".") && token.kind == Kind::kKeyword;
    token.prefix = is(token, "-") && (previous == nullptr || !ends_operand(*previous));
    previous = &token;
  }
}

std::string lay_out(const std::vector<Token>& tokens) { return Layout(tokens).run(); }

}  // namespace sgl::compiler::formatting
