#include "config/roots/node.h"

#include "config/roots/listener.h"

namespace sb::config {
namespace {

bool valid_node_name(const std::string& name) {
  const auto at = name.find('@');
  if (at == 0 || at == name.npos || at + 1 == name.size() || name.find('@', at + 1) != name.npos) return false;
  for (const char c : name.substr(0, at)) {
    const bool ok = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
    if (!ok) return false;
  }
  return name.find_first_of(" /\\\"'") == name.npos;
}

struct DnsDiscovery {
  std::string name, record_type;
  static const Struct& schema() {
    static const Struct s = Schema<DnsDiscovery>("dns", Hot::N)
                                .field("name", &DnsDiscovery::name, {.def = "localhost", .doc = "Name to look up."})
                                .field("record_type", &DnsDiscovery::record_type, {.def = "a", .doc = "a or srv."})
                                .build();
    return s;
  }
};

struct EtcdDiscovery {
  std::string server, prefix;
  milliseconds node_ttl{};
  ClientTls ssl;
  static const Struct& schema() {
    using S = EtcdDiscovery;
    static const Struct s = Schema<S>("etcd", Hot::N)
                                .field("server", &S::server, {.doc = "Comma list of URLs."})
                                .field("prefix", &S::prefix, {.def = "emqxcl", .doc = "Prefix of the keys."})
                                .field("node_ttl", &S::node_ttl, {.def = "1m", .doc = "Life of a lease."})
                                .field("ssl_options", &S::ssl, {.aliases = "ssl", .doc = "TLS to the server."})
                                .build();
    return s;
  }
};

struct K8sDiscovery {
  std::string text;
  static const Struct& schema() {
    using S = K8sDiscovery;
    static const Struct s = Schema<S>("k8s", Hot::N)
                                .accept<std::string>("apiserver", {.def = "\"https://kubernetes.default.svc:443\""})
                                .accept<std::string>("service_name", {.def = "emqx"})
                                .accept<std::string>("address_type", {.def = "ip"})
                                .accept<std::string>("namespace", {.def = "default"})
                                .accept<std::string>("suffix", {.def = "pod.local"})
                                .build();
    return s;
  }
};

struct ClusterCall {
  std::uint32_t max_history = 0;
  static const Struct& schema() {
    using S = ClusterCall;
    static const Struct s =
        Schema<S>("cluster_call", Hot::N)
            .accept<milliseconds>("retry_interval", {.def = "1m"})
            .field("max_history", &S::max_history, {.def = "1024", .min = 100, .max = 10240, .hidden = true})
            .accept<milliseconds>("cleanup_interval", {.def = "24h"})
            .build();
    return s;
  }
};

}  // namespace

const Struct& Node::schema() {
  static const Struct s =
      Schema<Node>("node", Hot::N)
          .doc("This node. Read-only while it runs.")
          .field("name", &Node::name, {.def = "\"emqx@127.0.0.1\"", .doc = "Name of the node, short@host."})
          .field("cookie", &Node::cookie,
                 {.def = "\"signalbox_secret_cookie\"",
                  .doc = "Secret that the nodes of a cluster share.",
                  .secret = true})
          .field("data_dir", &Node::data_dir,
                 {.def = "data", .min = 1, .doc = "Folder of everything that is kept.", .path = true})
          .field("shards", &Node::shards,
                 {.def = "0",
                  .min = 0,
                  .max = kShardsMax,
                  .doc = "Event loops, one thread each; 0 = hardware threads.",
                  .since = "signalbox 0.1"})
          .field("coalesce", &Node::coalesce,
                 {.def = "200us",
                  .min = 0,
                  .max = 100,
                  .doc = "A busy shard waits this long after a wake-up to gather work; 0 = off. The unit us exists "
                         "only here.",
                  .since = "signalbox 0.1"})
          .field("memory_high_watermark", &Node::memory_high_watermark,
                 {.def = "85%",
                  .doc = "Share of memory above which new connections are refused and the longest queues shed.",
                  .since = "signalbox 0.1"})
          .field("max_ports", &Node::max_ports,
                 {.def = "1048576", .min = 1024, .max = 134217727, .doc = "Most sockets and files open."})
          .field("global_gc_interval", &Node::global_gc_interval,
                 {.def = "15m",
                  .words = "disabled",
                  .doc = "Accepted for EMQX's sake: unused memory goes back to the system by itself."})
          .field("role", &Node::role,
                 {.def = "core", .aliases = "db_role", .doc = "core, or replicant: holds no authoritative copy."})
          .accept<std::uint32_t>("process_limit", {.min = 1024, .deprecated = true})
          .accept<std::uint64_t>("dist_buffer_size", {.def = "8192", .min = 1, .max = 2147483647, .size = true})
          .accept<std::uint32_t>("max_ets_tables", {.def = "262144"})
          .accept<std::string>("crash_dump_file", {})
          .accept<seconds>("crash_dump_seconds", {.def = "30s"})
          .accept<std::uint64_t>("crash_dump_bytes", {.def = "100MB", .size = true})
          .accept<milliseconds>("dist_net_ticktime", {.def = "2m"})
          .accept<std::uint32_t>("backtrace_depth", {.def = "23"})
          .accept<std::vector<std::string>>("applications", {})
          .accept<std::string>("etc_dir", {.deprecated = true})
          .accept<std::vector<std::string>>("config_files", {})
          .accept<std::string>("db_backend", {.def = "rlog"})
          .accept<std::string>("rpc_module", {.def = "rpc"})
          .accept<std::string>("tlog_push_mode", {.def = "async", .deprecated = true})
          .accept<std::string>("default_shard_transport", {.def = "distr"})
          .accept<std::map<std::string, std::string>>("shard_transports", {})
          .accept<std::uint32_t>("default_bootstrap_batch_size", {.def = "500"})
          .field("broker_pool_size", &Node::broker_pool_size,
                 {.def = "0", .max = 1024, .doc = "Accepted for EMQX's sake.", .hidden = true})
          .field("generic_pool_size", &Node::generic_pool_size,
                 {.def = "0",
                  .max = 1024,
                  .doc = "Accepted for EMQX's sake: threads for blocking work are made where they are needed.",
                  .hidden = true})
          .accept<std::uint32_t>("channel_cleanup_batch_size", {.def = "100000"})
          .accept<ClusterCall>("cluster_call", {})
          .finish([](Checker& c, const Value& v, Node& node) {
            if (!valid_node_name(node.name)) {
              c.broken(v, "name", "bad_node_name", "short@host, the short part of letters, digits, _ and -");
            }
          })
          .build();
  return s;
}

const Struct& Cluster::Static::schema() {
  static const Struct s = Schema<Static>("static", Hot::N)
                              .field("seeds", &Static::seeds, {.def = "[]", .doc = "Names of the nodes."})
                              .build();
  return s;
}

const Struct& Cluster::schema() {
  static const Struct s =
      Schema<Cluster>("cluster", Hot::N)
          .doc("The cluster. Read-only while the node runs.")
          .field("name", &Cluster::name, {.def = "emqxcl", .doc = "Nodes of different names never join."})
          .field("discovery_strategy", &Cluster::discovery_strategy,
                 {.def = "manual", .doc = "How nodes find each other."})
          .field("core_nodes", &Cluster::core_nodes, {.def = "[]", .doc = "Core nodes that a replicant asks first."})
          .field("autoclean", &Cluster::autoclean,
                 {.def = "24h", .doc = "A node that is down this long is no member any more."})
          .field("autoheal", &Cluster::autoheal, {.def = "true", .doc = "Whether the minority restarts after a split."})
          .accept<std::string>("proto_dist", {.def = "inet_tcp"})
          .accept<bool>("prevent_overlapping_partitions", {.def = "false"})
          .field("static", &Cluster::static_nodes, {.doc = "Discovery by a list."})
          .accept<DnsDiscovery>("dns", {})
          .accept<EtcdDiscovery>("etcd", {})
          .accept<K8sDiscovery>("k8s", {})
          .build();
  return s;
}

const Struct& Rpc::schema() {
  static const Struct s =
      Schema<Rpc>("rpc", Hot::N)
          .doc("Calls between nodes. Read-only while the node runs.")
          .field("mode", &Rpc::mode, {.def = "async", .doc = "Whether forwarding a publish waits for the other node."})
          .accept<std::string>("protocol", {.def = "tcp", .aliases = "driver"})
          .accept<std::uint32_t>("async_batch_size", {.def = "256"})
          .accept<std::string>("port_discovery", {.def = "stateless"})
          .accept<std::uint16_t>("tcp_server_port", {.def = "5369"})
          .accept<std::uint16_t>("ssl_server_port", {.def = "5369"})
          .accept<std::uint16_t>("tcp_client_num", {.def = "10", .min = 1, .max = 256})
          .accept<milliseconds>("connect_timeout", {.def = "5s"})
          .accept<std::string>("certfile", {})
          .accept<std::string>("keyfile", {})
          .accept<std::string>("cacertfile", {})
          .accept<milliseconds>("send_timeout", {.def = "5s"})
          .accept<milliseconds>("authentication_timeout", {.def = "5s"})
          .accept<milliseconds>("call_receive_timeout", {.def = "15s"})
          .accept<seconds>("socket_keepalive_idle", {.def = "15m"})
          .accept<seconds>("socket_keepalive_interval", {.def = "75s"})
          .accept<std::uint32_t>("socket_keepalive_count", {.def = "9"})
          .accept<std::uint64_t>("socket_sndbuf", {.def = "1MB", .size = true})
          .accept<std::uint64_t>("socket_recbuf", {.def = "1MB", .size = true})
          .accept<std::uint64_t>("socket_buffer", {.def = "1MB", .size = true})
          .accept<bool>("insecure_fallback", {.def = "true"})
          .accept<std::vector<std::string>>("ciphers", {.def = "[]"})
          .accept<std::vector<std::string>>("tls_versions", {.def = "[\"tlsv1.3\", \"tlsv1.2\"]"})
          .accept<std::string>("listen_address", {.def = "\"0.0.0.0\""})
          .accept<bool>("ipv6_only", {.def = "false"})
          .build();
  return s;
}

}  // namespace sb::config
