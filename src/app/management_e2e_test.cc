// ctl against a whole node over its real socket, and the socket against bad clients.
#include "app/e2e_node.h"
#include "app/management.h"
#include "cli/ctl.h"
#include "config/config.h"
#include "plugins/module/sys_topics/sys_topics.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <set>
#include <sstream>

namespace sb::app {
namespace {

class CtlTest : public testing::Test {
 protected:
  CtlTest() {
    char name[] = "/tmp/signalbox_ctl_XXXXXX";
    folder = mkdtemp(name);
    NodeOptions options;
    options.trace_dir = folder;
    options.shards = 2;
    options.name = "n@127.0.0.1";
    ListenerOptions listener;
    listener.bind = *net::Endpoint::parse("127.0.0.1:0");
    listener.settings.id = "tcp:default";
    listener.settings.zone = std::make_shared<client::ZoneSettings>();
    options.listeners.push_back(listener);
    broker::ModuleRegistry registry;
    add_module_plugins(registry);
    node = std::make_unique<Node>(options, registry);
    // $SYS keeps retained messages of its own, which tests do not count.
    if (auto* sys = node->modules().find_as<plugins::module::sys_topics::SysTopics>("sys_topics"))
      sys->set_options({Millis{0}, Millis{0}});
    ManagementOptions how;
    how.data_dir = folder;
    how.load_options.env = {{"SIGNALBOX_NODE__DATA_DIR", folder},
                            {"SIGNALBOX_DASHBOARD__LISTENERS__HTTP__BIND", "0"},
                            {"SIGNALBOX_LICENSE__KEY", "community"}};
    how.loaded = config::load(how.load_options);
    management = std::make_unique<Management>(*node, std::move(how));
    EXPECT_TRUE(node->start());
    const auto started = management->start();
    EXPECT_TRUE(started) << started.error().what;
  }
  ~CtlTest() override {
    management->stop();
    node->stop();
    management.reset();
    node.reset();
    std::filesystem::remove_all(folder);
  }
  std::string socket() const { return Management::socket_path(folder); }
  /// What a command prints; its exit code in `code`.
  std::string ctl(std::vector<std::string> arguments) {
    cli::HttpClient client(socket());
    std::ostringstream out;
    std::ostringstream errors;
    code = cli::Ctl(client, "configured@127.0.0.1", out, errors).run(std::move(arguments));
    err = errors.str();
    return out.str();
  }
  std::unique_ptr<RawClient> connect(std::string_view id) {
    auto client = std::make_unique<RawClient>(node->bound()[0]);
    client->send(RawClient::connect_packet(id, {}));
    EXPECT_FALSE(client->packet().empty());
    return client;
  }
  /// Sends bytes as they are and returns all until the server closes, or `until` is in it.
  std::string raw(std::string_view bytes, std::string_view until = {}) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket().c_str(), sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    timeval limit{5, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    EXPECT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    std::string out;
    char part[4096];
    for (ssize_t n; (n = recv(fd, part, sizeof part, 0)) > 0;) {
      out.append(part, static_cast<std::size_t>(n));
      if (!until.empty() && out.find(until) != std::string::npos) break;
    }
    close(fd);
    return out;
  }
  std::string folder;
  std::unique_ptr<Node> node;
  std::unique_ptr<Management> management;
  int code = 0;
  std::string err;
};

TEST_F(CtlTest, TheSocketIsForItsOwnerAlone) {
  struct stat info {};
  ASSERT_EQ(stat(socket().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST_F(CtlTest, StatusAndBroker) {
  EXPECT_EQ(ctl({"status"}), "Node 'n@127.0.0.1' 5.4.0 is started\n");
  EXPECT_EQ(code, 0);
  const std::string broker = ctl({"broker"});
  EXPECT_TRUE(broker.starts_with("sysdescr  : Signalbox\nversion   : 5.4.0\ndatetime  : ")) << broker;
  EXPECT_NE(broker.find("\nuptime    : "), std::string::npos);
  EXPECT_NE(ctl({"broker", "metrics"}).find("packets.connect.received      : 0\n"), std::string::npos);
  EXPECT_TRUE(ctl({"broker", "stats"}).starts_with("channels.count                : "));
  EXPECT_EQ(ctl({"cluster", "status"}), "Cluster status: #{running_nodes => ['n@127.0.0.1'],stopped_nodes => []}\n");
}

TEST_F(CtlTest, ClientsAndWhatTheySubscribe) {
  EXPECT_EQ(ctl({"clients", "list"}), "No clients.\n");
  EXPECT_EQ(ctl({"subscriptions", "list"}), "No subscriptions.\n");
  EXPECT_EQ(ctl({"topics", "list"}), "No topics.\n");
  auto client = connect("c1");
  client->send(RawClient::subscribe_packet(1, {"a/+"}));
  EXPECT_FALSE(client->packet().empty());
  const std::string line = ctl({"clients", "list"});
  EXPECT_TRUE(line.starts_with("Client(c1, username=undefined, peername=127.0.0.1:")) << line;
  EXPECT_NE(
      line.find(", subscriptions=1, inflight=0, awaiting_rel=0, delivered_msgs=0, enqueued_msgs=0, dropped_msgs=0, "
                "connected=true, created_at="),
      std::string::npos);
  EXPECT_EQ(ctl({"clients", "show", "c1"}), line);
  EXPECT_EQ(ctl({"clients", "show", "c2"}), "Not Found.\n");
  EXPECT_EQ(ctl({"topics", "list"}), "a/+ -> n@127.0.0.1\n");
  EXPECT_EQ(ctl({"topics", "show", "a/+"}), "a/+ -> n@127.0.0.1\n");
  EXPECT_EQ(ctl({"topics", "show", "a/b"}), "Not Found.\n");
  EXPECT_EQ(ctl({"subscriptions", "add", "c1", "$share/g/x/#", "2"}), "ok\n");
  EXPECT_EQ(ctl({"topics", "show", "$share/g/x/#"}), "$share/g/x/# -> n@127.0.0.1\n");
  EXPECT_NE(ctl({"subscriptions", "show", "c1"}).find("c1 -> topic:$share/g/x/# qos:2 nl:0 rh:0 rap:0\n"),
            std::string::npos);
  EXPECT_EQ(ctl({"subscriptions", "del", "c1", "$share/g/x/#"}), "ok\n");
  EXPECT_EQ(ctl({"subscriptions", "add", "c1", "x", "3"}), "QoS should be 0, 1, 2\n");
  EXPECT_EQ(ctl({"subscriptions", "add", "nobody", "x", "1"}), "Error: Channel not found!\n");
  EXPECT_EQ(ctl({"subscriptions", "show", "nobody"}), "Not Found.\n");
  EXPECT_EQ(ctl({"clients", "kick", "c1"}), "ok\n");
  EXPECT_EQ(ctl({"clients", "list"}), "No clients.\n");
  EXPECT_EQ(ctl({"topics", "list"}), "No topics.\n");
}

TEST_F(CtlTest, ListsAreComplete) {
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 60; ++i) {
    clients.push_back(connect(fmt::format("c{}", i)));
    clients.back()->send(RawClient::subscribe_packet(1, {fmt::format("t/{}", i), "same"}));
    EXPECT_FALSE(clients.back()->packet().empty());
  }
  cli::HttpClient client(socket());
  for (const auto& [path, rows] : {std::pair<const char*, std::size_t>{"clients", 60},
                                   {"subscriptions", 120},
                                   {"topics", 61},
                                   {"clients?like_clientid=c1", 11},
                                   {"clients?proto_ver=5&conn_state=connected", 60},
                                   {"clients?username=x", 0},
                                   {"subscriptions?topic=same", 60},
                                   {"subscriptions?clientid=c7", 2},
                                   {"subscriptions?match_topic=t/5", 1}}) {
    std::set<std::string> seen;
    bool more = true;
    std::size_t page = 1;
    for (; more; ++page) {
      const char mark = std::string_view(path).find('?') == std::string_view::npos ? '?' : '&';
      const auto answer = client.ask("GET", fmt::format("/api/v5/{}{}page={}&limit=7", path, mark, page));
      ASSERT_TRUE(answer && answer->ok()) << path;
      const auto value = answer->parsed();
      for (const auto& row : value.at("data").as_array()) seen.insert(boost::json::serialize(row));
      more = value.at("meta").at("hasnext").as_bool();
      if (const auto* count = value.at("meta").as_object().if_contains("count");
          count && std::string_view(path) != "topics") {
        EXPECT_EQ(count->to_number<std::size_t>(), rows) << path;
      }
    }
    EXPECT_EQ(seen.size(), rows) << path;
    EXPECT_EQ(page - 1, std::max<std::size_t>(1, (rows + 6) / 7)) << path;
  }
}

TEST_F(CtlTest, RetainedMessages) {
  auto client = connect("c");
  client->send(RawClient::publish_packet("r/1", "x", 1, 1, true) + RawClient::publish_packet("r/2", "y", 1, 2, true));
  EXPECT_FALSE(client->packet().empty());
  EXPECT_FALSE(client->packet().empty());
  ASSERT_TRUE(eventually([&] { return ctl({"retainer", "info"}) == "Number of retained messages: 2\n"; }));
  EXPECT_EQ(ctl({"retainer", "topics"}), "2\nr/1\nr/2\n");
  EXPECT_EQ(ctl({"retainer", "topics", "2", "1"}), "1\nr/2\n");
  EXPECT_EQ(ctl({"retainer", "clean", "r/1"}), "");
  EXPECT_EQ(ctl({"retainer", "topics"}), "1\nr/2\n");
  EXPECT_EQ(ctl({"retainer", "clean"}), "");
  EXPECT_EQ(ctl({"retainer", "info"}), "Number of retained messages: 0\n");
}

TEST_F(CtlTest, DelayedBannedTopicMetricsTraces) {
  EXPECT_EQ(ctl({"delayed", "list"}), "No delayed messages.\n");
  auto client = connect("c");
  client->send(RawClient::publish_packet("$delayed/100/d", "x", 1, 1));
  EXPECT_FALSE(client->packet().empty());
  const std::string delayed = ctl({"delayed", "list"});
  ASSERT_TRUE(delayed.starts_with("Delayed(")) << delayed;
  const std::string id = delayed.substr(8, 32);
  EXPECT_NE(ctl({"delayed", "get", id}).find("payload (base64): eA==\n"), std::string::npos);
  EXPECT_EQ(ctl({"delayed", "delete", id}), "ok\n");
  EXPECT_EQ(ctl({"delayed", "delete", id}), "Not Found.\n");
  EXPECT_EQ(code, 1);

  EXPECT_EQ(ctl({"banned", "list"}), "No bans.\n");
  EXPECT_EQ(ctl({"banned", "add", "clientid", "evil", "--reason", "test"}), "ok\n");
  EXPECT_TRUE(ctl({"banned", "list"}).starts_with("Banned(clientid=evil, by=cli, reason=test, at="));
  ctl({"banned", "add", "clientid", "evil"});
  EXPECT_EQ(code, 1);
  EXPECT_EQ(ctl({"banned", "del", "clientid", "evil"}), "ok\n");
  EXPECT_EQ(ctl({"banned", "del", "clientid", "evil"}), "Not Found.\n");
  ctl({"banned", "add", "color", "red"});
  EXPECT_NE(err.find("one of: clientid, username, peerhost"), std::string::npos) << err;

  EXPECT_EQ(ctl({"topic-metrics", "list"}), "No topics.\n");
  EXPECT_EQ(ctl({"topic-metrics", "add", "m"}), "ok\n");
  client->send(RawClient::publish_packet("m", "x", 1, 2));
  EXPECT_FALSE(client->packet().empty());
  EXPECT_NE(ctl({"topic-metrics", "list"}).find("  messages.in.count           : 1\n"), std::string::npos);
  EXPECT_EQ(ctl({"topic-metrics", "reset", "m"}), "ok\n");
  EXPECT_EQ(ctl({"topic-metrics", "del", "m"}), "ok\n");

  EXPECT_EQ(ctl({"traces", "list"}), "Cluster Trace is empty\n");
  EXPECT_EQ(ctl({"trace", "list"}), "Trace is empty\n");
  EXPECT_EQ(ctl({"traces", "start", "t1", "client", "c", "60"}), "cluster_trace clientid c t1 successfully\n");
  EXPECT_TRUE(ctl({"traces", "list"}).starts_with("Trace(t1: clientid=c, running, LogSize:#{'n@127.0.0.1' => "));
  EXPECT_EQ(ctl({"traces", "stop", "t1"}), "Stop cluster_trace t1 successfully\n");
  EXPECT_EQ(ctl({"traces", "delete", "t1"}), "Del cluster_trace t1 successfully\n");
  ctl({"traces", "stop", "t1"});
  EXPECT_EQ(code, 1);
}

TEST_F(CtlTest, ListenersLogAndConfiguration) {
  const std::string listeners = ctl({"listeners"});
  EXPECT_TRUE(listeners.starts_with("tcp:default\n  listen_on       : 127.0.0.1:")) << listeners;
  EXPECT_NE(listeners.find("\n  running         : true\n  current_conn    : 0\n  max_conns       : infinity\n"),
            std::string::npos);
  EXPECT_EQ(ctl({"listeners", "stop", "nonsense"}), "Invalid listener: nonsense\n");
  EXPECT_TRUE(ctl({"listeners", "stop", "tcp:other"}).starts_with("Failed to stop tcp:other listener: "));
  EXPECT_EQ(code, 1);
  EXPECT_EQ(ctl({"log", "set-level", "error"}), "error\n");
  EXPECT_EQ(ctl({"log", "primary-level"}), "error\n");
  ctl({"log", "set-level", "loud"});
  EXPECT_EQ(code, 1);
  EXPECT_EQ(ctl({"log", "set-level", "warning"}), "warning\n");
  EXPECT_EQ(ctl({"authz", "cache-clean", "all"}), "Authorization cache drain started on all nodes OK\n");
  EXPECT_TRUE(ctl({"authz", "cache-clean", "nobody"}).starts_with("Drain nobody authz cache FAILED\n"));
  EXPECT_NE(ctl({"conf", "show", "mqtt"}).find("max_inflight = 32"), std::string::npos);
  EXPECT_NE(ctl({"conf", "show_keys"}).find("mqtt\n"), std::string::npos);
  const std::string file = folder + "/change.conf";
  std::ofstream(file) << "delayed { max_delayed_messages = 7 }\n";
  EXPECT_EQ(ctl({"conf", "load", file}), "load delayed on cluster ok\n");
  EXPECT_NE(ctl({"conf", "show", "delayed"}).find("max_delayed_messages = 7"), std::string::npos);
  std::ofstream(file) << "delayed { max_delayed_messages = minus }\n";
  EXPECT_EQ(ctl({"conf", "load", "--merge", file}), "");
  EXPECT_EQ(code, 1);
  EXPECT_NE(err.find("delayed.max_delayed_messages"), std::string::npos) << err;
}

TEST_F(CtlTest, UnknownCommandsAndADeadNodeFail) {
  EXPECT_EQ(ctl({"bogus"}), "");
  EXPECT_EQ(code, 1);
  ctl({"clients", "bogus"});
  EXPECT_EQ(code, 1);
  EXPECT_NE(err.find("clients show <ClientId>"), std::string::npos);
  const std::string help = ctl({});
  EXPECT_EQ(code, 0);
  EXPECT_TRUE(help.starts_with(std::string(110, '-') + "\n"));
  EXPECT_NE(help.find(" # List all clients\n"), std::string::npos);
  management->stop();
  EXPECT_FALSE(std::filesystem::exists(socket()));
  ctl({"status"});
  EXPECT_EQ(code, 1);
  EXPECT_TRUE(err.starts_with("Node 'configured@127.0.0.1' not responding to pings.\n" + socket() + ": ")) << err;
}

TEST_F(CtlTest, JsonIsWhatTheTableAnswers) {
  connect("c1")->send(RawClient::subscribe_packet(1, {"t"}));
  const auto value = boost::json::parse(ctl({"status", "--json"}));
  EXPECT_EQ(value.at("node").as_string(), "n@127.0.0.1");
  EXPECT_TRUE(boost::json::parse(ctl({"clients", "list", "--json"})).is_array());
}

TEST_F(CtlTest, BadHttpGetsAnAnswerAndTheSocketServesOn) {
  EXPECT_TRUE(raw("garbage\r\n\r\n").starts_with("HTTP/1.1 400 "));
  EXPECT_TRUE(raw("GET /" + std::string(20'000, 'a')).starts_with("HTTP/1.1 431 "));
  EXPECT_TRUE(raw("PUT /x HTTP/1.1\r\nhost: h\r\ncontent-length: 99999999\r\n\r\n").starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(raw("POST /x HTTP/1.1\r\nhost: h\r\ntransfer-encoding: gzip\r\n\r\n").starts_with("HTTP/1.1 501 "));
  EXPECT_TRUE(raw("GET /nothing HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").starts_with("HTTP/1.1 404 "));
  EXPECT_TRUE(
      raw("PATCH /api/v5/clients HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n").starts_with("HTTP/1.1 405 "));
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "GET /status HTTP/1.1\r\nhost: h\r\n\r\n";
  many += "GET /status HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n";
  const std::string answers = raw(many);
  std::size_t count = 0;
  for (auto at = answers.find("HTTP/1.1 200"); at != std::string::npos; at = answers.find("HTTP/1.1 200", at + 1))
    ++count;
  EXPECT_EQ(count, 2001U);
  EXPECT_EQ(ctl({"status"}), "Node 'n@127.0.0.1' 5.4.0 is started\n");
}

TEST_F(CtlTest, TheDocumentNamesEveryPathParameter) {
  cli::HttpClient client(socket());
  const auto answer = client.ask("GET", "/api-docs/swagger.json");
  ASSERT_TRUE(answer && answer->ok());
  const auto document = answer->parsed();
  ASSERT_GT(document.at("paths").as_object().size(), 25U);
  for (const auto& [path, operations] : document.at("paths").as_object())
    for (const auto& [method, operation] : operations.as_object()) {
      std::size_t declared = 0;
      if (const auto* parameters = operation.as_object().if_contains("parameters"))
        for (const auto& parameter : parameters->as_array())
          declared += parameter.at("in").as_string() == "path" ? 1U : 0U;
      EXPECT_EQ(static_cast<std::size_t>(std::count(path.begin(), path.end(), '{')), declared)
          << std::string_view(path);
    }
}

}  // namespace
}  // namespace sb::app
