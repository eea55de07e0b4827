// Real tokenizers against reference encodings, and the promises of tokenizer.h on small ones.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "runtime/base/utf8.h"
#include "tests/unit/tokenizer/support.h"

using namespace sgl::tokenizer;

TEST_CASE("real tokenizers agree with the reference id for id") {
  const std::filesystem::path folder = test_tokenizers();
  std::ifstream vectors(folder / "vectors.jsonl");
  if (!vectors) {
    MESSAGE("skipped: no " << (folder / "vectors.jsonl").string() << "; run scripts/fetch_test_tokenizers.sh");
    return;
  }
  std::map<std::string, std::shared_ptr<const Tokenizer>> loaded;
  std::map<std::string, int> right, wrong;
  for (std::string line; std::getline(vectors, line);) {
    const auto vector = nlohmann::json::parse(line);
    const std::string name = vector["tokenizer"], text = vector["text"];
    if (!loaded.contains(name)) {
      auto tokenizer = Tokenizer::load(folder / name);
      REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.error().message);
      loaded[name] = *tokenizer;
    }
    const Tokenizer& tokenizer = *loaded[name];
    const auto ids = tokenizer.encode(text, {.parse_added_tokens = true});
    const bool same = ids == vector["ids"].get<std::vector<TokenId>>();
    ++(same ? right : wrong)[name];
    CHECK_MESSAGE(same, name << ": " << vector["text"].dump() << " gave " << nlohmann::json(ids).dump() << " not "
                             << vector["ids"].dump());
    if (name != "qwen3") CHECK(tokenizer.decode(ids, false) == text);  // Qwen normalises
  }
  for (const auto& [name, count] : right) MESSAGE(name << ": " << count << " right, " << wrong[name] << " wrong");
}

namespace {

std::shared_ptr<const Tokenizer> make(const nlohmann::json& file, const std::string& config = "{}") {
  auto tokenizer = Tokenizer::from_json(file.dump(), config);
  REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.error().message);
  return *tokenizer;
}

std::string random_bytes(std::mt19937& rng, std::size_t size) {
  const char* parts[] = {"hello",   " ",        "\u00e9", "\U0001F600", "<tool>",
                         "<|end|>", "\xF0\x9F", "\xff",   "\n",         "w\u4eca"};
  std::string out;
  while (out.size() < size)
    out += rng() % 8 == 0 ? std::string(1, static_cast<char>(rng())) : parts[rng() % std::size(parts)];
  return out;
}

}  // namespace

TEST_CASE("added tokens are text unless asked for") {
  const auto tokenizer = make(byte_level_json(), R"({"eos_token": {"content": "<|end|>"}})");
  CHECK(tokenizer->vocab_size() == 263);
  CHECK(tokenizer->encode("hello hello") == std::vector<TokenId>{259, 260});
  CHECK(tokenizer->encode("hello<|end|>", {.parse_added_tokens = true}) == std::vector<TokenId>{259, 261});
  CHECK(tokenizer->encode("<|end|>").size() == 7);
  CHECK(tokenizer->decode(tokenizer->encode("<|end|>")) == "<|end|>");
  CHECK(tokenizer->token_bytes(260) == " hello");
  CHECK(tokenizer->token_bytes(261).empty());
  CHECK(tokenizer->token_bytes(262) == "<tool>");
  CHECK(tokenizer->is_special(261));
  CHECK_FALSE(tokenizer->is_special(262));
  CHECK(tokenizer->token_id("<|end|>") == 261);
  CHECK(tokenizer->token_id("\u0120hello") == 260);
  CHECK(tokenizer->eos()[0] == 261);
  CHECK(tokenizer->eos_text() == "<|end|>");
  const std::vector<TokenId> ids{259, 261};
  CHECK(tokenizer->decode(ids) == "hello");
  CHECK(tokenizer->decode(ids, false) == "hello<|end|>");
}

