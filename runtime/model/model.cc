#include "runtime/model/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/attention.h"
#include "kernels/embedding.h"
#include "kernels/matmul.h"
#include "kernels/residual.h"
#include "kernels/rmsnorm.h"
#include "kernels/rope.h"
#include "kernels/swiglu.h"
#include "runtime/base/file.h"
#include "runtime/model/config.h"
#include "runtime/model/gguf_config.h"
#include "runtime/model/gguf_weights.h"
#include "runtime/model/kv_store.h"
#include "runtime/model/weights.h"

namespace sgl::model {
namespace {

// Rows of one step, flattened over the slices.
struct Rows {
  std::vector<std::int32_t> tokens;
  std::vector<kernels::AttentionRow> attention;  // position and slots of each row
  std::vector<std::size_t> wanted;               // rows whose logits are asked for
  std::size_t size() const { return tokens.size(); }
};

void add_bias(Floats& x, const std::vector<float>& bias, std::size_t rows) {
  if (bias.empty()) return;
  for (std::size_t r = 0; r < rows; ++r) kernels::add(x.data() + r * bias.size(), bias.data(), bias.size());
}

float* grow(Floats& buffer, std::size_t n) {
  if (buffer.size() < n) buffer.resize(n);
  return buffer.data();
}

// body(r) for every row: in parallel where there are enough of them to be worth waking the pool.
template <typename Body>
void for_rows(std::size_t rows, base::ThreadPool& pool, const Body& body) {
  constexpr std::size_t kBlock = 16;  // rows of an item: tens of microseconds
  pool.parallel_for((rows + kBlock - 1) / kBlock, [&](std::size_t i) {
    for (std::size_t r = i * kBlock; r < std::min(rows, (i + 1) * kBlock); ++r) body(r);
  });
}

// One token's K (part 0) or V (1) of a layer into the cache.
void store_row(KvStore& kv, std::size_t layer, std::size_t part, std::size_t slot, const float* row) {
  const std::size_t dim = kv.head_dim;
  std::byte* to = kv.vectors(layer, part) + slot * kv.vector_bytes();
  float* const scales = kv.scales(layer, part);
  for (std::size_t h = 0; h < kv.heads; ++h, row += dim, to += kv.head_stride() * kv.vector_bytes()) {
    switch (kv.format) {
      case KvFormat::kF32:
        std::memcpy(to, row, dim * sizeof(float));
        break;
      case KvFormat::kF16:
        kernels::to_f16(row, dim, reinterpret_cast<std::uint16_t*>(to));
        break;
      case KvFormat::kQ8:
        kernels::quantize_heads(row, 1, dim, reinterpret_cast<std::int8_t*>(to), &scales[slot + h * kv.head_stride()]);
        break;
    }
  }
}

kernels::KvView view_of(KvStore& kv, std::size_t layer) {
  const kernels::DType type = kv.format == KvFormat::kF32   ? kernels::DType::kF32
                              : kv.format == KvFormat::kF16 ? kernels::DType::kF16
                                                            : kernels::DType::kQ8;
  return {kv.vectors(layer, 0), kv.vectors(layer, 1), type, kv.head_stride(), kv.scales(layer, 0), kv.scales(layer, 1)};
}

}  // namespace

struct Model::Impl {
  Config config;
  LoadOptions options;
  Weights weights;
  std::vector<double> frequencies;  // rotation per position

