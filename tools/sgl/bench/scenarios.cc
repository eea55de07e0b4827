#include "tools/sgl/bench/scenarios.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "runtime/model/config.h"

namespace sgl::tools {
namespace {

using base::Expected;
using tokenizer::TokenId;
using Clock = std::chrono::steady_clock;

// Tokens of prompts where only what follows is measured.
constexpr std::size_t kShortPrompt = 16;

// Collects the events of some requests, which come from the engine's thread, with as little as possible done there: it
// is a part of what is measured.
class Collector {
 public:
  Collector(std::size_t requests, std::size_t tokens) : left_(requests), times_(requests) {
    for (auto& times : times_) times.reserve(tokens);
  }

  engine::Events events(std::size_t index) {
    engine::Events out;
    out.on_tokens = [this, index](engine::RequestId, std::span<const TokenId> tokens, std::span<const float>,
                                  const engine::TopLogprobs&) {
      times_[index].insert(times_[index].end(), tokens.size(), Clock::now());
    };
    out.on_finished = [this](engine::Finished finished) {
      const std::lock_guard lock(mutex_);
      if (finished.error && !error_) error_ = finished.error;
      tokens_ += static_cast<std::size_t>(finished.usage.generated_tokens);
      --left_;
      done_.notify_one();
    };
    return out;
  }
  void wait_until(std::size_t left) {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return left_ <= left; });
  }
  const std::optional<base::Error>& error() const { return error_; }
  // Of every request's tokens; when all are finished.
  const std::vector<std::vector<Clock::time_point>>& times() const { return times_; }
  std::size_t tokens() const { return tokens_; }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  std::size_t left_, tokens_ = 0;
  std::vector<std::vector<Clock::time_point>> times_;
  std::optional<base::Error> error_;
};

double seconds(Clock::duration d) {
  return std::chrono::duration<double>(d).count();
}

std::uint64_t mix(std::uint64_t z) {  // SplitMix64
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

double bench_median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Bench::Bench(LoadedModel loaded, const engine::EngineOptions& options, BenchSettings settings)
    : loaded_(std::move(loaded)), options_(options), settings_(std::move(settings)) {}

std::vector<TokenId> Bench::random_tokens(std::size_t count) {
  std::vector<TokenId> out(count);
  for (TokenId& t : out)
    t = static_cast<TokenId>(mix(++draws_ * 0x9E3779B97F4A7C15) % loaded_.model->config().vocab_size);
  return out;
}

Expected<std::unique_ptr<engine::Engine>> Bench::engine(bool cache, std::size_t tokens) {
  engine::EngineOptions options = options_;
  options.prefix_cache = cache;
  // What the scenario needs, so that nothing is evicted and no more memory is taken.
  options.pages = (tokens + options.page_size - 1) / options.page_size + 64;
  options.max_batch = std::max({options.max_batch, settings_.forks});
  return engine::Engine::create(loaded_.model, loaded_.tokenizer, options, loaded_.vocabulary);
}

Expected<Bench::Timing> Bench::generate(engine::Engine& engine, const std::vector<std::vector<TokenId>>& prompts,
                                        std::size_t tokens, bool together) {
  const auto collector = std::make_shared<Collector>(prompts.size(), tokens);
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    engine::GenerateRequest request;
    request.sequence.append(prompts[i]);
    request.sampling.temperature = 0.0;
    request.sampling.max_tokens = static_cast<int>(tokens);
    request.sampling.ignore_eos = true;
    engine.generate(std::move(request), collector->events(i));
    if (!together) collector->wait_until(prompts.size() - 1 - i);
  }
  collector->wait_until(0);
  Timing out;
  out.end = seconds(Clock::now() - begin);
  if (collector->error()) return *collector->error();
  out.tokens = collector->tokens();
  for (const auto& times : collector->times()) {
    if (times.empty()) continue;
    out.first = std::max(out.first, seconds(times.front() - begin));
    out.last = std::max(out.last, seconds(times.back() - begin));
    for (std::size_t i = 1; i < times.size(); ++i) out.gaps.push_back(seconds(times[i] - times[i - 1]));
  }
  return out;
}

Expected<std::vector<BenchRow>> Bench::prefill() {
  BenchRow row{"prefill", fmt::format("{} tokens", settings_.prompt), "tokens/s", {}};
  SGL_TRY(const auto engine, this->engine(false, settings_.prompt + 1));
  for (int i = -settings_.warmup; i < settings_.repeat; ++i) {
    SGL_TRY(const Timing t, generate(*engine, {random_tokens(settings_.prompt)}, 0));
    if (i >= 0) row.values.push_back(static_cast<double>(settings_.prompt) / t.end);
  }
  return std::vector{row};
}

Expected<std::vector<BenchRow>> Bench::decode() {
  BenchRow row{"decode", fmt::format("1 sequence, {} tokens", settings_.tokens), "tokens/s", {}};
  SGL_TRY(const auto engine, this->engine(false, kShortPrompt + settings_.tokens));
  for (int i = -settings_.warmup; i < settings_.repeat; ++i) {
    SGL_TRY(const Timing t, generate(*engine, {random_tokens(kShortPrompt)}, settings_.tokens));
    if (i >= 0) row.values.push_back(static_cast<double>(t.tokens - 1) / (t.last - t.first));
  }
  return std::vector{row};
}

