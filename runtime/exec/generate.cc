// Generations and selections: from registers to a request, and from the answer to a value.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_set>

#include "runtime/exec/convert.h"
#include "runtime/exec/ops.h"
#include "runtime/exec/strand.h"

namespace sgl::exec {

using base::ErrorKind;
using plan::GenOption;
using plan::Inst;

namespace {

double number_of(const Value& value) {
  return value.is(Tag::kInt) ? static_cast<double>(value.as_int()) : value.is(Tag::kFloat) ? value.as_float() : 0.0;
}

bool stop_strings(Machine& machine, const Value& value, std::vector<std::string>& out) {
  if (value.is(Tag::kString)) {
    out.emplace_back(value.as_string());
    return true;
  }
  if (!value.is(Tag::kList)) return machine.fail(ErrorKind::kFailed, "stop must be a string or a list of strings");
  for (const Value& item : value.items()) {
    if (!item.is(Tag::kString)) return machine.fail(ErrorKind::kFailed, "stop must be a string or a list of strings");
    out.emplace_back(item.as_string());
  }
  return true;
}

// logit_bias: a record from texts to numbers. A text that is not a single token of this model's vocabulary is an error:
// silently ignoring it would change what the program means from model to model.
bool logit_bias(Machine& machine, const tokenizer::Tokenizer& tokenizer, const Value& value,
                std::vector<std::pair<tokenizer::TokenId, double>>& out) {
  if (!value.is(Tag::kRecord)) return machine.fail(ErrorKind::kFailed, "logit_bias must be a record");
  const plan::Type& type = machine.image->plan->type(value.record_type());
  for (std::size_t i = 0; i < value.items().size() && i < type.fields.size(); ++i) {
    const std::string& text = type.fields[i].name;
    const auto ids = tokenizer.encode(text, {.continuation = true});
    if (ids.size() != 1) {
      return machine.fail(ErrorKind::kFailed,
                          fmt::format("logit_bias: '{}' is {} tokens of this model, not one", text, ids.size()));
    }
    out.emplace_back(ids[0], number_of(value.items()[i]));
  }
  return true;
}

// One option's value into the request; `count` receives n.
bool apply_option(Machine& machine, const tokenizer::Tokenizer& tokenizer, GenOption option, const Value& value,
                  engine::SamplingParams& sampling, std::int64_t& count) {
  const auto whole = [&] { return value.is(Tag::kInt) ? value.as_int() : 0; };
  const auto small = [&] {
    return static_cast<int>(std::clamp<std::int64_t>(whole(), -1, std::numeric_limits<int>::max()));
  };
  switch (option) {
    case GenOption::kTemperature:
      sampling.temperature = number_of(value);
      return true;
    case GenOption::kTopP:
      sampling.top_p = number_of(value);
      return true;
    case GenOption::kTopK:
      sampling.top_k = small();
      return true;
    case GenOption::kMinP:
      sampling.min_p = number_of(value);
      return true;
    case GenOption::kMaxTokens:
      sampling.max_tokens = small();
      return true;
    case GenOption::kMinTokens:
      sampling.min_tokens = small();
      return true;
    case GenOption::kStop:
      return stop_strings(machine, value, sampling.stop);
    case GenOption::kSeed:
      sampling.seed = static_cast<std::uint64_t>(whole());
      return true;
    case GenOption::kFrequencyPenalty:
      sampling.frequency_penalty = number_of(value);
      return true;
    case GenOption::kPresencePenalty:
      sampling.presence_penalty = number_of(value);
      return true;
    case GenOption::kRepetitionPenalty:
      sampling.repetition_penalty = number_of(value);
      return true;
    case GenOption::kLogitBias:
      return logit_bias(machine, tokenizer, value, sampling.logit_bias);
    case GenOption::kN:
      count = whole();
      return true;
    case GenOption::kLogprobs:
      sampling.logprobs = value.is(Tag::kBool) && value.as_bool();
      return true;
  }
  return true;
}

Value float_list(std::span<const float> numbers) {
  std::vector<Value> items;
  for (const float f : numbers) items.push_back(Value::real(static_cast<double>(f)));
  return Value::list(items);
}

void add_usage(engine::Usage& total, const engine::Usage& usage) {
  total.prompt_tokens += usage.prompt_tokens;
  total.cached_tokens += usage.cached_tokens;
  total.prefill_tokens += usage.prefill_tokens;
  total.generated_tokens += usage.generated_tokens;
  total.jump_tokens += usage.jump_tokens;
  total.recomputed_tokens += usage.recomputed_tokens;
}

// A request failed: its error becomes the program's.
bool request_error(Machine& machine, const engine::Finished& finished) {
  if (!finished.error) return machine.fail(ErrorKind::kInternal, "a request ended without a reason");
  return machine.fail(finished.error->kind, finished.error->message);
}

constexpr std::int64_t kMaxSamples = 256;  // n: more samples of one prompt than any vote needs

}  // namespace

void Executor::Impl::trace(Strand& strand, std::string line) {
  if (strand.instance->options.trace) strand.trace.push_back(std::move(line));
}

engine::Events Executor::Impl::request_events(Strand& strand, std::size_t request) {
  engine::Events events;
  if (strand.instance->events.on_text) {
    events.on_text = [box = mailbox, target = &strand, request](engine::RequestId, std::string_view text) {
      box->post({target, request, std::string(text), std::nullopt, std::nullopt});
    };
  }
  events.on_finished = [box = mailbox, target = &strand, request](engine::Finished finished) {
    box->post({target, request, {}, std::move(finished), std::nullopt});
  };
  return events;
}

bool Executor::Impl::begin_generate(Strand& strand, const Inst& inst) {
  Instance& instance = *strand.instance;
  Machine& machine = instance.machine;
  const plan::GenSpec& spec = program().gens[inst.a];
  Frame& frame = *strand.top;
  const auto renderer = port.renderer();
  engine::GenerateRequest request;
  request.sampling.max_tokens = instance.options.default_max_tokens;
  request.sampling.seed = mix_seed(strand.seed, strand.seed_counter++);
  std::int64_t count = 1;
  for (std::size_t i = 0; i < spec.options.size(); ++i) {
    const Value& value = frame.regs()[frame.function->args[inst.b + i]];
    if (!apply_option(machine, renderer->tokenizer(), spec.options[i], value, request.sampling, count)) return false;
  }
  if (spec.logprobs) request.sampling.logprobs = true;
  if (request.sampling.max_tokens < 1) {
    return machine.fail(ErrorKind::kInvalid, "max_tokens must be at least 1");
  }
  if (count < 1 || count > kMaxSamples) {
    return machine.fail(ErrorKind::kFailed, fmt::format("n must be 1 to {}, not {}", kMaxSamples, count));
  }
  // Each sample may use an equal share of what is left.
  const std::int64_t share = strand.tokens_left / count;
  if (share < 1) return machine.fail(ErrorKind::kLimit, "the program used up the tokens that it may generate");
  if (request.sampling.max_tokens > share) {
    request.sampling.max_tokens = static_cast<int>(share);
    request.sampling.min_tokens = std::min(request.sampling.min_tokens, request.sampling.max_tokens);
  }
  auto prompt = strand.context.prompt(*renderer);
  if (!prompt.ok()) return machine.fail(prompt.error().kind, prompt.error().message);
  auto constraint = constraint_for(spec.type, instance.result);
  if (!constraint.ok()) return machine.fail(constraint.error().kind, constraint.error().message);
  request.sequence = prompt->sequence;
  request.heal = prompt->heal;
  request.constraint = *constraint;
  request.ns = instance.options.ns;
  request.weight = instance.options.weight;
  strand.pending = std::make_unique<Pending>();
  strand.pending->results.resize(static_cast<std::size_t>(count));
  strand.pending->outstanding = static_cast<std::size_t>(count);
  const std::uint64_t seed = request.sampling.seed;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    engine::GenerateRequest sample = request;
    if (i > 0) sample.sampling.seed = mix_seed(seed, i);
    strand.pending->requests.push_back(port.generate(std::move(sample), request_events(strand, i)));
  }
  return true;
}

