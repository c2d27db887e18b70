// Matrix products of any size on the tile unit, for the projections of a block.
#pragma once

#include "tiles.h"

#ifdef AXLSTM_TILES

#include "head.h"
#include "pages.h"
#include "threads.h"

namespace axlstm {

constexpr int kSquare = 2 * kSide;  // rows and columns of C that the registers hold

// Largest blocks: the packed right side, (kDeepest, kWidest) in three parts, stays in the cache.
constexpr int kWidest = 256, kDeepest = 768, kTallest = 2048;

// Adds the products of all depths to the registers 0 to 3, a square of C. `next` is the distance to
// the second row of tiles of a, or column of b.
template <int kPartCount>
AXLSTM_INLINE void multiply_tiles(const uint16_t* a, const uint16_t* b, ptrdiff_t next,
                                  int depth_tiles) {
  const auto add = [] {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  };
  for (int k = 0; k < depth_tiles; ++k) {
    const auto left = [&](int part) {
      _tile_loadd(4, a + part * kTileSize, 64);
      _tile_loadd(5, a + part * kTileSize + next, 64);
    };
    const auto right = [&](int part) {
      _tile_loadd(6, b + part * kTileSize, 64);
      _tile_loadd(7, b + part * kTileSize + next, 64);
    };
    left(0);
    // In an order in which each step loads one side only.
    if constexpr (kPartCount == 2) {
      right(1), add();
      right(0), add();
      left(1), add();
    } else if constexpr (kPartCount == 3) {
      right(2), add();
      right(1), add();
      left(1), add();
      right(0), add();
      left(2), add();
      left(0), add();
    } else {
      right(0), add();
    }
    a += kPartCount * kTileSize;
    b += kPartCount * kTileSize;
  }
}

// A square of C, or the `rows` and `columns` of it that are there.
template <int kPartCount, typename T>
static void multiply_square(const uint16_t* a, const uint16_t* b, ptrdiff_t next, int depth_tiles,
                            bool accumulate, T* c, ptrdiff_t stride, int rows, int columns) {
  alignas(64) float square[kSquare * kSquare];
  float* target = square;
  ptrdiff_t target_stride = kSquare;
  if constexpr (sizeof(T) == sizeof(float))
    if (rows == kSquare && columns == kSquare) target = c, target_stride = stride;
  const size_t bytes = target_stride * sizeof(float);
  float* below = target + kSide * target_stride;
  if (accumulate) {
    if (target == square)
      for (int i = 0; i < rows; ++i) copy_row(c + i * stride, square + i * kSquare, columns);
    _tile_loadd(0, target, bytes);
    _tile_loadd(1, target + kSide, bytes);
    _tile_loadd(2, below, bytes);
    _tile_loadd(3, below + kSide, bytes);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  multiply_tiles<kPartCount>(a, b, next, depth_tiles);
  _tile_stored(0, target, bytes);
  _tile_stored(1, target + kSide, bytes);
  _tile_stored(2, below, bytes);
  _tile_stored(3, below + kSide, bytes);
  if (target == square)
    for (int i = 0; i < rows; ++i) copy_row(square + i * kSquare, c + i * stride, columns);
}

// C (m, n) = A B on one thread, in T or, for sums over several blocks of depth, in float32.
template <typename T, typename C>
static void multiply_block(Operand<T> a, Operand<T> b, C* c, ptrdiff_t stride, int m, int n,
                           int depth, Scratch& scratch) {
  constexpr int kPartCount = kParts<T>, kLimit = kDeepest * 3 / kPartCount;
  const int blocks = (depth + kLimit - 1) / kLimit;
  const int deepest = round_up((depth + blocks - 1) / blocks, kDepth);
  const auto panels = [&](int outers) {
    const size_t numbers = size_t(round_up(outers, kSquare)) * deepest * kPartCount;
    return reinterpret_cast<uint16_t*>(scratch.floats(numbers / 2));
  };
  uint16_t *left = panels(m), *right = panels(std::min(n, kWidest));
  const TileRegisters registers;
  for (int k = 0; k < depth; k += deepest) {
    const int deep = std::min(deepest, depth - k), tiles = (deep + kDepth - 1) / kDepth;
    const ptrdiff_t next = ptrdiff_t(tiles) * kPartCount * kTileSize;
    pack<false>(a.from(0, k), m, deep, left);
    for (int j = 0; j < n; j += kWidest) {
      const int wide = std::min(kWidest, n - j);
      pack<true>(b.from(j, k), wide, deep, right);
      for (int row = 0; row < m; row += kSquare)
        for (int column = 0; column < wide; column += kSquare)
          multiply_square<kPartCount>(left + row / kSide * next, right + column / kSide * next,
                                      next, tiles, k > 0, c + row * stride + j + column, stride,
                                      std::min(kSquare, m - row), std::min(kSquare, wide - column));
    }
  }
}

// C (m, n) = A B, with A (m, depth) and B (depth, n).
template <typename T>
static void product(Operand<T> a, Operand<T> b, T* c, int m, int n, int depth) {
  if (m == 0 || n == 0 || depth == 0) {
    std::fill_n(c, size_t(m) * n, T{});
    return;
  }
  prefer_large_pages(c, size_t(m) * n);
  // Threads side by side, so that as little as possible is packed twice.
  const auto pieces = [](int size, int count) {
    return round_up((size + count - 1) / count, kSquare);
  };
  const int threads = thread_limit();
  const int across = std::clamp(int(std::lround(std::sqrt(double(threads) * n / m))), 1, threads);
  const int wide = pieces(n, across);
  const int tall = std::min(pieces(m, (threads + across - 1) / across), kTallest);
  const int columns = (n + wide - 1) / wide, rows = (m + tall - 1) / tall;
  parallel_for(rows * columns, [&](int unit, Scratch& scratch) {
    const int i = unit / columns * tall, j = unit % columns * wide;
    const int height = std::min(tall, m - i), width = std::min(wide, n - j);
    T* target = c + size_t(i) * n + j;
    if constexpr (sizeof(T) == sizeof(float)) {
      multiply_block(a.from(i, 0), b.from(j, 0), target, n, height, width, depth, scratch);
    } else {
      float* sums = scratch.floats(size_t(height) * width);
      multiply_block(a.from(i, 0), b.from(j, 0), sums, width, height, width, depth, scratch);
      for (int row = 0; row < height; ++row)
        copy_row(sums + size_t(row) * width, target + size_t(row) * n, width);
    }
  });
}

}  // namespace axlstm
#endif