Expected<std::vector<BenchRow>> Bench::batch() {
  std::vector<BenchRow> rows;
  for (const std::size_t size : settings_.batches) {
    BenchRow row{"batch", fmt::format("{} sequences, {} tokens each", size, settings_.tokens), "tokens/s", {}};
    SGL_TRY(const auto engine, this->engine(false, size * (kShortPrompt + settings_.tokens + options_.page_size)));
    for (int i = -settings_.warmup; i < settings_.repeat; ++i) {
      std::vector<std::vector<TokenId>> prompts(size);
      for (auto& p : prompts) p = random_tokens(kShortPrompt);
      SGL_TRY(const Timing t, generate(*engine, prompts, settings_.tokens));
      if (i >= 0) row.values.push_back(static_cast<double>(t.tokens) / t.end);
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Expected<std::vector<BenchRow>> Bench::fork() {
  const std::string what =
      fmt::format("{} forks of {} tokens, {} tokens each", settings_.forks, settings_.prefix, settings_.fork_tokens);
  BenchRow shared{"fork", what, "tokens/s", {}};
  BenchRow gain{"fork", "as fast as without sharing", "times", {}};
  const std::size_t one = settings_.prefix + kShortPrompt + settings_.fork_tokens + options_.page_size;
  SGL_TRY(const auto sharing, engine(true, settings_.forks * one));
  SGL_TRY(const auto separate, engine(false, one));  // one after the other
  // The separate runs take long: one for every two of the others, at least one.
  const int separate_runs = std::max(1, settings_.repeat / 2);
  std::vector<double> alone;
  for (int i = -settings_.warmup; i < settings_.repeat; ++i) {
    const std::vector<TokenId> prefix = random_tokens(settings_.prefix);
    std::vector<std::vector<TokenId>> prompts(settings_.forks, prefix);
    for (auto& p : prompts) {
      const std::vector<TokenId> own = random_tokens(kShortPrompt);
      p.insert(p.end(), own.begin(), own.end());
    }
    SGL_TRY(const Timing t, generate(*sharing, prompts, settings_.fork_tokens));
    sharing->flush_cache({});  // a run's prefix is of no use to the next, whose memory would come on top
    if (i >= 0) shared.values.push_back(static_cast<double>(t.tokens) / t.end);
    if (i >= 0 && i < separate_runs) {
      SGL_TRY(const Timing s, generate(*separate, prompts, settings_.fork_tokens, false));
      alone.push_back(static_cast<double>(s.tokens) / s.end);
    }
  }
  for (const double rate : alone) gain.values.push_back(bench_median(shared.values) / rate);
  return std::vector{shared, gain};
}

Expected<std::vector<BenchRow>> Bench::latency() {
  BenchRow first{"latency", fmt::format("first token of a prompt of {}", settings_.prompt), "ms", {}};
  BenchRow between{"latency", "between tokens", "ms", {}};
  SGL_TRY(const auto engine, this->engine(false, settings_.prompt + settings_.tokens));
  for (int i = -settings_.warmup; i < settings_.repeat; ++i) {
    SGL_TRY(const Timing t, generate(*engine, {random_tokens(settings_.prompt)}, settings_.tokens));
    if (i < 0) continue;
    first.values.push_back(t.first * 1e3);
    between.values.push_back(bench_median(t.gaps) * 1e3);
  }
  return std::vector{first, between};
}

Expected<std::vector<BenchRow>> Bench::overhead() {
  const std::size_t size = *std::max_element(settings_.batches.begin(), settings_.batches.end());
  BenchRow time{"overhead", fmt::format("{} sequences, outside the kernels", size), "us/step", {}};
  BenchRow share{"overhead", "share of a step", "%", {}};
  SGL_TRY(const auto engine, this->engine(false, size * (kShortPrompt + settings_.tokens + options_.page_size)));
  engine::EngineStats before;
  for (int i = -settings_.warmup; i < settings_.repeat; ++i) {
    std::vector<std::vector<TokenId>> prompts(size);
    for (auto& p : prompts) p = random_tokens(kShortPrompt);
    SGL_TRY(const Timing t, generate(*engine, prompts, settings_.tokens));
    const engine::EngineStats now = engine->stats();
    const double steps = static_cast<double>(now.steps - before.steps);
    const double all = now.step_seconds - before.step_seconds;
    const double outside = all - (now.kernel_seconds - before.kernel_seconds);
    before = now;
    if (i < 0 || t.tokens == 0) continue;
    time.values.push_back(outside / steps * 1e6);
    share.values.push_back(outside / all * 100);
  }
  return std::vector{time, share};
}

const std::vector<std::string>& Bench::names() {
  static const std::vector<std::string> all = {"prefill", "decode", "batch", "fork", "latency", "overhead"};
  return all;
}

Expected<std::vector<BenchRow>> Bench::run(const std::string& scenario) {
  if (scenario == "prefill") return prefill();
  if (scenario == "decode") return decode();
  if (scenario == "batch") return batch();
  if (scenario == "fork") return fork();
  if (scenario == "latency") return latency();
  if (scenario == "overhead") return overhead();
  return base::invalid(fmt::format("there is no scenario '{}'; there are: {}", scenario, fmt::join(names(), ", ")));
}

}  // namespace sgl::tools
