#include "config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sb::config {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct Files {
  std::map<std::string, std::string> files;
  LoadOptions options() const {
    LoadOptions out;
    out.main_file = "etc/emqx.conf";
    out.read = [copy = files](const std::string& path) -> std::optional<std::string> {
      const auto it = copy.find(path);
      return it == copy.end() ? std::nullopt : std::optional(it->second);
    };
    return out;
  }
};

Loaded load_text(const std::string& text, std::map<std::string, std::string> env = {}) {
  Files files{{{"etc/emqx.conf", text}}};
  LoadOptions options = files.options();
  options.env = std::move(env);
  return load(options);
}

std::string all(const Problems& problems) {
  std::string out;
  for (const Problem& p : problems) out += to_string(p) + "\n";
  return out;
}

TEST(Load, EmptyFileGivesTheDefaults) {
  const Loaded l = load_text("");
  ASSERT_TRUE(l.config) << all(l.errors);
  const Config& c = *l.config;
  EXPECT_TRUE(l.warnings.empty()) << all(l.warnings);
  EXPECT_EQ(c.mqtt.max_packet_size, 1u << 20);
  EXPECT_EQ(c.mqtt.retry_interval, kForever);
  EXPECT_EQ(c.mqtt.idle_timeout, 15s);
  EXPECT_EQ(c.mqtt.session_expiry_interval, 2h);
  EXPECT_DOUBLE_EQ(c.mqtt.keepalive_multiplier, 1.5);
  EXPECT_EQ(c.mqtt.max_mqueue_bytes, 8u << 20);
  EXPECT_EQ(c.mqtt.max_subscriptions, kInfinity32);
  EXPECT_EQ(c.mqtt.server_keepalive, 0);
  EXPECT_TRUE(c.mqtt.mqueue_priorities.empty());
  EXPECT_EQ(c.node.shards, 0u);
  EXPECT_EQ(c.node.coalesce, 200us);
  EXPECT_DOUBLE_EQ(c.node.memory_high_watermark.value, 0.85);
  EXPECT_TRUE(c.session_persistence.enable);
  EXPECT_EQ(c.session_persistence.durability, Durability::Process);
  EXPECT_EQ(c.retainer.backend.storage_type, StorageType::Disc);
  EXPECT_EQ(c.broker.routing.storage_schema, RouteSchema::V2);
  EXPECT_EQ(c.zone("default").mqtt.max_inflight, 32);
  ASSERT_EQ(c.authorization.sources.size(), 1u);  // no acl.conf there: what is shipped counts
  EXPECT_EQ(c.authorization.sources[0].type, "file");
  EXPECT_TRUE(c.authorization.sources[0].enable);
  EXPECT_EQ(c.authorization.sources[0].path, "");
  EXPECT_EQ(c.authorization.sources[0].rules, shipped_rules());
}

TEST(Load, RulesThatAreShippedStandInForTheDefaultFileOnly) {
  const auto sources = [](const std::string& text, bool file = false) {
    Files files{{{"etc/emqx.conf", text}}};
    if (file) files.files["etc/acl.conf"] = "{deny, all}.";
    const Loaded loaded = load(files.options());
    EXPECT_TRUE(loaded.config) << text;
    if (!loaded.config) return std::string("refused");
    std::string out = loaded.config->rules_missing.empty() ? "" : loaded.config->rules_missing + ":";
    for (const AuthzSource& one : loaded.config->authorization.sources)
      out += " " + one.type + " " + one.path + (one.rules == shipped_rules() ? "shipped" : "");
    return out;
  };
  EXPECT_EQ(sources(""), "etc/acl.conf: file shipped");
  EXPECT_EQ(sources("authorization.no_match = deny"), "etc/acl.conf: file shipped");
  EXPECT_EQ(sources("authorization = null"), "etc/acl.conf: file shipped");
  EXPECT_EQ(sources("", true), " file etc/acl.conf");
  EXPECT_EQ(sources("authorization.sources = []"), "") << "said in so many words";
  EXPECT_EQ(sources("authorization.sources = [{type = file, path = \"${EMQX_ETC_DIR}/acl.conf\"}]"),
            " file etc/acl.conf")
      << "a file that was named is not replaced";
}

TEST(Load, TellsWhereANodeIsWhateverElseIsWrong) {
  const auto place = [](const std::string& text, std::map<std::string, std::string> env = {}) {
    Files files{{{"etc/emqx.conf", text}}};
    LoadOptions options = files.options();
    options.env = std::move(env);
    const auto found = place_of(load(options), options);
    return found ? found->name + " " + found->data_dir : "nowhere";
  };
  EXPECT_EQ(place("node { name = \"a@b\", data_dir = \"/d\" }"), "a@b /d");
  EXPECT_EQ(place("node { name = \"a@b\", data_dir = \"/d\" }\nmqtt.max_infligt = 3"), "a@b /d");
  EXPECT_EQ(place("node.data_dir = \"${D}/x\"\nnonsense = 1", {{"D", "/e"}}), "emqx@127.0.0.1 /e/x");
  EXPECT_EQ(place("mqtt.nonsense = 1", {{"SIGNALBOX_NODE__DATA_DIR", "/f"}, {"EMQX_NODE__NAME", "c@d"}}), "c@d /f");
  EXPECT_EQ(place("node {"), "nowhere");
}

TEST(Load, DefaultListenersAreThoseOfEmqx) {
  const Loaded l = load_text("");
  ASSERT_TRUE(l.config);
  std::vector<std::string> seen;
  l.config->listeners.for_each([&](const Listener& x) { seen.push_back(x.id() + " " + to_string(x.bind)); });
  EXPECT_THAT(seen, testing::ElementsAre("tcp:default 0.0.0.0:1883", "ssl:default 0.0.0.0:8883",
                                         "ws:default 0.0.0.0:8083", "wss:default 0.0.0.0:8084"));
  const Listener* ssl = l.config->listeners.find("ssl:default");
  ASSERT_TRUE(ssl);
  EXPECT_EQ(ssl->ssl_options.certfile, "etc/certs/cert.pem");
  EXPECT_TRUE(ssl->tls());
  EXPECT_FALSE(ssl->web());
  EXPECT_EQ(l.config->listeners.find("wss:default")->websocket.mqtt_path, "/mqtt");
  EXPECT_THAT(l.config->listeners.find("ws:default")->websocket.supported_subprotocols,
              testing::Contains("mqtt-v3.1.1"));
}

