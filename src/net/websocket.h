// WebSocket below MQTT (broker.md 1.4): the upgrade, frames, pings and compression of one server-side connection, over
// the socket or over TLS. What the listener wants is in WebSocketOptions, shared and immutable.
#pragma once

#include "base/clock.h"
#include "codec/websocket/deflate.h"
#include "net/layer.h"

#include <memory>
#include <string>
#include <vector>

namespace sb::net {

/// `websocket` of a listener (config.md 6.6).
struct WebSocketOptions {
  std::string path = "/mqtt";
  bool single_packet_frames = false;  // mqtt_piggyback = single
  bool compress = false;
  codec::websocket::DeflateConfig deflate;
  Millis idle_timeout{7'200'000};    // without any frame; enforced by the channel
  std::uint64_t max_frame_size = 0;  // 0 = infinity; also of what a message inflates to
  bool fail_if_no_subprotocol = true;
  std::vector<std::string> supported_subprotocols{"mqtt", "mqtt-v3", "mqtt-v3.1.1", "mqtt-v5"};
  bool check_origin = false;
  bool allow_origin_absence = true;
  std::vector<std::string> check_origins{"http://localhost:18083", "http://127.0.0.1:18083"};
  std::string proxy_address_header = "x-forwarded-for";
  std::string proxy_port_header = "x-forwarded-port";
};

struct WebSocketAdmission {
  /// The listener has all the connections that it may have: closed after the upgrade.
  bool full = false;
  /// The PROXY protocol told nothing, so that the proxy's headers count.
  bool believe_headers = true;
};

/// `below`: TLS, or null for the bare socket.
std::unique_ptr<Layer> make_websocket_layer(std::shared_ptr<const WebSocketOptions> options,
                                            std::unique_ptr<Layer> below, WebSocketAdmission admission);

}  // namespace sb::net
