#include "config/roots/listener.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <charconv>

namespace sb::config {
namespace {

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out;
  while (true) {
    const auto at = text.find(by);
    std::string_view part = text.substr(0, at);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    out.emplace_back(part);
    if (at == text.npos) return out;
    text.remove_prefix(at + 1);
  }
}

std::optional<int> number(const std::string& text, int low, int high) {
  int out = 0;
  const auto r = std::from_chars(text.data(), text.data() + text.size(), out);
  if (r.ec != std::errc{} || r.ptr != text.data() + text.size() || out < low || out > high) return std::nullopt;
  return out;
}

bool valid_cidr(const std::string& text) {
  if (text == "all") return true;
  const auto slash = text.find('/');
  const std::string host = text.substr(0, slash);
  const bool v6 = host.find(':') != host.npos;
  unsigned char buffer[16];
  if (inet_pton(v6 ? AF_INET6 : AF_INET, host.c_str(), buffer) != 1) return false;
  return slash == text.npos || number(text.substr(slash + 1), 0, v6 ? 128 : 32).has_value();
}

/// "allow 10.0.0.0/8, 192.168.0.0/16" is two rules.
bool parse_rule(const std::string& text, std::vector<AccessRule>& out) {
  const bool allow = text.starts_with("allow ");
  if (!allow && !text.starts_with("deny ")) return false;
  for (std::string& cidr : split(text.substr(allow ? 6 : 5), ',')) {
    if (!valid_cidr(cidr)) return false;
    out.push_back({.allow = allow, .cidr = std::move(cidr)});
  }
  return true;
}

void finish_tcp(Checker& c, const Value& v, TcpOptions& tcp) {
  if (tcp.keepalive == "none" || tcp.keepalive.empty()) return;
  const auto parts = split(tcp.keepalive, ',');
  if (parts.size() == 3) {
    const auto idle = number(parts[0], 1, 72000);
    const auto interval = number(parts[1], 1, 750);
    const auto probes = number(parts[2], 1, 90);
    if (idle && interval && probes) {
      tcp.keep_alive = TcpOptions::KeepAlive{.idle_s = *idle, .interval_s = *interval, .probes = *probes};
      return;
    }
  }
  c.broken(v, "keepalive", "bad_keepalive", "none or Idle,Interval,Probes within 1..72000, 1..750, 1..90");
}

/// A prefix of topic names: no wildcards, and only placeholders that are filled.
bool valid_mountpoint(std::string_view text) {
  if (text.find_first_of("+#") != text.npos) return false;
  for (std::size_t at = text.find("${"); at != text.npos; at = text.find("${", at + 2)) {
    const std::string_view rest = text.substr(at);
    if (rest.find('}') != rest.npos && !rest.starts_with("${clientid}") && !rest.starts_with("${username}"))
      return false;
  }
  return true;
}

void finish_listener(Checker& c, const Value& v, Listener& l, ListenerType type) {
  l.type = type;
  if (!valid_mountpoint(l.mountpoint))
    c.broken(v, "mountpoint", "bad_mountpoint",
             "a beginning of topic names: no + and #, no placeholders but ${clientid} and ${username}");
  for (const std::string& rule : l.access_rules) {
    if (!parse_rule(rule, l.rules))
      c.broken(v, "access_rules", "bad_access_rule", "allow|deny followed by all or addresses with /bits");
  }
  // Short keys fold into the long form where that is not given.
  if (l.max_conn_rate || l.messages_rate || l.bytes_rate) {
    if (!l.limiter) l.limiter.emplace();
    if (l.max_conn_rate && !l.limiter->connection) l.limiter->connection = Bucket{.rate = *l.max_conn_rate};
  }
  if (l.messages_rate || l.bytes_rate) {
    if (!l.limiter->client) l.limiter->client.emplace();
    ClientBuckets& client = *l.limiter->client;
    if (l.messages_rate && !client.messages) client.messages = Bucket{.rate = *l.messages_rate};
    if (l.bytes_rate && !client.bytes) client.bytes = Bucket{.rate = *l.bytes_rate};
  }
}

Struct make_schema(ListenerType type) {
  using S = Listener;
  const bool tls = type == ListenerType::Ssl || type == ListenerType::Wss;
  const bool web = type == ListenerType::Ws || type == ListenerType::Wss;
  constexpr std::string_view kPorts[] = {"1883", "8883", "8083", "8084"};
  Schema<S> s("listener", Hot::L);
  s.doc("A listener of this type.")
      .field("enable", &S::enable, {.def = "true", .aliases = "enabled", .doc = "Whether the listener is started."})
      .field("bind", &S::bind,
             {.def = kPorts[static_cast<std::size_t>(type)],
              .doc = "Address and port; a bare port is all IPv4 addresses."})
      .field("acceptors", &S::acceptors,
             {.def = "16", .min = 1, .max = 65535, .doc = "Accepted for EMQX's sake: each shard accepts."})
      .field("max_connections", &S::max_connections,
             {.def = "infinity",
              .min = 1,
              .max = 4294967294.0,
              .words = "infinity",
              .doc = "Connections beyond this are closed at once."})
      .field("mountpoint", &S::mountpoint,
             {.def = "\"\"", .max = 65535, .doc = "Prefix of all topics; may hold ${clientid} and ${username}."})
      .field("zone", &S::zone, {.def = "default", .doc = "Zone whose settings apply.", .hidden = true})
      .field("enable_authn", &S::enable_authn, {.def = "true", .doc = "Whether clients are authenticated."})
      .field("authentication", &S::authentication, {.doc = "Chain of this listener, in place of the global one."})
      .field("max_conn_rate", &S::max_conn_rate, {.doc = "New connections of the listener."})
      .field("messages_rate", &S::messages_rate, {.doc = "Messages in, of each connection."})
      .field("bytes_rate", &S::bytes_rate, {.doc = "Bytes in, of each connection."})
      .field("limiter", &S::limiter, {.doc = "Long form of the limits.", .hidden = true})
      .field("access_rules", &S::access_rules,
             {.def = "[\"allow all\"]", .doc = "allow or deny with addresses; the first match decides."})
      .field("proxy_protocol", &S::proxy_protocol, {.def = "false", .doc = "Expect a PROXY protocol header."})
      .field("proxy_protocol_timeout", &S::proxy_protocol_timeout,
             {.def = "3s", .doc = "Close when the header does not come."})
      .field("tcp_options", &S::tcp_options, {.doc = "TCP options."});
  if (tls) s.field("ssl_options", &S::ssl_options, {.doc = "TLS options."});
  if (web) s.field("websocket", &S::websocket, {.doc = "WebSocket options."});
  s.finish([type](Checker& c, const Value& v, S& l) { finish_listener(c, v, l, type); });
  return s.build();
}

/// The default listener of a type is there unless it is set or deleted.
void add_default(Value& listeners, const char* type) {
  auto& types = *listeners.if_object();
  const auto [slot, added] = types.try_emplace(type);
  if (added || slot->second.is_null()) slot->second = Value(Value::Object{});
  if (auto* names = slot->second.if_object()) {
    const auto [entry, fresh] = names->try_emplace("default");
    if (fresh || entry->second.is_null()) entry->second = Value(Value::Object{});
  }
}

}  // namespace

