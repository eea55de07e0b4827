// Which memory is near which processors. A page of memory comes from the node of the thread that touches it first
// (Linux, Documentation/admin-guide/mm/numa_memory_policy.rst), and threads of other nodes reach it through a link with
// a fraction of the bandwidth: so weights should be written by threads of the node whose threads read them later.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

namespace sgl::base {

// The allowed processors of every node of memory that has some, by node; all of them as one node where the system says
// nothing. From a file tree like Linux's /sys.
std::vector<std::vector<int>> memory_nodes(const std::filesystem::path& sys, std::span<const int> allowed);

// The same of this machine and process, read once. At least one node.
const std::vector<std::vector<int>>& memory_nodes();

// Keeps the calling thread to these processors. Only a wish: without it threads run anywhere, and only slower.
void keep_to(std::span<const int> processors);

}  // namespace sgl::base
