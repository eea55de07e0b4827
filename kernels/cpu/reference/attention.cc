#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/reference/reference.h"

namespace sgl::kernels::reference {

void attention(const AttentionShape& shape, std::span<const AttentionRow> rows, const float* q, const float* k,
               const float* v, float* out) {
  const std::size_t dim = shape.head_dim, group = shape.heads / shape.kv_heads;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t end = rows[r].position + 1;
    const std::size_t begin = shape.window != 0 && end > shape.window ? end - shape.window : 0;
    for (std::size_t h = 0; h < shape.heads; ++h) {
      const float* query = q + (r * shape.heads + h) * dim;
      const auto at = [&](std::size_t p) { return (rows[r].slots[p] + h / group) * dim; };
      std::vector<double> score(end - begin);
      for (std::size_t p = begin; p < end; ++p) {
        for (std::size_t i = 0; i < dim; ++i) score[p - begin] += static_cast<double>(query[i]) * k[at(p) + i];
        score[p - begin] *= shape.scale;
      }
      const double highest = *std::max_element(score.begin(), score.end());
      double total = 0.0;
      for (double& s : score) total += s = std::exp(s - highest);
      for (std::size_t i = 0; i < dim; ++i) {
        double sum = 0.0;
        for (std::size_t p = begin; p < end; ++p) sum += score[p - begin] * v[at(p) + i];
        out[(r * shape.heads + h) * dim + i] = static_cast<float>(sum / total);
      }
    }
  }
}

}  // namespace sgl::kernels::reference
