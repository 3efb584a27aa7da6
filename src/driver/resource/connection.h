// One connection to a back end, used by one thread at a time. Every call that waits takes a Limit and keeps to it.
#pragma once

#include "driver/resource/limit.h"

#include <functional>
#include <memory>

namespace sb::driver::resource {

class Connection {
 public:
  virtual ~Connection() = default;
  /// A round trip that costs the back end next to nothing.
  [[nodiscard]] virtual Result<> check(const Limit& limit) = 0;
  /// Whether another request may be sent. Asked before and after each; must not wait. After a time-out or a broken
  /// answer it is false for ever: what comes late must not be read as the answer to the next question.
  virtual bool usable() = 0;
};

/// Makes a connection that is ready for requests: greeted, authenticated.
using Open = std::function<Result<std::unique_ptr<Connection>>(const Limit&)>;

}  // namespace sb::driver::resource
