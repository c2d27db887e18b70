// Gradients of the recurrence, the normaliser's included. README.md derives the equations.
//
// With h_i = sum_j C_ij v_j / n_i, C_ij = scale q_i.k_j P_ij, l_i = sum_j C_ij, n_i = max(|l_i|,
// e^-m) + eps, and an incoming gradient dh_i:
//   g_i  = dh_i.h_i sign(l_i) [|l_i| >= e^-m]        E_ij = (dh_i.v_j - g_i) / n_i
//   dv_j = sum_i C_ij dh_i / n_i                      T_ij = E_ij C_ij = dL/dD_ij
//   dq_i = scale sum_j E_ij P_ij k_j                  dk_j = scale sum_i E_ij P_ij q_i
#pragma once

#include "forward.h"

namespace axlstm {

// (tiles * kTile, stride) each, added to; dD sums (tiles * kTile): those over a row's columns, and
// those over a column's rows, which are the gradient of log i.
struct Gradients {
  float *query = nullptr, *key = nullptr, *value;
  float *row_sums, *column_sums;

  // Makes room for those of the value unless it is given.
  Gradients(const Head& head, Scratch& scratch, float* own_value = nullptr) : value(own_value) {
    const size_t padded = size_t(head.tiles) * kTile;
    for (float** matrix : {&query, &key, &value})
      if (!*matrix) *matrix = scratch.zeros(padded * head.stride);
    for (float** row : {&row_sums, &column_sums}) *row = scratch.zeros(padded);
  }
};

struct BackwardScratch {
  float *scores, *dscores, *weights, *dh, *transposed_C, *rows;

