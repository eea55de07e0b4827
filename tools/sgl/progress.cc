#include "tools/sgl/progress.h"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "tools/common/terminal.h"

namespace sgl::tools {
namespace {

constexpr std::size_t kBarWidth = 24;  // characters; with the numbers the line fits 100 columns

std::string duration(double seconds) {
  const auto s = static_cast<std::int64_t>(seconds + 0.5);
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string bar(double share) {
  const auto filled = static_cast<std::size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(kBarWidth));
  return fmt::format("[{}{}]", std::string(filled, '='), std::string(kBarWidth - filled, ' '));
}

}  // namespace

Progress::Progress(std::int64_t total, std::int64_t before, bool enabled)
    : total_(total), before_(before), enabled_(enabled), terminal_(is_terminal(STDERR_FILENO)) {}

std::string Progress::text(const BatchCounts& counts) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  const double rate = seconds > 0 ? static_cast<double>(counts.done - before_) / seconds : 0;
  std::string out = fmt::format("{}/{}  {:.1f}/s", counts.done, total_, rate);
  if (counts.done < total_) {
    out += rate > 0 ? fmt::format("  {} left", duration(static_cast<double>(total_ - counts.done) / rate)) : "";
  } else {
    out += fmt::format("  in {}", duration(seconds));
  }
  if (counts.prompt_tokens > 0) out += fmt::format("  {}% of prompts cached", 100 * counts.cached_tokens / counts.prompt_tokens);
  return out + fmt::format("  {} failed", counts.failures);
}

void Progress::show(const BatchCounts& counts) {
  shown_ = Clock::now();
  std::string out = text(counts);
  if (terminal_) {
    const double share = total_ > 0 ? static_cast<double>(counts.done) / static_cast<double>(total_) : 1;
    out = "\r" + bar(share) + " " + out + "\x1b[K";
  } else {
    out += "\n";
  }
  (void)write_all(STDERR_FILENO, out);
}

void Progress::update(const BatchCounts& counts) {
  const auto interval = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5000);
  if (enabled_ && Clock::now() - shown_ >= interval) show(counts);
}

void Progress::finish(const BatchCounts& counts) {
  if (!enabled_) return;
  show(counts);
  if (terminal_) (void)write_all(STDERR_FILENO, "\n");
}

}  // namespace sgl::tools
