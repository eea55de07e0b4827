// Finding stop strings in text that arrives in pieces.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sgl::engine {

class StopText {
 public:
  explicit StopText(std::vector<std::string> stops);

  struct Hit {
    std::size_t at = 0;     // where the stop string begins in the text
    std::size_t which = 0;  // index of the stop string
  };
  // The first stop string in `text` that ends after its first `known` bytes (searched before). Where two begin at one
  // place, the one listed first.
  std::optional<Hit> find(std::string_view text, std::size_t known) const;

  // Length of the beginning of `text` that no stop string can still reach: the rest might be the beginning of one.
  std::size_t safe_length(std::string_view text) const;

  const std::string& stop(std::size_t which) const { return stops_[which]; }

 private:
  std::vector<std::string> stops_;
  std::size_t longest_ = 0;
};

}  // namespace sgl::engine
