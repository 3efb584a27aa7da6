#include "config/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace sb::config {
namespace {

namespace fs = std::filesystem;
using Mode = ConfigStore::Mode;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

class Store : public testing::Test {
 protected:
  Store() {
    char name[] = "/tmp/sb_config_XXXXXX";
    root_ = ::mkdtemp(name);
    write("etc/emqx.conf", "");
    options_.main_file = (root_ / "etc/emqx.conf").string();
  }
  ~Store() override {
    std::error_code ec;
    fs::remove_all(root_, ec);
  }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text
                                << (name == "etc/emqx.conf" ? "\nnode.data_dir = \"" + (root_ / "data").string() + "\""
                                                            : "");
  }
  std::string read(const std::string& name) {
    std::stringstream out;
    out << std::ifstream(root_ / name).rdbuf();
    return out.str();
  }
  std::unique_ptr<ConfigStore> start() {
    Loaded loaded = load(options_);
    EXPECT_TRUE(loaded.config) << (loaded.errors.empty() ? "" : to_string(loaded.errors[0]));
    return std::make_unique<ConfigStore>(std::move(loaded), options_, clock_);
  }

  fs::path root_;
  LoadOptions options_;
  ManualClock clock_;
};

TEST_F(Store, ChangeHoldsAtOnceAndAfterRestart) {
  auto store = start();
  const Snapshot before = store->current();
  const auto change = store->update("mqtt.max_inflight", Value(7), Mode::Merge);
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_THAT(change->roots, ElementsAre("mqtt"));
  EXPECT_EQ(store->current()->mqtt.max_inflight, 7);
  EXPECT_EQ(store->current()->zone("default").mqtt.max_inflight, 7);
  EXPECT_EQ(before->mqtt.max_inflight, 32);
  EXPECT_EQ(start()->current()->mqtt.max_inflight, 7);
}

TEST_F(Store, MainFileWinsAgainAfterRestart) {
  write("etc/emqx.conf", "mqtt.max_inflight = 5");
  auto store = start();
  ASSERT_TRUE(store->update("mqtt.max_inflight", Value(7), Mode::Merge));
  EXPECT_EQ(store->current()->mqtt.max_inflight, 7);
  EXPECT_EQ(start()->current()->mqtt.max_inflight, 5);
}

TEST_F(Store, BadChangeLeavesEverythingAsItWas) {
  auto store = start();
  const Snapshot before = store->current();
  const auto change = store->update_text("mqtt", R"({"max_inflight": 0, "nonsense": 1})", Mode::Merge);
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().code, "UPDATE_FAILED");
  EXPECT_EQ(change.error().problems.size(), 2u);
  EXPECT_THAT(change.error().message, HasSubstr("unshown_errors_count: 1"));
  EXPECT_EQ(store->current(), before);
  EXPECT_FALSE(fs::exists(root_ / "data/configs/cluster.hocon"));
}

TEST_F(Store, MistakesOfAllRootsAreTold) {
  auto store = start();
  const auto change = store->update_text(
      "", "foo.bar = 1\nmqtt { max_inflight = 0, nonsense = 1 }\nalarm.size_limit = 0\nmqtt.max_topic_levels = 7",
      Mode::Merge);
  ASSERT_FALSE(change);
  std::vector<std::string> paths;
  for (const Problem& problem : change.error().problems) paths.push_back(problem.path);
  EXPECT_THAT(paths, UnorderedElementsAre("foo", "mqtt.max_inflight", "mqtt.nonsense", "alarm.size_limit"));
  EXPECT_NE(store->current()->mqtt.max_topic_levels, 7);
  const auto fixed = store->update_text("", "node.name = x@y\nmqtt.max_inflight = 3\nrpc.mode = sync", Mode::Merge);
  EXPECT_THAT(fixed.error().told(), HasSubstr("node, rpc cannot be changed"));
}

