// Progress of a batch on standard error: a bar on a terminal, a line every few seconds elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace sgl::tools {

struct BatchCounts {
  std::int64_t done = 0;      // results written, those of earlier runs included
  std::int64_t failures = 0;
  std::int64_t prompt_tokens = 0, cached_tokens = 0;  // of this run
};

class Progress {
 public:
  // `before`: results that earlier runs wrote, which do not count for the rate.
  Progress(std::int64_t total, std::int64_t before, bool enabled);
  void update(const BatchCounts& counts);
  // The last state, on a line that stays.
  void finish(const BatchCounts& counts);

 private:
  std::string text(const BatchCounts& counts) const;
  void show(const BatchCounts& counts);

  using Clock = std::chrono::steady_clock;
  std::int64_t total_, before_;
  bool enabled_, terminal_;
  Clock::time_point begin_ = Clock::now(), shown_ = begin_;
};

}  // namespace sgl::tools