TEST(Load, DeletedDefaultListenerStaysAway) {
  const Loaded l =
      load_text("listeners.ssl.default = marked_for_deletion\nlisteners.tcp.second { bind = 1884, enabled = false }");
  ASSERT_TRUE(l.config) << all(l.errors);
  EXPECT_FALSE(l.config->listeners.find("ssl:default"));
  EXPECT_TRUE(l.config->listeners.find("tcp:default"));
  ASSERT_TRUE(l.config->listeners.find("tcp:second"));
  EXPECT_FALSE(l.config->listeners.find("tcp:second")->enable);
}

// What the package ships, and what a site adds to it.
constexpr const char* kEmqxConf = R"(
## NOTE:
## This config file overrides data/configs/cluster.hocon,
// another comment
node {
  name = "emqx@127.0.0.1"
  cookie = "emqxsecretcookie"
  data_dir = "data"
}
cluster {
  name = emqxcl
  discovery_strategy = manual
}
dashboard {
    listeners.http {
        bind = 18083
    }
}
listeners.tcp.default {
  bind = "0.0.0.0:1883"
  max_connections = 1024000
  access_rules = ["deny 10.0.0.0/8, 192.168.0.0/16", "allow all"]
  tcp_options { keepalive = "240, 5, 3", backlog = 512 }
  max_conn_rate = "1000/s", messages_rate = "100MB/10s"
}
listeners.ssl.default.ssl_options {
  cacertfile = "${EMQX_ETC_DIR}/certs/ca.pem"
  verify = verify_peer
  fail_if_no_peer_cert = true
  versions = ["tlsv1.3", "tlsv1.2"]
  ciphers = "TLS_AES_256_GCM_SHA384,ECDHE-RSA-AES256-GCM-SHA384"
}
listeners.quic.default { enabled = true, bind = "0.0.0.0:14567" }
mqtt {
  max_packet_size = 10MB
  idle_timeout = 1h5m0s
  mqueue_priorities { "sensor/1" = 10, alarm = 255 }
  max_mqueue_len = infinity
}
zones.factory {
  mqtt { max_inflight = 4 }
  flapping_detect.enable = true
}
log.file_handlers.default { enable = true, file = "/tmp/x.log", rotation.count = 3, max_size = 10MB, level = error }
log.console_handler.enable = true
sysmon.os { cpu_high_watermark = 90%, cpu_low_watermark = 0.5 }
authorization {
  no_match = deny
  sources = [ { type = file, enable = true, path = "etc/acl.conf" }, { type = mysql, enable = false, server = "db:3306" } ]
}
authentication = [ { mechanism = password_based, backend = built_in_database, enable = false } ]
license { key = "abc" }
gateway.stomp { mountpoint = "" }
rewrite = [ {action = "publish", source_topic = "x/#", dest_topic = "y/$1", re = "^x/(.+)$"} ]
auto_subscribe { topics = [ {topic = "c/${clientid}", qos = 1} ] }
)";

TEST(Load, EmqxFileLoadsUnchanged) {
  const Loaded l = load_text(kEmqxConf);
  ASSERT_TRUE(l.config) << all(l.errors);
  const Config& c = *l.config;
  EXPECT_EQ(c.node.cookie.reveal(), "emqxsecretcookie");
  EXPECT_EQ(c.mqtt.max_packet_size, 10u << 20);
  EXPECT_EQ(c.mqtt.idle_timeout, 1h + 5min);
  EXPECT_EQ(c.mqtt.mqueue_priorities.at("sensor/1"), 10);
  EXPECT_EQ(c.mqtt.max_mqueue_len, kInfinity32);
  const Listener& tcp = c.listeners.tcp.at("default");
  EXPECT_EQ(tcp.max_connections, 1024000u);
  ASSERT_EQ(tcp.rules.size(), 3u);
  EXPECT_FALSE(tcp.rules[1].allow);
  EXPECT_EQ(tcp.rules[1].cidr, "192.168.0.0/16");
  ASSERT_TRUE(tcp.tcp_options.keep_alive);
  EXPECT_EQ(tcp.tcp_options.keep_alive->probes, 3);
  EXPECT_EQ(tcp.max_conn_rate->amount, 1000u);
  EXPECT_EQ(tcp.limiter->connection->rate.amount, 1000u);
  EXPECT_EQ(tcp.messages_rate->per, 10s);
  EXPECT_EQ(tcp.limiter->client->messages->rate.per, 10s);
  const ServerTls& tls = c.listeners.ssl.at("default").ssl_options;
  EXPECT_EQ(tls.cacertfile, "etc/certs/ca.pem");
  EXPECT_EQ(tls.ciphers.size(), 2u);
  EXPECT_EQ(tls.versions, (std::vector{TlsVersion::V13, TlsVersion::V12}));
  EXPECT_EQ(c.log.file.at("default").path, "/tmp/x.log");
  EXPECT_EQ(c.log.file.at("default").rotation_count, 3);
  EXPECT_EQ(c.log.file.at("default").rotation_size, 10u << 20);
  EXPECT_EQ(c.dashboard.listeners.http.bind.port, 18083);
  EXPECT_EQ(c.dashboard.listeners.https.bind.port, 0);
  EXPECT_EQ(c.dashboard.default_password.reveal(), "public");
  EXPECT_TRUE(c.log.console.enable);
  EXPECT_DOUBLE_EQ(c.sysmon.os.cpu_low_watermark.value, 0.5);
  ASSERT_EQ(c.authorization.sources.size(), 2u);
  EXPECT_EQ(c.authorization.sources[1].raw.find("server")->text(), "db:3306");
  EXPECT_EQ(c.rewrite.at(0).dest_topic, "y/$1");
  EXPECT_EQ(c.auto_subscribe.topics.at(0).qos, 1);
  EXPECT_EQ(c.zone("factory").mqtt.max_inflight, 4);
  EXPECT_EQ(c.zone("factory").mqtt.max_packet_size, 10u << 20);
  EXPECT_TRUE(c.zone("factory").flapping_detect.enable);
  EXPECT_FALSE(c.flapping_detect.enable);
  EXPECT_EQ(c.zone("gone").mqtt.max_inflight, 32);
  ASSERT_EQ(l.warnings.size(), 1u) << all(l.warnings);
  EXPECT_EQ(l.warnings[0].reason, "config_not_used");
  EXPECT_THAT(l.warnings[0].expected, HasSubstr("gateway, listeners.quic"));
}

