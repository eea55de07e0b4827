// Everything of a training step that is neither a product nor between two attentions: the embedding, the loss, Adam. Simple loops, which the
// compiler vectorises. Activations are bfloat16, the residual stream and all gradients of parameters are float.
#include "bf16.h"

void embed(const float* table, const int32_t* ids, float* x, i64 n, i64 d) {
  for (i64 i = 0; i < n; ++i) memcpy(x + i * d, table + ids[i] * d, d * sizeof(float));
}

void embed_back(const float* gx, const int32_t* ids, float* gtable, i64 n, i64 d) {
  for (i64 i = 0; i < n; ++i)
    for (i64 j = 0; j < d; ++j) gtable[ids[i] * d + j] += gx[i * d + j];
}

// Cross entropy of n rows; the logits become their gradients, times the row's weight. Returns the sum without weights.
double cross_entropy(bf* restrict logits, const int32_t* target, const float* weight, i64 n, i64 v, int32_t* right) {
  float e[16384];
  double total = 0;
  for (i64 i = 0; i < n; ++i) {
    bf* r = logits + i * v;
    float top = -1e30f, sum = 0, mine = up(r[target[i]]);
    for (i64 j = 0; j < v; ++j) top = fmaxf(top, up(r[j]));
    for (i64 j = 0; j < v; ++j) {
      e[j] = expf(up(r[j]) - top);
      sum += e[j];
    }
    *right += mine >= top;
    total += logf(sum) + top - mine;
    float inv = weight[i] / sum;
    for (i64 j = 0; j < v; ++j) r[j] = down(e[j] * inv);
    r[target[i]] = down(e[target[i]] * inv - weight[i]);
  }
  return total;
}

// AdamW without decay; clears the gradient.
void adam(float* restrict p, float* restrict g, float* restrict m, float* restrict v, i64 n, float rate, float b1,
          float b2, float correct1, float correct2) {
  for (i64 i = 0; i < n; ++i) {
    m[i] = b1 * m[i] + (1 - b1) * g[i];
    v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
    p[i] -= rate * (m[i] / correct1) / (sqrtf(v[i] / correct2) + 1e-8f);
    g[i] = 0;
  }
}

// out[columns] = the sum of the beginnings of some rows of a matrix of `width` columns, added in the order given.
void sum_rows(const float *rows, const int32_t *which, float *out, int64_t count, int64_t width, int64_t columns) {
  enum { BLOCK = 2048 };
  for (int64_t at = 0; at < columns; at += BLOCK) {
    int64_t n = columns - at < BLOCK ? columns - at : BLOCK;
    memcpy(out + at, rows + which[0] * width + at, n * sizeof(float));
    for (int64_t r = 1; r < count; ++r) {
      const float *row = rows + which[r] * width + at;
      for (int64_t i = 0; i < n; ++i) out[at + i] += row[i];
    }
  }
}
