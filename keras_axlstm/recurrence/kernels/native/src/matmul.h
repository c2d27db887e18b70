// Products of tiles that lie in the caches: C (+)= A B.
#pragma once

#include <algorithm>

#include "simd.h"

namespace axlstm {

// Element (row, column) of A lies at data[row * row_stride + column * column_stride], so that a
// transposed operand costs nothing: its elements are broadcast one by one.
struct Left {
  const float* data;
  ptrdiff_t row_stride;
  ptrdiff_t column_stride;
};

AXLSTM_INLINE Left rows(const float* data, ptrdiff_t stride) { return {data, stride, 1}; }
AXLSTM_INLINE Left transposed(const float* data, ptrdiff_t stride) { return {data, 1, stride}; }

// Rows of C held in registers `vectors` wide, beside a row of B and an element of A; even, so that
// little of a tile is left over.
constexpr int rows_at_once(int vectors) {
  return std::min((kRegisters - vectors - 1) / vectors / 2 * 2, 12);
}

template <int kRows, int kVectors, bool kAccumulate>
AXLSTM_INLINE void multiply_block(Left a, const float* b, ptrdiff_t b_stride, float* c,
                                  ptrdiff_t c_stride, int depth) {
  Vector sums[kRows][kVectors];
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kVectors; ++j)
      sums[i][j] = kAccumulate ? load(c + i * c_stride + j * kLanes) : Vector{};
  for (int k = 0; k < depth; ++k) {
    Vector row[kVectors];
    for (int j = 0; j < kVectors; ++j) row[j] = load(b + k * b_stride + j * kLanes);
    for (int i = 0; i < kRows; ++i) {
      const Vector x = broadcast(a.data[i * a.row_stride + k * a.column_stride]);
      for (int j = 0; j < kVectors; ++j) sums[i][j] += x * row[j];
    }
  }
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kVectors; ++j) store(c + i * c_stride + j * kLanes, sums[i][j]);
}

template <int kVectors, bool kAccumulate>
static void multiply_columns(Left a, const float* b, ptrdiff_t b_stride, float* c,
                             ptrdiff_t c_stride, int m, int depth) {
  constexpr int kRows = rows_at_once(kVectors);
  const auto move = [&](int count) {
    a.data += count * a.row_stride;
    c += count * c_stride;
    m -= count;
  };
  for (; m >= kRows; move(kRows))
    multiply_block<kRows, kVectors, kAccumulate>(a, b, b_stride, c, c_stride, depth);
  if constexpr (kRows > 4)
    for (; m >= 4; move(4))
      multiply_block<4, kVectors, kAccumulate>(a, b, b_stride, c, c_stride, depth);
  for (; m >= 2; move(2))
    multiply_block<2, kVectors, kAccumulate>(a, b, b_stride, c, c_stride, depth);
  for (; m >= 1; move(1))
    multiply_block<1, kVectors, kAccumulate>(a, b, b_stride, c, c_stride, depth);
}

// C (m, n) = or += A (m, depth) B (depth, n). n must be a multiple of kLanes; rows of B and C are
// contiguous.
template <bool kAccumulate>
static void multiply(Left a, const float* b, ptrdiff_t b_stride, float* c, ptrdiff_t c_stride,
                     int m, int n, int depth) {
  // Strips of 4 vectors, or of 3 where that leaves no remainder and 4 would.
  constexpr int kWidest = kRegisters > 16 ? 4 : 2;
  int vectors = n / kLanes;
  const int strip = vectors % kWidest && vectors % 3 == 0 ? 3 : kWidest;
  while (vectors > 0) {
    const int now = std::min(vectors, strip);
    if (now == 4) multiply_columns<4, kAccumulate>(a, b, b_stride, c, c_stride, m, depth);
    if (now == 3) multiply_columns<3, kAccumulate>(a, b, b_stride, c, c_stride, m, depth);
    if (now == 2) multiply_columns<2, kAccumulate>(a, b, b_stride, c, c_stride, m, depth);
    if (now == 1) multiply_columns<1, kAccumulate>(a, b, b_stride, c, c_stride, m, depth);
    b += now * kLanes;
    c += now * kLanes;
    vectors -= now;
  }
}

#if defined(__AVX512F__)
// 16 rows of 32 bits.
AXLSTM_INLINE void transpose_tile(__m512i rows[16]) {
  __m512i x[16];
  for (int i = 0; i < 16; i += 2) {
    x[i] = _mm512_unpacklo_epi32(rows[i], rows[i + 1]);
    x[i + 1] = _mm512_unpackhi_epi32(rows[i], rows[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    rows[i] = _mm512_unpacklo_epi64(x[i], x[i + 2]);
    rows[i + 1] = _mm512_unpackhi_epi64(x[i], x[i + 2]);
    rows[i + 2] = _mm512_unpacklo_epi64(x[i + 1], x[i + 3]);
    rows[i + 3] = _mm512_unpackhi_epi64(x[i + 1], x[i + 3]);
  }
  for (int i = 0; i < 16; i += 8)
    for (int j = 0; j < 4; ++j) {
      x[i + j] = _mm512_shuffle_i32x4(rows[i + j], rows[i + j + 4], 0x88);
      x[i + j + 4] = _mm512_shuffle_i32x4(rows[i + j], rows[i + j + 4], 0xdd);
    }
  for (int j = 0; j < 8; ++j) {
    rows[j] = _mm512_shuffle_i32x4(x[j], x[j + 8], 0x88);
    rows[j + 8] = _mm512_shuffle_i32x4(x[j], x[j + 8], 0xdd);
  }
}
#endif

typedef float Four __attribute__((vector_size(16)));

// target (columns, rows) = source (rows, columns) transposed.
static void transpose(const float* source, ptrdiff_t source_stride, float* target,
                      ptrdiff_t target_stride, int rows, int columns) {
#if defined(__AVX512F__)
  if (rows % kLanes == 0 && columns % kLanes == 0) {
    for (int i = 0; i < rows; i += kLanes)
      for (int j = 0; j < columns; j += kLanes) {
        __m512i tile[kLanes];
        for (int k = 0; k < kLanes; ++k)
          tile[k] = _mm512_loadu_si512(source + (i + k) * source_stride + j);
        transpose_tile(tile);
        for (int k = 0; k < kLanes; ++k)
          _mm512_storeu_si512(target + (j + k) * target_stride + i, tile[k]);
      }
    return;
  }
#endif
  const int whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (int i = 0; i < whole_rows; i += 4)
    for (int j = 0; j < whole_columns; j += 4) {
      Four x[4];
      for (int k = 0; k < 4; ++k) memcpy(&x[k], source + (i + k) * source_stride + j, sizeof(Four));
      for (int k = 0; k < 4; ++k) {
        const Four column = {x[0][k], x[1][k], x[2][k], x[3][k]};
        memcpy(target + (j + k) * target_stride + i, &column, sizeof(Four));
      }
    }
  for (int i = 0; i < rows; ++i)
    for (int j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
      target[j * target_stride + i] = source[i * source_stride + j];
}

}  // namespace axlstm