TEST(Load, TheDashboardTakesOldAndNewShapes) {
  const Loaded l = load_text(R"(
    dashboard {
      listeners.https { bind = "127.0.0.1:18084", certfile = "/a.pem", keyfile = "/b.pem" }
      listeners.http { bind = 0, proxy_header = true }
      default_username = root
      token_expired_time = 10m
      login_lockout.user_failures = 3
    }
    api_key.bootstrap_file = "/keys"
  )");
  ASSERT_TRUE(l.config) << all(l.errors);
  EXPECT_TRUE(l.warnings.empty()) << all(l.warnings);
  const Dashboard& d = l.config->dashboard;
  EXPECT_EQ(d.listeners.https.bind.host, "127.0.0.1");
  EXPECT_EQ(d.listeners.https.ssl_options.certfile, "/a.pem");
  EXPECT_TRUE(d.listeners.http.proxy_header);
  EXPECT_EQ(d.default_username, "root");
  EXPECT_EQ(d.token_expired_time, std::chrono::minutes(10));
  EXPECT_EQ(d.login_lockout.user_failures, 3u);
  EXPECT_EQ(l.config->api_key.bootstrap_file, "/keys");
  EXPECT_FALSE(load_text("dashboard.listeners.http.bnid = 1").config);
}

TEST(Load, TellsAllProblemsAtOnceWithTheirLines) {
  const Loaded l = load_text(
      "mqtt {\n"                                 // 1
      "  max_inflight = 0\n"                     // 2
      "  max_paket_size = 1MB\n"                 // 3
      "  shared_subscription_strategy = fair\n"  // 4
      "  retry_interval = soon\n"                // 5
      "}\n"
      "node.cookie = [1]\n"                           // 7
      "listeners.tcp.default.bind = \"host:1883\"\n"  // 8
      "retainer = 5\n"                                // 9
      "sysmon.os.cpu_high_watermark = 130%\n"         // 10
      "authorization.cache.max_size = many\n");       // 11
  ASSERT_FALSE(l.config);
  std::vector<std::string> got;
  for (const Problem& p : l.errors) got.push_back(fmt::format("{}:{} {} {}", p.file, p.line, p.path, p.reason));
  EXPECT_THAT(got, testing::ElementsAre("etc/emqx.conf:2 mqtt.max_inflight out_of_range",
                                        "etc/emqx.conf:3 mqtt.max_paket_size unknown_fields",
                                        "etc/emqx.conf:4 mqtt.shared_subscription_strategy not_a_enum_symbol",
                                        "etc/emqx.conf:5 mqtt.retry_interval expected_duration",
                                        "etc/emqx.conf:7 node.cookie expected_string",
                                        "etc/emqx.conf:8 listeners.tcp.default.bind bad_ip_port",
                                        "etc/emqx.conf:9 retainer bad_value_for_struct",
                                        "etc/emqx.conf:10 sysmon.os.cpu_high_watermark expected_percent",
                                        "etc/emqx.conf:11 authorization.cache.max_size expected_integer"));
  EXPECT_EQ(to_string(l.errors[0]), "etc/emqx.conf:2: mqtt.max_inflight = 0: expected integer 1..65535 (out_of_range)");
  EXPECT_THAT(l.errors[1].expected, HasSubstr("max_packet_size"));
  EXPECT_THAT(l.errors[2].expected, HasSubstr("round_robin_per_group"));
  EXPECT_EQ(l.errors[4].value, "******");
}

