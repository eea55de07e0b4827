// The common indentation of `"""` literals.
#include <algorithm>
#include <limits>

#include "compiler/parse/builder.h"

namespace sgl::compiler::parsing {
namespace {

constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::size_t skip_blanks(const std::string& text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

// Line ends are `\n` in the value, whatever the file has.
void normalize_line_ends(std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\r') {
      out += text[i];
    } else if (i + 1 == text.size() || text[i + 1] != '\n') {
      out += '\n';
    }
  }
  text = std::move(out);
}

// Drops the rest of the opener's line if it is blank. Returns whether the text now begins with a line of its own.
bool drop_first_line_end(std::string& text) {
  const std::size_t at = skip_blanks(text, 0);
  if (at == text.size() || text[at] != '\n') return false;
  text.erase(0, at + 1);
  return true;
}

// Drops the closer's line if it is blank.
void drop_last_line(std::string& text, bool begins_line) {
  std::size_t at = text.size();
  while (at > 0 && is_blank(text[at - 1])) --at;
  if (at > 0 && text[at - 1] == '\n') {
    text.resize(at - 1);
  } else if (at == 0 && begins_line) {
    text.clear();
  }
}

// Calls visit(begin, first non-blank) for the beginning of each line in a text piece that is not an empty line.
template <typename Visit>
void each_line(const std::vector<StringPiece>& pieces, bool begins_line, const Visit& visit) {
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool is_text = pieces[i].kind == StringPiece::Kind::kText;
    if (!is_text) {
      // A line that begins with an escape or a value has no indentation.
      if (begins_line) visit(i, 0, 0);
      begins_line = false;
      continue;
    }
    const std::string& text = pieces[i].text;
    std::size_t at = 0;
    while (at <= text.size()) {
      if (begins_line) {
        const std::size_t end = skip_blanks(text, at);
        const bool more = i + 1 < pieces.size();
        const bool blank_line = end < text.size() ? text[end] == '\n' : !more;
        if (!blank_line) visit(i, at, end);
      }
      const std::size_t line_end = text.find('\n', at);
      begins_line = line_end != std::string::npos;
      if (!begins_line) break;
      at = line_end + 1;
    }
  }
}

// Removes up to `count` blanks at the beginning of each line of the text.
std::string outdent(const std::string& text, bool begins_line, std::size_t count) {
  std::string out;
  std::size_t at = 0;
  while (at < text.size()) {
    if (begins_line) {
      const std::size_t end = skip_blanks(text, at);
      at = std::min(end, at + count);
    }
    const std::size_t line_end = text.find('\n', at);
    const std::size_t next = line_end == std::string::npos ? text.size() : line_end + 1;
    out.append(text, at, next - at);
    at = next;
    begins_line = true;
  }
  return out;
}

}  // namespace

void strip_indentation(std::vector<StringPiece>& pieces) {
  if (pieces.empty()) return;
  const auto is_text = [](const StringPiece& piece) { return piece.kind == StringPiece::Kind::kText; };
  // A `"` inside is a piece of its own: lines are found in whole runs of text.
  std::vector<StringPiece> joined;
  for (StringPiece& piece : pieces) {
    if (!joined.empty() && is_text(piece) && is_text(joined.back())) {
      joined.back().text += piece.text;
    } else {
      joined.push_back(std::move(piece));
    }
  }
  for (StringPiece& piece : joined) {
    if (is_text(piece)) normalize_line_ends(piece.text);
  }
  const bool begins_line = is_text(joined.front()) && drop_first_line_end(joined.front().text);
  if (is_text(joined.back())) drop_last_line(joined.back().text, begins_line && joined.size() == 1);

  std::size_t indentation = kNone;
  each_line(joined, begins_line, [&](std::size_t, std::size_t begin, std::size_t end) {
    indentation = std::min(indentation, end - begin);
  });
  if (indentation != kNone && indentation > 0) {
    for (std::size_t i = 0; i < joined.size(); ++i) {
      if (is_text(joined[i])) joined[i].text = outdent(joined[i].text, i == 0 && begins_line, indentation);
    }
  }
  pieces = std::move(joined);
}

std::vector<ast::Expr::StringPart> merge_pieces(std::vector<StringPiece> pieces) {
  std::vector<ast::Expr::StringPart> out;
  for (StringPiece& piece : pieces) {
    if (piece.kind == StringPiece::Kind::kValue) {
      out.push_back(std::move(piece.value));
      continue;
    }
    if (piece.text.empty()) continue;
    if (out.empty() || out.back().value != nullptr) out.emplace_back();
    out.back().text += piece.text;
  }
  return out;
}

}  // namespace sgl::compiler::parsing
