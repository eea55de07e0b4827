#include "compiler/parse/token_filter.h"

#include <optional>

#include <fmt/format.h>

#include "SglLexer.h"
#include "compiler/parse/parse.h"

namespace sgl::compiler::parsing {
namespace {

using antlr::SglLexer;

bool is_word(std::size_t type) {
  return type == SglLexer::IDENT || (type >= SglLexer::KW_AND && type <= SglLexer::KW_YIELD);
}

// Tokens that can end a statement or an item, so that a line end after them counts.
bool can_end(std::size_t type) {
  switch (type) {
    case SglLexer::IDENT: case SglLexer::KW_AS: case SglLexer::KW_BY: case SglLexer::KW_FROM: case SglLexer::KW_TO:
    case SglLexer::KW_UP: case SglLexer::HEX_LIT: case SglLexer::DURATION_LIT: case SglLexer::FLOAT_LIT:
    case SglLexer::INT_LIT: case SglLexer::BAD_NUMBER: case SglLexer::RAW_TSTRING: case SglLexer::RAW_STRING:
    case SglLexer::RAW_UNTERMINATED: case SglLexer::STR_CLOSE: case SglLexer::TSTR_CLOSE:
    case SglLexer::STR_UNTERMINATED: case SglLexer::BAD_QUOTED: case SglLexer::KW_TRUE: case SglLexer::KW_FALSE:
    case SglLexer::KW_NULL: case SglLexer::KW_BREAK: case SglLexer::KW_CONTINUE: case SglLexer::KW_RETURN:
    case SglLexer::KW_YIELD: case SglLexer::KW_FAIL: case SglLexer::KW_GEN: case SglLexer::RPAREN:
    case SglLexer::RBRACK: case SglLexer::RBRACE: case SglLexer::GT: case SglLexer::QUESTION:
    case SglLexer::PATTERN_REGEX: case SglLexer::PATTERN_REGEX_UNTERMINATED:
    case SglLexer::REGEX_TYPE_UNTERMINATED: case SglLexer::UNKNOWN:
      return true;
    default:
      return false;
  }
}

// Tokens that continue what the line before began.
bool continues(std::size_t type) {
  switch (type) {
    case SglLexer::DOT: case SglLexer::DOTDOT: case SglLexer::QUESTION: case SglLexer::QQ: case SglLexer::STAR:
    case SglLexer::SLASH: case SglLexer::PERCENT: case SglLexer::PLUS: case SglLexer::MINUS: case SglLexer::EQ:
    case SglLexer::NE: case SglLexer::LT: case SglLexer::LE: case SglLexer::GT: case SglLexer::GE:
    case SglLexer::KW_AND: case SglLexer::KW_OR: case SglLexer::RPAREN: case SglLexer::RBRACK: case SglLexer::RBRACE:
    case SglLexer::COMMA: case SglLexer::COLON: case SglLexer::SEMI: case SglLexer::ASSIGN:
    case SglLexer::PLUS_ASSIGN: case SglLexer::MINUS_ASSIGN: case SglLexer::STAR_ASSIGN:
    case SglLexer::SLASH_ASSIGN: case SglLexer::PERCENT_ASSIGN: case SglLexer::ARROW: case SglLexer::PIPE:
    case SglLexer::KW_ELSE: case SglLexer::KW_CATCH: case SglLexer::STR_UNTERMINATED:
      return true;
    default:
      return false;
  }
}

bool declares(std::size_t type) {
  switch (type) {
    case SglLexer::KW_IMPORT: case SglLexer::KW_TYPE: case SglLexer::KW_GRAMMAR: case SglLexer::KW_CONST:
    case SglLexer::KW_FN: case SglLexer::KW_PROMPT: case SglLexer::KW_PROGRAM: case SglLexer::KW_TOOL:
      return true;
    default:
      return false;
  }
}

// How a token may deepen the tree of the statement it stands in.
enum class Deepens { kNo, kUntilSeparator, kUntilLineEnd };

Deepens deepens(std::size_t type) {
  switch (type) {
    case SglLexer::PLUS: case SglLexer::MINUS: case SglLexer::STAR: case SglLexer::SLASH: case SglLexer::PERCENT:
    case SglLexer::QQ: case SglLexer::EQ: case SglLexer::NE: case SglLexer::LT: case SglLexer::LE: case SglLexer::GT:
    case SglLexer::GE: case SglLexer::KW_IN: case SglLexer::KW_NOT: case SglLexer::KW_AND: case SglLexer::KW_OR:
    case SglLexer::DOT: case SglLexer::LPAREN: case SglLexer::LBRACK: case SglLexer::KW_IF: case SglLexer::KW_ELSE:
      return Deepens::kUntilSeparator;
    // Their options and variables are separated by commas too, so a comma does not end them.
    case SglLexer::KW_GEN: case SglLexer::KW_SELECT: case SglLexer::KW_PARALLEL: case SglLexer::KW_RETRY:
      return Deepens::kUntilLineEnd;
    default:
      return Deepens::kNo;
  }
}

class Filter {
 public:
  Filter(const std::vector<RawToken>& raw, Reporter& reporter) : raw_(raw), reporter_(reporter) {
    out_.reserve(raw.size());
    stack_.push_back({});
  }