  base::Expected<Rows> collect(std::span<const Slice> slices, const KvStore& kv, std::size_t logits) const;
  void rotations(const Rows& rows, Scratch& s) const;
  void attention_block(std::size_t layer, const Rows& rows, KvStore& kv, base::ThreadPool& pool) const;
  void feed_forward_block(std::size_t layer, const Rows& rows, Scratch& s, base::ThreadPool& pool) const;
  void head(const Rows& rows, Scratch& s, std::span<float> logits, base::ThreadPool& pool) const;
};

Model::Model(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Model::~Model() = default;

base::Expected<std::shared_ptr<const Model>> Model::load(const std::filesystem::path& folder,
                                                         const LoadOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  const bool gguf = gguf::is_gguf(folder);
  // Threads that sleep unless something has to be quantised or packed.
  base::ThreadPool pool(options.weights == WeightFormat::kAsStored && !gguf ? 1 : 0);
  std::unique_ptr<TensorSource> source;
  if (gguf) {
    SGL_TRY(gguf::File file, gguf::File::open(folder));
    SGL_TRY(impl->config, gguf_config(file.contents()));
    source = open_gguf(std::move(file), impl->config, pool);
  } else {
    SGL_TRY(const std::string text, base::read_file(folder / "config.json", std::size_t{16} << 20));
    SGL_TRY(impl->config, parse_config(text));
    SGL_TRY(source, open_safetensors(folder, impl->config));
  }
  SGL_TRY(impl->weights, load_weights(std::move(source), impl->config, options.weights, pool));
  if (!options.kv) {
    impl->options.kv = impl->weights.embedding.type == kernels::DType::kF32 ? KvFormat::kF32 : KvFormat::kF16;
  }
  impl->frequencies = rope_frequencies(impl->config);
  return std::shared_ptr<const Model>(new Model(std::move(impl)));
}

const Config& Model::config() const {
  return impl_->config;
}

const LoadOptions& Model::options() const {
  return impl_->options;
}

std::uint64_t Model::parameters() const {
  std::uint64_t out = 0;
  for (const auto& [name, m] : impl_->weights.matrices) out += m.n * m.k;
  for (const auto& [name, v] : impl_->weights.vectors) out += v.size();
  return out;
}

std::size_t Model::kv_bytes_per_token() const {
  const Config& c = impl_->config;
  return 2 * c.layers * kv_bytes(*impl_->options.kv, c.kv_heads, c.head_dim);
}

std::size_t Model::kv_stride(std::size_t page_size) const {
  return 2 * impl_->config.layers * impl_->config.kv_heads * page_size;
}

std::unique_ptr<KvStore> Model::make_kv(std::size_t slots) const {
  return make_kv(1, slots);
}

std::unique_ptr<KvStore> Model::make_kv(std::size_t pages, std::size_t page_size) const {
  const Config& c = impl_->config;
  auto kv = std::make_unique<KvStore>();
  kv->pages = std::max<std::size_t>(pages, 1);
  kv->page_size = std::max<std::size_t>(page_size, 1);
  kv->heads = c.kv_heads;
  kv->head_dim = c.head_dim;
  kv->layers = c.layers;
  kv->format = *impl_->options.kv;
  // Not touched here: the pages of a large pool stay unbacked until they are written.
  const std::size_t bytes = kv->pages * kv->page_size * kv_bytes_per_token() + sizeof(float);
  kv->data.reset(static_cast<std::byte*>(base::allocate_large(bytes, base::kLargePage)));
  if (kv->data == nullptr) return nullptr;
  return kv;
}

base::Expected<Rows> Model::Impl::collect(std::span<const Slice> slices, const KvStore& kv, std::size_t logits) const {
  Rows rows;
  std::size_t total = 0, wanted = 0;
  for (const Slice& s : slices) total += s.tokens.size();
  rows.tokens.reserve(total);
  rows.attention.reserve(total);
  for (const Slice& s : slices) {
    if (s.start < 0 || s.slots.size() != static_cast<std::size_t>(s.start) + s.tokens.size()) {
      return base::invalid("a slice of the step has not one slot per position");
    }
    if (s.logits > s.tokens.size()) return base::invalid("a slice of the step asks for more logits than it has tokens");
    for (std::size_t i = 0; i < s.tokens.size(); ++i) {
      const std::int32_t token = s.tokens[i];
      if (token < 0 || static_cast<std::size_t>(token) >= config.vocab_size) {
        return base::invalid(fmt::format("token {} is outside the model's vocabulary of {}", token, config.vocab_size));
      }
      const std::size_t position = static_cast<std::size_t>(s.start) + i;
      if (!kv.has(s.slots[position])) return base::invalid("a slice of the step names a slot outside the KV store");
      if (i + s.logits >= s.tokens.size()) rows.wanted.push_back(rows.tokens.size());
      rows.tokens.push_back(token);
      rows.attention.push_back({s.slots.data(), position});
    }
    wanted += s.logits;
  }
  if (logits != wanted * config.vocab_size) return base::invalid("the step's logits have the wrong size");
  return rows;
}

void Model::Impl::rotations(const Rows& rows, Scratch& s) const {
  const std::size_t half = frequencies.size();
  float* cos = grow(s.cos, rows.size() * half);
  float* sin = grow(s.sin, rows.size() * half);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(rows.attention[r].position) * frequencies[i];
      cos[r * half + i] = static_cast<float>(std::cos(angle) * config.rope.attention_factor);
      sin[r * half + i] = static_cast<float>(std::sin(angle) * config.rope.attention_factor);
    }
  }
}

