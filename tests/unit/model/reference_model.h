// The decoder's forward pass in double precision, written plainly from the architectures' papers and Hugging Face's
// definitions, without caches or batches: what the fast one is tested against.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tests/unit/model/random_model.h"

namespace sgl::test {

// Logits after every token: [tokens.size()][vocab].
std::vector<std::vector<double>> reference_logits(const RandomModel& model, std::span<const std::int32_t> tokens);

}  // namespace sgl::test
