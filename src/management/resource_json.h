// Counters of a back end as the management interface shows them.
#pragma once

#include "driver/resource/resource.h"

#include <boost/json/object.hpp>

namespace sb::management {

/// Empty where there is no back end.
inline boost::json::object to_json(const driver::resource::Resource* resource) {
  if (!resource) return {};
  const auto load = [](const auto& counter) { return counter.load(std::memory_order_relaxed); };
  const driver::resource::Counters& counters = resource->counters();
  return {{"matched", load(counters.matched)},         {"success", load(counters.success)},
          {"failed", load(counters.failed)},           {"dropped.queue_full", load(counters.queue_full)},
          {"dropped.expired", load(counters.expired)}, {"late_reply", load(counters.late_reply)},
          {"queuing", load(counters.queuing)},         {"inflight", load(counters.inflight)},
          {"rate", counters.rate.current()},           {"rate_last5m", counters.rate.last_5m()},
          {"rate_max", counters.rate.most()}};
}

}  // namespace sb::management