struct Bad {
  const char* text;
  const char* path;
  const char* reason;
};
class BadInput : public testing::TestWithParam<Bad> {};
TEST_P(BadInput, IsRefusedByName) {
  const Loaded l = load_text(GetParam().text);
  ASSERT_FALSE(l.config);
  EXPECT_EQ(l.errors.size(), 1u) << all(l.errors);
  EXPECT_EQ(l.errors[0].path, GetParam().path);
  EXPECT_THAT(l.errors[0].reason, HasSubstr(GetParam().reason));
  EXPECT_EQ(l.errors[0].line, 1u);
  EXPECT_FALSE(l.errors[0].expected.empty());
}
INSTANTIATE_TEST_SUITE_P(
    Table, BadInput,
    testing::Values(
        Bad{"mqtt.max_packet_size = 300MB", "mqtt.max_packet_size", "out_of_range"},
        Bad{"mqtt.max_packet_size = 1.5", "mqtt.max_packet_size", "expected_bytesize"},
        Bad{"mqtt.idle_timeout = 50d", "mqtt.idle_timeout", "timeout value too large"},
        Bad{"mqtt.idle_timeout = 5us", "mqtt.idle_timeout", "expected_duration"},
        Bad{"mqtt.max_clientid_len = 22", "mqtt.max_clientid_len", "out_of_range"},
        Bad{"mqtt.server_keepalive = 0", "mqtt.server_keepalive", "out_of_range"},
        Bad{"mqtt.keepalive_multiplier = 0.5", "mqtt.keepalive_multiplier", "out_of_range"},
        Bad{"mqtt.retain_available = yes", "mqtt.retain_available", "expected_boolean"},
        Bad{"mqtt.mqueue_priorities { a = 0 }", "mqtt.mqueue_priorities.a", "out_of_range"},
        Bad{"mqtt.max_qos_allowed = 3", "mqtt.max_qos_allowed", "out_of_range"},
        Bad{"node.name = nohost", "node.name", "bad_node_name"}, Bad{"node.shards = 65", "node.shards", "out_of_range"},
        Bad{"node.coalesce = 1s", "node.coalesce", "out_of_range"},
        Bad{"listeners.tcp.\"bad name\" { bind = 1 }", "listeners.tcp.\"bad name\"", "invalid_map_key"},
        Bad{"listeners.tcp.default.ssl_options { depth = 1 }", "listeners.tcp.default.ssl_options", "unknown_fields"},
        Bad{"listeners.tcp.default.zone = nowhere", "listeners.tcp.default.zone", "unknown_zone"},
        Bad{"listeners.tcp.second.bind = 1883", "listeners.tcp.second.bind", "address_in_use"},
        Bad{"listeners.tcp.default.mountpoint = \"a/#\"", "listeners.tcp.default.mountpoint", "bad_mountpoint"},
        Bad{"listeners.tcp.default.mountpoint = \"+/${clientid}/\"", "listeners.tcp.default.mountpoint",
            "bad_mountpoint"},
        Bad{"listeners.tcp.default.mountpoint = \"${clientid}/${nobody}/\"", "listeners.tcp.default.mountpoint",
            "bad_mountpoint"},
        Bad{"listeners.tcp.default.mountpoint = \"a\\u0000/\"", "listeners.tcp.default.mountpoint", "bad_string"},
        Bad{"listeners.tcp.second.bind = \"127.0.0.1:28083\", dashboard.listeners.http.bind = \"127.0.0.1:28083\"",
            "listeners.tcp.second.bind", "address_in_use"},
        Bad{"listeners.tcp.second.bind = \"127.0.0.1:1883\"", "listeners.tcp.second.bind", "address_in_use"},
        Bad{"listeners.tcp.a.bind = 1883", "listeners.tcp.a.bind", "address_in_use"},
        Bad{"listeners.tcp.a.bind = 28083, dashboard.listeners.http.bind = \"127.0.0.1:28083\"", "listeners.tcp.a.bind",
            "address_in_use"},
        Bad{"dashboard.listeners.http.bind = 1883", "dashboard.listeners.http.bind", "address_in_use"},
        Bad{"dashboard.listeners.https.bind = 8083", "dashboard.listeners.https.bind", "address_in_use"},
        Bad{"prometheus.push_gateway.headers { x = \"a\\r\\nEvil: 1\" }", "prometheus.push_gateway.headers",
            "bad_header"},
        Bad{"prometheus.push_gateway.headers { \"a b\" = c }", "prometheus.push_gateway.headers", "bad_header"},
        Bad{"prometheus.push_gateway.headers { Content-Length = 7 }", "prometheus.push_gateway.headers", "bad_header"},
        Bad{"prometheus.headers { \"a b\" = c }", "prometheus.push_gateway.headers", "bad_header"},
        Bad{"broker.perf.foo = 1", "broker.perf.foo", "unknown_fields"},
        Bad{"listeners.tcp.default.access_rules = [\"permit all\"]", "listeners.tcp.default.access_rules",
            "bad_access_rule"},
        Bad{"listeners.tcp.default.access_rules = [\"allow 1.2.3.4/33\"]", "listeners.tcp.default.access_rules",
            "bad_access_rule"},
        Bad{"listeners.tcp.default.max_conn_rate = \"0/s\"", "listeners.tcp.default.max_conn_rate", "expected_rate"},
        Bad{"listeners.tcp.default.tcp_options.keepalive = \"0,5,3\"", "listeners.tcp.default.tcp_options.keepalive",
            "bad_keepalive"},
        Bad{"listeners.ssl.default.ssl_options.fail_if_no_peer_cert = true",
            "listeners.ssl.default.ssl_options.fail_if_no_peer_cert", "verify_peer_needed"},
        Bad{"listeners.ssl.default.ssl_options.enable_crl_check = true",
            "listeners.ssl.default.ssl_options.enable_crl_check", "verify_peer_needed"},
        Bad{"listeners.ssl.default.ssl_options.versions = [\"tlsv1.3\", \"tlsv1.1\"]",
            "listeners.ssl.default.ssl_options.versions", "tls_version_gap"},
        Bad{"listeners.ssl.default.ssl_options.ciphers = \"A B\"", "listeners.ssl.default.ssl_options.ciphers",
            "bad_ciphers"},
        Bad{"listeners.ssl.default.ssl_options.ocsp {enable_ocsp_stapling = true, issuer_pem = x}",
            "listeners.ssl.default.ssl_options.ocsp.responder_url", "ocsp_responder_url"},
        Bad{"sysmon.os.cpu_high_watermark = 50%", "sysmon.os.cpu_high_watermark", "bad_watermark"},
        Bad{"sysmon.vm.process_high_watermark = 50%", "sysmon.vm.process_high_watermark", "bad_watermark"},
        Bad{"alarm.actions = [mail]", "alarm.actions", "not_a_enum_symbol"},
        Bad{"alarm.size_limit = 3001", "alarm.size_limit", "out_of_range"},
        Bad{"rewrite = [{action = publish, source_topic = a, dest_topic = \"b/#\", re = a}]", "rewrite.1.dest_topic",
            "cannot_use_wildcard"},
        Bad{"rewrite = [{action = publish, source_topic = a, dest_topic = b}]", "rewrite.1.re", "required_field"},
        Bad{"log.file.rotation_count = 129", "log.file.default.rotation_count", "out_of_range"},
        Bad{"log.console.time_offset = \"+25:00\"", "log.console.time_offset", "bad_time_offset"},
        Bad{"log.console.level = loud", "log.console.level", "not_a_enum_symbol"},
        Bad{"zones.z.mqtt.max_inflight = 0", "zones.z.mqtt.max_inflight", "out_of_range"},
        Bad{"zones.z.retainer.enable = true", "zones.z.retainer", "unknown_fields"},
        Bad{"psk_authentication.separator = \"::\"", "psk_authentication.separator", "out_of_range"},
        Bad{"session_persistence.durability = always", "session_persistence.durability", "not_a_enum_symbol"},
        Bad{"crl_cache.refresh_interval = 10s", "crl_cache.refresh_interval", "out_of_range"},
        Bad{"broker.routing.storage_schema = v3", "broker.routing.storage_schema", "not_a_enum_symbol"},
        Bad{"slow_subs.top_k_num = 1001", "slow_subs.top_k_num", "out_of_range"},
        Bad{"authorization.sources = [{type = mysql, server = \"x:1\"}]", "authorization.sources.1", "not_built"},
        Bad{"authorization.sources = [{type = file}]", "authorization.sources.1.path", "required_field"},
        Bad{"authentication = [{mechanism = jwt}]", "authentication.1", "not_built"},
        Bad{"authentication { mechanism = password_based, backend = redis }", "authentication", "not_built"},
        Bad{"listeners.tcp.default.authentication = [{mechanism = jwt}]", "listeners.tcp.default.authentication.1",
            "not_built"},
        Bad{"mqtt { max_inflight = 5", "mqtt", "parse_error"},
        Bad{"mqtt.max_inflight == 5", "mqtt.max_inflight", "scan_error"},
        Bad{"mqtt.max_inflight = ${nothing.here}", "mqtt.max_inflight", "unresolved_substitution"}));

