#include "config/config.h"

namespace sb::config {

const Struct& Zone::schema() {
  static const Struct s = Schema<Zone>("zone")
                              .doc("A set of overrides; what is absent is read from the global root.")
                              .field("mqtt", &Zone::mqtt)
                              .field("stats", &Zone::stats)
                              .field("flapping_detect", &Zone::flapping_detect)
                              .field("force_shutdown", &Zone::force_shutdown)
                              .field("conn_congestion", &Zone::conn_congestion)
                              .field("force_gc", &Zone::force_gc)
                              .field("overload_protection", &Zone::overload_protection)
                              .build();
  return s;
}

const Struct& Roots::schema() {
  static const Struct s = Schema<Roots>("root")
                              .field("node", &Roots::node)
                              .field("cluster", &Roots::cluster)
                              .field("rpc", &Roots::rpc)
                              .field("log", &Roots::log)
                              .field("mqtt", &Roots::mqtt)
                              .field("zones", &Roots::zones, {.hidden = true, .partial = true})
                              .field("listeners", &Roots::listeners)
                              .field("broker", &Roots::broker, {.hidden = true})
                              .field("sys_topics", &Roots::sys_topics)
                              .field("sysmon", &Roots::sysmon)
                              .field("alarm", &Roots::alarm)
                              .field("flapping_detect", &Roots::flapping_detect)
                              .field("force_shutdown", &Roots::force_shutdown)
                              .field("force_gc", &Roots::force_gc)
                              .field("conn_congestion", &Roots::conn_congestion)
                              .field("overload_protection", &Roots::overload_protection)
                              .field("stats", &Roots::stats, {.hidden = true})
                              .field("retainer", &Roots::retainer)
                              .field("delayed", &Roots::delayed)
                              .field("rewrite", &Roots::rewrite, {.def = "[]"})
                              .field("topic_metrics", &Roots::topic_metrics, {.def = "[]"})
                              .field("auto_subscribe", &Roots::auto_subscribe)
                              .field("slow_subs", &Roots::slow_subs)
                              .field("psk_authentication", &Roots::psk_authentication)
                              .field("authorization", &Roots::authorization)
                              .field("authentication", &Roots::authentication, {.def = "[]"})
                              .field("authentication_failure_limit", &Roots::authentication_failure_limit)
                              .field("crl_cache", &Roots::crl_cache)
                              .field("limiter", &Roots::limiter, {.hidden = true})
                              .field("session_persistence", &Roots::session_persistence, {.hidden = true})
                              .field("prometheus", &Roots::prometheus)
                              .field("license", &Roots::license)
                              .field("dashboard", &Roots::dashboard)
                              .field("api_key", &Roots::api_key)
                              .open()
                              .build();
  return s;
}

const Zone& Config::zone(std::string_view name) const {
  const auto it = zones.find(std::string(name));
  return it != zones.end() ? it->second : zones.find("default")->second;
}

}  // namespace sb::config
