#include "runtime/gguf/blocks.h"

#include <doctest/doctest.h>

#include <cstring>
#include <string>

#include "runtime/base/half.h"

using namespace sgl::gguf;

namespace {

std::uint64_t fnv1a(const void* data, std::size_t size) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<const unsigned char*>(data)[i]) * 0x100000001b3;
  return hash;
}

// Bytes of 1,024 elements from a linear congruential generator; the F16 fields hold small positive numbers.
std::vector<std::byte> random_blocks(Type type, const std::vector<std::size_t>& halves) {
  const TypeFacts f = facts(type);
  std::vector<std::byte> out(1024 / f.block * f.bytes);
  std::uint32_t state = 12345;
  for (std::byte& b : out) {
    state = state * 1103515245 + 12345;
    b = static_cast<std::byte>(state >> 16 & 255);
  }
  for (std::size_t block = 0; block < 1024 / f.block; ++block) {
    for (std::size_t i = 0; i < halves.size(); ++i) {
      const auto bits = static_cast<std::uint16_t>(0x2A00 + 37 * block + i * 0x155);
      std::memcpy(&out[block * f.bytes + halves[i]], &bits, sizeof bits);
    }
  }
  return out;
}

struct Case {
  Type type;
  std::vector<std::size_t> halves;
  std::uint64_t hash;
};

// Hashes of what dequantize_row_* of ggml 0.5 (llama.cpp as shipped by node-llama-cpp 3.22.1) makes of the same bytes.
const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {Type::kQ4_0, {0}, 0x8c9dc6706dfe4727},    {Type::kQ4_1, {0, 2}, 0x1bdae352616960f4},
      {Type::kQ5_0, {0}, 0x907394b9132592e},     {Type::kQ5_1, {0, 2}, 0x68979d2af32af4f0},
      {Type::kQ8_0, {0}, 0x6c74bba37016aabf},    {Type::kQ4_K, {0, 2}, 0x4d5db0b82324ebd3},
      {Type::kQ5_K, {0, 2}, 0x14652f3e9ee9a274}, {Type::kQ6_K, {208}, 0xf6c8b2b1e14ca4c3},
  };
  return all;
}

}  // namespace

TEST_CASE("blocks mean what they mean to ggml, bit for bit") {
  for (const Case& c : cases()) {
    const auto bytes = random_blocks(c.type, c.halves);
    std::vector<float> out(1024);
    dequantize(c.type, bytes.data(), out.size(), out.data());
    CHECK_MESSAGE(fnv1a(out.data(), out.size() * sizeof(float)) == c.hash, std::string(facts(c.type).name));
  }
}

TEST_CASE("values are quantised as ggml does it") {
  std::vector<float> x(256);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>((static_cast<double>(i * 7919 % 513) - 256.0) / 97.0);
  }
  std::vector<std::byte> out(8 * 34);
  quantize(Type::kQ8_0, x.data(), x.size(), out.data());
  CHECK(fnv1a(out.data(), 8 * 34) == 0xb5dd30169e1c0f19);
  quantize(Type::kQ4_0, x.data(), x.size(), out.data());
  CHECK(fnv1a(out.data(), 8 * 18) == 0xab22506bcd476710);
  const std::vector<float> zeros(64, 0.0F);
  std::vector<float> back(64, 1.0F);
  quantize(Type::kQ4_0, zeros.data(), 64, out.data());
  dequantize(Type::kQ4_0, out.data(), 64, back.data());
  CHECK(back == zeros);
}

TEST_CASE("groups of 32 are the blocks in another order") {
  for (const Case& c : cases()) {
    if (c.type != Type::kQ8_0 && c.type != Type::kQ4_0 && c.type != Type::kQ4_1 && c.type != Type::kQ4_K) continue;
    const auto bytes = random_blocks(c.type, c.halves);
    std::vector<float> want(1024);
    dequantize(c.type, bytes.data(), 1024, want.data());
    std::vector<std::int8_t> q(1024);
    std::vector<std::uint16_t> scale(32), min(32, 0);
    split_groups(c.type, bytes.data(), 1024, q.data(), scale.data(), min.data());
    const int zero = c.type == Type::kQ4_0 ? 8 : 0;
    float worst = 0.0F, largest = 0.0F;
    for (std::size_t i = 0; i < 1024; ++i) {
      const float value = sgl::base::half_to_float(scale[i / 32]) * static_cast<float>(q[i] - zero) +
                          sgl::base::half_to_float(min[i / 32]);
      worst = std::max(worst, std::abs(value - want[i]));
      largest = std::max(largest, std::abs(want[i]));
    }
    CHECK_MESSAGE(worst <= (c.type == Type::kQ4_K ? largest / 1024 : 0.0F), std::string(facts(c.type).name));
  }
}
