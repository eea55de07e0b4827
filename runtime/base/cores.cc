#include "runtime/base/cores.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#if defined(__linux__)
#include <sched.h>
#endif

namespace sgl::base {
namespace {

// "QUOTA PERIOD" in microseconds, or "max PERIOD". 0: no bound.
std::size_t quota_of(const std::string& line) {
  const std::size_t space = line.find(' ');
  if (space == std::string::npos || line.starts_with("max")) return 0;
  const double quota = std::strtod(line.c_str(), nullptr), period = std::strtod(line.c_str() + space, nullptr);
  if (!(quota > 0.0) || !(period > 0.0)) return 0;
  return static_cast<std::size_t>(std::min(quota / period + 0.999, 1024.0));
}

}  // namespace

std::string first_line(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::size_t count_cores(const std::filesystem::path& sys, std::span<const int> allowed) {
  std::set<std::string> cores;  // each named by the list of its processors
  for (const int cpu : allowed) {
    const std::string name = "cpu" + std::to_string(cpu);
    const std::string siblings = first_line(sys / "devices/system/cpu" / name / "topology/thread_siblings_list");
    cores.insert(siblings.empty() ? name : siblings);
  }
  std::size_t out = std::max<std::size_t>(cores.size(), 1);
  const std::size_t quota = quota_of(first_line(sys / "fs/cgroup/cpu.max"));
  return quota == 0 ? out : std::min(out, quota);
}

std::vector<int> allowed_processors() {
  std::vector<int> out;
#if defined(__linux__)
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(cpu, &mask)) out.push_back(cpu);
    }
  }
#endif
  return out;
}

std::size_t usable_cores() {
  const std::vector<int> allowed = allowed_processors();
  if (!allowed.empty()) return count_cores("/sys", allowed);
  return std::max(1U, std::thread::hardware_concurrency());
}

}  // namespace sgl::base
