#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "runtime/base/file.h"
#include "runtime/model/quantized_folder.h"
#include "tests/unit/model/random_model.h"
#include "tests/unit/model/reference_model.h"
#include "tests/unit/model/run_model.h"

using namespace sgl;
using model::Model;
using model::WeightFormat;
namespace fs = std::filesystem;

namespace {

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

std::string message(const base::Expected<std::shared_ptr<const Model>>& loaded) {
  return loaded.ok() ? "no error" : loaded.error().message;
}

void put(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a quantised model is near the original, and its folder loads to the same bits") {
  for (const char* architecture : {"LlamaForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"}) {
    for (const WeightFormat format : test::kQuantFormats) {
      CAPTURE(architecture);
      CAPTURE(model::format_name(format));
      test::RandomModelSpec spec;
      spec.architecture = architecture;
      spec.tied = spec.architecture == "Qwen3ForCausalLM";
      spec.hidden = 96, spec.intermediate = 200, spec.dtype = "BF16";
      const test::TemporaryFolder folder;
      const test::RandomModel random = test::write_random_model(spec, folder.path() / "source");
      put(folder.path() / "source" / "tokenizer.json", "{}");
      const auto loaded = Model::load(folder.path() / "source", {.weights = format});
      REQUIRE_MESSAGE(loaded.ok(), message(loaded));
      const std::vector<std::int32_t> tokens = test::random_tokens(40, spec.vocab);
      const std::vector<float> logits = test::run(**loaded, tokens, 40, 1, false);
      CHECK(test::deviation(logits, test::reference_logits(random, tokens)) <
            (format == WeightFormat::kQ8 ? 0.05 : 0.7));

      const fs::path target = folder.path() / "target";
      const auto written = model::write_quantized(folder.path() / "source", target, format);
      REQUIRE_MESSAGE(written.ok(), (written.ok() ? "" : written.error().message));
      CHECK(written->bytes == fs::file_size(target / "model.safetensors"));
      CHECK(fs::exists(target / "tokenizer.json"));
      for (const WeightFormat asked : {WeightFormat::kAsStored, format}) {
        const auto again = Model::load(target, {.weights = asked});
        REQUIRE_MESSAGE(again.ok(), message(again));
        CHECK(same(logits, test::run(**again, tokens, 7, 2, true)));
      }
    }
  }
}

TEST_CASE("folders with packed weights: one clear sentence per mistake") {
  const test::TemporaryFolder folder;
  const fs::path source = folder.path() / "source", target = folder.path() / "target";
  test::write_random_model({}, source);
  REQUIRE(model::write_quantized(source, target, WeightFormat::kQ8).ok());
  CHECK(contains(message(Model::load(target, {.weights = WeightFormat::kQ4})), "quantised already"));
  CHECK_FALSE(model::write_quantized(source, target, WeightFormat::kQ8).ok());  // not empty
  CHECK_FALSE(model::write_quantized(source, folder.path() / "a", WeightFormat::kAsStored).ok());
  CHECK_FALSE(model::write_quantized(target, folder.path() / "b", WeightFormat::kQ4).ok());
  CHECK_FALSE(model::write_quantized(folder.path() / "nowhere", folder.path() / "c", WeightFormat::kQ4).ok());

  const std::string weights = *base::read_file(target / "model.safetensors");
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{500}, weights.size() / 2, weights.size() - 1}) {
    put(target / "model.safetensors", weights.substr(0, size));
    CHECK_FALSE(Model::load(target).ok());
  }
  put(target / "model.safetensors", weights);
  const auto config = nlohmann::json::parse(*base::read_file(target / "config.json"));
  const auto with = [&](auto change) {
    nlohmann::json changed = config;
    change(changed["quantization_config"]);
    put(target / "config.json", changed.dump());
    return message(Model::load(target));
  };
  CHECK(with([](auto&) {}) == "no error");
  CHECK(contains(with([](auto& q) { q["format"] = "q4"; }), "in the format q4 needs"));
  CHECK(contains(with([](auto& q) { q["format"] = "q3"; }), "no weight format 'q3'"));
  CHECK(contains(with([](auto& q) { q["layout_version"] = 2; }), "layout 2"));
  CHECK(contains(with([](auto& q) { q["quant_method"] = "gptq"; }), "'gptq'"));
  CHECK(contains(with([](auto& q) { q = 5; }), "another program"));
  CHECK(contains(with([](auto& q) { q = nullptr; }), "has the shape"));
}

TEST_CASE("packed weights with any content give finite work, not a crash") {
  const test::TemporaryFolder folder;
  test::write_random_model({}, folder.path() / "source");
  for (const WeightFormat format : test::kQuantFormats) {
    const fs::path target = folder.path() / std::string(model::format_name(format));
    REQUIRE(model::write_quantized(folder.path() / "source", target, format).ok());
    std::string weights = *base::read_file(target / "model.safetensors");
    std::mt19937 rng(5);
    std::size_t header = 0;
    for (std::size_t i = 0; i < 8; ++i) header |= std::size_t{static_cast<unsigned char>(weights[i])} << (8 * i);
    for (std::size_t i = 8 + header; i < weights.size(); ++i) weights[i] = static_cast<char>(rng());
    put(target / "model.safetensors", weights);
    const auto loaded = Model::load(target);
    REQUIRE(loaded.ok());
    const std::vector<std::int32_t> tokens = test::random_tokens(20, 300);
    CHECK(test::run(**loaded, tokens, 20, 1, false).size() == 20 * 300);
  }
}
