// Vectors of float32 in the width of the machine, by the vector extension of GCC and Clang.
#pragma once

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace axlstm {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
constexpr int kRegisters = 32;
#elif defined(__AVX__)
constexpr int kLanes = 8;
constexpr int kRegisters = 16;
#else
constexpr int kLanes = 4;
constexpr int kRegisters = 32;
#endif

typedef float Vector __attribute__((vector_size(4 * kLanes)));
typedef int32_t Integers __attribute__((vector_size(4 * kLanes)));

#define AXLSTM_INLINE static inline __attribute__((always_inline))

AXLSTM_INLINE Vector load(const float* source) {
  Vector x;
  memcpy(&x, source, sizeof x);
  return x;
}

AXLSTM_INLINE void store(float* target, Vector x) { memcpy(target, &x, sizeof x); }

// Less zero, not plus: that leaves -0 as it is, so that no addition is left to compile.
AXLSTM_INLINE Vector broadcast(float x) { return x - Vector{}; }

AXLSTM_INLINE float sum(Vector x) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps((__m512)x);
#else
  float total = 0;
  for (int lane = 0; lane < kLanes; ++lane) total += x[lane];
  return total;
#endif
}

// Of numbers, not NaN.
AXLSTM_INLINE float highest(Vector x) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps((__m512)x);
#else
  float most = x[0];
  for (int lane = 1; lane < kLanes; ++lane) most = x[lane] > most ? x[lane] : most;
  return most;
#endif
}

AXLSTM_INLINE Vector select(Integers condition, Vector yes, Vector no) {
  return condition ? yes : no;
}

AXLSTM_INLINE Vector maximum(Vector x, Vector y) { return x > y ? x : y; }
AXLSTM_INLINE Vector minimum(Vector x, Vector y) { return x < y ? x : y; }

// e^x to about one unit in the last place; exactly 0 below the normal numbers.
AXLSTM_INLINE Vector exp(Vector x) {
  const Vector lowest = broadcast(-87.33654f), highest = broadcast(88.37626f);
  const Vector y = minimum(maximum(x, lowest), highest);
  // x = n ln 2 + r: adding 1.5 * 2^23 leaves the nearest integer n in the low bits.
  const Vector shift = broadcast(12582912.0f);
  const Vector shifted = y * 1.44269504f + shift;
  const Vector n = shifted - shift;
  const Vector r = y - n * 0.693359375f - n * -2.12194440e-4f;
  Vector p = broadcast(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const Integers exponent = ((Integers)shifted - (Integers)shift) << 23;
  return select(x < lowest, Vector{}, (Vector)((Integers)p + exponent));
}

// 1 / x to about one unit in the last place, for finite x of at least 1.
AXLSTM_INLINE Vector reciprocal(Vector x) {
#if defined(__AVX512F__)
  // A division of 16 numbers takes as long as the rest of a sigmoid.
  const Vector y = (Vector)_mm512_rcp14_ps((__m512)x);
  return y * (2.0f - x * y);
#else
  return 1.0f / x;
#endif
}

AXLSTM_INLINE Vector sigmoid(Vector x) { return reciprocal(1.0f + exp(-x)); }

// bfloat16: the upper half of a float32.
struct BFloat16 {
  uint16_t bits;
};

AXLSTM_INLINE float to_float(BFloat16 x) {
  const uint32_t bits = uint32_t(x.bits) << 16;
  float y;
  memcpy(&y, &bits, sizeof y);
  return y;
}

// Rounds to nearest, ties to even; the quiet bit keeps a NaN a NaN.
AXLSTM_INLINE BFloat16 to_bfloat16(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  return {uint16_t(x == x ? rounded : (bits >> 16) | 0x40)};
}

// Rows between memory and float32.
inline void copy_row(const float* source, float* target, int count) {
  memcpy(target, source, count * sizeof(float));
}

inline void copy_row(const BFloat16* source, float* target, int count) {
  for (int i = 0; i < count; ++i) target[i] = to_float(source[i]);
}

inline void copy_row(const float* source, BFloat16* target, int count) {
  for (int i = 0; i < count; ++i) target[i] = to_bfloat16(source[i]);
}

}  // namespace axlstm
