// The op `mlstm`, forward and backward, on arrays (batch, steps, heads, dim).
#pragma once

#include "backward.h"
#include "pages.h"
#include "threads.h"

namespace axlstm {

struct Shape {
  int batch, steps, heads, dim;
  int chunk;  // tiles of a chunk; at least all of them for the parallel form
  bool reverse;

  bool chunked() const { return chunk * kTile < steps; }
  size_t numbers() const { return size_t(batch) * steps * heads * dim; }
  // Where step t of the recurrence lies in time.
  int time(int t) const { return reverse ? steps - 1 - t : t; }
  size_t row(int b, int h, int t) const {
    return ((size_t(b) * steps + time(t)) * heads + h) * dim;
  }
  size_t gate(int b, int h, int t) const {
    return (size_t(b) * heads + h) * steps + time(t);
  }
};

template <typename T>
static void gather(const Shape& shape, int b, int h, const T* source, float* rows, int stride) {
  for (int t = 0; t < shape.steps; ++t)
    copy_row(source + shape.row(b, h, t), rows + size_t(t) * stride, shape.dim);
}

template <typename T>
static void scatter(const Shape& shape, int b, int h, const float* rows, int stride, T* target) {
  for (int t = 0; t < shape.steps; ++t)
    copy_row(rows + size_t(t) * stride, target + shape.row(b, h, t), shape.dim);
}

static void gather_gate(const Shape& shape, int b, int h, const float* source, float* gate) {
  for (int t = 0; t < shape.steps; ++t) gate[t] = source[shape.gate(b, h, t)];
}

static void scatter_gate(const Shape& shape, int b, int h, const float* gate, float* target) {
  for (int t = 0; t < shape.steps; ++t) target[shape.gate(b, h, t)] = gate[t];
}

// Memory (C value x key, n, m) of all heads, (batch, heads, ...); C null where there is none.
struct States {
  float *C, *n, *m;

  State gather(const Shape& shape, int unit, const Head& head, Scratch& scratch) const {
    State state{scratch.zeros(size_t(head.dim) * head.stride), scratch.zeros(head.stride)};
    if (!C) return state;
    const size_t dim = shape.dim;
    transpose(C + unit * dim * dim, dim, state.C, head.stride, dim, dim);
    memcpy(state.n, n + unit * dim, dim * sizeof(float));
    return state;
  }