TEST_CASE("data spans hide control tokens") {
  const auto tokenizer = make(byte_level_json());
  const std::string text = "<|end|>hello<|end|><|end|>";
  const std::vector<ByteSpan> data{{7, 19}};
  const auto ids = tokenizer->encode(text, {.parse_added_tokens = true}, data);
  CHECK(std::count(ids.begin(), ids.end(), 261) == 2);
  CHECK(ids.front() == 261);
  CHECK(ids.back() == 261);
  CHECK(tokenizer->decode(ids, false) == text);
  // A spelling that only partly comes from data is no control token either.
  const std::vector<ByteSpan> part{{3, 4}};
  CHECK(tokenizer->encode("<|end|>", {.parse_added_tokens = true}, part).size() == 7);
}

TEST_CASE("SentencePiece spaces, byte fallback and the beginning of text") {
  const auto tokenizer = make(sentencepiece_json(), R"({"bos_token": "<s>", "eos_token": "</s>"})");
  CHECK(tokenizer->encode("hello") == std::vector<TokenId>{271});
  CHECK(tokenizer->encode("hello", {.continuation = true}) == std::vector<TokenId>{270});
  CHECK(tokenizer->encode("hello", {.add_special = true}) == std::vector<TokenId>{1, 271});
  CHECK(tokenizer->encode("\u00e9", {.continuation = true}) == std::vector<TokenId>{3 + 0xC3, 3 + 0xA9});
  CHECK(tokenizer->leading_strip() == 1);
  CHECK(tokenizer->token_bytes(271) == " hello");
  CHECK(tokenizer->token_bytes(3 + 0xC3) == "\xC3");
  const std::vector<TokenId> ids{1, 271, 271};
  CHECK(tokenizer->decode(ids) == "hello hello");
  CHECK(tokenizer->bos() == 1);
}

TEST_CASE("a text of bytes survives encoding and decoding; streaming gives the same text in whole characters") {
  std::mt19937 rng(3);
  for (const auto& tokenizer : {make(byte_level_json()), make(sentencepiece_json())}) {
    for (int round = 0; round < 300; ++round) {
      const std::string text = random_bytes(rng, 1 + rng() % 60);
      std::vector<TokenId> ids = tokenizer->encode(text, {.parse_added_tokens = false});
      std::string bytes;
      for (TokenId id : ids) bytes += tokenizer->token_bytes(id);
      CHECK((bytes == text || (tokenizer->leading_strip() != 0 && bytes == " " + text)));
      // Any ids, as a model may give them.
      for (TokenId& id : ids) {
        if (rng() % 4 == 0) id = static_cast<TokenId>(rng() % 300) - 5;
      }
      StreamDecoder stream(tokenizer, true);
      std::string streamed;
      for (TokenId id : ids) {
        const std::string piece = stream.push(id);
        CHECK(sgl::base::is_valid_utf8(piece));
        streamed += piece;
      }
      streamed += stream.finish();
      CHECK(streamed == tokenizer->decode(ids));
    }
  }
}

TEST_CASE("long words take no quadratic time") {
  const auto tokenizer = make(byte_level_json());
  std::string word;
  for (int i = 0; i < 60'000; ++i) word += "hellohe";
  CHECK(tokenizer->encode(word).size() == 120'000);
  CHECK(make(sentencepiece_json())->encode(word, {.continuation = true}).size() == 120'000);
}

TEST_CASE("the components that only some files use") {
  nlohmann::json file = sentencepiece_json();
  file["normalizer"] = nullptr;
  file["pre_tokenizer"] = {{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "first"}};
  const auto tokenizer = make(file);
  CHECK(tokenizer->encode("hello hello") == std::vector<TokenId>{271, 271});
  CHECK(tokenizer->encode("hello", {.continuation = true}) == std::vector<TokenId>{270});
  // "first" marks only the piece that begins the text.
  CHECK(tokenizer->encode("</s>hello", {.parse_added_tokens = true}) == std::vector<TokenId>{2, 270});

  nlohmann::json stripped = byte_level_json();
  stripped["added_tokens"][0]["lstrip"] = true;
  stripped["added_tokens"][0]["rstrip"] = true;
  stripped["added_tokens"][1]["single_word"] = true;
  const auto strip = make(stripped);
  CHECK(strip->encode("hello  <|end|> \nhello", {.parse_added_tokens = true}) == std::vector<TokenId>{259, 261, 259});
  CHECK(strip->encode("<tool>", {.parse_added_tokens = true}) == std::vector<TokenId>{262});
  CHECK(strip->encode("a<tool>", {.parse_added_tokens = true}).size() == 7);
}