struct FakeAuthn : AuthnCommon {
  std::string where;
  std::uint32_t times = 0;
  std::optional<Secret> key;
  static const Struct& schema() {
    static const Struct s = authn_schema<FakeAuthn>("fake", true)
                                .field("where", &FakeAuthn::where, {.required = true})
                                .field("times", &FakeAuthn::times, {.def = "3", .min = 1, .max = 9})
                                .field("key", &FakeAuthn::key, {.secret = true})
                                .build();
    return s;
  }
};
Loaded load_authn(const std::string& text) {
  Files files{{{"etc/emqx.conf", text}}};
  LoadOptions options = files.options();
  options.built_authn = {AuthnMechanism("fake:db", &FakeAuthn::schema()), "jwt"};
  return load(options);
}

TEST(LoadAuthentication, FillsTheSettingsOfItsMechanism) {
  const Loaded l = load_authn(
      "authentication = [{mechanism = fake, backend = db, where = here, key = k}, {mechanism = other, enable = "
      "false}]\n"
      "listeners.tcp.default.authentication { mechanism = fake, backend = db, where = there, times = 4, enable = false "
      "}");
  ASSERT_TRUE(l.config) << all(l.errors);
  ASSERT_EQ(l.config->authn.size(), 2U);
  const Authenticator& first = l.config->authn[0];
  EXPECT_EQ(first.id, "fake:db");
  const auto& settings = *std::static_pointer_cast<const FakeAuthn>(first.settings);
  EXPECT_EQ(settings.where, "here");
  EXPECT_EQ(settings.times, 3U);
  EXPECT_FALSE(l.config->authn[1].settings);
  const std::string shown =
      to_json(l.config->effective.at_path("authentication")[0], {.reveal = false, .pretty = false});
  EXPECT_NE(shown.find("\"times\":3"), std::string::npos) << shown;
  EXPECT_NE(shown.find("\"key\":\"******\""), std::string::npos) << shown;
  const Authenticator& own = l.config->listener_authn.at("tcp:default").at(0);
  EXPECT_FALSE(own.enable);
  EXPECT_EQ(std::static_pointer_cast<const FakeAuthn>(own.settings)->times, 4U);
  EXPECT_TRUE(l.config->effective.at_path("listeners.tcp.default.authentication")->is_array());
}

TEST(LoadAuthentication, NamesWhatIsWrongAndWhere) {
  for (const auto& [text, path, reason] :
       {std::tuple{"authentication = [{mechanism = fake, backend = db}]", "authentication.1.where", "required_field"},
        {"authentication { mechanism = fake, backend = db, where = x, times = 10 }", "authentication.times",
         "out_of_range"},
        {"authentication = [{mechanism = jwt}, {mechanism = fake, backend = db, where = x, no = 1}]",
         "authentication.2.no", "unknown_fields"},
        {"authentication = [{mechanism = jwt}, {mechanism = jwt, enable = false}]", "authentication.2",
         "already_exists"},
        {"authentication = [5]", "authentication.1", "bad_value_for_struct"},
        {"authentication = 5", "authentication", "expected_list"},
        {"listeners.tcp.default.authentication = [{mechanism = fake, backend = db}]",
         "listeners.tcp.default.authentication.1.where", "required_field"}}) {
    const Loaded l = load_authn(text);
    EXPECT_FALSE(l.config) << text;
    ASSERT_EQ(l.errors.size(), 1U) << text << all(l.errors);
    EXPECT_NE(all(l.errors).find(path), std::string::npos) << all(l.errors);
    EXPECT_NE(all(l.errors).find(reason), std::string::npos) << all(l.errors);
  }
}

TEST(LoadAuthentication, OfADisabledListenerIsKeptAndMayBeOfAKindThatIsNotBuilt) {
  EXPECT_TRUE(load_authn("listeners.tcp.x { bind = 9, enable = false, authentication = [{mechanism = none}] }").config);
  EXPECT_FALSE(load_authn("listeners.tcp.x { bind = 9, enable = false, authentication = [{mechanism = []}] }").config);
}

