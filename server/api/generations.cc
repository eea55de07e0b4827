#include "server/api/generations.h"

#include <fmt/format.h>

namespace sgl::server {

std::size_t Generations::add(engine::GenerateRequest request) {
  const std::lock_guard ids_lock(ids_mutex_);
  const std::size_t index = ids_.size();
  ++left_;
  // Events of one generation come in order on the engine's thread; tokens come before their text.
  const auto post = [queue = queue_, index](GenerationEvent event) {
    event.index = index;
    {
      const std::lock_guard lock(queue->mutex);
      queue->events.push_back(std::move(event));
    }
    queue->arrived.notify_one();
  };
  engine::Events events;
  events.on_text = [post](engine::RequestId, std::string_view text) {
    GenerationEvent event;
    event.text = text;
    post(std::move(event));
  };
  if (with_tokens_) {
    events.on_tokens = [post](engine::RequestId, std::span<const engine::TokenId> tokens,
                              std::span<const float> logprobs, const engine::TopLogprobs& tops) {
      GenerationEvent event;
      event.tokens.assign(tokens.begin(), tokens.end());
      event.logprobs.assign(logprobs.begin(), logprobs.end());
      event.top_logprobs = tops;
      post(std::move(event));
    };
  }
  events.on_finished = [post](engine::Finished finished) {
    GenerationEvent event;
    event.finished = std::move(finished);
    post(std::move(event));
  };
  ids_.push_back(engine_.generate(std::move(request), std::move(events)));
  if (cancelled_) engine_.cancel(ids_.back());
  return index;
}

Generations::~Generations() {
  if (left_ > 0) cancel();
}

void Generations::cancel() {
  const std::lock_guard lock(ids_mutex_);
  cancelled_ = true;
  for (const engine::RequestId id : ids_) engine_.cancel(id);
}

std::optional<ApiError> Generations::failure(const engine::Finished& finished) const {
  if (!finished.error) return std::nullopt;
  if (timed_out_ && finished.error->kind == base::ErrorKind::kCancelled) {
    return ApiError{408, fmt::format("the request took longer than {} seconds", timeout_.count())};
  }
  return from_error(*finished.error);
}

std::optional<GenerationEvent> Generations::next() {
  std::unique_lock lock(queue_->mutex);
  if (left_ == 0 && queue_->events.empty()) return std::nullopt;
  const auto there = [&] { return !queue_->events.empty(); };
  if (!timed_out_ && !queue_->arrived.wait_until(lock, deadline_, there)) {
    timed_out_ = true;
    lock.unlock();
    cancel();
    lock.lock();
  }
  queue_->arrived.wait(lock, there);
  GenerationEvent event = std::move(queue_->events.front());
  queue_->events.pop_front();
  if (event.finished) --left_;
  return event;
}

}  // namespace sgl::server
