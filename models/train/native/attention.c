// Causal attention with rotary positions, forward and back, on the tiles of products.c. What is right of the diagonal is never touched.
// Probabilities stay as they are before they are divided by their sum: outputs are divided instead, and on the way back the gradient of the
// outputs, which comes to the same.
#include "bf16.h"

typedef struct {
  i64 t, n, h, d, width;  // length of a sequence, and up to a multiple of 32; heads; width of a head (a multiple of 32) and of a row of qkv
  const float *cosine, *sine;
  float scale;
} Shape;

static Shape shape_of(const float* cosine, const float* sine, i64 t, i64 h, i64 d, float scale) {
  return (Shape){t, (t + 31) / 32 * 32, h, d, 3 * h * d, cosine, sine, scale};
}

// Turned by its position (halves paired, as Llama does) and scaled.
static void turn(const bf* x, i64 j, const Shape* s, float scale, bf* out) {
  i64 half = s->d / 2;
  for (i64 e = 0; e < half; e += 16) {
    f16 p = up16(x + e) * scale, q = up16(x + e + half) * scale, c = load16(s->cosine + j * half + e), n = load16(s->sine + j * half + e);
    down16(p * c - q * n, out + e);
    down16(q * c + p * n, out + e + half);
  }
}

// A gradient of a turned row, turned back.
static void turn_back(const float* g, i64 j, const Shape* s, float scale, bf* out) {
  i64 half = s->d / 2;
  for (i64 e = 0; e < half; e += 16) {
    f16 p = load16(g + e) * scale, q = load16(g + e + half) * scale, c = load16(s->cosine + j * half + e), n = load16(s->sine + j * half + e);
    down16(p * c + q * n, out + e);
    down16(q * c - p * n, out + e + half);
  }
}

// The rows that come soon, in order: those of one head alone lie too far apart for the processor to foresee.
static void expect(bf* rows, i64 count) {
  for (i64 i = 0; i < count; i += 32) __builtin_prefetch(rows + i, 1, 2);
}

static void zero_tail(bf* x, const Shape* s) { memset(x + s->t * s->d, 0, (s->n - s->t) * s->d * sizeof(bf)); }

// Of sixteen vectors the sums, or the largest elements.
static f16 sums(const f16 x[16]) {
  uint32_t t[16][16];
  memcpy(t, x, sizeof t);
  transpose(t);
  f16 out = (f16) * (u16*)t[0];
  for (int i = 1; i < 16; ++i) out += (f16) * (u16*)t[i];
  return out;
}

static f16 largest(const f16 x[16]) {
  uint32_t t[16][16];
  memcpy(t, x, sizeof t);
  transpose(t);
  f16 out = (f16) * (u16*)t[0];
  for (int i = 1; i < 16; ++i) out = select16((f16) * (u16*)t[i] > out, (f16) * (u16*)t[i], out);
  return out;
}

// Sixteen rows of scores, of which row r ends at column `first` + r: e to the power of each less the largest of its row, zero after the end;
// returns one by the sums.
static f16 softmax_rows(float* s, bf* p, i64 n, i64 first) {
  static const i16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  i64 end = (first + 32) / 32 * 32, diagonal = first;
  f16 part[16], least = (f16){} - 1e30f;
  for (int r = 0; r < 16; ++r) {
    float* x = s + r * n;
    f16 most = select16(lanes > r, least, load16(x + diagonal));
    store16(most, x + diagonal);
    for (i64 j = 0; j < diagonal; j += 16) {
      f16 y = load16(x + j);
      most = select16(y > most, y, most);
    }
    part[r] = most;
  }
  f16 top = largest(part);
  for (int r = 0; r < 16; ++r) {
    const float *x = s + r * n, most = top[r];
    bf* to = p + r * n;
    f16 sum = {};
    for (i64 j = 0; j <= diagonal; j += 16) {
      f16 e = exp16(load16(x + j) - most);
      sum += e;
      down16(e, to + j);
    }
    memset(to + diagonal + 16, 0, (end - diagonal - 16) * sizeof(bf));
    part[r] = sum;
  }
  return 1 / sums(part);
}

// out[j, i] = x[i, j], of 32 by 32.
static void turned_block(const float* x, float* out, i64 width) {
  uint32_t t[16][16];
  for (int i = 0; i < 32; i += 16)
    for (int j = 0; j < 32; j += 16) {
      for (int r = 0; r < 16; ++r) memcpy(t[r], x + (i + r) * 32 + j, 64);
      transpose(t);
      for (int r = 0; r < 16; ++r) memcpy(out + (j + r) * width + i, t[r], 64);
    }
}