TEST_F(Store, ReadOnlyRootsAreRefused) {
  auto store = start();
  for (const char* path : {"node.name", "cluster", "rpc.mode"}) {
    const auto change = store->update(path, Value("x"), Mode::Merge);
    ASSERT_FALSE(change);
    EXPECT_EQ(change.error().code, "update_readonly_keys_prohibited");
  }
  const auto many = store->update_text("", "mqtt.max_inflight = 3\nnode.name = x", Mode::Merge);
  ASSERT_FALSE(many);
  EXPECT_EQ(many.error().code, "update_readonly_keys_prohibited");
  EXPECT_EQ(store->current()->mqtt.max_inflight, 32);
}

TEST_F(Store, ReplaceSwapsARootMergeKeepsTheRest) {
  auto store = start();
  ASSERT_TRUE(store->update_text("", "retainer { max_payload_size = 2MB, msg_expiry_interval = 1h }", Mode::Merge));
  ASSERT_TRUE(store->update_text("", "retainer { max_payload_size = 3MB }", Mode::Merge));
  EXPECT_EQ(store->current()->retainer.msg_expiry_interval, std::chrono::hours(1));
  ASSERT_TRUE(store->update_text("", "retainer { max_payload_size = 4MB }", Mode::Replace));
  EXPECT_EQ(store->current()->retainer.msg_expiry_interval.count(), 0);
  EXPECT_EQ(store->current()->retainer.max_payload_size, 4u << 20);
}

TEST_F(Store, SubscriberThatRefusesUndoesTheChange) {
  auto store = start();
  std::vector<std::string> log;
  store->subscribe([&](const Config& before, const Config& after, const std::vector<std::string>&) -> Result<void> {
    log.push_back(fmt::format("first {}>{}", before.mqtt.max_inflight, after.mqtt.max_inflight));
    return {};
  });
  const auto id = store->subscribe([&](const Config&, const Config&, const std::vector<std::string>&) -> Result<void> {
    return fail(Errc::Busy, "port in use");
  });
  const auto change = store->update("mqtt.max_inflight", Value(9), Mode::Merge);
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().message, "port in use");
  EXPECT_THAT(log, ElementsAre("first 32>9", "first 9>32"));
  EXPECT_EQ(store->current()->mqtt.max_inflight, 32);
  EXPECT_FALSE(fs::exists(root_ / "data/configs/cluster.hocon"));
  store->unsubscribe(id);
  EXPECT_TRUE(store->update("mqtt.max_inflight", Value(9), Mode::Merge));
}

TEST_F(Store, UnchangedUpdateTellsNobody) {
  auto store = start();
  int told = 0;
  store->subscribe([&](const Config&, const Config&, const std::vector<std::string>&) -> Result<void> {
    ++told;
    return {};
  });
  const auto change = store->update("mqtt.max_inflight", Value(32), Mode::Merge);
  ASSERT_TRUE(change);
  EXPECT_TRUE(change->roots.empty());
  EXPECT_EQ(told, 0);
}

TEST_F(Store, MaskedSecretKeepsTheOldOne) {
  auto store = start();
  ASSERT_TRUE(store->update_text("listeners.ssl.default.ssl_options", R"({"password": "hidden"})", Mode::Merge));
  const std::string shown = to_json(store->current()->effective);
  EXPECT_THAT(shown, Not(HasSubstr("hidden")));
  EXPECT_THAT(read("data/configs/cluster.hocon"), HasSubstr("hidden"));
  ASSERT_TRUE(
      store->update_text("listeners.ssl.default.ssl_options", R"({"password": "******", "depth": 3})", Mode::Replace));
  const ServerTls& tls = store->current()->listeners.ssl.at("default").ssl_options;
  EXPECT_EQ(tls.password.reveal(), "hidden");
  EXPECT_EQ(tls.depth, 3);
  EXPECT_EQ(fs::status(root_ / "data/configs/cluster.hocon").permissions() & fs::perms::others_read, fs::perms::none);
}