  BackwardScratch(const Head& head, bool with_state, Scratch& scratch)
      : scores(scratch.floats(kTile * kTile)),
        dscores(scratch.floats(kTile * kTile)),
        weights(scratch.floats(kTile)),
        dh(scratch.floats(size_t(kTile) * head.stride)),
        transposed_C(with_state ? scratch.zeros(size_t(head.stride) * head.stride) : nullptr),
        rows(scratch.floats(size_t(kTile) * head.stride)) {}
};

// Rows of one tile: dh / n and g / n.
struct ScaledRows {
  float* dh;      // (kTile, stride)
  float g[kTile];
};

// The pair of a row tile and one of its column tiles. `weight(i, j)` is scale * P of row i and a
// vector of columns from j on.
template <typename Products, typename Weight>
static void pair_gradients(const Head& head, const Products& products, int tile, int source,
                           const ScaledRows& rows, Gradients& gradients,
                           const BackwardScratch& scratch, Weight weight) {
  const size_t row = head.start(tile), column = head.start(source);
  float *scores = scratch.scores, *dscores = scratch.dscores;
  products.score(tile, 0, kTile, source, kTile, scores);
  products.score_gradients(source, dscores);
  float* column_sums = gradients.column_sums + source * kTile;
  for (int i = 0; i < kTile; ++i) {
    Vector total{};
    for (int j = 0; j < kTile; j += kLanes) {
      const int at = i * kTile + j;
      const Vector P = weight(i, j);
      const Vector C = load(scores + at) * P;
      const Vector E = load(dscores + at) - rows.g[i];
      store(scores + at, C);
      store(dscores + at, E * P);
      total += E * C;
      store(column_sums + j, load(column_sums + j) + E * C);
    }
    gradients.row_sums[tile * kTile + i] += sum(total);
  }
  products.add_gradients(tile, source, dscores, scores, gradients.query + row,
                         gradients.key + column, gradients.value + column);
}

// What the rows of a tile read from `start`, the memory before tile `first`, to whose gradient
// `dstart` they add. `weights` (kTile) are those of the memory in each row.
static void state_gradients(const Head& head, int tile, const ScaledRows& rows,
                            const float* weights, State start, State dstart, Gradients& gradients,
                            const BackwardScratch& scratch) {
  const int stride = head.stride;
  const size_t row = size_t(tile) * kTile * stride;
  float* products = scratch.rows;  // dh C^T, then the weighted query
  multiply<false>(axlstm::rows(rows.dh, stride), scratch.transposed_C, stride, products, stride,
                  kTile, stride, head.dim);
  for (int i = 0; i < kTile; ++i) {
    Vector total{};
    for (int d = 0; d < stride; d += kLanes) {
      const size_t at = i * stride + d;
      const Vector query = load(head.query + row + at) * weights[i];
      const Vector gradient = load(products + at) - rows.g[i] * load(start.n + d);
      store(gradients.query + row + at,
            load(gradients.query + row + at) + weights[i] * gradient);
      total += query * gradient;
      store(dstart.n + d, load(dstart.n + d) - rows.g[i] * query);
      store(products + at, query);
    }
    gradients.row_sums[tile * kTile + i] += sum(total);
  }
  multiply<true>(transposed(products, stride), rows.dh, stride, dstart.C, stride, head.dim, stride,
                 kTile);
}

// Gradients of the rows of one tile, as read by read_tile. h and dh (kTile, stride).
template <typename Products>
static void tile_gradients(const Head& head, Products& products, int first, int tile,
                           const State* start, const State* dstart, const float* h,
                           const float* dh, RowSums sums, Gradients& gradients,
                           const BackwardScratch& scratch) {
  const int stride = head.stride;
  ScaledRows rows{scratch.dh, {}};
  float earlier[kTile];
  for (int i = 0; i < kTile; ++i) {
    const float l = sums.l[i], m = sums.m[i], factor = 1.0f / denominator(l, m);
    Vector total{};
    for (int d = 0; d < stride; d += kLanes) {
      const Vector gradient = load(dh + i * stride + d);
      total += gradient * load(h + i * stride + d);
      store(rows.dh + i * stride + d, gradient * factor);
    }
    const float delta = sum(total);
    const float g = std::abs(l) < std::exp(-m) ? 0.0f : l < 0 ? -delta : delta;
    rows.g[i] = g * factor;
    earlier[i] = head.earlier_weight(tile, i, m);
  }

  products.set_gradients(rows.dh);
  pair_gradients(head, products, tile, tile, rows, gradients, scratch, [&](int i, int j) {
    return exp(head.log_weights(tile, i, j) - sums.m[i]) * head.scale;
  });
  for (int source = first; source < tile; ++source) {
    head.column_weights(source, tile, scratch.weights);
    pair_gradients(head, products, tile, source, rows, gradients, scratch,
                   [&](int i, int j) { return earlier[i] * load(scratch.weights + j); });
  }
  if (start) {
    const float decay = float(std::exp(head.peak[first] - head.peak[tile]));
    for (float& weight : earlier) weight *= decay;
    state_gradients(head, tile, rows, earlier, *start, *dstart, gradients, scratch);
  }
}

// From dend, the gradient of the memory before tile `last`, to the steps from tile `first` on and
// to the memory before them, which replaces it.
static void advance_gradients(const Head& head, int first, int last, State dend,
                              Gradients& gradients, const BackwardScratch& scratch) {
  const int stride = head.stride;
  float weights[kTile];
  transpose(dend.C, stride, scratch.transposed_C, stride, head.dim, head.dim);
  for (int tile = first; tile < last; ++tile) {
    const size_t at = size_t(tile) * kTile * stride;
    head.column_weights(tile, last, weights);
    multiply<false>(rows(head.value + at, stride), scratch.transposed_C, stride, scratch.rows,
                    stride, kTile, stride, head.dim);
    for (int j = 0; j < kTile; ++j) {
      Vector total{};
      for (int d = 0; d < stride; d += kLanes) {
        const size_t k = at + j * stride + d;
        const Vector gradient = (load(scratch.rows + j * stride + d) + load(dend.n + d));
        store(gradients.key + k, load(gradients.key + k) + weights[j] * gradient);
        total += load(head.key + k) * weights[j] * gradient;
        store(scratch.rows + j * stride + d, load(head.key + k) * weights[j]);
      }
      gradients.column_sums[tile * kTile + j] += sum(total);
    }
    multiply<true>(rows(scratch.rows, stride), dend.C, stride, gradients.value + at, stride, kTile,
                   stride, head.dim);
  }
  const float decay = float(std::exp(head.peak[first] - head.peak[last]));
  for (size_t i = 0; i < size_t(head.dim) * stride; ++i) dend.C[i] *= decay;
  for (int i = 0; i < stride; ++i) dend.n[i] *= decay;
}

// log_f gradient (steps): all pairs of a later row and an earlier column.
static void forget_gradients(const Head& head, const Gradients& gradients, float* dlog_f) {
  double total = 0;
  for (int t = head.steps - 1; t >= 0; --t) {
    total += double(gradients.row_sums[t]);
    total -= double(gradients.column_sums[t]);
    // Column t itself does not decay through step t.
    dlog_f[t] = float(total);
  }
}

static float inner(const Head& head, State x, State y) {
  Vector total{};
  for (size_t i = 0; i < size_t(head.dim) * head.stride; i += kLanes)
    total += load(x.C + i) * load(y.C + i);
  for (int i = 0; i < head.stride; i += kLanes) total += load(x.n + i) * load(y.n + i);
  return sum(total);
}

// The initial memory and the gradient of the last one, which becomes that of the initial one.
struct StateGradients {
  State start, dlast;
  float *dm;  // gradient of m, replaced likewise
};

// The last memory is read as a row after the last step. It is scaled by exp(-m), so what reaches m,
// less what reaches it through the scale, goes to the step that set it, or to the initial m.
static void last_state_gradients(const Head& head, State last, const StateGradients& states,
                                 Gradients& gradients) {
  const float through_scale = inner(head, states.dlast, last);
  const float to_m = *states.dm - through_scale;
  gradients.row_sums[head.steps - 1] += through_scale + to_m;
  *states.dm = 0;
  if (head.peak[head.tiles] == head.peak[0]) {
    *states.dm = to_m;
    return;
  }
  int tile = head.tiles - 1;
  while (head.peak[tile] == head.peak[head.tiles]) --tile;
  const float* at_end = head.at_end + tile * kTile;
  gradients.column_sums[tile * kTile + (std::max_element(at_end, at_end + kTile) - at_end)] += to_m;
}

// h and dh (tiles * kTile, stride), sums (tiles * kTile). Without `states` the memory starts empty,
// the last one is not used, and `chunk` must cover the sequence.
template <typename Products>
static void backward(const Head& head, Products& products, int chunk, StateGradients* states,
                     const float* h, const float* dh, RowSums sums, Gradients& gradients,
                     Scratch& memory) {
  const BackwardScratch scratch(head, states, memory);
  const int chunks = (head.tiles + chunk - 1) / chunk;
  const size_t size = size_t(head.dim) * head.stride;
  std::vector<State> starts;
  if (states) {
    State running = states->start;
    for (int i = 0; i < chunks; ++i) {
      starts.push_back({memory.floats(size), memory.floats(head.stride)});
      memcpy(starts[i].C, running.C, size * sizeof(float));
      memcpy(starts[i].n, running.n, head.stride * sizeof(float));
      head.advance(running, i * chunk, std::min((i + 1) * chunk, head.tiles), scratch.rows);
    }
    last_state_gradients(head, running, *states, gradients);
  }
  for (int i = chunks - 1; i >= 0; --i) {
    const int first = i * chunk, last = std::min(first + chunk, head.tiles);
    const State* start = states ? &starts[i] : nullptr;
    const State* dstart = states ? &states->dlast : nullptr;
    if (states) {
      advance_gradients(head, first, last, states->dlast, gradients, scratch);
      transpose(start->C, head.stride, scratch.transposed_C, head.stride, head.dim, head.dim);
    }
    for (int tile = first; tile < last; ++tile) {
      const size_t row = size_t(tile) * kTile;
      tile_gradients(head, products, first, tile, start, dstart, h + row * head.stride,
                     dh + row * head.stride, {sums.l + row, sums.m + row}, gradients, scratch);
    }
  }
  if (states) *states->dm += inner(head, states->dlast, starts[0]);
}

}  // namespace axlstm
