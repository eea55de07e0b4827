// Numbers, durations and strings.
#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "compiler/parse/builder.h"
#include "runtime/base/utf8.h"

namespace sgl::compiler::parsing {
namespace {

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out += c;
  }
  return out;
}

constexpr std::uint64_t kMaxInt = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());

// The value of digits in a base; nullopt when it does not fit 64 bits.
std::optional<std::uint64_t> parse_digits(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

struct Unit {
  std::string_view suffix;
  std::uint64_t milliseconds;
};

Unit unit_of(std::string_view text) {
  if (text.ends_with("ms")) return {"ms", 1};
  if (text.ends_with("s")) return {"s", 1000};
  if (text.ends_with("m")) return {"m", 60 * 1000};
  return {"h", 60 * 60 * 1000};
}

}  // namespace

ast::ExprPtr Builder::number(Tree::NumberContext* context, bool negative, SourceRange where) {
  if (auto* whole = as<Tree::IntNumberContext>(context); whole != nullptr && whole->INT_LIT() != nullptr) {
    return make_expr(where, ast::Expr::IntLit{integer(whole->INT_LIT()->getSymbol(), negative).value_or(0)});
  }
  if (auto* hex = as<Tree::HexNumberContext>(context); hex != nullptr && hex->HEX_LIT() != nullptr) {
    return make_expr(where, ast::Expr::IntLit{integer(hex->HEX_LIT()->getSymbol(), negative).value_or(0)});
  }
  if (auto* real = as<Tree::FloatNumberContext>(context); real != nullptr && real->FLOAT_LIT() != nullptr) {
    const antlr4::Token* token = real->FLOAT_LIT()->getSymbol();
    const std::string digits = without_underscores(text_of(token));
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) {
      reporter_.add(DiagKind::kBadNumber, range_of(token), "this number is out of the range of a float");
      value = 0;
    }
    return make_expr(where, ast::Expr::FloatLit{negative ? -value : value});
  }
  if (auto* bad = as<Tree::BadNumberContext>(context); bad != nullptr && bad->BAD_NUMBER() != nullptr) {
    const antlr4::Token* token = bad->BAD_NUMBER()->getSymbol();
    reporter_.add(DiagKind::kBadNumber, range_of(token), fmt::format("'{}' is not a number", text_of(token)))
        .suggest("numbers are written 12, 1_000, 0xFF, 0.5, 1e9, durations 500ms, 30s, 5m, 1h; names begin with a letter");
    return make_expr(where, ast::Expr::IntLit{0});
  }
  return missing(where);
}

std::optional<std::int64_t> Builder::integer(const antlr4::Token* token, bool negative) {
  std::string digits = without_underscores(text_of(token));
  int base = 10;
  if (digits.size() > 2 && (digits[1] == 'x' || digits[1] == 'X')) {
    digits.erase(0, 2);
    base = 16;
  }
  const std::optional<std::uint64_t> value = parse_digits(digits, base);
  // The smallest int has one more than the largest.
  if (value && negative && *value == kMaxInt + 1) return std::numeric_limits<std::int64_t>::min();
  if (!value || *value > kMaxInt) {
    reporter_.add(DiagKind::kIntegerRange, range_of(token), "this integer does not fit in 64 bits")
        .suggest(fmt::format("the largest is {}", kMaxInt));
    return std::nullopt;
  }
  const auto positive = static_cast<std::int64_t>(*value);
  return negative ? -positive : positive;
}

std::int64_t Builder::duration(const antlr4::Token* token) {
  std::string text = without_underscores(text_of(token));
  const Unit unit = unit_of(text);
  text.resize(text.size() - std::min(text.size(), unit.suffix.size()));
  std::string fraction;
  if (const std::size_t point = text.find('.'); point != std::string::npos) {
    fraction = text.substr(point + 1);
    text.resize(point);
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
  }
  const std::optional<std::uint64_t> whole = parse_digits(text, 10);
  if (!whole || *whole > kMaxInt / unit.milliseconds - 1) {
    reporter_.add(DiagKind::kIntegerRange, range_of(token), "this duration is too long");
    return 0;
  }
  std::uint64_t milliseconds = *whole * unit.milliseconds;
  if (fraction.empty()) return static_cast<std::int64_t>(milliseconds);
  // Nine digits times an hour's milliseconds fit easily; more digits are never whole milliseconds.
  std::uint64_t scale = 1;
  for (std::size_t i = 0; i < fraction.size() && i < 9; ++i) scale *= 10;
  const std::uint64_t part = fraction.size() > 9 ? 1 : parse_digits(fraction, 10).value_or(0) * unit.milliseconds;
  if (fraction.size() > 9 || part % scale != 0) {
    reporter_.add(DiagKind::kBadNumber, range_of(token), "a duration is a whole number of milliseconds");
    return static_cast<std::int64_t>(milliseconds);
  }
  milliseconds += part / scale;
  return static_cast<std::int64_t>(milliseconds);
}

