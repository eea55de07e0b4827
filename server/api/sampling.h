// Sampling parameters and constraints as the two dialects spell them.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/constraint/constraint.h"
#include "runtime/engine/engine.h"
#include "server/api/fields.h"
#include "server/api/service.h"

namespace sgl::server {

constexpr std::int64_t kMaxN = 128;             // generations of one prompt; a token's quota may lower it
constexpr std::int64_t kMaxGenerations = 4096;  // of all prompts of a request
constexpr std::size_t kMaxBiases = 1024;        // entries of logit_bias, which a request keeps once a generation

struct Sampling {
  engine::SamplingParams params;
  std::int64_t n = 1;
  std::shared_ptr<const constraint::Constraint> constraint;
  bool keep_stop = false;  // the stop string stays in the text
};

// SGLang's `sampling_params` (an object). Errors go to `fields`.
Sampling native_sampling(Service& service, Fields& fields, const Principal& who);
// The members of an OpenAI request that concern sampling, without `response_format` and tools.
Sampling openai_sampling(Service& service, Fields& fields, const Principal& who);

// Generation number `i` of a request with this seed: the same for the same request, different from its siblings.
std::uint64_t seed_of(std::uint64_t seed, std::size_t i);

}  // namespace sgl::server
