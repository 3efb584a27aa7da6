// Where each packet id of a large window stands, and which ids are free. Made when a search would be long, kept up from
// then on; ordinary windows are searched without one. Belongs to its session.
#pragma once

#include "base/mqtt_types.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <array>
#include <bit>
#include <cstdint>
#include <optional>

namespace sb::broker::detail {

class InflightIndex {
 public:
  /// `used`: not acknowledged yet, so that the id is its own.
  void push_back(PacketId id, bool used) {
    if (used) {
      places_[id] = next_;
      word(id) |= bit(id);
    }
    ++next_;
  }
  void drop_front() { ++first_; }
  void erase(PacketId id) {
    places_.erase(id);
    word(id) &= ~bit(id);
  }
  /// The position in the window.
  std::optional<std::size_t> find(PacketId id) const {
    const auto found = places_.find(id);
    if (found == places_.end()) return std::nullopt;
    return found->second - first_;
  }
  /// The nearest free id below `id`, going round. None if all 65535 are taken.
  std::optional<PacketId> free_below(PacketId id) const {
    // Id 0 does not exist: it counts as taken.
    std::size_t at = id / 64;
    std::uint64_t candidates = ~taken_[at] & (bit(id) - 1);
    for (std::size_t step = 0; step <= kWords; ++step) {
      if (candidates != 0)
        return static_cast<PacketId>(at * 64 + 63 - static_cast<std::size_t>(std::countl_zero(candidates)));
      at = (at + kWords - 1) % kWords;
      candidates = ~taken_[at];
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kWords = 65536 / 64;
  static std::uint64_t bit(PacketId id) { return std::uint64_t{1} << (id % 64); }
  std::uint64_t& word(PacketId id) { return taken_[id / 64]; }

  boost::unordered_flat_map<PacketId, std::size_t> places_;
  std::array<std::uint64_t, kWords> taken_{1};
  // Entries are numbered as they come in.
  std::size_t first_ = 0;  // at the front of the window
  std::size_t next_ = 0;
};

}  // namespace sb::broker::detail