  std::vector<ParserToken> run() {
    for (at_ = 0; at_ < raw_.size(); ++at_) {
      if (!take(raw_[at_])) break;
    }
    finish();
    return std::move(out_);
  }

 private:
  // An open bracket or string; the first entry is the file itself.
  struct Open {
    std::size_t type = 0;
    std::uint32_t begin = 0;
    std::size_t chain = 0;   // deepening tokens since the last separator
    std::size_t sticky = 0;  // those that a comma does not end
  };

  static bool is_string(std::size_t type) { return type == SglLexer::STRING_OPEN || type == SglLexer::TSTRING_OPEN; }
  static bool is_brace(std::size_t type) { return type == SglLexer::LBRACE || type == SglLexer::INTERP_OPEN; }

  // Returns false to end the text here.
  bool take(const RawToken& raw) {
    switch (raw.type) {
      case SglLexer::NEWLINE:
        note_break(raw.begin);
        return true;
      case SglLexer::BLOCK_COMMENT:
        if (reporter_.text(raw.begin, raw.end).find_first_of("\r\n") != std::string_view::npos) note_break(raw.begin);
        return true;
      case SglLexer::BLOCK_COMMENT_UNTERMINATED:
        reporter_.add(DiagKind::kUnterminatedComment, raw.begin, raw.begin + 2, "this comment is never closed")
            .suggest("close it with '*/'");
        reporter_.silence_end();
        return true;
      default:
        break;
    }
    if (raw.channel != kDefaultChannel) return true;
    if (brackets_ > 0 && begins_declaration()) close_all(break_.value_or(raw.begin), raw);
    if (break_ && previous_ends_ && !continues(raw.type)) {
      push(SglLexer::NL, *break_, *break_);
      separate(true);
    }
    break_.reset();
    const bool after_dot = previous_ == SglLexer::DOT;
    if (!nest(raw)) return false;
    previous_ = raw.type;
    // The brace of an interpolation ends nothing: the next token belongs to the string.
    previous_ends_ = out_.back().type != SglLexer::INTERP_CLOSE && (can_end(raw.type) || (after_dot && is_word(raw.type)));
    if (raw.type == SglLexer::STR_UNTERMINATED) note_break(raw.begin);
    return true;
  }

  // Whether the current token begins a declaration, by its looks alone: its word at the start of a line, and a name
  // (or the path of an import) behind it. A field may have such a name too, but then a colon follows.
  bool begins_declaration() const {
    const RawToken& raw = raw_[at_];
    if (!declares(raw.type) || (raw.begin > 0 && reporter_.source()[raw.begin - 1] != '\n')) return false;
    std::size_t next = at_ + 1;
    while (next < raw_.size() && raw_[next].type == SglLexer::WS) ++next;
    if (next >= raw_.size()) return false;
    const std::size_t type = raw_[next].type;
    return type == SglLexer::IDENT || (raw.type == SglLexer::KW_IMPORT && type == SglLexer::STRING_OPEN);
  }

  // A declaration cannot stand in brackets: the innermost open one lacks its closer. Closes everything, so that only
  // this error results.
  void close_all(std::uint32_t at, const RawToken& raw) {
    for (const Open& entry : stack_) {
      if (is_string(entry.type)) return;
    }
    report_unclosed().label(reporter_.range(raw.begin, raw.end), "before this declaration");
    while (stack_.size() > 1) close_synthetic(at);
    previous_ends_ = true;
  }

  Diagnostic& report_unclosed() {
    const Open& open_one = stack_.back();
    std::uint32_t length = 1;
    std::string_view closer = "}";
    if (open_one.type == SglLexer::LPAREN) closer = ")";
    if (open_one.type == SglLexer::LBRACK) closer = "]";
    if (open_one.type == SglLexer::REGEX_TYPE) {
      closer = ")";
      length = 5;
    }
    const std::string_view text = reporter_.text(open_one.begin, open_one.begin + length);
    return reporter_.add(DiagKind::kSyntax, open_one.begin, open_one.begin + length,
                         fmt::format("this '{}' is never closed: expected '{}'", text, closer));
  }

