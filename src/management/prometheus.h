// The node's metrics as Prometheus reads them (text exposition format 0.0.4) and as the older JSON form. Belongs to the
// management thread; reads counters only, so it never waits for a shard.
#pragma once

#include "config/roots/prometheus.h"
#include "management/machine.h"

#include <boost/json/value.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sb::management {

class Service;

class PrometheusPage {
 public:
  explicit PrometheusPage(const Service& service) : service_(service) {}

  std::string text();
  /// Seven groups of names and numbers.
  boost::json::value json();

  /// Families beside the broker's own, added by others: called at the end of text().
  struct Label {
    std::string_view name;
    std::string_view value;
  };
  class Writer;

 private:
  void write_gauges(Writer& out);
  void write_counters(Writer& out) const;
  void write_collectors(Writer& out, const config::Prometheus::Collectors& wanted) const;
  std::vector<std::pair<std::string, double>> machine_gauges();

  const Service& service_;
  CpuUse cpu_;
};

/// "emqx_packets_connect" of "packets.connect.received".
std::string prometheus_name(std::string_view metric);

}  // namespace sb::management
