// POST /v1/completions.
#include <fmt/format.h>

#include <ctime>

#include "server/api/event_stream.h"
#include "server/api/openai.h"
#include "server/api/sampling.h"

namespace sgl::server {
namespace {

constexpr std::size_t kMaxPromptsHere = 256;  // of one request
constexpr std::int64_t kDefaultTokens = 16;   // as in that API

// One choice: what came of it so far.
struct Choice {
  std::vector<engine::TokenId> prompt;
  std::vector<engine::TokenId> tokens;
  std::vector<float> logprobs;
  engine::TopLogprobs tops;
  std::string text, finish_reason;
};

struct Work {
  Sampling sampling;
  StreamOptions stream;
  std::optional<std::int64_t> logprobs;
  bool echo = false;
  std::string model, id;
  std::int64_t created = std::time(nullptr);
  std::vector<std::vector<engine::TokenId>> prompts;
  std::vector<std::string> prompt_texts;
  std::vector<Choice> choices;
  std::unique_ptr<Generations> generations;
  engine::Usage usage;
};

void read_prompts(Call& call, Fields& fields, Work& work) {
  const Json* given = fields.any("prompt");
  if (given == nullptr) return fields.fail("prompt", "'prompt' is missing");
  const tokenizer::Tokenizer& tokenizer = call.service.engine->tokenizer();
  const auto vocab = static_cast<std::int64_t>(tokenizer.vocab_size());
  const auto add = [&](const Json& one) {
    std::vector<engine::TokenId> tokens;
    if (one.is_string()) {
      tokens = tokenizer.encode(one.get<std::string>(), {.parse_added_tokens = true, .add_special = true});
      if (tokens.empty() && tokenizer.bos()) tokens.push_back(*tokenizer.bos());
    } else if (one.is_array()) {
      for (const Json& id : one) {
        if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() >= vocab) {
          return fields.fail("prompt", fmt::format("token ids must be below {}", vocab));
        }
        tokens.push_back(id.get<engine::TokenId>());
      }
    }
    if (tokens.empty())
      return fields.fail("prompt", "'prompt' must be a text or token ids, or a list of these, not empty");
    work.prompt_texts.push_back(one.is_string() ? one.get<std::string>() : tokenizer.decode(tokens));
    work.prompts.push_back(std::move(tokens));
  };
  const bool list = given->is_array() && !given->empty() && !given->front().is_number();
  if (!list) return add(*given);
  if (given->size() > kMaxPromptsHere)
    return fields.fail("prompt", fmt::format("there are more than {} prompts", kMaxPromptsHere));
  for (const Json& one : *given) add(one);
}

Work read_work(Call& call, Fields& fields) {
  Work out;
  out.model = fields.text("model").value_or("");
  read_prompts(call, fields, out);
  const bool bounded = call.body.contains("max_tokens") && !call.body["max_tokens"].is_null();
  out.sampling = openai_sampling(call.service, fields, call.who);
  if (!bounded) out.sampling.params.max_tokens = kDefaultTokens;
  out.stream = read_stream(fields);
  out.logprobs = fields.integer("logprobs", 0, 20);
  out.echo = fields.flag("echo").value_or(false);
  out.sampling.params.logprobs = out.logprobs.has_value();
  out.sampling.params.top_logprobs = static_cast<int>(out.logprobs.value_or(0));
  fields.refuse("suffix", nullptr, "there is no filling in");
  const auto best = fields.integer("best_of", 1);
  if (best && *best != out.sampling.n) fields.fail("best_of", "'best_of' other than 'n' is not supported");
  read_rest(fields);
  fields.finish();
  out.id = "cmpl-" + call.request.id;
  return out;
}

std::optional<ApiError> begin(const SharedCall& call, Work& work) {
  Service& service = call->service;
  Demand demand;
  if (static_cast<std::int64_t>(work.prompts.size()) * work.sampling.n > kMaxGenerations)
    return ApiError{400, fmt::format("prompts times 'n' must be at most {}", kMaxGenerations), "/n"};
  for (const auto& prompt : work.prompts) {
    const auto size = static_cast<std::int64_t>(prompt.size());
    if (size > service.context_limit()) {
      return ApiError{400, fmt::format("the prompt has {} tokens; {} fit", size, service.context_limit()), "/prompt",
                      "context_length_exceeded"};
    }
    demand.tokens +=
        (size + std::min<std::int64_t>(work.sampling.params.max_tokens, service.context_limit() - size + 1)) *
        work.sampling.n;
  }
  if (auto refused = call->admit(demand)) return refused;
  work.generations = std::make_unique<Generations>(*service.engine, service.options.request_timeout, true);
  for (std::size_t p = 0; p < work.prompts.size(); ++p) {
    call->keep_prompt(work.prompts[p]);
    for (std::int64_t i = 0; i < work.sampling.n; ++i) {
      engine::GenerateRequest request;
      request.sequence.append(work.prompts[p]);
      request.sampling = work.sampling.params;
      request.sampling.seed = seed_of(request.sampling.seed, static_cast<std::size_t>(i));
      request.constraint = work.sampling.constraint;
      service.attribute(request, call->who);
      if (work.echo && work.logprobs) request.prompt_logprobs_from = 0;
      work.generations->add(std::move(request));
      work.choices.push_back({work.prompts[p], {}, {}, {}, work.echo ? work.prompt_texts[p] : "", ""});
    }
  }
  return std::nullopt;
}

Json logprobs_json(const tokenizer::Tokenizer& tokenizer, std::span<const engine::TokenId> tokens,
                   std::span<const float> logprobs, std::span<const std::vector<engine::TokenLogprob>> tops,
                   std::size_t offset) {
  Json out = {{"tokens", Json::array()},
              {"token_logprobs", Json::array()},
              {"top_logprobs", Json::array()},
              {"text_offset", Json::array()}};
  for (std::size_t i = 0; i < tokens.size() && i < logprobs.size(); ++i) {
    const std::string_view bytes = tokenizer.token_bytes(tokens[i]);
    out["tokens"].push_back(std::string(bytes));
    out["token_logprobs"].push_back(logprobs[i]);
    Json best = Json::object();
    if (i < tops.size()) {
      for (const engine::TokenLogprob& top : tops[i]) best[std::string(tokenizer.token_bytes(top.token))] = top.logprob;
    }
    out["top_logprobs"].push_back(std::move(best));
    out["text_offset"].push_back(offset);
    offset += bytes.size();
  }
  return out;
}

const char* reason_word(const engine::Finished& finished) {
  return finished.reason == engine::FinishReason::kLength ? "length" : "stop";
}

Json chunk_json(const Work& work, std::size_t index, const std::string& text, Json logprobs, Json finish) {
  return {{"id", work.id},
          {"object", "text_completion"},
          {"created", work.created},
          {"model", work.model},
          {"choices", Json::array({{{"index", index},
                                    {"text", text},
                                    {"logprobs", std::move(logprobs)},
                                    {"finish_reason", std::move(finish)}}})}};
}

// Prompt and answer together, for `echo`.
void prepend_prompt(Choice& choice, const engine::Finished& finished) {
  std::vector<engine::TokenId> tokens(choice.prompt.begin() + 1, choice.prompt.end());
  std::vector<float> logprobs = finished.prompt_logprobs;
  engine::TopLogprobs tops = finished.prompt_top_logprobs;
  tokens.insert(tokens.end(), choice.tokens.begin(), choice.tokens.end());
  logprobs.insert(logprobs.end(), choice.logprobs.begin(), choice.logprobs.end());
  tops.insert(tops.end(), choice.tops.begin(), choice.tops.end());
  choice.tokens = std::move(tokens);
  choice.logprobs = std::move(logprobs);
  choice.tops = std::move(tops);
}

void stream(const SharedCall& call, Work& work, const StreamWriter& write) {
  EventStream events(call, *work.generations, write);
  const tokenizer::Tokenizer& tokenizer = call->service.engine->tokenizer();
  if (work.echo) {
    for (std::size_t i = 0; i < work.choices.size(); ++i)
      events.send(chunk_json(work, i, work.choices[i].text, nullptr, nullptr));
  }
  while (auto event = events.next()) {
    if (!event->text.empty() || (work.logprobs && !event->tokens.empty())) {
      Choice& choice = work.choices[event->index];
      Json logprobs = work.logprobs ? logprobs_json(tokenizer, event->tokens, event->logprobs, event->top_logprobs,
                                                    choice.text.size())
                                    : Json();
      choice.text += event->text;
      events.send(chunk_json(work, event->index, event->text, std::move(logprobs), nullptr));
    }
    if (!event->finished) continue;
    call->ended(*event->finished);
    add_usage(work.usage, event->finished->usage);
    if (const auto failed = work.generations->failure(*event->finished)) {
      events.fail(*failed, Dialect::kOpenAi);
      continue;
    }
    events.send(chunk_json(work, event->index, "", nullptr, reason_word(*event->finished)));
  }
  if (work.stream.usage) {
    Json chunk = chunk_json(work, 0, "", nullptr, nullptr);
    chunk["choices"] = Json::array();
    chunk["usage"] = usage_json(work.usage);
    events.send(chunk);
  }
  events.done();
}

Response whole(const SharedCall& call, Work& work) {
  const HangupWatch::Registration watch(call->request.hangup, call->request.socket,
                                        [g = work.generations.get()] { g->cancel(); });
  std::optional<ApiError> failed;
  while (auto event = work.generations->next()) {
    Choice& choice = work.choices[event->index];
    choice.text += event->text;
    choice.tokens.insert(choice.tokens.end(), event->tokens.begin(), event->tokens.end());
    choice.logprobs.insert(choice.logprobs.end(), event->logprobs.begin(), event->logprobs.end());
    choice.tops.insert(choice.tops.end(), event->top_logprobs.begin(), event->top_logprobs.end());
    if (!event->finished) continue;
    call->ended(*event->finished);
    add_usage(work.usage, event->finished->usage);
    if (!failed) failed = work.generations->failure(*event->finished);
    choice.finish_reason = reason_word(*event->finished);
    if (work.echo && work.logprobs) prepend_prompt(choice, *event->finished);
  }
  if (failed) return error_response(*failed, Dialect::kOpenAi);
  Json choices = Json::array();
  for (std::size_t i = 0; i < work.choices.size(); ++i) {
    const Choice& c = work.choices[i];
    choices.push_back(
        {{"index", i},
         {"text", c.text},
         {"logprobs",
          work.logprobs ? logprobs_json(call->service.engine->tokenizer(), c.tokens, c.logprobs, c.tops, 0) : Json()},
         {"finish_reason", c.finish_reason}});
  }
  return json_response({{"id", work.id},
                        {"object", "text_completion"},
                        {"created", work.created},
                        {"model", work.model},
                        {"choices", std::move(choices)},
                        {"usage", usage_json(work.usage)}});
}

}  // namespace

Response completions(const SharedCall& call) {
  Fields fields(call->body, "", call->request.body);
  auto work = std::make_shared<Work>(read_work(*call, fields));
  if (fields.error()) return error_response(*fields.error(), Dialect::kOpenAi);
  if (auto refused = check_model(*call, work->model)) return error_response(*refused, Dialect::kOpenAi);
  work->model = call->service.options.model_name;
  if (auto refused = begin(call, *work)) return error_response(*refused, Dialect::kOpenAi);
  if (!work->stream.on) return whole(call, *work);
  Response out;
  out.content_type = "text/event-stream";
  out.stream = [call, work](const StreamWriter& write) { stream(call, *work, write); };
  return out;
}

}  // namespace sgl::server