bool Executor::Impl::end_generate(Strand& strand) {
  const std::unique_ptr<Pending> pending = std::move(strand.pending);
  Instance& instance = *strand.instance;
  Machine& machine = instance.machine;
  Frame& frame = *strand.top;
  const Inst& inst = frame.function->code[frame.pc];
  const plan::GenSpec& spec = program().gens[inst.a];
  ++instance.result.generations;
  for (const engine::Finished& finished : pending->results) {
    add_usage(instance.result.usage, finished.usage);
    strand.tokens_left -= finished.usage.generated_tokens;
    strand.spent.tokens += finished.usage.generated_tokens;
  }
  // begin_generate put it there.
  const std::shared_ptr<const constraint::Constraint> made_under = constraints[spec.type.value];
  std::vector<Value> values;
  for (const engine::Finished& finished : pending->results) {
    if (finished.reason == engine::FinishReason::kError || finished.reason == engine::FinishReason::kCancelled) {
      return request_error(machine, finished);
    }
    trace(strand, fmt::format("gen {} {} = {}", strand.label, spec.name, finished.text));
    auto value = value_from_text(program(), spec.type, finished.text, made_under.get());
    if (!value.ok()) return machine.fail(value.error().kind, value.error().message);
    if (!made(machine, *value)) return false;
    values.push_back(std::move(*value));
  }
  // With several samples the context goes on with the first.
  const engine::Finished& first = pending->results[0];
  strand.context.append_generated(first.text, first.tokens, first.healed_tokens);
  Value result = spec.many ? Value::list(values) : values[0];
  if (!made(machine, result)) return false;
  if (spec.logprobs) {
    frame.regs()[frame.function->args[inst.b + inst.c - 1]] = float_list(first.logprobs);
    if (!made(machine, result)) return false;
  }
  complete(strand, std::move(result));
  return true;
}

