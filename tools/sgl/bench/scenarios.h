// What `sgl bench` measures.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/engine/engine.h"
#include "runtime/tokenizer/tokenizer.h"
#include "tools/common/load_model.h"

namespace sgl::tools {

struct BenchSettings {
  std::size_t prompt = 512;  // tokens of a prompt: prefill, latency
  std::size_t tokens = 64;   // generated tokens of a sequence
  std::vector<std::size_t> batches = {1, 2, 4, 8, 16};
  std::size_t prefix = 1000;  // fork: tokens that all forks share
  std::size_t forks = 16;
  std::size_t fork_tokens = 16;  // fork: generated tokens of each
  int repeat = 5, warmup = 1;
};

// One figure: a value for every repetition.
struct BenchRow {
  std::string scenario;  // "prefill", …
  std::string detail;    // "512 tokens"
  std::string unit;      // "tokens/s", "ms", "times"
  std::vector<double> values;
};

double bench_median(std::vector<double> values);

// Runs scenarios on one loaded model. Prompts are random tokens, different ones for every repetition, so that none is
// in the cache but where sharing is what is measured; generation is greedy and does not stop at the end-of-text token.
class Bench {
 public:
  Bench(LoadedModel loaded, const engine::EngineOptions& options, BenchSettings settings);

  // "prefill": computing a prompt. "decode": one sequence, from its first token on. "batch": sequences together, by
  // number. "fork": forks of one prefix together, and how many times as fast as the same requests without sharing.
  // "latency": milliseconds to the first token of a prompt, and between tokens. "overhead": what a step of the largest
  // batch takes outside the kernels (scheduling, events).
  // Error: a name that is not one of these, or what the engine refuses.
  base::Expected<std::vector<BenchRow>> run(const std::string& scenario);
  static const std::vector<std::string>& names();

 private:
  struct Timing {
    double first = 0, last = 0, end = 0;  // seconds since the requests were handed over; of all sequences: the latest
    std::vector<double> gaps;             // seconds between tokens
    std::size_t tokens = 0;
  };
  std::vector<tokenizer::TokenId> random_tokens(std::size_t count);
  // Hands over one request per prompt at once (or one after the other) and waits for all.
  base::Expected<Timing> generate(engine::Engine& engine, const std::vector<std::vector<tokenizer::TokenId>>& prompts,
                                  std::size_t tokens, bool together = true);
  base::Expected<std::unique_ptr<engine::Engine>> engine(bool cache, std::size_t tokens);

  base::Expected<std::vector<BenchRow>> prefill();
  base::Expected<std::vector<BenchRow>> decode();
  base::Expected<std::vector<BenchRow>> batch();
  base::Expected<std::vector<BenchRow>> fork();
  base::Expected<std::vector<BenchRow>> latency();
  base::Expected<std::vector<BenchRow>> overhead();

  LoadedModel loaded_;
  engine::EngineOptions options_;
  BenchSettings settings_;
  std::uint64_t draws_ = 0;
};

}  // namespace sgl::tools
