// From row-major quantised rows to panels and back.
#include <algorithm>
#include <cstring>

#include "kernels/cpu/quant/layout.h"
#include "runtime/base/check.h"

namespace sgl::kernels {
namespace {

using cpu::kGroupSteps;
using cpu::kStepBytes;
using cpu::PackedLayout;

// Where element (row, j) of a panel lies in its group's weights: byte, and for 4 bits which half.
struct Place {
  std::size_t byte;
  bool high;
};

Place place(DType type, std::size_t row, std::size_t j) {
  const std::size_t step = j / 4, lane = row * 4 + j % 4;
  if (type == DType::kQ8) return {step * kStepBytes + lane, false};
  return {step % (kGroupSteps / 2) * kStepBytes + lane, step >= kGroupSteps / 2};
}

// One row's part of one group; `count` <= 32 elements of q.
void pack_part(DType type, std::size_t row, const std::int8_t* q, std::size_t count, std::byte* weights) {
  // The element 0 of the symmetric 4-bit format is 8. A scale of 0 makes padding vanish in any case.
  const std::int8_t zero = type == DType::kQ4 ? 8 : 0;
  for (std::size_t j = 0; j < kQuantGroup; ++j) {
    const auto value = static_cast<std::uint8_t>(j < count ? q[j] : zero);
    const Place at = place(type, row, j);
    if (type == DType::kQ8) {
      weights[at.byte] = static_cast<std::byte>(value);
    } else if (at.high) {  // after the low half, which belongs to a smaller j
      weights[at.byte] |= static_cast<std::byte>(value << 4);
    } else {
      weights[at.byte] = static_cast<std::byte>(value & 15U);
    }
  }
}

// A group of all rows of a panel, `stride` elements of q apart, by four elements at a time: the same bytes as
// pack_part's, at a rate at which loading a model waits for memory instead.
void pack_group(DType type, const std::int8_t* q, std::size_t stride, std::byte* weights) {
  const auto four = [&](std::size_t row, std::size_t step) {
    std::uint32_t out;
    std::memcpy(&out, q + row * stride + step * 4, sizeof out);
    return out;
  };
  constexpr std::size_t kHalf = kGroupSteps / 2;
  const std::size_t steps = type == DType::kQ8 ? kGroupSteps : kHalf;
  for (std::size_t step = 0; step < steps; ++step, weights += kStepBytes) {
    for (std::size_t row = 0; row < kPanelRows; ++row) {
      std::uint32_t bytes = four(row, step);
      if (type != DType::kQ8) bytes = (bytes & 0x0F0F0F0FU) | (four(row, step + kHalf) & 0x0F0F0F0FU) << 4;
      std::memcpy(weights + row * 4, &bytes, sizeof bytes);
    }
  }
}

void put_f16(std::byte* header, std::size_t group, std::size_t row, std::uint16_t bits) {
  std::memcpy(header + (group * kPanelRows + row) * 2, &bits, 2);
}

std::uint16_t get_f16(const std::byte* header, std::size_t group, std::size_t row) {
  std::uint16_t bits;
  std::memcpy(&bits, header + (group * kPanelRows + row) * 2, 2);
  return bits;
}

}  // namespace

void pack_rows(DType type, std::size_t n, std::size_t k, std::size_t row_begin, std::size_t rows, const std::int8_t* q,
               const std::uint16_t* scale, const std::uint16_t* min, std::byte* packed) {
  SGL_ASSERT(is_quantized(type) && row_begin % kPanelRows == 0 && row_begin + rows <= n);
  SGL_ASSERT(rows % kPanelRows == 0 || row_begin + rows == n);
  const PackedLayout layout(type, k);
  const std::size_t groups = quant_groups(k);
  std::byte* panel = packed + row_begin / kPanelRows * layout.panel_bytes;
  for (std::size_t first = 0; first < rows; first += kPanelRows, panel += layout.panel_bytes) {
    for (std::size_t g = 0; g < layout.blocks * 2; ++g) {
      std::byte* block = panel + g / 2 * layout.block_bytes;
      std::byte* weights = block + layout.header + g % 2 * layout.group_bytes;
      const std::size_t at = g * kQuantGroup, count = at >= k ? 0 : std::min(k - at, kQuantGroup);
      const bool whole = count == kQuantGroup && rows - first >= kPanelRows;
      if (whole) pack_group(type, q + first * k + at, k, weights);
      for (std::size_t row = 0; row < kPanelRows; ++row) {
        const std::size_t r = first + row;
        const bool inside = r < rows && g < groups;
        put_f16(block, g % 2, row, inside ? scale[r * groups + g] : std::uint16_t{0});
        if (type == DType::kQ4A) put_f16(block + 64, g % 2, row, inside ? min[r * groups + g] : std::uint16_t{0});
        if (!whole) pack_part(type, row, inside ? q + r * k + at : nullptr, inside ? count : 0, weights);
      }
    }
  }
}

void dequantize_row(const Matrix& w, std::size_t row, float* out) {
  SGL_ASSERT(is_quantized(w.type) && row < w.n);
  const PackedLayout layout(w.type, w.k);
  const std::byte* panel = static_cast<const std::byte*>(w.data) + row / kPanelRows * layout.panel_bytes;
  const std::size_t lane = row % kPanelRows;
  for (std::size_t g = 0; g < quant_groups(w.k); ++g) {
    const std::byte* block = panel + g / 2 * layout.block_bytes;
    const std::byte* weights = block + layout.header + g % 2 * layout.group_bytes;
    const float scale = from_f16(get_f16(block, g % 2, lane));
    const float min = w.type == DType::kQ4A ? from_f16(get_f16(block + 64, g % 2, lane)) : 0.0F;
    for (std::size_t j = 0; j < kQuantGroup && g * kQuantGroup + j < w.k; ++j) {
      const Place at = place(w.type, lane, j);
      const auto byte = static_cast<std::uint8_t>(weights[at.byte]);
      float& value = out[g * kQuantGroup + j];
      if (w.type == DType::kQ8) {
        value = scale * static_cast<float>(static_cast<std::int8_t>(byte));
      } else {
        const int q = at.high ? byte >> 4 : byte & 15;
        value = w.type == DType::kQ4 ? scale * static_cast<float>(q - 8) : scale * static_cast<float>(q) + min;
      }
    }
  }
}

}  // namespace sgl::kernels
