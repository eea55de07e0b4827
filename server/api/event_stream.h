// Generations of a request as server-sent events: what the handlers that stream have in common.
#pragma once

#include <chrono>
#include <optional>

#include "server/api/generations.h"
#include "server/api/router.h"
#include "server/http/hangup.h"

namespace sgl::server {

// Seconds since the request's head was complete.
double seconds_since(const Request& request);

// A reader that goes away, which is noticed at once or when writing fails, cancels the generations; what they still
// report is read to the end, so that it is charged. For one thread, within one StreamWriter's call.
class EventStream {
 public:
  EventStream(const SharedCall& call, Generations& generations, const StreamWriter& write);
  // The next event; nullopt once every generation has ended. Tokens are timed for the metrics here.
  std::optional<GenerationEvent> next();
  void send(const Json& json);
  // A failure after the head of the response went out: it is said in the stream, and stands in the audit log.
  void fail(const ApiError& error, Dialect dialect);
  // The mark that ends a stream, unless the reader has gone.
  void done();

 private:
  const SharedCall& call_;
  Generations& generations_;
  const StreamWriter& write_;
  const HangupWatch::Registration watch_;
  std::chrono::steady_clock::time_point last_;  // when tokens came
  bool alive_ = true;
};

}  // namespace sgl::server
