#include "tests/unit/exec/scripted_port.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

namespace sgl::exec::test {

using tokenizer::TokenId;

namespace {

constexpr TokenId kEnd = 256;

std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

std::uint64_t hash_tokens(const std::vector<TokenId>& tokens, std::uint64_t state) {
  for (const TokenId token : tokens) state = mix(state ^ static_cast<std::uint64_t>(token));
  return state;
}

std::uint64_t draw(std::uint64_t& state, std::uint64_t below) {
  state = mix(state);
  return (state >> 16) % below;
}

std::string free_text(std::uint64_t& state, std::size_t size) {
  constexpr std::string_view kLetters = "etaoin shrdlu. ,E\n19";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(kLetters[draw(state, kLetters.size())]);
  return out;
}

std::vector<TokenId> tokens_of(std::string_view text) {
  std::vector<TokenId> out;
  for (const char c : text) out.push_back(static_cast<unsigned char>(c));
  return out;
}

// Printable ASCII where the mask has any, so that texts stay readable and never end inside a character.
std::vector<TokenId> candidates(const constraint::TokenMask& mask) {
  std::vector<TokenId> out;
  for (TokenId id = 0x20; id < 0x7F; ++id) {
    if (mask.test(id)) out.push_back(id);
  }
  for (TokenId id = 0; out.empty() && id < 256; ++id) {
    if (mask.test(id)) out.push_back(id);
  }
  return out;
}

}  // namespace

std::shared_ptr<const tokenizer::Tokenizer> byte_tokenizer() {
  static const std::shared_ptr<const tokenizer::Tokenizer> shared = [] {
    using Json = nlohmann::json;
    Json vocab = Json::object();
    unsigned next = 256;
    for (unsigned b = 0; b < 256; ++b) {
      const bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      const unsigned c = printable ? b : next++;
      std::string name;
      if (c < 0x80) {
        name.push_back(static_cast<char>(c));
      } else {
        name.push_back(static_cast<char>(0xC0 | c >> 6));
        name.push_back(static_cast<char>(0x80 | (c & 0x3F)));
      }
      vocab[name] = b;
    }
    const Json end = {{"id", kEnd}, {"content", "<|end|>"}, {"special", true}, {"normalized", false}};
    Json file = Json::object();
    file["version"] = "1.0";
    file["added_tokens"] = Json::array({end});
    file["normalizer"] = nullptr;
    file["pre_tokenizer"] = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
    file["post_processor"] = nullptr;
    file["decoder"] = {{"type", "ByteLevel"}};
    file["model"] = {{"type", "BPE"}, {"vocab", vocab}, {"merges", Json::array()}};
    auto made = tokenizer::Tokenizer::from_json(file.dump(), R"({"eos_token": "<|end|>"})");
    if (!made.ok()) throw std::runtime_error(made.error().message);
    return *made;
  }();
  return shared;
}

ScriptedPort::ScriptedPort(Options options) : options_(std::move(options)) {
  auto made = Renderer::create(byte_tokenizer());
  if (!made.ok()) throw std::runtime_error(made.error().message);
  renderer_ = *made;
  vocabulary_ = constraint::Vocabulary::build(byte_tokenizer());
  if (options_.delivery == Delivery::kThread || options_.delivery == Delivery::kShuffled) {
    worker_ = std::thread([this] { work(); });
  }
}

ScriptedPort::~ScriptedPort() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
  while (held() > 0) cancel(jobs_.front().id);
}

engine::RequestId ScriptedPort::generate(engine::GenerateRequest request, engine::Events events) {
  Job job;
  job.generation = std::move(request);
  job.events = std::move(events);
  return submit(std::move(job));
}

engine::RequestId ScriptedPort::score(engine::ScoreRequest request, engine::Events events) {
  Job job;
  job.scoring = true;
  job.scores = std::move(request);
  job.events = std::move(events);
  return submit(std::move(job));
}

engine::RequestId ScriptedPort::submit(Job job) {
  {
    std::lock_guard lock(mutex_);
    job.id = engine::RequestId(next_id_++);
    if (options_.delivery != Delivery::kAtOnce) {
      const engine::RequestId id = job.id;
      jobs_.push_back(std::move(job));
      most_held_ = std::max(most_held_, jobs_.size());
      changed_.notify_one();
      return id;
    }
  }
  finish(job, respond(job));
  return job.id;
}

ScriptedPort::Job ScriptedPort::take(std::size_t place) {
  std::lock_guard lock(mutex_);
  Job job = std::move(jobs_.at(place));
  jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(place));
  return job;
}

void ScriptedPort::cancel(engine::RequestId id) {
  Job job;
  {
    std::lock_guard lock(mutex_);
    const auto it = std::find_if(jobs_.begin(), jobs_.end(), [&](const Job& j) { return j.id == id; });
    if (it == jobs_.end()) return;  // answered already, or being answered
    job = std::move(*it);
    jobs_.erase(it);
  }
  engine::Finished finished;
  finished.reason = engine::FinishReason::kCancelled;
  finished.error = base::Error{base::ErrorKind::kCancelled, "cancelled"};
  finish(job, std::move(finished));
}

std::size_t ScriptedPort::held() const {
  std::lock_guard lock(mutex_);
  return jobs_.size();
}

std::size_t ScriptedPort::most_held() const {
  std::lock_guard lock(mutex_);
  return most_held_;
}

