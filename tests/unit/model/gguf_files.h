// A random model as a GGUF file, as llama.cpp's converter would write it.
#pragma once

#include <filesystem>
#include <string>

#include "runtime/gguf/writer.h"
#include "tests/unit/model/random_model.h"

namespace sgl::test {

// Matrices are stored as `type` (a float, Q8_0 or Q4_0; rows must be whole blocks), vectors as F32. Of the spec's rope
// scalings only linear and llama3 are known.
void write_gguf(const RandomModel& model, gguf::Type type, const std::filesystem::path& path);

}  // namespace sgl::test
