// Records named by 32-bit indices: half of a pointer, stable, in blocks that never move. Freed indices are used again;
// an empty pool gives its memory back. Belongs to one shard.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace sb::broker::detail {

inline constexpr std::uint32_t kNoIndex = ~0U;

template <class T>
class IndexPool {
 public:
  std::uint32_t take() {
    ++used_;
    if (!free_.empty()) {
      const std::uint32_t index = free_.back();
      free_.pop_back();
      return index;
    }
    if (end_ >> kBlockBits == blocks_.size()) blocks_.push_back(std::make_unique<T[]>(kBlock));
    return end_++;
  }
  void give(std::uint32_t index) {
    (*this)[index] = T{};
    free_.push_back(index);
    if (--used_ != 0) return;
    blocks_ = std::vector<std::unique_ptr<T[]>>();
    free_ = std::vector<std::uint32_t>();
    end_ = 0;
  }
  T& operator[](std::uint32_t index) { return blocks_[index >> kBlockBits][index & (kBlock - 1)]; }
  const T& operator[](std::uint32_t index) const { return blocks_[index >> kBlockBits][index & (kBlock - 1)]; }
  /// All indices in use are below.
  std::uint32_t end() const { return end_; }

 private:
  static constexpr unsigned kBlockBits = 10;
  static constexpr std::size_t kBlock = std::size_t{1} << kBlockBits;
  std::vector<std::unique_ptr<T[]>> blocks_;
  std::vector<std::uint32_t> free_;
  std::uint32_t end_ = 0;
  std::size_t used_ = 0;
};

}  // namespace sb::broker::detail
