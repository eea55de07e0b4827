#include "tests/unit/model/reference_model.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

namespace sgl::test {
namespace {

using Vector = std::vector<double>;

struct Reference {
  const RandomModel& m;
  const RandomModelSpec& s;
  Vector inv_freq;
  double rope_magnitude = 1.0;

  explicit Reference(const RandomModel& model) : m(model), s(model.spec) { make_frequencies(); }

  const std::vector<float>& tensor(const std::string& name) const { return m.tensors.at(name).values; }

  Vector linear(const std::string& name, const Vector& x) const {
    const std::vector<float>& w = tensor(name + ".weight");
    Vector y(w.size() / x.size());
    for (std::size_t r = 0; r < y.size(); ++r) {
      for (std::size_t i = 0; i < x.size(); ++i) y[r] += static_cast<double>(w[r * x.size() + i]) * x[i];
    }
    const auto bias = m.tensors.find(name + ".bias");
    if (bias != m.tensors.end()) {
      for (std::size_t r = 0; r < y.size(); ++r) y[r] += bias->second.values[r];
    }
    return y;
  }

  Vector norm(const std::string& name, std::span<const double> x) const {
    double sum = 0;
    for (const double v : x) sum += v * v;
    const double f = 1.0 / std::sqrt(sum / static_cast<double>(x.size()) + 1e-5);
    Vector y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * f * static_cast<double>(tensor(name)[i]);
    return y;
  }

  void make_frequencies() {
    const auto dim = static_cast<double>(s.head_dim);
    for (std::size_t i = 0; i < s.head_dim; i += 2) {
      inv_freq.push_back(1.0 / std::pow(s.rope_theta, static_cast<double>(i) / dim));
    }
    if (s.rope_scaling.empty()) return;
    const auto j = nlohmann::json::parse(s.rope_scaling);
    const std::string type = j.contains("rope_type") ? j["rope_type"] : j["type"];
    const double factor = j["factor"], pi = std::numbers::pi;
    if (type == "linear") {
      for (double& f : inv_freq) f /= factor;
    } else if (type == "llama3") {
      const double old = j["original_max_position_embeddings"], low = j["low_freq_factor"],
                   high = j["high_freq_factor"];
      for (double& f : inv_freq) {
        const double wavelength = 2 * pi / f;
        if (wavelength > old / low) {
          f /= factor;
        } else if (wavelength >= old / high) {
          const double smooth = (old / wavelength - low) / (high - low);
          f = (1 - smooth) * f / factor + smooth * f;
        }
      }
    } else if (type == "yarn") {
      const double old = j["original_max_position_embeddings"];
      const auto correction = [&](double rotations) {
        return dim * std::log(old / (rotations * 2 * pi)) / (2 * std::log(s.rope_theta));
      };
      const double low = std::max(std::floor(correction(32.0)), 0.0);
      const double high = std::min(std::ceil(correction(1.0)), dim - 1);
      for (std::size_t i = 0; i < inv_freq.size(); ++i) {
        const double span = high == low ? 0.001 : high - low;
        const double ramp = std::clamp((static_cast<double>(i) - low) / span, 0.0, 1.0);
        const double keep = 1 - ramp;
        inv_freq[i] = inv_freq[i] / factor * (1 - keep) + inv_freq[i] * keep;
      }
      rope_magnitude = 0.1 * std::log(factor) + 1.0;
    }
  }

  void rotate(double* head, std::size_t position) const {
    const std::size_t half = s.head_dim / 2;
    for (std::size_t i = 0; i < half; ++i) {
      const double angle = static_cast<double>(position) * inv_freq[i];
      const double c = std::cos(angle) * rope_magnitude, n = std::sin(angle) * rope_magnitude;
      const double a = head[i], b = head[i + half];
      head[i] = a * c - b * n;
      head[i + half] = b * c + a * n;
    }
  }

