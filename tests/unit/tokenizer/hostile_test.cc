// Wrong tokenizer.json files give errors, never crashes.
#include <doctest/doctest.h>

#include <random>

#include "tests/unit/tokenizer/support.h"

using namespace sgl::tokenizer;
using nlohmann::json;

namespace {

std::string error_of(const json& file, const std::string& config = "{}") {
  auto tokenizer = Tokenizer::from_json(file.dump(), config);
  REQUIRE_FALSE(tokenizer.ok());
  return tokenizer.error().message;
}
bool names(const std::string& message, const char* part) {
  return message.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("errors name the field") {
  const auto with = [](const char* pointer, const json& value) {
    json file = byte_level_json();
    file[json::json_pointer(pointer)] = value;
    return error_of(file);
  };
  CHECK(names(error_of("[]"), "not a JSON object"));
  CHECK_FALSE(Tokenizer::from_json("{\"model\": ").ok());
  CHECK(names(error_of(json::object()), "model: expected an object"));
  CHECK(names(with("/model/type", "Unigram"), "model.type: 'Unigram'"));
  CHECK(names(with("/model/vocab/x", -1), "model.vocab[\"x\"]"));
  CHECK(names(with("/model/vocab/x", 4'000'000'000u), "model.vocab[\"x\"]"));
  CHECK(names(with("/model/vocab/xx", 5), "id 5 is taken"));
  CHECK(names(with("/model/merges/1", "h"), "model.merges[1]"));
  CHECK(names(with("/model/merges/1", json::array({"h", "nope"})), "model.merges[1]: token 'nope'"));
  CHECK(names(with("/model/merges/1", json::array({"h", "h"})), "the result 'hh'"));
  CHECK(names(with("/model/unk_token", "<unk>"), "model.unk_token"));
  CHECK(names(with("/model/end_of_word_suffix", "</w>"), "model.end_of_word_suffix"));
  CHECK(names(with("/pre_tokenizer/type", "Magic"), "pre_tokenizer: pre-tokenizer type 'Magic'"));
  CHECK(names(with("/pre_tokenizer/use_regex", 3), "pre_tokenizer.use_regex: expected true or false"));
  CHECK(names(with("/normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "Odd"}}}}}),
              "normalizer.normalizers[0]"));
  CHECK(names(with("/decoder/type", 7), "decoder.type: expected a string"));
  CHECK(names(with("/added_tokens/0/id", 3), "added_tokens[0]"));
  CHECK(names(with("/added_tokens/0/id", 1ull << 40), "added_tokens[0].id"));
  CHECK(
      names(with("/post_processor", {{"type", "TemplateProcessing"}, {"single", {{{"SpecialToken", {{"id", "q"}}}}}}}),
            "'q'"));
  const json split = {{"type", "Split"}, {"pattern", {{"Regex", "(a"}}}, {"behavior", "Isolated"}};
  CHECK(names(with("/pre_tokenizer", split), "pre_tokenizer.pattern.Regex: regular expression, column 3"));
  CHECK(names(error_of(byte_level_json(), R"({"eos_token": "<nope>"})"), "eos_token"));
}

TEST_CASE("mutated files never crash") {
  std::mt19937 rng(11);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(rng() % n); };
  const std::string sources[] = {byte_level_json().dump(), sentencepiece_json().dump()};
  const char* pieces[] = {"null",    "-1",       "1e99",      "99999999999999999999",
                          "\"\"",    "{}",       "[]",        "true",
                          "\\u0000", "\"type\"", "Sequence",  "\xff",
                          "[[[[",    "262",      "\"Split\"", "\"Strip\""};
  int loaded = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string text = sources[round % 2];
    for (std::size_t n = 1 + pick(4); n > 0 && !text.empty(); --n) {
      const std::size_t at = pick(text.size());
      switch (pick(5)) {
        case 0:
          text.resize(at + 1);
          break;
        case 1:
          text[at] = static_cast<char>(rng());
          break;
        case 2:
          text.erase(at, 1 + pick(20));
          break;
        case 3: {
          const std::size_t end = text.find_first_of(",}]", at);
          text.replace(at, end == std::string::npos ? 1 : end - at, pieces[pick(std::size(pieces))]);
          break;
        }
        default:
          text.insert(at, text.substr(pick(text.size()), pick(40)));
      }
    }
    auto tokenizer = Tokenizer::from_json(text);
    if (!tokenizer) {
      CHECK_FALSE(tokenizer.error().message.empty());
      continue;
    }
    ++loaded;
    const auto ids = (*tokenizer)->encode("hello <tool> w\u00e9 \xff<|end|>", {true, true, false});
    (*tokenizer)->decode(ids, false);
  }
  MESSAGE(loaded << " of 4000 mutated files still load");
}
