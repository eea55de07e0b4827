#include "server/api/sampling.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/engine/validate.h"
#include "server/auth/crypto.h"

namespace sgl::server {
namespace {

constexpr int kNativeMaxTokens = 128;  // SGLang's default
constexpr int kMaxTokens = 1 << 24;

// Without a seed every request draws anew.
std::uint64_t random_seed() {
  const std::string bytes = random_bytes(8);
  std::uint64_t out = 0;
  for (const char c : bytes) out = out << 8 | static_cast<unsigned char>(c);
  return out;
}

// Before a request copies them for each of its prompts; the engine would refuse them later.
void read_stops(Fields& fields, engine::SamplingParams& out) {
  const auto stops = fields.texts("stop");
  if (!stops) return;
  std::size_t bytes = 0;
  for (const std::string& stop : *stops) {
    bytes += stop.size();
    if (!stop.empty()) out.stop.push_back(stop);
  }
  if (out.stop.size() > engine::kMaxStops || bytes > engine::kMaxStopBytes) {
    out.stop.clear();
    fields.fail("stop", fmt::format("'stop' has at most {} strings of {} bytes in all", engine::kMaxStops,
                                    engine::kMaxStopBytes));
  }
}

void read_stop_tokens(Fields& fields, std::size_t vocab, engine::SamplingParams& out) {
  const Json* ids = fields.array("stop_token_ids");
  if (ids == nullptr) return;
  if (ids->size() > engine::kMaxStops)
    return fields.fail("stop_token_ids", fmt::format("'stop_token_ids' has at most {} tokens", engine::kMaxStops));
  for (const Json& id : *ids) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 ||
        id.get<std::int64_t>() >= static_cast<std::int64_t>(vocab)) {
      return fields.fail("stop_token_ids", fmt::format("'stop_token_ids' must be token ids below {}", vocab));
    }
    out.stop_tokens.push_back(id.get<engine::TokenId>());
  }
}

void read_logit_bias(Fields& fields, std::size_t vocab, engine::SamplingParams& out) {
  const Json* biases = fields.object("logit_bias");
  if (biases == nullptr) return;
  if (biases->size() > kMaxBiases)
    return fields.fail("logit_bias", fmt::format("'logit_bias' has at most {} tokens", kMaxBiases));
  for (const auto& [key, value] : biases->items()) {
    const bool digits = !key.empty() && key.size() < 10 && key.find_first_not_of("0123456789") == std::string::npos;
    if (!digits || std::stoul(key) >= vocab || !value.is_number() || std::abs(value.get<double>()) > 100) {
      return fields.fail("logit_bias",
                         fmt::format("'logit_bias' must map token ids below {} to numbers from -100 to 100", vocab));
    }
    out.logit_bias.emplace_back(static_cast<engine::TokenId>(std::stoul(key)), value.get<double>());
  }
}

void read_common(Service& service, Fields& fields, const Principal& who, Sampling& out) {
  engine::SamplingParams& p = out.params;
  const std::size_t vocab = service.engine->tokenizer().vocab_size();
  p.temperature = fields.number("temperature", 0, 100).value_or(1.0);
  p.top_p = fields.number("top_p", 1e-9, 1).value_or(1.0);
  p.min_p = fields.number("min_p", 0, 1).value_or(0.0);
  const std::int64_t top_k = fields.integer("top_k", -1, 1 << 30).value_or(-1);
  p.top_k = top_k == -1 ? 0 : static_cast<int>(top_k);
  p.frequency_penalty = fields.number("frequency_penalty", -2, 2).value_or(0.0);
  p.presence_penalty = fields.number("presence_penalty", -2, 2).value_or(0.0);
  p.repetition_penalty = fields.number("repetition_penalty", 1e-9, 10).value_or(1.0);
  p.ignore_eos = fields.flag("ignore_eos").value_or(false);
  read_stops(fields, p);
  read_stop_tokens(fields, vocab, p);
  read_logit_bias(fields, vocab, p);
  out.n = fields.integer("n", 1, kMaxN).value_or(1);
  if (who.quotas.max_n > 0 && out.n > who.quotas.max_n) {
    fields.fail("n", fmt::format("these credentials allow 'n' up to {}", who.quotas.max_n));
  }
  // Python and JavaScript clients may send negative seeds.
  const auto seed = fields.integer("seed");
  p.seed = seed ? static_cast<std::uint64_t>(*seed) : random_seed();
}

void read_constraint(Service& service, Fields& fields, const Principal& who, Sampling& out) {
  int given = 0;
  const auto use = [&](const char* name, auto&& compile) {
    const Json* value = fields.any(name);
    if (value == nullptr) return;
    if (++given > 1)
      return fields.fail(name, "only one of 'regex', 'json_schema', 'ebnf' and 'structural_tag' may be given");
    const bool object = std::string_view(name) == "json_schema" || std::string_view(name) == "structural_tag";
    if (!value->is_string() && !(value->is_object() && object)) {
      return fields.fail(name, fmt::format("'{}' must be a string", name));
    }
    auto made = compile(value->is_string() ? value->get<std::string>() : base::json_compact(fields.source({name})));
    if (!made.ok()) return fields.fail(name, made.error());
    out.constraint = std::move(*made);
  };
  use("regex", [&](const std::string& text) { return service.constraints.regex(who.tenant, text); });
  use("json_schema", [&](const std::string& text) { return service.constraints.json_schema(who.tenant, text); });
  use("ebnf", [&](const std::string& text) { return service.constraints.grammar(who.tenant, text); });
  use("structural_tag", [&](const std::string& text) { return service.constraints.tags(who.tenant, text); });
}

}  // namespace

std::uint64_t seed_of(std::uint64_t seed, std::size_t i) {
  if (i == 0) return seed;
  std::uint64_t x = seed + 0x9E3779B97F4A7C15U * i;  // SplitMix64
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

Sampling native_sampling(Service& service, Fields& fields, const Principal& who) {
  Sampling out;
  read_common(service, fields, who, out);
  out.params.max_tokens = static_cast<int>(fields.integer("max_new_tokens", 0, kMaxTokens).value_or(kNativeMaxTokens));
  out.params.min_tokens = static_cast<int>(fields.integer("min_new_tokens", 0, kMaxTokens).value_or(0));
  out.keep_stop = fields.flag("no_stop_trim").value_or(false);
  if (const auto seed = fields.integer("sampling_seed")) out.params.seed = static_cast<std::uint64_t>(*seed);
  read_constraint(service, fields, who, out);
  // How special tokens are shown: they are never part of a text here.
  fields.refuse("skip_special_tokens", true, "special tokens are never part of the text");
  fields.skip("spaces_between_special_tokens");
  fields.refuse("stop_regex", nullptr, "use 'stop' or a 'regex' constraint");
  fields.refuse("custom_params", nullptr, "there are no custom logit processors");
  return out;
}

Sampling openai_sampling(Service& service, Fields& fields, const Principal& who) {
  Sampling out;
  read_common(service, fields, who, out);
  const auto most = fields.integer("max_tokens", 0, kMaxTokens);
  const auto completion = fields.integer("max_completion_tokens", 0, kMaxTokens);
  const std::int64_t room = service.context_limit();
  out.params.max_tokens =
      static_cast<int>(completion.value_or(most.value_or(std::min<std::int64_t>(room, kMaxTokens))));
  out.params.min_tokens = static_cast<int>(fields.integer("min_tokens", 0, kMaxTokens).value_or(0));
  read_constraint(service, fields, who, out);
  return out;
}

}  // namespace sgl::server
