#include "plugins/module/sys_topics/sys_topics.h"

#include "broker/testing/module_fixture.h"

#include <map>

namespace sb::plugins::module::sys_topics {
namespace {

using namespace module_fixture;

using namespace std::chrono_literals;

class SysTopicsTest : public ModuleTest {
 protected:
  SysTopicsTest() : module(context) {
    module.join(broker);
    stats.join(broker, [] { return std::uint64_t{3}; });
    subscribe(connect("watcher", sink), "$SYS/#");
  }
  std::map<std::string, std::string> seen() const {
    std::map<std::string, std::string> out;
    for (const Received& one : sink.got) out[one.topic] = one.payload;
    return out;
  }
  const std::string p = "$SYS/brokers/n1@127.0.0.1/";
  SysTopics module;
  Receiver sink;
};

TEST_F(SysTopicsTest, TellsStateAtIntervals) {
  advance(29s);
  EXPECT_TRUE(sink.got.empty());
  advance(2s);
  EXPECT_EQ(seen().at(p + "uptime").substr(0, 2), "30");
  EXPECT_EQ(seen().at(p + "datetime").substr(0, 4), "2023");
  EXPECT_EQ(seen().count(p + "version"), 0U);
  advance(30s);
  EXPECT_EQ(seen().at("$SYS/brokers"), "n1@127.0.0.1");
  EXPECT_EQ(seen().at(p + "version"), "5.4.0");
  EXPECT_EQ(seen().at(p + "sysdescr"), "Signalbox");
  EXPECT_EQ(seen().at(p + "stats/live_connections/count"), "3");
  EXPECT_EQ(seen().at(p + "stats/subscriptions/max"), "1");
  EXPECT_EQ(seen().at(p + "metrics/session/created"), "1");
  EXPECT_TRUE(broker.retained().find(p + "version"));
  EXPECT_FALSE(broker.retained().find(p + "uptime"));
}

TEST_F(SysTopicsTest, TellsStateAsSoonAsTheNodeHasStarted) {
  module.start();
  turn();
  EXPECT_EQ(seen().at(p + "version"), "5.4.0");
  EXPECT_EQ(seen().count(p + "uptime"), 1U);
  EXPECT_TRUE(broker.retained().find("$SYS/brokers"));
  // A change of other options does not put the next time off, and does not tell anything by itself.
  sink.got.clear();
  advance(20s);
  Options o;
  o.client_subscribed = true;
  module.set_options(o);
  turn();
  EXPECT_TRUE(sink.got.empty());
  advance(11s);
  EXPECT_EQ(seen().count(p + "uptime"), 1U);
}

TEST_F(SysTopicsTest, WhatIsDisabledIsNotToldAtTheStart) {
  Options o;
  o.msg_interval = o.heartbeat_interval = 0ms;
  module.set_options(o);
  turn();
  module.start();
  turn();
  EXPECT_TRUE(sink.got.empty());
}

TEST_F(SysTopicsTest, ItsMessagesAreNotCounted) {
  advance(61s);
  ASSERT_FALSE(sink.got.empty());
  EXPECT_EQ(broker.metrics().get(broker::Metric::MessagesPublish), 0U);
  EXPECT_EQ(broker.metrics().get(broker::Metric::MessagesDropped), 0U);
}

TEST_F(SysTopicsTest, IntervalsChangeAndStop) {
  Options o;
  o.msg_interval = 0ms;
  o.heartbeat_interval = 1s;
  module.set_options(o);
  turn();
  advance(120s, 100ms);
  EXPECT_EQ(seen().count(p + "version"), 0U);
  EXPECT_GE(sink.got.size(), 200U);
}

TEST_F(SysTopicsTest, ClientEventsCarryWhatIsDocumented) {
  const auto who = identity("c1", "jo\"e");
  broker::ClientEvent event = event_of(*who);
  event.protocol_version = 5;
  event.local_port = 1883;
  event.connected_ms = 1000;
  event.keep_alive_s = 60;
  event.expiry_s = 7;
  event.clean_start = false;
  broker.hooks().client_connected.run(event);
  EXPECT_EQ(seen().at(p + "clients/c1/connected"),
            "{\"clientid\":\"c1\",\"username\":\"jo\\\"e\",\"ipaddress\":\"10.0.0.1\",\"sockport\":1883,\"protocol\":"
            "\"mqtt\","
            "\"proto_name\":\"MQTT\",\"proto_ver\":5,\"connected_at\":1000,\"ts\":1700000000000,\"keepalive\":60,"
            "\"clean_start\":false,\"expiry_interval\":7000}");
  const auto other = identity("c2");
  broker::ClientEvent gone = event_of(*other);
  gone.reason = "normal";
  gone.disconnected_ms = 5;
  broker.hooks().client_disconnected.run(gone);
  const std::string text = seen().at(p + "clients/c2/disconnected");
  EXPECT_NE(text.find("\"username\":\"undefined\""), std::string::npos);
  EXPECT_NE(text.find("\"reason\":\"normal\",\"disconnected_at\":5}"), std::string::npos);
}

TEST_F(SysTopicsTest, SubscriptionEventsAreOffByDefault) {
  Receiver other;
  broker::Session& session = connect("c", other);
  subscribe(session, "t");
  EXPECT_TRUE(sink.got.empty());
  Options o;
  o.client_subscribed = o.client_unsubscribed = true;
  module.set_options(o);
  turn();
  subscribe(session, "t2", Qos::AtLeastOnce);
  broker.unsubscribe(session, "t2");
  EXPECT_NE(seen()
                .at(p + "clients/c/subscribed")
                .find("\"topic\":\"t2\",\"subopts\":{\"qos\":1,\"nl\":0,\"rap\":0,\"rh\":0}"),
            std::string::npos);
  EXPECT_NE(seen().at(p + "clients/c/unsubscribed").find("\"topic\":\"t2\",\"ts\":"), std::string::npos);
}

TEST_F(SysTopicsTest, AnnouncesAlarmsAsJson) {
  module.announce("alarms/activate", "{\"name\":\"x\"}");
  turn();
  EXPECT_EQ(seen().at(p + "alarms/activate"), "{\"name\":\"x\"}");
  EXPECT_NE(sink.got[0].properties.find("application/json"), std::string::npos);
}

TEST_F(SysTopicsTest, WildcardsOfAClientIdAreEncodedInTheTopicAlone) {
  const auto who = identity("a/+/#%");
  broker.hooks().client_connected.run(event_of(*who));
  broker.hooks().client_disconnected.run(event_of(*who));
  EXPECT_NE(seen().at(p + "clients/a/%2B/%23%25/connected").find("\"clientid\":\"a/+/#%\""), std::string::npos);
  EXPECT_TRUE(seen().contains(p + "clients/a/%2B/%23%25/disconnected"));
}

}  // namespace
}  // namespace sb::plugins::module::sys_topics