// ---- select ------------------------------------------------------------------------------------------------------

bool Executor::Impl::begin_select(Strand& strand, const Inst& inst) {
  Instance& instance = *strand.instance;
  Machine& machine = instance.machine;
  Frame& frame = *strand.top;
  const plan::SelectSpec& spec = program().selects[inst.a];
  const Value& list = frame.regs()[frame.function->args[inst.b]];
  if (!list.is(Tag::kList) || list.items().empty())
    return machine.fail(ErrorKind::kFailed, "select needs at least one choice");
  constexpr std::size_t kMaxChoices = 65'536;  // as the engine has it
  if (list.items().size() > kMaxChoices) {
    return machine.fail(ErrorKind::kLimit, fmt::format("select has more than {} choices", kMaxChoices));
  }
  std::vector<std::string> choices;
  std::unordered_set<std::string_view> known;
  for (const Value& choice : list.items()) {
    if (!choice.is(Tag::kString) || choice.as_string().empty()) {
      return machine.fail(ErrorKind::kFailed, "select needs choices that are strings and not empty");
    }
    if (!known.insert(choice.as_string()).second) {
      return machine.fail(ErrorKind::kFailed, fmt::format("select has the choice '{}' twice", choice.as_string()));
    }
    choices.emplace_back(choice.as_string());
  }
  const auto renderer = port.renderer();
  auto prompt = strand.context.prompt(*renderer);
  if (!prompt.ok()) return machine.fail(prompt.error().kind, prompt.error().message);
  const tokenizer::Tokenizer& tokenizer = renderer->tokenizer();
  auto pending = std::make_unique<Pending>();
  // Token healing: the prompt's last token is scored again together with each choice, as one text.
  std::string healed;
  engine::Sequence sequence = prompt->sequence;
  if (prompt->heal && sequence.size() > 1) {
    std::vector<tokenizer::TokenId> tokens = sequence.tokens();
    if (!tokenizer.is_special(tokens.back())) {
      healed = tokenizer.token_bytes(tokens.back());
      tokens.pop_back();
      sequence = engine::Sequence();
      sequence.append(tokens);
    }
  }
  pending->healed_bytes = healed.size();
  for (const std::string& choice : choices) {
    pending->continuations.push_back(tokenizer.encode(healed + choice, {.continuation = true}));
  }
  engine::ScoreRequest request;
  request.sequence = sequence;
  request.continuations = pending->continuations;
  request.per_token = true;
  request.ns = instance.options.ns;
  request.weight = instance.options.weight;
  pending->unconditional = spec.method == plan::SelectMethod::kUnconditionalLikelihoodNormalized;
  pending->outstanding = pending->unconditional ? 2 : 1;
  pending->results.resize(pending->outstanding);
  strand.pending = std::move(pending);
  engine::ScoreRequest alone = request;
  strand.pending->requests.push_back(port.score(std::move(request), request_events(strand, 0)));
  if (strand.pending->unconditional) {
    // "Without context" still needs a token to predict from: the beginning of text, or what ends the text before.
    const tokenizer::TokenId start = tokenizer.bos().value_or(tokenizer.eos().empty() ? 0 : tokenizer.eos()[0]);
    alone.sequence = engine::Sequence();
    alone.sequence.append(std::span(&start, 1));
    strand.pending->requests.push_back(port.score(std::move(alone), request_events(strand, 1)));
  }
  return true;
}

