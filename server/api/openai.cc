// The OpenAI API: what its handlers share, models, tokenizing. Fields follow its reference; what this server does not
// do is refused by name.
#include "server/api/openai.h"

#include <fmt/format.h>

#include "server/api/programs.h"

namespace sgl::server {

StreamOptions read_stream(Fields& fields) {
  StreamOptions out;
  out.on = fields.flag("stream").value_or(false);
  if (const Json* options = fields.object("stream_options")) {
    Fields inner(*options, "/stream_options");
    out.usage = inner.flag("include_usage").value_or(false);
    inner.skip("include_obfuscation");
    inner.finish();
    if (inner.error()) {
      fields.fail("stream_options", inner.error()->message);
      fields.point(inner.error()->pointer);
    }
  }
  return out;
}

void read_rest(Fields& fields) {
  for (const char* ignored : {"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key"}) {
    fields.skip(ignored);  // facts for that service's own books
  }
  fields.refuse("modalities", Json::array({"text"}), "answers are text");
  fields.refuse("audio", nullptr, "answers are text");
  fields.refuse("functions", nullptr, "use 'tools'");
  fields.refuse("function_call", nullptr, "use 'tool_choice'");
  fields.skip("reasoning_effort");
  fields.skip("verbosity");
}

std::optional<ApiError> check_model(Call& call, const std::string& model) {
  const std::string& own = call.service.options.model_name;
  if (model != own && !model.empty() && model != "default") {
    return ApiError{404, fmt::format("there is no model '{}'; this server has '{}'", model, own), "/model",
                    "model_not_found"};
  }
  if (!call.who.may_use_model(own))
    return ApiError{403, fmt::format("these credentials may not use the model '{}'", own), "/model"};
  return std::nullopt;
}

Json usage_json(const engine::Usage& u) {
  return {{"prompt_tokens", u.prompt_tokens},
          {"completion_tokens", u.generated_tokens},
          {"total_tokens", u.prompt_tokens + u.generated_tokens},
          {"prompt_tokens_details", {{"cached_tokens", u.cached_tokens}}}};
}

void add_usage(engine::Usage& total, const engine::Usage& u) {
  total.prompt_tokens += u.prompt_tokens;
  total.cached_tokens += u.cached_tokens;
  total.prefill_tokens += u.prefill_tokens;
  total.generated_tokens += u.generated_tokens;
}

Json token_json(const tokenizer::Tokenizer& tokenizer, engine::TokenId token, float logprob) {
  const std::string_view raw = tokenizer.token_bytes(token);
  Json bytes = Json::array();
  for (const char c : raw) bytes.push_back(static_cast<unsigned char>(c));
  return {{"token", std::string(raw)}, {"logprob", logprob}, {"bytes", std::move(bytes)}};
}

namespace {

Json model_json(const Service& service) {
  return {{"id", service.options.model_name},
          {"object", "model"},
          {"created", 0},
          {"owned_by", "sgl"},
          {"max_model_len", service.context_limit()}};
}

Response models(const SharedCall& call) {
  Json data = Json::array();
  if (call->who.may_use_model(call->service.options.model_name)) data.push_back(model_json(call->service));
  for (const std::string& name : program_names(*call)) {
    data.push_back({{"id", "program:" + name}, {"object", "model"}, {"created", 0}, {"owned_by", call->who.tenant}});
  }
  return json_response({{"object", "list"}, {"data", std::move(data)}});
}

Response one_model(const SharedCall& call) {
  if (call->path["id"] == call->service.options.model_name) return json_response(model_json(call->service));
  return error_response({404, fmt::format("there is no model '{}'", call->path["id"]), "", "model_not_found"},
                        Dialect::kOpenAi);
}

Response tokenize(const SharedCall& call) {
  Fields fields(call->body);
  fields.skip("model");
  const auto prompt = fields.text("prompt");
  const bool special = fields.flag("add_special_tokens").value_or(true);
  const bool parse = fields.flag("parse_special_tokens").value_or(true);
  if (!prompt) fields.fail("prompt", "'prompt' must be a string");
  fields.finish();
  if (fields.error()) return error_response(*fields.error(), Dialect::kOpenAi);
  const auto tokens =
      call->service.engine->tokenizer().encode(*prompt, {.parse_added_tokens = parse, .add_special = special});
  return json_response(
      {{"tokens", tokens}, {"count", tokens.size()}, {"max_model_len", call->service.context_limit()}});
}

Response detokenize(const SharedCall& call) {
  Fields fields(call->body);
  fields.skip("model");
  const Json* ids = fields.array("tokens");
  const bool skip = fields.flag("skip_special_tokens").value_or(false);
  std::vector<engine::TokenId> tokens;
  const auto vocab = static_cast<std::int64_t>(call->service.engine->tokenizer().vocab_size());
  if (ids == nullptr) fields.fail("tokens", "'tokens' must be a list of token ids");
  for (std::size_t i = 0; ids != nullptr && i < ids->size(); ++i) {
    const Json& id = (*ids)[i];
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() >= vocab) {
      fields.fail("tokens", fmt::format("'tokens' must be token ids below {}", vocab));
      fields.point(fmt::format("/tokens/{}", i));
      break;
    }
    tokens.push_back(id.get<engine::TokenId>());
  }
  fields.finish();
  if (fields.error()) return error_response(*fields.error(), Dialect::kOpenAi);
  return json_response({{"prompt", call->service.engine->tokenizer().decode(tokens, skip)}});
}

Response embeddings(const SharedCall&) {
  return error_response({501, "this server generates text; it has no embeddings"}, Dialect::kOpenAi);
}

}  // namespace

void add_openai_routes(Router& router) {
  const auto add = [&](const char* method, const char* path, bool json,
                       std::function<Response(const SharedCall&)> handle) {
    router.add({method, path, Scope::kGenerate, Dialect::kOpenAi, json, std::move(handle)});
  };
  add("GET", "/v1/models", false, models);
  add("GET", "/v1/models/{id}", false, one_model);
  add("POST", "/v1/chat/completions", true, chat_completions);
  add("POST", "/v1/completions", true, completions);
  add("POST", "/v1/embeddings", true, embeddings);
  for (const char* prefix : {"", "/v1"}) {
    add("POST", (std::string(prefix) + "/tokenize").c_str(), true, tokenize);
    add("POST", (std::string(prefix) + "/detokenize").c_str(), true, detokenize);
  }
}

}  // namespace sgl::server
