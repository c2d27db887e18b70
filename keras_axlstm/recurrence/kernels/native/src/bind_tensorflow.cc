// The kernels as a custom call of the XLA compiler inside TensorFlow.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <string>

#include "bind.h"

// Declared here as TensorFlow's libraries export it: its header pulls in hundreds of others.
namespace xla {
class CustomCallTargetRegistry {
 public:
  static CustomCallTargetRegistry* Global();
  void Register(const std::string& symbol, void* address, const std::string& platform);
};
}  // namespace xla

// One result is passed as its own address, several as an array of addresses. TensorFlow's libraries
// do not export what would report a failure through the status.
static void run(void* out, const void** in, const char* opaque, size_t length, void*) {
  std::istringstream text(std::string(opaque, length));
  std::vector<int64_t> description;
  for (int64_t value; text >> value;) description.push_back(value);
  const axlstm::Call call(description.data());
  const auto count = std::count(call.outputs.begin(), call.outputs.end(), true);
  void* const* results = count == 1 ? &out : static_cast<void* const*>(out);
  if (call.run(const_cast<void* const*>(in), results)) {
    std::fputs("keras_axlstm: mLSTM kernel: out of memory or threads\n", stderr);
    std::abort();
  }
}

extern "C" void axlstm_register_tensorflow() {
  xla::CustomCallTargetRegistry::Global()->Register("keras_axlstm", reinterpret_cast<void*>(run), "Host");
}
