// Addresses inside a packed weight (kernels/quant.h has the layout). Internal to kernels/cpu.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/quant.h"

namespace sgl::kernels::cpu {

// Sizes in bytes. A step is 16 rows × 4 of k: one 512-bit register of 8-bit weights.
constexpr std::size_t kStepBytes = 64;
constexpr std::size_t kGroupSteps = kQuantGroup / 4;

struct PackedLayout {
  std::size_t header;       // scales and minima of a block
  std::size_t group_bytes;  // weights of a group in a block
  std::size_t block_bytes;
  std::size_t blocks;  // of a panel
  std::size_t panel_bytes;

  constexpr PackedLayout(DType type, std::size_t k)
      : header(type == DType::kQ4A ? 128 : 64),
        group_bytes(type == DType::kQ8 ? 512 : 256),
        block_bytes(header + 2 * group_bytes),
        blocks((quant_groups(k) + 1) / 2),
        panel_bytes(blocks * block_bytes) {}
};

}  // namespace sgl::kernels::cpu
