#include "server/api/event_stream.h"

namespace sgl::server {

using Clock = std::chrono::steady_clock;

double seconds_since(const Request& request) {
  return std::chrono::duration<double>(Clock::now() - request.received).count();
}

EventStream::EventStream(const SharedCall& call, Generations& generations, const StreamWriter& write)
    : call_(call),
      generations_(generations),
      write_(write),
      watch_(call->request.hangup, call->request.socket, [&generations] { generations.cancel(); }) {}

std::optional<GenerationEvent> EventStream::next() {
  auto event = generations_.next();
  // Tokens come in an event of their own before their text, which may have to wait for more of them.
  if (!event || event->tokens.empty()) return event;
  const auto now = Clock::now();
  if (call_->record->first_token_seen) {
    call_->service.metrics.between_tokens(std::chrono::duration<double>(now - last_).count());
  } else {
    call_->record->first_token_seen = true;
    call_->service.metrics.first_token(seconds_since(call_->request));
  }
  last_ = now;
  return event;
}

void EventStream::send(const Json& json) {
  alive_ = alive_ && write_("data: " + dump(json) + "\n\n");
  if (!alive_) generations_.cancel();
}

void EventStream::fail(const ApiError& error, Dialect dialect) {
  call_->record->status = error.status;
  send(error_json(error, dialect));
}

void EventStream::done() {
  if (alive_) write_("data: [DONE]\n\n");
}

}  // namespace sgl::server
