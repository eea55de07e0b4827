#include "tools/sgl/constrain_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "runtime/base/utf8.h"

namespace sgl::tools {

using constraint::Matcher;
using constraint::TokenMask;
using tokenizer::TokenId;
using Clock = std::chrono::steady_clock;

namespace {

// The first token on which the mask and trying every token disagree.
base::Expected<std::optional<TokenId>> first_difference(const Matcher& matcher, const TokenMask& mask) {
  SGL_TRY(const TokenMask tried, matcher.mask_by_trial());
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (tried.test(id) != mask.test(id)) return std::optional(id);
  }
  // A sample the way a generation goes, through accept().
  constexpr std::size_t kSample = 400;
  Matcher probe = matcher;
  for (std::size_t i = matcher.accepted() % 97; i < mask.size(); i += mask.size() / kSample + 1) {
    const auto id = static_cast<TokenId>(i);
    const bool allowed = probe.accept(id);
    if (allowed) probe.rollback(1);
    if (allowed != mask.test(id)) return std::optional(id);
  }
  return std::optional<TokenId>();
}

// Up to eight allowed tokens, shortest first, each with another first byte.
std::vector<std::string> some_tokens(const TokenMask& mask, const constraint::Vocabulary& vocabulary) {
  std::vector<std::string_view> best(256);
  for (std::size_t i = 0; i < vocabulary.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (!mask.test(id) || vocabulary.bytes(id).empty()) continue;
    const std::string_view bytes = vocabulary.bytes(id);
    std::string_view& slot = best[static_cast<unsigned char>(bytes[0])];
    if (slot.empty() || bytes.size() < slot.size()) slot = bytes;
  }
  std::vector<std::string> out;
  for (TokenId id : vocabulary.eos()) {
    if (mask.test(id) && out.empty()) out.emplace_back();
  }
  for (std::string_view bytes : best) {
    if (!bytes.empty() && base::is_valid_utf8(bytes)) out.emplace_back(bytes);
  }
  // Marks say more than letters and spaces do.
  std::stable_sort(out.begin(), out.end(), [](const std::string& a, const std::string& b) {
    const auto rank = [](const std::string& t) {
      return t.empty() ? 0 : t[0] > ' ' && t[0] < 127 && std::isalnum(static_cast<unsigned char>(t[0])) == 0 ? 1 : 2;
    };
    return rank(a) < rank(b);
  });
  if (out.size() > 8) out.resize(8);
  return out;
}

class Walk {
 public:
  Walk(const WalkContext& context, std::shared_ptr<const constraint::Constraint> constraint, std::string_view text,
       Clock::time_point deadline)
      : context_(context),
        constraint_(std::move(constraint)),
        text_(text),
        deadline_(deadline),
        tokens_(walk_tokens(*context.tokenizer, text)) {}

  WalkResult run() {
    out_.tokens = tokens_.size();
    out_.mask_us.reserve(tokens_.size() + 1);
    Matcher matcher(constraint_, context_.vocabulary);
    std::size_t position = 0;
    while (position <= tokens_.size() && step(matcher, position)) ++position;
    out_.accepted = position > tokens_.size();
    out_.hits = matcher.stats().hits;
    if (context_.sampler != nullptr && position < tokens_.size()) context_.sampler->skip(tokens_.size() - position);
    if (context_.details && !out_.timed_out) count_forced(std::min(position, tokens_.size()));
    return std::move(out_);
  }