TEST(Load, BuiltMechanismsAreAccepted) {
  Files files{{{"etc/emqx.conf",
                "authentication = [{mechanism = jwt}]\nauthorization.sources = [{type = mysql}]\nexhook.x = 1"}}};
  LoadOptions options = files.options();
  options.built_authn = {"jwt"};
  options.built_authz = {"file", "mysql"};
  options.built_roots = {"exhook"};
  const Loaded l = load(options);
  ASSERT_TRUE(l.config) << all(l.errors);
  EXPECT_TRUE(l.warnings.empty()) << all(l.warnings);
  EXPECT_EQ(l.config->authentication.at_path("1.mechanism")->text(), "jwt");
}

TEST(Load, UnknownRootIsAWarning) {
  Files files{{{"etc/emqx.conf", "listners.tcp.default.bind = 1999\nxyzzy { a = 1 }\nmqt {\n max_inflight = 3\n}"}}};
  std::string out;
  EXPECT_EQ(check_config(files.options(), out), 0);
  EXPECT_EQ(out,
            "WARNING: etc/emqx.conf:1: listners: expected a known root; this one is ignored, did you mean listeners? "
            "(config_key_not_recognized)\n"
            "WARNING: etc/emqx.conf:2: xyzzy: expected a known root; this one is ignored (config_key_not_recognized)\n"
            "WARNING: etc/emqx.conf:3: mqt: expected a known root; this one is ignored, did you mean mqtt? "
            "(config_key_not_recognized)\n");
}

TEST(Load, CheckConfigNamesRootsWithoutEffect) {
  Files files{{{"etc/emqx.conf", "gateway.stomp.enable = true"}}};
  std::string out;
  EXPECT_EQ(check_config(files.options(), out), 0);
  EXPECT_EQ(out,
            "WARNING: these parts are accepted but this version does nothing with them: gateway (config_not_used)\n");
}

TEST(Load, LayersWinInOrder) {
  Files files{
      {{"etc/base.hocon", "mqtt { max_inflight = 1, max_awaiting_rel = 1, max_topic_levels = 1, max_qos_allowed = 1 }"},
       {"d/configs/cluster.hocon", "mqtt { max_inflight = 2, max_awaiting_rel = 2, max_topic_levels = 2 }"},
       {"etc/emqx.conf", "node.data_dir = d\nmqtt { max_inflight = 3, max_awaiting_rel = 3 }"}}};
  LoadOptions options = files.options();
  options.env = {{"EMQX_MQTT__MAX_INFLIGHT", "4"}};
  const Loaded l = load(options);
  ASSERT_TRUE(l.config) << all(l.errors);
  EXPECT_EQ(l.config->mqtt.max_inflight, 4);
  EXPECT_EQ(l.config->mqtt.max_awaiting_rel, 3u);
  EXPECT_EQ(l.config->mqtt.max_topic_levels, 2);
  EXPECT_EQ(l.config->mqtt.max_qos_allowed, 1);
  EXPECT_EQ(l.config->cluster_file, "d/configs/cluster.hocon");
}

TEST(Load, OverrideFilesOfOlderVersionsComeLast) {
  Files files{{{"d/configs/cluster-override.conf", "mqtt { max_inflight = 5, max_awaiting_rel = 5 }"},
               {"d/configs/local-override.conf", "mqtt.max_awaiting_rel = 6"},
               {"d/configs/cluster.hocon", "mqtt.max_topic_levels = 2"},
               {"etc/emqx.conf", "node.data_dir = d\nmqtt { max_inflight = 3, max_awaiting_rel = 3 }"}}};
  LoadOptions options = files.options();
  options.env = {{"EMQX_MQTT__MAX_INFLIGHT", "4"}};
  const Loaded l = load(options);
  ASSERT_TRUE(l.config) << all(l.errors);
  EXPECT_EQ(l.config->mqtt.max_inflight, 5);
  EXPECT_EQ(l.config->mqtt.max_awaiting_rel, 6u);
  EXPECT_EQ(l.config->mqtt.max_topic_levels, 128);
  EXPECT_EQ(l.config->cluster_file, "d/configs/cluster-override.conf");
}

TEST(Load, EnvironmentOverridesAndNames) {
  const Loaded l = load_text("listeners.tcp.default.bind = 1\nauto_subscribe.topics = [{topic = a}, {topic = b}]",
                             {{"EMQX_LISTENERS__TCP__DEFAULT__BIND", "\"127.0.0.1:2883\""},
                              {"EMQX_MQTT__MAX_PACKET_SIZE", "2MB"},
                              {"SIGNALBOX_MQTT__MAX_PACKET_SIZE", "3MB"},
                              {"SIGNALBOX_NODE__SHARDS", "2"},
                              {"EMQX_AUTO_SUBSCRIBE__TOPICS__2__QOS", "2"},
                              {"EMQX_NODE_NAME", "n1@h"},
                              {"EMQX_MQTT__RESPONSE_INFORMATION", "a{b"},
                              {"EMQX_FOO__BAR", "1"},
                              {"EMQX_MQTT__NO_SUCH_KEY", "1"},
                              {"EMQX_LICENSE__KEY", "x"},
                              {"PATH", "/bin"}});
  ASSERT_TRUE(l.config) << all(l.errors);
  EXPECT_EQ(to_string(l.config->listeners.tcp.at("default").bind), "127.0.0.1:2883");
  EXPECT_EQ(l.config->mqtt.max_packet_size, 3u << 20);
  EXPECT_EQ(l.config->node.shards, 2u);
  EXPECT_EQ(l.config->node.name, "n1@h");
  EXPECT_EQ(l.config->mqtt.response_information, "a{b");
  EXPECT_EQ(l.config->auto_subscribe.topics.at(1).qos, 2);
  EXPECT_EQ(l.config->auto_subscribe.topics.at(1).topic, "b");
  EXPECT_THAT(all(l.warnings), HasSubstr("EMQX_MQTT__NO_SUCH_KEY"));
  EXPECT_THAT(all(l.warnings), HasSubstr("environment variable EMQX_FOO__BAR: foo.bar: expected a known root"));
  EXPECT_EQ(l.warnings.size(), 2u) << all(l.warnings);
}

