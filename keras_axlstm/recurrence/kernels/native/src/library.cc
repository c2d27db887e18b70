// Entry points with a plain C interface: sizes, then arrays in the order of their declaration.
#include "library.h"

#include "mixer_backward.h"

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
