#include "runtime/engine/stop_text.h"

#include <algorithm>

namespace sgl::engine {

StopText::StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {
  for (const std::string& s : stops_) longest_ = std::max(longest_, s.size());
}

std::optional<StopText::Hit> StopText::find(std::string_view text, std::size_t known) const {
  std::optional<Hit> best;
  for (std::size_t i = 0; i < stops_.size(); ++i) {
    const std::size_t length = stops_[i].size();
    const std::size_t from = known >= length ? known - length + 1 : 0;
    const std::size_t at = text.find(stops_[i], from);
    if (at != std::string_view::npos && (!best || at < best->at)) best = Hit{at, i};
  }
  return best;
}

std::size_t StopText::safe_length(std::string_view text) const {
  for (std::size_t n = std::min(text.size(), longest_ == 0 ? 0 : longest_ - 1); n > 0; --n) {
    const std::string_view end = text.substr(text.size() - n);
    for (const std::string& s : stops_) {
      if (s.size() > n && std::string_view(s).starts_with(end)) return text.size() - n;
    }
  }
  return text.size();
}

}  // namespace sgl::engine
