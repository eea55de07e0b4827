// Everything in a training step that is not a matrix product. Compiled at start by kernels.py with the C compiler at
// hand; the loops are simple enough that it vectorises them. Activations are bfloat16 (their bits in uint16_t),
// the residual stream and all gradients of parameters are float.
#include <math.h>
#include <stdint.h>
#include <string.h>

typedef uint16_t bf;
typedef int64_t i64;

static inline float up(bf x) {
  uint32_t u = (uint32_t)x << 16;
  float f;
  memcpy(&f, &u, 4);
  return f;
}

static inline bf down(float f) {  // to nearest, ties to even
  uint32_t u;
  memcpy(&u, &f, 4);
  return (bf)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}

void embed(const float* table, const int32_t* ids, float* x, i64 n, i64 d) {
  for (i64 i = 0; i < n; ++i) memcpy(x + i * d, table + ids[i] * d, d * sizeof(float));
}

void embed_back(const float* gx, const int32_t* ids, float* gtable, i64 n, i64 d) {
  for (i64 i = 0; i < n; ++i)
    for (i64 j = 0; j < d; ++j) gtable[ids[i] * d + j] += gx[i * d + j];
}

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

void swiglu(const bf* restrict both, bf* restrict out, i64 n, i64 f) {
  for (i64 i = 0; i < n; ++i) {
    const bf *g = both + 2 * i * f, *u = g + f;
    for (i64 j = 0; j < f; ++j) {
      float x = up(g[j]);
      out[i * f + j] = down(x / (1 + expf(-x)) * up(u[j]));
    }
  }
}

void swiglu_back(const bf* restrict both, const bf* restrict grad, bf* restrict out, i64 n, i64 f) {
  for (i64 i = 0; i < n; ++i) {
    const bf *g = both + 2 * i * f, *u = g + f, *d = grad + i * f;
    bf *og = out + 2 * i * f, *ou = og + f;
    for (i64 j = 0; j < f; ++j) {
      float x = up(g[j]), s = 1 / (1 + expf(-x)), dj = up(d[j]);
      og[j] = down(dj * up(u[j]) * (s + x * s * (1 - s)));
      ou[j] = down(dj * x * s);
    }
  }
}

// qkv [b*t, 3*h*d] to q, k, v [b, h, t, d] with rotary positions (halves paired, as Llama does) on q and k.
void split_heads(const bf* restrict qkv, bf* restrict out, const float* cosine, const float* sine, i64 b, i64 t, i64 h,
                 i64 d, float q_scale) {
  i64 half = d / 2, part = b * h * t * d;
  for (i64 i = 0; i < b; ++i)
    for (i64 j = 0; j < t; ++j)
      for (i64 w = 0; w < 3; ++w)
        for (i64 k = 0; k < h; ++k) {
          const bf* x = qkv + ((i * t + j) * 3 + w) * h * d + k * d;
          bf* y = out + w * part + ((i * h + k) * t + j) * d;
          if (w == 2) {
            memcpy(y, x, d * sizeof(bf));
            continue;
          }
          const float *c = cosine + j * half, *s = sine + j * half, z = w ? 1 : q_scale;
          for (i64 e = 0; e < half; ++e) {
            float p = up(x[e]) * z, q = up(x[e + half]) * z;
            y[e] = down(p * c[e] - q * s[e]);
            y[e + half] = down(q * c[e] + p * s[e]);
          }
        }
}

void split_heads_back(const bf* restrict grad, bf* restrict gqkv, const float* cosine, const float* sine, i64 b, i64 t,
                      i64 h, i64 d, float q_scale) {
  i64 half = d / 2, part = b * h * t * d;
  for (i64 i = 0; i < b; ++i)
    for (i64 j = 0; j < t; ++j)
      for (i64 w = 0; w < 3; ++w)
        for (i64 k = 0; k < h; ++k) {
          bf* x = gqkv + ((i * t + j) * 3 + w) * h * d + k * d;
          const bf* y = grad + w * part + ((i * h + k) * t + j) * d;
          if (w == 2) {
            memcpy(x, y, d * sizeof(bf));
            continue;
          }
          const float *c = cosine + j * half, *s = sine + j * half, z = w ? 1 : q_scale;
          for (i64 e = 0; e < half; ++e) {
            float p = up(y[e]) * z, q = up(y[e + half]) * z;
            x[e] = down(p * c[e] + q * s[e]);
            x[e + half] = down(q * c[e] - p * s[e]);
          }
        }
}

// [b, h, t, d] to [b*t, h*d], or back.
void merge_heads(bf* restrict heads, bf* restrict rows, i64 b, i64 t, i64 h, i64 d, int back) {
  for (i64 i = 0; i < b; ++i)
    for (i64 k = 0; k < h; ++k)
      for (i64 j = 0; j < t; ++j) {
        bf *x = heads + ((i * h + k) * t + j) * d, *y = rows + ((i * t + j) * h + k) * d;
        if (back)
          memcpy(x, y, d * sizeof(bf));
        else
          memcpy(y, x, d * sizeof(bf));
      }
}

// Causal softmax in place over n matrices of t times t.
void softmax(bf* restrict s, i64 n, i64 t) {
  float e[4096];
  for (i64 i = 0; i < n * t; ++i) {
    bf* r = s + i * t;
    i64 m = i % t + 1;
    float top = -1e30f, sum = 0;
    for (i64 j = 0; j < m; ++j) top = fmaxf(top, up(r[j]));
    for (i64 j = 0; j < m; ++j) {
      e[j] = expf(up(r[j]) - top);
      sum += e[j];
    }
    float inv = 1 / sum;
    for (i64 j = 0; j < m; ++j) r[j] = down(e[j] * inv);
    memset(r + m, 0, (t - m) * sizeof(bf));
  }
}

void softmax_back(const bf* restrict p, bf* restrict g, i64 n, i64 t) {
  for (i64 i = 0; i < n * t; ++i) {
    const bf* q = p + i * t;
    bf* r = g + i * t;
    i64 m = i % t + 1;
    float dot = 0;
    for (i64 j = 0; j < m; ++j) dot += up(q[j]) * up(r[j]);
    for (i64 j = 0; j < m; ++j) r[j] = down(up(q[j]) * (up(r[j]) - dot));
    memset(r + m, 0, (t - m) * sizeof(bf));
  }
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

void accumulate(float* restrict x, const bf* restrict y, i64 n) {
  for (i64 i = 0; i < n; ++i) x[i] += up(y[i]);
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

// out = the sum of some rows of a matrix, added in the order given.
void sum_rows(const float *rows, const int32_t *which, float *out, int64_t count, int64_t width) {
  enum { BLOCK = 2048 };
  for (int64_t at = 0; at < width; at += BLOCK) {
    int64_t n = width - at < BLOCK ? width - at : BLOCK;
    memcpy(out + at, rows + which[0] * width + at, n * sizeof(float));
    for (int64_t r = 1; r < count; ++r) {
      const float *row = rows + which[r] * width + at;
      for (int64_t i = 0; i < n; ++i) out[at + i] += row[i];
    }
  }
}