 private:
  // False: the walk ends here, not accepted.
  bool step(Matcher& matcher, std::size_t position) {
    if (Clock::now() > deadline_ + out_.comparing) return out_.timed_out = true, false;
    const bool verify = context_.sampler != nullptr && context_.sampler->choose();
    std::optional<Matcher> before;
    if (verify) before.emplace(matcher);
    const auto begin = Clock::now();
    const auto mask = matcher.mask();
    bool allowed = false;
    if (mask.ok()) {
      if (position < tokens_.size()) {
        allowed = (*mask)->test(tokens_[position]) && matcher.accept(tokens_[position]);
      } else {
        const auto eos = context_.vocabulary->eos();
        allowed = std::any_of(eos.begin(), eos.end(), [&](TokenId id) { return (*mask)->test(id); });
        if (eos.empty()) allowed = matcher.is_complete();
      }
    }
    out_.mask_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - begin).count());
    if (!mask.ok()) return out_.error = mask.error().message, false;
    if (verify) {
      const auto start = Clock::now();
      compare(*before, **mask, position);
      out_.comparing += Clock::now() - start;
    }
    if (!allowed) reject(**mask, position);
    return allowed;
  }

  void compare(const Matcher& matcher, const TokenMask& mask, std::size_t position) {
    const auto difference = first_difference(matcher, mask);
    if (!difference.ok()) return void(out_.error = difference.error().message);
    ++out_.verified;
    const std::optional<TokenId> token = *difference;
    if (!token) return;
    if (out_.differing++ > 0) return;
    out_.difference =
        fmt::format("the mask at token {} has token {} ({}) {}, brute force has it {}", position, *token,
                    nlohmann::json(context_.vocabulary->bytes(*token))
                        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                    mask.test(*token) ? "allowed" : "forbidden", mask.test(*token) ? "forbidden" : "allowed");
  }

  void reject(const TokenMask& mask, std::size_t position) {
    WalkReject found;
    found.token = position;
    for (std::size_t i = 0; i < position; ++i) found.byte += context_.vocabulary->bytes(tokens_[i]).size();
    if (context_.details) {
      // The part of the token that might have come.
      const std::size_t end =
          position < tokens_.size() ? found.byte + context_.vocabulary->bytes(tokens_[position]).size() : text_.size();
      while (found.byte < std::min(end, text_.size()) &&
             constraint::accepts_prefix(*constraint_, text_.substr(0, found.byte + 1))) {
        ++found.byte;
      }
      found.path = json_path_at(text_.substr(0, std::min(found.byte, text_.size())));
      found.expected = some_tokens(mask, *context_.vocabulary);
    }
    out_.reject = std::move(found);
  }

  void count_forced(std::size_t end) {
    Matcher matcher(constraint_, context_.vocabulary);
    std::string given;
    for (std::size_t i = 0; i < end; ++i) {
      const std::string_view bytes = context_.vocabulary->bytes(tokens_[i]);
      if (given.empty()) given = matcher.forced_bytes();
      if (!bytes.empty() && given.starts_with(bytes)) {
        ++out_.forced;
        given.erase(0, bytes.size());
      } else {
        given.clear();
      }
      if (!matcher.accept(tokens_[i])) return;
    }
  }

  const WalkContext& context_;
  const std::shared_ptr<const constraint::Constraint> constraint_;
  const std::string_view text_;
  const Clock::time_point deadline_;
  const std::vector<TokenId> tokens_;
  WalkResult out_;
};

}  // namespace

std::vector<TokenId> walk_tokens(const tokenizer::Tokenizer& tokenizer, std::string_view text) {
  // As what a model writes after a prompt: no added tokens, no mark of a text's beginning.
  return tokenizer.encode(text, {.continuation = true});
}

WalkResult walk_text(const WalkContext& context, const std::shared_ptr<const constraint::Constraint>& constraint,
                     std::string_view text, Clock::time_point deadline) {
  return Walk(context, constraint, text, deadline).run();
}

namespace {

// A part of a JSON pointer (RFC 6901).
std::string pointer_part(std::string_view raw_string) {
  const auto parsed = nlohmann::json::parse(raw_string, nullptr, false);
  const std::string name = parsed.is_string() ? parsed.get<std::string>() : std::string(raw_string);
  std::string out;
  for (char c : name) {
    if (c == '~' || c == '/') {
      out += c == '~' ? "~0" : "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string json_path_at(std::string_view prefix) {
  struct Level {
    bool object = false;
    std::string key;
    bool in_value = false;  // of an object: after the colon
    std::size_t index = 0;
  };
  std::vector<Level> levels;
  for (std::size_t at = 0; at < prefix.size(); ++at) {
    const char c = prefix[at];
    if (c == '"') {
      const std::size_t begin = at;
      for (++at; at < prefix.size() && prefix[at] != '"'; ++at) at += prefix[at] == '\\' ? 1 : 0;
      const bool is_key = !levels.empty() && levels.back().object && !levels.back().in_value;
      if (is_key && at < prefix.size()) levels.back().key = pointer_part(prefix.substr(begin, at + 1 - begin));
    } else if (c == '{' || c == '[') {
      levels.push_back({c == '{', "", false, 0});
    } else if ((c == '}' || c == ']') && !levels.empty()) {
      levels.pop_back();
    } else if (c == ':' && !levels.empty()) {
      levels.back().in_value = true;
    } else if (c == ',' && !levels.empty()) {
      levels.back().in_value = false;
      levels.back().key.clear();
      ++levels.back().index;
    }
  }
  std::string out;
  for (const Level& level : levels) {
    if (level.object && !level.in_value) break;
    out += "/" + (level.object ? level.key : std::to_string(level.index));
  }
  return out;
}

}  // namespace sgl::tools
