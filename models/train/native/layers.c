// What lies between two attentions, forward and back: products, norms and SwiGLU, some rows at a time, so that what one step writes the
// next finds in the second cache. What only the way back needs goes past the caches.
#include "bf16.h"

enum { ROWS = 192 };  // at a time

// x += y; then RMSNorm of x. `y` may be null.
void add_norm(float* restrict x, const bf* restrict y, bf* restrict out, float* restrict scale, i64 n, i64 d, float eps) {
  for (i64 i = 0; i < n; ++i) {
    float sum = 0, *r = x + i * d;
    if (y) for (i64 j = 0; j < d; ++j) r[j] += up(y[i * d + j]);
    for (i64 j = 0; j < d; ++j) sum += r[j] * r[j];
    float s = 1 / sqrtf(sum / d + eps);
    scale[i] = s;
    for (i64 j = 0; j < d; ++j) out[i * d + j] = down(r[j] * s);
  }
}

// Adds the gradient through the norm to gx, and writes gx in bfloat16 for the products of the block before.
void norm_back(const bf* restrict g, const bf* restrict y, const float* restrict scale, float* restrict gx,
               bf* restrict gx16, i64 n, i64 d) {
  for (i64 i = 0; i < n; ++i) {
    const bf *gr = g + i * d, *yr = y + i * d;
    float dot = 0, s = scale[i];
    for (i64 j = 0; j < d; ++j) dot += up(gr[j]) * up(yr[j]);
    dot /= d;
    for (i64 j = 0; j < d; ++j) {
      float v = gx[i * d + j] + s * (up(gr[j]) - up(yr[j]) * dot);
      gx[i * d + j] = v;
      gx16[i * d + j] = down(v);
    }
  }
}

// A copy that is not read soon.
static inline void put_away(const bf* from, bf* to, i64 n) {
#ifdef __AVX512F__
  for (i64 i = 0; i < n; i += 32) _mm512_stream_si512((void*)(to + i), _mm512_loadu_si512(from + i));
#else
  memcpy(to, from, n * sizeof(bf));
#endif
}

static void swiglu(const bf* restrict both, bf* restrict out, i64 n, i64 f) {
  for (i64 i = 0; i < n; ++i) {
    const bf *g = both + 2 * i * f, *u = g + f;
    for (i64 j = 0; j < f; j += 16) {
      f16 x = up16(g + j);
      down16(x / (1 + exp16(-x)) * up16(u + j), out + i * f + j);
    }
  }
}

// From the gradient of the output those of both inputs; makes the output, too.
static void swiglu_back(const bf* restrict both, const bf* restrict grad, bf* restrict gboth, bf* restrict out, i64 n, i64 f) {
  for (i64 i = 0; i < n; ++i) {
    const bf *g = both + 2 * i * f, *u = g + f, *d = grad + i * f;
    bf *og = gboth + 2 * i * f, *ou = og + f;
    for (i64 j = 0; j < f; j += 16) {
      f16 x = up16(g + j), s = 1 / (1 + exp16(-x)), dj = up16(d + j), uj = up16(u + j);
      down16(dj * uj * (s + x * s * (1 - s)), og + j);
      down16(dj * x * s, ou + j);
      down16(x * s * uj, out + i * f + j);
    }
  }
}

