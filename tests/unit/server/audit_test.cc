// The audit log: chained, continued, and what was done to it is found.
#include "server/api/audit.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <vector>

using namespace sgl;
using namespace sgl::server;

namespace {

struct Scratch {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("sgl-audit-" + std::to_string(getpid()));
  Scratch() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::string file(const char* name = "audit.jsonl") const { return (path / name).string(); }
};

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

void write_lines(const std::string& path, const std::vector<std::string>& lines) {
  std::ofstream out(path);
  for (const std::string& line : lines) out << line << "\n";
}

}  // namespace

TEST_CASE("lines are chained, also across restarts; changes are found") {
  const Scratch scratch;
  {
    const auto log = AuditLog::open(scratch.file());
    REQUIRE(log.ok());
    for (int i = 0; i < 5; ++i) CHECK((*log)->write({{"n", i}, {"text", "a \"b\" \xff"}}));
  }
  {
    const auto log = AuditLog::open(scratch.file());
    REQUIRE(log.ok());
    CHECK((*log)->write({{"n", 5}}));
  }
  const auto whole = verify_audit(scratch.file());
  REQUIRE(whole.ok());
  CHECK(whole->lines == 6);
  CHECK(whole->last == 5);
  const auto lines = lines_of(scratch.file());
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {  // a line removed, anywhere but at the end
    auto fewer = lines;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    write_lines(scratch.file("b"), fewer);
    const auto verdict = verify_audit(scratch.file("b"), i == 0 ? std::string(64, '0') : "");
    CHECK_FALSE(verdict.ok());
  }
  auto changed = lines;
  changed[2].replace(changed[2].find("\"n\":2"), 5, "\"n\":9");
  write_lines(scratch.file("b"), changed);
  CHECK_FALSE(verify_audit(scratch.file("b")).ok());
  auto swapped = lines;
  std::swap(swapped[1], swapped[2]);
  write_lines(scratch.file("b"), swapped);
  CHECK_FALSE(verify_audit(scratch.file("b")).ok());
}

TEST_CASE("a rotated log goes on with the chain") {
  const Scratch scratch;
  const auto log = AuditLog::open(scratch.file());
  REQUIRE(log.ok());
  CHECK((*log)->write({{"n", 0}}));
  std::filesystem::rename(scratch.file(), scratch.file("old"));
  REQUIRE((*log)->reopen().ok());
  CHECK((*log)->write({{"n", 1}}));
  const auto old = verify_audit(scratch.file("old"));
  REQUIRE(old.ok());
  CHECK(verify_audit(scratch.file(), old->head).ok());
  CHECK_FALSE(verify_audit(scratch.file(), std::string(64, 'a')).ok());
}

TEST_CASE("a full disk loses lines and says so") {
  if (!std::filesystem::exists("/dev/full")) return;
  const auto log = AuditLog::open("/dev/full");
  REQUIRE(log.ok());
  CHECK_FALSE((*log)->write({{"n", 0}}));
  CHECK((*log)->lost() == 1);
}
