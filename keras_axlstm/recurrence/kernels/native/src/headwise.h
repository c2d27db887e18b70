// Block-diagonal 4 x 4 products: groups of four neighbouring channels are mixed inside a vector.
#pragma once

#include "simd.h"

namespace axlstm {

constexpr int kGroup = 4;

// Channel `k` of each group, in all four places of the group.
AXLSTM_INLINE Vector spread(Vector x, int k) {
  Integers place;
  for (int lane = 0; lane < kLanes; ++lane) place[lane] = lane / kGroup * kGroup + k;
#if defined(__clang__)
  Vector y;
  for (int lane = 0; lane < kLanes; ++lane) y[lane] = x[place[lane]];
  return y;
#else
  return __builtin_shuffle(x, place);
#endif
}

// A kernel (groups, in, out) as four rows of `stride`: row k has the weights of input channel k.
struct Headwise {
  float* rows;
  int stride;

  void set(const float* kernel, int channels, bool transposed) {
    for (int channel = 0; channel < channels; ++channel)
      for (int k = 0; k < kGroup; ++k) {
        const int group = channel / kGroup, out = channel % kGroup;
        const int row = transposed ? out : k, column = transposed ? k : out;
        rows[k * stride + channel] = kernel[(group * kGroup + row) * kGroup + column];
      }
  }

  // The channels from d on of x W.
  Vector apply(Vector x, int d) const {
    Vector y{};
    for (int k = 0; k < kGroup; ++k) y += spread(x, k) * load(rows + k * stride + d);
    return y;
  }

  // Adds one step to the gradient of W, in the layout of `rows`.
  void accumulate(Vector x, Vector dy, int d) const {
    for (int k = 0; k < kGroup; ++k) {
      float* row = rows + k * stride + d;
      store(row, load(row) + spread(x, k) * dy);
    }
  }

  void get(float* kernel, int channels) const {
    for (int channel = 0; channel < channels; ++channel)
      for (int k = 0; k < kGroup; ++k)
        kernel[(channel / kGroup * kGroup + k) * kGroup + channel % kGroup] =
            rows[k * stride + channel];
  }
};

}  // namespace axlstm
