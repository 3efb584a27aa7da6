#include "access/authn/watched.h"

#include "base/json_text.h"

#include <fmt/format.h>

namespace sb::access::authn {

void Questions::told(const Error* error) {
  if (!error && !failing_.load(std::memory_order_relaxed)) return;
  if (error && (error->code == Errc::Unavailable || error->code == Errc::Timeout)) return;
  const std::lock_guard guard(mutex_);
  trouble_ = error ? error->what : std::string();
  const bool before = failing_.exchange(error != nullptr, std::memory_order_relaxed);
  if (error && !before)
    alarms_.activate(alarm_, "questions fail: " + error->what,
                     {{"resource_id", json_quoted(id_)}, {"reason", "\"query_failed\""}});
  if (!error && before) alarms_.deactivate(alarm_);
}

Provider::State Questions::into(Provider::State state) const {
  const std::lock_guard guard(mutex_);
  if (state.reason.empty() && !trouble_.empty()) state.reason = "questions fail: " + trouble_;
  return state;
}

}  // namespace sb::access::authn
