// Entry points with a plain C interface: sizes, then arrays in the order of their declaration.
#include "library.h"

#include "block.h"
#include "mixer_backward.h"
#include "product.h"

using namespace axlstm;

namespace {

Shape shape_of(const int64_t* s) {
  return {int(s[0]), int(s[1]), int(s[2]), int(s[3]), int(s[4]), s[5] != 0};
}

template <typename T>
T* at(void* const* arrays, int i) {
  return static_cast<T*>(arrays[i]);
}

States states(void* const* arrays, int i) {
  return {at<float>(arrays, i), at<float>(arrays, i + 1), at<float>(arrays, i + 2)};
}

template <typename T>
void forward_of(const int64_t* sizes, void* const* in, void* const* out) {
  mlstm_forward(shape_of(sizes), at<const T>(in, 0), at<const T>(in, 1), at<const T>(in, 2),
                at<const float>(in, 3), at<const float>(in, 4), states(in, 5), at<float>(out, 0),
                at<float>(out, 1), at<float>(out, 2), states(out, 3));
}

template <typename T>
void backward_of(const int64_t* sizes, void* const* in, void* const* out) {
  mlstm_backward(shape_of(sizes), at<const T>(in, 0), at<const T>(in, 1), at<const T>(in, 2),
                 at<const float>(in, 3), at<const float>(in, 4), states(in, 5),
                 at<const float>(in, 8), at<const float>(in, 9), at<const float>(in, 10),
                 at<const float>(in, 11), states(in, 12), at<T>(out, 0), at<T>(out, 1),
                 at<T>(out, 2), at<float>(out, 3), at<float>(out, 4), states(out, 5));
}

MixerShape mixer_shape_of(const int64_t* s) {
  return {shape_of(s), int(s[6]), s[7] != 0, s[8] != 0};
}

Parameters parameters(void* const* arrays, int i) {
  Parameters parameters;
  for (float** field : parameters.fields()) *field = at<float>(arrays, i++);
  return parameters;
}

Saved saved(void* const* arrays, int i) {
  return {at<float>(arrays, i), at<float>(arrays, i + 1), at<float>(arrays, i + 2)};
}

template <typename T>
void mixer_forward_of(const int64_t* sizes, void* const* in, void* const* out) {
  mixer_forward(mixer_shape_of(sizes), at<const T>(in, 0), at<const float>(in, 1),
                parameters(in, 2), *at<const float>(in, 11), at<T>(out, 0), at<float>(out, 1),
                saved(out, 2));
}

template <typename T>
void mixer_backward_of(const int64_t* sizes, void* const* in, void* const* out) {
  mixer_backward(mixer_shape_of(sizes), at<const T>(in, 0), at<const float>(in, 1),
                 parameters(in, 2), *at<const float>(in, 11), at<const float>(in, 12),
                 saved(in, 13), at<const T>(in, 16), at<T>(out, 0), parameters(out, 1));
}

#ifdef AXLSTM_TILES
template <typename T>
void product_of(const int64_t* s, void* const* in, void* const* out) {
  const int rows = s[0], columns = s[1], n = s[2];
  const bool left_transposed = s[3], right_transposed = s[4];
  const int m = left_transposed ? columns : rows, depth = left_transposed ? rows : columns;
  // In memory the right side is (depth, n), or transposed (n, depth); its outer elements are columns.
  const Operand<T> left{at<const T>(in, 0), columns, left_transposed};
  const Operand<T> right{at<const T>(in, 1), right_transposed ? depth : n, !right_transposed};
  product(left, right, at<T>(out, 0), m, n, depth);
}
#endif

}  // namespace

// sizes: batch, steps, heads, dim, chunk (tiles), reverse, bfloat16.

extern "C" int axlstm_mlstm_forward(const int64_t* sizes, void* const* in, void* const* out) try {
  (sizes[6] ? forward_of<BFloat16> : forward_of<float>)(sizes, in, out);
  return 0;
} catch (...) {
  return 1;
}

extern "C" int axlstm_mlstm_backward(const int64_t* sizes, void* const* in, void* const* out) try {
  (sizes[6] ? backward_of<BFloat16> : backward_of<float>)(sizes, in, out);
  return 0;
} catch (...) {
  return 1;
}

// sizes: batch, steps, heads, dim, chunk (tiles), reverse, taps, sigmoid input gate, sigmoid forget
// gate, bfloat16.
extern "C" int axlstm_mixer_forward(const int64_t* sizes, void* const* in, void* const* out) try {
  (sizes[9] ? mixer_forward_of<BFloat16> : mixer_forward_of<float>)(sizes, in, out);
  return 0;
} catch (...) {
  return 1;
}

extern "C" int axlstm_mixer_backward(const int64_t* sizes, void* const* in, void* const* out) try {
  (sizes[9] ? mixer_backward_of<BFloat16> : mixer_backward_of<float>)(sizes, in, out);
  return 0;
} catch (...) {
  return 1;
}

extern "C" void axlstm_use_openmp(void* parallel, void* threads) {
  lent_openmp = {reinterpret_cast<decltype(OpenMP::parallel)>(parallel),
                 reinterpret_cast<decltype(OpenMP::threads)>(threads)};
}

extern "C" int axlstm_has_tiles() {
#ifdef AXLSTM_TILES
  return tiles_permitted();
#else
  return 0;
#endif
}

// sizes: rows and columns of the left array, n, left transposed, right transposed, bfloat16.
extern "C" int axlstm_product(const int64_t* sizes, void* const* in, void* const* out) try {
#ifdef AXLSTM_TILES
  if (tiles_permitted()) {
    (sizes[5] ? product_of<BFloat16> : product_of<float>)(sizes, in, out);
    return 0;
  }
#endif
  return 1;
} catch (...) {
  return 1;
}

// sizes: batch, steps, heads, dim, chunk (tiles), reverse, taps, sigmoid input gate, sigmoid forget
// gate, width.
extern "C" int axlstm_block(const int64_t* sizes, void* const* in, void* const* out) try {
#ifdef AXLSTM_TILES
  if (tiles_permitted()) {
    BlockParameters parameters;
    int i = 2;
    for (const float** field : parameters.fields()) *field = at<const float>(in, i++);
    block_forward({mixer_shape_of(sizes), int(sizes[9])}, at<const float>(in, 0),
                  at<const float>(in, 1), parameters, at<const float>(in, i), at<float>(out, 0));
    return 0;
  }
#endif
  return 1;
} catch (...) {
  return 1;
}
