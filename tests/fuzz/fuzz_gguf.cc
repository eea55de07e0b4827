// Any bytes as a GGUF file: what is accepted lies inside the file, can be dequantised, and is read as a configuration and a
// tokenizer without a crash.
#include "runtime/base/check.h"
#include "runtime/gguf/blocks.h"
#include "runtime/model/gguf_config.h"
#include "runtime/tokenizer/gguf_tokenizer.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sgl;
  const std::span<const std::byte> file(reinterpret_cast<const std::byte*>(data), size);
  const auto contents = gguf::parse(file, "fuzz");
  if (!contents.ok()) return 0;
  for (const auto& [name, tensor] : contents->tensors) {
    SGL_ASSERT(!tensor.bytes.empty());
    SGL_ASSERT(tensor.bytes.data() >= file.data());
    SGL_ASSERT(tensor.bytes.data() + tensor.bytes.size() <= file.data() + file.size());
    if (!gguf::readable(tensor.type)) continue;
    const gguf::TypeFacts facts = gguf::facts(tensor.type);
    std::vector<float> values(tensor.bytes.size() / facts.bytes * facts.block);
    gguf::dequantize(tensor.type, tensor.bytes.data(), values.size(), values.data());
  }
  (void)model::gguf_config(*contents).ok();
  const auto tokenizer = tokenizer::gguf_tokenizer(*contents);
  if (tokenizer.ok()) (void)tokenizer->tokenizer.size();
  return 0;
}
