// The configuration changed while the node runs: in force, kept, and taken back as a whole when it cannot be had.
#include "app/e2e_client.h"
#include "app/testing/configured_node.h"
#include "base/log.h"
#include "store/tables.h"

#include <gmock/gmock.h>

#include <mutex>

namespace sb::app {
namespace {

using testing::ConfiguredNode;
using testing::eventually;
using ::testing::HasSubstr;
using testing::info_of;
using ::testing::Not;
using testing::Pki;
using testing::Wire;

class LiveConfigTest : public ConfiguredNode {
 protected:
  /// The reason code of the first packet that comes back for a PUBLISH with QoS 1.
  static int publish(RawClient& client, std::string_view topic) {
    client.send(RawClient::publish_packet(topic, "x", 1, 1));
    const std::string answer = client.packet();
    const std::size_t at = type_of(answer) == 14 ? 2 : 4;
    return answer.empty() ? -1 : answer.size() > at ? static_cast<unsigned char>(answer[at]) : 0;
  }
  static std::string lasting_session(std::string_view id, unsigned expiry_s) {
    RawClient::Options options;
    options.expiry_s = expiry_s;
    return RawClient::connect_packet(id, options);
  }
  std::unique_ptr<RawClient> client(std::string_view id, const std::string& listener = "tcp:default") {
    auto out = std::make_unique<RawClient>(*node->listeners().bound(listener));
    out->send(RawClient::connect_packet(id));
    EXPECT_EQ(type_of(out->packet()), 2U) << id;
    return out;
  }
};

TEST_F(LiveConfigTest, KeysThatTakeEffectAtOnceReachLiveConnections) {
  configure();
  start();
  auto live = client("live");
  EXPECT_EQ(publish(*live, "a/b/c"), 0x10);
  ASSERT_EQ(put("mqtt { max_topic_levels = 2, session_expiry_interval = 1h }"), 200);
  EXPECT_EQ(publish(*live, "a/b/c"), 0x90);
}

TEST_F(LiveConfigTest, OtherKeysAreForNewConnections) {
  configure();
  start();
  auto live = client("live");
  ASSERT_EQ(put("mqtt.max_packet_size = 64"), 200);
  const std::string big(200, 'x');
  live->send(RawClient::publish_packet("t", big, 1, 1));
  EXPECT_EQ(type_of(live->packet()), 4U);
  auto fresh = client("fresh");
  fresh->send(RawClient::publish_packet("t", big, 1, 1));
  EXPECT_EQ(type_of(fresh->packet()), 14U);
}

TEST_F(LiveConfigTest, ZonesAreAddedChosenAndRemoved) {
  configure();
  start();
  auto before = client("before");
  ASSERT_EQ(put("zones.small.mqtt.max_topic_levels = 1"), 200);
  EXPECT_EQ(ask("PUT", "listeners/tcp:default", R"({"zone":"nowhere"})").status, 400);
  ASSERT_EQ(ask("PUT", "listeners/tcp:default", R"({"zone":"small"})").status, 200);
  EXPECT_EQ(publish(*before, "a/b"), 0x10);  // a live connection stays in its zone
  auto inside = client("inside");
  EXPECT_EQ(publish(*inside, "a"), 0x10);
  EXPECT_EQ(put("zones.small.mqtt.max_topic_levels = 2"), 200);
  EXPECT_EQ(publish(*inside, "a/b"), 0x10);
  // A zone that is gone leaves its connections to the global values.
  ASSERT_EQ(ask("PUT", "listeners/tcp:default", R"({"zone":"default"})").status, 200);
  ASSERT_EQ(put("zones.small = null"), 200);
  EXPECT_EQ(publish(*inside, "a/b/c"), 0x10);
}

TEST_F(LiveConfigTest, ListenersComeAndGoWithoutHurtingOthers) {
  configure();
  start();
  auto live = client("live");
  const auto added =
      ask("POST", "listeners", R"({"type":"tcp","name":"second","bind":"127.0.0.1:0","mountpoint":"m/"})");
  ASSERT_EQ(added.status, 200) << added.body;
  EXPECT_EQ(added.parsed().at("id").as_string(), "tcp:second");
  EXPECT_TRUE(added.parsed().at("running").as_bool());
  EXPECT_EQ(added.parsed().at("mountpoint").as_string(), "m/");
  EXPECT_EQ(ask("POST", "listeners", R"({"type":"tcp","name":"second","bind":"127.0.0.1:0"})").status, 400);
  auto second = client("second", "tcp:second");
  EXPECT_EQ(ask("PUT", "listeners/tcp:second", R"({"type":"ssl"})").status, 400);
  EXPECT_EQ(ask("PUT", "listeners/tcp:third", R"({"bind":"127.0.0.1:0"})").status, 404);
  EXPECT_EQ(ask("PUT", "listeners/tcp:second", R"({"authentication":[]})").status, 400);
  ASSERT_EQ(ask("PUT", "listeners/tcp:second", R"({"max_connections":1})").status, 200);
  EXPECT_EQ(publish(*second, "t"), 0x10);  // in place
  EXPECT_EQ(info_of(*node, "tcp:second").connections_limit, 1U);
  const auto by_type = ask("GET", "listeners_status").parsed();
  for (const auto& row : by_type.as_array())
    if (row.at("type").as_string() == "tcp") {
      EXPECT_EQ(row.at("status").at("current_connections").to_number<int>(), 2);
      EXPECT_EQ(row.at("ids").as_array().size(), 2U);
    }

  EXPECT_EQ(ctl({"listeners", "stop", "tcp:second"}), "Stop tcp:second listener successfully.\n");
  EXPECT_EQ(type_of(second->packet()), 14U);
  EXPECT_TRUE(second->packet().empty() && second->ended());
  EXPECT_FALSE(info_of(*node, "tcp:second").running);
  EXPECT_THAT(ctl({"conf", "show", "listeners"}), HasSubstr("enable = false"));
  EXPECT_EQ(ctl({"listeners", "start", "tcp:second"}), "Started tcp:second listener successfully.\n");
  auto again = client("second", "tcp:second");
  EXPECT_EQ(ask("DELETE", "listeners/tcp:second").status, 204);
  EXPECT_EQ(ask("DELETE", "listeners/tcp:second").status, 404);
  EXPECT_EQ(node->listeners().list().size(), 4U);
  EXPECT_EQ(publish(*live, "t"), 0x10);
}

TEST_F(LiveConfigTest, ChangesSurviveARestart) {
  const std::uint16_t one = free_port();
  const std::uint16_t two = free_port();
  configure(fmt::format(R"(listeners.tcp.declared.bind = "127.0.0.1:{}")", one));
  start();
  ASSERT_EQ(
      ask("POST", "listeners", fmt::format(R"({{"type":"tcp","name":"kept","bind":"127.0.0.1:{}"}})", two)).status,
      200);
  ASSERT_EQ(ask("DELETE", "listeners/tcp:declared").status, 204);
  ASSERT_EQ(ask("POST", "listeners/tcp:default/stop").status, 200);
  ASSERT_EQ(put("zones.z.mqtt.max_qos_allowed = 1, mqtt.max_inflight = 7"), 200);
  restart();
  EXPECT_EQ(port("tcp:kept"), two);
  EXPECT_EQ(info_of(*node, "tcp:declared").id, "");
  EXPECT_FALSE(info_of(*node, "tcp:default").running);
  EXPECT_THAT(ctl({"conf", "show", "mqtt"}), HasSubstr("max_inflight = 7"));
  client("c", "tcp:kept");
  EXPECT_EQ(ctl({"listeners", "start", "tcp:default"}), "Started tcp:default listener successfully.\n");
  client("d");
}

TEST_F(LiveConfigTest, AnOccupiedAddressLeavesEverythingAsItWas) {
  configure();
  start();
  ASSERT_EQ(put("mqtt.max_inflight = 9"), 200);
  auto live = client("live");
  const std::string before = persisted();
  const std::uint16_t taken = port();
  const std::uint16_t free = free_port();
  // The first listener can be had, the second cannot: neither stays, and the zone is not changed.
  const auto refused = ask("PUT", "configs",
                           fmt::format(R"(
    mqtt.max_topic_levels = 1
    delayed.max_delayed_messages = 3
    listeners.tcp {{ a.bind = "127.0.0.1:{}", b.bind = "127.0.0.1:{}" }})",
                                       free, taken),
                           "text/plain");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr(fmt::format("listeners.tcp.b.bind = 127.0.0.1:{}: expected an address", taken)));
  EXPECT_THAT(refused.body, HasSubstr("in use"));
  EXPECT_EQ(info_of(*node, "tcp:a").id, "");
  EXPECT_EQ(info_of(*node, "tcp:b").id, "");
  EXPECT_EQ(publish(*live, "a/b"), 0x10);
  EXPECT_EQ(persisted(), before);
  EXPECT_THAT(ctl({"conf", "show", "delayed"}), HasSubstr("max_delayed_messages = 0"));
  // A listener that would move there stays where it is, with its connections.
  ASSERT_EQ(ask("POST", "listeners", fmt::format(R"({{"type":"tcp","name":"a","bind":"127.0.0.1:{}"}})", free)).status,
            200);
  auto there = client("there", "tcp:a");
  EXPECT_EQ(ask("PUT", "listeners/tcp:a", fmt::format(R"({{"bind":"127.0.0.1:{}"}})", taken)).status, 400);
  EXPECT_EQ(publish(*there, "t"), 0x10);
  EXPECT_EQ(port("tcp:a"), free);
  EXPECT_THAT(persisted(), HasSubstr(std::to_string(free)));
}

