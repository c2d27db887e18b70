// Threads that live for one call: nothing spins beside the thread pools of the frameworks, and a
// fork of the process finds no pool half alive.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>
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
        scratch.reset();
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

}  // namespace axlstm
