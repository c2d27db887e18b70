// Work shared by threads, those of the framework where it lends them: between two operations they
// wait in a loop for a while, and threads of our own would take turns with them on the same cores.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "scratch.h"

namespace axlstm {

// Pieces of work 0 .. count - 1, taken by whichever thread is free.
class Job {
 public:
  Job(int count, std::function<void(int, Scratch&)> work) : count_(count), work_(std::move(work)) {}

  // Works until no piece is left. A thread that comes late finds none and touches nothing.
  void run() {
    int i = next_++;
    if (i >= count_) return;
    const BorrowedScratch scratch;
    for (; i < count_; i = next_++, ++finished_) {
      if (failed_) continue;
      try {
        (*scratch).release({});
        work_(i, *scratch);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(failing_);
        if (!failure_) failure_ = std::current_exception();
        failed_ = true;
      }
    }
  }

  // Waits for the pieces that other threads have taken; throws the first exception of any.
  void finish() {
    while (finished_ < count_) std::this_thread::yield();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  const int count_;
  const std::function<void(int, Scratch&)> work_;
  std::atomic<int> next_{0}, finished_{0};
  std::atomic<bool> failed_{false};
  std::exception_ptr failure_;
  std::mutex failing_;
};

// A pool that a framework lends for one call, on the thread that calls.
struct ThreadPool {
  virtual int threads() const = 0;
  virtual void start(std::function<void()> task) = 0;
};

inline thread_local ThreadPool* lent_pool = nullptr;

// The OpenMP that a framework has loaded.
struct OpenMP {
  void (*parallel)(void (*work)(void*), void* data, unsigned threads, unsigned flags);
  int (*threads)();
};

inline OpenMP lent_openmp{};

inline int thread_limit() {
  if (lent_pool) return lent_pool->threads();
  if (lent_openmp.parallel) return lent_openmp.threads();
  const char* setting = std::getenv("OMP_NUM_THREADS");
  const int wanted = setting ? std::atoi(setting) : 0;
  const int available = std::max(1u, std::thread::hardware_concurrency());
  return wanted > 0 ? std::min(wanted, available) : available;
}

// Calls work(i, scratch) for every i < count; each thread has its own scratch.
template <typename Work>
static void parallel_for(int count, const Work& work) {
  const auto job = std::make_shared<Job>(count, std::cref(work));
  const int others = std::min(thread_limit(), count) - 1;
  std::vector<std::thread> own;
  if (others > 0 && lent_pool) {
    for (int i = 0; i < others; ++i) lent_pool->start([job] { job->run(); });
  } else if (others > 0 && lent_openmp.parallel) {
    const auto run = [](void* job) { static_cast<Job*>(job)->run(); };
    lent_openmp.parallel(run, job.get(), others + 1, 0);
  } else {
    for (int i = 0; i < others; ++i) own.emplace_back([job] { job->run(); });
  }
  job->run();
  for (std::thread& thread : own) thread.join();
  job->finish();
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
  const BorrowedScratch shared;
  std::vector<Buffers> buffers = make_all(batch * heads, *shared);
  parallel_for(batch * heads, [&](int unit, Scratch& scratch) {
    first(unit / heads, unit % heads, buffers[unit], scratch);
  });
  for (int b = 0; b < batch; ++b) meet(b, buffers.data() + b * heads);
  parallel_for(batch * heads, [&](int unit, Scratch& scratch) {
    second(unit / heads, unit % heads, buffers[unit], scratch);
  });
}

}  // namespace axlstm