TEST(Load, EnvironmentProblemsNameTheVariable) {
  const Loaded l = load_text("", {{"EMQX_MQTT__MAX_INFLIGHT", "0"}, {"EMQX_AUTHENTICATION__1__MECHANISM", "jwt"}});
  ASSERT_FALSE(l.config);
  EXPECT_THAT(all(l.errors), HasSubstr("environment variable EMQX_MQTT__MAX_INFLIGHT"));
}

TEST(Load, EnvironmentIntoListsIsToldClearly) {
  const std::string one = "authentication = [{mechanism = jwt}]";
  const auto told = [&](const char* name, const char* value, const std::string& text) {
    return all(load_text(text, {{name, value}}).errors);
  };
  for (const char* name : {"EMQX_AUTHENTICATION__3__ENABLE", "EMQX_AUTHENTICATION__X__ENABLE"}) {
    EXPECT_THAT(told(name, "false", one), HasSubstr("environment variable " + std::string(name)));
    EXPECT_THAT(told(name, "false", one), HasSubstr("from 1 on, it should not be greater than 2"));
  }
  EXPECT_THAT(told("EMQX_AUTHENTICATION__2__ENABLE", "false", one),
              HasSubstr("authentication.2.mechanism: expected one of"));
  EXPECT_THAT(told("EMQX_REWRITE__2__ACTION", "all", ""), HasSubstr("elements by number from 1 on, none left out"));
  EXPECT_THAT(told("EMQX_AUTHENTICATION__2__ENABLE", "false", ""), HasSubstr("by number from 1 on"));
  const Loaded whole = load_text("", {{"EMQX_MQTT", "{max_inflight = 9}"}, {"EMQX_LOG_DIR", "/x"}});
  ASSERT_TRUE(whole.config) << all(whole.errors);
  EXPECT_EQ(whole.config->mqtt.max_inflight, 9);
}

TEST(Load, AnAuthenticatorSaysWhatItIs) {
  Files files{{{"etc/emqx.conf", "authentication = [{mechanism = password_based}, {backend = redis}]"}}};
  LoadOptions options = files.options();
  options.built_authn = {"jwt", "password_based:redis", "password_based:ldap"};
  const std::string told = all(load(options).errors);
  EXPECT_THAT(told, HasSubstr("authentication.1.backend: expected one of redis, ldap (required_field)"));
  EXPECT_THAT(told, HasSubstr("authentication.2.mechanism: expected one of jwt, password_based (required_field)"));
}

TEST(Load, ATextWithoutAnUpperBoundSaysOnlyTheLower) {
  EXPECT_THAT(all(load_text("node.data_dir = \"\"").errors), HasSubstr("expected a text of at least 1 byte(s)"));
  EXPECT_THAT(all(load_text("psk_authentication.separator = \"::\"").errors),
              HasSubstr("expected a text of 1..1 bytes"));
}

TEST(Load, ProtectionSetByEnvironmentIsNotIgnored) {
  const Loaded l = load_text("", {{"EMQX_AUTHENTICATION__1__MECHANISM", "jwt"}});
  ASSERT_FALSE(l.config);
  EXPECT_THAT(all(l.errors), HasSubstr("not_built"));
}

TEST(Load, LogHandlersFollowTheEnvironment) {
  const Loaded none = load_text("");
  EXPECT_FALSE(none.config->log.console.enable);
  EXPECT_TRUE(none.config->log.file.at("default").enable);
  EXPECT_EQ(none.config->log.file.at("default").path, "data/log/emqx.log");
  const Loaded console = load_text("", {{"EMQX_DEFAULT_LOG_HANDLER", "console"}, {"EMQX_LOG_DIR", "/var/log/x"}});
  EXPECT_TRUE(console.config->log.console.enable);
  EXPECT_FALSE(console.config->log.file.at("default").enable);
  EXPECT_EQ(console.config->log.file.at("default").path, "/var/log/x/emqx.log");
  const Loaded several = load_text("log.file { a { path = \"a.log\" }, b { path = \"b.log\", enable = false } }");
  EXPECT_TRUE(several.config->log.file.at("a").enable);
  EXPECT_FALSE(several.config->log.file.at("b").enable);
}

TEST(Load, OldNamesWork) {
  const Loaded l = load_text(
      "node.db_role = replicant\nforce_shutdown.max_message_queue_len = 7\nretainer.deliver_rate = \"500/s\"\n"
      "mqtt.keepalive_backoff = 1.5\nlisteners.tcp.default { enabled = false, enable = true "
      "}\nflapping_detect.window_time = disable");
  ASSERT_TRUE(l.config) << all(l.errors);
  EXPECT_EQ(l.config->node.role, NodeRole::Replicant);
  EXPECT_EQ(l.config->force_shutdown.max_mailbox_size, 7u);
  EXPECT_EQ(l.config->retainer.flow_control.batch_deliver_number, 500u);
  EXPECT_DOUBLE_EQ(l.config->mqtt.keepalive_multiplier, 3.0);
  EXPECT_TRUE(l.config->listeners.tcp.at("default").enable);
  EXPECT_EQ(l.config->flapping_detect.window_time, 0ms);
  EXPECT_FALSE(l.config->effective.at_path("node.db_role"));
  EXPECT_TRUE(l.config->effective.at_path("node.role"));
}

