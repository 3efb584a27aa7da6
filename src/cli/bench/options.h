// What `signalbox bench` was asked to do.
#pragma once

#include "base/mqtt_types.h"
#include "base/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sb::cli::bench {

enum class Mode : std::uint8_t { Connect, Publish, Subscribe };

struct Options {
  Mode mode = Mode::Connect;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  // 0: 1883, or 8883 with TLS
  ProtocolVersion version = ProtocolVersion::V5;
  std::uint32_t clients = 200;
  std::uint32_t first_number = 0;
  double connect_interval_ms = 10;
  std::uint16_t keep_alive_s = 300;
  bool clean = true;
  std::uint32_t session_expiry_s = 0;
  std::string username;
  std::string password;
  std::string prefix;  // of client ids; "" = from the mode and the process id
  std::string topic;   // %i: number of the client, %c: client id, %u: user name
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  std::uint32_t payload_bytes = 256;
  std::string message;                // instead of payload_bytes
  double message_interval_ms = 1000;  // between two messages of one client
  std::uint64_t limit = 0;            // messages in all; 0 = none
  std::uint32_t seconds = 0;          // 0 = until interrupted
  bool tls = false;
  bool tls_verify = false;
  std::string ca_file;
  std::string cert_file;
  std::string key_file;

  std::uint16_t port_used() const { return port ? port : tls ? 8883 : 1883; }
};

/// Fails with what is wrong, naming option, value and expectation.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments);
std::string usage();

std::string expand_topic(const Options& options, std::uint32_t number, const std::string& client_id);

}  // namespace sb::cli::bench
