#include "runtime/engine/logprobs.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "runtime/model/sampler.h"

namespace sgl::engine {

Logprobs::Logprobs(const SamplingParams& params, std::optional<std::size_t> prompt_from,
                   std::span<const TokenId> prompt)
    : wanted_(params.logprobs),
      top_count_(static_cast<std::size_t>(params.top_logprobs)),
      prompt_from_(prompt_from ? std::max<std::size_t>(*prompt_from, 1) : prompt.size()),
      prompt_size_(prompt.size()) {
  if (!of_prompt()) return;
  prompt_values_.resize(prompt_size_ - prompt_from_);
  prompt_tops_.resize(prompt_values_.size());
}

std::vector<TokenLogprob> Logprobs::top(std::span<const float> row, double normaliser) const {
  std::vector<TokenId> ids(row.size());
  std::iota(ids.begin(), ids.end(), 0);
  const std::size_t count = std::min(top_count_, ids.size());
  const auto more_likely = [&](TokenId a, TokenId b) {
    const float x = row[static_cast<std::size_t>(a)];
    const float y = row[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::partial_sort(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count), ids.end(), more_likely);
  std::vector<TokenLogprob> out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back({ids[i], static_cast<float>(model::log_probability(row, ids[i], normaliser))});
  }
  return out;
}

void Logprobs::see_prompt(std::size_t position, TokenId token, std::span<const float> row) {
  if (position < prompt_from_) return;
  const double norm = model::log_normaliser(row);
  prompt_values_[position - prompt_from_] = static_cast<float>(model::log_probability(row, token, norm));
  if (top_count_ > 0) prompt_tops_[position - prompt_from_] = top(row, norm);
}

void Logprobs::see_forced(std::size_t index, TokenId token, std::span<const float> row) {
  if (!wanted_) return;
  const double norm = model::log_normaliser(row);
  values_[index] = static_cast<float>(model::log_probability(row, token, norm));
  if (top_count_ > 0) tops_[index] = top(row, norm);
}

void Logprobs::see_next(std::span<const float> row) {
  if (wanted_ && top_count_ > 0) next_top_ = top(row, model::log_normaliser(row));
}

void Logprobs::sampled(std::size_t index, float logprob) {
  if (!wanted_) return;
  values_[index] = logprob;
  tops_[index] = std::move(next_top_);
}

void Logprobs::resize(std::size_t count) {
  if (!wanted_) return;
  values_.resize(std::min(count, values_.size()));
  tops_.resize(values_.size());
}

std::span<const float> Logprobs::values(std::size_t begin, std::size_t end) const {
  if (!wanted_) return {};
  return std::span(values_).subspan(begin, end - begin);
}

TopLogprobs Logprobs::tops(std::size_t begin, std::size_t end) const {
  if (!wanted_ || top_count_ == 0) return {};
  return {tops_.begin() + static_cast<std::ptrdiff_t>(begin), tops_.begin() + static_cast<std::ptrdiff_t>(end)};
}

void Logprobs::take(Finished& out) {
  out.logprobs = std::move(values_);
  if (top_count_ > 0) out.top_logprobs = std::move(tops_);
  out.prompt_logprobs = std::move(prompt_values_);
  if (top_count_ > 0) out.prompt_top_logprobs = std::move(prompt_tops_);
}

}  // namespace sgl::engine
