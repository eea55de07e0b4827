// Damaged plans: whatever the bytes, decode and parse return, and what they accept verifies and can be used.
#include <doctest/doctest.h>

#include <random>
#include <string>

#include "runtime/base/sha256.h"
#include "runtime/plan/codec.h"
#include "runtime/plan/schema.h"
#include "runtime/plan/text.h"
#include "sample_plan.h"

using namespace sgl::plan;

namespace {

constexpr int kRounds = 20'000;
constexpr std::size_t kHeader = 52;

std::string mutate(std::string bytes, std::mt19937& random) {
  auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  const std::size_t changes = 1 + below(3);
  for (std::size_t i = 0; i < changes && !bytes.empty(); ++i) {
    const std::size_t at = below(bytes.size());
    switch (below(8)) {
      case 0:
        bytes.resize(at);
        break;
      case 1:
        bytes.erase(at, 1 + below(4));
        break;
      case 2:
        bytes.insert(at, 1 + below(4), static_cast<char>(below(256)));
        break;
      case 3:
        bytes.insert(at, bytes.substr(below(bytes.size()), below(30)));
        break;
      case 4:
        bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 5:
        bytes[at] = bytes[below(bytes.size())];
        break;
      default:
        bytes[at] = static_cast<char>(below(256));
        break;
    }
  }
  return bytes;
}

// The payload behind a header whose size and checksum fit, so that the mutation reaches the decoder.
std::string sealed(const std::string& header, const std::string& payload) {
  std::string out = header.substr(0, 12);
  for (int i = 0; i < 8; ++i) out += static_cast<char>(payload.size() >> (8 * i) & 0xFF);
  const auto digest = sgl::base::sha256(payload);
  out.append(digest.begin(), digest.end());
  return out + payload;
}

void use(const Plan& plan) {
  REQUIRE(verify(plan).ok());
  for (const Program& program : plan.programs) CHECK(program_schema(plan, program).is_object());
  const std::string text = print(plan);
  const auto back = parse(text);
  REQUIRE(back.ok());
  CHECK(print(*back) == text);
}

}  // namespace

TEST_CASE("mutated binary plans are rejected or verify") {
  std::mt19937 random(1);
  const std::string good = encode(sample_plan());
  const std::string header = good.substr(0, kHeader), payload = good.substr(kHeader);
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto plan = decode(sealed(header, mutate(payload, random)));
    if (!plan.ok()) {
      REQUIRE_FALSE(plan.error().message.empty());
      continue;
    }
    ++accepted;
    use(*plan);
  }
  // Mutations of texts, positions and numbers leave a valid plan; none at all would mean that the test is broken.
  CHECK(accepted > kRounds / 100);
}

TEST_CASE("mutated headers are rejected") {
  std::mt19937 random(2);
  const std::string good = encode(sample_plan());
  for (int round = 0; round < 2'000; ++round) {
    const std::string bytes = mutate(good, random);
    if (bytes != good) CHECK_FALSE(decode(bytes).ok());
  }
}

TEST_CASE("mutated text plans are rejected or verify") {
  std::mt19937 random(3);
  const std::string good = print(sample_plan());
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto plan = parse(mutate(good, random));
    if (!plan.ok()) {
      REQUIRE_FALSE(plan.error().message.empty());
      continue;
    }
    ++accepted;
    use(*plan);
  }
  CHECK(accepted > kRounds / 100);
}
