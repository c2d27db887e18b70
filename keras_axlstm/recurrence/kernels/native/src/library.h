// The kernels with a plain C interface: sizes, then arrays in the order of their declaration in
// library.cc. They return 0, or 1 where memory or threads ran out.
#pragma once

#include <cstdint>

extern "C" {
int axlstm_mlstm_forward(const int64_t* sizes, void* const* in, void* const* out);
int axlstm_mlstm_backward(const int64_t* sizes, void* const* in, void* const* out);
int axlstm_mixer_forward(const int64_t* sizes, void* const* in, void* const* out);
int axlstm_mixer_backward(const int64_t* sizes, void* const* in, void* const* out);
int axlstm_product(const int64_t* sizes, void* const* in, void* const* out);
int axlstm_block(const int64_t* sizes, void* const* in, void* const* out);

// Lets the kernels work on the threads of an OpenMP: its GOMP_parallel and omp_get_max_threads.
void axlstm_use_openmp(void* parallel, void* threads);

// Whether this processor and system have what axlstm_product and axlstm_block need.
int axlstm_has_tiles();
}

namespace axlstm {

using Kernel = int (*)(const int64_t*, void* const*, void* const*);

// In the order of KERNELS in ../call.py.
constexpr Kernel kKernels[] = {axlstm_mlstm_forward, axlstm_mlstm_backward, axlstm_mixer_forward,
                               axlstm_mixer_backward, axlstm_product, axlstm_block};

}  // namespace axlstm
