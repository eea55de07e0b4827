#include "compiler/parse/parse.h"

#include <fmt/format.h>

#include "SglParser.h"
#include "compiler/parse/builder.h"
#include "compiler/parse/errors.h"
#include "compiler/parse/lexer.h"
#include "compiler/parse/reporter.h"
#include "compiler/parse/token_filter.h"
#include "runtime/base/utf8.h"

namespace sgl::compiler {
namespace {

// Offset of the first byte that is not part of valid UTF-8; the size of the text if there is none.
std::size_t first_bad_byte(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const base::DecodedChar decoded = base::decode_utf8(text, at);
    if (!decoded.valid) return at;
    at += decoded.bytes;
  }
  return at;
}

// Whether the text can be tokenised at all.
bool readable(std::string_view text, parsing::Reporter& reporter) {
  if (text.size() > ParseLimits::kMaxBytes) {
    reporter.add(DiagKind::kUnreadableFile, 0, 0, fmt::format("the file has {} bytes, more than the {} that are read",
                                                             text.size(), ParseLimits::kMaxBytes));
    return false;
  }
  const std::size_t bad = first_bad_byte(text);
  if (bad < text.size()) {
    const auto at = static_cast<std::uint32_t>(bad);
    reporter.add(DiagKind::kBadUtf8, at, at + 1,
                 fmt::format("byte 0x{:02X} is not part of UTF-8 text", static_cast<unsigned char>(text[bad])))
        .suggest("save the file as UTF-8");
    return false;
  }
  return true;
}

}  // namespace

ParseResult parse(const SourceSet& sources, FileId file, Diagnostics& diagnostics) {
  const SourceFile& source = sources.file(file);
  parsing::Reporter reporter(file, source.text(), diagnostics);
  ParseResult result;
  if (!readable(source.text(), reporter)) {
    result.module = std::make_unique<ast::Module>();
  } else {
    const std::vector<parsing::RawToken> raw = parsing::lex_raw(source.text());
    const std::vector<parsing::ParserToken> tokens = parsing::filter_tokens(raw, reporter);
    parsing::TokenListSource token_source(tokens);
    antlr4::CommonTokenStream stream(&token_source);
    antlr::SglParser parser(&stream);
    parser.removeErrorListeners();
    parser.setErrorHandler(std::make_shared<parsing::ErrorStrategy>(reporter, token_source));
    // Prediction never needs the calling context, so the cheaper mode decides alike.
    parser.getInterpreter<antlr4::atn::ParserATNSimulator>()->setPredictionMode(antlr4::atn::PredictionMode::SLL);
    antlr::SglParser::FileContext* tree = parser.file();
    result.module = parsing::Builder(reporter, raw).module(tree);
  }
  result.module->file = file;
  result.module->name = source.path();
  return result;
}

}  // namespace sgl::compiler
