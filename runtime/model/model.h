// A decoder-only language model from a Hugging Face folder, and its forward pass over paged KV.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/base/expected.h"
#include "runtime/base/thread_pool.h"
#include "runtime/model/formats.h"

namespace sgl::model {

// The facts of config.json that the forward pass needs; see config.h.
struct Config;

// KV storage of one engine (kv_store.h): K and V of every token slot in every layer, in the format that the model was
// loaded with. Owned by the engine, written by Model::forward.
struct KvStore;

// One sequence's part of a step: `tokens` at positions [start, start + tokens.size()).
struct Slice {
  std::span<const std::int32_t> tokens;
  std::int64_t start = 0;
  // Slot of every position of the sequence from 0 to start + tokens.size() - 1; the new tokens' K/V are written to
  // the last tokens.size() of them.
  std::span<const std::uint32_t> slots;
  // Rows of logits wanted: the last `logits` tokens of this slice (0 … tokens.size()).
  std::size_t logits = 0;
};

class Model {
 public:
  // `folder`: a Hugging Face folder, or a GGUF file.
  // Errors: one sentence (missing file, malformed or truncated header, shape mismatch, unknown architecture; weights
  // that are quantised already, in another format than the one asked for). Files stay mapped while matrices point into
  // them. Quantising at load uses all cores and takes seconds per billion weights.
  static base::Expected<std::shared_ptr<const Model>> load(const std::filesystem::path& folder,
                                                           const LoadOptions& options = {});
  ~Model();
  const Config& config() const;
  const LoadOptions& options() const;
  std::uint64_t parameters() const;        // numbers in all tensors
  std::size_t kv_bytes_per_token() const;  // K and V over all layers
  // Slots from one page of so many tokens to the next (KvStore::stride).
  std::size_t kv_stride(std::size_t page_size) const;
  // Room for so many pages of so many tokens; nullptr when there is no memory. `slots` of one page: 0, 1, 2 …
  std::unique_ptr<KvStore> make_kv(std::size_t pages, std::size_t page_size) const;
  std::unique_ptr<KvStore> make_kv(std::size_t slots) const;

  // Runs all slices as one batch. `logits` receives sum(slice.logits) rows of vocab_size floats, in slice order.
  // Bit-exact: a row depends only on its own sequence's tokens, not on batch, chunking, threads or slot numbers.
  // Token ids must be in range (checked: error `invalid`).
  base::Status forward(std::span<const Slice> slices, KvStore& kv, std::span<float> logits,
                       base::ThreadPool& pool) const;

 private:
  struct Impl;
  explicit Model(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sgl::model
