#include "runtime/gguf/blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/base/half.h"

namespace sgl::gguf {
namespace {

constexpr std::size_t kGroup = 32;   // elements of the small blocks, and of a group of the large ones
constexpr std::size_t kSuper = 256;  // elements of the large blocks

std::uint16_t bits_at(const std::byte* p) {
  std::uint16_t out;
  std::memcpy(&out, p, sizeof out);
  return out;
}
float half_at(const std::byte* p) {
  return base::half_to_float(bits_at(p));
}
unsigned byte_at(const std::byte* p) {
  return std::to_integer<unsigned>(*p);
}
int low(const std::byte* p) {
  return static_cast<int>(byte_at(p) & 15);
}
int high(const std::byte* p) {
  return static_cast<int>(byte_at(p) >> 4);
}

// Nibbles of a small block: the first half of the elements in the low ones.
void small_nibbles(const std::byte* qs, std::int8_t* q) {
  for (std::size_t j = 0; j < kGroup / 2; ++j) {
    q[j] = static_cast<std::int8_t>(low(qs + j));
    q[j + kGroup / 2] = static_cast<std::int8_t>(high(qs + j));
  }
}

// The fifth bits of a small block, added to its nibbles.
void fifth_bits(const std::byte* qh, std::int8_t* q) {
  std::uint32_t bits;
  std::memcpy(&bits, qh, sizeof bits);
  for (std::size_t j = 0; j < kGroup; ++j)
    q[j] = static_cast<std::int8_t>(q[j] | static_cast<int>((bits >> j & 1) << 4));
}

struct ScaleMin {
  int scale = 0, min = 0;
};

// Scale and minimum of group j < 8 in the 12 bytes of Q4_K and Q5_K: six bits each.
ScaleMin packed_scale(const std::byte* s, std::size_t j) {
  const auto at = [&](std::size_t i) { return byte_at(s + i); };
  if (j < 4) return {static_cast<int>(at(j) & 63), static_cast<int>(at(j + 4) & 63)};
  return {static_cast<int>((at(j + 4) & 15) | (at(j - 4) >> 6) << 4),
          static_cast<int>((at(j + 4) >> 4) | (at(j) >> 6) << 4)};
}

// Nibbles of Q4_K and Q5_K: 32 bytes hold the 32 elements of one group low and of the next one high.
void large_nibbles(const std::byte* qs, std::size_t group, std::int8_t* q) {
  const std::byte* bytes = qs + group / 2 * kGroup;
  for (std::size_t l = 0; l < kGroup; ++l) {
    q[l] = static_cast<std::int8_t>(group % 2 == 0 ? low(bytes + l) : high(bytes + l));
  }
}

void dequantize_small(Type type, const std::byte* block, float* out) {
  std::int8_t q[kGroup];
  const float d = half_at(block);
  if (type == Type::kQ8_0) {
    for (std::size_t j = 0; j < kGroup; ++j) out[j] = static_cast<float>(static_cast<std::int8_t>(block[2 + j])) * d;
    return;
  }
  const bool affine = type == Type::kQ4_1 || type == Type::kQ5_1;
  const bool five = type == Type::kQ5_0 || type == Type::kQ5_1;
  const std::byte* rest = block + (affine ? 4 : 2);
  small_nibbles(rest + (five ? 4 : 0), q);
  if (five) fifth_bits(rest, q);
  const int zero = affine ? 0 : five ? 16 : 8;
  const float m = affine ? half_at(block + 2) : 0.0F;
  for (std::size_t j = 0; j < kGroup; ++j) {
    const float scaled = static_cast<float>(q[j] - zero) * d;
    out[j] = affine ? scaled + m : scaled;
  }
}

// Q4_K: d, dmin, 12 bytes of scales, 128 of nibbles; Q5_K has 32 bytes of fifth bits before the nibbles.
void dequantize_4_or_5(Type type, const std::byte* block, float* out) {
  const float d = half_at(block), dmin = half_at(block + 2);
  const std::byte* scales = block + 4;
  const std::byte* fifth = block + 16;
  const std::byte* nibbles = type == Type::kQ5_K ? fifth + kGroup : fifth;
  for (std::size_t g = 0; g < kSuper / kGroup; ++g) {
    std::int8_t q[kGroup];
    large_nibbles(nibbles, g, q);
    const ScaleMin s = packed_scale(scales, g);
    const float scale = d * static_cast<float>(s.scale), min = dmin * static_cast<float>(s.min);
    for (std::size_t l = 0; l < kGroup; ++l) {
      const int bit = type == Type::kQ5_K && (byte_at(fifth + l) >> g & 1) != 0 ? 16 : 0;
      out[g * kGroup + l] = scale * static_cast<float>(q[l] + bit) - min;
    }
  }
}

// Q6_K: 128 bytes of low nibbles, 64 of high pairs, 16 signed scales of 16 elements each, d.
void dequantize_6(const std::byte* block, float* out) {
  const float d = half_at(block + 208);
  for (std::size_t half = 0; half < 2; ++half) {
    const std::byte* ql = block + half * 64;
    const std::byte* qh = block + 128 + half * 32;
    const std::byte* scales = block + 192 + half * 8;
    for (std::size_t part = 0; part < 4; ++part) {  // 32 elements each
      for (std::size_t l = 0; l < kGroup; ++l) {
        const std::byte* nibbles = ql + part % 2 * kGroup + l;
        const int pair = static_cast<int>(byte_at(qh + l) >> (2 * part) & 3);
        const int q = ((part < 2 ? low(nibbles) : high(nibbles)) | pair << 4) - 32;
        const auto scale = static_cast<std::int8_t>(scales[part * 2 + l / 16]);
        out[half * 128 + part * kGroup + l] = d * static_cast<float>(scale) * static_cast<float>(q);
      }
    }
  }
}

void quantize_8(const float* x, std::byte* block) {
  float most = 0.0F;
  for (std::size_t j = 0; j < kGroup; ++j) most = std::max(most, std::abs(x[j]));
  const float d = most / 127.0F, inverse = d != 0.0F ? 1.0F / d : 0.0F;
  const std::uint16_t bits = base::float_to_half(d);
  std::memcpy(block, &bits, sizeof bits);
  for (std::size_t j = 0; j < kGroup; ++j) {
    block[2 + j] = static_cast<std::byte>(static_cast<std::int8_t>(std::round(x[j] * inverse)));
  }
}

// The value farthest from zero becomes -8, so that the range of four bits is used whole.
void quantize_4(const float* x, std::byte* block) {
  float farthest = 0.0F;
  for (std::size_t j = 0; j < kGroup; ++j) farthest = std::abs(x[j]) > std::abs(farthest) ? x[j] : farthest;
  const float d = farthest / -8.0F, inverse = d != 0.0F ? 1.0F / d : 0.0F;
  const std::uint16_t bits = base::float_to_half(d);
  std::memcpy(block, &bits, sizeof bits);
  const auto level = [&](float v) { return static_cast<unsigned>(std::min(15, static_cast<int>(v * inverse + 8.5F))); };
  for (std::size_t j = 0; j < kGroup / 2; ++j) {
    block[2 + j] = static_cast<std::byte>(level(x[j]) | level(x[j + kGroup / 2]) << 4);
  }
}

}  // namespace

bool readable(Type type) {
  return type != Type::kQ2_K && type != Type::kQ3_K;
}

void dequantize(Type type, const std::byte* row, std::size_t k, float* out) {
  const TypeFacts f = facts(type);
  SGL_ASSERT(readable(type) && k % f.block == 0);
  for (std::size_t j = 0; j < k; j += f.block, row += f.bytes) {
    switch (type) {
      case Type::kF32:
        std::memcpy(out + j, row, sizeof(float));
        break;
      case Type::kF16:
        out[j] = half_at(row);
        break;
      case Type::kBF16:
        out[j] = std::bit_cast<float>(static_cast<std::uint32_t>(bits_at(row)) << 16);
        break;
      case Type::kQ4_K:
      case Type::kQ5_K:
        dequantize_4_or_5(type, row, out + j);
        break;
      case Type::kQ6_K:
        dequantize_6(row, out + j);
        break;
      default:
        dequantize_small(type, row, out + j);
    }
  }
}

void split_groups(Type type, const std::byte* row, std::size_t k, std::int8_t* q, std::uint16_t* scale,
                  std::uint16_t* min) {
  const TypeFacts f = facts(type);
  SGL_ASSERT(k % f.block == 0);
  if (type == Type::kQ4_K) {
    for (std::size_t j = 0; j < k; j += kSuper, row += f.bytes) {
      const float d = half_at(row), dmin = half_at(row + 2);
      for (std::size_t g = 0; g < kSuper / kGroup; ++g) {
        const ScaleMin s = packed_scale(row + 4, g);
        *scale++ = base::float_to_half(d * static_cast<float>(s.scale));
        *min++ = base::float_to_half(-(dmin * static_cast<float>(s.min)));
        large_nibbles(row + 16, g, q + j + g * kGroup);
      }
    }
    return;
  }
  SGL_ASSERT(type == Type::kQ8_0 || type == Type::kQ4_0 || type == Type::kQ4_1);
  for (std::size_t j = 0; j < k; j += kGroup, row += f.bytes) {
    *scale++ = bits_at(row);
    if (type == Type::kQ8_0) {
      std::memcpy(q + j, row + 2, kGroup);
    } else {
      if (type == Type::kQ4_1) *min++ = bits_at(row + 2);
      small_nibbles(row + (type == Type::kQ4_1 ? 4 : 2), q + j);
    }
  }
}

void quantize(Type type, const float* x, std::size_t k, std::byte* row) {
  SGL_ASSERT((type == Type::kQ8_0 || type == Type::kQ4_0) && k % kGroup == 0);
  const std::size_t bytes = facts(type).bytes;
  for (std::size_t j = 0; j < k; j += kGroup, row += bytes) {
    type == Type::kQ8_0 ? quantize_8(x + j, row) : quantize_4(x + j, row);
  }
}

}  // namespace sgl::gguf
