#include "store/batch.h"

#include "base/check.h"

namespace sb::store {

namespace {
constexpr std::size_t kFirstBytes = 4096;
}

Batch::Mark Batch::erase_prefix(Table table, std::string_view prefix) {
  // The end of the range is the prefix's successor, which an empty one and one of 0xFF alone do not have.
  SB_CHECK(prefix.find_first_not_of('\xFF') != std::string_view::npos, "erase_prefix needs a byte below 0xFF");
  const Space at = add(Op::ErasePrefix, table, prefix.size(), 0);
  copy(at.key, prefix);
  return at.mark;
}

void Batch::append(const Batch& other) {
  if (other.size_ == 0) return;
  if (capacity_ - size_ < other.size_) grow(other.size_);
  std::memcpy(data_.get() + size_, other.data_.get(), other.size_);
  size_ += other.size_;
  count_ += other.count_;
}

void Batch::cancel(Mark mark) {
  SB_CHECK(mark + sizeof(Header) <= size_, "mark of another batch");
  Header header;
  std::memcpy(&header, data_.get() + mark, sizeof header);
  if (header.op == Op::Cancelled) return;
  header.op = Op::Cancelled;
  std::memcpy(data_.get() + mark, &header, sizeof header);
  --count_;
}

void Batch::clear() {
  size_ = 0;
  count_ = 0;
  if (capacity_ > kKeptBytes) {
    data_.reset();
    capacity_ = 0;
  }
}

void Batch::grow(std::size_t more) {
  SB_CHECK(more < (std::size_t{1} << 32), "4 GiB or more at once");
  const std::size_t wanted = std::max({size_ + more, capacity_ * 2, kFirstBytes});
  auto bigger = std::make_unique_for_overwrite<std::uint8_t[]>(wanted);
  if (size_ != 0) std::memcpy(bigger.get(), data_.get(), size_);
  data_ = std::move(bigger);
  capacity_ = wanted;
}

}  // namespace sb::store
