// Looks once a minute whether the certificate files of the listeners have changed and has them read for the handshakes
// to come. Belongs to a loop that is no shard's: it waits for the shards.
#pragma once

#include "app/listeners.h"
#include "runtime/loop.h"

namespace sb::app {

class CertificateWatch final : private runtime::Timer {
 public:
  static constexpr Nanos kPeriod{60'000'000'000};

  CertificateWatch(runtime::Loop& loop, Listeners& listeners, Nanos period = kPeriod)
      : loop_(loop), listeners_(listeners), period_(period) {
    arm();
  }

 private:
  void arm() { loop_.timers().arm(*this, loop_.now(), period_); }
  void on_timer() override {
    arm();
    listeners_.reload_changed_certificates();
  }

  runtime::Loop& loop_;
  Listeners& listeners_;
  Nanos period_;
};

}  // namespace sb::app
