#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "runtime/base/cores.h"
#include "runtime/base/expected.h"
#include "runtime/base/sha256.h"
#include "runtime/base/thread_pool.h"
#include "runtime/base/utf8.h"

using namespace sgl::base;

TEST_CASE("sha256 agrees with the FIPS 180-4 examples") {
  CHECK(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(hex(sha256(std::string(1000000, 'a'))) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("utf8 round trip and rejection") {
  for (char32_t code : {U'a', U'\u00e9', U'\u20ac', U'\U0001F600', char32_t{0x10FFFF}}) {
    std::string text;
    append_utf8(text, code);
    const DecodedChar c = decode_utf8(text, 0);
    CHECK(c.valid);
    CHECK(c.code == code);
    CHECK(c.bytes == text.size());
    for (std::size_t cut = 1; cut < text.size(); ++cut) CHECK(complete_utf8_prefix(text.substr(0, cut)) == 0);
  }
  CHECK_FALSE(is_valid_utf8("\xC0\xAF"));          // overlong
  CHECK_FALSE(is_valid_utf8("\xED\xA0\x80"));      // surrogate
  CHECK_FALSE(is_valid_utf8("\xF4\x90\x80\x80"));  // over U+10FFFF
  CHECK(complete_utf8_prefix("ab\xFF") == 3);      // can never be completed, so it is not waited for
}

TEST_CASE("a text is ASCII when no byte of it is 0x80 or more, wherever it stands") {
  for (std::size_t size = 0; size < 20; ++size) {
    std::string text(size, '\x7F');
    CHECK(is_ascii(text));
    for (char& c : text) {
      c = '\x80';
      CHECK_FALSE(is_ascii(text));
      c = '\0';
    }
  }
}

TEST_CASE("thread pool runs every index exactly once, loop after loop") {
  for (std::size_t threads : {1, 2, 4}) {
    ThreadPool pool(threads);
    CHECK(pool.size() == threads);
    for (std::size_t round = 0; round < 200; ++round) {
      std::vector<std::atomic<int>> hits(round);
      pool.parallel_for(round, [&](std::size_t i) { hits[i].fetch_add(1); });
      for (auto& h : hits) REQUIRE(h.load() == 1);
    }
  }
}

TEST_CASE("expected carries values and errors") {
  auto half = [](int x) -> Expected<int> {
    if (x % 2 != 0) return invalid("odd");
    return x / 2;
  };
  auto quarter = [&](int x) -> Expected<int> {
    SGL_TRY(int h, half(x));
    return half(h);
  };
  CHECK(*quarter(8) == 2);
  CHECK(quarter(6).error().message == "odd");
}

TEST_CASE("cores: siblings count once, the affinity mask and a container's quota bound them") {
  namespace fs = std::filesystem;
  const fs::path sys = fs::temp_directory_path() / ("sgl-cores-" + std::to_string(::getpid()));
  const auto put = [&](const fs::path& path, const char* text) {
    fs::create_directories((sys / path).parent_path());
    std::ofstream(sys / path) << text << "\n";
  };
  for (int cpu = 0; cpu < 8; ++cpu) {  // four cores of two threads
    const std::string siblings = std::to_string(cpu % 4) + "," + std::to_string(cpu % 4 + 4);
    put("devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list", siblings.c_str());
  }
  const std::vector<int> all{0, 1, 2, 3, 4, 5, 6, 7}, some{0, 4, 5}, unknown{90, 91, 92}, none;
  CHECK(count_cores(sys, all) == 4);
  CHECK(count_cores(sys, some) == 2);
  CHECK(count_cores(sys, unknown) == 3);
  CHECK(count_cores(sys, none) == 1);
  put("fs/cgroup/cpu.max", "max 100000");
  CHECK(count_cores(sys, all) == 4);
  put("fs/cgroup/cpu.max", "250000 100000");
  CHECK(count_cores(sys, all) == 3);
  put("fs/cgroup/cpu.max", "10000 100000");
  CHECK(count_cores(sys, all) == 1);
  put("fs/cgroup/cpu.max", "nonsense");
  CHECK(count_cores(sys, all) == 4);
  fs::remove_all(sys);
  CHECK(usable_cores() >= 1);
}