// From the heads' output `rows` [n, d]: projection, norm, the inner layer, the norm of the next layer and (with `wqkv`) its qkv. Changes the
// residual stream x; keeps both norms' outputs and scales, and the inner layer's inputs.
void between(const bf* rows, float* x, i64 n, i64 d, i64 f, const bf* wo, const bf* wgate_up, const bf* wdown, const bf* wqkv, bf* z2, float* s2,
             bf* both, bf* z, float* s, bf* qkv, float eps) {
  bf *y = scratch(0, ROWS * d * sizeof(bf)), *inner = scratch(1, ROWS * 2 * f * sizeof(bf)), *act = scratch(2, ROWS * f * sizeof(bf));
  tiles_begin();
  for (i64 i = 0; i < n; i += ROWS) {
    i64 m = n - i < ROWS ? n - i : ROWS;
    multiply_rows(rows + i * d, wo, y, m, d, d);
    add_norm(x + i * d, y, z2 + i * d, s2 + i, m, d, eps);
    multiply_rows(z2 + i * d, wgate_up, inner, m, 2 * f, d);
    swiglu(inner, act, m, f);
    put_away(inner, both + 2 * i * f, 2 * m * f);
    multiply_rows(act, wdown, y, m, d, f);
    add_norm(x + i * d, y, z + i * d, s + i, m, d, eps);
    if (wqkv) multiply_rows(z + i * d, wqkv, qkv + 3 * i * d, m, 3 * d, d);
  }
  tiles_end();
}

// The way back. Begins with the gradient of qkv, or without `wqkv` with that of the last norm's output `gz`; adds to gx, that of the residual
// stream; sets those of the matrices and of `rows`.
void between_back(const bf* gqkv, const bf* gz, const bf* rows, const bf* z2, const float* s2, const bf* both, const bf* z, const float* s, float* gx,
                  bf* grows, i64 n, i64 d, i64 f, const bf* wo, const bf* wgate_up, const bf* wdown, const bf* wqkv, float* go, float* ggate_up,
                  float* gdown, float* gqkv_out) {
  i64 steps = (n + 31) / 32, panel = steps * BLOCK, whole = steps * 32 * sizeof(bf);
  bf *y = scratch(0, ROWS * d * sizeof(bf)), *gact = scratch(1, ROWS * f * sizeof(bf)), *act = scratch(2, ROWS * f * sizeof(bf));
  bf *gboth = scratch(3, ROWS * 2 * f * sizeof(bf)), *g = scratch(4, ROWS * d * sizeof(bf));
  bf *lqkv = scratch(5, 3 * d * whole), *lg = scratch(6, d * whole), *lboth = scratch(7, 2 * f * whole), *lg2 = scratch(8, d * whole);
  bf *rz = scratch(9, d * whole), *ract = scratch(10, f * whole), *rz2 = scratch(11, d * whole), *rrows = scratch(12, d * whole);
  tiles_begin();
  for (i64 i = 0; i < n; i += ROWS) {
    i64 m = n - i < ROWS ? n - i : ROWS, at = i / 32 * BLOCK;
    if (wqkv) {
      multiply_rows(gqkv + 3 * i * d, wqkv, y, m, d, 3 * d);
      pack_left_of_transpose(gqkv + 3 * i * d, 3 * d, m, 3 * d, lqkv + at, panel);
      pack_right(z + i * d, d, m, d, rz + at, panel);
    }
    norm_back(wqkv ? y : gz + i * d, z + i * d, s + i, gx + i * d, g, m, d);
    pack_left_of_transpose(g, d, m, d, lg + at, panel);
    multiply_rows(g, wdown, gact, m, f, d);
    swiglu_back(both + 2 * i * f, gact, gboth, act, m, f);
    pack_right(act, f, m, f, ract + at, panel);
    pack_left_of_transpose(gboth, 2 * f, m, 2 * f, lboth + at, panel);
    multiply_rows(gboth, wgate_up, y, m, d, 2 * f);
    norm_back(y, z2 + i * d, s2 + i, gx + i * d, g, m, d);
    pack_right(z2 + i * d, d, m, d, rz2 + at, panel);
    pack_left_of_transpose(g, d, m, d, lg2 + at, panel);
    pack_right(rows + i * d, d, m, d, rrows + at, panel);
    multiply_rows(g, wo, grows + i * d, m, d, d);
  }
  if (wqkv) multiply_panels(lqkv, rz, gqkv_out, steps, 3 * d, d);
  multiply_panels(lg, ract, gdown, steps, d, f);
  multiply_panels(lboth, rz2, ggate_up, steps, 2 * f, d);
  multiply_panels(lg2, rrows, go, steps, d, d);
  tiles_end();
}
