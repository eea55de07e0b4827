// Several generations of the engine that belong to one request: started together, read as one stream of events,
// cancelled together when the reader goes away.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/engine/engine.h"

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
  explicit Generations(engine::Engine& engine, bool with_tokens = false) : engine_(engine), with_tokens_(with_tokens) {}
  // Cancels what still runs. Events after that go nowhere.
  ~Generations();
  Generations(const Generations&) = delete;
  Generations& operator=(const Generations&) = delete;

  // Starts one; its index in events. From the reader's thread.
  std::size_t add(engine::GenerateRequest request);
  // Waits for the next event; nullopt once every generation has ended and been reported.
  std::optional<GenerationEvent> next();
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
  std::shared_ptr<Queue> queue_ = std::make_shared<Queue>();
  std::mutex ids_mutex_;
  std::vector<engine::RequestId> ids_;
  bool cancelled_ = false;
  std::size_t left_ = 0;
};

}  // namespace sgl::server
