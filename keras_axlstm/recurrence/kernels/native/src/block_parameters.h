// The parameters of a whole block, and those of its middle as mixer.h takes them.
#pragma once

#include <numeric>

#include "mixer.h"

namespace axlstm {

struct BlockShape : MixerShape {
  int width;  // channels outside of the block

  int rows() const { return round_up(steps, kTile); }
  int stride() const { return round_up(dim, kLanes); }
};

// All float32, as the layers keep them.
struct BlockParameters {
  const float *norm;                     // (width), w of 1 + w
  const float *up;                       // (width, 2 channels)
  const float *convolution, *bias;       // (taps, channels), (channels)
  const float *query, *key, *value;      // (channels / 4, 4, 4)
  const float *input_gate, *input_bias;  // (3 channels, heads), of q, k and v; (heads)
  const float *forget_gate, *forget_bias;
  const float *scale, *skip;             // (channels)
  const float *down;                     // (channels, width)

  // All of them, in the order of BlockParameters in ../call.py.
  std::array<const float**, 14> fields() {
    return {&norm,       &up,          &convolution, &bias,        &query, &key,  &value,
            &input_gate, &input_bias,  &forget_gate, &forget_bias, &scale, &skip, &down};
  }
};

// The parameters of the middle: projections and gates become maps of c and u alone, as
// MLSTM.folded_weights makes them.
struct FoldedParameters : Parameters {
  FoldedParameters(const BlockShape& shape, const BlockParameters& all, Scratch& scratch) {
    const size_t channels = shape.channels(), outputs = 2 * shape.heads;
    query = scratch.floats(channels * kGroup);
    gate_c = scratch.floats(channels * outputs);
    gate_u = scratch.floats(channels * outputs);
    gate_bias = scratch.floats(outputs);
    std::copy_n(all.input_bias, shape.heads, gate_bias);
    std::copy_n(all.forget_bias, shape.heads, gate_bias + shape.heads);
    // Nothing writes through these.
    convolution = const_cast<float*>(all.convolution);
    bias = const_cast<float*>(all.bias);
    value = const_cast<float*>(all.value);
    scale = const_cast<float*>(all.scale);
    skip = const_cast<float*>(all.skip);
  }

  // The channels of one head.
  void fold(const BlockShape& shape, const BlockParameters& all, int head) const {
    for (int d = head * shape.dim; d < (head + 1) * shape.dim; ++d) {
      const float* weights = all.query + d * kGroup;
      for (int out = 0; out < kGroup; ++out)
        query[d * kGroup + out] = std::inner_product(
            weights, weights + kGroup, all.key + (d / kGroup * kGroup + out) * kGroup, 0.0f);
      int h = 0;
      for (; h + 4 <= shape.heads; h += 4) fold_gates<4>(shape, all, d, h);
      for (; h < shape.heads; ++h) fold_gates<1>(shape, all, d, h);
    }
  }

 private:
  // What channel d gives to the gates of the heads from h on.
  template <int kHeads>
  void fold_gates(const BlockShape& shape, const BlockParameters& all, int d, int h) const {
    const float *q = all.query + d * kGroup, *k = all.key + d * kGroup;
    const float* v = all.value + d * kGroup;
    const float* const gates[] = {all.input_gate, all.forget_gate};
    for (int gate = 0; gate < 2; ++gate) {
      float c[kHeads] = {}, u[kHeads] = {};
      for (int i = 0; i < kGroup; ++i) {
        const size_t part = size_t(shape.channels()) * shape.heads;
        const float* row = gates[gate] + size_t(d / kGroup * kGroup + i) * shape.heads + h;
        for (int j = 0; j < kHeads; ++j) {
          c[j] += q[i] * row[j] + k[i] * row[part + j];
          u[j] += v[i] * row[2 * part + j];
        }
      }
      const size_t at = (size_t(d) * 2 + gate) * shape.heads + h;
      std::copy_n(c, kHeads, gate_c + at);
      std::copy_n(u, kHeads, gate_u + at);
    }
  }
};

}  // namespace axlstm