TEST_F(LiveConfigTest, ABadCertificateIsRefusedByName) {
  Pki pki;
  const net::TlsOptions tls = pki.tls();
  configure();
  start();
  auto live = client("live");
  const std::string good = fmt::format(R"({{"bind":"127.0.0.1:0","ssl_options":{{"certfile":"{}","keyfile":"{}"}}}})",
                                       tls.certificate_file, tls.key_file);
  ASSERT_EQ(ask("POST", "listeners/ssl:mine", good).status, 200);
  Wire over(port("ssl:mine"), {.tls = true});
  ASSERT_TRUE(over.connect("t"));
  const std::string before = persisted();
  const std::string bad = pki.folder.write("bad.pem", "nonsense");
  const auto refused = ask("PUT", "listeners/ssl:mine", fmt::format(R"({{"ssl_options":{{"certfile":"{}"}}}})", bad));
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr(fmt::format("listeners.ssl.mine.ssl_options.certfile = {}: expected", bad)));
  EXPECT_EQ(persisted(), before);
  EXPECT_TRUE(over.ping());
  Wire next(port("ssl:mine"), {.tls = true});
  EXPECT_TRUE(next.connect("n"));
  // A new certificate is for the handshakes to come.
  ASSERT_EQ(ask("PUT", "listeners/ssl:mine", R"({"ssl_options":{"handshake_timeout":"9s"}})").status, 200);
  EXPECT_TRUE(over.ping());
  // PEM text of a change that is refused leaves no file behind.
  EXPECT_EQ(ask("PUT", "listeners/ssl:mine",
                R"({"ssl_options":{"certfile":"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"}})")
                .status,
            400);
  std::size_t files = 0;
  std::error_code none;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path().string() + "/data/certs", none))
    files += entry.is_regular_file() ? 1U : 0U;
  EXPECT_EQ(files, 0U);
}

