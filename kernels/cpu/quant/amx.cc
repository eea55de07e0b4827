// Many rows with AMX: integer sums of 16 rows × 16 outputs × one group come from one tile product; scaling and the sums
// over groups are those of the other sets. Few rows go to AVX-512 VNNI.
//
// Floor per tile of 16 × 16 × 32 multiply-adds: 16 cycles for the product, 16 stores of its rows, and 48 vector
// operations (convert, scale, add) on two ports, 24 cycles. Measured, a tile takes 73 to 78: loading, multiplying and
// storing tiles do not overlap, and what reads memory after a tile's store waits for it (bench/RESULTS.md).
#include <immintrin.h>

#include <algorithm>

#include "kernels/cpu/quant/layout.h"
#include "kernels/cpu/quant/ops.h"

namespace sgl::kernels::cpu {
namespace {

// What goes together before the next rows: panels, and groups of k (the sums wait in y between). 16 rows of x then stay
// in the first-level cache for all those panels, whose weights come from the second, and a row of y gets neighbouring
// cache lines in one go: one panel for all rows, the next for all rows, took a fifth more time, since the rows of y lie
// in pages of their own. Widening 4-bit weights so far ahead only pays for many rows.
struct Blocking {
  std::size_t panels, groups;
};
constexpr Blocking kLarge{8, 64}, kSmall{1, 32};
constexpr std::size_t kLargeRows = 128;  // of 4-bit weights, measured; in 8 bits from the second tile on

// Rows from which on a tile pays, measured.
constexpr std::size_t kMinRows = 11;
static_assert(kMinRows > kFewRows);  // they lie in whole tiles

// A tile of x: 16 rows of one group.
constexpr std::size_t kGroupBytes = kTileRows * kQuantGroup;

struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};

// Tiles 0 and 1: sums; 2 and 3: 16 rows of x, 32 bytes of k; 4 and 5: weights, 8 steps.
void configure() {
  TileConfig config;
  for (int t = 0; t < 2; ++t) {
    config.row_bytes[t] = 64, config.rows[t] = 16;
    config.row_bytes[2 + t] = 32, config.rows[2 + t] = 16;
    config.row_bytes[4 + t] = 64, config.rows[4 + t] = 8;
  }
  // GCC's intrinsic says that it reads 8 bytes: keep the compiler from dropping the others.
  asm volatile("" : : "r"(&config) : "memory");
  _tile_loadconfig(&config);
}

struct alignas(64) Workspace {
  std::int32_t sums[2][kTileRows][kPanelRows];
  std::int8_t weights[kLarge.panels][kLarge.groups * 512];  // 4-bit weights, widened
};

// 4-bit weights of `groups` groups from `first` on as signed bytes in the 8-bit layout.
template <DType T>
void widen(const std::byte* panel, const PackedLayout& layout, std::size_t first, std::size_t groups,
           std::int8_t* out) {
  const __m512i mask = _mm512_set1_epi8(15), zero = _mm512_set1_epi8(T == DType::kQ4 ? 8 : 0);
  for (std::size_t g = first; g < first + groups; ++g, out += 512) {
    const std::byte* weights = panel + g / 2 * layout.block_bytes + layout.header + g % 2 * layout.group_bytes;
    for (std::size_t s = 0; s < 4; ++s) {
      const __m512i v = _mm512_load_si512(weights + s * kStepBytes);
      const __m512i low = _mm512_and_si512(v, mask), high = _mm512_and_si512(_mm512_srli_epi16(v, 4), mask);
      _mm512_store_si512(out + s * 64, _mm512_sub_epi8(low, zero));
      _mm512_store_si512(out + (s + 4) * 64, _mm512_sub_epi8(high, zero));
    }
  }
}

// The sums of one group into w.sums[I]: even and odd groups use other tiles, so that they overlap.
template <int I>
inline void product(const std::int8_t* x, const void* weights, Workspace& w) {
  if constexpr (I == 0) {  // the tiles' numbers are part of the instructions: GCC wants them as literals
    _tile_zero(0);
    _tile_loadd(2, x, 32);
    _tile_loadd(4, weights, 64);
    _tile_dpbssd(0, 2, 4);
    _tile_stored(0, w.sums[0], 64);
  } else {
    _tile_zero(1);
    _tile_loadd(3, x, 32);
    _tile_loadd(5, weights, 64);
    _tile_dpbssd(1, 3, 5);
    _tile_stored(1, w.sums[1], 64);
  }
}

struct Place {
  const std::byte* panel;
  const std::int8_t* wide;  // its 4-bit weights, widened
  const std::byte* later;   // the panel in its place in the next block, asked for into the second-level cache
  const PackedLayout& layout;
  std::size_t first, groups;  // of k
  std::size_t row, rows;      // of x: the tile's first, and how many of its 16 are real
  float* y;                   // the panel's first column
  std::size_t ldy, columns;
};

// acc += scaled sums of group g.
template <DType T>
inline void scale_group(const Place& p, const QuantRows& x, std::size_t g, const std::int32_t (*sums)[kPanelRows],
                        __m512 (&acc)[kTileRows]) {
  const std::byte* header = p.panel + g / 2 * p.layout.block_bytes + g % 2 * 32;
  const __m512 scale = _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(header)));
  const float* row_scale = x.scale + x.at(p.row) + g * kTileRows;
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kTileRows; ++r) {
    const __m512 both = _mm512_mul_ps(scale, _mm512_set1_ps(row_scale[r]));
    acc[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(_mm512_load_si512(sums[r])), both, acc[r]);
  }
  if constexpr (T == DType::kQ4A) {
    const __m512 min = _mm512_cvtph_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(header + 64)));
    const float* scaled = x.scaled + x.at(p.row) + g * kTileRows;
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kTileRows; ++r) acc[r] = _mm512_fmadd_ps(min, _mm512_set1_ps(scaled[r]), acc[r]);
  }
}

