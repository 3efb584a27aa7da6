// Keeps the time at which the node was last alive in the store, so that after a crash the down-time counts (sessions of
// connected clients have no other mark). One small batch a second. Belongs to shard 0.
#pragma once

#include "runtime/loop.h"
#include "store/key_value.h"
#include "store/records.h"

namespace sb::app {

class AliveMark final : private runtime::Timer {
 public:
  static constexpr Nanos kPeriod{1'000'000'000};

  /// `record` is the row as it was read at the start; nobody else writes it while the node runs.
  AliveMark(runtime::Loop& loop, store::KeyValue& store, const store::NodeRecord& record)
      : loop_(loop), store_(store), record_(record) {
    arm();
  }

 private:
  void arm() { loop_.timers().arm(*this, loop_.now(), kPeriod); }
  void on_timer() override;

  runtime::Loop& loop_;
  store::KeyValue& store_;
  store::NodeRecord record_;
};

}  // namespace sb::app
