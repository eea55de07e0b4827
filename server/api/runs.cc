// Running programs: /v1/run, /v1/programs/{id}/run, /v1/runs.
#include <fmt/format.h>

#include <charconv>
#include <system_error>

#include "runtime/base/json.h"
#include "runtime/plan/codec.h"
#include "server/api/fields.h"
#include "server/api/openai.h"
#include "server/api/programs.h"
#include "server/auth/crypto.h"

namespace sgl::server {
namespace {

using namespace std::chrono_literals;

// A streamed run whose reader went away is kept going for so long, so that the reader can come back.
constexpr auto kReconnect = 30s;
// A comment line now and then keeps proxies from closing a quiet stream.
constexpr auto kHeartbeat = 15s;

std::string sse(const RunEvent& event) {
  return fmt::format("id: {}\nevent: {}\ndata: {}\n\n", event.id, event.name, event.data);
}

// Writes events from `after` on until the run has ended. False: the client is gone.
bool follow(const RunPointer& run, std::uint64_t after, const StreamWriter& write) {
  while (true) {
    const bool finished = run->finished();
    const auto events = run->events_after(after, std::chrono::duration_cast<std::chrono::milliseconds>(kHeartbeat));
    for (const RunEvent& event : events) {
      if (!write(sse(event))) return false;
      after = event.id;
    }
    if (events.empty() && finished) return true;
    if (events.empty() && !write(": still running\n\n")) return false;
  }
}

// Ends a run that nobody came back to. Runs on a thread of its own because a connection's thread must not wait.
void cancel_later(const std::weak_ptr<Run>& weak) {
  const auto wait = [weak] {
    const auto deadline = std::chrono::steady_clock::now() + kReconnect;
    while (std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(500ms);
      const RunPointer run = weak.lock();
      if (!run || run->finished()) return;
    }
    if (const RunPointer run = weak.lock(); run && run->readers() == 0) run->cancel();
  };
  try {
    std::thread(wait).detach();
  } catch (const std::system_error&) {  // no thread: nobody waits for a reader to come back
    if (const RunPointer run = weak.lock()) run->cancel();
  }
}

Response stream_run(const SharedCall& call, const RunPointer& run, std::uint64_t after, bool owned) {
  Response out;
  out.content_type = "text/event-stream";
  out.header("X-Run-Id", run->id());
  out.stream = [call, run, after, owned](const StreamWriter& write) {
    run->add_reader(1);
    const bool complete = follow(run, after, write);
    run->add_reader(-1);
    if (!complete && owned) cancel_later(run);
    if (!owned) return;
    call->note(run->usage());
    call->keep_answer(run->outcome());
  };
  return out;
}

Response outcome_response(const std::string& outcome) {
  Response out;
  const Json json = base::json_or_discarded(outcome);
  out.status = status_of(json);
  out.body = outcome;
  return out;
}

Response accept(const SharedCall& call, RunRequest request) {
  const std::string key(call->request.header("idempotency-key"));
  if (key.size() > 200) return error_response({400, "an Idempotency-Key has at most 200 bytes"}, Dialect::kPlain);
  const auto accepted = call->service.runs->submit(std::move(request.spec), request.original, request.plan_bytes, key);
  if (!accepted.ok()) return error_response(from_error(accepted.error()), Dialect::kPlain);
  const std::string status = accepted->run ? accepted->run->status() : accepted->status;
  return json_response({{"run", accepted->id}, {"status", status}, {"repeated", accepted->repeated}}, 202)
      .header("Location", "/v1/runs/" + accepted->id);
}

Response run_plan(const SharedCall& call, Fields& fields, std::shared_ptr<const exec::LoadedPlan> plan,
                  const std::string& id, std::string plan_bytes) {
  RunRequest request;
  request.plan_bytes = std::move(plan_bytes);
  call->record->program = id;
  if (auto wrong = read_run(*call, fields, std::move(plan), id, request))
    return error_response(*wrong, Dialect::kPlain);
  if (auto refused = call->admit(demand_of(request.spec))) return error_response(*refused, Dialect::kPlain);
  // A streamed run may go on without its reader, a background run always does.
  if (request.background || request.stream) {
    request.spec.on_end = [lease = std::shared_ptr<QuotaBook::Lease>(std::move(call->lease)), service = &call->service,
                           tenant = call->who.tenant](const engine::Usage& usage) {
      lease->spent(usage.prompt_tokens, usage.generated_tokens);
      service->metrics.count_tokens(tenant, usage);
    };
  }
  if (request.background) return accept(call, std::move(request));
  if (request.stream) {
    const auto run = call->service.runs->start(std::move(request.spec));
    if (!run.ok()) return error_response(from_error(run.error()), Dialect::kPlain);
    return stream_run(call, *run, 0, true);
  }
  request.spec.text_events = false;
  auto ran = run_and_wait(call, std::move(request.spec));
  if (auto* refused = std::get_if<ApiError>(&ran)) return error_response(*refused, Dialect::kPlain);
  return outcome_response(std::get<RunPointer>(ran)->outcome());
}

Response run_stored(const SharedCall& call) {
  const auto program = call->service.programs->get(call->who.tenant, call->path["id"]);
  if (!program.ok()) return error_response(from_error(program.error()), Dialect::kPlain);
  if (!call->who.may_use_program(program->name) && !call->who.may_use_program(program->id)) {
    return error_response({403, fmt::format("these credentials may not run '{}'", program->name)}, Dialect::kPlain);
  }
  Fields fields(call->body);
  return run_plan(call, fields, program->plan, program->id, plan::encode(program->plan->plan()));
}

Response run_source(const SharedCall& call) {
  if (!call->who.programs.empty()) {
    return error_response({403, "these credentials may run only stored programs"}, Dialect::kPlain);
  }
  Fields fields(call->body);
  const auto source = fields.text("source");
  const auto plan = fields.text("plan");
  if (!fields.ok() || source.has_value() == plan.has_value()) {
    fields.fail("source", "give either 'source' (text) or 'plan' (base64url of a .sglp file)");
    return error_response(*fields.error(), Dialect::kPlain);
  }
  std::optional<std::string> bytes = source;
  if (plan) bytes = from_base64url(*plan);
  if (!bytes) return error_response({400, "'plan' is not base64url", "/plan"}, Dialect::kPlain);
  const auto made = call->service.programs->compile(call->who.tenant, *bytes);
  if (!made.ok()) return error_response(from_error(made.error()), Dialect::kPlain);
  const Compiled& compiled = *made;
  if (compiled.failure) {
    ApiError error{422, compiled.failure->message, source ? "/source" : "/plan", "compile_failed"};
    error.details = {{"diagnostics", compiled.failure->diagnostics}};
    return error_response(error, Dialect::kPlain);
  }
  return run_plan(call, fields, compiled.plan, compiled.id, compiled.plan_bytes);
}

Response show_run(const SharedCall& call) {
  const std::string id = call->path["id"];
  if (const RunPointer run = call->service.runs->find(call->who.tenant, id)) {
    const std::string outcome = run->outcome();
    if (!outcome.empty()) return json_response(base::json_or_discarded(outcome));
    return json_response({{"run", id}, {"program", run->spec().program_id}, {"status", run->status()}});
  }
  if (RunStore* store = call->service.runs->store()) {
    const auto stored = store->get(call->who.tenant, id);
    if (!stored.ok()) return error_response(from_error(stored.error()), Dialect::kPlain);
    if (!stored->outcome.empty()) return json_response(base::json_or_discarded(stored->outcome));
    return json_response({{"run", id}, {"program", stored->program_id}, {"status", stored->status}});
  }
  return error_response({404, fmt::format("there is no run '{}'", id)}, Dialect::kPlain);
}

Response follow_run(const SharedCall& call) {
  const RunPointer run = call->service.runs->find(call->who.tenant, call->path["id"]);
  if (!run)
    return error_response({404, fmt::format("there is no run '{}' whose events are still here", call->path["id"])},
                          Dialect::kPlain);
  std::uint64_t after = 0;
  const std::string_view last = call->request.header("last-event-id");
  if (!last.empty()) {
    const auto [end, error] = std::from_chars(last.data(), last.data() + last.size(), after);
    if (error != std::errc() || end != last.data() + last.size()) {
      return error_response({400, "Last-Event-ID must be the number of an event"}, Dialect::kPlain);
    }
  }
  return stream_run(call, run, after, false);
}

Response cancel_run(const SharedCall& call) {
  const RunPointer run = call->service.runs->find(call->who.tenant, call->path["id"]);
  if (!run)
    return error_response({404, fmt::format("there is no run '{}' in work", call->path["id"])}, Dialect::kPlain);
  call->service.runs->cancel(run);
  return json_response({{"run", run->id()}, {"status", run->finished() ? run->status() : "cancelling"}}, 202);
}

}  // namespace

int status_of(const Json& outcome) {
  const std::string status = outcome.value("status", "");
  if (status == "succeeded") return 200;
  if (status == "cancelled") return 499;
  const Json error = outcome.value("error", Json::object());
  const std::string kind = error.value("kind", "");
  if (kind == "internal") return 500;
  if (kind == "unavailable") return 503;
  return 422;
}

std::variant<RunPointer, ApiError> run_and_wait(const SharedCall& call, RunSpec spec) {
  std::optional<HangupWatch::Registration> watch;
  const auto run = call->service.runs->run_here(std::move(spec), [&](const RunPointer& started) {
    watch.emplace(call->request.hangup, call->request.socket, [weak = std::weak_ptr<Run>(started)] {
      if (const RunPointer r = weak.lock()) r->cancel();
    });
  });
  if (!run.ok()) return from_error(run.error());
  call->spent((*run)->usage());
  call->keep_answer((*run)->outcome());
  return *run;
}

Response program_as_model(const SharedCall& call, const std::string& name) {
  const auto refuse = [](const ApiError& error) { return error_response(error, Dialect::kOpenAi); };
  if (!call->who.scopes.has(Scope::kProgramsRun))
    return refuse({403, "this needs the scope 'programs:run', which the credentials do not have"});
  const auto program = call->service.programs->get(call->who.tenant, name);
  if (!program.ok() && program.error().kind != base::ErrorKind::kNotFound) return refuse(from_error(program.error()));
  if (!program.ok() || !call->who.may_use_program(program->name))
    return refuse({404, fmt::format("there is no program '{}'", name), "/model", "model_not_found"});
  Fields fields(call->body);
  const Json* messages = fields.array("messages");
  if (messages == nullptr || messages->empty() || !messages->back().is_object() ||
      !messages->back().value("content", Json()).is_string()) {
    return refuse(
        {400,
         "the last of 'messages' must be a text: a JSON object of arguments, or the one text that the program takes",
         "/messages"});
  }
  const std::string content = messages->back()["content"].get<std::string>();
  const auto streamed = fields.flag("stream");
  if (!fields.ok()) return refuse(*fields.error());
  const auto& entries = program->plan->plan().programs;
  if (entries.empty()) return refuse({400, "the plan has no program", "/model"});
  const plan::Program& entry = entries.front();
  Json args;
  if (parse_json(content, args) || !args.is_object()) {
    if (entry.params.empty()) return refuse({400, "the program takes no argument; send {}", "/messages"});
    args = {{entry.params.front().name, content}};
  }
  Json body = {{"args", args}, {"program", entry.name}};
  if (call->body.contains("seed")) body["seed"] = call->body["seed"];
  Fields run_fields(body);
  RunRequest request;
  if (auto wrong = read_run(*call, run_fields, program->plan, program->id, request)) return refuse(*wrong);
  if (auto refused = call->admit(demand_of(request.spec))) return refuse(*refused);
  call->record->program = program->id;
  auto ran = run_and_wait(call, std::move(request.spec));
  if (auto* refused = std::get_if<ApiError>(&ran)) return refuse(*refused);
  const RunPointer& run = std::get<RunPointer>(ran);
  const Json outcome = base::json_or_discarded(run->outcome());
  if (status_of(outcome) != 200)
    return refuse({status_of(outcome), outcome["error"].value("message", "the program failed"), "",
                   outcome["error"].value("kind", "failed")});
  const Json& result = outcome["result"];
  const std::string text = result.is_string() ? result.get<std::string>() : dump(result);
  const std::string id = "chatcmpl-" + call->request.id;
  const std::string model = "program:" + name;
  const auto created = std::time(nullptr);
  if (!streamed.value_or(false)) {
    return json_response({{"id", id},
                          {"object", "chat.completion"},
                          {"created", created},
                          {"model", model},
                          {"choices", Json::array({{{"index", 0},
                                                    {"message", {{"role", "assistant"}, {"content", text}}},
                                                    {"logprobs", nullptr},
                                                    {"finish_reason", "stop"}}})},
                          {"usage", usage_json(run->usage())}});
  }
  Response out;
  out.content_type = "text/event-stream";
  out.stream = [id, model, created, text](const StreamWriter& write) {
    const auto chunk = [&](Json delta, Json finish) {
      return "data: " +
             dump(
                 {{"id", id},
                  {"object", "chat.completion.chunk"},
                  {"created", created},
                  {"model", model},
                  {"choices",
                   Json::array({{{"index", 0}, {"delta", std::move(delta)}, {"finish_reason", std::move(finish)}}})}}) +
             "\n\n";
    };
    write(chunk({{"role", "assistant"}, {"content", text}}, nullptr)) && write(chunk(Json::object(), "stop")) &&
        write("data: [DONE]\n\n");
  };
  return out;
}

void add_run_routes(Router& router) {
  const auto add = [&](const char* method, const char* path, bool json,
                       std::function<Response(const SharedCall&)> handle) {
    router.add({method, path, Scope::kProgramsRun, Dialect::kPlain, json, std::move(handle)});
  };
  add("POST", "/v1/run", true, run_source);
  add("POST", "/v1/programs/{id}/run", true, run_stored);
  add("GET", "/v1/runs/{id}", false, show_run);
  add("GET", "/v1/runs/{id}/events", false, follow_run);
  add("DELETE", "/v1/runs/{id}", false, cancel_run);
}

}  // namespace sgl::server