const Struct& TcpOptions::schema() {
  using S = TcpOptions;
  static const Struct s =
      Schema<S>("tcp_options", Hot::L)
          .doc("TCP options of a listener.")
          .field("active_n", &S::active_n,
                 {.def = "100",
                  .min = 1,
                  .max = 32767,
                  .doc = "Accepted for EMQX's sake: a turn reads bytes, not packets."})
          .field("backlog", &S::backlog,
                 {.def = "1024", .min = 1, .max = 65535, .doc = "Connections waiting to be accepted."})
          .field("send_timeout", &S::send_timeout, {.def = "15s", .doc = "Limit of one blocked send."})
          .field("send_timeout_close", &S::send_timeout_close, {.def = "true", .doc = "Close the connection then."})
          .field("recbuf", &S::recbuf, {.max = 2147483647, .doc = "Receive buffer of the system.", .size = true})
          .field("sndbuf", &S::sndbuf, {.max = 2147483647, .doc = "Send buffer of the system.", .size = true})
          .field("buffer", &S::buffer, {.def = "4KB", .max = 2147483647, .doc = "Read buffer.", .size = true})
          .field("high_watermark", &S::high_watermark,
                 {.def = "1MB", .doc = "Bytes waiting to be sent above which a peer counts as slow.", .size = true})
          .field("nodelay", &S::nodelay, {.def = "true", .doc = "TCP_NODELAY."})
          .field("reuseaddr", &S::reuseaddr, {.def = "true", .doc = "SO_REUSEADDR."})
          .field("keepalive", &S::keepalive,
                 {.def = "none", .doc = "none, or Idle,Interval,Probes in seconds and a count."})
          .finish(finish_tcp)
          .build();
  return s;
}

