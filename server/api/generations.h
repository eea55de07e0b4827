// Several generations of the engine that belong to one request: started together, read as one stream of events,
// cancelled together when the reader goes away.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/engine.h"
#include "server/api/error.h"

namespace sgl::server {

struct GenerationEvent {
  std::size_t index = 0;  // which generation
  std::string text;       // newly certain text
  std::vector<engine::TokenId> tokens;
  std::vector<float> logprobs;
  engine::TopLogprobs top_logprobs;
  std::optional<engine::Finished> finished;  // the last event of a generation
};

class Generations {
 public:
  // `with_tokens`: events carry tokens and log-probabilities too.
  // `timeout`: all of them are cancelled when it is over.
  explicit Generations(engine::Engine& engine, std::chrono::seconds timeout, bool with_tokens = false)
      : engine_(engine),
        with_tokens_(with_tokens),
        timeout_(timeout),
        deadline_(std::chrono::steady_clock::now() + timeout) {}
  // Cancels what still runs. Events after that go nowhere.
  ~Generations();
  Generations(const Generations&) = delete;
  Generations& operator=(const Generations&) = delete;

  // Starts one; its index in events. From the reader's thread.
  std::size_t add(engine::GenerateRequest request);
  // Waits for the next event; nullopt once every generation has ended and been reported.
  std::optional<GenerationEvent> next();
  // Why a generation ended without a text, as a response; nullopt: it did not.
  std::optional<ApiError> failure(const engine::Finished& finished) const;
  // From any thread. What is added afterwards is cancelled at once.
  void cancel();

 private:
  struct Queue {
    std::mutex mutex;
    std::condition_variable arrived;
    std::deque<GenerationEvent> events;
  };
  engine::Engine& engine_;
  const bool with_tokens_;
  const std::chrono::seconds timeout_;
  const std::chrono::steady_clock::time_point deadline_;
  bool timed_out_ = false;
  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
  std::mutex ids_mutex_;
  std::vector<engine::RequestId> ids_;
  bool cancelled_ = false;
  std::size_t left_ = 0;
};

}  // namespace sgl::server
