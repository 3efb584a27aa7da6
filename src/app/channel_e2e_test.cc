// What one connection may count on, over real sockets: permission, repetitions, sizes, time.
#include "app/e2e_node.h"

namespace sb::app {
namespace {

using namespace std::chrono_literals;

/// Denies one topic to everybody.
class DenyTopic final : public access::Authorizer {
 public:
  explicit DenyTopic(std::string topic) : topic_(std::move(topic)) {}
  access::Answer decide(const access::Subject&, const access::Action& action, Reply) override {
    return action.kind == access::ActionKind::Publish && action.topic == topic_ ? access::Answer::Deny
                                                                                : access::Answer::Allow;
  }

 private:
  std::string topic_;
};

class ChannelInANode : public NodeTest {
 protected:
  static access::Policy without(std::string topic) {
    access::AuthorizerSource source;
    source.type = "deny_topic";
    source.make = [topic = std::move(topic)](const access::ShardEnvironment&) {
      return std::make_unique<DenyTopic>(topic);
    };
    access::Policy policy;
    policy.sources.push_back(std::move(source));
    return policy;
  }
  std::unique_ptr<RawClient> receiver(std::string_view filter) {
    auto client = connect("receiver");
    client->send(RawClient::subscribe_packet(1, {filter}));
    EXPECT_EQ(type_of(client->packet()), 9U);
    return client;
  }
  static std::string repeated(std::string packet) {
    packet[0] = static_cast<char>(packet[0] | 8);
    return packet;
  }
};

// 9.2: permission is asked for the topic that a message has in the end.
TEST_F(ChannelInANode, ADelayIsNoWayAroundPermission) {
  start(without("secret"));
  auto got = receiver("#");
  auto client = connect("c");
  unsigned id = 0;
  for (const char* topic : {"secret", "$delayed/0/secret", "$delayed/1/secret", "$delayed/0/$delayed/0/secret",
                            "$delayed/1/$delayed/1/secret", "$delayed/0/$delayed/0/open"}) {
    client->send(RawClient::publish_packet(topic, "x", 1, ++id));
    EXPECT_EQ(reason_of(client->packet()), 0x87) << topic;
  }
  for (const char* topic : {"secret", "$delayed/1/secret", "$delayed/1/$delayed/0/secret"}) {
    RawClient::Options with_will;
    with_will.will_topic = topic;
    connect("w", with_will)->close();
  }
  client->send(RawClient::publish_packet("$delayed/1/open", "later", 1, ++id));
  EXPECT_EQ(reason_of(client->packet()), 0x10);
  EXPECT_NE(got->packet().find("later"), std::string::npos) << "and nothing before it";
  EXPECT_TRUE(got->packet(500ms).empty());
}

// 5.3: what was taken is acknowledged again, whatever the rules say by now.
TEST_F(ChannelInANode, ARepetitionIsAcknowledgedAlthoughItWouldBeRefusedNow) {
  start();
  auto client = connect("c");
  const std::string publish = RawClient::publish_packet("t", "x", 2, 7);
  client->send(publish);
  EXPECT_EQ(reason_of(client->packet()), 0x10);
  node->access().set_policy(std::make_shared<const access::Policy>(without("t")));
  settle();
  client->send(repeated(publish));
  const std::string again = client->packet();
  EXPECT_EQ(type_of(again), 5U);
  EXPECT_EQ(reason_of(again), 0);
  client->send(RawClient::publish_packet("t", "x", 2, 8) + repeated(RawClient::publish_packet("t", "x", 2, 9)));
  EXPECT_EQ(reason_of(client->packet()), 0x87);
  EXPECT_EQ(reason_of(client->packet()), 0x87) << "DUP alone is no proof";
}

TEST_F(ChannelInANode, ConnackLeavesOutWhatGoesWithoutSaying) {  // [MQTT-3.1.2-24]
  start();
  RawClient::Options how;
  RawClient plain(address());
  plain.send(RawClient::connect_packet("c", how));
  const std::string whole = plain.packet();
  how.maximum_packet_size = static_cast<unsigned>(whole.size());
  RawClient fits(address());
  fits.send(RawClient::connect_packet("c", how));
  EXPECT_EQ(fits.packet(), whole);
  how.maximum_packet_size -= 1;
  RawClient shorter(address());
  shorter.send(RawClient::connect_packet("c", how));
  const std::string less = shorter.packet();
  ASSERT_EQ(type_of(less), 2U);
  EXPECT_LT(less.size(), whole.size());
  EXPECT_NE(less.find('\x27'), std::string::npos) << "the server's own limit is not left out";
  shorter.send(RawClient::ping_packet());
  EXPECT_EQ(type_of(shorter.packet()), 13U);
  how.maximum_packet_size = static_cast<unsigned>(less.size()) - 1;
  RawClient none(address());
  none.send(RawClient::connect_packet("d", how));
  EXPECT_TRUE(none.packet(2s).empty());
  EXPECT_TRUE(none.ended());
  EXPECT_EQ(sessions(), 1U);
}

TEST_F(ChannelInANode, AnAnswerThatDoesNotFitEndsTheConnection) {  // [MQTT-3.1.2-24]
  start();
  RawClient::Options how;
  how.maximum_packet_size = 24;
  auto client = connect("c", how);
  client->send(RawClient::subscribe_packet(1, {"a", "b", "c"}));
  EXPECT_EQ(client->packet().size(), 8U);
  client->send(RawClient::subscribe_packet(
      2, {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"}));
  EXPECT_TRUE(client->packet(2s).empty()) << "25 bytes";
  EXPECT_TRUE(client->ended());
}

TEST_F(ChannelInANode, BytesOfAnUnfinishedPacketDoNotKeepAlive) {  // [MQTT-3.1.2-22]
  start();
  RawClient::Options how;
  how.keep_alive_s = 1;
  auto client = connect("c", how);
  const std::string publish = RawClient::publish_packet("t", std::string(100, 'x'), 1, 1);
  const auto began = std::chrono::steady_clock::now();
  std::string end;
  for (std::size_t i = 0; i < publish.size() && end.empty() && !client->ended(); ++i) {
    client->send(publish.substr(i, 1));
    end = client->packet(100ms);
  }
  EXPECT_EQ(type_of(end), 14U);
  EXPECT_EQ(reason_of(end), 0x8D);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4s);
}

TEST_F(ChannelInANode, WholePacketsKeepAlive) {
  start();
  RawClient::Options how;
  how.keep_alive_s = 1;
  auto client = connect("c", how);
  for (int i = 0; i < 5; ++i) {
    const std::string publish = RawClient::publish_packet("t", "x", 1, 1);
    client->send(publish.substr(0, 4));
    EXPECT_TRUE(client->packet(500ms).empty());
    client->send(publish.substr(4));
    EXPECT_EQ(type_of(client->packet()), 4U);
  }
}

TEST_F(ChannelInANode, TheGrantedQosIsWhatIsDelivered) {
  zone->max_qos = Qos::AtLeastOnce;
  start();
  auto client = connect("c");
  std::string subscribe = RawClient::subscribe_packet(1, {"t"});
  subscribe.back() = '\2';
  client->send(subscribe);
  EXPECT_EQ(client->packet().back(), '\1');
  // A publisher of another zone may send QoS 2; here the broker does.
  broker::Publication p;
  p.topic = "t";
  p.qos = Qos::ExactlyOnce;
  std::promise<void> done;
  node->shard(0).loop().post([&] {
    node->shard(0).broker().publish(p);
    done.set_value();
  });
  done.get_future().wait();
  EXPECT_EQ(static_cast<unsigned>(client->packet()[0]) >> 1 & 3U, 1U);
}

}  // namespace
}  // namespace sb::app
