#include "broker/metrics.h"

namespace sb::broker {

std::string_view to_string(Metric metric) {
  static constexpr std::string_view kNames[] = {
#define SB_METRIC_NAME(id, name) name,
      SB_METRICS(SB_METRIC_NAME)
#undef SB_METRIC_NAME
  };
  return kNames[static_cast<std::size_t>(metric)];
}

}  // namespace sb::broker
