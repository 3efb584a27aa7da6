// The whole configuration of a node: an immutable snapshot of plain structs, cheap to read and to share between
// threads.
//   auto loaded = config::load({.main_file = "etc/emqx.conf", .env = environment});
//   if (!loaded.config) print(loaded.errors);
#pragma once

#include "config/hocon.h"
#include "config/roots/authentication.h"
#include "config/roots/broker.h"
#include "config/roots/dashboard.h"
#include "config/roots/guards.h"
#include "config/roots/license.h"
#include "config/roots/listener.h"
#include "config/roots/log.h"
#include "config/roots/modules.h"
#include "config/roots/mqtt.h"
#include "config/roots/node.h"
#include "config/roots/prometheus.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sb::config {

/// What a listener's `zone` selects: its own values where it has them, the global ones elsewhere.
struct Zone {
  Mqtt mqtt;
  Stats stats;
  FlappingDetect flapping_detect;
  ForceShutdown force_shutdown;
  ConnCongestion conn_congestion;
  ForceGc force_gc;
  OverloadProtection overload_protection;
  static const Struct& schema();
};

/// Every root that is built, by its name in the file.
struct Roots {
  Node node;
  Cluster cluster;
  Rpc rpc;
  Log log;
  Mqtt mqtt;
  std::map<std::string, Zone> zones;  // effective, "default" included
  Listeners listeners;
  Broker broker;
  SysTopics sys_topics;
  Sysmon sysmon;
  Alarm alarm;
  FlappingDetect flapping_detect;
  ForceShutdown force_shutdown;
  ForceGc force_gc;
  ConnCongestion conn_congestion;
  OverloadProtection overload_protection;
  AuthenticationFailureLimit authentication_failure_limit;
  Stats stats;
  Retainer retainer;
  Delayed delayed;
  std::vector<RewriteRule> rewrite;
  std::vector<TopicMetric> topic_metrics;
  AutoSubscribe auto_subscribe;
  SlowSubs slow_subs;
  PskAuthentication psk_authentication;
  Authorization authorization;
  Value authentication;  // list of authenticators, as checked; Config::authn holds their settings
  CrlCache crl_cache;
  Limiter limiter;
  SessionPersistence session_persistence;
  Prometheus prometheus;
  License license;
  Dashboard dashboard;
  ApiKeys api_key;
  static const Struct& schema();
};

struct Config : Roots {
  /// Of an unknown name: the globals, so that live connections of a removed zone go on.
  const Zone& zone(std::string_view name) const;

  AuthnChain authn;                                  // `authentication`
  std::map<std::string, AuthnChain> listener_authn;  // of listeners that have a chain, by listener id

  Value effective;         // checked tree: new names, defaults filled, secrets marked; what REST and `conf show` print
  std::string config_dir;  // folder of the main file
  std::string rules_missing;  // the default file of rules, where shipped_rules() stand in for it
  std::string cluster_file;   // <data_dir>/configs/cluster.hocon, or cluster-override.conf where there is one
};

struct LoadOptions {
  /// "" = defaults and environment only.
  std::string main_file;
  /// The process environment; EMQX_ and SIGNALBOX_ names are used.
  std::map<std::string, std::string> env;
  /// Mechanisms whose area is built: "password_based:built_in_database", "jwt", ...; authorization: "file", ...
  std::vector<AuthnMechanism> built_authn;
  /// Authenticators and sources are not looked at: for who only wants to know where a node is.
  bool skip_access = false;
  std::vector<AuthzKind> built_authz = {"file"};
  /// Roots whose area was added since, read as Value from Config::effective.
  std::vector<std::string> built_roots;
  /// Judges what only other areas can, on what could be read; problems go to the checker, placed by Checker::Level.
  std::function<void(Checker&, const Value& tree, const Config&)> review;
  /// Unset: the file system. Used by tests and fuzzers.
  std::function<std::optional<std::string>(const std::string& path)> read;
};

/// A certificate or key that was written into the configuration as text, and the file that it goes into.
struct PemFile {
  std::string path, content;
};

struct Loaded {
  std::shared_ptr<const Config> config;  // null when there are errors
  Problems errors, warnings;
  /// As written, resolved, unchecked. `cluster`: the run-time layer alone. `all`: every layer. ConfigStore works on
  /// these.
  Value cluster, all;
  /// To be written before the configuration is used; the trees name the paths.
  std::vector<PemFile> pems;
};

/// Reads defaults < base.hocon < cluster.hocon < main file < environment and checks the result. Where older versions
/// left a cluster-override.conf: defaults < base.hocon < main file < environment < cluster-override.conf <
/// local-override.conf.
Loaded load(const LoadOptions& options);
/// Where a node is, of a configuration that may have mistakes elsewhere: what is written counts as it is. nullopt: a
/// file cannot be read as HOCON.
struct Place {
  std::string name, data_dir;
};
std::optional<Place> place_of(const Loaded& loaded, const LoadOptions& options);
/// Checks a tree as load() does after layering.
Loaded check(Value all, const LoadOptions& options);

/// Roots that an update may not touch.
bool read_only_root(std::string_view root);
/// Roots whose area is not built; accepted with a warning.
bool unbuilt_root(std::string_view root, const LoadOptions& options);

/// A line each, for people: what is ignored or without effect. "" when there is nothing.
std::string told_warnings(const Loaded& loaded);
/// `check_config`: prints every problem and returns 1; else returns 0 and prints nothing but warnings.
int check_config(const LoadOptions& options, std::string& output);
/// The same for what was loaded already.
int report(const Loaded& loaded, std::string& output);

/// Documentation of every key, as Markdown.
std::string document_schema();

}  // namespace sb::config
