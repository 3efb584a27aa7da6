#include "config/roots/prometheus.h"

#include "base/header_text.h"

namespace sb::config {

void use_present_prometheus(Value& value) {
  auto* fields = value.if_object();
  if (!fields) return;
  Problems ignored;
  constexpr std::pair<std::string_view, std::string_view> kMoved[] = {
      {"push_gateway_server", "push_gateway.url"},
      {"interval", "push_gateway.interval"},
      {"headers", "push_gateway.headers"},
      {"job_name", "push_gateway.job_name"},
      {"enable", "push_gateway.enable"},
      {"vm_dist_collector", "collectors.vm_dist"},
      {"vm_dist", "collectors.vm_dist"},
      {"mnesia", "collectors.mnesia"},
      {"vm_statistics", "collectors.vm_statistics"},
      {"vm_system_info", "collectors.vm_system_info"},
      {"vm_memory", "collectors.vm_memory"},
      {"vm_msacc", "collectors.vm_msacc"},
      {"mnesia_collector", "collectors.mnesia"},
      {"vm_statistics_collector", "collectors.vm_statistics"},
      {"vm_system_info_collector", "collectors.vm_system_info"},
      {"vm_memory_collector", "collectors.vm_memory"},
      {"vm_msacc_collector", "collectors.vm_msacc"}};
  for (const auto& [old, present] : kMoved) {
    const auto at = fields->find(old);
    if (at == fields->end()) continue;
    Value moved = std::move(at->second);
    fields->erase(at);
    if (!value.at_path(present)) put(value, present, std::move(moved), true, ignored);
  }
}

namespace {

/// What goes on the wire as it is. The headers may hold a secret: none of their texts is told.
void check_headers(Checker& c, const Value& v, const Prometheus::PushGateway& gateway) {
  const Value* headers = v.find("headers");
  if (!headers || !c.usable("headers")) return;
  const auto refuse = [&](std::string expected) {
    const Checker::Level level(c, "headers");
    c.error(headers->at.file ? *headers : v, "integrity_validation_failure: bad_header", std::move(expected), "");
  };
  for (const auto& [name, text] : gateway.headers) {
    std::string lower = name;
    for (char& letter : lower)
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    if (!is_header_name(name) || !is_header_value(text))
      return refuse("names of letters, digits and -, with texts of one line that are not empty");
    if (is_header_of_size(lower))
      return refuse("no content-length and no transfer-encoding: the request tells its own");
  }
}

}  // namespace

const Struct& Prometheus::PushGateway::schema() {
  using S = PushGateway;
  static const Struct s =
      Schema<S>("push_gateway", Hot::Y)
          .field("enable", &S::enable, {.def = "false", .doc = "Whether the metrics are pushed."})
          .field("url", &S::url, {.def = "\"http://127.0.0.1:9091\"", .min = 1, .doc = "Address of the push gateway."})
          .field("interval", &S::interval, {.def = "15s", .min = 1000, .doc = "Time between two pushes."})
          .field("headers", &S::headers, {.def = "{}", .doc = "HTTP headers sent along."})
          .field("job_name", &S::job_name,
                 {.def = "\"${name}/instance/${name}~${host}\"",
                  .min = 1,
                  .doc = "Job; ${name} and ${host} are of the node."})
          .finish([](Checker& c, const Value& v, S& gateway) {
            if (!gateway.url.starts_with("http://") && !gateway.url.starts_with("https://"))
              c.broken(v, "url", "bad_url", "http://… or https://…");
            check_headers(c, v, gateway);
          })
          .build();
  return s;
}

const Struct& Prometheus::Collectors::schema() {
  using S = Collectors;
  static const Struct s =
      Schema<S>("collectors", Hot::Y)
          .field("vm_dist", &S::vm_dist, {.def = "disabled", .doc = "Links between nodes."})
          .field("mnesia", &S::mnesia, {.def = "disabled", .doc = "The store."})
          .field("vm_statistics", &S::vm_statistics, {.def = "disabled", .doc = "Event loops."})
          .field("vm_system_info", &S::vm_system_info, {.def = "disabled", .doc = "Threads and descriptors."})
          .field("vm_memory", &S::vm_memory, {.def = "disabled", .doc = "Memory of the process."})
          .field("vm_msacc", &S::vm_msacc, {.def = "disabled", .doc = "Processor time of the process."})
          .build();
  return s;
}

const Struct& Prometheus::schema() {
  using S = Prometheus;
  static const Struct s =
      Schema<S>("prometheus", Hot::Y)
          .doc("Metrics for Prometheus.")
          .prepare([](Checker&, Value& v) { use_present_prometheus(v); })
          .field("enable_basic_auth", &S::enable_basic_auth,
                 {.def = "false", .doc = "Whether reading the metrics needs a log-in or an API key."})
          .field("push_gateway", &S::push_gateway, {.doc = "Pushing the metrics."})
          .field("collectors", &S::collectors, {.doc = "Families beside those of the broker."})
          .build();
  return s;
}

}  // namespace sb::config
