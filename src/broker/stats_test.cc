#include "broker/stats.h"

#include <gtest/gtest.h>

namespace sb::broker {
namespace {

using namespace std::chrono_literals;

struct NoSink final : SessionSink {
  Sent send_publish(Delivery&, const Outgoing&) override { return Sent::Yes; }
  void send_pubrel(PacketId, ReasonCode, Ticket) override {}
  void on_session_lost(EndReason) override {}
};

TEST(Stats, CountsEachSecondAndKeepsTheHighest) {
  ManualClock clock;
  runtime::Loop loop(clock, {});
  runtime::Reclaimer reclaimer(1);
  Core core(make_router({}, reclaimer), reclaimer, 1);
  Broker broker(core, 0, loop, std::make_shared<CoreSettings>());
  core.join(broker);
  Stats stats(core);
  std::uint64_t live = 7;
  stats.set_source(Gauge::Delayed, [] { return std::uint64_t{4}; });
  stats.join(broker, [&] { return live; });
  NoSink sink;
  OpenRequest request;
  request.identity = std::make_shared<const Identity>(Identity{"c", "", ""});
  request.settings = std::make_shared<const SessionSettings>();
  Session& session = *broker.open(std::move(request), sink).session;
  broker.subscribe(session, "a", {});
  broker.subscribe(session, "$share/g/b", {});
  EXPECT_EQ(stats.count(Gauge::Sessions), 0U);
  const auto tick = [&] {
    clock.advance(1100ms);
    loop.turn(0ms);
  };
  tick();
  EXPECT_EQ(stats.count(Gauge::Sessions), 1U);
  EXPECT_EQ(stats.count(Gauge::LiveConnections), 7U);
  EXPECT_EQ(stats.count(Gauge::Topics), 2U);
  EXPECT_EQ(stats.count(Gauge::Subscribers), 2U);
  EXPECT_EQ(stats.count(Gauge::SharedSubscriptions), 1U);
  EXPECT_EQ(stats.count(Gauge::Delayed), 4U);
  live = 2;
  broker.close(session, {});
  tick();
  EXPECT_EQ(stats.count(Gauge::Sessions), 0U);
  EXPECT_EQ(stats.max(Gauge::Sessions), 1U);
  EXPECT_EQ(stats.count(Gauge::LiveConnections), 2U);
  EXPECT_EQ(stats.max(Gauge::LiveConnections), 7U);
  const auto list = stats.list();
  EXPECT_EQ(list.size(), 2 * kGaugeCount);
  EXPECT_EQ(list.front(), (std::pair<std::string, std::uint64_t>{"channels.count", 0}));
}

}  // namespace
}  // namespace sb::broker