const Struct& DeflateOptions::schema() {
  using S = DeflateOptions;
  static const Struct s =
      Schema<S>("deflate_opts", Hot::L)
          .field("level", &S::level, {.doc = "Compression level."})
          .field("mem_level", &S::mem_level, {.def = "8", .min = 1, .max = 9, .doc = "Memory for compression."})
          .field("strategy", &S::strategy, {.def = "default", .doc = "Compression strategy."})
          .field("server_context_takeover", &S::server_context_takeover,
                 {.def = "takeover", .doc = "Keep the server's state between messages."})
          .field("client_context_takeover", &S::client_context_takeover,
                 {.def = "takeover", .doc = "Keep the client's state between messages."})
          .field("server_max_window_bits", &S::server_max_window_bits,
                 {.def = "15", .min = 8, .max = 15, .doc = "Window of the server."})
          .field("client_max_window_bits", &S::client_max_window_bits,
                 {.def = "15", .min = 8, .max = 15, .doc = "Window of the client."})
          .build();
  return s;
}

const Struct& WebSocket::schema() {
  using S = WebSocket;
  static const Struct s =
      Schema<S>("websocket", Hot::L)
          .doc("WebSocket options of a listener.")
          .field("mqtt_path", &S::mqtt_path, {.def = "\"/mqtt\"", .min = 1, .doc = "Path of MQTT; others are 404."})
          .field("mqtt_piggyback", &S::mqtt_piggyback,
                 {.def = "multiple", .doc = "Whether a frame may hold several packets."})
          .field("compress", &S::compress, {.def = "false", .doc = "permessage-deflate."})
          .field("deflate_opts", &S::deflate_opts, {.doc = "Options of compression."})
          .field("idle_timeout", &S::idle_timeout,
                 {.def = "7200s", .words = "infinity", .doc = "Close without any frame for this long."})
          .field("max_frame_size", &S::max_frame_size,
                 {.def = "infinity", .min = 1, .words = "infinity", .doc = "Largest frame in bytes.", .size = true})
          .field("fail_if_no_subprotocol", &S::fail_if_no_subprotocol,
                 {.def = "true", .doc = "400 without Sec-WebSocket-Protocol."})
          .field("supported_subprotocols", &S::supported_subprotocols,
                 {.def = "\"mqtt, mqtt-v3, mqtt-v3.1.1, mqtt-v5\"", .doc = "Subprotocols offered."})
          .field("check_origin_enable", &S::check_origin_enable, {.def = "false", .doc = "Whether Origin is checked."})
          .field("allow_origin_absence", &S::allow_origin_absence,
                 {.def = "true", .doc = "Whether Origin may be missing."})
          .field("check_origins", &S::check_origins,
                 {.def = "\"http://localhost:18083, http://127.0.0.1:18083\"", .doc = "Origins allowed."})
          .field("proxy_address_header", &S::proxy_address_header,
                 {.def = "\"x-forwarded-for\"", .doc = "Header with the client's address."})
          .field("proxy_port_header", &S::proxy_port_header,
                 {.def = "\"x-forwarded-port\"", .doc = "Header with the client's port."})
          .finish([](Checker&, const Value&, S& ws) {
            for (std::string* header : {&ws.proxy_address_header, &ws.proxy_port_header}) {
              for (char& ch : *header) {
                if (ch >= 'A' && ch <= 'Z') ch = static_cast<char>(ch - 'A' + 'a');
              }
            }
          })
          .build();
  return s;
}

