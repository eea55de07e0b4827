// POST /v1/chat/completions.
#include <fmt/format.h>

#include <ctime>

#include "server/api/answer.h"
#include "server/api/event_stream.h"
#include "server/api/openai.h"
#include "server/api/programs.h"

namespace sgl::server {
namespace {

Json chat_logprobs(const tokenizer::Tokenizer& tokenizer, std::span<const engine::TokenId> tokens,
                   std::span<const float> logprobs, std::span<const std::vector<engine::TokenLogprob>> tops) {
  Json content = Json::array();
  for (std::size_t i = 0; i < logprobs.size() && i < tokens.size(); ++i) {
    Json one = token_json(tokenizer, tokens[i], logprobs[i]);
    one["top_logprobs"] = Json::array();
    if (i < tops.size()) {
      for (const engine::TokenLogprob& top : tops[i])
        one["top_logprobs"].push_back(token_json(tokenizer, top.token, top.logprob));
    }
    content.push_back(std::move(one));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

struct ChatWork {
  Chat chat;
  Sampling sampling;
  StreamOptions stream;
  bool logprobs = false;
  std::string model, id;
  std::int64_t created = std::time(nullptr);
  std::vector<std::unique_ptr<ChatAnswer>> answers;
  std::unique_ptr<Generations> generations;
  std::vector<std::size_t> owner;  // of each generation: which answer
};

void read_format(Call& call, Fields& fields, Sampling& sampling) {
  const Json* format = fields.object("response_format");
  if (format == nullptr) return;
  const auto refuse = [&](const char* where, const auto& why) {
    fields.fail("response_format", why);
    fields.point(std::string("/response_format") + where);
  };
  const std::string type = text_member(*format, "type");
  base::Expected<ConstraintCache::Pointer> made = ConstraintCache::Pointer();
  if (type == "json_object") {
    made = call.service.constraints.any_json(call.who.tenant);
  } else if (type == "json_schema") {
    const Json schema = format->value("json_schema", Json());
    if (!schema.is_object() || !schema.contains("schema"))
      return refuse("/json_schema", "'json_schema' needs a 'schema'");
    made = call.service.constraints.json_schema(
        call.who.tenant, base::json_compact(fields.source({"response_format", "json_schema", "schema"})));
  } else if (type != "text") {
    return refuse("/type", "'type' must be text, json_object or json_schema");
  }
  if (!made.ok()) return refuse("/json_schema/schema", made.error());
  if (*made) sampling.constraint = std::move(*made);
}

ChatWork read_chat_call(Call& call, Fields& fields) {
  ChatWork out;
  out.model = fields.text("model").value_or("");
  out.chat = read_chat(fields);
  out.sampling = openai_sampling(call.service, fields, call.who);
  read_format(call, fields, out.sampling);
  out.stream = read_stream(fields);
  out.logprobs = fields.flag("logprobs").value_or(false);
  out.sampling.params.logprobs = out.logprobs;
  out.sampling.params.top_logprobs = static_cast<int>(fields.integer("top_logprobs", 0, 20).value_or(0));
  if (!out.logprobs && out.sampling.params.top_logprobs > 0)
    fields.fail("top_logprobs", "'top_logprobs' needs 'logprobs'");
  read_rest(fields);
  fields.finish();
  out.id = "chatcmpl-" + call.request.id;
  return out;
}

ApiError tools_error(const base::Error& error) {
  if (error.kind == base::ErrorKind::kUnavailable) return from_error(error);
  return {400, error.message, "/tools"};
}

std::optional<ApiError> begin_step(ChatWork& work, std::size_t answer) {
  auto request = work.answers[answer]->next();
  if (!request.ok()) return tools_error(request.error());
  if (*request) {
    work.generations->add(std::move(**request));
    work.owner.push_back(answer);
  }
  return std::nullopt;
}

std::optional<ApiError> begin_chat(const SharedCall& call, ChatWork& work) {
  Service& service = call->service;
  const auto prompt = chat_tokens(service, work.chat);
  if (!prompt.ok()) return ApiError{400, prompt.error().message, "/messages"};
  const auto size = static_cast<std::int64_t>(prompt->size());
  if (size > service.context_limit()) {
    return ApiError{400, fmt::format("the messages have {} tokens; {} fit", size, service.context_limit()), "/messages",
                    "context_length_exceeded"};
  }
  // Now, not when the model begins a call: what cannot be compiled is said before anything is generated.
  if (work.chat.choice != ToolChoice::kNone) {
    const auto schema = service.constraints.json_schema(call->who.tenant, tool_call_schema(work.chat));
    if (!schema.ok()) return tools_error(schema.error());
  }
  engine::SamplingParams& params = work.sampling.params;
  params.max_tokens = static_cast<int>(std::min<std::int64_t>(params.max_tokens, service.context_limit() - size + 1));
  if (auto refused = call->admit({(size + params.max_tokens) * work.sampling.n})) return refused;
  call->keep_prompt(*prompt);
  work.generations = std::make_unique<Generations>(*service.engine, service.options.request_timeout, true);
  for (std::int64_t i = 0; i < work.sampling.n; ++i) {
    Sampling one = work.sampling;
    one.params.seed = seed_of(params.seed, static_cast<std::size_t>(i));
    work.answers.push_back(std::make_unique<ChatAnswer>(service, work.chat, std::move(one), *prompt, call->who));
    if (auto refused = begin_step(work, static_cast<std::size_t>(i))) return refused;
  }
  return std::nullopt;
}

Json calls_json(const std::vector<ToolCall>& calls) {
  Json out = Json::array();
  for (const ToolCall& call : calls) {
    out.push_back(
        {{"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  return out;
}

Json delta_json(const ToolCallDelta& delta) {
  Json one = {{"index", delta.index}};
  if (!delta.name.empty()) {
    one["id"] = delta.id;
    one["type"] = "function";
    one["function"]["name"] = delta.name;
  }
  one["function"]["arguments"] = delta.arguments;
  return {{"tool_calls", Json::array({std::move(one)})}};
}

Json chunk_json(const ChatWork& work, std::size_t index, Json delta, Json finish) {
  return {{"id", work.id},
          {"object", "chat.completion.chunk"},
          {"created", work.created},
          {"model", work.model},
          {"choices", Json::array({{{"index", index},
                                    {"delta", std::move(delta)},
                                    {"logprobs", nullptr},
                                    {"finish_reason", std::move(finish)}}})}};
}

// Handles the end of a step: the next one begins, or the answer is complete. An error ends the request.
std::optional<ApiError> end_step(const SharedCall& call, ChatWork& work, std::size_t index,
                                 const engine::Finished& finished) {
  ChatAnswer& answer = *work.answers[index];
  std::optional<ApiError> failed = work.generations->failure(finished);
  if (failed) {
    answer.count(finished);
  } else {
    answer.take(finished);
    if (answer.finish_reason().empty()) failed = begin_step(work, index);
    if (answer.finish_reason().empty() && !failed) return std::nullopt;
  }
  call->spent(answer.usage());  // however it ended
  call->keep_answer(answer.text());
  return failed;
}

void stream_chat(const SharedCall& call, ChatWork& work, const StreamWriter& write) {
  EventStream events(call, *work.generations, write);
  for (std::size_t i = 0; i < work.answers.size(); ++i)
    events.send(chunk_json(work, i, {{"role", "assistant"}, {"content", ""}}, nullptr));
  while (auto event = events.next()) {
    const std::size_t index = work.owner[event->index];
    ChatAnswer& answer = *work.answers[index];
    if (answer.in_text() && (!event->text.empty() || (work.logprobs && !event->tokens.empty()))) {
      Json chunk = chunk_json(work, index, {{"content", event->text}}, nullptr);
      if (work.logprobs) {
        chunk["choices"][0]["logprobs"] =
            chat_logprobs(call->service.engine->tokenizer(), event->tokens, event->logprobs, event->top_logprobs);
      }
      events.send(chunk);
    }
    if (!answer.in_text() && !event->text.empty()) {
      if (const auto delta = answer.hear(event->text))
        events.send(chunk_json(work, index, delta_json(*delta), nullptr));
    }
    if (!event->finished) continue;
    if (auto failed = end_step(call, work, index, *event->finished)) {
      events.fail(*failed, Dialect::kOpenAi);
      work.generations->cancel();
      continue;
    }
    if (!answer.finish_reason().empty()) events.send(chunk_json(work, index, Json::object(), answer.finish_reason()));
  }
  if (work.stream.usage) {
    engine::Usage total;
    for (const auto& answer : work.answers) add_usage(total, answer->usage());
    Json chunk = chunk_json(work, 0, nullptr, nullptr);
    chunk["choices"] = Json::array();
    chunk["usage"] = usage_json(total);
    events.send(chunk);
  }
  events.done();
}

Response whole_chat(const SharedCall& call, ChatWork& work) {
  const HangupWatch::Registration watch(call->request.hangup, call->request.socket,
                                        [g = work.generations.get()] { g->cancel(); });
  std::optional<ApiError> failed;
  while (auto event = work.generations->next()) {
    if (!event->finished) continue;
    auto error = end_step(call, work, work.owner[event->index], *event->finished);
    if (error && !failed) {
      failed = std::move(error);
      work.generations->cancel();
    }
  }
  if (failed) return error_response(*failed, Dialect::kOpenAi);
  Json choices = Json::array();
  engine::Usage total;
  for (std::size_t i = 0; i < work.answers.size(); ++i) {
    const ChatAnswer& answer = *work.answers[i];
    Json message = {{"role", "assistant"},
                    {"content", answer.text().empty() && !answer.calls().empty() ? Json() : Json(answer.text())},
                    {"refusal", nullptr}};
    if (!answer.calls().empty()) message["tool_calls"] = calls_json(answer.calls());
    choices.push_back({{"index", i},
                       {"message", std::move(message)},
                       {"logprobs", work.logprobs ? chat_logprobs(call->service.engine->tokenizer(), answer.tokens(),
                                                                  answer.logprobs(), answer.top_logprobs())
                                                  : Json()},
                       {"finish_reason", answer.finish_reason()}});
    add_usage(total, answer.usage());
  }
  return json_response({{"id", work.id},
                        {"object", "chat.completion"},
                        {"created", work.created},
                        {"model", work.model},
                        {"choices", std::move(choices)},
                        {"usage", usage_json(total)}});
}

}  // namespace

Response chat_completions(const SharedCall& call) {
  Fields fields(call->body, "", call->request.body);
  if (const auto model = fields.text("model"); model && model->rfind("program:", 0) == 0) {
    return program_as_model(call, model->substr(8));
  }
  auto work = std::make_shared<ChatWork>(read_chat_call(*call, fields));
  if (fields.error()) return error_response(*fields.error(), Dialect::kOpenAi);
  if (auto refused = check_model(*call, work->model)) return error_response(*refused, Dialect::kOpenAi);
  work->model = call->service.options.model_name;
  if (auto refused = begin_chat(call, *work)) return error_response(*refused, Dialect::kOpenAi);
  if (!work->stream.on) return whole_chat(call, *work);
  Response out;
  out.content_type = "text/event-stream";
  out.stream = [call, work](const StreamWriter& write) { stream_chat(call, *work, write); };
  return out;
}

}  // namespace sgl::server
