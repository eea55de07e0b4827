#include "tools/sgl/remote/remote.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "runtime/plan/codec.h"
#include "server/auth/crypto.h"
#include "tools/common/exit_codes.h"
#include "tools/common/signals.h"
#include "tools/common/terminal.h"
#include "tools/sgl/arguments.h"
#include "tools/sgl/prepare.h"
#include "tools/sgl/stream.h"

namespace sgl::tools {
namespace {

using Json = nlohmann::ordered_json;

int refuse(const base::Error& error) {
  complain(error.message);
  return kUsage;
}

// What the server is asked to run: the program is compiled here, so that its imports and its mistakes are found here.
int make_request(const RunCommand& command, Json& out) {
  Prepared prepared;
  if (const int code = prepare_program(command, prepared); code != kOk) return code;
  plan::Plan plan = prepared.plan->plan();
  plan.constraints.clear();  // a server does not use them
  const auto args = collect_arguments(plan, *prepared.program, command.arguments_file, command.arguments);
  if (!args.ok()) return refuse(args.error());
  if (const base::Status fits = check_arguments(plan, *prepared.program, *args); !fits.ok())
    return refuse(fits.error());
  const exec::RunLimits& limits = prepared.options.limits;
  out = {{"plan", server::base64url(plan::encode(plan))},
         {"program", prepared.program->name},
         {"args", *args},
         {"seed", static_cast<std::int64_t>(command.seed)},
         {"max_tokens", command.max_tokens},
         {"limits",
          {{"tokens", limits.tokens}, {"forks", limits.forks}, {"fuel", limits.fuel}, {"memory", limits.memory}}}};
  if (limits.time_ms > 0) out["limits"]["time_ms"] = limits.time_ms;
  return kOk;
}

int print_outcome(const RunCommand& command, const Json& outcome) {
  if (outcome.value("status", "") == "succeeded")
    return print_value(command, outcome["result"].dump(-1, ' ', false, Json::error_handler_t::replace));
  const Json error = outcome.value("error", Json::object());
  const std::string text =
      fmt::format("{}: {}", error.value("kind", "failed"), printable(error.value("message", "the run failed")));
  if (!error.contains("position")) {
    complain(text);
    return kFailed;
  }
  const Json& at = error["position"];
  (void)write_all(STDERR_FILENO, fmt::format("{}:{}:{}: {}\n", at.value("file", ""), at.value("line", 0),
                                             at.value("column", 0), text));
  return kFailed;
}

void print_usage(const Json& outcome) {
  const Json u = outcome.value("usage", Json::object());
  const auto n = [&](const char* name) { return u.value(name, std::int64_t{0}); };
  (void)write_all(
      STDERR_FILENO,
      fmt::format(
          "prompt tokens:    {} ({} cached, {} prefilled)\ngenerated tokens: {} ({} forced by a type, without "
          "decoding)\n"
          "generations:      {}, selections: {}, forks: {}, fuel: {}\ntime:             run {} ms on the server\n",
          n("prompt_tokens"), n("cached_tokens"), n("prefill_tokens"), n("generated_tokens"), n("forced_tokens"),
          n("generations"), n("selections"), n("forks"), n("fuel"), outcome.value("ms", std::int64_t{0})));
}

}  // namespace

int run_remote(const RunCommand& command, const RemoteOptions& remote) {
  Interrupt interrupt;
  Json request;
  if (const int code = make_request(command, request); code != kOk) return code;
  request["stream"] = true;
  auto client = RemoteClient::open(remote);
  if (!client.ok()) return refuse(client.error());
  StreamPrinter printer(is_terminal(STDERR_FILENO), use_color(STDERR_FILENO));
  Json outcome;
  std::string run_id, last;
  const auto on_event = [&](const RemoteClient::Event& event) {
    last = event.id;
    const auto text = [&](const char* name) { return event.data.value(name, std::string()); };
    if (event.name == "start") run_id = text("run");
    if (event.name == "text" && !command.quiet) printer.text(text("fork"), text("name"), text("text"));
    if (event.name == "value" && !command.quiet) printer.step(text("fork"), text("name"));
    if (event.name == "result" || event.name == "error") outcome = event.data;
    return !interrupt.requested();
  };
  {
    const Interrupt::Listener listener(interrupt, [&] { (*client)->stop(); });
    auto reply = (*client)->stream("POST", "/v1/run", request, "", on_event);
    // A connection that broke: the run goes on, and so does the reader.
    for (int attempt = 0; outcome.is_null() && !run_id.empty() && !interrupt.requested() && attempt < 20; ++attempt) {
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
      reply = (*client)->stream("GET", fmt::format("/v1/runs/{}/events", run_id), Json(), last, on_event);
    }
    printer.finish();
    if (outcome.is_null() && !interrupt.requested()) {
      if (!reply.ok()) return refuse(reply.error());
      complain(reply->message());
      return reply->status == 422 ? kFailed : kUsage;
    }
  }
  if (interrupt.requested() && outcome.is_null()) {
    if (!run_id.empty()) {
      auto again = RemoteClient::open(remote);  // the other connection was cut
      if (again.ok()) (void)(*again)->ask("DELETE", "/v1/runs/" + run_id, Json()).ok();
    }
    complain("interrupted");
    return kInterrupted;
  }
  if (command.stats) print_usage(outcome);
  return print_outcome(command, outcome);
}

int submit(const RemoteCommand& command) {
  Json request;
  if (const int code = make_request(command.run, request); code != kOk) return code;
  request["background"] = true;
  const auto client = RemoteClient::open(command.remote);
  if (!client.ok()) return refuse(client.error());
  const auto reply = (*client)->ask("POST", "/v1/run", request);
  if (!reply.ok()) return refuse(reply.error());
  if (!reply->good()) return refuse(base::invalid(reply->message()));
  return print_out(reply->json.value("run", "") + "\n");
}

namespace {

base::Expected<RemoteClient::Reply> look(const RemoteCommand& command, const char* method) {
  SGL_TRY(const auto client, RemoteClient::open(command.remote));
  return client->ask(method, "/v1/runs/" + command.id, Json());
}

// A run that is not there is the run's failure, everything else the command's.
int refused(const RemoteClient::Reply& reply) {
  complain(reply.message());
  return reply.status == 404 ? kFailed : kUsage;
}

}  // namespace

int status(const RemoteCommand& command) {
  const auto reply = look(command, "GET");
  if (!reply.ok()) return refuse(reply.error());
  if (!reply->good()) return refused(*reply);
  return print_out(reply->json.value("status", "") + "\n");
}

int result(const RemoteCommand& command) {
  Interrupt interrupt;
  const Interrupt::Listener listener(interrupt, [] {});
  for (int pause = 100; !interrupt.requested(); pause = std::min(pause * 3 / 2, 2000)) {
    const auto reply = look(command, "GET");
    if (!reply.ok()) return refuse(reply.error());
    const std::string state = reply->json.is_object() ? reply->json.value("status", "") : "";
    if (!reply->good() && state.empty()) return refused(*reply);
    if (state != "queued" && state != "running") return print_outcome(command.run, reply->json);
    if (!command.wait) {
      complain(fmt::format("the run is {}; pass --wait to wait for its result", state));
      return kFailed;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(pause));
  }
  complain("interrupted; the run goes on");
  return kInterrupted;
}

int cancel(const RemoteCommand& command) {
  const auto reply = look(command, "DELETE");
  if (!reply.ok()) return refuse(reply.error());
  return reply->good() ? kOk : refused(*reply);
}

}  // namespace sgl::tools
