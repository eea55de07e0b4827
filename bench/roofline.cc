// How close the kernels come to the machine: measures read bandwidth and FMA peak, then each kernel's and a whole
// decode's share of them in the same run: of products and decodes the median share of the limit of the same moment, of
// the rest the share of the best one. Prints one JSON object.
//
// Weights must come from memory, not from a cache, for the share to mean anything: the models read over 1 GB per token
// (the largest last-level caches of today hold about half of that), and single kernels cycle through such a buffer.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>

#include "bench/roofline_models.h"
#include "kernels/attention.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/quant/ops.h"
#include "kernels/matmul.h"
#include "kernels/quant.h"
#include "runtime/base/large_pages.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace sgl;
using Json = nlohmann::json;
using bench::best_of;
using kernels::DType;

namespace {

// In large pages, as packed weights are.
using Buffer = std::vector<std::uint64_t, base::LargePages<std::uint64_t>>;
// Activations, where the engine has them too.
using Floats = std::vector<float, base::LargePages<float, base::kLargePage / 2>>;

constexpr std::size_t kBufferBytes = std::size_t{3} << 29;  // 1.5 GiB

// Reads a buffer with the widest loads there are (a maximum over it costs nothing beside them), as fast as any way that
// we know: plainly, or asked for ahead, into the second cache and from there into the first, when a core has more reads
// under way.
class Reader {
 public:
  Reader(const Buffer& buffer, base::ThreadPool& pool) : buffer_(buffer), pool_(pool), sink_(pool.size() * 8) {}

  // GB/s of reads of all of it.
  double whole() { return rate(0, buffer_.size(), 8); }

  // GB/s of one read of the next 256 MiB, either way: which is faster changes with the machine's neighbours.
  double part() {
    constexpr std::size_t kWords = std::size_t{32} << 20;
    if (at_ + kWords > buffer_.size()) at_ = 0;
    return rate(std::exchange(at_, at_ + kWords), kWords, 1);
  }

 private:
  double rate(std::size_t from, std::size_t words, int runs) {
    double best = 0.0;
    for (const bool ahead : {false, true}) {
      const double seconds = best_of(runs, [&] { read(from, words, ahead); });
      best = std::max(best, static_cast<double>(words * 8) / seconds / 1e9);
    }
    return best;
  }

  void read(std::size_t from, std::size_t words, bool ahead) {
    const std::size_t step = words / sink_.size();
    pool_.parallel_for(sink_.size(), [&](std::size_t p) {
      const auto* x = reinterpret_cast<const float*>(&buffer_[from + p * step]);
      sink_[p] = ahead ? asked(x, step * 2) : kernels::cpu::ops().max_value(x, step * 2);
    });
  }

  static float asked(const float* x, std::size_t n) {
    constexpr std::size_t kBlock = 128, kNear = 128, kFar = 768, kLine = 16;  // floats
    float most = 0.0F;
    for (std::size_t i = 0; i < n; i += kBlock) {
      for (std::size_t j = i; j < i + kBlock; j += kLine) {
        __builtin_prefetch(x + j + kNear);
        __builtin_prefetch(x + j + kFar, 0, 2);
      }
      most = std::max(most, kernels::cpu::ops().max_value(x + i, std::min(kBlock, n - i)));
    }
    return most;
  }

