// SGLang's native API: /generate and what goes with it. The fields follow its documentation ("Native API", sampling
// parameters); what is not supported is refused by name.
#include "server/api/native.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "server/api/event_stream.h"
#include "server/api/sampling.h"

namespace sgl::server {
namespace {

// One prompt of a request.
struct Prompt {
  std::vector<engine::TokenId> tokens;
  Sampling sampling;
  std::string rid;
};

struct GenerateCall {
  std::vector<Prompt> prompts;
  bool single = true;  // a text, not a list: the answer is an object, not a list
  bool stream = false;
  bool logprobs = false;
  std::int64_t logprob_start = -1;
  int top_logprobs = 0;
  bool text_in_logprobs = false;
};

void read_texts(Service& service, Fields& fields, GenerateCall& out) {
  const Json* text = fields.any("text");
  const Json* ids = fields.any("input_ids");
  if ((text == nullptr) == (ids == nullptr)) return fields.fail("text", "give either 'text' or 'input_ids'");
  const tokenizer::Tokenizer& tokenizer = service.engine->tokenizer();
  const auto add_text = [&](const Json& value) {
    if (!value.is_string()) return fields.fail("text", "'text' must be a string or a list of strings");
    // Control tokens that are spelled out in the prompt are meant: the client renders its own chat template.
    auto tokens = tokenizer.encode(value.get<std::string>(), {.parse_added_tokens = true, .add_special = true});
    if (tokens.empty() && tokenizer.bos()) tokens.push_back(*tokenizer.bos());
    if (tokens.empty()) return fields.fail("text", "'text' is empty, and this model has no token that begins a text");
    out.prompts.push_back({std::move(tokens), {}, {}});
  };
  const auto add_ids = [&](const Json& value) {
    std::vector<engine::TokenId> tokens;
    for (const Json& id : value) {
      if (!id.is_number_integer())
        return fields.fail("input_ids", "'input_ids' must be token ids, or a list of lists of them");
      const auto number = id.get<std::int64_t>();
      if (number < 0 || number >= static_cast<std::int64_t>(tokenizer.vocab_size())) {
        return fields.fail("input_ids",
                           fmt::format("token {} is outside the vocabulary of {}", number, tokenizer.vocab_size()));
      }
      tokens.push_back(static_cast<engine::TokenId>(number));
    }
    if (tokens.empty()) return fields.fail("input_ids", "'input_ids' is empty");
    out.prompts.push_back({std::move(tokens), {}, {}});
  };
  const Json& given = text != nullptr ? *text : *ids;
  const bool list = given.is_array() && !given.empty() && (text != nullptr || given.front().is_array());
  if (!list && given.is_array() && text != nullptr) return fields.fail("text", "'text' is an empty list");
  if (!list && ids != nullptr && !given.is_array()) return fields.fail("input_ids", "'input_ids' must be a list");
  out.single = !list;
  if (!list) return text != nullptr ? add_text(given) : add_ids(given);
  if (given.size() > kMaxPrompts)
    return fields.fail("text", fmt::format("there are more than {} prompts", kMaxPrompts));
  for (const Json& one : given) text != nullptr ? add_text(one) : add_ids(one);
}

void read_sampling(Call& call, Fields& fields, GenerateCall& out) {
  const Json* given = fields.any("sampling_params");
  const Json none = Json::object();
  if (given == nullptr) given = &none;
  if (!given->is_object() && !(given->is_array() && given->size() == out.prompts.size())) {
    return fields.fail("sampling_params", "'sampling_params' must be an object, or a list with one for every text");
  }
  const auto top_level = fields.integer("max_tokens", 0, 1 << 24);
  const std::string_view source = fields.source({"sampling_params"});
  const std::vector<std::string_view> sources = base::json_items(source);
  for (std::size_t i = 0; i < out.prompts.size(); ++i) {
    const bool many = given->is_array();
    const Json& object = many ? (*given)[i] : *given;
    const std::string where = many ? fmt::format("/sampling_params/{}", i) : "/sampling_params";
    if (!object.is_object()) return fields.fail("sampling_params", "'sampling_params' must hold objects");
    Fields inner(object, where, many ? sources.at(i) : source);
    Sampling sampling = native_sampling(call.service, inner, call.who);
    if (top_level && !object.contains("max_new_tokens")) sampling.params.max_tokens = static_cast<int>(*top_level);
    inner.finish();
    if (inner.error()) {
      fields.fail("sampling_params", inner.error()->message);
      fields.point(inner.error()->pointer);
      return;
    }
    out.prompts[i].sampling = std::move(sampling);
    if (many && out.single) break;
  }
}

GenerateCall read_call(Call& call, Fields& fields) {
  GenerateCall out;
  read_texts(call.service, fields, out);
  if (fields.ok()) read_sampling(call, fields, out);
  out.stream = fields.flag("stream").value_or(false);
  out.logprobs = fields.flag("return_logprob").value_or(false);
  out.logprob_start = fields.integer("logprob_start_len", -1).value_or(-1);
  out.top_logprobs = static_cast<int>(fields.integer("top_logprobs_num", 0, 20).value_or(0));
  out.text_in_logprobs = fields.flag("return_text_in_logprobs").value_or(false);
  if (const auto rid = fields.texts("rid")) {
    for (std::size_t i = 0; i < out.prompts.size() && i < rid->size(); ++i) out.prompts[i].rid = (*rid)[i];
  }
  fields.refuse("image_data", nullptr, "this server has language models only");
  fields.refuse("lora_path", nullptr, "adapters are not supported");
  fields.refuse("return_hidden_states", false, "hidden states are not given out");
  fields.refuse("token_ids_logprob", nullptr, "use 'top_logprobs_num'");
  fields.skip("model");
  fields.skip("log_metrics");
  fields.skip("background");
  fields.finish();
  return out;
}

Json token_entry(const tokenizer::Tokenizer& tokenizer, std::optional<float> logprob, engine::TokenId token,
                 bool text) {
  return Json::array(
      {logprob ? Json(*logprob) : Json(), token, text ? Json(tokenizer.decode(std::span(&token, 1), false)) : Json()});
}

Json top_entries(const tokenizer::Tokenizer& tokenizer, const std::vector<engine::TokenLogprob>& tops, bool text) {
  Json out = Json::array();
  for (const engine::TokenLogprob& top : tops) out.push_back(token_entry(tokenizer, top.logprob, top.token, text));
  return out.empty() ? Json() : out;
}

}  // namespace

NativeAnswer::NativeAnswer(std::string id, std::shared_ptr<const tokenizer::Tokenizer> tokenizer,
                           std::vector<engine::TokenId> prompt, const NativeOptions& options)
    : id_(std::move(id)), tokenizer_(std::move(tokenizer)), prompt_(std::move(prompt)), options_(options) {}

void NativeAnswer::add(const GenerationEvent& event) {
  text_ += event.text;
  for (std::size_t i = 0; i < event.tokens.size(); ++i) {
    tokens_.push_back(event.tokens[i]);
    if (!options_.logprobs) continue;
    logprobs_.push_back(token_entry(*tokenizer_, event.logprobs[i], event.tokens[i], options_.text));
    if (options_.tops > 0) tops_.push_back(top_entries(*tokenizer_, event.top_logprobs[i], options_.text));
  }
  if (!event.finished) return;
  finished_ = *event.finished;
  if (options_.keep_stop) text_ += finished_->stop_text;
}

Json NativeAnswer::finish_reason() const {
  if (!finished_) return nullptr;
  switch (finished_->reason) {
    case engine::FinishReason::kLength:
      return {{"type", "length"}, {"length", finished_->usage.generated_tokens}};
    case engine::FinishReason::kCancelled:
      return {{"type", "abort"}, {"message", finished_->error ? finished_->error->message : "cancelled"}};
    case engine::FinishReason::kError:
      return {{"type", "abort"}, {"message", finished_->error ? finished_->error->message : "failed"}};
    default:
      break;
  }
  Json matched;
  if (!finished_->stop_text.empty()) matched = finished_->stop_text;
  if (finished_->stop_token) matched = *finished_->stop_token;
  return {{"type", "stop"}, {"matched", matched}};
}

Json NativeAnswer::json(double seconds) const {
  Json meta = {{"id", id_}, {"finish_reason", finish_reason()}, {"prompt_tokens", prompt_.size()}};
  meta["completion_tokens"] = finished_ ? finished_->usage.generated_tokens : static_cast<std::int64_t>(tokens_.size());
  meta["cached_tokens"] = finished_ ? finished_->usage.cached_tokens : 0;
  meta["e2e_latency"] = seconds;
  if (options_.logprobs && finished_) {
    Json inputs = Json::array();
    Json input_tops = Json::array();
    const std::size_t from = std::min(options_.logprobs_from, prompt_.size());
    const std::size_t first = std::max<std::size_t>(from, 1);
    if (from == 0 && !prompt_.empty()) {
      inputs.push_back(token_entry(*tokenizer_, std::nullopt, prompt_[0], options_.text));
      input_tops.push_back(nullptr);
    }
    for (std::size_t i = 0; i < finished_->prompt_logprobs.size(); ++i) {
      inputs.push_back(token_entry(*tokenizer_, finished_->prompt_logprobs[i], prompt_[first + i], options_.text));
      if (options_.tops > 0)
        input_tops.push_back(top_entries(*tokenizer_, finished_->prompt_top_logprobs[i], options_.text));
    }
    meta["input_token_logprobs"] = std::move(inputs);
    if (options_.tops > 0) meta["input_top_logprobs"] = std::move(input_tops);
  }
  if (options_.logprobs) {
    meta["output_token_logprobs"] = logprobs_;
    if (options_.tops > 0) meta["output_top_logprobs"] = tops_;
  }
  return {{"text", text_}, {"output_ids", tokens_}, {"meta_info", std::move(meta)}};
}

namespace {

// A request in work: generations and their answers, in the order of the prompts, n for each.
struct Work {
  GenerateCall call;
  std::vector<NativeAnswer> answers;
  std::unique_ptr<Generations> generations;
};

std::optional<ApiError> begin(const SharedCall& call, Work& work) {
  Service& service = call->service;
  Demand demand;
  std::int64_t generations = 0;
  for (const Prompt& prompt : work.call.prompts) {
    const auto size = static_cast<std::int64_t>(prompt.tokens.size());
    if (size > service.context_limit()) {
      return ApiError{400, fmt::format("the prompt has {} tokens; {} fit", size, service.context_limit()), "/text"};
    }
    const std::int64_t most =
        std::min<std::int64_t>(prompt.sampling.params.max_tokens, service.context_limit() - size + 1);
    demand.tokens += (size + most) * prompt.sampling.n;
    generations += prompt.sampling.n;
  }
  if (generations > kMaxGenerations)
    return ApiError{400, fmt::format("prompts times 'n' must be at most {}", kMaxGenerations), "/sampling_params/n"};
  if (auto refused = call->admit(demand)) return refused;
  work.generations = std::make_unique<Generations>(*service.engine, service.options.request_timeout, true);
  for (const Prompt& prompt : work.call.prompts) {
    NativeOptions options;
    options.logprobs = work.call.logprobs;
    options.tops = work.call.top_logprobs;
    options.text = work.call.text_in_logprobs;
    options.keep_stop = prompt.sampling.keep_stop;
    options.logprobs_from =
        work.call.logprob_start < 0 ? prompt.tokens.size() - 1 : static_cast<std::size_t>(work.call.logprob_start);
    call->keep_prompt(prompt.tokens);
    for (std::int64_t i = 0; i < prompt.sampling.n; ++i) {
      engine::GenerateRequest request;
      request.sequence.append(prompt.tokens);
      request.sampling = prompt.sampling.params;
      request.sampling.seed = seed_of(request.sampling.seed, static_cast<std::size_t>(i));
      request.sampling.logprobs = work.call.logprobs;
      request.sampling.top_logprobs = work.call.logprobs ? work.call.top_logprobs : 0;
      if (work.call.logprobs && work.call.logprob_start >= 0) request.prompt_logprobs_from = options.logprobs_from;
      request.constraint = prompt.sampling.constraint;
      service.attribute(request, call->who);
      work.generations->add(std::move(request));
      const std::string id =
          prompt.rid.empty() ? call->request.id + (work.answers.empty() ? "" : fmt::format("-{}", work.answers.size()))
                             : prompt.rid;
      work.answers.emplace_back(id, service.engine->shared_tokenizer(), prompt.tokens, options);
    }
  }
  return std::nullopt;
}

// Lets the client abort its request by the id it gave it.
std::vector<std::unique_ptr<ActiveRequests::Entry>> abortable(const SharedCall& call, Work& work) {
  std::vector<std::unique_ptr<ActiveRequests::Entry>> out;
  const auto add = [&](const std::string& rid) {
    out.push_back(std::make_unique<ActiveRequests::Entry>(call->service.active, call->who.tenant, rid,
                                                          [g = work.generations.get()] { g->cancel(); }));
  };
  for (const Prompt& prompt : work.call.prompts) {
    if (!prompt.rid.empty()) add(prompt.rid);
  }
  if (out.empty()) add(call->request.id);
  return out;
}

void stream(const SharedCall& call, Work& work, const StreamWriter& write) {
  const auto entries = abortable(call, work);
  EventStream events(call, *work.generations, write);
  const bool many = work.answers.size() > 1;
  while (auto event = events.next()) {
    NativeAnswer& answer = work.answers[event->index];
    answer.add(*event);
    if (event->finished) {
      call->ended(*event->finished);
      if (auto failed = work.generations->failure(*event->finished)) {
        events.fail(*failed, Dialect::kNative);
        continue;
      }
    } else if (event->text.empty()) {
      continue;  // the tokens behind a text that was sent; they go with the next piece
    }
    Json piece = answer.json(seconds_since(call->request));
    if (many) piece["index"] = event->index;
    events.send(piece);
  }
  events.done();
}

Response generate(const SharedCall& call) {
  Fields fields(call->body, "", call->request.body);
  auto work = std::make_shared<Work>();
  work->call = read_call(*call, fields);
  if (fields.error()) return error_response(*fields.error(), Dialect::kNative);
  if (auto refused = begin(call, *work)) return error_response(*refused, Dialect::kNative);
  if (work->call.stream) {
    Response out;
    out.content_type = "text/event-stream";
    out.stream = [call, work](const StreamWriter& write) { stream(call, *work, write); };
    return out;
  }
  const auto entries = abortable(call, *work);
  const HangupWatch::Registration watch(call->request.hangup, call->request.socket,
                                        [g = work->generations.get()] { g->cancel(); });
  std::optional<ApiError> failed;
  while (auto event = work->generations->next()) {
    work->answers[event->index].add(*event);
    if (!event->finished) continue;
    call->ended(*event->finished);
    if (!failed) failed = work->generations->failure(*event->finished);  // one prompt's failure is the request's
  }
  if (failed) return error_response(*failed, Dialect::kNative);
  const double seconds = seconds_since(call->request);
  if (work->call.single && work->answers.size() == 1) return json_response(work->answers.front().json(seconds));
  Json out = Json::array();
  for (const NativeAnswer& answer : work->answers) out.push_back(answer.json(seconds));
  return json_response(out);
}

Response abort_request(const SharedCall& call) {
  Fields fields(call->body);
  const auto rid = fields.text("rid");
  const bool all = fields.flag("abort_all").value_or(false);
  fields.finish();
  if (fields.ok() && !rid && !all) fields.fail("rid", "name the request in 'rid', or give \"abort_all\": true");
  if (fields.error()) return error_response(*fields.error(), Dialect::kNative);
  const std::size_t count =
      all ? call->service.active.abort_all(call->who.tenant) : call->service.active.abort(call->who.tenant, *rid);
  return json_response({{"aborted", count}});
}

// The caller's own tenant: what others cached is none of its business.
Response flush_cache(const SharedCall& call) {
  call->service.engine->flush_cache(call->service.cache_of(call->who));
  return json_response({{"status", "ok"}});
}

}  // namespace

void add_native_routes(Router& router) {
  router.add({"POST", "/abort_request", Scope::kGenerate, Dialect::kNative, true, abort_request});
  router.add({"POST", "/flush_cache", Scope::kGenerate, Dialect::kNative, false, flush_cache});
  router.add({"GET", "/flush_cache", Scope::kGenerate, Dialect::kNative, false, flush_cache});
  for (const char* method : {"POST", "PUT"}) {
    router.add({method, "/generate", Scope::kGenerate, Dialect::kNative, true, generate});
  }
}

}  // namespace sgl::server
