// The quantised products of one instruction set, and the choice among them. All sets give the same bits
// (kernels/matmul.h defines them). Internal to kernels/cpu and its tests.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/quant.h"

namespace sgl::kernels::cpu {

enum class QuantIsa {
  kPortable,
  kNeon /* AArch64 */,
  kNeonDot /* with FEAT_DotProd */,
  kAvx2 /* AVX2, FMA, F16C */,
  kAvxVnni /* with AVX-VNNI */,
  kAvx512Vnni /* F, BW, VL, VNNI */,
  kAmx /* with AMX-TILE and AMX-INT8 */
};
// The faster ones last.
constexpr QuantIsa kQuantIsas[] = {QuantIsa::kPortable, QuantIsa::kNeon,       QuantIsa::kNeonDot, QuantIsa::kAvx2,
                                   QuantIsa::kAvxVnni,  QuantIsa::kAvx512Vnni, QuantIsa::kAmx};
const char* isa_name(QuantIsa isa);

// Rows of activations in 8 bits, in tiles of 16 rows that are AMX's A tiles, one group after another: rows as the
// caller has them would lie a power of two apart and in half cache lines. Few rows are one tile of just their number:
// in a tile of 16 a single row of 2,048 would fill its sets of a first-level cache. Groups are padded to whole blocks of
// the packed weights, with zeros.
constexpr std::size_t kTileRows = 16, kFewRows = 8;
struct QuantRows {
  std::size_t groups = 0;
  std::size_t tile = kTileRows;  // rows of a tile: kTileRows, or at most kFewRows if there is one tile
  std::int8_t* q = nullptr;      // [tiles][groups][tile][32]
  float* scale = nullptr;        // [tiles][groups][tile]
  float* scaled = nullptr;       // likewise: scale · Σ q
  std::int32_t* sum = nullptr;   // likewise: Σ q

  // Where the first group of a row lies in q and in the others; the next group is tile · kQuantGroup and tile elements
  // on.
  std::int8_t* row(std::size_t r) const { return q + at(r) * kQuantGroup; }
  std::size_t at(std::size_t r) const { return r / tile * groups * tile + r % tile; }
};

struct QuantOps {
  // Row `row` of `out` from k floats.
  void (*quantize)(const float* x, std::size_t k, const QuantRows& out, std::size_t row);
  // y[r · ldy + c] for r < rows and the columns c of the panels panel_begin … panel_end. Reads whole tiles
  // of x, which must exist (their contents do not matter beyond `rows`).
  void (*matmul)(const Matrix& w, const QuantRows& x, std::size_t rows, float* y, std::size_t ldy,
                 std::size_t panel_begin, std::size_t panel_end);
  // quantize_rows of kernels/quant.h.
  void (*quantize_weights)(DType type, const float* x, std::size_t rows, std::size_t k, std::int8_t* q,
                           std::uint16_t* scale, std::uint16_t* min);
};

// nullptr when this machine or build lacks the instruction set; kPortable is always there.
const QuantOps* quant_ops_for(QuantIsa isa);
// The fastest set of this machine, decided once.
QuantIsa active_quant_isa();
const QuantOps& quant_ops();

// One per translation unit that is compiled for an instruction set.
const QuantOps& quant_portable_ops();
const QuantOps& quant_neon_ops();
const QuantOps& quant_neon_dot_ops();
const QuantOps& quant_avx2_ops();
const QuantOps& quant_avx_vnni_ops();
const QuantOps& quant_avx512_ops();
const QuantOps& quant_amx_ops();

}  // namespace sgl::kernels::cpu
