// Reading from the memory: h of the rows of a tile.
#pragma once

#include "pair_products.h"

namespace axlstm {

// What the backward pass needs of each row beside h.
struct RowSums {
  float* l;  // sum of a row's weighted scores, signed
  float* m;  // its stabiliser
};

struct ForwardScratch {
  float *scores, *weights;

  explicit ForwardScratch(Scratch& scratch)
      : scores(scratch.floats(kTile * kTile)), weights(scratch.floats(kTile)) {}
};

inline float denominator(float l, float m) {
  return std::max(std::abs(l), std::exp(-m)) + kEpsilon;
}

// h (kTile, stride) of the rows of `tile`, which read the tiles from `first` on, and all before
// them from `start`, the memory before tile `first`, unless it is null.
template <typename Products>
static void read_tile(const Head& head, const Products& products, int first, int tile,
                      const State* start, float* h, RowSums rows, const ForwardScratch& scratch) {
  const int stride = head.stride;
  const float* query = head.query_of(tile);
  float* scores = scratch.scores;
  float l[kTile] = {};
  memset(h, 0, sizeof(float) * kTile * stride);

  // Earlier columns, scaled by exp(-m) with m at the start of the tile: one weight a column.
  if (start) {
    const float weight = float(std::exp(head.peak[first] - head.peak[tile]));
    multiply<false>(axlstm::rows(query, stride), start->C, stride, h, stride, kTile, stride,
                    head.dim);
    for (int i = 0; i < kTile; ++i) {
      Vector total{};
      for (int d = 0; d < stride; d += kLanes) {
        total += load(query + i * stride + d) * load(start->n + d);
        store(h + i * stride + d, load(h + i * stride + d) * weight);
      }
      l[i] = weight * sum(total);
    }
  }
  for (int source = first; source < tile; ++source) {
    products.score(tile, 0, kTile, source, kTile, scores);
    head.column_weights(source, tile, scratch.weights);
    for (int i = 0; i < kTile; ++i) {
      Vector total{};
      for (int j = 0; j < kTile; j += kLanes) {
        const Vector weighted = load(scores + i * kTile + j) * load(scratch.weights + j);
        store(scores + i * kTile + j, weighted);
        total += weighted;
      }
      l[i] += sum(total);
    }
    products.add_values(scores, kTile, source, kTile, h);
  }

  // The tile's own columns, with a stabiliser for each row. In strips of rows: what is right of a
  // strip lies in its future.
  for (int strip = 0; strip < kTile; strip += kStrip) {
    const int columns = strip + kStrip;
    products.score(tile, strip, kStrip, tile, columns, scores + strip * kTile);
    for (int i = strip; i < columns; ++i) {
      const int t = tile * kTile + i;
      Vector D[kTile / kLanes], most = broadcast(kShut), total{};
      for (int j = 0; j < columns; j += kLanes) {
        D[j / kLanes] = head.log_weights(tile, i, j);
        most = maximum(most, D[j / kLanes]);
      }
      float m = std::max(kLowest, head.coarse[t] + head.fine[t] + head.m_at(tile));
      m = std::max(m, highest(most));
      for (int j = 0; j < columns; j += kLanes) {
        const Vector weighted =
            load(scores + i * kTile + j) * exp(D[j / kLanes] - m) * head.scale;
        store(scores + i * kTile + j, weighted);
        total += weighted;
      }
      const float earlier = head.earlier_weight(tile, i, m);
      rows.m[i] = m;
      rows.l[i] = l[i] * earlier + sum(total);
      for (int d = 0; d < stride; d += kLanes)
        store(h + i * stride + d, load(h + i * stride + d) * earlier);
    }
    products.add_values(scores + strip * kTile, kStrip, tile, columns, h + strip * stride);
  }
  for (int i = 0; i < kTile; ++i) {
    const float factor = 1.0f / denominator(rows.l[i], rows.m[i]);
    for (int d = 0; d < stride; d += kLanes)
      store(h + i * stride + d, load(h + i * stride + d) * factor);
  }
}

// Calls write(tile, h, rows) for every tile in turn. `state` is the initial memory and becomes the
// last one; without it the memory starts empty, and `chunk` (in tiles) must cover the sequence.
template <typename Products, typename Write>
static void forward(const Head& head, const Products& products, int chunk, State* state,
                    Scratch& memory, Write write) {
  const ForwardScratch scratch(memory);
  float* h = memory.floats(size_t(kTile) * head.stride);
  const RowSums rows{memory.floats(kTile), memory.floats(kTile)};
  for (int first = 0; first < head.tiles; first += chunk) {
    const int last = std::min(first + chunk, head.tiles);
    for (int tile = first; tile < last; ++tile) {
      read_tile(head, products, first, tile, state, h, rows, scratch);
      write(tile, h, rows);
    }
    if (state) head.advance(*state, first, last, h);
  }
}

}  // namespace axlstm
