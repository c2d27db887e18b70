// The kernels as one target of XLA's foreign function interface, for JAX and for TensorFlow.
#include <cstring>
#include <vector>

#include "library.h"
#include "threads.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

namespace {

// Arrays that are absent are not passed, so a description goes with each call: kernel, count and
// values of the sizes, then for inputs and outputs the count and for each whether it is there.
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
};

// The threads that XLA computes on, lent for the lifetime of the object.
class Lent : public axlstm::ThreadPool {
 public:
  explicit Lent(ffi::ThreadPool& pool) : pool_(pool), threads_(pool.num_threads()) {
    if (threads_ > 0) axlstm::lent_pool = this;
  }
  ~Lent() { axlstm::lent_pool = nullptr; }
  int threads() const override { return threads_; }
  void start(std::function<void()> task) override { pool_.Schedule(std::move(task)); }

 private:
  ffi::ThreadPool& pool_;
  const int threads_;
};

ffi::Error run(ffi::ThreadPool pool, ffi::RemainingArgs arguments, ffi::RemainingRets results,
               ffi::Span<const int64_t> description) {
  const Lent lent(pool);
  Call call(description.begin());
  // TensorFlow leaves the batch size open until it compiles.
  call.sizes[0] = arguments.get<ffi::AnyBuffer>(0).value().dimensions()[0];
  std::vector<void*> in, out;
  size_t argument = 0, result = 0;
  for (const bool present : call.inputs)
    in.push_back(present ? arguments.get<ffi::AnyBuffer>(argument++).value().untyped_data()
                         : nullptr);
  for (const bool present : call.outputs)
    out.push_back(present ? (*results.get<ffi::AnyBuffer>(result++))->untyped_data() : nullptr);
  if (axlstm::kKernels[call.kernel](call.sizes.data(), in.data(), out.data()))
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, "mLSTM kernel: out of memory or threads");
  return ffi::Error::Success();
}

}  // namespace

XLA_FFI_DEFINE_HANDLER_SYMBOL(axlstm_xla, run,
                              ffi::Ffi::Bind()
                                  .Ctx<ffi::ThreadPool>()
                                  .RemainingArgs()
                                  .RemainingRets()
                                  .Attr<ffi::Span<const int64_t>>("description"));

// Registers the handler with the XLA that `get_api` belongs to; returns 0 if it is accepted.
extern "C" int axlstm_register(const XLA_FFI_Api* (*get_api)(), const char* target) {
  XLA_FFI_Handler_Register_Args arguments = {};
  arguments.struct_size = XLA_FFI_Handler_Register_Args_STRUCT_SIZE;
  arguments.name = {target, strlen(target)};
  arguments.platform = {"Host", strlen("Host")};
  arguments.bundle.execute = axlstm_xla;
  return get_api()->XLA_FFI_Handler_Register(&arguments) != nullptr;
}
