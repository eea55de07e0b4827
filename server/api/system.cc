// Health, metrics, facts about the server, the cache.
#include <fmt/format.h>

#include "server/api/generations.h"
#include "server/api/router.h"

namespace sgl::server {
namespace {

Response health(const SharedCall&) {
  return json_response({{"status", "ok"}});
}

Response ready(const SharedCall& call) {
  if (call->service.draining.load()) return json_response({{"status", "draining"}}, 503);
  return json_response({{"status", "ready"}});
}

// Proves that the model answers: one token.
Response health_generate(const SharedCall& call) {
  const tokenizer::Tokenizer& tokenizer = call->service.engine->tokenizer();
  engine::GenerateRequest request;
  std::vector<engine::TokenId> prompt = tokenizer.encode("Hello", {.add_special = true});
  request.sequence.append(prompt);
  request.sampling.max_tokens = 1;
  request.sampling.temperature = 0;
  request.sampling.ignore_eos = true;
  call->service.attribute(request, call->who);
  if (auto refused = call->admit({static_cast<std::int64_t>(prompt.size()) + 1}))
    return error_response(*refused, Dialect::kNative);
  Generations generations(*call->service.engine, call->service.options.request_timeout);
  generations.add(std::move(request));
  while (auto event = generations.next()) {
    if (!event->finished) continue;
    call->spent(event->finished->usage);
    if (const auto failed = generations.failure(*event->finished)) return error_response(*failed, Dialect::kNative);
  }
  return json_response({{"status", "ok"}});
}

Response model_info(const SharedCall& call) {
  const ServiceOptions& options = call->service.options;
  return json_response({{"model_path", options.model_name},
                        {"tokenizer_path", options.model_name},
                        {"is_generation", true},
                        {"served_model_name", options.model_name},
                        {"max_model_len", call->service.context_limit()},
                        {"vocab_size", call->service.engine->tokenizer().vocab_size()},
                        {"has_chat_template", !call->service.chat_template_text.empty()}});
}

Response server_info(const SharedCall& call) {
  const Gauges g = gauges_of(call->service);
  return json_response(
      {{"version", SGL_VERSION},
       {"status", call->service.draining.load() ? "draining" : "ready"},
       {"served_model_name", call->service.options.model_name},
       {"max_model_len", call->service.context_limit()},
       {"max_waiting", call->service.options.max_waiting},
       {"share_cache", call->service.options.share_cache},
       {"requests_in_work", g.in_work},
       {"background_runs", g.background_runs},
       {"compilations_waiting", g.compilations_waiting},
       {"kv_pages",
        {{"total", g.engine.pages_total}, {"free", g.engine.pages_free}, {"cached", g.engine.pages_cached}}},
       {"steps", g.engine.steps}});
}

Response metrics(const SharedCall& call) {
  Response out;
  out.content_type = "text/plain; version=0.0.4; charset=utf-8";
  out.body = call->service.metrics.render(gauges_of(call->service));
  return out;
}

}  // namespace

void add_system_routes(Router& router) {
  const auto add = [&](const char* method, const char* path, std::optional<Scope> scope,
                       std::function<Response(const SharedCall&)> handle) {
    router.add({method, path, scope, Dialect::kNative, false, std::move(handle)});
  };
  add("GET", "/health", std::nullopt, health);
  add("GET", "/ready", std::nullopt, ready);
  add("GET", "/health_generate", Scope::kGenerate, health_generate);
  add("GET", "/get_model_info", Scope::kGenerate, model_info);
  add("GET", "/model_info", Scope::kGenerate, model_info);
  add("GET", "/get_server_info", Scope::kMetrics, server_info);
  add("GET", "/server_info", Scope::kMetrics, server_info);
  add("GET", "/metrics", Scope::kMetrics, metrics);
}

}  // namespace sgl::server
