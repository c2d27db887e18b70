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
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "denormals.h"
#include "scratch.h"

namespace axlstm {

// Pieces of work 0 .. count - 1, taken by whichever thread is free.
struct Phase {
  int count;
  std::function<void(int, Scratch&)> work;
};

// Phases one after the other: a piece may read what any piece of an earlier phase has left. The
// threads stay for all of them, since to call them together takes longer than a short phase.
class Job {
 public:
  Job(std::vector<Phase> phases, int threads)
      : phases_(std::move(phases)), threads_(threads), progress_(phases_.size()) {
    for (size_t phase = 0; phase < phases_.size(); ++phase)
      progress_[phase].taken = std::vector<std::atomic<bool>>(phases_[phase].count);
  }

  // Works until no piece is left. A thread that comes late finds none and touches nothing.
  void run() {
    std::optional<Helper> helper;
    const int thread = joined_++;
    for (size_t phase = 0; phase < phases_.size(); ++phase) {
      const int count = phases_[phase].count;
      // From a place of the thread's own, so that it meets in its cache what it has left there.
      const int first = int(int64_t(thread % threads_) * count / threads_);
      for (int step = 0; step < count; ++step) {
        const int i = (first + step) % count;
        if (progress_[phase].taken[i].exchange(true)) continue;
        if (!failed_) work(phase, i, helper);
        ++progress_[phase].finished;
      }
      if (phase + 1 < phases_.size()) wait(phase);
    }
  }

  // Waits for the pieces that other threads have taken; throws the first exception of any.
  void finish() {
    wait(phases_.size() - 1);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  // What a thread holds while it works.
  struct Helper {
    BorrowedScratch scratch;
    NoDenormals no_denormals;
  };

  struct Progress {
    std::vector<std::atomic<bool>> taken;
    std::atomic<int> finished{0};
  };

  void work(size_t phase, int i, std::optional<Helper>& helper) {
    try {
      if (!helper) helper.emplace();
      (*helper->scratch).release({});
      phases_[phase].work(i, *helper->scratch);
    } catch (...) {
      const std::lock_guard<std::mutex> lock(failing_);
      if (!failure_) failure_ = std::current_exception();
      failed_ = true;
    }
  }

  void wait(size_t phase) const {
    while (progress_[phase].finished < phases_[phase].count) std::this_thread::yield();
  }

  const std::vector<Phase> phases_;
  const int threads_;
  std::vector<Progress> progress_;
  std::atomic<int> joined_{0};
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

// Calls work(i, scratch) for every i < count of every phase; each thread has its own scratch.
static void parallel_phases(std::vector<Phase> phases) {
  int widest = 0;
  for (const Phase& phase : phases) widest = std::max(widest, phase.count);
  const int others = std::min(thread_limit(), widest) - 1;
  const auto job = std::make_shared<Job>(std::move(phases), others + 1);
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

template <typename Work>
static void parallel_for(int count, const Work& work) {
  parallel_phases({{count, std::cref(work)}});
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
  parallel_phases({{batch * heads,
                    [&](int unit, Scratch& scratch) {
                      first(unit / heads, unit % heads, buffers[unit], scratch);
                    }},
                   {batch, [&](int b, Scratch&) { meet(b, buffers.data() + b * heads); }},
                   {batch * heads, [&](int unit, Scratch& scratch) {
                      second(unit / heads, unit % heads, buffers[unit], scratch);
                    }}});
}

}  // namespace axlstm