template <DType T>
void tile(const Place& p, const QuantRows& x, Workspace& w) {
  const auto columns = static_cast<__mmask16>(p.columns >= 16 ? 0xFFFFU : (1U << p.columns) - 1U);
  __m512 acc[kTileRows];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kTileRows; ++r) {
    acc[r] = p.first == 0 || r >= p.rows ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(columns, p.y + r * p.ldy);
  }
  const std::int8_t* q = x.row(p.row) + p.first * kGroupBytes;
  const std::byte* block = p.panel + p.first / 2 * p.layout.block_bytes + p.layout.header;
  const std::int8_t* wide = p.wide;
  const auto weights = [&](std::size_t odd) {
    return T == DType::kQ8 ? static_cast<const void*>(block + odd * 512) : static_cast<const void*>(wide + odd * 512);
  };
  product<0>(q, weights(0), w);
  for (std::size_t g = 0; g < p.groups; g += 2) {  // even: blocks are whole
    if (p.row == 0) {                              // the weights come from memory: ask for the next block's
      const std::byte* later = p.later + (p.first + g) / 2 * p.layout.block_bytes;
      for (std::size_t line = 0; line < p.layout.block_bytes; line += 64) __builtin_prefetch(later + line, 0, 2);
    }
    product<1>(q + kGroupBytes, weights(1), w);
    scale_group<T>(p, x, p.first + g, w.sums[0], acc);
    q += 2 * kGroupBytes;
    block += p.layout.block_bytes;
    wide += 1024;
    if (g + 2 < p.groups) product<0>(q, weights(0), w);
    scale_group<T>(p, x, p.first + g + 1, w.sums[1], acc);
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kTileRows; ++r) {
    if (r < p.rows) _mm512_mask_storeu_ps(p.y + r * p.ldy, columns, acc[r]);
  }
}

template <DType T>
void matmul_typed(const Matrix& w, const QuantRows& x, std::size_t rows, float* y, std::size_t ldy,
                  std::size_t panel_begin, std::size_t panel_end) {
  const PackedLayout layout(T, w.k);
  const std::size_t enough = T == DType::kQ8 ? kTileRows + 1 : kLargeRows;
  const Blocking most = rows >= enough ? kLarge : kSmall;
  Workspace work;
  configure();
  for (std::size_t i = panel_begin; i < panel_end; i += most.panels) {
    const std::byte* panel = static_cast<const std::byte*>(w.data) + i * layout.panel_bytes;
    const std::size_t panels = std::min(panel_end - i, most.panels);
    for (std::size_t first = 0; first < 2 * layout.blocks; first += most.groups) {
      const std::size_t groups = std::min(2 * layout.blocks - first, most.groups);
      if constexpr (T != DType::kQ8) {
        for (std::size_t p = 0; p < panels; ++p) {
          widen<T>(panel + p * layout.panel_bytes, layout, first, groups, work.weights[p]);
        }
        asm volatile("" ::: "memory");  // tile loads are not known to the compiler as reads of memory
      }
      for (std::size_t r = 0; r < rows; r += kTileRows) {
        for (std::size_t p = 0; p < panels; ++p) {
          const std::byte* here = panel + p * layout.panel_bytes;
          const std::size_t column = (i + p) * kPanelRows;
          tile<T>({here, work.weights[p], here + most.panels * layout.panel_bytes, layout, first, groups, r,
                   std::min(rows - r, kTileRows), y + r * ldy + column, ldy, w.n - column},
                  x, work);
        }
      }
    }
  }
  _tile_release();
}

void matmul(const Matrix& w, const QuantRows& x, std::size_t rows, float* y, std::size_t ldy, std::size_t panel_begin,
            std::size_t panel_end) {
  if (rows < kMinRows) return quant_avx512_ops().matmul(w, x, rows, y, ldy, panel_begin, panel_end);
  if (w.type == DType::kQ8) return matmul_typed<DType::kQ8>(w, x, rows, y, ldy, panel_begin, panel_end);
  if (w.type == DType::kQ4) return matmul_typed<DType::kQ4>(w, x, rows, y, ldy, panel_begin, panel_end);
  matmul_typed<DType::kQ4A>(w, x, rows, y, ldy, panel_begin, panel_end);
}

}  // namespace

const QuantOps& quant_amx_ops() {
  static const QuantOps kOps{quant_avx512_ops().quantize, matmul, quant_avx512_ops().quantize_weights};
  return kOps;
}

}  // namespace sgl::kernels::cpu
