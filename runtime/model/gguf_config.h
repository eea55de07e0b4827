// The facts of a GGUF file's metadata that the forward pass needs. Private to runtime/model.
#pragma once

#include "runtime/base/expected.h"
#include "runtime/gguf/gguf.h"
#include "runtime/model/config.h"

namespace sgl::model {

// Keys as in docs/gguf.md of github.com/ggml-org/ggml and in llama.cpp's llama-arch.cpp. Architectures: llama
// (Mistral's files too), qwen2, qwen3. Errors: `invalid`, naming the key: missing, out of range, another architecture,
// experts, partial rotation.
base::Expected<Config> gguf_config(const gguf::Contents& file);

}  // namespace sgl::model