  const Buffer& buffer_;
  base::ThreadPool& pool_;
  std::vector<float> sink_;
  std::size_t at_ = 0;
};

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float fma_avx512(std::size_t rounds) {
  __m512 acc[16];
  for (int i = 0; i < 16; ++i) acc[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.999F), b = _mm512_set1_ps(0.001F);
  for (std::size_t r = 0; r < rounds; ++r) {
    for (int i = 0; i < 16; ++i) acc[i] = _mm512_fmadd_ps(acc[i], a, b);
  }
  float out[16], sum = 0.0F;
  for (int i = 0; i < 16; ++i) {
    _mm512_storeu_ps(out, acc[i]);
    sum += out[0];
  }
  return sum;
}

__attribute__((target("avx2,fma"))) float fma_avx2(std::size_t rounds) {
  __m256 acc[12];
  for (int i = 0; i < 12; ++i) acc[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999F), b = _mm256_set1_ps(0.001F);
  for (std::size_t r = 0; r < rounds; ++r) {
    for (int i = 0; i < 12; ++i) acc[i] = _mm256_fmadd_ps(acc[i], a, b);
  }
  float out[8], sum = 0.0F;
  for (int i = 0; i < 12; ++i) {
    _mm256_storeu_ps(out, acc[i]);
    sum += out[0];
  }
  return sum;
}
#endif

// GFLOP/s of `rounds` rounds of fused multiply-adds in registers on all threads, the best of `runs`; 0 where not
// measured (other instruction sets).
double fma_peak(base::ThreadPool& pool, std::size_t rounds, int runs) {
#if defined(__x86_64__)
  const bool wide = kernels::cpu::active_isa() == kernels::cpu::Isa::kAvx512;
  if (!wide && kernels::cpu::active_isa() != kernels::cpu::Isa::kAvx2) return 0.0;
  std::vector<float> sink(pool.size());
  const double best = best_of(runs, [&] {
    pool.parallel_for(pool.size(), [&](std::size_t i) { sink[i] = wide ? fma_avx512(rounds) : fma_avx2(rounds); });
  });
  const double lanes = wide ? 16.0 * 16.0 : 12.0 * 8.0;
  return static_cast<double>(pool.size() * rounds) * lanes * 2.0 / best / 1e9;
#else
  (void)pool, (void)rounds, (void)runs;
  return 0.0;
#endif
}

constexpr int kRuns = 40;                      // of a product, each beside the peak of its moment
constexpr std::size_t kShortPeak = 5'000'000;  // rounds: some 12 ms; one of 2 ms comes out an eighth too low

const char* type_name(DType type) {
  constexpr const char* kNames[] = {"F32", "F16", "BF16", "Q8", "Q4", "Q4A"};
  return kNames[static_cast<std::size_t>(type)];
}

std::size_t matrix_bytes(DType type, std::size_t n, std::size_t k) {
  return kernels::is_quantized(type) ? kernels::packed_bytes(type, n, k) : n * k * kernels::dtype_bytes(type);
}

// Products of a few rows over a whole buffer of weights.
Json few_rows(DType type, std::size_t rows, const Buffer& buffer, Reader& reader, base::ThreadPool& pool) {
  const std::size_t k = 4096, n = 4096, bytes = matrix_bytes(type, n, k), count = kBufferBytes / bytes;
  std::vector<float> x(rows * k, 0.5F), y(rows * n);
  // A dozen products in a run, so that a run is as long as the read beside it.
  const std::size_t some = std::min<std::size_t>(12, count);
  std::size_t i = 0;
  const bench::Rate rate = bench::rate_beside(
      static_cast<double>(bytes * some), 24, [&] { return reader.part(); },
      [&] {
        for (std::size_t j = 0; j < some; ++j, i = (i + 1) % count) {
          const kernels::Matrix w{reinterpret_cast<const char*>(buffer.data()) + i * bytes, type, n, k};
          const kernels::MatmulTarget t[] = {{w, y.data()}};
          kernels::matmul(t, x.data(), rows, pool);
        }
      });
  return {{"kernel", fmt::format("matmul {}x{}x{} {}", rows, k, n, type_name(type))},
          {"gb_per_s", rate.best},
          {"share_of_bandwidth", rate.share}};
}

// The shapes of Qwen3-0.6B's feed-forward layer; weights stay in the caches.
Json many_rows(DType type, std::size_t rows, std::size_t k, std::size_t n, const Buffer& buffer,
               base::ThreadPool& pool) {
  Floats x(rows * k, 0.5F), y(rows * n);
  const kernels::MatmulTarget t[] = {{{buffer.data(), type, n, k}, y.data()}};
  const bench::Rate rate = bench::rate_beside(
      2.0 * static_cast<double>(rows * k * n), kRuns, [&] { return fma_peak(pool, kShortPeak, 1); },
      [&] { kernels::matmul(t, x.data(), rows, pool); });
  return {{"kernel", fmt::format("matmul {}x{}x{} {}", rows, k, n, type_name(type))},
          {"gflop_per_s", rate.best},
          {"share_of_fma_peak", rate.share}};
}

std::size_t cache_element_bytes(DType type) {
  return type == DType::kQ8 ? 1 : kernels::dtype_bytes(type);
}

// A cache of `count` positions of one layer as the engine lays it out (kv_store.h), in pages of 16.
struct PagedCache {
  static constexpr std::size_t kPageSize = 16;
  std::vector<std::uint32_t> slots;
  std::vector<float> scales;
  kernels::KvView view;