  void heads(const std::string& name, Vector& x, std::size_t position) const {
    for (std::size_t h = 0; h * s.head_dim < x.size(); ++h) {
      double* head = x.data() + h * s.head_dim;
      if (s.architecture == "Qwen3ForCausalLM") {
        const Vector y = norm(name, {head, s.head_dim});
        std::copy(y.begin(), y.end(), head);
      }
      rotate(head, position);
    }
  }

  bool visible(std::size_t layer, std::size_t from, std::size_t to) const {
    if (to > from) return false;
    const bool slides = s.window != 0 && s.architecture != "LlamaForCausalLM" &&
                        (s.architecture == "MistralForCausalLM" || layer >= s.max_window_layers);
    return !slides || from - to < s.window;
  }

  Vector attend(std::size_t layer, std::size_t position, const Vector& q, const std::vector<Vector>& ks,
                const std::vector<Vector>& vs) const {
    Vector out(q.size());
    for (std::size_t h = 0; h < s.heads; ++h) {
      const std::size_t base = h / (s.heads / s.kv_heads) * s.head_dim;
      Vector weight(position + 1);
      double total = 0;
      for (std::size_t p = 0; p <= position; ++p) {
        if (!visible(layer, position, p)) continue;
        double score = 0;
        for (std::size_t i = 0; i < s.head_dim; ++i) score += q[h * s.head_dim + i] * ks[p][base + i];
        total += weight[p] = std::exp(score / std::sqrt(static_cast<double>(s.head_dim)));
      }
      for (std::size_t p = 0; p <= position; ++p) {
        for (std::size_t i = 0; i < s.head_dim; ++i) out[h * s.head_dim + i] += weight[p] / total * vs[p][base + i];
      }
    }
    return out;
  }

  void layer(std::size_t l, std::vector<Vector>& xs) const {
    const std::string p = "model.layers." + std::to_string(l) + ".";
    std::vector<Vector> ks, vs;
    for (std::size_t t = 0; t < xs.size(); ++t) {
      const Vector x = norm(p + "input_layernorm.weight", xs[t]);
      Vector q = linear(p + "self_attn.q_proj", x);
      ks.push_back(linear(p + "self_attn.k_proj", x));
      vs.push_back(linear(p + "self_attn.v_proj", x));
      heads(p + "self_attn.q_norm.weight", q, t);
      heads(p + "self_attn.k_norm.weight", ks.back(), t);
      const Vector o = linear(p + "self_attn.o_proj", attend(l, t, q, ks, vs));
      for (std::size_t i = 0; i < o.size(); ++i) xs[t][i] += o[i];
      const Vector y = norm(p + "post_attention_layernorm.weight", xs[t]);
      Vector gate = linear(p + "mlp.gate_proj", y);
      const Vector up = linear(p + "mlp.up_proj", y);
      for (std::size_t i = 0; i < gate.size(); ++i) gate[i] *= up[i] / (1 + std::exp(-gate[i]));
      const Vector down = linear(p + "mlp.down_proj", gate);
      for (std::size_t i = 0; i < down.size(); ++i) xs[t][i] += down[i];
    }
  }
};

}  // namespace

std::vector<std::vector<double>> reference_logits(const RandomModel& model, std::span<const std::int32_t> tokens) {
  const Reference r(model);
  const std::vector<float>& table = r.tensor("model.embed_tokens.weight");
  std::vector<Vector> xs;
  for (const std::int32_t t : tokens) {
    const auto row = table.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(t) * r.s.hidden);
    xs.emplace_back(row, row + static_cast<std::ptrdiff_t>(r.s.hidden));
  }
  for (std::size_t l = 0; l < r.s.layers; ++l) r.layer(l, xs);
  std::vector<Vector> out;
  for (const Vector& x : xs)
    out.push_back(r.linear(r.s.tied ? "model.embed_tokens" : "lm_head", r.norm("model.norm.weight", x)));
  return out;
}

}  // namespace sgl::test
