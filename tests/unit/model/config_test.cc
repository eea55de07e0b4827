#include "runtime/model/config.h"

#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/unit/model/random_model.h"

using namespace sgl;
using Json = nlohmann::json;

namespace {

std::string error_of(const Json& json) {
  const auto c = model::parse_config(json.dump());
  return c.ok() ? "" : c.error().message;
}

}  // namespace

TEST_CASE("config: one clear sentence per mistake") {
  const Json good = Json::parse(test::config_json({}));
  CHECK(error_of(good).empty());
  const auto with = [&](const char* name, const Json& value) {
    Json j = good;
    j[name] = value;
    return error_of(j);
  };
  CHECK(with("architectures", {"MambaForCausalLM"}).find("architecture 'MambaForCausalLM' is not supported") == 0);
  CHECK(with("architectures", Json::array()).find("'architectures'") != std::string::npos);
  CHECK(with("hidden_size", nullptr) == "config.json has no field 'hidden_size'");
  for (const Json& bad : {Json(-1), Json(0), Json(1.5), Json("64"), Json(std::uint64_t{1} << 63), Json(1e300)}) {
    CHECK(with("hidden_size", bad).find("'hidden_size' must be a whole number") != std::string::npos);
  }
  CHECK(with("num_key_value_heads", 3).find("multiple") != std::string::npos);
  CHECK(with("head_dim", 7).find("even") != std::string::npos);
  CHECK(with("hidden_act", "gelu").find("silu") != std::string::npos);
  CHECK(with("quantization_config", {{"bits", 4}}).find("quantised") != std::string::npos);
  CHECK(with("rope_scaling", {{"type", "longrope"}, {"factor", 2}}).find("'longrope' is not supported") !=
        std::string::npos);
  CHECK(with("rope_scaling", {{"type", "linear"}}).find("'factor'") != std::string::npos);
  CHECK(with("rope_scaling", 3).find("must be an object") != std::string::npos);
  CHECK(with("rope_theta", -1).find("'rope_theta'") != std::string::npos);
  CHECK(model::parse_config("[1]").error().message == "config.json is not a JSON object");
  CHECK(model::parse_config("{").error().message == "config.json is not a JSON object");
}

TEST_CASE("config: features of the architectures") {
  test::RandomModelSpec spec;
  spec.architecture = "Qwen2ForCausalLM";
  auto c = model::parse_config(test::config_json(spec));
  REQUIRE(c.ok());
  CHECK(c->qkv_bias);
  CHECK_FALSE(c->o_bias);
  spec.architecture = "Qwen3ForCausalLM", spec.window = 9, spec.max_window_layers = 1;
  c = model::parse_config(test::config_json(spec));
  REQUIRE(c.ok());
  CHECK(c->qk_norm);
  CHECK(c->window == std::vector<std::size_t>{0, 9});
  Json j = Json::parse(test::config_json(spec));
  j["layer_types"] = {"sliding_attention", "full_attention"};
  c = model::parse_config(j.dump());
  REQUIRE(c.ok());
  CHECK(c->window == std::vector<std::size_t>{9, 0});
  j["use_sliding_window"] = false;
  CHECK(model::parse_config(j.dump())->window == std::vector<std::size_t>{0, 0});
}

TEST_CASE("rope frequencies: known values") {
  test::RandomModelSpec spec;
  spec.head_dim = 128, spec.rope_theta = 500000, spec.context = 131072;
  spec.rope_scaling = R"({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                          "original_max_position_embeddings": 8192})";
  const auto llama = model::parse_config(test::config_json(spec));
  REQUIRE(llama.ok());
  CHECK(llama->context == 131072);
  const std::vector<double> f = model::rope_frequencies(*llama);
  CHECK(f[0] == 1.0);                                                         // fast: unchanged
  CHECK(f[63] == doctest::Approx(std::pow(500000.0, -126.0 / 128.0) / 8.0));  // slow: divided by the factor
  spec.rope_theta = 1000000, spec.context = 32768;
  spec.rope_scaling = R"({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768})";
  const auto yarn = model::parse_config(test::config_json(spec));
  REQUIRE(yarn.ok());
  CHECK(yarn->context == 131072);
  CHECK(yarn->rope.attention_factor == doctest::Approx(1.13862943611));                              // 0.1 ln 4 + 1
  CHECK(model::rope_frequencies(*yarn)[23] == doctest::Approx(std::pow(1e6, -46.0 / 128.0)));        // below low = 23
  CHECK(model::rope_frequencies(*yarn)[40] == doctest::Approx(std::pow(1e6, -80.0 / 128.0) / 4.0));  // above high = 40
}

TEST_CASE("config: mutations never crash") {
  test::RandomModelSpec spec;
  spec.rope_scaling = R"({"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32})";
  const std::string good = test::config_json(spec);
  std::mt19937 rng(5);
  for (int i = 0; i < 3000; ++i) {
    std::string text = good;
    for (unsigned n = 0; n < 1 + rng() % 4; ++n)
      text[rng() % text.size()] = static_cast<char>(" 09-\"{}[],.e:x"[rng() % 14]);
    const auto c = model::parse_config(text);
    if (!c.ok()) CHECK_FALSE(c.error().message.empty());
  }
}
