#include <doctest/doctest.h>

#include <limits>

#include "kernels/cpu/reference/reference.h"
#include "kernels/softmax.h"
#include "tests/unit/kernels/support.h"

using namespace sgl::kernels;
using namespace sgl::kernels::test;

TEST_CASE("rmsnorm, rope, swiglu and add agree with the reference over odd sizes") {
  for (const cpu::Isa isa : available_isas()) {
    CAPTURE(cpu::isa_name(isa));
    const cpu::Ops& ops = *cpu::ops_for(isa);
    for (const std::size_t n : {1, 2, 3, 4, 7, 8, 15, 16, 17, 33, 64, 172, 1001}) {
      CAPTURE(n);
      const std::vector<float> x = random_floats(n, 1, 4.0F), w = random_floats(n, 2),
                               wide = random_floats(n, 3, 120.0F);
      std::vector<float> want(n), got(n);
      reference::rmsnorm(x.data(), w.data(), 1e-5F, n, want.data());
      ops.rmsnorm(x.data(), w.data(), 1e-5F, n, got.data());
      bool good = true;
      for (std::size_t i = 0; i < n; ++i) good &= close(got[i], want[i], 1.0F);
      got = x;
      ops.rmsnorm(got.data(), w.data(), 1e-5F, n, got.data());  // in place
      for (std::size_t i = 0; i < n; ++i) good &= close(got[i], want[i], 1.0F);
      for (const std::vector<float>* gate : {&x, &wide}) {
        reference::swiglu(gate->data(), w.data(), n, want.data());
        ops.swiglu(gate->data(), w.data(), n, got.data());
        for (std::size_t i = 0; i < n; ++i) good &= close(got[i], want[i], 1.0F);
      }
      got = x;
      ops.add(got.data(), w.data(), n);
      for (std::size_t i = 0; i < n; ++i) good &= got[i] == x[i] + w[i];
      CHECK(good);
    }
    for (const std::size_t dim : {2, 6, 8, 64, 80, 128}) {
      std::vector<float> a = random_floats(3 * dim, 4), b = a;
      const std::vector<float> c = random_floats(dim / 2, 5), s = random_floats(dim / 2, 6);
      reference::rope(a.data(), 3, dim, c.data(), s.data());
      ops.rope(b.data(), 3, dim, c.data(), s.data());
      bool good = true;
      for (std::size_t i = 0; i < a.size(); ++i) good &= close(b[i], a[i], 1.0F);
      CHECK(good);
    }
  }
}

TEST_CASE("softmax pieces: exp, maximum, log-sum-exp") {
  for (const cpu::Isa isa : available_isas()) {
    CAPTURE(cpu::isa_name(isa));
    const cpu::Ops& ops = *cpu::ops_for(isa);
    std::vector<float> x;
    for (float v = -100.0F; v <= 88.0F; v += 0.0371F) x.push_back(v);
    x.push_back(-std::numeric_limits<float>::infinity());
    x.push_back(0.0F);
    std::vector<float> got(x.size());
    ops.exp_scaled(x.data(), x.size(), 0.0F, 1.0F, got.data());
    double worst = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double want = x[i] < -87.3F ? 0.0 : std::exp(static_cast<double>(x[i]));
      worst = std::max(worst, want == 0.0 ? std::fabs(got[i]) : std::fabs(got[i] / want - 1.0));
    }
    CHECK(worst < 1e-6);
    CHECK(got.back() == 1.0F);
    for (std::size_t n = 1; n < 70; ++n) {
      const std::vector<float> y = random_floats(n, static_cast<std::uint32_t>(n), 9.0F);
      CHECK(ops.max_value(y.data(), n) == *std::max_element(y.begin(), y.end()));
    }
  }
  for (const cpu::Isa isa : available_isas()) {
    CAPTURE(cpu::isa_name(isa));
    const cpu::Ops& ops = *cpu::ops_for(isa);
    for (const std::size_t n : {1, 5, 63, 64, 65, 127, 200, 1000}) {
      std::vector<float> z = random_floats(n, static_cast<std::uint32_t>(n), 50.0F);
      const std::vector<float> original = z;
      std::vector<std::uint64_t> allowed((n + 63) / 64);
      std::mt19937 rng(7);
      for (auto& word : allowed) {
        const auto kind = rng() % 5;
        word = kind == 0 ? ~std::uint64_t{0} : kind == 1 ? 0 : std::uint64_t{rng()} << 31 ^ rng();
      }
      std::vector<float> maxima(logit_blocks(n)), masked(maxima.size()), weights(n), plain(n);
      ops.mask_maxima(z.data(), n, allowed.data(), masked.data());
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < n; ++i) {
        const bool open = (allowed[i / 64] >> (i % 64) & 1U) != 0;
        wrong += open ? z[i] != original[i] : z[i] != -std::numeric_limits<float>::infinity();
      }
      std::vector<double> sums(maxima.size());
      ops.block_maxima(z.data(), n, maxima.data());
      wrong += masked != maxima ? 1 : 0;
      ops.exp_blocks(z.data(), n, maxima.data(), 50.0F, 1.5F, weights.data(), sums.data());
      ops.exp_scaled(z.data(), n, 50.0F, 1.5F, plain.data());
      for (std::size_t b = 0; b < maxima.size(); ++b) {
        const auto from = static_cast<std::ptrdiff_t>(b * kLogitBlock);
        const auto to = static_cast<std::ptrdiff_t>(std::min(n, (b + 1) * kLogitBlock));
        wrong += maxima[b] != *std::max_element(z.begin() + from, z.begin() + to) ? 1 : 0;
        double lanes[8] = {};
        for (auto i = from; i < to; ++i) lanes[i % 8] += plain[static_cast<std::size_t>(i)];
        wrong += sums[b] !=
                 ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
      }
      wrong += weights != plain ? 1 : 0;
      std::vector<std::int32_t> ids(n), want;
      for (std::size_t i = 0; i < n; ++i) {
        if (z[i] >= 3.0F) want.push_back(static_cast<std::int32_t>(i));
      }
      ids.resize(ops.collect(z.data(), n, 3.0F, ids.data()));
      wrong += ids != want ? 1 : 0;
      CHECK_MESSAGE(wrong == 0, "n=" << n);
    }
  }
  const std::vector<float> y = random_floats(5000, 8, 20.0F);
  CHECK(log_sum_exp(y.data(), y.size()) == doctest::Approx(reference::log_sum_exp(y.data(), y.size())).epsilon(1e-7));
}
