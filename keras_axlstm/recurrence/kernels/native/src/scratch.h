// Working memory of one thread, reused from one piece of work to the next: fresh pages cost more
// than the arithmetic done on them.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
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

}  // namespace axlstm
