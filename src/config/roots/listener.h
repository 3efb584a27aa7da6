// `listeners.<type>.<name>` with their TCP, TLS, WebSocket and limit options.
#pragma once

#include "config/schema.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sb::config {

enum class ListenerType : std::uint8_t { Tcp, Ssl, Ws, Wss };
template <>
struct EnumNames<ListenerType> {
  static constexpr std::string_view names[] = {"tcp", "ssl", "ws", "wss"};
};

struct TcpOptions {
  std::uint32_t active_n = 0;  // packets read in one turn
  std::uint32_t backlog = 0;
  milliseconds send_timeout{};
  bool send_timeout_close = false;
  std::optional<std::uint32_t> recbuf, sndbuf;  // unset = the system's
  std::uint32_t buffer = 0;
  std::uint64_t high_watermark = 0;
  bool nodelay = false;
  bool reuseaddr = false;
  std::string keepalive;  // as written: none or Idle,Interval,Probes
  struct KeepAlive {
    int idle_s = 0, interval_s = 0, probes = 0;
  };
  std::optional<KeepAlive> keep_alive;  // parsed; unset = none
  static const Struct& schema();
};

enum class TlsVerify : std::uint8_t { None, Peer };
template <>
struct EnumNames<TlsVerify> {
  static constexpr std::string_view names[] = {"verify_none", "verify_peer"};
};
enum class TlsVersion : std::uint8_t { V10, V11, V12, V13 };
template <>
struct EnumNames<TlsVersion> {
  static constexpr std::string_view names[] = {"tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3"};
};

struct Ocsp {
  bool enable_ocsp_stapling = false;
  std::string responder_url;
  std::string issuer_pem;
  milliseconds refresh_interval{};
  milliseconds refresh_http_timeout{};
  static const Struct& schema();
};

/// TLS of a listener. File members are paths or inline PEM (begins with "-----BEGIN").
struct ServerTls {
  std::string cacertfile, certfile, keyfile, dhfile;
  TlsVerify verify = TlsVerify::None;
  bool fail_if_no_peer_cert = false;
  bool reuse_sessions = true;
  std::uint8_t depth = 10;
  Secret password;  // of the key file; may be file://
  std::vector<TlsVersion> versions;
  std::vector<std::string> ciphers;  // empty = all
  bool secure_renegotiate = true, client_renegotiation = true, honor_cipher_order = true;
  milliseconds handshake_timeout{};
  bool gc_after_handshake = false;
  bool enable_crl_check = false;
  Ocsp ocsp;
  static const Struct& schema();
};

/// TLS of an outgoing connection.
struct ClientTls {
  bool enable = false;
  std::string server_name_indication;  // "" = the peer's host; disable
  TlsVerify verify = TlsVerify::None;
  std::string cacertfile, certfile, keyfile;
  Secret password;
  std::uint8_t depth = 10;
  std::vector<TlsVersion> versions;
  std::vector<std::string> ciphers;
  bool reuse_sessions = true, secure_renegotiate = true;
  static const Struct& schema();
};

enum class Takeover : std::uint8_t { Takeover, NoTakeover };
template <>
struct EnumNames<Takeover> {
  static constexpr std::string_view names[] = {"takeover", "no_takeover"};
};
enum class DeflateLevel : std::uint8_t { None, Default, BestCompression, BestSpeed };
template <>
struct EnumNames<DeflateLevel> {
  static constexpr std::string_view names[] = {"none", "default", "best_compression", "best_speed"};
};
enum class DeflateStrategy : std::uint8_t { Default, Filtered, HuffmanOnly, Rle };
template <>
struct EnumNames<DeflateStrategy> {
  static constexpr std::string_view names[] = {"default", "filtered", "huffman_only", "rle"};
};
enum class Piggyback : std::uint8_t { Single, Multiple };
template <>
struct EnumNames<Piggyback> {
  static constexpr std::string_view names[] = {"single", "multiple"};
};

struct DeflateOptions {
  std::optional<DeflateLevel> level;
  std::uint8_t mem_level = 8;
  DeflateStrategy strategy = DeflateStrategy::Default;
  Takeover server_context_takeover = Takeover::Takeover, client_context_takeover = Takeover::Takeover;
  std::uint8_t server_max_window_bits = 15, client_max_window_bits = 15;
  static const Struct& schema();
};

struct WebSocket {
  std::string mqtt_path;
  Piggyback mqtt_piggyback = Piggyback::Multiple;
  bool compress = false;
  DeflateOptions deflate_opts;
  milliseconds idle_timeout{};       // kForever = infinity
  std::uint64_t max_frame_size = 0;  // kInfinity = infinity
  bool fail_if_no_subprotocol = true;
  std::vector<std::string> supported_subprotocols;
  bool check_origin_enable = false;
  bool allow_origin_absence = true;
  std::vector<std::string> check_origins;
  std::string proxy_address_header, proxy_port_header;  // lower case
  static const Struct& schema();
};

enum class EnableAuthn : std::uint8_t { True, False, QuickDenyAnonymous };
template <>
struct EnumNames<EnableAuthn> {
  static constexpr std::string_view names[] = {"true", "false", "quick_deny_anonymous"};
};

/// One rule of `access_rules`: first match decides.
struct AccessRule {
  bool allow = true;
  std::string cidr;  // "all" or an address with an optional prefix length
};

struct Bucket {
  Rate rate;  // infinite() = no limit
  std::uint64_t burst = 0;
  std::uint64_t initial = 0;
  static const Struct& schema();
};
struct ClientBuckets {
  std::optional<Bucket> bytes, messages, connection, message_routing;
  static const Struct& schema();
};
/// The long form of a listener's limits. The short keys below are already folded in.
struct ListenerLimiter {
  std::optional<Bucket> bytes, messages, connection, message_routing;
  std::optional<ClientBuckets> client;
  static const Struct& schema();
};

struct Listener {
  std::string name;
  ListenerType type = ListenerType::Tcp;
  bool written = true;  // some layer names it; false: a default listener that nobody asked for
  bool enable = true;
  Bind bind;
  std::uint32_t acceptors = 0;
  std::uint32_t max_connections = 0;  // kInfinity32 = infinity
  std::string mountpoint;             // may hold ${clientid}, ${username}
  std::string zone;
  EnableAuthn enable_authn = EnableAuthn::True;
  std::optional<Value> authentication;  // chain of its own
  std::optional<Rate> max_conn_rate;    // of the listener
  std::optional<Rate> messages_rate;    // of each connection
  std::optional<Rate> bytes_rate;       // of each connection
  std::optional<ListenerLimiter> limiter;
  std::vector<std::string> access_rules;
  std::vector<AccessRule> rules;  // access_rules, parsed
  bool proxy_protocol = false;
  milliseconds proxy_protocol_timeout{};
  TcpOptions tcp_options;
  ServerTls ssl_options;  // ssl, wss
  WebSocket websocket;    // ws, wss

  bool tls() const { return type == ListenerType::Ssl || type == ListenerType::Wss; }
  bool web() const { return type == ListenerType::Ws || type == ListenerType::Wss; }
  /// "tcp:default"
  std::string id() const;
  static const Struct& schema(ListenerType type);
};

struct Listeners {
  std::map<std::string, Listener> tcp, ssl, ws, wss;
  static const Struct& schema();

  template <class Fn>
  void for_each(Fn fn) const {
    for (const auto* map : {&tcp, &ssl, &ws, &wss}) {
      for (const auto& [name, listener] : *map) fn(listener);
    }
  }
  /// By "tcp:default"; null when there is none.
  const Listener* find(std::string_view id) const;
};

}  // namespace sb::config
