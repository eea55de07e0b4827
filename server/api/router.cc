#include "server/api/router.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <thread>

namespace sgl::server {
namespace {

using Seconds = std::chrono::duration<double>;

std::vector<std::string_view> segments(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    path.remove_prefix(1);  // '/'
    const std::size_t end = std::min(path.find('/'), path.size());
    out.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return out;
}

bool fits(std::string_view pattern, std::string_view path, std::map<std::string, std::string>& values) {
  const auto want = segments(pattern);
  const auto have = segments(path);
  if (want.size() != have.size()) return false;
  values.clear();
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (!want[i].empty() && want[i].front() == '{') {
      if (have[i].empty()) return false;
      values.emplace(want[i].substr(1, want[i].size() - 2), have[i]);
    } else if (want[i] != have[i]) {
      return false;
    }
  }
  return true;
}

// By the path alone, for errors of requests that no route takes.
Dialect dialect_of(const std::string& path) {
  if (path.rfind("/v1/chat", 0) == 0 || path.rfind("/v1/completions", 0) == 0 || path.rfind("/v1/models", 0) == 0 ||
      path.rfind("/v1/embeddings", 0) == 0) {
    return Dialect::kOpenAi;
  }
  return Dialect::kPlain;
}

// Text of a client in a line of the log: nothing that ends the line, or a string of JSON around it.
std::string loggable(std::string_view text) {
  constexpr std::size_t kShown = 300;
  std::string out(text.substr(0, kShown));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7F || c == '"' || c == '\\') c = '?';
  }
  return out;
}

bool is_json(std::string_view content_type) {
  const std::string_view type = content_type.substr(0, content_type.find(';'));
  return type.empty() || type == "application/json" || type == "application/x-www-form-urlencoded";  // curl -d
}

void add_quota_headers(Response& out, const QuotaState& q) {
  const auto number = [&](const char* name, std::int64_t value) { out.header(name, std::to_string(value)); };
  if (q.limit_requests > 0) {
    number("x-ratelimit-limit-requests", q.limit_requests);
    number("x-ratelimit-remaining-requests", q.remaining_requests);
    out.header("x-ratelimit-reset-requests", fmt::format("{:.1f}s", q.reset_seconds));
  }
  if (q.limit_tokens > 0) {
    number("x-ratelimit-limit-tokens", q.limit_tokens);
    number("x-ratelimit-remaining-tokens", q.remaining_tokens);
  }
}

}  // namespace