std::string ScriptedPort::held_prompt(std::size_t place) const {
  std::lock_guard lock(mutex_);
  const Job& job = jobs_.at(place);
  return byte_tokenizer()->decode((job.scoring ? job.scores.sequence : job.generation.sequence).tokens());
}

int ScriptedPort::held_max_tokens(std::size_t place) const {
  const std::lock_guard lock(mutex_);
  return jobs_.at(place).generation.sampling.max_tokens;
}

void ScriptedPort::answer(std::size_t place) {
  const Job job = take(place);
  finish(job, respond(job));
}

void ScriptedPort::answer_all() {
  std::vector<Job> jobs;
  {
    std::lock_guard lock(mutex_);
    jobs.swap(jobs_);
  }
  for (const Job& job : jobs) finish(job, respond(job));
}

void ScriptedPort::fail(std::size_t place, base::Error error) {
  engine::Finished finished;
  finished.reason = engine::FinishReason::kError;
  finished.error = std::move(error);
  finish(take(place), std::move(finished));
}

void ScriptedPort::finish(const Job& job, engine::Finished finished) {
  finished.id = job.id;
  if (!finished.error && !job.scoring && job.events.on_text && !finished.text.empty()) {
    // In two pieces, as a stream has several.
    const std::size_t half = finished.text.size() / 2;
    job.events.on_text(job.id, std::string_view(finished.text).substr(0, half));
    job.events.on_text(job.id, std::string_view(finished.text).substr(half));
  }
  job.events.on_finished(std::move(finished));
}

void ScriptedPort::work() {
  std::uint64_t order = options_.order;
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      const std::size_t place = options_.delivery == Delivery::kShuffled ? draw(order, jobs_.size()) : 0;
      job = std::move(jobs_[place]);
      jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(place));
    }
    finish(job, respond(job));
  }
}

engine::Finished ScriptedPort::respond(const Job& job) const {
  return job.scoring ? scored(job.scores) : generated(job.generation);
}

engine::Finished ScriptedPort::generated(const engine::GenerateRequest& request) const {
  const std::vector<TokenId> prompt = request.sequence.tokens();
  std::uint64_t state = hash_tokens(prompt, options_.use_seed ? request.sampling.seed : 0);
  engine::Finished out;
  out.reason = engine::FinishReason::kEos;
  if (request.constraint != nullptr) {
    out.text = constrained_text(request, state);
    out.reason = engine::FinishReason::kComplete;
  } else {
    out.text = options_.answer ? options_.answer(byte_tokenizer()->decode(prompt)) : free_text(state, 1 + draw(state, 12));
    const auto most = static_cast<std::size_t>(request.sampling.max_tokens);
    if (out.text.size() > most) {
      out.text.resize(most);
      out.reason = engine::FinishReason::kLength;
    }
    std::size_t cut = out.text.size();
    for (const std::string& stop : request.sampling.stop) {
      const std::size_t at = out.text.find(stop);
      if (at < cut) {
        cut = at;
        out.stop_text = stop;
        out.reason = engine::FinishReason::kStop;
      }
    }
    out.text.resize(cut);
  }
  out.tokens = tokens_of(out.text);
  if (request.sampling.logprobs) {
    for (std::size_t i = 0; i < out.tokens.size(); ++i) out.logprobs.push_back(-static_cast<float>(draw(state, 64)) / 16);
  }
  out.usage.prompt_tokens = out.usage.prefill_tokens = static_cast<std::int64_t>(prompt.size());
  out.usage.generated_tokens = static_cast<std::int64_t>(out.tokens.size());
  return out;
}

std::string ScriptedPort::constrained_text(const engine::GenerateRequest& request, std::uint64_t state) const {
  constraint::Matcher matcher(request.constraint, vocabulary_);
  std::string out;
  for (int left = request.sampling.max_tokens; left > 0 && !matcher.is_final(); --left) {
    const auto mask = matcher.mask_within(left - 1);
    if (!mask.ok()) break;
    const std::vector<TokenId> allowed = candidates(**mask);
    // Values stay short: what ends one is taken more often than chance would.
    if (allowed.empty() || (matcher.is_complete() && draw(state, 3) == 0)) break;
    TokenId chosen = allowed[draw(state, allowed.size())];
    for (const char closing : {'"', ']', '}'}) {
      const bool possible = std::find(allowed.begin(), allowed.end(), closing) != allowed.end();
      if (possible && draw(state, 3) == 0) chosen = closing;
    }
    if (!matcher.accept(chosen)) break;
    out.push_back(static_cast<char>(chosen));
  }
  return out;
}

engine::Finished ScriptedPort::scored(const engine::ScoreRequest& request) const {
  const std::vector<TokenId> prompt = request.sequence.tokens();
  const std::uint64_t start = hash_tokens(prompt, 0);
  engine::Finished out;
  out.reason = engine::FinishReason::kComplete;
  for (const auto& continuation : request.continuations) {
    std::uint64_t state = start;
    double total = 0;
    for (const TokenId token : continuation) {
      state = mix(state ^ static_cast<std::uint64_t>(token));
      const float logprob = -static_cast<float>((state >> 16) % 512) / 64;  // exact in binary
      total += static_cast<double>(logprob);
      if (request.per_token) out.logprobs.push_back(logprob);
    }
    out.scores.push_back(total);
  }
  out.usage.prompt_tokens = out.usage.prefill_tokens = static_cast<std::int64_t>(prompt.size());
  return out;
}

}  // namespace sgl::exec::test