TEST_F(LiveConfigTest, AnAddressGoesFromOneListenerToAnother) {
  const std::uint16_t shared = free_port();
  configure(fmt::format(R"(listeners.tcp.old.bind = "127.0.0.1:{}")", shared));
  start();
  ASSERT_EQ(put(fmt::format(R"(listeners.tcp {{ old.enable = false, new.bind = "127.0.0.1:{}" }})", shared)), 200);
  EXPECT_EQ(port("tcp:new"), shared);
  EXPECT_FALSE(info_of(*node, "tcp:old").running);
  // And back, which a refusal elsewhere undoes.
  const auto refused = ask("PUT", "configs",
                           fmt::format(R"(listeners.tcp {{
    new.enable = false, old.enable = true, zz.bind = "127.0.0.1:{}" }})",
                                       port()),
                           "text/plain");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(port("tcp:new"), shared);
  EXPECT_FALSE(info_of(*node, "tcp:old").running);
}

TEST_F(LiveConfigTest, ListenersExchangeTheirAddresses) {
  const std::uint16_t one = free_port();
  const std::uint16_t two = free_port();
  configure(fmt::format(R"(listeners.tcp {{ a.bind = "127.0.0.1:{}", b.bind = "127.0.0.1:{}" }})", one, two));
  start();
  auto other = client("other");
  const std::string exchange =
      fmt::format(R"(listeners.tcp {{ a.bind = "127.0.0.1:{}", b.bind = "127.0.0.1:{}" }})", two, one);
  ASSERT_EQ(put(exchange), 200);
  EXPECT_EQ(port("tcp:a"), two);
  EXPECT_EQ(port("tcp:b"), one);
  client("c", "tcp:a");
  client("d", "tcp:b");
  // And back, with a third that wants one of the two as well: all is as it was.
  const std::string back = fmt::format(
      R"(listeners.tcp {{ a.bind = "127.0.0.1:{0}", b.bind = "127.0.0.1:{1}", zz.bind = "127.0.0.1:{0}" }})", one, two);
  EXPECT_EQ(ask("PUT", "configs", back, "text/plain").status, 400);
  EXPECT_EQ(port("tcp:a"), two);
  EXPECT_EQ(port("tcp:b"), one);
  client("e", "tcp:a");
  client("f", "tcp:b");
  EXPECT_EQ(publish(*other, "t"), 0x10);
}