TEST(Load, OutputRoundTrips) {
  const Loaded first = load_text(kEmqxConf);
  ASSERT_TRUE(first.config);
  for (const std::string& text :
       {to_hocon(first.config->effective, {.reveal = true}), to_json(first.config->effective, {.reveal = true})}) {
    const Loaded second = load_text(text);
    ASSERT_TRUE(second.config) << all(second.errors) << text;
    EXPECT_EQ(second.config->effective, first.config->effective);
  }
  const std::string shown = to_json(first.config->effective);
  EXPECT_THAT(shown, testing::Not(HasSubstr("emqxsecretcookie")));
  EXPECT_THAT(shown, HasSubstr("\"cookie\": \"******\""));
}

TEST(Load, KeysThatAreWrittenAsTextBecomeFiles) {
  const Loaded l = load_text(
      "node.data_dir = \"d\"\nlisteners.ssl.default.ssl_options { keyfile = \"\\n-----BEGIN PRIVATE KEY-----\\nhush\", "
      "certfile = \"etc/cert.pem\" }");
  ASSERT_TRUE(l.config) << all(l.errors);
  ASSERT_EQ(l.pems.size(), 1u);
  EXPECT_THAT(l.pems[0].path, testing::StartsWith("d/certs/listeners/ssl/default/ssl_options/keyfile-"));
  EXPECT_THAT(l.pems[0].content, HasSubstr("hush"));
  EXPECT_EQ(l.config->effective.at_path("listeners.ssl.default.ssl_options.keyfile")->text(),
            "${EMQX_DATA_DIR}" + l.pems[0].path.substr(1));
  EXPECT_EQ(l.config->listeners.ssl.at("default").ssl_options.keyfile, l.pems[0].path);
  EXPECT_EQ(l.config->effective.at_path("listeners.ssl.default.ssl_options.certfile")->text(), "etc/cert.pem");
  EXPECT_THAT(to_hocon(l.config->effective, {.reveal = true}), testing::Not(HasSubstr("hush")));
}

TEST(Load, AnOlderFormIsOfItsLayer) {
  Files files{{{"etc/emqx.conf", "node.data_dir = d\nprometheus.push_gateway_server = \"http://main:1\""},
               {"d/configs/cluster.hocon", "prometheus.push_gateway { url = \"http://cluster:1\", interval = 30s }"}}};
  const Loaded l = load(files.options());
  ASSERT_TRUE(l.config) << all(l.errors);
  EXPECT_EQ(l.config->prometheus.push_gateway.url, "http://main:1");
  EXPECT_EQ(l.config->prometheus.push_gateway.interval, milliseconds(30'000));
}

TEST(Load, PlacesThatFitAreTaken) {
  const auto problems_of = [](const std::string& text) { return all(load_text(text).errors); };
  EXPECT_EQ(problems_of("listeners.tcp.default.mountpoint = \"a${clientid}/$x/${username}/${open/\""), "");
  EXPECT_EQ(problems_of(
                "listeners.tcp { a.bind = \"127.0.0.1:1884\", b.bind = \"127.0.0.2:1884\", c.bind = \"[::1]:1884\" }"),
            "");
  // A dashboard that nobody wrote down gives way.
  EXPECT_EQ(problems_of("listeners.tcp.second.bind = 18083"), "");
  EXPECT_EQ(problems_of("listeners.tcp.second { bind = 18084, enable = false }\ndashboard.listeners.http.bind = 18084"),
            "");
  EXPECT_EQ(problems_of("prometheus.push_gateway.headers { Authorization = \"Basic abc\" }"), "");
}

TEST(Load, ASentenceHasNoEmptyList) {
  const Loaded l = load_text("broker.perf.foo = 1");
  ASSERT_EQ(l.errors.size(), 1u);
  EXPECT_EQ(l.errors[0].expected, "a known key");
}

TEST(Load, HeadersOfThePushGatewayAreNotTold) {
  const Loaded l = load_text("prometheus.push_gateway.headers { Authorization = \"Basic hidden1\", \"a b\" = c }");
  ASSERT_EQ(l.errors.size(), 1u);
  EXPECT_THAT(to_string(l.errors[0]), Not(HasSubstr("hidden1")));
}

TEST(Load, CheckConfigIsSilentOnSuccess) {
  Files good{{{"etc/emqx.conf", ""}}};
  std::string out;
  EXPECT_EQ(check_config(good.options(), out), 0);
  EXPECT_EQ(out, "");
  Files bad{{{"etc/emqx.conf", "mqtt.max_inflight = 0\nmqtt.x = 1"}}};
  EXPECT_EQ(check_config(bad.options(), out), 1);
  EXPECT_THAT(out, HasSubstr("failed_to_check_schema"));
  EXPECT_THAT(out, HasSubstr("etc/emqx.conf:1"));
  EXPECT_THAT(out, HasSubstr("etc/emqx.conf:2"));
  Files none;
  EXPECT_EQ(check_config(none.options(), out), 1);
}

TEST(Load, DocumentationNamesEveryRoot) {
  const std::string doc = document_schema();
  for (const Key& root : Roots::schema().keys) EXPECT_THAT(doc, HasSubstr(fmt::format("\n## {}\n", root.name)));
  EXPECT_THAT(doc, HasSubstr("| `mqtt.max_inflight` | integer 1..65535 | `32` | new connections |"));
  EXPECT_THAT(doc, HasSubstr("`listeners.ssl.<name>.ssl_options.password`"));
}

/// Each key says what it is for, and its default passes its own check.
void check_keys(const Struct& s, const std::string& path) {
  for (const Key& key : s.keys) {
    const std::string here = path + "." + std::string(key.name);
    EXPECT_TRUE(key.opts.hidden || !key.opts.doc.empty()) << here;
    if (key.child) check_keys(*key.child, here);
  }
}
TEST(Schema, EveryShownKeyIsDescribed) {
  for (const Key& root : Roots::schema().keys) {
    if (root.child && root.name != "zones") check_keys(*root.child, std::string(root.name));
  }
}

}  // namespace
}  // namespace sb::config
