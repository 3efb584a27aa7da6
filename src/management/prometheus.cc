#include "management/prometheus.h"

#include "management/prometheus_text.h"
#include "management/service.h"

#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

namespace sb::management {

namespace json = boost::json;

namespace {

/// Prometheus knows these counters by other names.
constexpr std::pair<std::string_view, std::string_view> kRenamed[] = {
    {"packets.connect.received", "packets.connect"},
    {"messages.dropped.await_pubrel_timeout", "messages.dropped.expired"}};

/// A gauge that the page does not show.
bool hidden_gauge(std::string_view name) {
  return name.starts_with("channels.");
}

bool overload_counter(std::string_view name) {
  return name.starts_with("overload_protection.");
}

}  // namespace

std::string prometheus_name(std::string_view metric) {
  for (const auto& [name, known_as] : kRenamed)
    if (metric == name) metric = known_as;
  std::string out = "emqx_" + std::string(metric);
  std::replace(out.begin(), out.end(), '.', '_');
  return out;
}

std::vector<std::pair<std::string, double>> PrometheusPage::machine_gauges() {
  const CpuUse::Share cpu = cpu_.look();
  const Memory memory = machine_memory();
  std::size_t waiting = 0;
  broker::Core& core = *service_.environment().core;
  for (unsigned id = 0; id < core.shards(); ++id) waiting += core.shard(id).loop().pending_tasks();
  return {{"emqx_vm_cpu_use", cpu.use},
          {"emqx_vm_cpu_idle", cpu.idle},
          {"emqx_vm_run_queue", static_cast<double>(waiting)},
          {"emqx_vm_process_messages_in_queues", 0},
          {"emqx_vm_total_memory", static_cast<double>(memory.total)},
          {"emqx_vm_used_memory", static_cast<double>(memory.used)}};
}

void PrometheusPage::write_gauges(PrometheusText& out) {
  for (const auto& [name, value] : service_.gauges()) {
    if (hidden_gauge(name)) continue;
    const bool peak = name.ends_with(".max");
    const std::string what = name.substr(0, name.rfind('.'));
    out.family(prometheus_name(name), "gauge", (peak ? "Most so far of: " : "Now: ") + what);
    out.sample(value);
  }
  for (const auto& [name, value] : machine_gauges()) {
    out.family(name, "gauge", "Of the machine: " + name.substr(std::string_view("emqx_vm_").size()));
    out.sample(value);
  }
  out.family("emqx_cluster_nodes_running", "gauge", "Nodes of the cluster that run");
  out.sample(std::uint64_t{1});
  out.family("emqx_cluster_nodes_stopped", "gauge", "Nodes of the cluster that do not run");
  out.sample(std::uint64_t{0});
}

void PrometheusPage::write_counters(PrometheusText& out) const {
  const config::ConfigStore* config = service_.environment().config;
  bool overload = false;
  if (config)
    for (const auto& [name, zone] : config->current()->zones) overload = overload || zone.overload_protection.enable;
  for (const auto& [name, value] : service_.metrics()) {
    if (overload_counter(name) && !overload) continue;
    out.family(prometheus_name(name), "counter", fmt::format("Since the start: {}", name));
    out.sample(value);
  }
  out.family("emqx_messages_retained", "counter", "Kept for compatibility");
  out.sample(std::uint64_t{0});
}

void PrometheusPage::write_collectors(PrometheusText& out, const config::Prometheus::Collectors& wanted) const {
  using config::Switch;
  broker::Core& core = *service_.environment().core;
  if (wanted.vm_memory == Switch::Enabled) {
    out.family("signalbox_process_memory_bytes", "gauge", "Memory of the process");
    for (const auto& [kind, line] :
         {std::pair{"resident", "VmRSS:"}, std::pair{"peak", "VmHWM:"}, std::pair{"data", "VmData:"}})
      out.sample({"kind", kind}, static_cast<double>(process_memory(line)));
  }
  if (wanted.vm_statistics == Switch::Enabled) {
    out.family("signalbox_shard_load_ratio", "gauge", "Share of its time that an event loop works");
    for (unsigned id = 0; id < core.shards(); ++id)
      out.sample({"shard", std::to_string(id)}, core.shard(id).loop().load_permille() / 1000.0);
    out.family("signalbox_shard_pending_tasks", "gauge", "Tasks that wait for an event loop");
    for (unsigned id = 0; id < core.shards(); ++id)
      out.sample({"shard", std::to_string(id)}, static_cast<double>(core.shard(id).loop().pending_tasks()));
  }
  if (wanted.vm_system_info == Switch::Enabled) {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    out.family("signalbox_process_threads", "gauge", "Threads of the process");
    out.sample(folder_entries("/proc/self/task"));
    out.family("signalbox_process_open_files", "gauge", "Open descriptors of the process");
    out.sample(folder_entries("/proc/self/fd"));
    out.family("signalbox_process_max_files", "gauge", "Descriptors that the process may open");
    out.sample(std::uint64_t{files.rlim_cur});
  }
  if (wanted.vm_msacc == Switch::Enabled) {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    out.family("signalbox_process_cpu_seconds_total", "counter", "Processor time of the process");
    out.sample({"mode", "user"}, seconds(used.ru_utime));
    out.sample({"mode", "system"}, seconds(used.ru_stime));
  }
  store::KeyValue* store = service_.environment().store ? service_.environment().store() : nullptr;
  if (wanted.mnesia == Switch::Enabled && store) {
    const store::Stats stats = store->stats();
    out.family("signalbox_store_records", "gauge", "Records of a table, estimated");
    for (std::size_t i = 0; i < store::kTableCount; ++i)
      out.sample({"table", store::kTableNames[i]}, static_cast<double>(stats.records[i]));
    out.family("signalbox_store_disk_bytes", "gauge", "Bytes of the store on disk");
    out.sample(stats.disk_bytes + stats.log_bytes);
    out.family("signalbox_store_batches", "counter", "Batches that were committed");
    out.sample(stats.batches);
    out.family("signalbox_store_failed", "counter", "Batches that the disk refused");
    out.sample(stats.failed);
  }
}

std::string PrometheusPage::text(std::string_view node) {
  PrometheusText out(node);
  write_gauges(out);
  write_counters(out);
  if (const config::ConfigStore* config = service_.environment().config)
    write_collectors(out, config->current()->prometheus.collectors);
  return out.take();
}

boost::json::value PrometheusPage::json() {
  json::object groups;
  for (const char* group : {"stats", "metrics", "packets", "messages", "delivery", "client", "session"})
    groups[group] = json::object();
  for (const auto& [name, value] : service_.gauges())
    if (!hidden_gauge(name)) groups["stats"].get_object()[prometheus_name(name)] = value;
  for (const auto& [name, value] : machine_gauges()) groups["metrics"].get_object()[name] = value;
  for (const auto& [name, value] : service_.metrics()) {
    const std::string_view head = name.substr(0, name.find('.'));
    if (auto* group = groups.if_contains(head == "bytes" ? "packets" : head))
      group->get_object()[prometheus_name(name)] = value;
  }
  return groups;
}

}  // namespace sb::management
