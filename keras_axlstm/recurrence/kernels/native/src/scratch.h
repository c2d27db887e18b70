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

  // Everything handed out so far is free again.
  void reset() { block_ = used_ = 0; }

 private:
  static constexpr size_t kAlignment = 64, kBlock = size_t(1) << 21;

  struct Block {
    std::unique_ptr<void, decltype(&std::free)> memory;
    size_t size;
  };

  void* bytes(size_t count) {
    const size_t size = (count + kAlignment - 1) / kAlignment * kAlignment;
    while (block_ < blocks_.size() && used_ + size > blocks_[block_].size) {
      ++block_;
      used_ = 0;
    }
    if (block_ == blocks_.size()) {
      const size_t length = std::max(size, kBlock);
      void* memory = std::aligned_alloc(kAlignment, length);
      if (!memory) throw std::bad_alloc();
      blocks_.push_back({{memory, std::free}, length});
    }
    void* start = static_cast<char*>(blocks_[block_].memory.get()) + used_;
    used_ += size;
    return start;
  }

  std::vector<Block> blocks_;
  size_t block_ = 0, used_ = 0;
};

}  // namespace axlstm
