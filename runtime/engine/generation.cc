#include "runtime/engine/generation.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/base/utf8.h"

namespace sgl::engine {
namespace {

bool only_specials(const tokenizer::Tokenizer& tokenizer, std::span<const TokenId> tokens) {
  return std::all_of(tokens.begin(), tokens.end(), [&](TokenId t) { return tokenizer.is_special(t); });
}

}  // namespace

Generation::Generation(const Env& env, RequestId request_id, GenerateRequest request, Events listener)
    : Task(request_id, request.ns, request.priority, std::move(listener), request.weight),
      env_(env),
      params_(std::move(request.sampling)),
      prompt_(request.sequence.tokens()),
      // A constrained text is exactly its bytes; only free text at the beginning of everything loses the leading space.
      decoder_(env.tokenizer, request.constraint == nullptr && only_specials(*env.tokenizer, prompt_)),
      stops_(params_.stop),
      logprobs_(params_, request.prompt_logprobs_from, prompt_) {
  if (request.heal) take_back_last_token();
  if (request.constraint != nullptr) matcher_.emplace(std::move(request.constraint), env.vocabulary, heal_rest_);
  uses_counts_ =
      params_.frequency_penalty != 0.0 || params_.presence_penalty != 0.0 || params_.repetition_penalty != 1.0;
  if (uses_counts_) {
    for (const TokenId t : prompt_) counts_[t].seen = true;
  }
  // The last token generated needs no place of its own: nothing is computed for it.
  max_tokens_ = std::min(static_cast<std::int64_t>(params_.max_tokens),
                         static_cast<std::int64_t>(env.capacity + 1 - prompt_.size()));
}

void Generation::take_back_last_token() {
  if (prompt_.size() < 2) return;
  const TokenId last = prompt_.back();
  if (static_cast<std::size_t>(last) >= env_.sample_vocab || env_.tokenizer->is_special(last)) return;
  const std::string_view bytes = env_.tokenizer->token_bytes(last);
  // Fragments of a character stay: text is dropped by whole characters.
  if (bytes.empty() || !base::is_valid_utf8(bytes) || !env_.healing->extendable(bytes)) return;
  heal_rest_ = bytes;
  heal_strip_ = bytes.size();
  healed_ = 1;
  prompt_.pop_back();
}

bool Generation::start(sched::Scheduler& scheduler, const NewSequence& new_sequence) {
  jump();
  if (end_ && !draining_) return true;
  sched::Submission s{new_sequence(*this), sched::Namespace(ns.value), priority, prompt_, prompt_.size(), 0};
  // While draining, the last token's own row is not needed.
  s.tokens.insert(s.tokens.end(), tokens_.begin(), tokens_.end() - (draining_ ? 1 : 0));
  s.logits_from = params_.logprobs ? prompt_.size() - 1 : s.tokens.size() - 1;
  if (logprobs_.of_prompt()) s.logits_from = std::min(s.logits_from, logprobs_.prompt_logits_from());
  s.weight = weight;
  sequence_ = s.id;
  const base::Status accepted = scheduler.submit(std::move(s));
  if (!accepted.ok()) {
    sequence_.reset();
    fail(accepted.error());
    return true;
  }
  return false;
}

void Generation::consume(const Rows& rows) {
  const std::size_t known = prompt_.size() + tokens_.size();
  for (std::size_t i = 0; i < rows.rows; ++i) {
    const std::span<float> row = rows.row(i, env_.model_vocab);
    const std::size_t next = rows.begin + i + 1;  // position of the token that this row tells about
    if (next < prompt_.size()) {
      if (logprobs_.of_prompt()) logprobs_.see_prompt(next, prompt_[next], row);
    } else if (next == known) {
      sample(row);
    } else {
      logprobs_.see_forced(next - prompt_.size(), tokens_[next - prompt_.size()], row);
    }
  }
}

bool Generation::is_eos(TokenId token) const {
  const auto eos = env_.tokenizer->eos();
  return std::find(eos.begin(), eos.end(), token) != eos.end();
}

bool Generation::is_stop(TokenId token) const {
  return std::find(params_.stop_tokens.begin(), params_.stop_tokens.end(), token) != params_.stop_tokens.end();
}

bool Generation::hold_back_eos() const {
  if (!heal_rest_.empty()) return true;
  if (static_cast<std::int64_t>(tokens_.size()) < params_.min_tokens) return true;
  return matcher_.has_value() && params_.ignore_eos;
}

bool Generation::only_ends(const constraint::TokenMask& mask) const {
  const auto words = mask.words();
  for (std::size_t w = 0; w < words.size(); ++w) {
    for (std::uint64_t bits = words[w]; bits != 0; bits &= bits - 1) {
      const std::size_t token = w * 64 + static_cast<std::size_t>(__builtin_ctzll(bits));
      if (token < env_.sample_vocab && !is_eos(static_cast<TokenId>(token))) return false;
    }
  }
  return true;
}

const constraint::TokenMask* Generation::allowed() {
  if (!matcher_) {
    if (heal_rest_.empty()) return nullptr;
    heal_mask_ = env_.healing->mask(heal_rest_);
    return &*heal_mask_;
  }
  auto mask = matcher_->mask_within(budget() - 1);
  if (!mask.ok()) {
    fail(std::move(mask).error());
    return nullptr;
  }
  mask_ = *mask;
  if (only_ends(*mask_) && (mask_->count() == 0 || hold_back_eos())) {
    if (matcher_->is_complete()) {
      end_ = End{FinishReason::kComplete, {}};
    } else {
      fail(
          base::over_limit(fmt::format("no text of {} tokens satisfies the constraint: max_tokens (or the room that "
                                       "the sequence leaves) is too small",
                                       max_tokens_)));
    }
    return nullptr;
  }
  return mask_.get();
}

void Generation::sample(std::span<float> logits) {
  if (max_tokens_ == 0) {
    end_ = End{FinishReason::kLength, {}};
    return;
  }
  const constraint::TokenMask* mask = allowed();
  if (end_) return;
  model::SamplerSettings settings;
  settings.temperature = params_.temperature;
  settings.top_p = params_.top_p;
  settings.top_k = params_.top_k;
  settings.min_p = params_.min_p;
  settings.frequency_penalty = params_.frequency_penalty;
  settings.presence_penalty = params_.presence_penalty;
  settings.repetition_penalty = params_.repetition_penalty;
  settings.logit_bias = params_.logit_bias;
  model::SampleRequest request;
  request.logits = logits;
  request.vocab = env_.sample_vocab;
  if (mask != nullptr) request.mask = mask->words();
  if (hold_back_eos()) request.forbidden = env_.tokenizer->eos();
  if (uses_counts_) request.counts = &counts_;
  request.seed = params_.seed;
  request.position = tokens_.size();
  request.logprob = params_.logprobs;
  logprobs_.see_next(logits);
  auto sampled = model::sample(settings, request);
  if (!sampled.ok()) return fail(std::move(sampled).error());
  sampled_ = *sampled;
}

bool Generation::advance(const Rows& rows, sched::Scheduler& scheduler, const NewSequence&) {
  if (end_ && !draining_) return true;
  if (draining_) return rows.begin + rows.rows + 1 >= prompt_.size() + tokens_.size();
  if (!sampled_) return false;  // only rows of forced tokens so far
  const std::size_t before = tokens_.size();
  const model::Sampled next = *sampled_;
  sampled_.reset();
  const bool stop = is_stop(next.token) && static_cast<std::int64_t>(before) >= params_.min_tokens;
  if (stop || (is_eos(next.token) && (matcher_.has_value() || !params_.ignore_eos))) {
    ++extra_tokens_;
    stop_token_ = next.token;
    end_ = End{stop ? FinishReason::kStop : FinishReason::kEos, {}};
    return true;
  }
  push(next.token, false);
  if (tokens_.size() > before) logprobs_.sampled(before, next.logprob);
  if (!end_) jump();
  if (end_ && !draining_) return true;
  // What a jump forced has no log-probabilities before the next step.
  emit(params_.logprobs ? std::min(before + 1, tokens_.size()) : tokens_.size());
  const std::size_t appended = tokens_.size() - before - (draining_ ? 1 : 0);
  const std::size_t size = prompt_.size() + before + appended;
  const bool fits = scheduler.append(*sequence_, std::span(tokens_).subspan(before, appended),
                                     params_.logprobs ? prompt_.size() + before : size - 1);
  SGL_ASSERT(fits);  // max_tokens_ stops before the capacity
  return false;
}

void Generation::push(TokenId token, bool accepted) {
  if (matcher_ && !accepted && !matcher_->accept(token)) {
    return fail({base::ErrorKind::kInternal, fmt::format("the constraint's mask allowed token {}, but its matcher "
                                                         "refuses it",
                                                         token)});
  }
  tokens_.push_back(token);
  logprobs_.add();
  if (uses_counts_) {
    model::TokenCount& count = counts_[token];
    ++count.generated;
    count.seen = true;
  }
  extend_text(token);
  const auto size = static_cast<std::int64_t>(tokens_.size());
  if (size >= params_.min_tokens) {
    if (const auto hit = stops_.find(text_, stop_known_)) return cut_at_stop(*hit);
  }
  stop_known_ = text_.size();
  if (matcher_ && heal_rest_.empty() && matcher_->is_final()) {
    end_ = End{FinishReason::kComplete, {}};
  } else if (size >= max_tokens_) {
    end_ = End{FinishReason::kLength, {}};
  }
}

void Generation::extend_text(TokenId token) {
  const std::string_view bytes = env_.tokenizer->token_bytes(token);
  if (!heal_rest_.empty()) heal_rest_.erase(0, std::min(heal_rest_.size(), bytes.size()));
  std::string piece = decoder_.push(token);
  const std::size_t strip = std::min(heal_strip_, piece.size());
  heal_strip_ -= strip;
  text_.append(piece, strip);
  text_end_.push_back(text_.size());
  if (!raw_tail_.empty() || !base::is_ascii(bytes)) {
    raw_tail_.append(bytes);
    raw_tail_.erase(0, base::complete_utf8_prefix(raw_tail_));
  }
  clean_.push_back(raw_tail_.empty() && heal_strip_ == 0);
}

std::vector<TokenId> Generation::forced_tokens() {
  const std::string forced = matcher_->forced_bytes();
  if (forced.empty()) return {};
  std::vector<TokenId> tokens = env_.tokenizer->encode(forced, {.continuation = true});
  if (tokens.empty() || static_cast<std::int64_t>(tokens.size()) > budget()) return {};
  std::string bytes;
  for (const TokenId t : tokens) {
    if (t < 0 || static_cast<std::size_t>(t) >= env_.sample_vocab) return {};
    bytes += env_.tokenizer->token_bytes(t);
  }
  if (bytes != forced) return {};  // a tokenizer that cannot spell this text: sample it token by token
  return tokens;
}

void Generation::jump() {
  if (!matcher_ || !heal_rest_.empty()) return;
  if (matcher_->is_final()) {
    end_ = End{FinishReason::kComplete, {}};
    return;
  }
  const std::vector<TokenId> tokens = forced_tokens();
  std::size_t accepted = 0;
  while (accepted < tokens.size() && matcher_->accept(tokens[accepted])) ++accepted;
  const std::int64_t left = budget() - static_cast<std::int64_t>(tokens.size());
  // The plain spelling may take more tokens than the shortest one that the budget was reckoned with.
  bool possible = accepted == tokens.size() && !tokens.empty();
  if (possible && left == 0) possible = matcher_->is_complete();
  if (possible && left > 0 && !matcher_->is_complete()) {
    auto mask = matcher_->mask_within(left - 1);
    // Not taken for a no: whether a mask comes in time is no matter of the text.
    if (!mask.ok()) return fail(std::move(mask).error());
    possible = (*mask)->count() > 0;
  }
  if (!possible) {
    matcher_->rollback(accepted);
    return;
  }
  for (const TokenId t : tokens) {
    push(t, true);
    ++jumped_;
    if (end_ && end_->reason == FinishReason::kStop) break;
  }
  draining_ = end_.has_value() && end_->reason != FinishReason::kError && params_.logprobs;
}

void Generation::cut_at_stop(const StopText::Hit& hit) {
  stop_text_ = stops_.stop(hit.which);
  text_.resize(hit.at);
  end_ = End{FinishReason::kStop, {}};
}

void Generation::emit(std::size_t known) {
  const std::size_t safe = std::max(emitted_, end_ ? text_.size() : stops_.safe_length(text_));
  const std::size_t begin = tokens_emitted_;
  // Up to a whole character: what begins one may belong to a stop string, and its text is not there yet.
  std::size_t end = end_ ? std::max(begin, known) : begin;
  for (std::size_t i = begin; !end_ && i < known && text_end_[i] <= safe; ++i) {
    if (clean_[i]) end = i + 1;
  }
  tokens_emitted_ = end;
  if (events.on_tokens && end > begin) {
    events.on_tokens(id, std::span(tokens_).subspan(begin, end - begin), logprobs_.values(begin, end),
                     logprobs_.tops(begin, end));
  }
  if (safe > emitted_ && events.on_text) events.on_text(id, std::string_view(text_).substr(emitted_, safe - emitted_));
  emitted_ = safe;
}

void Generation::fail(base::Error error) {
  const FinishReason reason =
      error.kind == base::ErrorKind::kCancelled ? FinishReason::kCancelled : FinishReason::kError;
  end_ = End{reason, std::move(error)};
  draining_ = false;
}

Finished Generation::close(sched::Scheduler& scheduler, std::optional<base::Error> error) {
  if (error) fail(std::move(*error));
  SGL_ASSERT(end_.has_value());
  Finished out;
  out.id = id;
  if (sequence_) {
    add_counts(out.usage, scheduler.counts(*sequence_));
    scheduler.finish(*sequence_);
  }
  out.usage.prompt_tokens = out.usage.cached_tokens + out.usage.prefill_tokens;
  out.usage.generated_tokens = static_cast<std::int64_t>(tokens_.size()) + extra_tokens_;
  out.usage.jump_tokens = jumped_;
  if (end_->reason == FinishReason::kStop && !stop_token_) {
    std::size_t keep = tokens_.size();
    while (keep > 0 && (text_end_[keep - 1] > text_.size() || !clean_[keep - 1])) --keep;
    const std::size_t kept = keep == 0 ? 0 : text_end_[keep - 1];
    tokens_.resize(keep);
    logprobs_.resize(keep);
    // With nothing kept of a healed prompt, its token comes back as it was.
    if (keep == 0) healed_ = 0;
    if (kept < text_.size()) {
      const auto rest = env_.tokenizer->encode(std::string_view(text_).substr(kept), {.continuation = true});
      tokens_.insert(tokens_.end(), rest.begin(), rest.end());
    }
  } else {
    std::string last = decoder_.finish();
    text_.append(last, std::min(heal_strip_, last.size()));
    // Ended within the healed token, which then stays as it was.
    if (!heal_rest_.empty()) {
      tokens_.clear();
      logprobs_.resize(0);
      healed_ = 0;
    }
  }
  if (end_->reason != FinishReason::kError && end_->reason != FinishReason::kCancelled) {
    // Tokens that replace a cut one were never sampled.
    emit(params_.logprobs ? std::min(logprobs_.size(), tokens_.size()) : tokens_.size());
  }
  out.reason = end_->reason;
  out.error = end_->error;
  out.text = std::move(text_);
  out.healed_tokens = tokens_.empty() ? 0 : healed_;
  out.tokens = std::move(tokens_);
  out.stop_text = std::move(stop_text_);
  out.stop_token = stop_token_;
  logprobs_.take(out);
  return out;
}

std::unique_ptr<Task> make_generation(const Env& env, RequestId id, GenerateRequest request, Events events) {
  return std::make_unique<Generation>(env, id, std::move(request), std::move(events));
}

}  // namespace sgl::engine
