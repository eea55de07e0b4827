#include "runtime/base/numa.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "runtime/base/work_queue.h"

using namespace sgl::base;

namespace {

// A tree like /sys, gone with the object.
class FakeSys {
 public:
  FakeSys() : root_(std::filesystem::temp_directory_path() / ("sgl-numa-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(root_);
  }
  ~FakeSys() { std::filesystem::remove_all(root_); }
  void put(const std::string& path, const std::string& line) const {
    const std::filesystem::path at = root_ / "devices/system/node" / path;
    std::filesystem::create_directories(at.parent_path());
    std::ofstream(at) << line << "\n";
  }
  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

using Nodes = std::vector<std::vector<int>>;

}  // namespace

TEST_CASE("processors are divided among nodes of memory as the system says") {
  const std::vector<int> allowed{0, 1, 2, 3, 8, 9};
  const FakeSys sys;
  CHECK(memory_nodes(sys.root(), allowed) == Nodes{allowed});  // nothing is said
  sys.put("has_cpu", "0-1");
  sys.put("node0/cpulist", "0-1,8-9");
  sys.put("node1/cpulist", "2-3,10-11");
  CHECK(memory_nodes(sys.root(), allowed) == Nodes{{0, 1, 8, 9}, {2, 3}});
  CHECK(memory_nodes(sys.root(), std::vector<int>{2, 3}) == Nodes{{2, 3}});    // none of the first is allowed
  CHECK(memory_nodes(sys.root(), std::vector<int>{0, 77}) == Nodes{{0, 77}});  // one that no node has
  sys.put("node1/cpulist", "nonsense,-,3-");
  CHECK(memory_nodes(sys.root(), allowed) == Nodes{allowed});
  CHECK(memory_nodes(sys.root(), {}) == Nodes{{}});
  CHECK(!memory_nodes().empty());
}

TEST_CASE("a thread gets its part in order, then the ends of the others', its own node's first") {
  WorkQueue queue({3, 1});  // threads 0 to 2 are of the first node
  queue.fill(8);            // 0 1, 2 3, 4 5, 6 7
  for (const std::size_t item : {6, 7, 1, 0, 3, 2, 5, 4}) CHECK(queue.take(3) == item);
  CHECK(!queue.take(0));
  queue.fill(8);
  for (const std::size_t item : {2, 3, 5, 4, 1, 0, 7, 6}) CHECK(queue.take(1) == item);
  CHECK(!queue.take(3));
  queue.fill(2);  // 0 and 2 have nothing: 1 has 0, 3 has 1
  for (const std::size_t item : {1, 0}) CHECK(queue.take(3) == item);
  CHECK(!queue.take(3));
  WorkQueue idle({2, 0});  // a node without threads has no part
  idle.fill(4);
  for (const std::size_t item : {0, 1, 3, 2}) CHECK(idle.take(0) == item);
}

TEST_CASE("items are taken once by whichever threads there are") {
  WorkQueue queue({2, 2});
  for (const std::size_t count : {0, 1, 5, 1000}) {
    queue.fill(count);
    std::mutex mutex;
    std::multiset<std::size_t> taken;
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        while (const auto item = queue.take(t)) {
          const std::lock_guard lock(mutex);
          taken.insert(*item);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(taken.size() == count);
    CHECK(std::set(taken.begin(), taken.end()).size() == count);
    CHECK((count == 0 || *taken.rbegin() == count - 1));
  }
}
