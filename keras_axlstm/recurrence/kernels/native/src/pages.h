// Large pages for large arrays: writing to fresh memory for the first time, a page of 4 KiB after the
// other, takes as long as the arithmetic.
#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace axlstm {

// Asks for large pages under `count` elements that are about to be written; null is nothing.
template <typename T>
static void prefer_large_pages(T* array, size_t count) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t kPage = uintptr_t(1) << 21;
  const uintptr_t start = reinterpret_cast<uintptr_t>(array);
  const uintptr_t first = (start + kPage - 1) / kPage * kPage;
  const uintptr_t last = (start + count * sizeof(T)) / kPage * kPage;
  // Where the system declines there are small pages.
  if (array && first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE);
#endif
}

}  // namespace axlstm