  PagedCache(std::size_t count, const kernels::AttentionShape& shape, DType type, const Buffer& buffer) : slots(count) {
    for (std::size_t i = 0; i < count; ++i) {
      slots[i] = static_cast<std::uint32_t>(i / kPageSize * kPageSize * 2 * shape.kv_heads + i % kPageSize);
    }
    if (type == DType::kQ8) scales.assign(2 * count * shape.kv_heads, 0.01F);
    const auto* k = reinterpret_cast<const std::byte*>(buffer.data());
    view = {k,
            k + kPageSize * shape.head_dim * cache_element_bytes(type),
            type,
            2 * kPageSize,
            scales.data(),
            scales.data() + (scales.empty() ? 0 : kPageSize)};
  }
};

// One decoded token of each of many sequences, so that the KV read exceeds the caches.
Json attention(DType type, const Buffer& buffer, base::ThreadPool& pool) {
  const kernels::AttentionShape shape{32, 8, 64, 0, 0.125F};
  const std::size_t width = shape.kv_heads * shape.head_dim, length = 8192, sequences = 32;
  const PagedCache cache(length * sequences, shape, type, buffer);
  std::vector<kernels::AttentionRow> rows;
  for (std::size_t s = 0; s < sequences; ++s) rows.push_back({&cache.slots[s * length], length - 1});
  Floats q(sequences * 2048, 0.01F), out(q.size());
  const double best = best_of(3, [&] { kernels::attention(shape, rows, q.data(), cache.view, out.data(), pool); });
  const std::size_t bytes = 2 * length * sequences * width * cache_element_bytes(type);
  const double rate = static_cast<double>(bytes + cache.scales.size() * sizeof(float)) / best / 1e9;
  return {{"kernel", fmt::format("attention 32 rows x 8192 positions, 32 heads over 8, {}", type_name(type))},
          {"gb_per_s", rate},
          {"ms", best * 1e3}};
}

// Prompt attention: 512 new rows of one sequence.
Json prompt_attention(DType type, const Buffer& buffer, base::ThreadPool& pool) {
  const kernels::AttentionShape shape{16, 8, 128, 0, 0.088F};
  const std::size_t length = 512, width = shape.heads * shape.head_dim;
  const PagedCache cache(length, shape, type, buffer);
  std::vector<kernels::AttentionRow> rows;
  for (std::size_t p = 0; p < length; ++p) rows.push_back({cache.slots.data(), p});
  Floats q(length * width, 0.01F), out(q.size());
  const bench::Rate rate = bench::rate_beside(
      2.0 * static_cast<double>(length * (length + 1) * width), kRuns, [&] { return fma_peak(pool, kShortPeak, 1); },
      [&] { kernels::attention(shape, rows, q.data(), cache.view, out.data(), pool); });
  return {{"kernel", fmt::format("attention of a prompt of 512 tokens, 16 heads of 128 over 8, {}", type_name(type))},
          {"gflop_per_s", rate.best},
          {"share_of_fma_peak", rate.share}};
}

// The parts of the benchmark, by name.
constexpr const char* kParts[] = {"rows", "products", "attention", "models"};

}  // namespace

int main(int argc, char** argv) {
  std::set<std::string> chosen(argv + 1, argv + argc);
  for (const std::string& name : chosen) {
    if (std::ranges::find(kParts, name) == std::end(kParts)) {
      fmt::print(stderr, "usage: bench_roofline [PART…]\nParts: {}; all when none is named.\n",
                 fmt::join(kParts, ", "));
      return 2;
    }
  }
  if (chosen.empty()) chosen.insert(std::begin(kParts), std::end(kParts));
  base::ThreadPool pool(0);
  // Values between 0 and 1 in every type, no subnormals.
  const Buffer buffer(kBufferBytes / 8, 0x3C003C003C003C00U);
  Reader reader(buffer, pool);
  const double before = reader.whole(), peak = fma_peak(pool, 20'000'000, 3);
  Json list = Json::array();
  for (const DType type : {DType::kF32, DType::kBF16, DType::kF16, DType::kQ8, DType::kQ4, DType::kQ4A}) {
    if (!chosen.contains("rows")) break;
    for (const std::size_t rows : {1, 16}) list.push_back(few_rows(type, rows, buffer, reader, pool));
  }
  for (const DType type : {DType::kF32, DType::kBF16, DType::kF16, DType::kQ8, DType::kQ4, DType::kQ4A}) {
    if (!chosen.contains("products")) break;
    list.push_back(many_rows(type, 64, 1024, 3072, buffer, pool));
    list.push_back(many_rows(type, 512, 1024, 3072, buffer, pool));
    list.push_back(many_rows(type, 512, 3072, 1024, buffer, pool));
  }
  for (const DType type : {DType::kF32, DType::kF16, DType::kQ8}) {
    if (!chosen.contains("attention")) break;
    list.push_back(attention(type, buffer, pool));
    list.push_back(prompt_attention(type, buffer, pool));
  }
  if (chosen.contains("models")) {
    for (Json& model : bench::measure_models([&] { return reader.part(); }, pool)) list.push_back(std::move(model));
  }
  // On a shared machine the bandwidth changes while this runs: the better of two measurements is the machine's.
  const double bandwidth = std::max(before, reader.whole());
  for (Json& k : list) {
    if (k.contains("gb_per_s") && !k.contains("share_of_bandwidth"))
      k["share_of_bandwidth"] = k["gb_per_s"].get<double>() / bandwidth;
  }
  const Json out = {{"benchmark", "roofline"},
                    {"threads", pool.size()},
                    {"isa", kernels::cpu::isa_name(kernels::cpu::active_isa())},
                    {"quantised_isa", kernels::cpu::isa_name(kernels::cpu::active_quant_isa())},
                    {"read_bandwidth_gb_per_s", bandwidth},
                    {"fma_peak_gflop_per_s", peak},
                    {"kernels", list}};
  fmt::print("{}\n", out.dump(2));
  return 0;
}
