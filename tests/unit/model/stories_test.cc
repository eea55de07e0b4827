#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "runtime/base/file.h"
#include "runtime/model/config.h"
#include "runtime/model/kv_store.h"
#include "runtime/model/model.h"
#include "runtime/tokenizer/tokenizer.h"

using namespace sgl;

TEST_CASE("stories260k: the greedy continuations of the llama2.c reference program") {
  const std::filesystem::path folder = "../shared/models/stories260k";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: " << folder.string() << " is not here");
    return;
  }
  const auto m = model::Model::load(folder);
  REQUIRE(m.ok());
  const auto tokenizer = tokenizer::Tokenizer::load(folder);
  REQUIRE(tokenizer.ok());
  const auto expected = nlohmann::json::parse(*base::read_file(folder / "expected.json"));
  const std::size_t steps = expected["steps"], vocab = (*m)->config().vocab_size;
  base::ThreadPool pool(2);
  for (const auto& c : expected["cases"]) {
    std::vector<std::int32_t> tokens = (*tokenizer)->encode(c["prompt"].get<std::string>(), {.add_special = true});
    const auto kv = (*m)->make_kv(steps + 1);
    std::vector<std::uint32_t> slots(steps + 1);
    std::iota(slots.begin(), slots.end(), 0U);
    std::vector<float> logits(vocab);
    std::size_t done = 0;
    while (tokens.size() < steps + 1) {
      const model::Slice slice{{tokens.data() + done, tokens.size() - done},
                               static_cast<std::int64_t>(done),
                               {slots.data(), tokens.size()},
                               1};
      REQUIRE((*m)->forward({&slice, 1}, *kv, logits, pool).ok());
      done = tokens.size();
      const auto next = std::max_element(logits.begin(), logits.end()) - logits.begin();
      if (next == 1 || next == 2) break;
      tokens.push_back(static_cast<std::int32_t>(next));
    }
    CHECK((*tokenizer)->decode(tokens) == c["text"].get<std::string>());
  }
}