namespace {

using Logprobs = std::vector<std::span<const float>>;

Logprobs split_logprobs(const std::vector<std::vector<tokenizer::TokenId>>& continuations, std::span<const float> all) {
  Logprobs out;
  std::size_t at = 0;
  for (const auto& tokens : continuations) {
    out.push_back(
        all.subspan(std::min(at, all.size()), std::min(tokens.size(), all.size() - std::min(at, all.size()))));
    at += tokens.size();
  }
  return out;
}

double sum(std::span<const float> values) {
  double total = 0;
  for (const float v : values) total += static_cast<double>(v);
  return total;
}

// Among the options that share the best token at each position, as a greedy decoder restricted to the choices would
// walk; an option that has ended stands with its mean log-probability. Scores: how many positions an option survived,
// then its mean, so that the winner has the highest.
std::vector<double> greedy_scores(const std::vector<std::vector<tokenizer::TokenId>>& continuations,
                                  const Logprobs& logprobs) {
  std::size_t longest = 0;
  for (const auto& tokens : continuations) longest = std::max(longest, tokens.size());
  std::vector<std::size_t> alive(continuations.size());
  for (std::size_t i = 0; i < alive.size(); ++i) alive[i] = i;
  std::vector<double> scores(continuations.size(), 0.0);
  const auto mean = [&](std::size_t i) {
    return sum(logprobs[i]) / static_cast<double>(std::max<std::size_t>(logprobs[i].size(), 1));
  };
  for (std::size_t position = 0; position < longest && alive.size() > 1; ++position) {
    const auto at = [&](std::size_t i) {
      return position < logprobs[i].size() ? static_cast<double>(logprobs[i][position]) : mean(i);
    };
    double best = -std::numeric_limits<double>::infinity();
    for (const std::size_t i : alive) best = std::max(best, at(i));
    std::erase_if(alive, [&](std::size_t i) { return at(i) < best; });
    for (const std::size_t i : alive) scores[i] += 1;
  }
  // exp(mean) is in (0, 1], so it orders options that survived equally long and never outweighs a position.
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] += std::exp(mean(i)) / 2;
  return scores;
}

}  // namespace

bool Executor::Impl::end_select(Strand& strand) {
  const std::unique_ptr<Pending> pending = std::move(strand.pending);
  Instance& instance = *strand.instance;
  Machine& machine = instance.machine;
  Frame& frame = *strand.top;
  const Inst& inst = frame.function->code[frame.pc];
  const plan::SelectSpec& spec = program().selects[inst.a];
  ++instance.result.selects;
  for (const engine::Finished& finished : pending->results) {
    add_usage(instance.result.usage, finished.usage);
    if (finished.reason == engine::FinishReason::kError || finished.reason == engine::FinishReason::kCancelled) {
      return request_error(machine, finished);
    }
  }
  const Logprobs logprobs = split_logprobs(pending->continuations, pending->results[0].logprobs);
  const Logprobs alone =
      pending->unconditional ? split_logprobs(pending->continuations, pending->results[1].logprobs) : Logprobs();
  std::vector<double> scores;
  if (spec.method == plan::SelectMethod::kGreedyTokenSelection) {
    scores = greedy_scores(pending->continuations, logprobs);
  } else {
    for (std::size_t i = 0; i < logprobs.size(); ++i) {
      double score = sum(logprobs[i]);
      if (pending->unconditional) score -= sum(alone[i]);
      scores.push_back(score / static_cast<double>(std::max<std::size_t>(logprobs[i].size(), 1)));
    }
  }
  // The first of equals, so that the order of the choices decides ties.
  const auto best = static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  const Value& list = frame.regs()[frame.function->args[inst.b]];
  Value chosen = list.items()[best];
  trace(strand, fmt::format("select {} {} = {}", strand.label, spec.name, chosen.as_string()));
  if (instance.events.on_text) instance.events.on_text(strand.label, spec.name, chosen.as_string());
  strand.context.append_generated(chosen.as_string(), pending->continuations[best], pending->healed_bytes > 0 ? 1 : 0);
  if (spec.scores) {
    std::vector<Value> items;
    for (const double s : scores) items.push_back(Value::real(s));
    frame.regs()[frame.function->args[inst.b + 1]] = Value::list(items);
    if (!made(machine, chosen)) return false;
  }
  complete(strand, std::move(chosen));
  return true;
}

}  // namespace sgl::exec