std::string Builder::escape(const antlr4::Token* token) {
  const std::string_view text = text_of(token);
  if (text.size() < 2) return std::string(text);
  std::string_view digits;
  switch (text[1]) {
    case 'n': return "\n";
    case 'r': return "\r";
    case 't': return "\t";
    case '0': return std::string(1, '\0');
    case 'x': digits = text.substr(2); break;
    case 'u': digits = text.substr(3, text.size() - 4); break;
    default: return std::string(text.substr(1));
  }
  const std::optional<std::uint64_t> code = parse_digits(digits, 16);
  const bool surrogate = code && *code >= 0xD800 && *code <= 0xDFFF;
  std::string out;
  if (!code || surrogate || *code > 0x10FFFF) {
    reporter_.add(DiagKind::kBadEscape, range_of(token), fmt::format("{} is not a Unicode character", text))
        .suggest("characters go from \\u{0} to \\u{10FFFF}, without \\u{D800} to \\u{DFFF}");
    base::append_utf8(out, base::kReplacement);
  } else {
    base::append_utf8(out, static_cast<char32_t>(*code));
  }
  return out;
}

std::vector<StringPiece> Builder::pieces(const std::vector<Tree::StringPartContext*>& parts) {
  std::vector<StringPiece> out;
  for (Tree::StringPartContext* part : parts) {
    StringPiece piece;
    if (auto* text = as<Tree::TextPartContext>(part); text != nullptr && text->STR_TEXT() != nullptr) {
      piece.text = std::string(text_of(text->STR_TEXT()->getSymbol()));
    } else if (auto* escaped = as<Tree::EscapePartContext>(part); escaped != nullptr && escaped->STR_ESC() != nullptr) {
      piece.kind = StringPiece::Kind::kEscape;
      piece.text = escape(escaped->STR_ESC()->getSymbol());
    } else if (auto* bad = as<Tree::BadEscapePartContext>(part); bad != nullptr && bad->STR_BAD_ESC() != nullptr) {
      const antlr4::Token* token = bad->STR_BAD_ESC()->getSymbol();
      reporter_.add(DiagKind::kBadEscape, range_of(token), fmt::format("'{}' is not an escape", text_of(token)))
          .suggest("escapes are \\n \\r \\t \\0 \\\\ \\\" \\{ \\} \\x41 \\u{1F600}; in r\"…\" a backslash is itself");
      piece.kind = StringPiece::Kind::kEscape;
      piece.text = std::string(text_of(token));
    } else if (auto* value = as<Tree::InterpolationPartContext>(part)) {
      piece.kind = StringPiece::Kind::kValue;
      piece.value = interpolation(value);
    } else {
      continue;
    }
    out.push_back(std::move(piece));
  }
  return out;
}

ast::Expr::StringPart Builder::interpolation(Tree::InterpolationPartContext* context) {
  ast::Expr::StringPart out;
  out.value = expr(context->expr());
  Tree::FormatSpecContext* spec = context->formatSpec();
  if (spec == nullptr || spec->COLON() == nullptr) return out;
  // The text is taken from the source, because spaces count in it.
  const TokenSpan colon = span_of(spec->COLON()->getSymbol());
  std::uint32_t end = range_of(spec).end;
  antlr4::tree::TerminalNode* closer = context->INTERP_CLOSE();
  if (closer == nullptr) closer = context->RBRACE();
  if (closer != nullptr && span_of(closer->getSymbol()).valid) end = span_of(closer->getSymbol()).begin;
  out.format_range = reporter_.range(colon.end, std::max(colon.end, end));
  out.format = std::string(reporter_.text(colon.end, end));
  return out;
}

ast::Expr::StringLit Builder::string(Tree::StringLitContext* context) {
  std::vector<StringPiece> found;
  if (auto* plain = as<Tree::PlainStringContext>(context)) {
    found = pieces(plain->stringPart());
  } else if (auto* triple = as<Tree::TripleStringContext>(context)) {
    found = pieces(triple->stringPart());
    strip_indentation(found);
  } else if (context != nullptr) {
    // One token: raw, unterminated (reported already), or in the wrong quotes.
    const antlr4::Token* token = context->start;
    const std::string_view text = text_of(token);
    StringPiece piece;
    const bool raw_triple = as<Tree::RawTripleStringContext>(context) != nullptr;
    if (raw_triple && text.size() >= 7) {
      piece.text = std::string(text.substr(4, text.size() - 7));
    } else if (as<Tree::RawStringContext>(context) != nullptr && text.size() >= 3) {
      piece.text = std::string(text.substr(2, text.size() - 3));
    } else if (as<Tree::BadRawStringContext>(context) != nullptr && text.size() >= 2) {
      piece.text = std::string(text.substr(2));
    } else if (as<Tree::BadQuotedStringContext>(context) != nullptr && text.size() >= 2) {
      piece.text = std::string(text.substr(1, text.size() - 2));
      if (!reporter_.reported(range_of(token).begin)) {
        reporter_.add(DiagKind::kBadQuotes, range_of(token), "strings stand in double quotes")
            .suggest(fmt::format("write \"{}\"", piece.text));
      }
    }
    found.push_back(std::move(piece));
    if (raw_triple) strip_indentation(found);
  }
  ast::Expr::StringLit out;
  out.parts = merge_pieces(std::move(found));
  return out;
}

std::string Builder::constant_text(Tree::StringLitContext* context, std::string_view where) {
  std::string out;
  if (context == nullptr) return out;
  for (const ast::Expr::StringPart& part : string(context).parts) {
    if (part.value == nullptr) {
      out += part.text;
      continue;
    }
    reporter_.add(DiagKind::kInterpolationHere, part.value->range, fmt::format("{} is a constant text", where))
        .suggest("write '\\{' for a literal brace");
  }
  return out;
}

}  // namespace sgl::compiler::parsing
