// Quantised weights: how values become 8 or 4 bits, and the packed layout that the products read.
//
// Every row of a weight [n, k] is divided into groups of 32 along k; a group has one F16 scale (and for kQ4A one F16
// minimum). These are the block formats of GGML (Q8_0, Q4_0, Q4_1) in another order, so such files convert exactly.
//
// Packed layout. A panel holds 16 rows of the weight, that is 16 outputs; panels follow one another. A panel is a
// sequence of blocks of two groups (64 of k):
//
//   scales   2 groups × 16 rows of F16                               64 bytes
//   minima   likewise, only kQ4A                                     64 bytes
//   weights  2 groups × [k/4 = 8][16 rows][4 of k], kQ8 one byte each: 1024 bytes
//            4-bit: 2 groups × [4][16 rows][4 of k]; the low halves of step i are step i of 8, the high halves i + 4:
//            512
//
// One step (64 bytes) is an operand of VNNI's dot products and a row of AMX's B tile; two groups share their scales'
// cache line so that steps never straddle two. Rows beyond n and elements beyond k are zero (scale 0). kQ8 is stored
// signed. 8.5, 4.5 and 5 bits per weight.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/tensor.h"

namespace sgl::kernels {

constexpr std::size_t kQuantGroup = 32;  // elements of k that share a scale
constexpr std::size_t kPanelRows = 16;   // rows of the weight in a panel: the lanes of a 512-bit register
// Version of the layout above, written beside packed weights that are kept in files.
constexpr int kPackedLayoutVersion = 1;

constexpr std::size_t quant_groups(std::size_t k) {
  return (k + kQuantGroup - 1) / kQuantGroup;
}

// Bytes of a packed weight [n, k], a multiple of 64. Precondition: `type` is quantised.
constexpr std::size_t packed_bytes(DType type, std::size_t n, std::size_t k) {
  const std::size_t block = type == DType::kQ8 ? 64 + 1024 : (type == DType::kQ4 ? 64 + 512 : 128 + 512);
  return (n + kPanelRows - 1) / kPanelRows * ((quant_groups(k) + 1) / 2) * block;
}

// Quantises `rows` rows of k floats (row-major, contiguous). Outputs, for each row:
//   q      [rows, k]: kQ8 −127 … 127, the others 0 … 15
//   scale  [rows, quant_groups(k)] F16 bits; kQ4's may be negative
//   min    likewise, only for kQ4A; else unused and may be nullptr
// Round to nearest even; a 4-bit group takes, among a few candidates, the scale with the least squared error. A group
// with a value that is not finite gets the scale NaN, so that the damage stays visible. A group too small for F16
// (under 4e-6 in kQ8) becomes 0. Deterministic, row by row; any thread may do any rows. O(rows · k).
void quantize_rows(DType type, const float* x, std::size_t rows, std::size_t k, std::int8_t* q, std::uint16_t* scale,
                   std::uint16_t* min);

// Writes rows [row_begin, row_begin + rows) of a weight [n, k] into `packed` (packed_bytes(type, n, k) bytes, aligned
// to 64). q, scale and min as above, of these rows only. Preconditions: row_begin is a multiple of 16, and so is `rows`
// unless the range ends at n. Writes all bytes of the panels concerned, padding included; calls for different panels
// may run at the same time. O(rows · k).
void pack_rows(DType type, std::size_t n, std::size_t k, std::size_t row_begin, std::size_t rows, const std::int8_t* q,
               const std::uint16_t* scale, const std::uint16_t* min, std::byte* packed);

// out[j] = value of w[row, j] for j < k, in F32: exact for kQ8 and kQ4, one rounding for kQ4A. `w` is quantised and
// row < w.n. O(k).
void dequantize_row(const Matrix& w, std::size_t row, float* out);

// Nearest F16 (ties to even), infinite beyond its range; a NaN stays one.
std::uint16_t to_f16(float value);
// Exact.
float from_f16(std::uint16_t bits);

}  // namespace sgl::kernels
