#include "runtime/base/numa.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>

#include "runtime/base/cores.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace sgl::base {
namespace {

// "0-3,8": ranges of numbers; what is not one is left out.
std::vector<int> numbers_of(std::string_view list) {
  std::vector<int> out;
  while (!list.empty()) {
    const std::string_view part = list.substr(0, list.find(','));
    list.remove_prefix(std::min(part.size() + 1, list.size()));
    const std::size_t dash = part.find('-');
    const std::string_view low = part.substr(0, dash), high = dash == part.npos ? low : part.substr(dash + 1);
    int first = -1, last = -1;
    std::from_chars(low.data(), low.data() + low.size(), first);
    std::from_chars(high.data(), high.data() + high.size(), last);
    constexpr int kMost = 1 << 16;
    for (int i = first; i >= 0 && i <= std::min(last, kMost); ++i) out.push_back(i);
  }
  return out;
}

}  // namespace

std::vector<std::vector<int>> memory_nodes(const std::filesystem::path& sys, std::span<const int> allowed) {
  std::vector<std::vector<int>> out;
  const std::filesystem::path nodes = sys / "devices/system/node";
  std::vector<int> left(allowed.begin(), allowed.end());
  for (const int node : numbers_of(first_line(nodes / "has_cpu"))) {
    std::vector<int> here;
    for (const int cpu : numbers_of(first_line(nodes / ("node" + std::to_string(node)) / "cpulist"))) {
      const auto at = std::find(left.begin(), left.end(), cpu);
      if (at == left.end()) continue;
      left.erase(at);
      here.push_back(cpu);
    }
    if (!here.empty()) out.push_back(std::move(here));
  }
  // A processor of no node, or none of any: then what the system says is of no use.
  if (!left.empty() || out.empty()) return {std::vector<int>(allowed.begin(), allowed.end())};
  return out;
}

const std::vector<std::vector<int>>& memory_nodes() {
  static const std::vector<std::vector<int>> nodes = memory_nodes("/sys", allowed_processors());
  return nodes;
}

void keep_to(std::span<const int> processors) {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int cpu : processors) {
    if (cpu < CPU_SETSIZE) CPU_SET(cpu, &set);
  }
  (void)::sched_setaffinity(0, sizeof set, &set);
#else
  (void)processors;
#endif
}

}  // namespace sgl::base
