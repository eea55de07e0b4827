// How many threads of computing are worth starting.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace sgl::base {

// Physical cores that this process may use, at least 1: of the processors in its affinity mask those that share no
// core, and not more than a container's CPU quota (cgroup v2), rounded up. Two threads on one core would compete for
// the units that the kernels keep busy. Where the system says nothing about its cores, its processors.
std::size_t usable_cores();

// The same from a file tree like Linux's /sys and the numbers of the allowed processors: for tests.
std::size_t count_cores(const std::filesystem::path& sys, std::span<const int> allowed);

// The processors in this process's affinity mask; none where the system does not tell.
std::vector<int> allowed_processors();

// The first line of a file; empty if there is none.
std::string first_line(const std::filesystem::path& path);

}  // namespace sgl::base