  void scatter(const Shape& shape, int unit, const Head& head, State state) const {
    const size_t dim = shape.dim;
    transpose(state.C, head.stride, C + unit * dim * dim, dim, dim, dim);
    memcpy(n + unit * dim, state.n, dim * sizeof(float));
  }
};

constexpr float kEmpty = -1e15f;

// l and m as the forward pass saved them. Rows that fill up the last tile have an m at which every
// weight is 0.
static RowSums gather_sums(const Shape& shape, int b, int h, const float* l, const float* m,
                           const Head& head, Scratch& scratch) {
  const size_t padded = size_t(head.tiles) * kTile;
  const RowSums sums{scratch.zeros(padded), scratch.floats(padded)};
  std::fill_n(sums.m, padded, -kShut);
  gather_gate(shape, b, h, l, sums.l);
  gather_gate(shape, b, h, m, sums.m);
  return sums;
}

template <typename T>
static void load_head(const Shape& shape, int b, int h, const T* query, const T* key,
                      const T* value, const float* log_i, const float* log_f, Head& head) {
  gather(shape, b, h, query, head.query, head.stride);
  gather(shape, b, h, key, head.key, head.stride);
  gather(shape, b, h, value, head.value, head.stride);
  gather_gate(shape, b, h, log_i, head.log_i);
  gather_gate(shape, b, h, log_f, head.log_f);
}

// h (batch, steps, heads, dim), l and m (batch, heads, steps); initial.C and last.C may be null.
template <typename T>
static void mlstm_forward(const Shape& shape, const T* query, const T* key, const T* value,
                          const float* log_i, const float* log_f, States initial, float* h,
                          float* l, float* m, States last) {
  prefer_large_pages(h, shape.numbers());
  parallel_for(shape.batch * shape.heads, [&](int unit, Scratch& scratch) {
    const int b = unit / shape.heads, n = unit % shape.heads;
    Head head(shape.steps, shape.dim, scratch);
    load_head(shape, b, n, query, key, value, log_i, log_f, head);
    head.prepare(initial.C ? initial.m[unit] : kEmpty);
    State state{};
    const bool stateful = initial.C || last.C || shape.chunked();
    if (stateful) state = initial.gather(shape, unit, head, scratch);
    const auto write = [&](int tile, const float* rows, RowSums sums) {
      const int first = tile * kTile, count = std::min(kTile, shape.steps - first);
      for (int i = 0; i < count; ++i) {
        copy_row(rows + i * head.stride, h + shape.row(b, n, first + i), shape.dim);
        l[shape.gate(b, n, first + i)] = sums.l[i];
        m[shape.gate(b, n, first + i)] = sums.m[i];
      }
    };
    with_products<T>(head, false, scratch, [&](const auto& products) {
      forward(head, products, shape.chunk, stateful ? &state : nullptr, scratch, write);
    });
    if (last.C) {
      last.scatter(shape, unit, head, state);
      last.m[unit] = head.m_at(head.tiles);
    }
  });
}

// Gradients of everything that mlstm_forward reads, in its shapes. dlast and dinitial may be null.
template <typename T>
static void mlstm_backward(const Shape& shape, const T* query, const T* key, const T* value,
                           const float* log_i, const float* log_f, States initial, const float* h,
                           const float* l, const float* m, const float* dh, States dlast, T* dquery,
                           T* dkey, T* dvalue, float* dlog_i, float* dlog_f, States dinitial) {
  for (T* gradient : {dquery, dkey, dvalue}) prefer_large_pages(gradient, shape.numbers());
  parallel_for(shape.batch * shape.heads, [&](int unit, Scratch& scratch) {
    const int b = unit / shape.heads, n = unit % shape.heads;
    Head head(shape.steps, shape.dim, scratch);
    load_head(shape, b, n, query, key, value, log_i, log_f, head);
    head.prepare(initial.C ? initial.m[unit] : kEmpty);

    const size_t padded = size_t(head.tiles) * kTile;
    float* rows = head.padded_rows(scratch);
    float* drows = head.padded_rows(scratch);
    const RowSums sums = gather_sums(shape, b, n, l, m, head, scratch);
    gather(shape, b, n, h, rows, head.stride);
    gather(shape, b, n, dh, drows, head.stride);

    Gradients gradients(head, scratch);
    float dm = dlast.C ? dlast.m[unit] : 0.0f;
    StateGradients states{};
    const bool stateful = initial.C || dlast.C || shape.chunked();
    if (stateful)
      states = {initial.gather(shape, unit, head, scratch),
                dlast.gather(shape, unit, head, scratch), &dm};
    with_products<T>(head, true, scratch, [&](auto& products) {
      backward(head, products, shape.chunk, stateful ? &states : nullptr, rows, drows, sums,
               gradients, scratch);
    });

    scatter(shape, b, n, gradients.query, head.stride, dquery);
    scatter(shape, b, n, gradients.key, head.stride, dkey);
    scatter(shape, b, n, gradients.value, head.stride, dvalue);
    scatter_gate(shape, b, n, gradients.column_sums, dlog_i);
    float* dforget = scratch.floats(padded);
    forget_gradients(head, gradients, dforget);
    scatter_gate(shape, b, n, dforget, dlog_f);
    if (dinitial.C) {
      dinitial.scatter(shape, unit, head, states.dlast);
      dinitial.m[unit] = dm;
    }
  });
}

}  // namespace axlstm