TEST_F(LiveConfigTest, AModuleThatRefusesTakesAllBack) {
  configure();
  start();
  ASSERT_EQ(put(R"(rewrite = [{action = publish, source_topic = "a/#", dest_topic = "b/$1", re = "^a/(.+)$"}])"), 200);
  std::string change = fmt::format("rewrite = []\nlisteners.tcp.x.bind = \"127.0.0.1:{}\"\n", free_port());
  for (int i = 0; i < 513; ++i) change += fmt::format("{}{{topic = t{}}}", i == 0 ? "topic_metrics = [" : ", ", i);
  change += "]";  // one too many
  const auto refused = ask("PUT", "configs", change, "text/plain");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("512"));
  EXPECT_EQ(info_of(*node, "tcp:x").id, "");
  auto watcher = client("w");
  watcher->send(RawClient::subscribe_packet(1, {"b/1"}));
  EXPECT_EQ(type_of(watcher->packet()), 9U);
  EXPECT_EQ(publish(*client("p"), "a/1"), 0);
}

TEST_F(LiveConfigTest, TheNodeLimiterIsInForceAndChanges) {
  configure("limiter.message_routing { rate = \"1/s\" }");
  start();
  auto live = client("live");
  EXPECT_EQ(publish(*live, "t"), 0x10);
  EXPECT_TRUE(eventually([&] { return publish(*live, "t") == 0x97; }));  // 5.1 row 5
  live->send(RawClient::publish_packet("t", "x"));                       // QoS 0 is dropped and counted
  EXPECT_EQ(publish(*live, "t"), 0x97);
  ASSERT_EQ(put("limiter.message_routing.rate = infinity"), 200);
  EXPECT_EQ(publish(*live, "t"), 0x10);
  const auto dropped = ask("GET", "metrics?aggregate=true").parsed().at("packets.publish.dropped").to_number<int>();
  EXPECT_GE(dropped, 3);
  // What appears later holds live connections too.
  ASSERT_EQ(put("limiter.message_routing.rate = \"1/s\""), 200);
  EXPECT_TRUE(eventually([&] { return publish(*live, "t") == 0x97; }));
}

TEST_F(LiveConfigTest, TheLogIsSteeredWhileItRuns) {
  configure();
  const std::string file = (folder.path() / "node.log").string();
  config::Log settings = config::load({}).config->log;
  for (auto& [name, handler] : settings.file) handler.enable = false;
  settings.console.enable = true;
  std::mutex mutex;
  std::string printed;
  telemetry::Logger logger(settings, [&](std::string_view line) {
    const std::lock_guard guard(mutex);
    printed += line;
  });
  start(&logger);
  EXPECT_EQ(ctl({"log", "handlers", "list"}),
            "LogHandler(id=console, level=warning, destination=console, status=started)\n");
  EXPECT_EQ(ctl({"log", "handlers", "set-level", "console", "info"}), "info\n");
  EXPECT_EQ(ctl({"log", "primary-level"}), "info\n");
  EXPECT_EQ(ctl({"log", "handlers", "stop", "console"}), "log handler console stopped\n");
  EXPECT_THAT(ctl({"log", "handlers", "list"}), HasSubstr("level=info, destination=console, status=stopped"));
  EXPECT_EQ(ctl({"log", "handlers", "start", "console"}), "log handler console started\n");
  ctl({"log", "handlers", "start", "nobody"});
  EXPECT_EQ(code, 1);
  EXPECT_EQ(ctl({"log", "set-level", "error"}), "error\n");
  EXPECT_THAT(ctl({"log", "handlers", "list"}), HasSubstr("level=error"));
  // The configuration of the log is in force as well, and takes what was set by hand back.
  ASSERT_EQ(put(fmt::format(R"(log.console {{ enable = true, level = notice }}
                               log.file.extra {{ enable = true, level = debug, path = "{}" }})",
                            file)),
            200);
  EXPECT_THAT(ctl({"log", "handlers", "list"}),
              HasSubstr(fmt::format("LogHandler(id=extra, level=debug, destination={}, status=started)", file)));
  EXPECT_EQ(ctl({"log", "primary-level"}), "debug\n");
  SB_LOG(log::Level::Debug, "only_for_the_file", kv("k", 1));
  logger.flush();
  std::ostringstream written;
  written << std::ifstream(file).rdbuf();
  EXPECT_THAT(written.str(), HasSubstr("only_for_the_file"));
  {
    const std::lock_guard guard(mutex);
    EXPECT_THAT(printed, Not(HasSubstr("only_for_the_file")));
  }
  // A file that cannot be written is refused, and the log goes on as before.
  const auto refused = ask("PUT", "configs", R"(log.file.extra.path = "/dev/null/x.log")", "text/plain");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("log.file.extra.path = /dev/null/x.log: expected"));
  EXPECT_THAT(ctl({"log", "handlers", "list"}), HasSubstr(file));
  stop();
}

