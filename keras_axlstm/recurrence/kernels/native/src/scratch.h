// Working memory of one thread, reused from one piece of work and one call to the next: fresh pages
// cost more than the arithmetic done on them.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <vector>

namespace axlstm {

class Scratch {
 public:
  // Uninitialised, aligned to a cache line.
  float* floats(size_t count) { return static_cast<float*>(bytes(count * sizeof(float))); }
  double* doubles(size_t count) { return static_cast<double*>(bytes(count * sizeof(double))); }

  float* zeros(size_t count) {
    float* block = floats(count);
    memset(block, 0, count * sizeof(float));
    return block;
  }

  // What is handed out after `mark` is free again after `release(mark)`.
  struct Mark {
    size_t block = 0, used = 0;
  };

  Mark mark() const { return next_; }
  void release(Mark mark) { next_ = mark; }

  size_t size() const {
    size_t total = 0;
    for (const Block& block : blocks_) total += block.size;
    return total;
  }

 private:
  static constexpr size_t kAlignment = 64, kBlock = size_t(1) << 21;

  struct Block {
    std::unique_ptr<void, decltype(&std::free)> memory;
    size_t size;
  };

  void* bytes(size_t count) {
    const size_t size = (count + kAlignment - 1) / kAlignment * kAlignment;
    while (next_.block < blocks_.size() && next_.used + size > blocks_[next_.block].size)
      next_ = {next_.block + 1, 0};
    if (next_.block == blocks_.size()) {
      const size_t length = std::max(size, kBlock);
      void* memory = std::aligned_alloc(kAlignment, length);
      if (!memory) throw std::bad_alloc();
      blocks_.push_back({{memory, std::free}, length});
    }
    void* start = static_cast<char*>(blocks_[next_.block].memory.get()) + next_.used;
    next_.used += size;
    return start;
  }

  std::vector<Block> blocks_;
  Mark next_;
};

// Scratch on loan to a thread. A few that are not too large are kept for later calls.
class BorrowedScratch {
 public:
  BorrowedScratch() {
    // In the child of a fork another thread may have left the lock closed: then nothing is reused.
    const std::unique_lock<std::mutex> lock(shelf().mutex, std::try_to_lock);
    if (lock && !shelf().kept.empty()) {
      scratch_ = std::move(shelf().kept.back());
      shelf().kept.pop_back();
    } else {
      scratch_ = std::make_unique<Scratch>();
    }
    scratch_->release({});
  }

  ~BorrowedScratch() {
    if (scratch_->size() > kLargest) return;
    const std::unique_lock<std::mutex> lock(shelf().mutex, std::try_to_lock);
    if (lock && shelf().kept.size() < kMost) shelf().kept.push_back(std::move(scratch_));
  }

  BorrowedScratch(const BorrowedScratch&) = delete;
  BorrowedScratch& operator=(const BorrowedScratch&) = delete;

  Scratch& operator*() const { return *scratch_; }

 private:
  static constexpr size_t kLargest = size_t(1) << 26, kMost = 16;

  struct Shelf {
    std::mutex mutex;
    std::vector<std::unique_ptr<Scratch>> kept;
  };

  // Never destroyed: threads may still compute while the process ends.
  static Shelf& shelf() {
    static Shelf* const shelf = [] {
      auto* made = new Shelf;
      made->kept.reserve(kMost);
      return made;
    }();
    return *shelf;
  }

  std::unique_ptr<Scratch> scratch_;
};

}  // namespace axlstm
