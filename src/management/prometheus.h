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

class PrometheusText;
class Service;

class PrometheusPage {
 public:
  explicit PrometheusPage(const Service& service) : service_(service) {}

  /// `node`: every sample names it; "" = none does.
  std::string text(std::string_view node = {});
  /// Seven groups of names and numbers.
  boost::json::value json();

 private:
  void write_gauges(PrometheusText& out);
  void write_counters(PrometheusText& out) const;
  void write_collectors(PrometheusText& out, const config::Prometheus::Collectors& wanted) const;
  std::vector<std::pair<std::string, double>> machine_gauges();

  const Service& service_;
  CpuUse cpu_;
};

/// "emqx_packets_connect" of "packets.connect.received".
std::string prometheus_name(std::string_view metric);

}  // namespace sb::management