// A request in work, until its response has been written.
struct Router::Held {
  Held(Router& r, const Request& req, Principal principal, const Route* matched)
      : router(r), request(req), who(std::move(principal)), route(matched) {
    router.service_.in_work.fetch_add(1);
  }
  ~Held() {
    router.service_.in_work.fetch_sub(1);
    const Call::Record& record = *call->record;
    router.conclude(request, route, &who, &record, record.status != 0 ? record.status : status);
    call->lease.reset();
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

  Router& router;
  const Request request;
  const Principal who;
  const Route* route;
  SharedCall call;
  int status = 0;
};

std::optional<ApiError> Call::admit(const Demand& demand) {
  if (service.draining.load()) return ApiError{503, "the server is shutting down", "", "", 5.0};
  if (!who.may_use_model(service.options.model_name)) {
    return ApiError{403, fmt::format("these credentials may not use the model '{}'", service.options.model_name)};
  }
  const Quotas& q = who.quotas;
  if (q.max_context > 0 && demand.tokens > q.max_context) {
    return ApiError{
        422, fmt::format("the request may need {} tokens; this token allows {} for one", demand.tokens, q.max_context)};
  }
  auto admission = service.quotas->admit(who, demand);
  quota = admission.state;
  if (!admission.lease) {
    service.metrics.count_refusal(who.tenant, "quota");
    return ApiError{429, admission.refusal.message, "", "", admission.refusal.retry_after};
  }
  lease = std::move(admission.lease);
  return std::nullopt;
}

void Call::note(const engine::Usage& usage) {
  record->prompt_tokens += usage.prompt_tokens;
  record->cached_tokens += usage.cached_tokens;
  record->generated_tokens += usage.generated_tokens;
}

void Call::spent(const engine::Usage& usage) {
  note(usage);
  if (lease) lease->spent(usage.prompt_tokens, usage.generated_tokens);
  service.metrics.count_tokens(who.tenant, usage);
}

void Call::ended(const engine::Finished& finished) {
  spent(finished.usage);
  keep_answer(finished.text);
}

void Call::keep_prompt(std::span<const engine::TokenId> tokens) {
  if (service.options.log_prompts) record->prompts.push_back(service.engine->tokenizer().decode(tokens));
}

void Call::keep_prompt(std::string text) {
  if (service.options.log_prompts) record->prompts.push_back(std::move(text));
}

void Call::keep_answer(std::string text) {
  if (service.options.log_prompts) record->answers.push_back(std::move(text));
}

const Route* Router::match(const Request& request, std::map<std::string, std::string>& path, bool& other_method) const {
  const std::string& method = request.method() == "HEAD" ? std::string("GET") : request.method();
  for (const Route& route : routes_) {
    if (!fits(route.path, request.path(), path)) continue;
    if (route.method == method) return &route;
    other_method = true;
  }
  return nullptr;
}

Response Router::refuse(const Request& request, const Route* route, const ApiError& error, const Principal* who) {
  Response out = error_response(error, route != nullptr ? route->dialect : dialect_of(request.path()));
  if (error.status == 401) out.header("WWW-Authenticate", "Bearer realm=\"sgl\"");
  conclude(request, route, who, nullptr, error.status);
  return out;
}

std::optional<Response> Router::check_access(const Request& request, const Route& route, Principal& who) {
  auto known = service_.auth->authenticate(request);
  if (const auto* denied = std::get_if<Denied>(&known)) {
    if (denied->guessed) {
      const auto pause = service_.brake.failed(request.remote);
      if (pause.count() > 0) std::this_thread::sleep_for(pause);
    }
    service_.metrics.count_refusal("", denied->status == 503 ? "store" : "credentials");
    return refuse(request, &route,
                  {denied->status, denied->message, "", "", denied->status == 503 ? std::optional(1.0) : std::nullopt},
                  nullptr);
  }
  who = std::move(std::get<Principal>(known));
  if (credentials(request)) service_.brake.succeeded(request.remote);
  if (who.scopes.has(*route.scope)) return std::nullopt;
  const std::string_view scope = scope_name(*route.scope);
  service_.metrics.count_refusal(who.tenant, "scope");
  return refuse(request, &route,
                {403, fmt::format("this needs the scope '{}', which the credentials do not have", scope)}, &who);
}

Response Router::handle(const Request& request) {
  service_.metrics.count_request();
  std::map<std::string, std::string> path;
  bool other_method = false;
  const Route* route = match(request, path, other_method);
  Principal who;
  // What is there is told only to those who may know: everybody else gets 401 for every path.
  static const Route kUnknown{"", "", Scope::kGenerate, Dialect::kPlain, false, {}};
  if (route == nullptr || route->scope) {
    if (auto refused = check_access(request, route == nullptr ? kUnknown : *route, who)) {
      if (route != nullptr || refused->status == 401 || refused->status == 503) return std::move(*refused);
    }
  }
  if (route == nullptr) {
    return refuse(request, nullptr,
                  other_method ? ApiError{405, fmt::format("{} is not allowed here", request.method())}
                               : ApiError{404, fmt::format("there is nothing at '{}'", request.path())},
                  &who);
  }
  // A streamed response outlives this frame: it keeps the request, and what is to be done at its end.
  auto held = std::make_shared<Held>(*this, request, std::move(who), route);
  held->call = std::make_shared<Call>(
      Call{service_, held->request, held->who, Json(), std::move(path), std::make_shared<Call::Record>(), nullptr, {}});
  Call& call = *held->call;
  const auto refuse_call = [&](const ApiError& error) {
    held->status = error.status;
    return error_response(error, route->dialect);
  };
  if (route->json) {
    if (!is_json(request.header("content-type"))) {
      return refuse_call({415, "the body must be JSON (Content-Type: application/json)"});
    }
    if (auto error = parse_body(request.body, call.body)) return refuse_call(*error);
  }
  if (route->scope && request.method() == "POST" && service_.in_work.load() > service_.options.max_waiting) {
    service_.metrics.count_refusal(held->who.tenant, "queue");
    return refuse_call({503, "too many requests are in work; try again later", "", "", 1.0});
  }
  Response out = route->handle(held->call);
  held->status = out.status;
  add_quota_headers(out, call.quota);
  if (out.stream) {
    out.stream = [inner = std::move(out.stream), held](const StreamWriter& write) {
      try {
        inner(write);
      } catch (const std::exception& error) {  // a bug; the connection ends with it, the server does not
        spdlog::error("a stream broke off: {} id={}", error.what(), held->request.id);
        throw;
      }
    };
  }
  return out;
}

void Router::conclude(const Request& request, const Route* route, const Principal* who, const Call::Record* record,
                      int status) {
  const double seconds = Seconds(std::chrono::steady_clock::now() - request.received).count();
  const std::string path = route != nullptr && !route->path.empty() ? route->path : "other";
  service_.metrics.finish_request(path, status, seconds);
  const std::string trace(request.header("traceparent"));
  if (service_.options.log_requests) {
    spdlog::info("{} {} {} {:.1f} ms id={} from={} who={}{}", request.method(), loggable(request.path()), status,
                 seconds * 1e3, request.id, request.remote, who == nullptr || who->id.empty() ? "-" : loggable(who->id),
                 trace.empty() ? "" : " traceparent=" + loggable(trace));
  }
  if (!service_.audit || (route != nullptr && !route->scope)) return;
  Json entry = {{"request", request.id}, {"address", request.remote}};
  entry["tenant"] = who == nullptr || who->id.empty() ? Json() : Json(who->tenant);
  entry["token"] = who == nullptr || who->id.empty() ? Json() : Json(who->id);
  entry["method"] = request.method();
  entry["route"] = path;
  entry["status"] = status;
  entry["ms"] = static_cast<std::int64_t>(seconds * 1e3);
  if (record != nullptr) {
    if (!record->program.empty()) entry["program"] = record->program;
    entry["prompt_tokens"] = record->prompt_tokens;
    entry["generated_tokens"] = record->generated_tokens;
    if (!record->prompts.empty()) entry["prompts"] = record->prompts;
    if (!record->answers.empty()) entry["answers"] = record->answers;
  }
  if (!trace.empty()) entry["traceparent"] = trace;
  if (!service_.audit->write(std::move(entry))) {
    spdlog::error("the audit log cannot be written ({} lines lost so far)", service_.audit->lost());
  }
}

}  // namespace sgl::server
