// The shards of a node driven by hand: every loop turns in one thread, on a clock that moves when told to. Channels,
// streams, sessions and the hand-over between shards are the real ones; a client is the other end of a socket pair.
#pragma once

#include "app/shard.h"
#include "base/clock.h"
#include "store/key_value.h"

#include <memory>
#include <vector>

namespace sb::sim {

/// Grid time, which the model sees, and a little more that passes while the shards turn: a batch for the disk lingers.
class RigClock final : public Clock {
 public:
  Nanos monotonic() const override { return Nanos{1'000'000'000} + grid_ + within_; }
  std::int64_t wall_ms() const override {
    return 1'700'000'000'000 + std::chrono::duration_cast<Millis>(grid_).count();
  }
  void advance(Millis by) {
    grid_ += by;
    within_ = Nanos{0};
  }
  /// False: the next tick of the timers would begin.
  bool linger() {
    if (within_ + kLinger >= Millis{8}) return false;
    within_ += kLinger;
    return true;
  }

 private:
  static constexpr Nanos kLinger{500'000};
  Nanos grid_{0};
  Nanos within_{0};
};

struct RigOptions {
  unsigned shards = 1;
  bool durable = false;  // sessions and retained messages are written to a store in memory
  client::ZoneSettings zone{};
  broker::CoreSettings core{};
  broker::RouterOptions router{};
};

class Rig {
 public:
  /// Timers have ticks of 8 ms and the clock moves in multiples of them: what is due is due exactly.
  static constexpr Millis kTick{8};
  static constexpr Millis kStep{24};

  explicit Rig(RigOptions options);
  ~Rig();
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;

  /// A connection to the listener of one shard; the caller owns the descriptor, which does not block.
  int connect(unsigned shard);
  /// One turn of every shard. False: nothing waits between or inside the shards.
  bool turn();
  void advance(Millis by) { clock_.advance(by); }
  /// Lets what waits for the disk go there. False: the clock must be advanced by a tick first.
  bool linger() { return !options_.durable || clock_.linger(); }
  /// So many turns without anything moving are rest: some turns between shards, and longer than a batch may wait.
  unsigned turns_of_rest() const { return options_.durable ? 40 : 2; }
  std::int64_t now_ms() const { return clock_.wall_ms(); }

  broker::Core& core() { return *core_; }
  unsigned shards() const { return options_.shards; }
  broker::Session* find(std::string_view client_id) { return core_->shard(core_->home_of(client_id)).find(client_id); }
  std::size_t sessions();
  std::size_t subscriptions();

 private:
  RigOptions options_;
  RigClock clock_;
  std::unique_ptr<store::KeyValue> store_;
  std::unique_ptr<runtime::Reclaimer> reclaimer_;
  std::unique_ptr<broker::Core> core_;
  client::ListenerRef listener_;
  std::shared_ptr<client::ListenerState> listener_state_;
  std::vector<std::unique_ptr<app::Shard>> shards_;
};

}  // namespace sb::sim