TEST_F(Store, SecretsWithinHeadersAndUrlsAreMaskedAndKept) {
  auto store = start();
  ASSERT_TRUE(store->update_text(
      "prometheus.push_gateway",
      R"({"url": "http://joe:hidden1@gate:9091/x", "headers": {"Authorization": "hidden2", "X-Api-Key": "hidden3", "Via": "me"}})",
      Mode::Merge));
  const std::string shown = to_json(*store->current()->effective.at_path("prometheus.push_gateway"));
  EXPECT_THAT(shown, Not(HasSubstr("hidden")));
  EXPECT_THAT(shown, HasSubstr("http://joe:******@gate:9091/x"));
  EXPECT_THAT(shown, HasSubstr("me"));
  ASSERT_TRUE(store->update_text("prometheus.push_gateway", shown, Mode::Replace));
  EXPECT_EQ(store->current()->prometheus.push_gateway.url, "http://joe:hidden1@gate:9091/x");
  const std::string kept = read("data/configs/cluster.hocon");
  EXPECT_THAT(kept, Not(HasSubstr("******")));
  for (const char* one : {"hidden1", "hidden2", "hidden3"}) EXPECT_THAT(kept, HasSubstr(one));
  const auto elsewhere =
      store->update("prometheus.push_gateway.url", Value("http://joe:******@other:9091/x"), Mode::Merge);
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().message, HasSubstr("prometheus.push_gateway.url"));
}

TEST_F(Store, UnknownRootsAreRefusedAtRunTime) {
  write("etc/emqx.conf", "foo.bar = 1");
  auto store = start();  // a file may hold some
  const auto refused = store->update_text("", "oof.bar = 1\nmqtt.max_inflight = 7", Mode::Merge);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().told(), HasSubstr("oof"));
  EXPECT_NE(store->current()->mqtt.max_inflight, 7);
  EXPECT_TRUE(store->update_text("", "rule_engine.rules.a.sql = x", Mode::Merge));  // of EMQX
  EXPECT_TRUE(store->update_text("", "foo.bar = 2", Mode::Merge));
}

TEST_F(Store, AnIncludeInARequestIsRefused) {
  auto store = start();
  for (const char* text : {"include \"/etc/passwd\"", "mqtt { include required(\"/etc/passwd\") }",
                           "mqtt.max_inflight = 7\ninclude \"x.conf\""}) {
    const auto refused = store->update_text("", text, Mode::Merge);
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error().told(), HasSubstr("include")) << text;
  }
  EXPECT_FALSE(store->update_text("mqtt", "{include \"/etc/passwd\"}", Mode::Merge));
}

TEST_F(Store, RulesOfSingleKeys) {
  auto store = start();
  EXPECT_FALSE(store->update("dashboard.sample_interval", Value("7s"), Mode::Merge));
  EXPECT_TRUE(store->update("dashboard.sample_interval", Value("15s"), Mode::Merge));
  EXPECT_FALSE(store->update("dashboard.i18n_lang", Value("zh"), Mode::Merge));
  EXPECT_TRUE(store->update("dashboard.i18n_lang", Value("en"), Mode::Merge));
  EXPECT_FALSE(store->update("retainer.backend.type", Value("redis"), Mode::Merge));
  EXPECT_TRUE(store->update("retainer.backend.type", Value("built_in_database"), Mode::Merge));
  ASSERT_TRUE(store->update_text("prometheus", R"({"vm_dist": "enabled", "mnesia": "enabled"})", Mode::Shallow));
  EXPECT_EQ(store->current()->effective.at_path("prometheus.collectors.vm_dist")->text(), "enabled");
}