  void note_break(std::uint32_t at) {
    if (!break_) break_ = at;
  }

  void push(std::size_t type, std::uint32_t begin, std::uint32_t end) { out_.push_back({type, begin, end}); }

  // Pushes the token and keeps the stack of what is open.
  bool nest(const RawToken& raw) {
    std::size_t type = raw.type;
    switch (type) {
      case SglLexer::NL: case SglLexer::SEMI:
        separate(true);
        break;
      case SglLexer::COMMA:
        separate(false);
        break;
      case SglLexer::LBRACE: case SglLexer::INTERP_OPEN: case SglLexer::LPAREN: case SglLexer::LBRACK:
      case SglLexer::REGEX_TYPE: case SglLexer::STRING_OPEN: case SglLexer::TSTRING_OPEN:
        if (!deepen(raw)) return false;
        if (!open(raw)) return false;
        break;
      case SglLexer::RBRACE:
        if (close_brace() == SglLexer::INTERP_OPEN) type = SglLexer::INTERP_CLOSE;
        break;
      case SglLexer::RPAREN: case SglLexer::RBRACK:
        close_bracket(type);
        break;
      case SglLexer::STR_CLOSE: case SglLexer::TSTR_CLOSE:
        while (stack_.size() > 1 && !is_string(stack_.back().type)) pop();
        pop();
        break;
      case SglLexer::STR_UNTERMINATED:
        end_string(raw.begin);
        break;
      default:
        if (!deepen(raw)) return false;
        report_unterminated(raw);
        break;
    }
    push(type, raw.begin, raw.end);
    return true;
  }

  bool open(const RawToken& raw) {
    Open entry;
    entry.type = raw.type;
    entry.begin = raw.begin;
    stack_.push_back(entry);
    if (!is_string(raw.type)) ++brackets_;
    if (brackets_ <= ParseLimits::kMaxNesting) return true;
    return refuse(raw, fmt::format("more than {} brackets are open here", ParseLimits::kMaxNesting),
                  "move the inner parts into functions or names of their own");
  }

  void pop() {
    if (stack_.size() <= 1) return;
    chain_ -= stack_.back().chain + stack_.back().sticky;
    if (!is_string(stack_.back().type)) --brackets_;
    stack_.pop_back();
  }

  // Closes the innermost brace, and what was left open in it. Returns its type, 0 for a stray `}`.
  std::size_t close_brace() {
    bool found = false;
    for (const Open& entry : stack_) found = found || is_brace(entry.type);
    if (!found) return 0;
    while (!is_brace(stack_.back().type)) pop();
    const std::size_t type = stack_.back().type;
    pop();
    return type;
  }

  void close_bracket(std::size_t closer) {
    for (std::size_t i = stack_.size() - 1; i > 0; --i) {
      const std::size_t type = stack_[i].type;
      if (is_brace(type) || is_string(type)) return;
      if ((type == SglLexer::LBRACK) == (closer == SglLexer::RBRACK)) {
        while (stack_.size() > i) pop();
        return;
      }
    }
  }

  // The innermost string ends at `at` without its closer: closes what is open in it, and reports it.
  void end_string(std::uint32_t at) {
    while (stack_.size() > 1 && !is_string(stack_.back().type)) {
      close_synthetic(at);
    }
    if (stack_.size() <= 1) return;
    reporter_.add(DiagKind::kUnterminatedString, stack_.back().begin, at, "this string is not closed on its line")
        .suggest("close it with '\"'; a text of several lines stands in \"\"\"…\"\"\"");
    pop();
  }

  void close_synthetic(std::uint32_t at) {
    switch (stack_.back().type) {
      case SglLexer::LBRACE: push(SglLexer::RBRACE, at, at); break;
      case SglLexer::INTERP_OPEN: push(SglLexer::INTERP_CLOSE, at, at); break;
      case SglLexer::LBRACK: push(SglLexer::RBRACK, at, at); break;
      default: push(SglLexer::RPAREN, at, at); break;
    }
    pop();
  }

  void separate(bool line) {
    Open& entry = stack_.back();
    chain_ -= entry.chain;
    entry.chain = 0;
    if (!line) return;
    chain_ -= entry.sticky;
    entry.sticky = 0;
  }

  bool deepen(const RawToken& raw) {
    const Deepens how = deepens(raw.type);
    if (how == Deepens::kNo) return true;
    ++(how == Deepens::kUntilSeparator ? stack_.back().chain : stack_.back().sticky);
    if (++chain_ <= ParseLimits::kMaxChain) return true;
    return refuse(raw, fmt::format("this expression has more than {} operators", ParseLimits::kMaxChain),
                  "split it with 'let', or use a list");
  }

