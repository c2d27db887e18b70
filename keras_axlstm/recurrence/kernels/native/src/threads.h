// Threads that live for one call: nothing spins beside the thread pools of the frameworks, and a
// fork of the process finds no pool half alive.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "scratch.h"

namespace axlstm {

// OMP_NUM_THREADS, where set, bounds these threads as it bounds those of the frameworks.
static int thread_limit() {
  const char* setting = std::getenv("OMP_NUM_THREADS");
  const int wanted = setting ? std::atoi(setting) : 0;
  const int available = std::max(1u, std::thread::hardware_concurrency());
  return wanted > 0 ? std::min(wanted, available) : available;
}

// Calls work(i, scratch) for every i < count; each thread has its own scratch and takes the next i
// that is left. The first exception of any of them is thrown on.
template <typename Work>
static void parallel_for(int count, const Work& work) {
  std::atomic<int> next{0};
  std::exception_ptr failure;
  std::mutex failing;
  const auto run = [&] {
    try {
      Scratch scratch;
      for (int i = next++; i < count; i = next++) {
        scratch.release({});
        work(i, scratch);
      }
    } catch (...) {
      const std::lock_guard<std::mutex> lock(failing);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < std::min(thread_limit(), count); ++i) others.emplace_back(run);
  run();
  for (std::thread& other : others) other.join();
  if (failure) std::rethrow_exception(failure);
}

// Two phases of work on every head of every batch element: `first(b, h, buffers, scratch)` for all
// heads of a batch element, then `meet(b, buffers of its heads)`, then `second(b, h, buffers,
// scratch)`. `make(scratch)` gives the buffers in which the first phase of a head leaves things to
// the second. A batch element stays on one thread and in its cache if there are enough of them.
template <typename Make, typename First, typename Meet, typename Second>
static void two_phases(int batch, int heads, const Make& make, const First& first, const Meet& meet,
                       const Second& second) {
  using Buffers = decltype(make(std::declval<Scratch&>()));
  const auto make_all = [&](int count, Scratch& scratch) {
    std::vector<Buffers> buffers;
    for (int i = 0; i < count; ++i) buffers.push_back(make(scratch));
    return buffers;
  };
  const int threads = thread_limit();
  if (batch % threads == 0 || batch >= 4 * threads) {
    parallel_for(batch, [&](int b, Scratch& scratch) {
      std::vector<Buffers> buffers = make_all(heads, scratch);
      const Scratch::Mark mark = scratch.mark();
      for (int h = 0; h < heads; ++h, scratch.release(mark)) first(b, h, buffers[h], scratch);
      meet(b, buffers.data());
      for (int h = 0; h < heads; ++h, scratch.release(mark)) second(b, h, buffers[h], scratch);
    });
    return;
  }
  Scratch shared;
  std::vector<Buffers> buffers = make_all(batch * heads, shared);
  parallel_for(batch * heads, [&](int unit, Scratch& scratch) {
    first(unit / heads, unit % heads, buffers[unit], scratch);
  });
  for (int b = 0; b < batch; ++b) meet(b, buffers.data() + b * heads);
  parallel_for(batch * heads, [&](int unit, Scratch& scratch) {
    second(unit / heads, unit % heads, buffers[unit], scratch);
  });
}

}  // namespace axlstm
