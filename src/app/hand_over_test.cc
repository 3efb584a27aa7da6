// A connection moves to the shard of its session right after CONNECT; what was pipelined behind it moves along.
#include "app/testing/wire.h"

#include <gtest/gtest.h>

namespace sb::app {
namespace {

using testing::Wire;

struct HandOver : ::testing::TestWithParam<std::tuple<bool, bool, unsigned>> {};

TEST_P(HandOver, CarriesWhatIsPipelinedBehindConnect) {
  const auto [tls, web, shards] = GetParam();
  testing::Pki pki;
  ListenerOptions options = testing::listener("any:default");
  if (tls) options.tls = pki.tls();
  if (web) options.websocket.emplace();
  Node node(testing::node_with({options}, shards), {});
  ASSERT_TRUE(node.start().has_value());
  std::vector<std::size_t> homes(shards);
  for (int i = 0; i < 24; ++i) {
    const std::string id = "client-" + std::to_string(i);
    ++homes[node.core().home_of(id)];
    Wire client(node.bound()[0].port(), {.tls = tls, .web = web});
    ASSERT_TRUE(client.open());
    std::string sent = testing::connect_packet(id) + testing::subscribe_packet(id);
    std::string expected = testing::kConnack + testing::kSuback;
    for (int n = 0; n < 50; ++n) {
      // Some are long, so that the bytes that travel along end within a packet and within a TLS record.
      const std::string message =
          testing::publish_packet(id, std::to_string(n) + std::string(n % 7 == 0 ? 5000 : 10, 'x'));
      sent += message;
      expected += message;
    }
    sent += testing::kPingreq;
    if (web) {  // packets across frames and several in one
      client.send(sent.substr(0, 5));
      client.send(sent.substr(5));
    } else {
      client.send(sent);
    }
    // The answer to the ping may overtake deliveries that go through a queue; all else is in order.
    std::string got = client.receive(expected.size() + 2);
    ASSERT_EQ(got.size(), expected.size() + 2) << id;
    const std::size_t ping = got.find(testing::kPingresp + testing::publish_packet(id, "").substr(0, 1));
    if (got.ends_with(testing::kPingresp))
      got.erase(got.size() - 2);
    else if (ping != std::string::npos)
      got.erase(ping, 2);
    EXPECT_TRUE(got == expected) << id;
    EXPECT_TRUE(client.ping());
  }
  for (const std::size_t count : homes) EXPECT_GT(count, 0U);  // else nothing was shown
  node.stop();
}

std::string name_of(const ::testing::TestParamInfo<HandOver::ParamType>& info) {
  const auto [tls, web, shards] = info.param;
  return std::string(tls ? (web ? "wss" : "ssl") : (web ? "ws" : "tcp")) + std::to_string(shards);
}

INSTANTIATE_TEST_SUITE_P(Transports, HandOver,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(), ::testing::Values(2U, 3U)), name_of);

}  // namespace
}  // namespace sb::app