  bool refuse(const RawToken& raw, std::string message, std::string help) {
    reporter_.add(DiagKind::kNestedTooDeep, raw.begin, raw.end, std::move(message)).suggest(std::move(help));
    reporter_.silence_end();
    return false;
  }

  void report_unterminated(const RawToken& raw) {
    const std::string_view text = reporter_.text(raw.begin, raw.end);
    switch (raw.type) {
      case SglLexer::RAW_UNTERMINATED:
        reporter_.add(DiagKind::kUnterminatedString, raw.begin, raw.end, "this string is not closed on its line")
            .suggest("close it with '\"'; a raw text of several lines stands in r\"\"\"…\"\"\"");
        break;
      case SglLexer::REGEX_TYPE_UNTERMINATED: case SglLexer::PATTERN_REGEX_UNTERMINATED: {
        const auto slash = static_cast<std::uint32_t>(text.find('/'));
        reporter_.add(DiagKind::kUnterminatedRegex, raw.begin + slash, raw.end, "this regular expression is not closed on its line")
            .suggest("close it with '/'; a '/' inside is written '\\/'");
        break;
      }
      default:
        break;
    }
  }

  // Ends the text: closes an open string, then EOF.
  void finish() {
    const std::uint32_t end = reporter_.source().empty() ? 0 : static_cast<std::uint32_t>(reporter_.source().size());
    std::size_t first = 1;
    while (first < stack_.size() && !is_string(stack_[first].type)) ++first;
    if (first < stack_.size() && !reporter_.end_silenced()) {
      const Open outermost = stack_[first];
      const bool triple = outermost.type == SglLexer::TSTRING_OPEN;
      const std::uint32_t stop = triple ? outermost.begin + 3 : end;
      reporter_.add(DiagKind::kUnterminatedString, outermost.begin, stop, "this string is never closed")
          .suggest(triple ? "close it with '\"\"\"'" : "close it with '\"'");
      if (triple) reporter_.silence_end();
    }
    while (first < stack_.size()) {
      switch (stack_.back().type) {
        case SglLexer::STRING_OPEN: push(SglLexer::STR_CLOSE, end, end); pop(); break;
        case SglLexer::TSTRING_OPEN: push(SglLexer::TSTR_CLOSE, end, end); pop(); break;
        default: close_synthetic(end); break;
      }
    }
    if (stack_.size() > 1 && !reporter_.end_silenced()) report_unclosed();
    while (stack_.size() > 1) close_synthetic(end);
    push(antlr4::Token::EOF, end, end);
  }

  const std::vector<RawToken>& raw_;
  Reporter& reporter_;
  std::size_t at_ = 0;  // the current raw token
  std::vector<ParserToken> out_;
  std::vector<Open> stack_;
  std::size_t brackets_ = 0;
  std::size_t chain_ = 0;  // sum over the stack
  std::size_t previous_ = 0;
  bool previous_ends_ = false;
  std::optional<std::uint32_t> break_;  // where the line broke since the last token
};

}  // namespace

std::vector<ParserToken> filter_tokens(const std::vector<RawToken>& raw, Reporter& reporter) {
  return Filter(raw, reporter).run();
}

std::unique_ptr<antlr4::Token> TokenListSource::nextToken() {
  // The last one is EOF, which is served again and again.
  const ParserToken& next = stopped_ ? tokens_.back() : tokens_[next_];
  if (next_ + 1 < tokens_.size()) ++next_;
  // An empty token stops one before it starts; the sums wrap around at 0 and come out right in span_of.
  return std::make_unique<antlr4::CommonToken>(std::pair<antlr4::TokenSource*, antlr4::CharStream*>(this, &no_input_),
                                               next.type, antlr4::Token::DEFAULT_CHANNEL,
                                               static_cast<std::size_t>(next.begin), static_cast<std::size_t>(next.end) - 1);
}

antlr4::TokenFactory<antlr4::CommonToken>* TokenListSource::getTokenFactory() {
  return antlr4::CommonTokenFactory::DEFAULT.get();
}

TokenSpan span_of(const antlr4::Token* token) {
  TokenSpan span;
  if (token == nullptr || token->getStartIndex() == INVALID_INDEX) return span;
  span.begin = static_cast<std::uint32_t>(token->getStartIndex());
  span.end = static_cast<std::uint32_t>(token->getStopIndex() + 1);
  span.valid = true;
  return span;
}

}  // namespace sgl::compiler::parsing
