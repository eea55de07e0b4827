// What a request must satisfy before it may enter the engine.
#pragma once

#include "runtime/engine/engine.h"

namespace sgl::engine {

constexpr std::size_t kMaxStops = 1024;          // stop strings, and stop tokens
constexpr std::size_t kMaxStopBytes = 64 << 10;  // of all stop strings

struct RequestLimits {
  std::size_t vocab = 0;     // ids that the model knows
  std::size_t capacity = 0;  // tokens of one sequence: the model's context or the KV pool, whichever is smaller
};

// Errors: `invalid` naming the parameter; `limit` for a prompt over the capacity.
base::Status validate(const GenerateRequest& request, const RequestLimits& limits);
base::Status validate(const ScoreRequest& request, const RequestLimits& limits);
base::Status validate(const EngineOptions& options);

}  // namespace sgl::engine
