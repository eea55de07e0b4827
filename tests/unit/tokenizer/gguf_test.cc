// Tokenizers out of GGUF files against the tokenizer.json that they were made from.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/unit/tokenizer/gguf_vocabulary.h"
#include "tests/unit/tokenizer/support.h"

using namespace sgl;
using namespace sgl::tokenizer;

namespace {

// Writes and loads a file; the file is gone afterwards.
base::Expected<std::shared_ptr<const Tokenizer>> load(const gguf::Writer& writer) {
  const auto path = std::filesystem::temp_directory_path() / ("sgl-test-" + std::to_string(::getpid()) + ".gguf");
  const auto written = writer.write(path);
  REQUIRE(written.ok());
  auto out = Tokenizer::load(path);
  std::filesystem::remove(path);
  return out;
}

std::string error_of(const gguf::Writer& writer) {
  const auto loaded = load(writer);
  return loaded.ok() ? "" : loaded.error().message;
}

nlohmann::json read_json(const std::filesystem::path& path) {
  std::ifstream in(path);
  return nlohmann::json::parse(in);
}

}  // namespace

TEST_CASE("real vocabularies mean the same in a GGUF file") {
  std::ifstream vectors(test_tokenizers() / "vectors.jsonl");
  if (!vectors) {
    MESSAGE("skipped: no reference vectors; run scripts/fetch_test_tokenizers.sh");
    return;
  }
  std::map<std::string, std::shared_ptr<const Tokenizer>> loaded;
  for (const auto& [name, pre] : {std::pair("qwen3", "qwen2"), {"llama3", "llama-bpe"}}) {
    gguf::Writer writer;
    test::add_vocabulary(writer, read_json(test_tokenizers() / name / "tokenizer.json"), "gpt2", pre);
    auto tokenizer = load(writer);
    REQUIRE_MESSAGE(tokenizer.ok(), tokenizer.error().message);
    loaded[name] = *tokenizer;
  }
  int count = 0;
  for (std::string line; std::getline(vectors, line);) {
    const auto vector = nlohmann::json::parse(line);
    const auto it = loaded.find(vector["tokenizer"]);
    if (it == loaded.end()) continue;
    const auto ids = it->second->encode(vector["text"].get<std::string>(), {.parse_added_tokens = true});
    CHECK_MESSAGE(ids == vector["ids"].get<std::vector<TokenId>>(), it->first << ": " << vector["text"].dump());
    ++count;
  }
  CHECK(count > 300);
}

TEST_CASE("SentencePiece vocabularies merge by score") {
  const nlohmann::json file = sentencepiece_json();
  gguf::Writer writer;
  test::add_vocabulary(writer, file, "llama", "");
  writer.count("tokenizer.ggml.bos_token_id", 1);
  writer.count("tokenizer.ggml.eos_token_id", 2);
  writer.count("tokenizer.ggml.unknown_token_id", 0);
  writer.text("tokenizer.chat_template", "{{ messages[0].content }}");
  const auto from_gguf = load(writer);
  REQUIRE_MESSAGE(from_gguf.ok(), from_gguf.error().message);
  const auto original = Tokenizer::from_json(file.dump());
  REQUIRE(original.ok());
  for (const char* text : {"hello world", "hell o", " hello", "hellohello", "\u4eca hello", "", "he ll </s>"}) {
    const auto ids = (*from_gguf)->encode(text, {.add_special = true});
    CHECK_MESSAGE(ids == (*original)->encode(text, {.add_special = true}), text);
    CHECK((*from_gguf)->decode(ids) == (*original)->decode(ids));
  }
  CHECK((*from_gguf)->bos() == 1);
  REQUIRE((*from_gguf)->eos().size() == 1);
  CHECK((*from_gguf)->eos()[0] == 2);
  CHECK((*from_gguf)->chat_template() == "{{ messages[0].content }}");
}

TEST_CASE("a chat model ends its turn with the token that its file does not name") {
  nlohmann::json file = byte_level_json();
  file["added_tokens"].push_back({{"id", 263}, {"content", "<|im_end|>"}, {"special", true}, {"normalized", false}});
  gguf::Writer writer;
  test::add_vocabulary(writer, file, "gpt2", "gpt-2");
  writer.count("tokenizer.ggml.eos_token_id", 261);
  const auto loaded = load(writer);
  REQUIRE_MESSAGE(loaded.ok(), loaded.error().message);
  const auto eos = (*loaded)->eos();
  CHECK(std::vector<TokenId>(eos.begin(), eos.end()) == std::vector<TokenId>{261, 263});
}

TEST_CASE("what cannot be read is refused with its key") {
  gguf::Writer empty;
  CHECK(error_of(empty).find("the file has no tokenizer") != std::string::npos);
  gguf::Writer unknown;
  test::add_vocabulary(unknown, byte_level_json(), "gpt2", "somebody-else");
  CHECK(error_of(unknown).find("the pre-tokenizer 'somebody-else' ('tokenizer.ggml.pre') is not supported") !=
        std::string::npos);
  gguf::Writer old;
  test::add_vocabulary(old, byte_level_json(), "gpt2", "");
  CHECK(error_of(old).find("old converter") != std::string::npos);
  gguf::Writer range;
  test::add_vocabulary(range, byte_level_json(), "gpt2", "gpt-2");
  range.count("tokenizer.ggml.eos_token_id", 100000);
  CHECK(error_of(range).find("'tokenizer.ggml.eos_token_id' is not a token of the vocabulary") != std::string::npos);
  gguf::Writer twice;
  const std::string tokens[] = {"a", "a"};
  twice.text("tokenizer.ggml.model", "gpt2");
  twice.texts("tokenizer.ggml.tokens", tokens);
  CHECK(error_of(twice).find("has the token 'a' twice") != std::string::npos);
  gguf::Writer endless;
  const std::string long_token[] = {std::string(2000, 'a')};
  endless.text("tokenizer.ggml.model", "llama");
  endless.texts("tokenizer.ggml.tokens", long_token);
  CHECK(error_of(endless).find("a token of 2000 bytes, over the limit of 1024") != std::string::npos);
}