static void head_forward(const Shape* s, const bf* q, const bf* k, const bf* v, bf* p, float* inverse, bf* out) {
  i64 n = s->n, d = s->d;
  bf *keys = scratch(1, n * d * sizeof(bf)), *values = scratch(2, n * d * sizeof(bf));
  float *scores = scratch(3, 32 * n * sizeof(float)), o[32 * 32] __attribute__((aligned(64)));
  for (i64 j = 0; j < n; j += 32) pack_right_of_transpose(k + j * d, d, d, keys + j * d);
  pack_right(v, d, n, d, values, n * 32);
  for (i64 i = 0; i < n; i += 32) {
    for (i64 j = 0; j <= i; j += 32) product(rows_of(q + i * d, d), keys + j * d, d / 32, 32, scores + j, n);
    for (i64 r = 0; r < 32; r += 16) store16(softmax_rows(scores + r * n, p + (i + r) * n, n, i + r), inverse + i + r);
    i64 rows = s->t - i < 32 ? s->t - i : 32;
    for (i64 e = 0; e < d; e += 32) {
      product(rows_of(p + i * n, n), values + e * n, i / 32 + 1, rows, o, 32);
      for (i64 r = 0; r < rows; ++r)
        for (i64 c = 0; c < 32; c += 16) down16(load16(o + 32 * r + c) * inverse[i + r], out + (i + r) * s->h * d + e + c);
    }
  }
}

// qkv [b*t, 3*h*d] to out [b*t, h*d]; keeps the turned q and k [b, h, 2, n, d], the probabilities [b, h, n, n] and one by their sums [b, h, n].
void attention(const bf* qkv, bf* turned, bf* probabilities, float* inverse, bf* out, const float* cosine, const float* sine, i64 b, i64 t, i64 h,
               i64 d, float scale) {
  Shape s = shape_of(cosine, sine, t, h, d, scale);
  i64 n = s.n;
  bf* v = scratch(0, h * n * d * sizeof(bf));
  tiles_begin();
  for (i64 i = 0; i < b; ++i, qkv += t * s.width, out += t * h * d) {
    for (i64 j = 0; j < t; ++j) {
      expect(out + j * h * d, h * d);
      for (i64 a = 0; a < h; ++a) {
        const bf* x = qkv + j * s.width + a * d;
        bf* q = turned + ((i * h + a) * 2 * n + j) * d;
        turn(x, j, &s, scale, q);
        turn(x + h * d, j, &s, 1, q + n * d);
        memcpy(v + (a * n + j) * d, x + 2 * h * d, d * sizeof(bf));
      }
    }
    for (i64 a = 0; a < h; ++a) {
      i64 head = i * h + a;
      bf *q = turned + head * 2 * n * d, *k = q + n * d;
      zero_tail(q, &s);
      zero_tail(k, &s);
      zero_tail(v + a * n * d, &s);
      head_forward(&s, q, k, v + a * n * d, probabilities + head * n * n, inverse + head * n, out + a * d);
    }
  }
  tiles_end();
}

// Gradients of the scores of 32 queries and 32 keys, by rows and as right blocks; the probabilities as right blocks.
static void scores_back(const float* gp, const bf* p, i64 n, const float* dot, bf* gs, bf* gs_right, bf* p_right) {
  for (i64 r = 0; r < 32; r += 2) {
    const bf *p0 = p + r * n, *p1 = p0 + n;
    bf *g0 = gs + r * n, *g1 = g0 + n;
    uint32_t *gr = (uint32_t*)gs_right + r / 2 * 16, *pr = (uint32_t*)p_right + r / 2 * 16;
    for (i64 half = 0; half < 2; ++half) {
      i64 at = 16 * half, to = half * TILE / 2;
      u16 a = wide(p0 + at), b = wide(p1 + at);
      down16((f16)(a << 16) * (load16(gp + 32 * r + at) - dot[r]), g0 + at);
      down16((f16)(b << 16) * (load16(gp + 32 * (r + 1) + at) - dot[r + 1]), g1 + at);
      *(u16*)(gr + to) = wide(g0 + at) | wide(g1 + at) << 16;
      *(u16*)(pr + to) = a | b << 16;
    }
  }
}

