// A value that must not be seen: prints as ******, wipes itself, and is read only by reveal().
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace sb {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      value_ = std::move(other.value_);
      other.wipe();
    }
    return *this;
  }
  ~Secret() { wipe(); }

  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  void wipe() noexcept {
    volatile char* p = value_.data();
    for (std::size_t i = 0; i < value_.size(); ++i) p[i] = 0;
    value_.clear();
  }
  std::string value_;
};

constexpr std::string_view kMasked = "******";

}  // namespace sb

template <>
struct fmt::formatter<sb::Secret> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const sb::Secret&, Context& ctx) const {
    return fmt::formatter<std::string_view>::format(sb::kMasked, ctx);
  }
};
