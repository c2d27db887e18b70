// Operands of matrix products for the tile unit of x86 processors (AMX), which multiplies bfloat16
// and adds in float32.
//
// A float32 is the sum of three bfloat16, a = a1 + a2 + a3, each about 2^-8 of the one before. The
// six products a1 b1, a1 b2, a2 b1, a1 b3, a2 b2, a3 b1 leave out what is below 2^-24 of a b, so
// that the result has the rounding errors of a product in float32. An infinity makes the result
// NaN.
#pragma once

#if defined(__AMX_BF16__) && defined(__AVX512BF16__) && defined(__linux__)
#define AXLSTM_TILES

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmath>

#include "matmul.h"

namespace axlstm {

// Linux gives the tile registers to a process that asks for them.
inline bool tiles_permitted() {
  constexpr long kRequest = 0x1023, kTileData = 18;
  static const bool permitted = syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
  return permitted;
}

constexpr int kSide = 16;                  // rows of a tile, and float32 in a row
constexpr int kDepth = 2 * kSide;          // bfloat16 in a row
constexpr int kTileSize = kSide * kDepth;  // bfloat16 in a tile

// All tile registers of this thread as full tiles, for the lifetime of the object.
class TileRegisters {
 public:
  TileRegisters() {
    struct alignas(64) {
      uint8_t palette = 1, start = 0, reserved[14] = {};
      uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
      uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
    } configuration;
    _tile_loadconfig(&configuration);
  }
  ~TileRegisters() { _tile_release(); }
  TileRegisters(const TileRegisters&) = delete;
  TileRegisters& operator=(const TileRegisters&) = delete;
};

// One side of a product: the element (outer, depth) lies at data[outer * stride + depth], or, if
// transposed, at data[depth * stride + outer].
template <typename T>
struct Operand {
  const T* data;
  ptrdiff_t stride;
  bool transposed;

  Operand from(ptrdiff_t outer, ptrdiff_t depth) const {
    return {data + (transposed ? depth * stride + outer : outer * stride + depth), stride,
            transposed};
  }
};

// bfloat16 that make up a number.
template <typename T>
constexpr int kParts = sizeof(T) == sizeof(float) ? 3 : 1;

AXLSTM_INLINE __mmask16 first_lanes(int count) {
  return count >= kSide ? 0xffff : count <= 0 ? 0 : (1u << count) - 1;
}

// Pairs (low[i], high[i]) of the upper halves of float32.
AXLSTM_INLINE __m512i pair_up(__m512i low, __m512i high) {
  return _mm512_mask_blend_epi16(0xaaaaaaaa, _mm512_srli_epi32(low, 16), high);
}

AXLSTM_INLINE __m512i pair_up(__m256i low, __m256i high) {
  return _mm512_or_si512(_mm512_cvtepu16_epi32(low),
                         _mm512_slli_epi32(_mm512_cvtepu16_epi32(high), 16));
}

// The nearest bfloat16 in the upper half, which x loses; below is no number.
AXLSTM_INLINE __m512i take_part(__m512& x) {
  const __m512i part = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
  const __m512i rounded = _mm512_and_si512(part, _mm512_set1_epi32(0xffff0000));
  x = _mm512_sub_ps(x, _mm512_castsi512_ps(rounded));
  return part;
}

// Pairs of each part. What two parts leave has at most eight digits: it is the third. The last part
// keeps a NaN whose digits the rounding of the others may have carried away.
template <int kCount>
AXLSTM_INLINE void split_pairs(__m512 low, __m512 high, __m512i parts[kCount]) {
  for (int part = 0; part < kCount - 1; ++part) {
    const __m512i lower = take_part(low);
    parts[part] = pair_up(lower, take_part(high));
  }
  parts[kCount - 1] = kCount == 3
      ? pair_up(_mm512_castps_si512(low), _mm512_castps_si512(high))
      : pair_up((__m256i)_mm512_cvtneps_pbh(low), (__m256i)_mm512_cvtneps_pbh(high));
}

// Row i of a tile in each part, as it comes from memory: of outer element i, or, if transposed, of
// the depths i and kSide + i, which make a pair. Zeros beyond the `outers` and `depths` that are
// there.
template <int kCount>
AXLSTM_INLINE void read_row(Operand<float> x, int i, int outers, int depths,
                            __m512i parts[kCount]) {
  const float* row = x.data + i * x.stride;
  if (x.transposed) {
    const __mmask16 lanes = first_lanes(outers);
    const __mmask16 below = i + kSide < depths ? lanes : 0;
    split_pairs<kCount>(_mm512_maskz_loadu_ps(i < depths ? lanes : 0, row),
                        _mm512_maskz_loadu_ps(below, row + kSide * x.stride), parts);
  } else {
    const bool there = i < outers;
    const __mmask16 right = there ? first_lanes(depths - kSide) : 0;
    split_pairs<kCount>(_mm512_maskz_loadu_ps(there ? first_lanes(depths) : 0, row),
                        _mm512_maskz_loadu_ps(right, row + kSide), parts);
  }
}

template <int kCount>
AXLSTM_INLINE void read_row(Operand<BFloat16> x, int i, int outers, int depths, __m512i parts[1]) {
  const BFloat16* row = x.data + i * x.stride;
  if (x.transposed) {
    const __mmask16 lanes = first_lanes(outers);
    const __mmask16 below = i + kSide < depths ? lanes : 0;
    parts[0] = pair_up(_mm256_maskz_loadu_epi16(i < depths ? lanes : 0, row),
                       _mm256_maskz_loadu_epi16(below, row + kSide * x.stride));
  } else {
    const bool there = i < outers;
    const __mmask16 right = there ? first_lanes(depths - kSide) : 0;
    parts[0] = pair_up(_mm256_maskz_loadu_epi16(there ? first_lanes(depths) : 0, row),
                       _mm256_maskz_loadu_epi16(right, row + kSide));
  }
}

// Tiles of all parts: rows of outer elements for the left side of a product, rows of pairs of depths
// for the right side.
template <bool kRight, int kCount, typename T>
static void pack_tile(Operand<T> x, int outers, int depths, uint16_t* target) {
  __m512i parts[kCount][kSide];
  for (int i = 0; i < kSide; ++i) {
    __m512i row[kCount];
    read_row<kCount>(x, i, outers, depths, row);
    for (int part = 0; part < kCount; ++part) parts[part][i] = row[part];
  }
  for (auto& rows : parts) {
    if (x.transposed != kRight) transpose_tile(rows);
    for (int i = 0; i < kSide; ++i, target += kDepth) _mm512_store_si512(target, rows[i]);
  }
}

// Tiles in the order outer elements, depth, part, of the first `kCount` parts.
template <bool kRight, int kCount, typename T>
static void pack_parts(Operand<T> x, int outers, int depths, uint16_t* target) {
  for (int i = 0; i < outers; i += kSide)
    for (int k = 0; k < depths; k += kDepth, target += kCount * kTileSize)
      pack_tile<kRight, kCount>(x.from(i, k), outers - i, depths - k, target);
}

template <bool kRight, typename T>
static void pack(Operand<T> x, int outers, int depths, uint16_t* target) {
  pack_parts<kRight, kParts<T>>(x, outers, depths, target);
}

}  // namespace axlstm
#endif