static void head_back(const Shape* s, const bf* q, const bf* k, const bf* v, const bf* p, const bf* go, const float* dot, bf* gx) {
  i64 n = s->n, d = s->d, blocks = n / 32;
  bf *values = scratch(1, n * d * sizeof(bf)), *keys = scratch(2, n * d * sizeof(bf));
  bf *q_left = scratch(5, n * d * sizeof(bf)), *go_left = scratch(6, n * d * sizeof(bf));
  bf *gs = scratch(7, 32 * n * sizeof(bf)), *gs_right = scratch(8, n * n * sizeof(bf)), *p_right = scratch(9, n * n * sizeof(bf));
  float* g = scratch(11, 32 * d * sizeof(float));
  float block[32 * 32] __attribute__((aligned(64))), value[32 * 32];
  for (i64 j = 0; j < n; j += 32) pack_right_of_transpose(v + j * d, d, d, values + j * d);
  pack_right(k, d, n, d, keys, n * 32);
  pack_left_of_transpose(q, d, n, d, q_left, n * 32);
  pack_left_of_transpose(go, d, n, d, go_left, n * 32);
  for (i64 i = 0; i < n; i += 32) {
    i64 rows = s->t - i < 32 ? s->t - i : 32;
    for (i64 j = 0; j <= i; j += 32) {
      product(rows_of(go + i * d, d), values + j * d, d / 32, 32, block, 32);
      i64 at = (j / 32 * blocks + i / 32) * BLOCK;
      scores_back(block, p + i * n + j, n, dot + i, gs + j, gs_right + at, p_right + at);
    }
    for (i64 e = 0; e < d; e += 32) product(rows_of(gs, n), keys + e * n, i / 32 + 1, 32, g + e, d);
    for (i64 r = 0; r < rows; ++r) turn_back(g + r * d, i + r, s, s->scale, gx + (i + r) * s->width);
  }
  for (i64 j = 0; j < n; j += 32) {
    i64 at = (j / 32 * blocks + j / 32) * BLOCK, steps = blocks - j / 32, rows = s->t - j < 32 ? s->t - j : 32;
    for (i64 e = 0; e < d; e += 32) {
      product(packed(q_left + e * n + j / 32 * BLOCK), gs_right + at, steps, 32, block, 32);
      turned_block(block, g + e, d);
      product(packed(go_left + e * n + j / 32 * BLOCK), p_right + at, steps, 32, block, 32);
      turned_block(block, value, 32);
      for (i64 r = 0; r < rows; ++r)
        for (i64 c = 0; c < 32; c += 16) down16(load16(value + 32 * r + c), gx + 2 * s->h * d + (j + r) * s->width + e + c);
    }
    for (i64 r = 0; r < rows; ++r) turn_back(g + r * d, j + r, s, 1, gx + s->h * d + (j + r) * s->width);
  }
}

// The way back: from the gradient of `out` that of qkv.
void attention_back(const bf* qkv, const bf* turned, const bf* probabilities, const float* inverse, const bf* out, const bf* gout, bf* gqkv,
                    const float* cosine, const float* sine, i64 b, i64 t, i64 h, i64 d, float scale) {
  Shape s = shape_of(cosine, sine, t, h, d, scale);
  i64 n = s.n;
  bf *v = scratch(0, h * n * d * sizeof(bf)), *go = scratch(4, h * n * d * sizeof(bf));
  float* dot = scratch(10, h * n * sizeof(float));
  memset(dot, 0, h * n * sizeof(float));
  tiles_begin();
  for (i64 i = 0; i < b; ++i, qkv += t * s.width, gqkv += t * s.width, out += t * h * d, gout += t * h * d) {
    for (i64 j = 0; j < t; j += 16) {
      expect(gqkv + j * s.width, 16 * s.width);
      for (i64 a = 0; a < h; ++a) {
        f16 part[16];
        for (i64 r = 0; r < 16; ++r) {
          bf* to = go + (a * n + j + r) * d;
          i64 at = (j + r) * h * d + a * d;
          part[r] = (f16){};
          for (i64 e = 0; e < d; e += 16) {
            f16 g = up16(gout + at + e) * inverse[(i * h + a) * n + j + r];
            down16(g, to + e);
            part[r] += g * up16(out + at + e);
          }
          memcpy(v + (a * n + j + r) * d, qkv + (j + r) * s.width + 2 * h * d + a * d, d * sizeof(bf));
        }
        store16(sums(part), dot + a * n + j);
      }
    }
    for (i64 a = 0; a < h; ++a) {
      i64 head = i * h + a;
      const bf *q = turned + head * 2 * n * d, *k = q + n * d;
      zero_tail(v + a * n * d, &s);
      zero_tail(go + a * n * d, &s);
      head_back(&s, q, k, v + a * n * d, probabilities + head * n * n, go + a * n * d, dot + a * n, gqkv + a * d);
    }
  }
  tiles_end();
}
