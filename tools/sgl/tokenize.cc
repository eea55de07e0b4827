#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/tokenizer/tokenizer.h"
#include "tools/common/exit_codes.h"
#include "tools/common/model_folder.h"
#include "tools/common/terminal.h"
#include "tools/sgl/commands.h"

namespace sgl::tools {

using Json = nlohmann::ordered_json;

namespace {

class Converter {
 public:
  Converter(const TokenizeCommand& command, const tokenizer::Tokenizer& tokenizer)
      : command_(command), tokenizer_(tokenizer) {}

  Json ids(const std::string& text) const {
    return tokenizer_.encode(text, {.parse_added_tokens = !command_.plain, .add_special = command_.special});
  }

  // The text of a JSON list of ids. Errors: it is something else.
  base::Expected<Json> text(const Json& list) const {
    if (!list.is_array()) return base::invalid("expected a list of token ids such as [1, 403]");
    std::vector<tokenizer::TokenId> tokens;
    for (const Json& item : list) {
      const bool in_range = item.is_number_integer() && item.get<std::int64_t>() >= 0 &&
                            item.get<std::int64_t>() < static_cast<std::int64_t>(tokenizer_.vocab_size());
      if (!in_range) {
        return base::invalid(fmt::format("{} is not a token id; they are 0 to {}", dump(item), tokenizer_.vocab_size() - 1));
      }
      tokens.push_back(item.get<tokenizer::TokenId>());
    }
    return Json(tokenizer_.decode(tokens, !command_.special));
  }

  // One line of --jsonl.
  base::Expected<Json> line(const std::string& source) const {
    const Json json = Json::parse(source, nullptr, false);
    if (json.is_object() && json.contains("ids")) {
      SGL_TRY(Json decoded, text(json.at("ids")));
      return Json{{"text", std::move(decoded)}};
    }
    if (!command_.decode && json.is_object() && json.contains("text") && json.at("text").is_string()) {
      return Json{{"ids", ids(json.at("text").get<std::string>())}};
    }
    return base::invalid(command_.decode ? "expected an object {\"ids\": [1, 403]}"
                                         : "expected an object {\"text\": \"…\"} or {\"ids\": [1, 403]}");
  }

  static std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

 private:
  const TokenizeCommand& command_;
  const tokenizer::Tokenizer& tokenizer_;
};

int refuse(std::string_view message) {
  complain(message);
  return kUsage;
}

int convert_lines(const Converter& converter) {
  constexpr std::size_t kFlush = 1 << 16;  // bytes of output held back; one write per line is slow
  std::string line, out;
  std::ios::sync_with_stdio(false);
  for (std::int64_t number = 1; std::getline(std::cin, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    const auto converted = converter.line(line);
    if (!converted.ok()) {
      (void)print_out(out);
      return refuse(fmt::format("line {} of standard input: {}", number, converted.error().message));
    }
    out += Converter::dump(*converted) + "\n";
    if (out.size() < kFlush) continue;
    if (const int code = print_out(out); code != kOk) return code;
    out.clear();
  }
  return print_out(out);
}

int convert_all(const Converter& converter, bool decode) {
  const auto input = read_stdin();
  if (!input.ok()) return refuse(input.error().message);
  if (!decode) return print_out(Converter::dump(converter.ids(*input)) + "\n");
  Json json = Json::parse(*input, nullptr, false);
  if (json.is_object() && json.contains("ids")) json = Json(json.at("ids"));
  const auto text = converter.text(json);
  if (!text.ok()) return refuse(fmt::format("standard input: {}", text.error().message));
  return print_out(Converter::dump(*text) + "\n");
}

}  // namespace

int tokenize(const TokenizeCommand& command) {
  const auto folder = model_folder(command.folder, ModelNeed::kTokenizer);
  if (!folder.ok()) return refuse(folder.error().message);
  announce(*folder);
  const auto tokenizer = tokenizer::Tokenizer::load(folder->path);
  if (!tokenizer.ok()) return refuse(tokenizer.error().message);
  const Converter converter(command, **tokenizer);
  return command.jsonl ? convert_lines(converter) : convert_all(converter, command.decode);
}

}  // namespace sgl::tools
