// The optimizer of the matrices: Muon (Jordan et al., 2024). A step goes along the nearest semi-orthogonal matrix of the gradient's running
// mean, found by five Newton-Schulz iterations in bfloat16.
#include "bf16.h"

// out = beta * add + alpha * left by a packed right side; `out` may be `add`.
static void multiply_add(const bf* left, const bf* right, i64 m, i64 n, i64 k, const bf* add, float beta, float alpha, bf* out) {
  float c[32 * 32] __attribute__((aligned(64)));
  for (i64 j = 0; j < n; j += 32)
    for (i64 i = 0; i < m; i += 32) {
      product(rows_of(left + i * k, k), right + j * k, k / 32, 32, c, 32);
      for (i64 r = 0; r < 32; ++r)
        for (i64 x = 0; x < 32; x += 16) {
          i64 at = (i + r) * n + j + x;
          down16(beta * up16(add + at) + alpha * load16(c + 32 * r + x), out + at);
        }
    }
}

// Makes x[h, w] semi-orthogonal, h <= w, both multiples of 32.
static void orthogonal(bf* x, i64 h, i64 w) {
  bf *right = scratch(1, h * w * sizeof(bf)), *a = scratch(2, h * h * sizeof(bf)), *b = scratch(3, h * h * sizeof(bf));
  for (int step = 0; step < 5; ++step) {
    for (i64 i = 0; i < h; i += 32) pack_right_of_transpose(x + i * w, w, w, right + i * w);
    multiply_rows(x, right, a, h, h, w);
    pack_right(a, h, h, h, right, h * 32);
    multiply_add(a, right, h, h, h, a, -4.7750f, 2.0315f, b);
    pack_right(x, w, h, w, right, h * 32);
    multiply_add(b, right, h, w, h, x, 3.4445f, 1, x);
  }
}

// p[h, w] (multiples of 32) along the gradient g: its running mean is `velocity`; a step of length `rate`, after p was multiplied by `keep`.
void muon(float* restrict p, const float* restrict g, float* restrict velocity, i64 h, i64 w, float momentum, float rate, float keep) {
  i64 n = h * w, low = h < w ? h : w, high = h < w ? w : h;
  float* ahead = scratch(4, n * sizeof(float));
  bf* x = scratch(5, n * sizeof(bf));
  double norm = 0;
  for (i64 i = 0; i < n; i += 16) {
    f16 v = load16(velocity + i), y = load16(g + i);
    v += (y - v) * (1 - momentum);
    y += (v - y) * momentum;
    store16(v, velocity + i);
    store16(y, ahead + i);
    y *= y;
    float sum = 0;
    for (int j = 0; j < 16; ++j) sum += y[j];
    norm += sum;
  }
  float scale = (float)(1 / (sqrt(norm) + 1e-7));
  if (h > w)
    for (i64 i = 0; i < h; ++i)
      for (i64 j = 0; j < w; ++j) x[j * h + i] = down(ahead[i * w + j] * scale);
  else
    for (i64 i = 0; i < n; i += 16) down16(load16(ahead + i) * scale, x + i);
  tiles_begin();
  orthogonal(x, low, high);
  tiles_end();
  for (i64 i = 0; i < h; ++i)
    for (i64 j = 0; j < w; ++j) p[i * w + j] = p[i * w + j] * keep - rate * up(h > w ? x[j * h + i] : x[i * w + j]);
}
