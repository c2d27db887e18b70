// How the compilers of JAX and TensorFlow call the kernels: arrays that are absent are not passed,
// so a description goes with each call: kernel, count and values of the sizes, then for inputs and
// outputs the count and for each whether it is there.
#pragma once

#include <cstddef>
#include <vector>

#include "library.h"

namespace axlstm {

struct Call {
  int64_t kernel;
  std::vector<int64_t> sizes;
  std::vector<bool> inputs, outputs;

  explicit Call(const int64_t* next) : kernel(*next++) {
    sizes.resize(*next++);
    for (int64_t& size : sizes) size = *next++;
    for (std::vector<bool>* presence : {&inputs, &outputs}) {
      presence->resize(*next++);
      for (size_t i = 0; i < presence->size(); ++i) (*presence)[i] = *next++ != 0;
    }
  }

  // Returns 0, or 1 where memory or threads ran out.
  int run(void* const* in, void* const* out) const {
    std::vector<void*> all_inputs, all_outputs;
    for (const bool present : inputs) all_inputs.push_back(present ? *in++ : nullptr);
    for (const bool present : outputs) all_outputs.push_back(present ? *out++ : nullptr);
    return kKernels[kernel](sizes.data(), all_inputs.data(), all_outputs.data());
  }
};

}  // namespace axlstm
