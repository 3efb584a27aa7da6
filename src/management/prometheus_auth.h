// Counters of authenticators, authorization sources and bans as Prometheus reads them (since 5.5 a page of its own).
// Belongs to the management thread.
#pragma once

#include <string>
#include <string_view>

namespace sb::management {

class Service;

/// `node` as in PrometheusText.
std::string prometheus_auth(const Service& service, std::string_view node);

}  // namespace sb::management
