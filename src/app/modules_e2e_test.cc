// The modules in a whole node over sockets, and what the node does under pressure.
#include "app/e2e_node.h"
#include "plugins/module/auto_subscribe/auto_subscribe.h"
#include "plugins/module/delayed/delayed.h"
#include "plugins/module/log_trace/log_trace.h"
#include "plugins/module/rewrite/rewrite.h"

#include <fstream>
#include <sstream>

namespace sb::app {
namespace {

using namespace std::chrono_literals;
namespace module = plugins::module;

class ModulesInANode : public NodeTest {};

TEST_F(ModulesInANode, TheCatalogHasThemAll) {
  start();
  for (const char* name :
       {"rewrite", "auto_subscribe", "delayed", "slow_subs", "topic_metrics", "sys_topics", "log_trace"})
    EXPECT_TRUE(node->modules().find(name)) << name;
  EXPECT_FALSE(node->modules().find("none"));
}

TEST_F(ModulesInANode, RewriteAndAutoSubscribeMeet) {
  start();
  ASSERT_TRUE(node->modules().find_as<module::rewrite::Rewrite>("rewrite")->set_rules(
      {{module::rewrite::Applies::Publish, "old/#", "new/$1", "^old/(.+)$"}}));
  ASSERT_TRUE(node->modules()
                  .find_as<module::auto_subscribe::AutoSubscribe>("auto_subscribe")
                  ->set_topics({{"new/${clientid}", {}}}));
  settle();
  auto receiver = connect("r1");
  auto sender = connect("s1");
  sender->send(RawClient::publish_packet("old/r1", "hello", 1, 1));
  EXPECT_EQ(reason_of(sender->packet()), 0);
  const std::string got = receiver->packet();
  EXPECT_EQ(type_of(got), 3U);
  EXPECT_NE(got.find("new/r1"), std::string::npos);
  EXPECT_NE(got.find("hello"), std::string::npos);
}

TEST_F(ModulesInANode, DelayedIsPublishedLater) {
  start();
  auto receiver = connect("r");
  receiver->send(RawClient::subscribe_packet(1, {"d"}));
  EXPECT_EQ(type_of(receiver->packet()), 9U);
  auto sender = connect("s");
  sender->send(
      RawClient::publish_packet("$delayed/1/d", "later", 1, 1) + RawClient::publish_packet("$delayed/x/d", "no", 1, 2) +
      RawClient::publish_packet("$delayed/x", "no", 1, 3) + RawClient::publish_packet("$delayed/x/d", "no", 2, 4) +
      RawClient::publish_packet("$delayed/x/d", "no", 2, 4));
  EXPECT_EQ(reason_of(sender->packet()), 0x10);
  // An error ends the exchange of QoS 2: the packet id may be used again.
  for (int i = 0; i < 4; ++i) EXPECT_EQ(reason_of(sender->packet()), 0x87);
  EXPECT_EQ(node->modules().find_as<module::delayed::Delayed>("delayed")->size(), 1U);
  EXPECT_TRUE(receiver->packet(700ms).empty());
  EXPECT_NE(receiver->packet().find("later"), std::string::npos);
}

TEST_F(ModulesInANode, DelayedMessagesAndBansSurviveARestart) {
  options.data_dir = folder;
  options.durable_sessions = true;
  start();
  auto sender = connect("s");
  sender->send(RawClient::publish_packet("$delayed/2/d", "later", 1, 1) +
               RawClient::publish_packet("$delayed/1000/e", "much later", 1, 2));
  EXPECT_EQ(reason_of(sender->packet()), 0x10);
  EXPECT_EQ(reason_of(sender->packet()), 0x10);
  auto* delayed = node->modules().find_as<module::delayed::Delayed>("delayed");
  const auto before = delayed->list(0, 10);
  ASSERT_EQ(before.size(), 2U);
  access::Ban ban;
  ban.who = "bad";
  ban.reason = "test";
  ASSERT_TRUE(node->access().ban(ban));
  access::Ban gone;
  gone.who = "forgiven";
  ASSERT_TRUE(node->access().ban(gone));
  EXPECT_TRUE(node->access().bans().erase(access::BanKind::ClientId, "forgiven"));
  sender.reset();

  node.reset();
  options.listeners.clear();
  start();
  delayed = node->modules().find_as<module::delayed::Delayed>("delayed");
  const auto after = delayed->list(0, 10);
  ASSERT_EQ(after.size(), 2U);
  EXPECT_EQ(after[1].id, before[1].id);
  EXPECT_EQ(after[1].expected_at_ms, before[1].expected_at_ms);
  EXPECT_EQ(after[1].client_id, "s");
  EXPECT_EQ(after[1].interval_s, 1000);
  ASSERT_EQ(node->access().bans().list().count, 1U);
  EXPECT_EQ(node->access().bans().list().bans[0].reason, "test");
  int code = 0;
  connect("bad", {}, &code);
  EXPECT_EQ(code, 0x8A);
  auto receiver = connect("r");
  receiver->send(RawClient::subscribe_packet(1, {"d"}));
  EXPECT_EQ(type_of(receiver->packet()), 9U);
  EXPECT_NE(receiver->packet().find("later"), std::string::npos);
  ASSERT_TRUE(eventually([&] { return delayed->size() == 1; }));
  EXPECT_TRUE(delayed->erase(before[1].id));

  node.reset();
  options.listeners.clear();
  start();
  EXPECT_EQ(node->modules().find_as<module::delayed::Delayed>("delayed")->size(), 0U);
}

TEST_F(ModulesInANode, SysEventsAndAlarmsArePublished) {
  start();
  auto watcher = connect("watcher");
  watcher->send(RawClient::subscribe_packet(1, {"$SYS/brokers/+/clients/#", "$SYS/brokers/+/alarms/#"}));
  EXPECT_EQ(type_of(watcher->packet()), 9U);
  connect("guest")->close();
  const std::string came = watcher->packet();
  EXPECT_NE(came.find("$SYS/brokers/n@127.0.0.1/clients/guest/connected"), std::string::npos);
  EXPECT_NE(came.find("\"ipaddress\":\"127.0.0.1\""), std::string::npos);
  const std::string went = watcher->packet();
  EXPECT_NE(went.find("clients/guest/disconnected"), std::string::npos);
  EXPECT_NE(went.find("\"reason\":\"tcp_closed\""), std::string::npos) << went;
  node->alarms().activate("test_alarm", "m", {});
  EXPECT_NE(watcher->packet().find("alarms/activate"), std::string::npos);
  node->alarms().deactivate("test_alarm");
  EXPECT_NE(watcher->packet().find("\"activated\":false"), std::string::npos);
}

TEST_F(ModulesInANode, ATraceShowsTheWholeConversation) {
  start();
  auto* traces = node->modules().find_as<module::log_trace::LogTrace>("log_trace");
  ASSERT_TRUE(traces->create({"t", module::log_trace::Kind::ClientId, "c1"}));
  settle();
  auto client = connect("c1");
  client->send(RawClient::subscribe_packet(1, {"a/#"}) + RawClient::publish_packet("a/b", "text", 1, 7));
  for (int i = 0; i < 3; ++i) ASSERT_FALSE(client->packet().empty());
  auto other = connect("c2");
  traces->flush();
  std::ifstream in(traces->list().at(0).file);
  std::stringstream text;
  text << in.rdbuf();
  const std::string lines = text.str();
  for (const char* wanted :
       {"mqtt_packet_received, packet: CONNECT(", "mqtt_packet_sent, packet: CONNACK", "packet: SUBSCRIBE(",
        "[SUBSCRIBE] c1@", "mqtt_packet_sent, packet: SUBACK",
        "received, packet: PUBLISH(Q1, R0, D0, Topic=a/b, PacketId=7), payload: text",
        "[PUBLISH] c1@127.0.0.1 msg: publish_to, topic: a/b",
        "sent, packet: PUBLISH(Q1, R0, D0, Topic=a/b, PacketId=1), payload: text", "mqtt_packet_sent, packet: PUBACK"})
    EXPECT_NE(lines.find(wanted), std::string::npos) << wanted << "\n" << lines;
  EXPECT_EQ(lines.find("c2@"), std::string::npos);
}

TEST_F(ModulesInANode, AboveTheMemoryMarkNewConnectionsGet97) {
  options.pressure.memory_high_watermark = 1e-9;
  start();
  auto early = connect("early");  // before the first measurement
  ASSERT_TRUE(eventually([&] { return node->pressure().memory_high(); }));
  int code = 0;
  connect("late", {}, &code);
  EXPECT_EQ(code, 0x97);
  early->send(RawClient::ping_packet());
  EXPECT_EQ(type_of(early->packet()), 13U);
  EXPECT_TRUE(node->alarms().is_active("memory_high_watermark"));
}

TEST_F(ModulesInANode, AnOverloadedShardClosesNewSocketsWhereAskedTo) {
  options.pressure.overload_permille = 0;
  options.pressure.overload_samples = 1;
  zone->overload_closes_new = true;
  start();
  ASSERT_TRUE(eventually([&] { return node->pressure().overloaded(0) && node->pressure().overloaded(1); }));
  RawClient client(address());
  client.send(RawClient::connect_packet("c"));
  EXPECT_TRUE(client.packet().empty());
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(node->core().metric(broker::Metric::OverloadNewConn), 1U);
}

TEST_F(ModulesInANode, TopicsBehindAliasesAreBounded) {
  const std::string topic(60'000, 't');
  const auto alias = [&topic](unsigned number, std::string_view name) {
    std::string body = RawClient::text(name) + '\3' + '\x23';
    body += static_cast<char>(number >> 8);
    body += static_cast<char>(number & 0xFF);
    return RawClient::framed(0x30, body);
  };
  zone->force_shutdown_bytes = 0;  // no limit of the administrator's: one of our own
  start();
  auto client = connect("c");
  // Again and again under one number costs nothing.
  for (unsigned i = 0; i < 40; ++i) client->send(alias(1, topic.substr(i)) + alias(1, ""));
  client->send(RawClient::ping_packet());
  EXPECT_EQ(type_of(client->packet()), 13U);
  for (unsigned i = 1; i < 18; ++i) client->send(alias(i, topic));
  client->send(RawClient::ping_packet());
  EXPECT_EQ(type_of(client->packet()), 13U);
  client->send(alias(18, topic));
  const std::string over = client->packet();
  EXPECT_EQ(type_of(over), 14U);
  EXPECT_EQ(reason_of(over), 0x97);
  EXPECT_TRUE(client->packet().empty());
  EXPECT_TRUE(client->ended());
  EXPECT_EQ(node->listeners().list().front().shutdown_count.at("proc_heap_too_large"), 1U);
}

TEST_F(ModulesInANode, AReaderThatStopsIsAlarmedAndEndsBeyondItsOutput) {
  zone->force_shutdown_bytes = 256 * 1024;
  start();
  auto lazy = connect("lazy");
  lazy->send(RawClient::subscribe_packet(1, {"flood"}));
  EXPECT_EQ(type_of(lazy->packet()), 9U);
  auto watcher = connect("watcher");
  watcher->send(RawClient::subscribe_packet(1, {"$SYS/brokers/+/clients/lazy/disconnected"}));
  EXPECT_EQ(type_of(watcher->packet()), 9U);
  auto sender = connect("sender");
  // Socket buffers take some megabytes first; the window holds 32 of these.
  const std::string payload(900 * 1024, 'x');
  for (unsigned i = 1; i <= 32; ++i) {
    sender->send(RawClient::publish_packet("flood", payload, 1, i));
    ASSERT_EQ(type_of(sender->packet()), 4U);
  }
  EXPECT_TRUE(eventually([&] {
    const auto past = node->alarms().history();
    return node->alarms().is_active("conn_congestion/lazy/unknown_user") ||
           (!past.empty() && past.back().name == "conn_congestion/lazy/unknown_user");
  }));
  EXPECT_TRUE(eventually([&] { return node->core().metric(broker::Metric::SessionTerminated) == 1; }));
  EXPECT_NE(watcher->packet().find("proc_heap_too_large"), std::string::npos);
  EXPECT_TRUE(eventually([&] { return !node->alarms().is_active("conn_congestion/lazy/unknown_user"); }, 10s));
  sender->send(RawClient::ping_packet());
  EXPECT_EQ(type_of(sender->packet()), 13U);
}

}  // namespace
}  // namespace sb::app