TEST_F(Store, TheFlatFormOfThePushGatewayIsStoredInThePresentOne) {
  auto store = start();
  ASSERT_TRUE(store->update_text("prometheus",
                                 R"({"push_gateway_server": "http://old:1", "interval": "30s", "job_name": "j",
                                     "headers": {"Authorization": "Basic old"}, "enable": true})",
                                 Mode::Shallow));
  EXPECT_EQ(store->current()->prometheus.push_gateway.url, "http://old:1");
  const std::string stored = read("data/configs/cluster.hocon");
  EXPECT_THAT(stored, HasSubstr("push_gateway {"));
  EXPECT_THAT(stored, Not(HasSubstr("push_gateway_server")));
  // What the present form leaves out has its default, whatever the older one said before.
  ASSERT_TRUE(store->update_text("prometheus", R"({"push_gateway": {"url": "http://new:1"}})", Mode::Shallow));
  const auto& gateway = store->current()->prometheus.push_gateway;
  EXPECT_EQ(gateway.url, "http://new:1");
  EXPECT_TRUE(gateway.headers.empty());
  EXPECT_EQ(gateway.interval, milliseconds(15'000));
  EXPECT_FALSE(gateway.enable);
}

TEST_F(Store, AFlatFormThatWasStoredBeforeGivesWay) {
  write("data/configs/cluster.hocon",
        "prometheus { push_gateway_server = \"http://old:1\", headers { Authorization = \"Basic old\" } }\n");
  auto store = start();
  ASSERT_EQ(store->current()->prometheus.push_gateway.headers.size(), 1u);
  ASSERT_TRUE(store->update_text("prometheus", R"({"push_gateway": {"url": "http://new:1"}})", Mode::Shallow));
  EXPECT_TRUE(store->current()->prometheus.push_gateway.headers.empty());
  EXPECT_THAT(read("data/configs/cluster.hocon"), Not(HasSubstr("old")));
}

TEST_F(Store, PemTextGoesToAFile) {
  auto store = start();
  const std::string pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  Value value(Value::Object{{"certfile", Value(pem)}});
  ASSERT_TRUE(store->update("listeners.ssl.default.ssl_options", value, Mode::Merge));
  const std::string path = store->current()->listeners.ssl.at("default").ssl_options.certfile;
  EXPECT_TRUE(path.starts_with((root_ / "data/certs/listeners/ssl/default/ssl_options/certfile-").string())) << path;
  EXPECT_EQ(read(fs::relative(path, root_).string()), pem);
  EXPECT_EQ(fs::status(path).permissions() & (fs::perms::group_all | fs::perms::others_all), fs::perms::none);
  EXPECT_THAT(read("data/configs/cluster.hocon"), Not(HasSubstr("BEGIN")));
}

TEST_F(Store, ListsOfMechanismsMergeByIdentity) {
  options_.built_authn = {"jwt", "password_based:redis"};
  auto store = start();
  ASSERT_TRUE(store->update_text("", "authentication = [{mechanism = jwt, secret = s1}]", Mode::Merge));
  ASSERT_TRUE(store->update_text("",
                                 "authentication = [{mechanism = password_based, backend = redis, password = 5}, "
                                 "{mechanism = jwt, secret = \"******\", x = 1}]",
                                 Mode::Merge));
  const Value& chain = store->current()->authentication;
  ASSERT_EQ(chain.if_array()->size(), 2u);
  EXPECT_EQ(chain.at_path("1.secret")->text(), "s1");
  EXPECT_EQ(chain.at_path("1.x")->text(), "1");
  const std::string shown =
      to_json(store->current()->effective.at_path("authentication")[0], {.reveal = false, .pretty = false});
  EXPECT_THAT(shown, HasSubstr(R"("password":"******")"));
  EXPECT_THAT(shown, Not(HasSubstr("s1")));
  ASSERT_TRUE(store->update_text("", "authentication = []", Mode::Replace));
  EXPECT_TRUE(store->current()->authentication.if_array()->empty());
}

TEST_F(Store, ListenersComeAndGo) {
  auto store = start();
  ASSERT_TRUE(store->update_text("listeners.tcp.extra", R"({"bind": "127.0.0.1:2884"})", Mode::Merge));
  EXPECT_TRUE(store->current()->listeners.find("tcp:extra"));
  ASSERT_TRUE(start()->current()->listeners.find("tcp:extra"));
  const auto gone = store->remove("listeners.tcp.extra");
  ASSERT_TRUE(gone) << gone.error().message;
  EXPECT_FALSE(store->current()->listeners.find("tcp:extra"));
  EXPECT_FALSE(start()->current()->listeners.find("tcp:extra"));
  ASSERT_TRUE(store->remove("listeners.tcp.default"));
  EXPECT_FALSE(store->current()->listeners.find("tcp:default"));
  EXPECT_FALSE(start()->current()->listeners.find("tcp:default"));
  EXPECT_THAT(read("data/configs/cluster.hocon"), HasSubstr("marked_for_deletion"));
  ASSERT_TRUE(store->update_text("listeners.tcp.default", R"({"bind": 1999})", Mode::Merge));
  EXPECT_EQ(store->current()->listeners.find("tcp:default")->bind.port, 1999);
  const auto clash = store->update_text("listeners.ws.two", R"({"bind": 1999})", Mode::Merge);
  ASSERT_FALSE(clash);
  EXPECT_THAT(clash.error().message, HasSubstr("address_in_use"));
  EXPECT_EQ(store->remove("listeners").error().code, "remove_root_is_forbidden");
  EXPECT_EQ(store->remove("listeners.tcp.nobody").error().code, "NOT_FOUND");
}

TEST_F(Store, ZoneFollowsTheGlobalsItDoesNotOverride) {
  write("etc/emqx.conf", "zones.z.mqtt.max_inflight = 4");
  auto store = start();
  ASSERT_TRUE(store->update("mqtt.max_awaiting_rel", Value(9), Mode::Merge));
  EXPECT_EQ(store->current()->zone("z").mqtt.max_awaiting_rel, 9u);
  EXPECT_EQ(store->current()->zone("z").mqtt.max_inflight, 4);
  ASSERT_TRUE(store->update_text("zones.z.mqtt", "max_inflight = null", Mode::Merge));
  EXPECT_EQ(store->current()->zone("z").mqtt.max_inflight, 32);
}

TEST_F(Store, ResetGoesBackToTheDefault) {
  write("etc/emqx.conf", "mqtt.max_inflight = 5");
  auto store = start();
  ASSERT_TRUE(store->update("sysmon.os.cpu_high_watermark", Value("95%"), Mode::Merge));
  ASSERT_TRUE(store->reset("sysmon"));
  EXPECT_DOUBLE_EQ(store->current()->sysmon.os.cpu_high_watermark.value, 0.8);
  ASSERT_TRUE(store->reset("mqtt.max_inflight"));
  EXPECT_EQ(store->current()->mqtt.max_inflight, 32);
  EXPECT_EQ(store->reset("listeners.tcp.default.max_conn_rate").error().code, "NO_DEFAULT_VALUE");
  EXPECT_EQ(store->reset("mqtt.nonsense").error().code, "NO_DEFAULT_VALUE");
}

TEST_F(Store, OldNamesInUpdatesReplaceTheNew) {
  auto store = start();
  ASSERT_TRUE(store->update_text("retainer", R"({"delivery_rate": "10/s"})", Mode::Merge));
  ASSERT_TRUE(store->update_text("retainer", R"({"deliver_rate": "20/s"})", Mode::Merge));
  EXPECT_EQ(store->current()->retainer.delivery_rate->amount, 20u);
}

TEST_F(Store, FilesOfTheLogMergeInEveryForm) {
  const std::string kForms[] = {"",
                                "log.file { level = debug, path = \"a.log\" }",
                                "log.file.default { level = debug, path = \"a.log\" }",
                                "log.file { level = debug, to = \"a.log\" }",
                                "log.file_handlers.default { level = debug, path = \"a.log\" }",
                                "log.file_handlers { level = debug, file = \"a.log\" }",
                                "log.file { level = debug, more { path = \"m.log\" } }"};
  struct Update {
    const char* path;
    const char* text;
    Mode mode;
  };
  const Update kUpdates[] = {{"", "log.file.default.level = error", Mode::Merge},
                             {"", "log.file.level = error", Mode::Merge},
                             {"", "log.file_handlers.default.level = error", Mode::Merge},
                             {"log", R"({"file": {"default": {"level": "error"}}})", Mode::Shallow},
                             {"log", R"({"file": {"level": "error"}})", Mode::Shallow},
                             {"", "log.file.default { level = error }", Mode::Replace},
                             {"", "log.file { level = error }", Mode::Replace}};
  for (const std::string& form : kForms) {
    for (const Update& update : kUpdates) {
      SCOPED_TRACE(form + " <- " + update.text);
      fs::remove_all(root_ / "data");
      write("etc/emqx.conf", form);
      auto store = start();
      const auto changed = store->update_text(update.path, update.text, update.mode);
      ASSERT_TRUE(changed) << changed.error().told();
      EXPECT_EQ(store->current()->log.file.at("default").level, LogLevel::Error);
      const auto again = start();
      // What the main file says holds again after a restart.
      EXPECT_EQ(again->current()->log.file.at("default").level, form.empty() ? LogLevel::Error : LogLevel::Debug);
      const std::string shown = to_hocon(*again->current()->effective.find("log"));
      EXPECT_TRUE(again->update_text("log", "{" + shown + "}", Mode::Shallow));
      EXPECT_TRUE(again->update_text("log", "{" + shown + "}", Mode::Merge));
      EXPECT_TRUE(again->update_text("", "log.file.extra.path = \"b.log\"", Mode::Merge));
      EXPECT_EQ(again->current()->log.file.at("extra").path, "b.log");
      const auto last = start();
      EXPECT_EQ(last->current()->log.file.at("extra").path, "b.log");
      EXPECT_EQ(last->current()->log.file.count("more"), form.find("more") == form.npos ? 0u : 1u);
    }
  }
}

TEST_F(Store, TheEnvironmentReachesTheFileOfTheLogInEveryForm) {
  options_.env = {{"EMQX_LOG__FILE__LEVEL", "alert"}};
  for (const char* form : {"", "log.file.level = debug", "log.file.default.level = debug"}) {
    write("etc/emqx.conf", form);
    EXPECT_EQ(start()->current()->log.file.at("default").level, LogLevel::Alert) << form;
  }
}

TEST_F(Store, OneAuthenticatorNeedsNoListAroundIt) {
  options_.built_authn = {"jwt", "password_based:redis"};
  write("etc/emqx.conf", "authentication { mechanism = jwt, secret = s1 }");
  auto store = start();
  ASSERT_TRUE(store->update_text("", "authentication { mechanism = password_based, backend = redis }", Mode::Merge));
  ASSERT_EQ(store->current()->authentication.if_array()->size(), 2u);
  EXPECT_EQ(store->current()->authentication.at_path("1.secret")->text(), "s1");
  ASSERT_TRUE(store->update_text("", "authentication { mechanism = jwt, x = 1 }", Mode::Merge));
  EXPECT_EQ(store->current()->authentication.if_array()->size(), 2u);
}

TEST_F(Store, OldTlsKeysOfTheDashboardGiveWayToThePresentOnes) {
  write("etc/emqx.conf", "dashboard.listeners.https { bind = 0, depth = 3, verify = verify_none }");
  auto store = start();
  const auto changed = store->update_text("", "dashboard.listeners.https.ssl_options.depth = 4", Mode::Merge);
  ASSERT_TRUE(changed) << changed.error().told();
  EXPECT_EQ(store->current()->effective.at_path("dashboard.listeners.https.ssl_options.depth")->text(), "4");
  EXPECT_TRUE(start()->current());
}

TEST_F(Store, ARefusalTellsNoPlaceInTheFilesOfTheNode) {
  write("etc/emqx.conf", "license.connection_high_watermark = \"80%\"");
  auto store = start();
  const auto refused = store->update("license.connection_low_watermark", Value("90%"), Mode::Merge);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().told(), Not(HasSubstr("emqx.conf")));
  EXPECT_THAT(refused.error().message, Not(HasSubstr("emqx.conf")));
  EXPECT_THAT(refused.error().told_with_places(), HasSubstr("emqx.conf:1: license.connection_high_watermark"));
}

TEST_F(Store, LimiterShortKeyOverridesTheLongForm) {
  write("etc/emqx.conf", "limiter.messages { rate = \"5/s\", burst = 3 }");
  auto store = start();
  ASSERT_TRUE(store->update_text("limiter", R"({"messages_rate": "50/s"})", Mode::Merge));
  EXPECT_EQ(store->current()->limiter.messages->rate.amount, 50u);
  EXPECT_EQ(store->current()->limiter.messages->burst, 0u);
}

TEST_F(Store, TheLimiterOfAListenerIsTakenAsAWhole) {
  write("etc/emqx.conf", "listeners.tcp.default.limiter { bytes.rate = \"1MB/s\", messages.rate = \"5/s\" }");
  auto store = start();
  ASSERT_TRUE(store->update_text("listeners.tcp.default", R"({limiter {messages {rate = "7/s"}}})", Mode::Merge));
  const Listener& listener = store->current()->listeners.tcp.at("default");
  EXPECT_FALSE(listener.limiter->bytes);
  EXPECT_EQ(listener.limiter->messages->rate.per_second(), 7);
}

TEST_F(Store, AListenerOfTheMainFileStaysDeleted) {
  write("etc/emqx.conf", "listeners.tcp { default.bind = 1999, other.bind = 2000 }");
  {
    auto store = start();
    ASSERT_TRUE(store->remove("listeners.tcp.default"));
    ASSERT_TRUE(store->remove("listeners.tcp.other"));
  }
  auto again = start();
  EXPECT_EQ(again->current()->listeners.tcp.size(), 0U);
  ASSERT_TRUE(again->update_text("listeners.tcp.default", "bind = 2001", Mode::Merge));
  EXPECT_EQ(again->current()->listeners.tcp.at("default").bind.port, 2001);
}

TEST_F(Store, TellsDefaultListenersFromThoseThatAreWritten) {
  write("etc/emqx.conf", "listeners.ssl.default.max_connections = 5");
  auto store = start();
  EXPECT_TRUE(store->current()->listeners.ssl.at("default").written);
  EXPECT_FALSE(store->current()->listeners.wss.at("default").written);
  ASSERT_TRUE(store->update("listeners.wss.default.enable", Value(true), Mode::Merge));
  EXPECT_TRUE(store->current()->listeners.wss.at("default").written);
}

TEST_F(Store, ARefusedChangeLeavesNoFile) {
  auto store = start();
  store->subscribe([](const Config&, const Config&, const std::vector<std::string>&) -> Result<void> {
    return fail(Errc::Invalid, "no");
  });
  const auto refused =
      store->update("listeners.ssl.default.ssl_options.certfile",
                    Value("-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"), Mode::Merge);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "no");
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root_))
    files += entry.path().extension() == ".pem" ? 1U : 0U;
  EXPECT_EQ(files, 0U);
}

TEST_F(Store, SaysWhatWaitsForARestart) {
  auto store = start();
  const auto change = store->update("broker.routing.storage_schema", Value("v1"), Mode::Merge);
  ASSERT_TRUE(change);
  EXPECT_THAT(change->after_restart, ElementsAre("broker"));
  const auto other = store->update_text("broker.shared_subscription_group.g", R"({"strategy": "sticky"})", Mode::Merge);
  ASSERT_TRUE(other);
  EXPECT_TRUE(other->after_restart.empty());
}

TEST_F(Store, KeepsTenBackups) {
  auto store = start();
  for (int i = 1; i <= 14; ++i) {
    ASSERT_TRUE(store->update("mqtt.max_inflight", Value(i), Mode::Merge));
    clock_.advance(std::chrono::milliseconds(1));
  }
  std::vector<std::string> backups;
  for (const auto& entry : fs::directory_iterator(root_ / "data/configs")) {
    if (entry.path().extension() == ".bak") backups.push_back(entry.path().filename().string());
  }
  EXPECT_EQ(backups.size(), 10u);
  EXPECT_TRUE(backups[0].starts_with("cluster.hocon.20"));
  std::sort(backups.begin(), backups.end());
  EXPECT_THAT(read("data/configs/" + backups.back()), HasSubstr("max_inflight = 13"));
  EXPECT_THAT(read("data/configs/cluster.hocon"), HasSubstr("max_inflight = 14"));
}

TEST_F(Store, AChangeThatCannotBeWrittenDownIsNotTaken) {
  write("data/configs", "a file in the way");
  auto store = start();
  std::vector<std::uint32_t> told;
  int followed = 0;
  store->subscribe([&](const Config&, const Config& after, const std::vector<std::string>&) -> Result<> {
    told.push_back(after.mqtt.max_inflight);
    return {};
  });
  store->follow([&](const Config&, const Config&) { ++followed; });
  const std::uint32_t before = store->current()->mqtt.max_inflight;
  const auto change = store->update("mqtt.max_inflight", Value(3), Mode::Merge);
  ASSERT_FALSE(change);
  EXPECT_EQ(change.error().code, "UPDATE_FAILED");
  EXPECT_THAT(change.error().message, HasSubstr("nothing was changed"));
  EXPECT_EQ(store->current()->mqtt.max_inflight, before);
  EXPECT_THAT(told, testing::ElementsAre(3, before));
  fs::remove(root_ / "data/configs");
  ASSERT_TRUE(store->update("mqtt.max_inflight", Value(3), Mode::Merge));
  EXPECT_EQ(store->current()->mqtt.max_inflight, 3U);
  EXPECT_EQ(followed, 1);
}

TEST_F(Store, ReloadReadsTheMainFileAgain) {
  auto store = start();
  write("etc/emqx.conf", "mqtt.max_inflight = 11\nnode.shards = 3");
  const auto change = store->reload(Mode::Merge);
  ASSERT_TRUE(change) << change.error().message;
  EXPECT_EQ(store->current()->mqtt.max_inflight, 11);
  EXPECT_EQ(store->current()->node.shards, 0u);
  EXPECT_FALSE(fs::exists(root_ / "data/configs/cluster.hocon"));
  write("etc/emqx.conf", "mqtt.max_inflight = 0");
  EXPECT_FALSE(store->reload(Mode::Merge));
}

TEST_F(Store, SecretFilesAreReadWhenUsed) {
  write("secret.txt", "s3cret \n");
  const auto good = resolve_secret(Secret("file://" + (root_ / "secret.txt").string()));
  ASSERT_TRUE(good);
  EXPECT_EQ(good->reveal(), "s3cret");
  EXPECT_EQ(resolve_secret(Secret("plain"))->reveal(), "plain");
  const auto bad = resolve_secret(Secret("file:///no/such/file"));
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().what, HasSubstr("failed_to_read_secret_file /no/such/file"));
  const std::string pipe = (root_ / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_FALSE(resolve_secret(Secret("file://" + pipe))) << "and it does not wait for who writes into it";
  EXPECT_FALSE(resolve_secret(Secret("file://" + root_.string())));
}

TEST(Documentation, IsUpToDate) {
  std::stringstream page;
  page << std::ifstream(SB_SOURCE_DIR "/docs/configuration.md").rdbuf();
  EXPECT_TRUE(page.str() == document_schema())
      << "write docs/configuration.md anew: signalbox config-docs > docs/configuration.md";
}

}  // namespace
}  // namespace sb::config
