// The middle of an AxLSTM block, from the up projection [u, z] to the input of the down projection:
//
//   a = conv(u)    c = silu(a)    q = c Wq    h = mlstm(q, c, u, gates)
//   y = (norm(h Wv) (1 + w) + skip c) silu(z)
//
// Wq stands for both projections of the scores, and the gates are one map of c and one of u, as the
// Python layer folds them. Channels of a head are contiguous, so that all but the sums of the gates
// over heads is done head by head in the caches; what is cheap to compute is computed again.
#pragma once

#include <array>

#include "headwise.h"
#include "recurrence.h"

namespace axlstm {

struct MixerShape : Shape {
  int taps;
  bool sigmoid_input_gate, sigmoid_forget_gate;

  int channels() const { return heads * dim; }
  size_t position(int b, int t) const { return size_t(b) * steps + time(t); }
};

// Parameters or their gradients; all float32.
struct Parameters {
  float *convolution;         // (taps, channels), the oldest tap first
  float *bias;                // (channels)
  float *query;               // (channels / 4, 4, 4)
  float *gate_c, *gate_u;     // (channels, 2 heads): input gates, then forget gates
  float *gate_bias;           // (2 heads)
  float *value;               // (channels / 4, 4, 4)
  float *scale, *skip;        // (channels)

  // All of them, in the order of MixerParameters in ../call.py.
  std::array<float**, 9> fields() {
    return {&convolution, &bias, &query, &gate_c, &gate_u, &gate_bias, &value, &scale, &skip};
  }
};

// The part of the parameters that one head uses, rows filled up with zeros.
struct HeadParameters {
  float *convolution, *bias, *scale, *skip, *gate_c, *gate_u;
  Headwise query, value;
  int gates;  // floats of a row of the gate kernels

  HeadParameters(const MixerShape& shape, int stride, Scratch& scratch)
      : convolution(scratch.zeros(size_t(shape.taps) * stride)),
        bias(scratch.zeros(stride)),
        scale(scratch.zeros(stride)),
        skip(scratch.zeros(stride)),
        query{scratch.zeros(size_t(kGroup) * stride), stride},
        value{scratch.zeros(size_t(kGroup) * stride), stride},
        gates(round_up(2 * shape.heads, kLanes)) {
    gate_c = scratch.zeros(size_t(stride) * gates);
    gate_u = scratch.zeros(size_t(stride) * gates);
  }

  void set(const MixerShape& shape, const Parameters& all, int head) {
    const int dim = shape.dim, first = head * dim, stride = query.stride;
    for (int tap = 0; tap < shape.taps; ++tap)
      std::copy_n(all.convolution + tap * shape.channels() + first, dim,
                  convolution + tap * stride);
    std::copy_n(all.bias + first, dim, bias);
    std::copy_n(all.scale + first, dim, scale);
    std::copy_n(all.skip + first, dim, skip);
    query.set(all.query + first * kGroup, dim, false);
    value.set(all.value + first * kGroup, dim, false);
    for (int d = 0; d < dim; ++d) {
      std::copy_n(all.gate_c + (first + d) * 2 * shape.heads, 2 * shape.heads, gate_c + d * gates);
      std::copy_n(all.gate_u + (first + d) * 2 * shape.heads, 2 * shape.heads, gate_u + d * gates);
    }
  }
};

// u and z are halves of one array (batch, steps, 2 channels); a masked step has u = 0.
template <typename T>
static void load_half(const MixerShape& shape, int b, int head, const T* uz, const float* mask,
                      bool second, float* rows, int stride) {
  const int first = (second ? shape.channels() : 0) + head * shape.dim;
  for (int t = 0; t < shape.steps; ++t) {
    const size_t position = shape.position(b, t);
    const T* source = uz + position * 2 * shape.channels() + first;
    float* target = rows + size_t(t) * stride;
    if (second || !mask || mask[position] != 0)
      copy_row(source, target, shape.dim);
    else
      std::fill_n(target, shape.dim, 0.0f);
  }
}

// conv(u) of step t, channels from d on.
AXLSTM_INLINE Vector convolve(const float* u, int t, int d, const HeadParameters& parameters,
                              int taps, int stride) {
  Vector a = load(parameters.bias + d);
  if (taps == 4 && t >= 3) {  // the usual case, unrolled
    for (int tap = 0; tap < 4; ++tap)
      a += load(u + size_t(t - 3 + tap) * stride + d) *
           load(parameters.convolution + tap * stride + d);
    return a;
  }
  for (int tap = std::max(0, taps - 1 - t); tap < taps; ++tap)
    a += load(u + size_t(t - (taps - 1) + tap) * stride + d) *
         load(parameters.convolution + tap * stride + d);
  return a;
}

// What both phases of a head read; rows as padded_rows makes them.
struct Inputs {
  float *u, *c;

