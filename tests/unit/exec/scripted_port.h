// A model that is a function: every answer depends on the request alone, never on time or on other requests. Answers
// come at once, when the test says so, or from another thread in a random order, so that a program's result can be
// compared between orders of arrival.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "runtime/constraint/constraint.h"
#include "runtime/exec/port.h"

namespace sgl::exec::test {

// 256 tokens, one per byte, with the byte as its id; token 256 ends a generation. No chat template.
std::shared_ptr<const tokenizer::Tokenizer> byte_tokenizer();

class ScriptedPort : public ModelPort {
 public:
  enum class Delivery {
    kAtOnce,   // before generate() returns
    kHeld,     // when answer…() is called
    kThread,   // from another thread, in the order of arrival
    kShuffled, // from another thread, in a random order
  };
  struct Options {
    Delivery delivery = Delivery::kAtOnce;
    std::uint64_t order = 1;  // of kShuffled
    // Answers depend on the sampling seed too. Off for comparisons between plans that number their generations
    // differently.
    bool use_seed = true;
    // What a generation without constraint answers to a prompt; empty function: letters drawn from the prompt's hash.
    std::function<std::string(std::string_view prompt)> answer;
  };
  explicit ScriptedPort(Options options);
  ScriptedPort() : ScriptedPort(Options()) {}
  // Answers what is left with `cancelled`.
  ~ScriptedPort() override;

  std::shared_ptr<const Renderer> renderer() const override { return renderer_; }
  engine::RequestId generate(engine::GenerateRequest request, engine::Events events) override;
  engine::RequestId score(engine::ScoreRequest request, engine::Events events) override;
  void cancel(engine::RequestId id) override;

  // kHeld: how many requests wait, and their answers, by place in the order of arrival.
  std::size_t held() const;
  std::string held_prompt(std::size_t place) const;
  int held_max_tokens(std::size_t place) const;
  void answer(std::size_t place);
  void answer_all();
  void fail(std::size_t place, base::Error error);

  // Most requests that waited at once.
  std::size_t most_held() const;

 private:
  struct Job {
    engine::RequestId id;
    bool scoring = false;
    engine::GenerateRequest generation;
    engine::ScoreRequest scores;
    engine::Events events;
  };
  engine::RequestId submit(Job job);
  Job take(std::size_t place);
  engine::Finished respond(const Job& job) const;
  engine::Finished generated(const engine::GenerateRequest& request) const;
  engine::Finished scored(const engine::ScoreRequest& request) const;
  std::string constrained_text(const engine::GenerateRequest& request, std::uint64_t state) const;
  static void finish(const Job& job, engine::Finished finished);
  void work();

  Options options_;
  std::shared_ptr<const Renderer> renderer_;
  std::shared_ptr<const constraint::Vocabulary> vocabulary_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Job> jobs_;        // in order of arrival
  std::size_t most_held_ = 0;
  std::uint64_t next_id_ = 1;
  bool stopping_ = false;
  std::thread worker_;
};

}  // namespace sgl::exec::test
