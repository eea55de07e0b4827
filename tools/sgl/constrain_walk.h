// Walking a text through a constraint, token by token.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/constraint/constraint.h"
#include "runtime/tokenizer/tokenizer.h"

namespace sgl::tools {

// Chooses N of a known number of places, evenly, in one pass (Knuth, The Art of Computer Programming, 3.4.2 S). Places
// that are passed over raise the chance of later ones.
class MaskSampler {
 public:
  MaskSampler(std::size_t wanted, std::size_t places, std::uint64_t seed)
      : wanted_(wanted), places_(places), random_(seed) {}
  bool choose() {
    if (places_ == 0 || wanted_ == 0) return false;
    const bool chosen = random_() % places_-- < wanted_;
    wanted_ -= chosen ? 1 : 0;
    return chosen;
  }
  // Places that will not be met.
  void skip(std::size_t places) { places_ -= std::min(places, places_); }

 private:
  std::size_t wanted_, places_;
  std::mt19937_64 random_;
};

struct WalkReject {
  std::size_t token = 0;              // index; the number of tokens: the end of the text
  std::size_t byte = 0;               // the first one that may not come
  std::string path;                   // JSON pointer to the value, as far as the text says
  std::vector<std::string> expected;  // some tokens that might have come; "" stands for the end
};

struct WalkResult {
  bool accepted = false;
  bool timed_out = false;
  std::string error;  // the engine's own limit; then it is not accepted
  std::size_t tokens = 0;
  std::vector<double> mask_us;  // one per position that was reached, the end included
  std::uint64_t hits = 0;
  std::size_t forced = 0;  // tokens that forced_bytes() gave wholly
  std::optional<WalkReject> reject;
  std::size_t verified = 0, differing = 0;          // masks compared with brute force
  std::string difference;                           // the first one
  std::chrono::steady_clock::duration comparing{};  // the time that took, which does not count towards the deadline
};

struct WalkContext {
  std::shared_ptr<const tokenizer::Tokenizer> tokenizer;
  std::shared_ptr<const constraint::Vocabulary> vocabulary;
  MaskSampler* sampler = nullptr;
  bool details = true;  // forced tokens and what was expected; costs a second walk
};

std::vector<tokenizer::TokenId> walk_tokens(const tokenizer::Tokenizer& tokenizer, std::string_view text);

WalkResult walk_text(const WalkContext& context, const std::shared_ptr<const constraint::Constraint>& constraint,
                     std::string_view text, std::chrono::steady_clock::time_point deadline);

// JSON pointer to the value that the end of `prefix` is in; "" for the outermost one and for text that is not JSON.
std::string json_path_at(std::string_view prefix);

}  // namespace sgl::tools
