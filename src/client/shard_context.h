// What the channels of one shard share. Built by app/, outlives every channel of the shard.
#pragma once

#include "access/connection_quota.h"
#include "access/gate.h"
#include "broker/broker.h"
#include "client/pressure.h"
#include "client/settings.h"
#include "net/stream.h"

#include <memory>
#include <string>
#include <vector>

namespace sb::client {

struct ShardContext {
  broker::Broker& broker;
  net::ShardIo& io;
  access::Gate& gate;
  std::uint64_t connected = 0;  // live_connections of the shard
  std::string scratch;          // for mounted topics; valid until the next packet
  std::vector<std::uint8_t> property_scratch;
  Pressure* pressure = nullptr;              // may be null: tests
  broker::AlarmSink* alarms = nullptr;       // may be null: tests
  access::ConnectionQuota* quota = nullptr;  // may be null: tests
};

}  // namespace sb::client