const Struct& Bucket::schema() {
  using S = Bucket;
  static const Struct s =
      Schema<S>("bucket", Hot::Y)
          .field("rate", &S::rate, {.def = "infinity", .doc = "Tokens per time."})
          .field("burst", &S::burst,
                 {.def = "0", .aliases = "capacity", .doc = "Tokens beyond the rate.", .size = true})
          .field("initial", &S::initial, {.def = "0", .doc = "Tokens at the start.", .size = true})
          .accept<std::uint64_t>("low_watermark", {.size = true})
          .accept<bool>("divisible", {})
          .accept<milliseconds>("max_retry_time", {})
          .accept<std::string>("failure_strategy", {})
          .build();
  return s;
}

const Struct& ClientBuckets::schema() {
  using S = ClientBuckets;
  static const Struct s = Schema<S>("client", Hot::Y)
                              .field("bytes", &S::bytes, {.aliases = "bytes_in", .doc = "Bytes in."})
                              .field("messages", &S::messages, {.aliases = "message_in", .doc = "Messages in."})
                              .field("connection", &S::connection, {.doc = "Connections."})
                              .field("message_routing", &S::message_routing,
                                     {.doc = "Publishes and their receivers; what exceeds it is refused."})
                              .accept<std::optional<Bucket>>("internal", {})
                              .build();
  return s;
}

const Struct& ListenerLimiter::schema() {
  using S = ListenerLimiter;
  static const Struct s = Schema<S>("limiter", Hot::Y)
                              .field("bytes", &S::bytes, {.aliases = "bytes_in", .doc = "Bytes in."})
                              .field("messages", &S::messages, {.aliases = "message_in", .doc = "Messages in."})
                              .field("connection", &S::connection, {.doc = "New connections."})
                              .field("message_routing", &S::message_routing,
                                     {.doc = "Publishes and their receivers; what exceeds it is refused."})
                              .field("client", &S::client, {.doc = "Limits of each connection."})
                              .build();
  return s;
}

std::string Listener::id() const {
  return fmt::format("{}:{}", to_string(type), name);
}

const Struct& Listener::schema(ListenerType type) {
  static const Struct schemas[] = {make_schema(ListenerType::Tcp), make_schema(ListenerType::Ssl),
                                   make_schema(ListenerType::Ws), make_schema(ListenerType::Wss)};
  return schemas[static_cast<std::size_t>(type)];
}

const Struct& Listeners::schema() {
  using S = Listeners;
  using T = ListenerType;
  static const Struct s =
      Schema<S>("listeners", Hot::L)
          .doc("Where clients connect: listeners.<type>.<name>.")
          .field("tcp", &S::tcp, {.doc = "MQTT over TCP.", .tombstones = true}, &Listener::schema(T::Tcp))
          .field("ssl", &S::ssl, {.doc = "MQTT over TLS.", .tombstones = true}, &Listener::schema(T::Ssl))
          .field("ws", &S::ws, {.doc = "MQTT over WebSocket.", .tombstones = true}, &Listener::schema(T::Ws))
          .field("wss", &S::wss, {.doc = "MQTT over secure WebSocket.", .tombstones = true}, &Listener::schema(T::Wss))
          .accept<Value>("quic", {})
          .prepare([](Checker& c, Value& v) {
            if (!c.defaults()) return;
            for (const char* type : {"tcp", "ssl", "ws", "wss"}) add_default(v, type);
          })
          .build();
  return s;
}

const Listener* Listeners::find(std::string_view id) const {
  const Listener* found = nullptr;
  for_each([&](const Listener& l) {
    if (l.id() == id) found = &l;
  });
  return found;
}

}  // namespace sb::config