  Inputs() = default;
  Inputs(const MixerShape& shape, Scratch& scratch)
      : u(padded_rows(shape.steps, shape.dim, scratch)),
        c(padded_rows(shape.steps, shape.dim, scratch)) {}
};

// c = silu(conv(u)).
static void convolve_inputs(const MixerShape& shape, const HeadParameters& parameters,
                            Inputs inputs) {
  const int stride = parameters.query.stride;
  for (int t = 0; t < shape.steps; ++t)
    for (int d = 0; d < stride; d += kLanes) {
      const Vector a = convolve(inputs.u, t, d, parameters, shape.taps, stride);
      store(inputs.c + size_t(t) * stride + d, a * sigmoid(a));
    }
}

template <typename T>
static void load_inputs(const MixerShape& shape, int b, int h, const T* uz, const float* mask,
                        const HeadParameters& parameters, Inputs inputs) {
  load_half(shape, b, h, uz, mask, false, inputs.u, parameters.query.stride);
  convolve_inputs(shape, parameters, inputs);
}

// head.query = c Wq.
static void project_query(const HeadParameters& parameters, Head& head) {
  for (int t = 0; t < head.steps; ++t)
    for (int d = 0; d < head.stride; d += kLanes) {
      const size_t at = size_t(t) * head.stride + d;
      store(head.query + at, parameters.query.apply(load(head.key + at), d));
    }
}

inline float log_sigmoid(float x) { return std::min(x, 0.0f) - std::log1p(std::exp(-std::abs(x))); }

// Pre-activations (batch, steps, 2 heads) to the log gates of a head.
static void load_gates(const MixerShape& shape, int b, int h, const float* gates,
                       const float* mask, Head& head) {
  for (int t = 0; t < shape.steps; ++t) {
    const size_t position = shape.position(b, t);
    const float* row = gates + position * 2 * shape.heads;
    const float i = row[h], f = row[shape.heads + h];
    const bool real = !mask || mask[position] != 0;
    head.log_i[t] = real ? std::max(kShut, shape.sigmoid_input_gate ? log_sigmoid(i) : i) : kShut;
    head.log_f[t] = real ? (shape.sigmoid_forget_gate ? log_sigmoid(f) : f) : 0.0f;
  }
}

// Channels of one step after the head's own projection and normalisation.
struct NormalisedRow {
  float* x;        // (stride) normalised, before the scale
  float deviation; // reciprocal of the standard deviation
};

static void normalise(const HeadParameters& parameters, const float* h, int dim, float epsilon,
                      NormalisedRow& row) {
  const int stride = parameters.value.stride;
  Vector total{}, squares{};
  for (int d = 0; d < stride; d += kLanes) {
    const Vector v = parameters.value.apply(load(h + d), d);
    store(row.x + d, v);
    total += v;
  }
  const float mean = sum(total) / dim;
  for (int d = 0; d < dim; ++d) row.x[d] -= mean;
  for (int d = 0; d < stride; d += kLanes) squares += load(row.x + d) * load(row.x + d);
  row.deviation = 1.0f / std::sqrt(sum(squares) / dim + epsilon);
  for (int d = 0; d < stride; d += kLanes) store(row.x + d, load(row.x + d) * row.deviation);
}

// What the backward pass needs beside the inputs; null where there is none.
struct Saved {
  float* h;      // (batch, steps, heads, dim)
  float *l, *m;  // (batch, heads, steps)
};

// Pre-activations that one head contributes to all gates, (steps, 2 heads).
static void partial_gates(const MixerShape& shape, Inputs inputs, const HeadParameters& parameters,
                          float* partial, Scratch& scratch) {
  const int width = parameters.gates, stride = parameters.query.stride, outputs = 2 * shape.heads;
  float* sums = scratch.floats(size_t(shape.steps) * width);
  multiply<false>(rows(inputs.c, stride), parameters.gate_c, width, sums, width, shape.steps, width,
                  shape.dim);
  multiply<true>(rows(inputs.u, stride), parameters.gate_u, width, sums, width, shape.steps, width,
                 shape.dim);
  for (int t = 0; t < shape.steps; ++t)
    std::copy_n(sums + size_t(t) * width, outputs, partial + size_t(t) * outputs);
}

// Buffers of a head between the phases of the forward pass.
struct ForwardBuffers {
  Inputs inputs;
  float* partial;  // (steps, 2 heads)
};

// The sum of all heads and the bias, to the gates of one batch element.
static void sum_gates(const MixerShape& shape, int b, const ForwardBuffers* heads,
                      const float* bias, float* gates) {
  const int outputs = 2 * shape.heads;
  for (int t = 0; t < shape.steps; ++t)
    for (int o = 0; o < outputs; ++o) {
      float total = bias[o];
      for (int h = 0; h < shape.heads; ++h)
        total += heads[h].partial[size_t(t) * outputs + o];
      gates[shape.position(b, t) * outputs + o] = total;
    }
}

// From the gates and z (steps, stride) on: put(t, y of one head, filled up), and what is saved of it.
// T is the type of the block's input.
template <typename T, typename Put>
static void mix_head(const MixerShape& shape, int b, int h, const float* z, const float* mask,
                     Inputs inputs, const HeadParameters& parameters, float epsilon,
                     const float* gates, const Put& put, Saved saved, Scratch& scratch) {
  Head head(shape.steps, shape.dim, scratch, inputs.c, inputs.u);
  project_query(parameters, head);
  load_gates(shape, b, h, gates, mask, head);
  head.prepare(kEmpty);

  const int stride = head.stride;
  NormalisedRow normalised{scratch.floats(stride), 0};
  float* output = scratch.floats(stride);
  State state{};
  if (shape.chunked())
    state = {scratch.zeros(size_t(shape.dim) * stride), scratch.zeros(stride)};
  const auto write = [&](int tile, const float* tile_rows, RowSums sums) {
    const int count = std::min(kTile, shape.steps - tile * kTile);
    for (int i = 0; i < count; ++i) {
      const int t = tile * kTile + i;
      const float* row = tile_rows + size_t(i) * stride;
      normalise(parameters, row, shape.dim, epsilon, normalised);
      for (int d = 0; d < stride; d += kLanes) {
        const Vector zed = load(z + size_t(t) * stride + d);
        const Vector inner = load(normalised.x + d) * (1.0f + load(parameters.scale + d)) +
                             load(head.key + size_t(t) * stride + d) * load(parameters.skip + d);
        store(output + d, inner * zed * sigmoid(zed));
      }
      put(t, output);
      if (!saved.h) continue;
      copy_row(row, saved.h + shape.row(b, h, t), shape.dim);
      saved.l[shape.gate(b, h, t)] = sums.l[i];
      saved.m[shape.gate(b, h, t)] = sums.m[i];
    }
  };
  with_products<T>(head, false, scratch, [&](const auto& products) {
    forward(head, products, shape.chunk, shape.chunked() ? &state : nullptr, scratch, write);
  });
}

// y (batch, steps, channels); gates (batch, steps, 2 heads) receives the pre-activations.
template <typename T>
static void mixer_forward(const MixerShape& shape, const T* uz, const float* mask,
                          const Parameters& all, float epsilon, T* y, float* gates, Saved saved) {
  prefer_large_pages(y, shape.numbers());
  prefer_large_pages(saved.h, shape.numbers());
  const auto parameters_of = [&](int h, Scratch& scratch) {
    HeadParameters parameters(shape, round_up(shape.dim, kLanes), scratch);
    parameters.set(shape, all, h);
    return parameters;
  };
  two_phases(
      shape.batch, shape.heads,
      [&](Scratch& scratch) {
        return ForwardBuffers{Inputs(shape, scratch),
                              scratch.floats(size_t(shape.steps) * 2 * shape.heads)};
      },
      [&](int b, int h, ForwardBuffers& buffers, Scratch& scratch) {
        const HeadParameters parameters = parameters_of(h, scratch);
        load_inputs(shape, b, h, uz, mask, parameters, buffers.inputs);
        partial_gates(shape, buffers.inputs, parameters, buffers.partial, scratch);
      },
      [&](int b, const ForwardBuffers* heads) { sum_gates(shape, b, heads, all.gate_bias, gates); },
      [&](int b, int h, ForwardBuffers& buffers, Scratch& scratch) {
        const int stride = round_up(shape.dim, kLanes);
        float* z = padded_rows(shape.steps, shape.dim, scratch);
        load_half(shape, b, h, uz, mask, true, z, stride);
        const auto put = [&](int t, const float* row) {
          copy_row(row, y + shape.row(b, h, t), shape.dim);
        };
        mix_head<T>(shape, b, h, z, mask, buffers.inputs, parameters_of(h, scratch), epsilon, gates,
                    put, saved, scratch);
      });
}

}  // namespace axlstm
