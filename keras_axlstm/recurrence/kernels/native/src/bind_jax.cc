// The kernels as one target of XLA's foreign function interface.
#include "bind.h"
#include "xla/ffi/api/ffi.h"

namespace ffi = xla::ffi;

static ffi::Error run(ffi::RemainingArgs arguments, ffi::RemainingRets results,
                      ffi::Span<const int64_t> description) {
  std::vector<void*> in, out;
  for (size_t i = 0; i < arguments.size(); ++i)
    in.push_back(arguments.get<ffi::AnyBuffer>(i).value().untyped_data());
  for (size_t i = 0; i < results.size(); ++i)
    out.push_back((*results.get<ffi::AnyBuffer>(i))->untyped_data());
  if (axlstm::Call(description.begin()).run(in.data(), out.data()))
    return ffi::Error(ffi::ErrorCode::kResourceExhausted, "mLSTM kernel: out of memory or threads");
  return ffi::Error::Success();
}

XLA_FFI_DEFINE_HANDLER_SYMBOL(axlstm_jax, run,
                              ffi::Ffi::Bind().RemainingArgs().RemainingRets().Attr<
                                  ffi::Span<const int64_t>>("description"));
