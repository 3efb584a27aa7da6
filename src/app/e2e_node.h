// A whole node on port 0 for end-to-end tests.
#pragma once

#include "app/catalogs.h"
#include "app/e2e_client.h"
#include "app/node.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <mutex>
#include <thread>

namespace sb::app {

/// Waits for a condition with a deadline.
template <class Condition>
bool eventually(Condition&& condition, std::chrono::milliseconds limit = std::chrono::seconds(5)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // check: allow sleep
  }
  return true;
}

class NodeTest : public testing::Test {
 protected:
  NodeTest() {
    char name[] = "/tmp/signalbox_e2e_XXXXXX";
    folder = mkdtemp(name);
    options.trace_dir = folder;
    options.shards = 2;
    options.name = "n@127.0.0.1";
    zone = std::make_shared<client::ZoneSettings>();
  }
  ~NodeTest() override {
    node.reset();
    std::filesystem::remove_all(folder);
  }
  void start(access::Policy policy = {}) {
    ListenerOptions listener;
    listener.bind = *net::Endpoint::parse("127.0.0.1:0");
    listener.settings.id = "tcp:default";
    listener.settings.zone = zone;
    options.listeners.push_back(listener);
    options.policy = std::make_shared<const access::Policy>(std::move(policy));
    broker::ModuleRegistry registry;
    add_module_plugins(registry);
    node = std::make_unique<Node>(options, registry);
    const auto started = node->start();
    ASSERT_TRUE(started) << started.error().what;
  }
  /// What was posted to the shards is done.
  void settle() { sessions(); }
  /// How many there are, counted by the shards themselves after what was posted to them.
  std::size_t sessions() {
    std::size_t sum = 0;
    for (unsigned id = 0; id < node->shard_count(); ++id) {
      const auto count = std::make_shared<std::promise<std::size_t>>();
      node->shard(id).loop().post(
          [&shard = node->shard(id), count] { count->set_value(shard.broker().session_count()); });
      sum += count->get_future().get();
    }
    return sum;
  }
  const net::Endpoint& address() const { return node->bound()[0]; }
  /// A connected client, or one that was refused with the reason in `code`.
  std::unique_ptr<RawClient> connect(std::string_view id, const RawClient::Options& how = {}, int* code = nullptr) {
    auto client = std::make_unique<RawClient>(address());
    client->send(RawClient::connect_packet(id, how));
    const std::string connack = client->packet();
    const int got = connack.size() > 3 ? static_cast<unsigned char>(connack[3]) : -1;
    if (code)
      *code = got;
    else
      EXPECT_EQ(got, 0) << id;
    return client;
  }

  std::string folder;
  NodeOptions options;
  std::shared_ptr<client::ZoneSettings> zone;
  std::unique_ptr<Node> node;
};

/// The reason code of a PUBACK or DISCONNECT of MQTT 5; a PUBACK without one means success.
inline int reason_of(const std::string& packet) {
  const std::size_t at = type_of(packet) == 14 ? 2 : 4;
  return packet.size() > at ? static_cast<unsigned char>(packet[at]) : 0;
}

}  // namespace sb::app
