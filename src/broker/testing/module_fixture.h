// What tests of modules share: a node of one shard without sockets, driven by hand, and receivers that write down what
// they get.
#pragma once

#include "broker/module_registry.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace sb::module_fixture {

struct Received {
  std::string topic;
  std::string payload;
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  PacketId packet_id = 0;
  std::string properties;
};

class Receiver final : public broker::SessionSink {
 public:
  Sent send_publish(broker::Delivery& delivery, const broker::Outgoing& how) override {
    const broker::Publication& p = delivery.publication();
    got.push_back({std::string(p.topic), std::string(as_text(p.payload)), how.qos, how.retain, how.packet_id,
                   std::string(as_text(p.properties))});
    return Sent::Yes;
  }
  void send_pubrel(PacketId, ReasonCode, broker::Ticket) override {}
  void on_session_lost(broker::EndReason) override {}
  std::vector<Received> got;
  std::vector<std::string> topics() const {
    std::vector<std::string> out;
    for (const Received& one : got) out.push_back(one.topic);
    return out;
  }
};

struct RecordingAlarms final : broker::AlarmSink {
  bool activate(std::string_view name, std::string_view, broker::AlarmDetails) override {
    return active.insert(std::string(name)).second;
  }
  bool deactivate(std::string_view name) override { return active.erase(std::string(name)) == 1; }
  std::set<std::string> active;
};

/// A client event of MQTT.
inline broker::ClientEvent event_of(const broker::Identity& who) {
  return {who, "mqtt", "MQTT", 0, {}, {}, 0, 0, 0, true, 0, false, 0, 0, {}};
}

class ModuleTest : public testing::Test {
 protected:
  static broker::CoreSettingsRef core_settings() { return std::make_shared<broker::CoreSettings>(); }
  ModuleTest() { core.join(broker); }

  broker::Session& connect(const std::string& id, Receiver& sink, const std::string& username = {},
                           std::uint32_t expiry_s = 0, bool clean_start = true) {
    broker::OpenRequest request;
    request.identity = identity(id, username);
    request.clean_start = clean_start;
    request.expiry_s = expiry_s;
    request.settings = session_settings;
    return *broker.open(std::move(request), sink).session;
  }
  static broker::IdentityRef identity(const std::string& id, const std::string& username = {}) {
    return std::make_shared<const broker::Identity>(broker::Identity{id, username, "10.0.0.1"});
  }
  void subscribe(broker::Session& session, std::string_view filter, Qos qos = Qos::AtMostOnce) {
    SubscribeOptions options;
    options.qos = qos;
    ASSERT_EQ(broker.subscribe(session, filter, options).code, ReasonCode::Success);
  }
  ReasonCode publish(std::string_view topic, std::string_view payload = "x", Qos qos = Qos::AtMostOnce,
                     const broker::IdentityRef& from = nullptr, bool retain = false) {
    broker::Publication p;
    p.topic = topic;
    p.payload = as_bytes(payload);
    p.qos = qos;
    p.retain = retain;
    if (from) p.from = &from;
    return broker.publish(p);
  }
  /// In small steps, so that timers of timers run.
  void advance(Nanos by, Nanos step = std::chrono::milliseconds(500)) {
    while (by > Nanos{0}) {
      const Nanos now = std::min(by, step);
      clock.advance(now);
      by -= now;
      loop.turn(Nanos{0});
    }
  }
  void turn() { loop.turn(Nanos{0}); }

  ManualClock clock;
  runtime::Loop loop{clock, {}};
  runtime::Reclaimer reclaimer{1};
  broker::Core core{broker::make_router({}, reclaimer), reclaimer, 1};
  broker::Broker broker{core, 0, loop, core_settings()};
  broker::Stats stats{core};
  RecordingAlarms alarms;
  broker::ModuleContext context{core, clock, alarms, stats, "n1@127.0.0.1", {}, "5.4.0", "Signalbox", {}};
  broker::SessionSettingsRef session_settings = std::make_shared<const broker::SessionSettings>();
};

}  // namespace sb::module_fixture
