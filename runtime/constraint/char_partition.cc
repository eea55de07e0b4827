#include <algorithm>
#include <unordered_map>

#include "runtime/constraint/char_dfa_build.h"

namespace sgl::constraint {

using base::CodeRange;
using base::CodeSet;
using base::Expected;

namespace {

constexpr char32_t kFirstSurrogate = 0xD800, kAfterSurrogates = 0xE000;

}  // namespace

std::size_t CharPartition::range_of(char32_t c) const {
  return static_cast<std::size_t>(std::upper_bound(starts.begin(), starts.end(), c) - starts.begin()) - 1;
}

Expected<CharPartition> CharPartition::of(std::span<const CodeSet> sets) {
  CharPartition out;
  out.starts = {0, kFirstSurrogate, kAfterSurrogates};
  for (const CodeSet& set : sets) {
    for (const CodeRange& r : set.ranges()) {
      out.starts.push_back(r.lo);
      if (r.hi < base::kMaxCodePoint) out.starts.push_back(r.hi + 1);
    }
  }
  std::sort(out.starts.begin(), out.starts.end());
  out.starts.erase(std::unique(out.starts.begin(), out.starts.end()), out.starts.end());
  const std::size_t ranges = out.starts.size();
  // Each set splits the classes that it crosses.
  std::vector<std::uint32_t> label(ranges, 0);
  std::uint32_t labels = 1;
  std::unordered_map<std::uint32_t, std::uint32_t> inside;
  std::size_t work = 0;
  for (const CodeSet& set : sets) {
    inside.clear();
    for (const CodeRange& r : set.ranges()) {
      for (std::size_t i = out.range_of(r.lo); i < ranges && out.starts[i] <= r.hi; ++i) {
        const auto [it, fresh] = inside.try_emplace(label[i], labels);
        if (fresh) ++labels;
        label[i] = it->second;
        if (++work > kMaxCharWork / 4) return base::over_limit("pattern with too many different classes of characters");
      }
    }
  }
  std::unordered_map<std::uint32_t, std::uint16_t> dense;
  for (std::size_t i = 0; i < ranges; ++i) {
    const bool surrogate = out.starts[i] >= kFirstSurrogate && out.starts[i] < kAfterSurrogates;
    if (surrogate) {
      out.class_of.push_back(0);
      continue;
    }
    if (out.classes == UINT16_MAX) return base::over_limit("pattern with too many different classes of characters");
    const auto [it, fresh] = dense.try_emplace(label[i], static_cast<std::uint16_t>(out.classes));
    if (fresh) ++out.classes;
    out.class_of.push_back(it->second);
  }
  return out;
}

std::vector<std::uint16_t> CharPartition::classes_in(const CodeSet& set) const {
  std::vector<std::uint16_t> out;
  for (const CodeRange& r : set.ranges()) {
    for (std::size_t i = range_of(r.lo); i < starts.size() && starts[i] <= r.hi; ++i) {
      if (class_of[i] != 0) out.push_back(class_of[i]);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

CodeSet CharPartition::set_of(std::span<const std::size_t> of_classes) const {
  CodeSet out;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    if (!std::binary_search(of_classes.begin(), of_classes.end(), class_of[i])) continue;
    out.add(starts[i], i + 1 < starts.size() ? starts[i + 1] - 1 : base::kMaxCodePoint);
  }
  return out;
}

}  // namespace sgl::constraint
