// Products of bfloat16 matrices with sums in float, on one set of layouts: on the matrix units of x86 (AMX) where there are any, else with
// dot products of pairs (AVX512-BF16), else by plain loops. All widths are multiples of 32, numbers of rows multiples of 16.
#include <stdlib.h>

#include "bf16.h"

void* scratch(int which, i64 bytes) {
  static _Thread_local struct {
    void* at;
    i64 size;
  } pieces[16];
  if (pieces[which].size < bytes) {
    free(pieces[which].at);
    pieces[which].size = (bytes + 4095) / 4096 * 4096;
    pieces[which].at = aligned_alloc(4096, pieces[which].size);
    if (!pieces[which].at) abort();
  }
  return pieces[which].at;
}

#ifdef __AMX_BF16__
#include <sys/syscall.h>
#include <unistd.h>

void tiles_begin(void) {
  enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
  static _Thread_local int asked;
  if (!asked && syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA)) abort();
  asked = 1;
  static const struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } __attribute__((aligned(64))) all = {1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
  _tile_loadconfig(&all);
}

void tiles_end(void) { _tile_release(); }

void product(Left a, const bf* b, i64 steps, i64 rows, float* c, i64 width) {
  i64 row = a.row * sizeof(bf);
  _tile_zero(0);
  _tile_zero(1);
  if (rows == 16) {
    for (i64 s = 0; s < steps; ++s) {
      _tile_loadd(4, a.at + s * a.step, row);
      _tile_loadd(6, b + s * BLOCK, 64);
      _tile_loadd(7, b + s * BLOCK + TILE, 64);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
    }
    _tile_stored(0, c, width * sizeof(float));
    _tile_stored(1, c + 16, width * sizeof(float));
    return;
  }
  _tile_zero(2);
  _tile_zero(3);
  for (i64 s = 0; s < steps; ++s) {
    _tile_loadd(4, a.at + s * a.step, row);
    _tile_loadd(6, b + s * BLOCK, 64);
    _tile_loadd(5, a.at + s * a.step + a.half, row);
    _tile_loadd(7, b + s * BLOCK + TILE, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, width * sizeof(float));
  _tile_stored(1, c + 16, width * sizeof(float));
  _tile_stored(2, c + 16 * width, width * sizeof(float));
  _tile_stored(3, c + 16 * width + 16, width * sizeof(float));
}
#else
void tiles_begin(void) {}
void tiles_end(void) {}

#ifdef __AVX512BF16__
// Eight rows by 32 columns at a time: sixteen sums, so that each has waited for its last product before its next.
void product(Left a, const bf* b, i64 steps, i64 rows, float* c, i64 width) {
  enum { TOGETHER = 8 };
  for (i64 i = 0; i < rows; i += TOGETHER) {
    const bf* left = a.at + (i < 16 ? i * a.row : a.half + (i - 16) * a.row);
    __m512 sum[TOGETHER][2] = {};
    for (i64 s = 0; s < steps; ++s)
      for (i64 k = 0; k < 16; ++k) {
        const bf* right = b + s * BLOCK + 32 * k;
        __m512bh low = (__m512bh)_mm512_loadu_si512(right), high = (__m512bh)_mm512_loadu_si512(right + TILE);
        for (int r = 0; r < TOGETHER; ++r) {
          int pair;
          memcpy(&pair, left + s * a.step + r * a.row + 2 * k, sizeof pair);
          __m512bh x = (__m512bh)_mm512_set1_epi32(pair);
          sum[r][0] = _mm512_dpbf16_ps(sum[r][0], x, low);
          sum[r][1] = _mm512_dpbf16_ps(sum[r][1], x, high);
        }
      }
    for (int r = 0; r < TOGETHER; ++r) {
      _mm512_storeu_ps(c + (i + r) * width, sum[r][0]);
      _mm512_storeu_ps(c + (i + r) * width + 16, sum[r][1]);
    }
  }
}
#else
void product(Left a, const bf* b, i64 steps, i64 rows, float* c, i64 width) {
  enum { TOGETHER = 4 };
  float sum[32][32] = {}, right[32][32];
  for (i64 s = 0; s < steps; ++s, b += BLOCK) {
    for (int k = 0; k < 32; ++k)
      for (int j = 0; j < 32; ++j) right[k][j] = up(b[j / 16 * TILE + k / 2 * 32 + 2 * (j % 16) + k % 2]);
    for (i64 i = 0; i < rows; i += TOGETHER) {
      const bf* left = a.at + s * a.step + (i < 16 ? i * a.row : a.half + (i - 16) * a.row);
      for (int k = 0; k < 32; ++k)
        for (int r = 0; r < TOGETHER; ++r) {
          float x = up(left[r * a.row + k]);
          for (int j = 0; j < 32; ++j) sum[i + r][j] += x * right[k][j];
        }
    }
  }
  for (i64 i = 0; i < rows; ++i) memcpy(c + i * width, sum[i], sizeof sum[i]);
}
#endif
#endif

#ifdef __AVX512F__
void transpose(uint32_t x[16][16]) {
  __m512i a[16], b[16];
  for (int i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(x[i]);
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    b[i] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0x88);
    b[i + 4] = _mm512_shuffle_i32x4(a[i], a[i + 4], 0xdd);
    b[i + 8] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0x88);
    b[i + 12] = _mm512_shuffle_i32x4(a[i + 8], a[i + 12], 0xdd);
  }
  for (int i = 0; i < 8; ++i) {
    _mm512_storeu_si512(x[i], _mm512_shuffle_i32x4(b[i], b[i + 8], 0x88));
    _mm512_storeu_si512(x[i + 8], _mm512_shuffle_i32x4(b[i], b[i + 8], 0xdd));
  }
}
#else
void transpose(uint32_t x[16][16]) {
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < i; ++j) {
      uint32_t t = x[i][j];
      x[i][j] = x[j][i];
      x[j][i] = t;
    }
}
#endif

