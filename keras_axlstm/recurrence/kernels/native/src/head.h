// One batch element and head of the recurrence, cut into tiles of kTile steps.
//
// Notation as in ../../README.md: b is the running sum of log f, D_ij = b_i - b_j + log i_j the log
// weight of step j in row i, m the stabiliser. Sums inside a tile are float32 in two parts, those
// across tiles float64.
#pragma once

#include <cmath>

#include "matmul.h"
#include "scratch.h"

namespace axlstm {

constexpr int kTile = 64;
constexpr float kShut = -1e30f;
constexpr float kLowest = -10.0f;
constexpr float kEpsilon = 1e-6f;

inline int round_up(int x, int multiple) { return (x + multiple - 1) / multiple * multiple; }

// (tiles * kTile, stride), zero outside of (steps, dim), uninitialised inside.
inline float* padded_rows(int steps, int dim, Scratch& scratch) {
  const size_t size = size_t(round_up(steps, kTile)) * round_up(dim, kLanes);
  if (dim % kLanes) return scratch.zeros(size);
  float* rows = scratch.floats(size);
  std::fill(rows + size_t(steps) * dim, rows + size, 0.0f);
  return rows;
}

// Memory at a border between tiles, scaled by exp(-m).
struct State {
  float* C;  // (dim, stride), key x value
  float* n;  // (stride)
};

struct Head {
  int steps, tiles, dim, stride;  // rows are filled up with zeros to `stride` floats
  float scale;                    // dim^-1/2
  // (tiles * kTile, stride)
  float *query, *key, *value;
  // (tiles * kTile)
  float *log_i, *log_f;
  float *coarse, *fine;  // b since the tile's start: multiples of 1/256, and the rest
  float *at_end;         // log weight of a step at the end of its tile
  // (tiles + 1), at the start of each tile: b since the sequence's start, and m - b
  double *sum, *peak;

  // Without `key` and `value` of its own, (tiles * kTile, stride) and zero where padded, it makes
  // room for them.
  Head(int steps, int dim, Scratch& scratch, float* own_key = nullptr, float* own_value = nullptr)
      : steps(steps),
        tiles((steps + kTile - 1) / kTile),
        dim(dim),
        stride(round_up(dim, kLanes)),
        scale(1.0f / std::sqrt(float(dim))) {
    const size_t padded = size_t(tiles) * kTile;
    query = padded_rows(scratch);
    key = own_key ? own_key : padded_rows(scratch);
    value = own_value ? own_value : padded_rows(scratch);
    for (float** row : {&log_i, &log_f, &coarse, &fine, &at_end}) *row = scratch.floats(padded);
    sum = scratch.doubles(tiles + 1);
    peak = scratch.doubles(tiles + 1);
    std::fill(log_i + steps, log_i + padded, kShut);
    std::fill(log_f + steps, log_f + padded, 0.0f);
  }

  float* padded_rows(Scratch& scratch) const { return axlstm::padded_rows(steps, dim, scratch); }

  // Where a tile starts in what is (tiles * kTile, stride).
  size_t start(int tile) const { return size_t(tile) * kTile * stride; }
  const float* query_of(int tile) const { return query + start(tile); }
  const float* key_of(int tile) const { return key + start(tile); }
  const float* value_of(int tile) const { return value + start(tile); }

  // What follows from the gates; m is that of the initial memory.
  void prepare(float m) {
    sum[0] = 0;
    peak[0] = m;
    for (int tile = 0; tile < tiles; ++tile) {
      const int first = tile * kTile, last = first + kTile - 1;
      float coarse_sum = 0, fine_sum = 0, highest = kShut;
      for (int t = first; t <= last; ++t) {
        const float rounded = std::nearbyint(log_f[t] * 256.0f) / 256.0f;
        coarse[t] = coarse_sum += rounded;
        fine[t] = fine_sum += log_f[t] - rounded;
      }
      for (int t = first; t <= last; ++t) {
        at_end[t] = (coarse[last] - coarse[t]) + (fine[last] - fine[t] + log_i[t]);
        highest = std::max(highest, at_end[t]);
      }
      sum[tile + 1] = sum[tile] + coarse[last] + fine[last];
      peak[tile + 1] = std::max(peak[tile], highest - sum[tile + 1]);
    }
  }

  // m at the start of a tile.
  float m_at(int tile) const { return float(peak[tile] + sum[tile]); }

  // exp(b_i + m_start - m_i) for the rows of a tile: the weight of all that is earlier.
  float earlier_weight(int tile, int row, float m) const {
    const int t = tile * kTile + row;
    return std::exp(coarse[t] + fine[t] + m_at(tile) - m);
  }

  // weights (kTile): those of the columns of `source` in a memory scaled by exp(-m) at `border`.
  void column_weights(int source, int border, float* weights) const {
    const float offset = float(-sum[source + 1] - peak[border]);
    for (int j = 0; j < kTile; j += kLanes)
      store(weights + j, exp(load(at_end + source * kTile + j) + offset) * scale);
  }

  // D of row i against the columns j .. j + kLanes - 1 of the same tile; shut where they are later.
  Vector log_weights(int tile, int i, int j) const {
    const int first = tile * kTile;
    const Vector D = (coarse[first + i] - load(coarse + first + j)) +
                     (fine[first + i] + (load(log_i + first + j) - load(fine + first + j)));
    Integers column;
    for (int lane = 0; lane < kLanes; ++lane) column[lane] = j + lane;
    return select(column <= i, D, broadcast(kShut));
  }

  // Moves a memory from the border before tile `first` to that before tile `last`; `weighted`
  // (kTile, stride) is overwritten.
  void advance(State state, int first, int last, float* weighted) const {
    const float decay = float(std::exp(peak[first] - peak[last]));
    for (size_t i = 0; i < size_t(dim) * stride; ++i) state.C[i] *= decay;
    for (int i = 0; i < stride; ++i) state.n[i] *= decay;
    float weights[kTile];
    for (int tile = first; tile < last; ++tile) {
      column_weights(tile, last, weights);
      for (int j = 0; j < kTile; ++j)
        for (int d = 0; d < stride; d += kLanes) {
          const Vector key = load(key_of(tile) + size_t(j) * stride + d) * weights[j];
          store(weighted + size_t(j) * stride + d, key);
          store(state.n + d, load(state.n + d) + key);
        }
      multiply<true>(transposed(weighted, stride), value_of(tile), stride, state.C, stride, dim,
                     stride, kTile);
    }
  }
};

}  // namespace axlstm
