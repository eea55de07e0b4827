// Summaries of times.
#pragma once

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

namespace sgl::tools {

// Times in microseconds; the ones of a percentile are found once all are in.
class Times {
 public:
  void add(double us) { values_.push_back(us), sorted_ = false; }
  void add(const std::vector<double>& more) {
    values_.insert(values_.end(), more.begin(), more.end());
    sorted_ = false;
  }
  std::size_t count() const { return values_.size(); }
  // The least value that this part (0 … 1) of all do not exceed; 0 when there are none.
  double percentile(double part) {
    if (values_.empty()) return 0;
    if (!sorted_) std::sort(values_.begin(), values_.end());
    sorted_ = true;
    const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(values_.size())));
    return values_[std::clamp<std::size_t>(rank, 1, values_.size()) - 1];
  }
  double mean() const {
    double sum = 0;
    for (double v : values_) sum += v;
    return values_.empty() ? 0 : sum / static_cast<double>(values_.size());
  }

 private:
  std::vector<double> values_;
  bool sorted_ = false;
};

// Nanoseconds are as much as a clock says.
inline double rounded_us(double us) {
  return std::round(us * 1000) / 1000;
}
inline nlohmann::ordered_json mask_summary(Times& times) {
  return {{"mean", rounded_us(times.mean())},
          {"p50", rounded_us(times.percentile(0.5))},
          {"p90", rounded_us(times.percentile(0.9))},
          {"p99", rounded_us(times.percentile(0.99))},
          {"max", rounded_us(times.percentile(1))}};
}
inline nlohmann::ordered_json compile_summary(Times& times) {
  return {{"p50", rounded_us(times.percentile(0.5))},
          {"p99", rounded_us(times.percentile(0.99))},
          {"max", rounded_us(times.percentile(1))}};
}

}  // namespace sgl::tools
