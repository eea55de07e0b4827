// Any bytes as a safetensors file. Accepted tensors lie inside the file.
#include "runtime/base/check.h"
#include "runtime/model/safetensors.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sgl;
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  const auto tensors = model::parse_safetensors(file, "fuzz");
  if (!tensors.ok()) return 0;
  for (const auto& [name, tensor] : *tensors) {
    if (tensor.bytes.empty()) continue;
    SGL_ASSERT(tensor.bytes.data() >= file.data());
    SGL_ASSERT(tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size());
  }
  return 0;
}
