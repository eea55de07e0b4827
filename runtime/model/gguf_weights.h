// The weights of a GGUF file as a source of tensors. Private to runtime/model.
#pragma once

#include <memory>

#include "runtime/base/thread_pool.h"
#include "runtime/gguf/gguf.h"
#include "runtime/model/config.h"
#include "runtime/model/weights.h"

namespace sgl::model {

// F32, F16 and BF16 stay where they are in the mapped file. Q8_0, Q4_0 and Q4_1 are packed as they are; Q4_K becomes
// 4-bit groups with scale and minimum (gguf/blocks.h says what is rounded); Q5_0, Q5_1, Q5_K and Q6_K are quantised
// again to 8 bits in groups of 32, which adds an error of at most 1/254 of a group's largest value. What was packed
// leaves memory again (the file's pages). Queries and keys of the architecture `llama` are stored with the two halves
// of a head interleaved; here they are put back. `pool` packs, and must outlive the calls of `find`.
std::unique_ptr<TensorSource> open_gguf(gguf::File file, const Config& config, base::ThreadPool& pool);

}  // namespace sgl::model