TEST_F(LiveConfigTest, TracesShowSocketsAndAccessControlAndOutliveTheNode) {
  configure(R"(
    authorization { no_match = allow, sources = [{type = file, enable = true, rules = "{deny, all, publish, [\"no/#\"]}."}] })");
  start();
  EXPECT_EQ(ctl({"traces", "start", "t1", "client", "c", "600"}), "cluster_trace clientid c t1 successfully\n");
  {
    auto traced = client("c");
    EXPECT_EQ(publish(*traced, "no/way"), 0x87);
  }
  const auto text = [&] {
    const auto rows = ask("GET", "trace").parsed().as_array();
    std::ostringstream all;
    all << std::ifstream(std::string(rows.at(0).at("file").as_string())).rdbuf();
    return all.str();
  };
  EXPECT_TRUE(eventually([&] { return text().find("socket_closed") != std::string::npos; })) << text();
  EXPECT_THAT(text(), HasSubstr("[AUTHN] c@127.0.0.1:"));
  EXPECT_THAT(text(), HasSubstr("msg: authentication_result, username: undefined, result: "));
  EXPECT_THAT(text(),
              HasSubstr("msg: authorization_result, action: publish, topic: no/way, result: deny, from: sources"));
  EXPECT_THAT(text(), HasSubstr("[SOCKET] c@127.0.0.1:"));
  restart();
  EXPECT_THAT(ctl({"traces", "list"}), HasSubstr("Trace(t1: clientid=c, running, "));
  const std::size_t before = text().size();
  client("c");
  EXPECT_TRUE(eventually([&] { return text().size() > before; }));
}

