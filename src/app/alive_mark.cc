#include "app/alive_mark.h"

#include <algorithm>

namespace sb::app {

void AliveMark::on_timer() {
  arm();
  record_.last_wall_ms = std::max(record_.last_wall_ms, loop_.wall_ms());
  store::Batch batch;
  store::put(batch, record_);
  // Refused (the store is behind, or the disk is full): the store tells about it itself, and the next mark comes soon.
  const auto queued = store_.try_commit(std::move(batch), [](Result<>, store::Batch) {});
  static_cast<void>(queued);
}

}  // namespace sb::app
