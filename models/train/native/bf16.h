// bfloat16 as its bits, and the tiles that matrix products are made of.
#pragma once
#include <math.h>
#include <stdint.h>
#include <string.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

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

// Sixteen of them at a time.
typedef float f16 __attribute__((vector_size(64), aligned(4)));
typedef int32_t i16 __attribute__((vector_size(64), aligned(4)));
typedef uint32_t u16 __attribute__((vector_size(64), aligned(4)));
typedef bf b16 __attribute__((vector_size(32), aligned(2)));

static inline u16 wide(const bf* x) { return __builtin_convertvector(*(const b16*)x, u16); }
static inline f16 up16(const bf* x) { return (f16)(wide(x) << 16); }
static inline f16 load16(const float* x) { return *(const f16*)x; }
static inline void store16(f16 x, float* out) { *(f16*)out = x; }

static inline f16 select16(i16 which, f16 a, f16 b) { return (f16)(((u16)a & (u16)which) | ((u16)b & ~(u16)which)); }

// e to the power of x between -87 and 88, to about the last bit of a float: reduced by Cody and Waite, a polynomial of degree 7.
static inline f16 exp16(f16 x) {
  f16 least = (f16){} - 87.0f, most = (f16){} + 88.0f;
  x = select16(x < least, least, x);
  x = select16(x > most, most, x);
  i16 n = __builtin_convertvector(x * 1.44269504f + 128.5f, i16) - 128;  // to the nearest: positive before it is cut
  f16 m = __builtin_convertvector(n, f16), r = x - m * 0.693359375f + m * 2.12194440e-4f;
  f16 p = ((((r * 1.9875691500e-4f + 1.3981999507e-3f) * r + 8.3334519073e-3f) * r + 4.1665795894e-2f) * r + 1.6666665459e-1f) * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return (f16)((i16)p + (n << 23));
}

#ifdef __AVX512BF16__
static inline void down16(f16 x, bf* out) { *(b16*)out = (b16)_mm512_cvtneps_pbh((__m512)x); }
#else
static inline void down16(f16 x, bf* out) {
  u16 u = (u16)x;
  *(b16*)out = __builtin_convertvector((u + 0x7fff + ((u >> 16) & 1)) >> 16, b16);
}
#endif

// Operands of products lie in blocks of 32 by 32, two tiles of 16 by 32 one after another: the left one by rows, the right one
// with two rows interleaved (its tile is 16 columns wide), as the matrix units of x86 want them.
enum { TILE = 512, BLOCK = 2 * TILE };

// Where the left operand of a product lies, in elements: rows `row` apart, the next 32 columns `step` on, the lower 16 rows `half` on.
typedef struct {
  const bf* at;
  i64 row, step, half;
} Left;

static inline Left rows_of(const bf* at, i64 width) { return (Left){at, width, 32, 16 * width}; }
static inline Left packed(const bf* at) { return (Left){at, 32, BLOCK, TILE}; }

// Out of products.c.
void tiles_begin(void);
void tiles_end(void);
// c[rows, 32] (rows 16 or 32, `width` apart) = the sum of `steps` products of the left blocks and the right ones from `b` on.
void product(Left a, const bf* b, i64 steps, i64 rows, float* c, i64 width);
// A panel is the blocks of 32 columns, one after another; panels are `panel` elements apart.
// Right panels of x[k, n] (rows `width` apart), with zero rows up to a multiple of 32; and a right panel of the transpose of x[32, k].
void pack_right(const bf* x, i64 width, i64 k, i64 n, bf* out, i64 panel);
void pack_right_of_transpose(const bf* x, i64 width, i64 k, bf* out);
// Left panels of the transpose of x[k, n].
void pack_left_of_transpose(const bf* x, i64 width, i64 k, i64 n, bf* out, i64 panel);
void transpose(uint32_t x[16][16]);
// out[m, n] = a[m, k] by a packed right side; between tiles_begin and tiles_end.
void multiply_rows(const bf* a, const bf* b, bf* out, i64 m, i64 n, i64 k);
// out[n, k] from left panels of n and right ones of k columns of `steps` blocks each.
void multiply_panels(const bf* left, const bf* right, float* out, i64 steps, i64 n, i64 k);
// Memory of the calling thread that stays; one piece per `which`.
void* scratch(int which, i64 bytes);