/// A crash: what the folder holds at this moment is what a new process finds.
TEST_F(LiveConfigTest, DownTimeAfterACrashCountsForSessionsThatWereConnected) {
  configure("session_persistence.enable = true");
  start();
  RawClient lasting(*node->listeners().bound("tcp:default"));
  lasting.send(lasting_session("lasting", 600));
  ASSERT_EQ(type_of(lasting.packet()), 2U);
  RawClient brief(*node->listeners().bound("tcp:default"));
  brief.send(lasting_session("brief", 3));
  ASSERT_EQ(type_of(brief.packet()), 2U);
  const std::string store = (folder.path() / "data/store").string();
  const std::string crashed = (folder.path() / "crashed").string();
  std::filesystem::copy(store, crashed, std::filesystem::copy_options::recursive);
  stop();
  const auto since = std::chrono::steady_clock::now();
  ASSERT_TRUE(eventually([&] { return std::chrono::steady_clock::now() - since > std::chrono::seconds(4); }));
  std::filesystem::remove_all(store);
  std::filesystem::rename(crashed, store);
  start();
  // Nearly all of its time passed while the node was down: it is not given again.
  EXPECT_TRUE(eventually([&] { return ask("GET", "clients/brief").status == 404; }));
  EXPECT_LT(std::chrono::steady_clock::now() - since, std::chrono::milliseconds(6'500));
  EXPECT_EQ(ask("GET", "clients/lasting").status, 200);
}

TEST_F(LiveConfigTest, TheStoreKnowsWhenTheNodeWasLastAlive) {
  configure("session_persistence.enable = true");
  start();
  const std::string copy = (folder.path() / "copy").string();
  std::int64_t first = 0;
  EXPECT_TRUE(eventually([&] {
    std::error_code error;
    std::filesystem::remove_all(copy, error);
    std::filesystem::copy(folder.path() / "data/store", copy, std::filesystem::copy_options::recursive, error);
    if (error) return false;
    store::Options options;
    options.folder = copy;
    const auto store = store::open_rocksdb(options);
    const auto row = store ? store::load_node(**store) : Result<store::NodeRecord>(fail(Errc::Io, ""));
    if (!row) return false;
    if (first == 0) first = row->last_wall_ms;
    return row->last_wall_ms > first && !row->clean_stop;
  }));
}

TEST_F(LiveConfigTest, AnOverloadedShardLooksAtConnectLater) {
  configure(R"(
    overload_protection { enable = true, backoff_delay = 300, backoff_new_conn = false })");
  start();
  const auto metric = [&](const char* name) {
    return ask("GET", "metrics?aggregate=true").parsed().at(name).to_number<int>();
  };
  client("quick");
  EXPECT_EQ(metric("overload_protection.delay.timeout"), 0);
  client::PressureOptions always;
  always.overload_permille = 0;  // every sample counts as busy
  always.overload_samples = 1;
  node->pressure().set_options(always);
  ASSERT_TRUE(eventually([&] { return node->pressure().overloaded(0) && node->pressure().overloaded(1); }));
  const auto began = std::chrono::steady_clock::now();
  auto late = client("late");
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(290));
  EXPECT_EQ(metric("overload_protection.delay.timeout"), 1);
  EXPECT_EQ(publish(*late, "t"), 0x10);
  // It ends early when the shard has caught up.
  ASSERT_EQ(put("overload_protection.backoff_delay = 60000"), 200);
  node->pressure().set_options(always);
  RawClient waiting(*node->listeners().bound("tcp:default"));
  waiting.send(RawClient::connect_packet("waiting"));
  EXPECT_TRUE(waiting.packet(std::chrono::milliseconds(300)).empty());
  node->pressure().set_options({});
  EXPECT_EQ(type_of(waiting.packet()), 2U);
  EXPECT_EQ(metric("overload_protection.delay.ok"), 1);
  // And closes new sockets where it is asked to.
  node->pressure().set_options(always);
  ASSERT_TRUE(eventually([&] { return node->pressure().overloaded(0) && node->pressure().overloaded(1); }));
  ASSERT_EQ(put("overload_protection.backoff_new_conn = true"), 200);
  node->pressure().set_options(always);
  RawClient refused(*node->listeners().bound("tcp:default"));
  refused.send(RawClient::connect_packet("refused"));
  EXPECT_TRUE(refused.packet(std::chrono::milliseconds(2'000)).empty());
  EXPECT_TRUE(refused.ended());
  EXPECT_GE(metric("overload_protection.new_conn"), 1);
}

TEST_F(LiveConfigTest, AConnectionThatIsOwedTooMuchIsHeldUpNotEnded) {
  configure(R"(
    session_persistence.enable = true
    force_shutdown.max_mailbox_size = 2)");
  start();
  RawClient durable(*node->listeners().bound("tcp:default"));
  durable.send(lasting_session("durable", 600));
  ASSERT_EQ(type_of(durable.packet()), 2U);
  durable.send(RawClient::subscribe_packet(1, {"t"}));
  ASSERT_EQ(type_of(durable.packet()), 9U);
  durable.close();
  // Each waits for the disk: many more than two are on their way, and all are answered in order.
  auto sender = client("sender");
  constexpr unsigned kMany = 900;
  for (unsigned id = 1; id <= kMany; ++id) sender->send(RawClient::publish_packet("t", "x", 1, id));
  for (unsigned id = 1; id <= kMany; ++id) {
    const std::string ack = sender->packet();
    ASSERT_EQ(type_of(ack), 4U) << id;
    ASSERT_EQ(static_cast<unsigned char>(ack[2]) << 8 | static_cast<unsigned char>(ack[3]), static_cast<int>(id));
  }
  EXPECT_EQ(publish(*sender, "u"), 0x10);
}

}  // namespace
}  // namespace sb::app
