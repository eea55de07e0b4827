// The engine's parts that need no model: sequences, stop strings, healing, validation.
#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "runtime/engine/engine.h"
#include "runtime/engine/healing.h"
#include "runtime/engine/stop_text.h"
#include "runtime/engine/validate.h"
#include "tests/unit/model/random_model.h"

using namespace sgl;
using namespace sgl::engine;

TEST_CASE("sequence: copies share and never change each other") {
  Sequence a;
  CHECK(a.size() == 0);
  CHECK(a.tokens().empty());
  const TokenId first[] = {1, 2, 3};
  a.append(first);
  Sequence b = a.fork();
  const TokenId left[] = {4}, right[] = {5, 6};
  a.append(left);
  b.append(right);
  b.append({});
  CHECK(a.tokens() == std::vector<TokenId>{1, 2, 3, 4});
  CHECK(b.tokens() == std::vector<TokenId>{1, 2, 3, 5, 6});
  CHECK(b.size() == 5);
}

TEST_CASE("sequence: a million appends, destroyed without recursion") {
  Sequence s;
  std::vector<TokenId> wide(65, 7);
  for (int i = 0; i < 200000; ++i) s.append(wide);
  const Sequence fork = s.fork();
  s = {};
  CHECK(fork.size() == 200000 * 65);
  Sequence narrow;
  const TokenId one[] = {9};
  for (int i = 0; i < 100000; ++i) narrow.append(one);
  CHECK(narrow.tokens() == std::vector<TokenId>(100000, 9));
}

TEST_CASE("stop strings: the first in the text, across pieces, and what may be shown") {
  const StopText stops({"END", "\n\n", "EN!"});
  CHECK_FALSE(stops.find("abc", 0));
  CHECK(stops.find("abEND", 0)->at == 2);
  CHECK(stops.find("abEND\n\n", 4)->at == 2);  // completed by the last byte
  CHECK_FALSE(stops.find("abENDx", 5));        // searched before
  CHECK(stops.find("x\n\nEND", 0)->which == 1);
  CHECK(stops.safe_length("abc") == 3);
  CHECK(stops.safe_length("abE") == 2);
  CHECK(stops.safe_length("abEN") == 2);
  CHECK(stops.safe_length("abENx\n") == 5);
  CHECK(StopText({}).safe_length("abc") == 3);
  CHECK_FALSE(StopText({}).find("abc", 0));
}

TEST_CASE("healing index: what extends a token, and what may come instead") {
  const auto tokenizer = tokenizer::Tokenizer::from_json(test::byte_tokenizer_json({"t", "h", "e", "th", "the"}));
  REQUIRE(tokenizer.ok());
  const HealingIndex index(**tokenizer, (*tokenizer)->vocab_size());
  CHECK(index.extendable("t"));
  CHECK(index.extendable("th"));
  CHECK_FALSE(index.extendable("the"));
  CHECK_FALSE(index.extendable("x"));
  const auto mask = index.mask("th");
  for (const char* allowed : {"t", "th", "the"}) CHECK(mask.test(*(*tokenizer)->token_id(allowed)));
  for (const char* other : {"h", "e"}) CHECK_FALSE(mask.test(*(*tokenizer)->token_id(other)));
  CHECK(mask.test('t' + 3));
  CHECK_FALSE(mask.test('x' + 3));
}

TEST_CASE("validation: every parameter out of range is refused by name") {
  const RequestLimits limits{300, 100};
  const auto error = [&](auto change) {
    GenerateRequest r;
    const TokenId tokens[] = {5, 6};
    r.sequence.append(tokens);
    change(r);
    const auto valid = validate(r, limits);
    return valid.ok() ? std::string() : valid.error().message;
  };
  const auto names = [](const std::string& message, const char* name) {
    return message.find(name) != std::string::npos;
  };
  CHECK(error([](auto&) {}).empty());
  const double nan = std::nan("");
  for (const double v : {-0.1, 100.1, nan})
    CHECK(names(error([&](auto& r) { r.sampling.temperature = v; }), "temperature"));
  for (const double v : {0.0, 1.1, nan}) CHECK(names(error([&](auto& r) { r.sampling.top_p = v; }), "top_p"));
  for (const double v : {-0.1, 1.1, nan}) CHECK(names(error([&](auto& r) { r.sampling.min_p = v; }), "min_p"));
  for (const double v : {-2.1, 2.1, nan}) {
    CHECK(names(error([&](auto& r) { r.sampling.frequency_penalty = v; }), "frequency_penalty"));
    CHECK(names(error([&](auto& r) { r.sampling.presence_penalty = v; }), "presence_penalty"));
  }
  for (const double v : {0.0, 10.1, nan})
    CHECK(names(error([&](auto& r) { r.sampling.repetition_penalty = v; }), "repetition"));
  CHECK(names(error([](auto& r) { r.sampling.top_k = -1; }), "top_k"));
  CHECK(names(error([](auto& r) { r.sampling.max_tokens = -1; }), "max_tokens"));
  CHECK(names(error([](auto& r) { r.sampling.min_tokens = -1; }), "min_tokens"));
  CHECK(names(error([](auto& r) { r.sampling.stop = {""}; }), "stop string"));
  CHECK(names(error([](auto& r) { r.sampling.logit_bias = {{300, 1.0}}; }), "vocabulary"));
  CHECK(names(error([&](auto& r) { r.sampling.logit_bias = {{1, nan}}; }), "logit_bias"));
  CHECK(names(error([](auto& r) { r.sequence = {}; }), "empty"));
  const TokenId bad[] = {-1};
  CHECK(names(error([&](auto& r) { r.sequence.append(bad); }), "token -1"));
  const std::vector<TokenId> many(100, 3);
  CHECK(names(error([&](auto& r) { r.sequence.append(many); }), "more than the 100"));
  EngineOptions options;
  options.page_size = 0;
  CHECK_FALSE(validate(options).ok());
}