void Model::Impl::attention_block(std::size_t layer, const Rows& rows, KvStore& kv, base::ThreadPool& pool) const {
  const Config& c = config;
  const LayerWeights& w = weights.layers[layer];
  Scratch& s = kv.scratch;
  const std::size_t n = rows.size(), dim = c.head_dim, half = dim / 2;
  const std::size_t q_width = c.heads * dim, kv_width = c.kv_heads * dim;
  float* x = grow(s.normed, n * c.hidden);
  kernels::rmsnorm(s.hidden.data(), w.input_norm.data(), static_cast<float>(c.rms_eps), n, c.hidden, x, pool);
  float* q = grow(s.q, n * q_width);
  float* k = grow(s.k, n * kv_width);
  float* v = grow(s.v, n * kv_width);
  const kernels::MatmulTarget qkv[] = {{w.q, q}, {w.k, k}, {w.v, v}};
  kernels::matmul(qkv, x, n, pool);
  add_bias(s.q, w.q_bias, n);
  add_bias(s.k, w.k_bias, n);
  add_bias(s.v, w.v_bias, n);
  if (c.qk_norm) {
    kernels::rmsnorm(q, w.q_norm.data(), static_cast<float>(c.rms_eps), n * c.heads, dim, q, pool);
    kernels::rmsnorm(k, w.k_norm.data(), static_cast<float>(c.rms_eps), n * c.kv_heads, dim, k, pool);
  }
  const auto finish = [&](std::size_t r) {
    kernels::rope(q + r * q_width, c.heads, dim, &s.cos[r * half], &s.sin[r * half]);
    kernels::rope(k + r * kv_width, c.kv_heads, dim, &s.cos[r * half], &s.sin[r * half]);
    const std::size_t slot = rows.attention[r].slots[rows.attention[r].position];
    store_row(kv, layer, 0, slot, k + r * kv_width);
    store_row(kv, layer, 1, slot, v + r * kv_width);
  };
  for_rows(n, pool, finish);
  float* attended = grow(s.attended, n * q_width);
  const kernels::AttentionShape shape{c.heads, c.kv_heads, dim, c.window[layer],
                                      static_cast<float>(1.0 / std::sqrt(static_cast<double>(dim)))};
  kernels::attention(shape, rows.attention, q, view_of(kv, layer), attended, pool);
  const kernels::MatmulTarget out[] = {{w.o, x}};
  kernels::matmul(out, attended, n, pool);
  add_bias(s.normed, w.o_bias, n);
  kernels::add(s.hidden.data(), x, n * c.hidden);
}

void Model::Impl::feed_forward_block(std::size_t layer, const Rows& rows, Scratch& s, base::ThreadPool& pool) const {
  const Config& c = config;
  const LayerWeights& w = weights.layers[layer];
  const std::size_t n = rows.size();
  float* x = grow(s.normed, n * c.hidden);
  kernels::rmsnorm(s.hidden.data(), w.post_norm.data(), static_cast<float>(c.rms_eps), n, c.hidden, x, pool);
  float* gate = grow(s.gate, n * c.intermediate);
  float* up = grow(s.up, n * c.intermediate);
  const kernels::MatmulTarget gated[] = {{w.gate, gate}, {w.up, up}};
  kernels::matmul(gated, x, n, pool);
  add_bias(s.gate, w.gate_bias, n);
  add_bias(s.up, w.up_bias, n);
  kernels::swiglu(gate, up, n, c.intermediate, gate, pool);
  const kernels::MatmulTarget down[] = {{w.down, x}};
  kernels::matmul(down, gate, n, pool);
  add_bias(s.normed, w.down_bias, n);
  kernels::add(s.hidden.data(), x, n * c.hidden);
}

void Model::Impl::head(const Rows& rows, Scratch& s, std::span<float> logits, base::ThreadPool& pool) const {
  const std::size_t n = rows.wanted.size(), hidden = config.hidden;
  if (n == 0) return;
  float* x = grow(s.normed, n * hidden);
  for (std::size_t i = 0; i < n; ++i) {
    std::memcpy(x + i * hidden, &s.hidden[rows.wanted[i] * hidden], hidden * sizeof(float));
  }
  kernels::rmsnorm(x, weights.final_norm.data(), static_cast<float>(config.rms_eps), n, hidden, x, pool);
  const kernels::MatmulTarget out[] = {{weights.head, logits.data()}};
  kernels::matmul(out, x, n, pool);
}

base::Status Model::forward(std::span<const Slice> slices, KvStore& kv, std::span<float> logits,
                            base::ThreadPool& pool) const {
  const Impl& m = *impl_;
  if (kv.layers != m.config.layers || kv.heads != m.config.kv_heads || kv.head_dim != m.config.head_dim ||
      kv.format != m.options.kv) {
    return base::invalid("the KV store was made for another model");
  }
  SGL_TRY(const Rows rows, m.collect(slices, kv, logits.size()));
  if (rows.size() == 0) return {};
  kernels::embedding(m.weights.embedding, rows.tokens, grow(kv.scratch.hidden, rows.size() * m.config.hidden));
  m.rotations(rows, kv.scratch);
  for (std::size_t layer = 0; layer < m.config.layers; ++layer) {
    m.attention_block(layer, rows, kv, pool);
    m.feed_forward_block(layer, rows, kv.scratch, pool);
  }
  m.head(rows, kv.scratch, logits, pool);
  return {};
}

}  // namespace sgl::model