static inline void interleave(const bf* a, const bf* b, uint32_t* out) {
  *(u16*)out = wide(a) | wide(b) << 16;
}

// Row by row over all columns: rows lie far apart, columns side by side.
void pack_right(const bf* x, i64 width, i64 k, i64 n, bf* out, i64 panel) {
  static const bf zeros[32];
  for (i64 s = 0; s < k; s += 32, out += BLOCK)
    for (i64 i = 0; i < 16; ++i)
      for (i64 j = 0; j < n; j += 32) {
        const bf *r = s + 2 * i < k ? x + (s + 2 * i) * width + j : zeros, *q = s + 2 * i < k ? r + width : zeros;
        bf* to = out + j / 32 * panel + 32 * i;
        interleave(r, q, (uint32_t*)to);
        interleave(r + 16, q + 16, (uint32_t*)(to + TILE));
      }
}

void pack_right_of_transpose(const bf* x, i64 width, i64 k, bf* out) {
  for (i64 s = 0; s < k; s += 32, out += BLOCK)
    for (i64 half = 0; half < 2; ++half) {
      uint32_t(*t)[16] = (uint32_t(*)[16])(out + half * TILE);
      for (i64 i = 0; i < 16; ++i) memcpy(t[i], x + (16 * half + i) * width + s, 64);
      transpose(t);
    }
}

void pack_left_of_transpose(const bf* x, i64 width, i64 k, i64 n, bf* out, i64 panel) {
  for (i64 s = 0; s < k; s += 32, out += BLOCK) {
    i64 rows = k - s < 32 ? k - s : 32;
    pack_right(x + s * width, width, rows, n, out, panel);
    for (i64 j = 0; j < n / 32; ++j) {
      transpose((uint32_t(*)[16])(out + j * panel));
      transpose((uint32_t(*)[16])(out + j * panel + TILE));
    }
  }
}

// All of w[n, k] for products with its transpose (`forward`), and with itself (`back`).
void pack_weights(const bf* w, i64 n, i64 k, bf* forward, bf* back) {
  for (i64 i = 0; i < n; i += 32) pack_right_of_transpose(w + i * k, k, k, forward + i * k);
  pack_right(w, k, n, k, back, n * 32);
}

void multiply_rows(const bf* restrict a, const bf* restrict b, bf* restrict out, i64 m, i64 n, i64 k) {
  i64 chunk = (1 << 18) / k / 32 * 32;  // rows whose left side stays in the second cache
  if (chunk < 128) chunk = 128;
  float c[32 * 32] __attribute__((aligned(64)));
  for (i64 from = 0; from < m; from += chunk)
    for (i64 j = 0; j < n; j += 32)
      for (i64 i = from; i < m && i < from + chunk; i += 32) {
        i64 rows = m - i < 32 ? 16 : 32;
        product(rows_of(a + i * k, k), b + j * k, k / 32, rows, c, 32);
        for (i64 r = 0; r < rows; ++r)
          for (i64 x = 0; x < 32; x += 16) down16(load16(c + 32 * r + x), out + (i + r) * n + j + x);
      }
}

void multiply_panels(const bf* left, const bf* right, float* out, i64 steps, i64 n, i64 k) {
  for (i64 i = 0; i < n; i += 32)
    for (i64 j = 0; j < k; j += 32) product(packed(left + i * steps * 32), right + j * steps * 32, steps, 32, out + i * k + j, k);
}

void multiply(const bf* a, const bf* b, bf* out, i64 m, i64 n, i64 k) {
  tiles_begin();
  multiply_rows(a, b, out, m, n, k);
  tiles_end();
}

// out[n, k] = the transpose of g[m, n] by x[m, k]: the gradient of a matrix.
void gradient(const bf* g, const bf* x, float* out, i64 m, i64 n, i64 k) {
  enum { GROUP = 128 };  // columns of g at a time
  tiles_begin();
  i64 steps = (m + 31) / 32, panel = steps * BLOCK;
  bf *right = scratch(0, k / 32 * panel * sizeof(bf)), *left = scratch(1, GROUP / 32 * panel * sizeof(bf));
  pack_right(x, k, m, k, right, panel);
  for (i64 from = 0; from < n; from += GROUP) {
    i64 group = n - from < GROUP ? n - from : GROUP;
    pack_left_of_transpose(g + from, n, m, group, left, panel);
    multiply_panels(left, right, out + from * k, steps, group, k);
  }
  tiles_end();
}
