#include "app/listener_options.h"

#include "base/log.h"
#include "driver/certificate_status/ocsp.h"

#include <unistd.h>

#include <algorithm>

namespace sb::app {

namespace {

std::uint64_t or_zero(std::uint64_t value) {
  return value == config::kInfinity ? 0 : value;
}
std::uint64_t or_zero32(std::uint32_t value) {
  return value == config::kInfinity32 ? 0 : value;
}
Millis or_zero(Millis value) {
  return value == config::kForever ? Millis{0} : value;
}

net::Rate rate_of(const std::optional<config::Bucket>& bucket) {
  if (!bucket || bucket->rate.infinite()) return {};
  return {bucket->rate.per_second(), static_cast<double>(bucket->burst)};
}

net::TlsVersion version_of(config::TlsVersion version) {
  switch (version) {
    case config::TlsVersion::V10:
      return net::TlsVersion::Tls10;
    case config::TlsVersion::V11:
      return net::TlsVersion::Tls11;
    case config::TlsVersion::V12:
      return net::TlsVersion::Tls12;
    case config::TlsVersion::V13:
      return net::TlsVersion::Tls13;
  }
  return net::TlsVersion::Tls13;
}

Result<net::TlsOptions> tls_of(const config::Listener& listener, const config::Config& config,
                               ListenerResources& resources) {
  SB_TRY(auto out, tls_options(listener.ssl_options, resources));
  if (config.psk_authentication.enable)
    out.psk = [table = resources.psk](std::string_view identity) { return table->find(identity); };
  return out;
}

net::WebSocketOptions websocket_of(const config::WebSocket& from) {
  net::WebSocketOptions out;
  out.path = from.mqtt_path;
  out.single_packet_frames = from.mqtt_piggyback == config::Piggyback::Single;
  out.compress = from.compress;
  if (from.deflate_opts.level) {
    switch (*from.deflate_opts.level) {
      case config::DeflateLevel::None:
        out.deflate.level = 0;
        break;
      case config::DeflateLevel::Default:
        out.deflate.level = -1;
        break;
      case config::DeflateLevel::BestCompression:
        out.deflate.level = 9;
        break;
      case config::DeflateLevel::BestSpeed:
        out.deflate.level = 1;
        break;
    }
  }
  using Strategy = codec::websocket::DeflateConfig::Strategy;
  out.deflate.mem_level = from.deflate_opts.mem_level;
  switch (from.deflate_opts.strategy) {
    case config::DeflateStrategy::Default:
      out.deflate.strategy = Strategy::Default;
      break;
    case config::DeflateStrategy::Filtered:
      out.deflate.strategy = Strategy::Filtered;
      break;
    case config::DeflateStrategy::HuffmanOnly:
      out.deflate.strategy = Strategy::HuffmanOnly;
      break;
    case config::DeflateStrategy::Rle:
      out.deflate.strategy = Strategy::Rle;
      break;
  }
  out.deflate.server_context_takeover = from.deflate_opts.server_context_takeover == config::Takeover::Takeover;
  out.deflate.client_context_takeover = from.deflate_opts.client_context_takeover == config::Takeover::Takeover;
  out.deflate.server_max_window_bits = from.deflate_opts.server_max_window_bits;
  out.deflate.client_max_window_bits = from.deflate_opts.client_max_window_bits;
  out.idle_timeout = or_zero(from.idle_timeout);
  out.max_frame_size = or_zero(from.max_frame_size);
  out.fail_if_no_subprotocol = from.fail_if_no_subprotocol;
  out.supported_subprotocols = from.supported_subprotocols;
  out.check_origin = from.check_origin_enable;
  out.allow_origin_absence = from.allow_origin_absence;
  out.check_origins = from.check_origins;
  out.proxy_address_header = from.proxy_address_header;
  out.proxy_port_header = from.proxy_port_header;
  return out;
}

Result<ListenerOptions> options_of(const config::Listener& listener, const config::Config& config,
                                   const std::map<std::string, client::ZoneRef>& zones, ListenerResources& resources) {
  ListenerOptions out;
  SB_TRY(out.bind,
         net::Endpoint::parse_address(listener.bind.host.empty() ? "0.0.0.0" : listener.bind.host, listener.bind.port));
  out.acceptors = listener.acceptors;
  SB_TRY(out.access, net::AccessRules::parse(listener.access_rules));
  out.proxy_protocol = listener.proxy_protocol;
  out.proxy_protocol_timeout = listener.proxy_protocol_timeout;

  const config::TcpOptions& tcp = listener.tcp_options;
  out.socket.backlog = static_cast<int>(tcp.backlog);
  out.socket.nodelay = tcp.nodelay;
  out.socket.receive_buffer = static_cast<int>(tcp.recbuf.value_or(0));
  out.socket.send_buffer = static_cast<int>(tcp.sndbuf.value_or(0));
  if (tcp.send_timeout_close) out.socket.send_timeout = or_zero(tcp.send_timeout);
  if (tcp.keep_alive) {
    out.socket.keepalive_idle_s = tcp.keep_alive->idle_s;
    out.socket.keepalive_interval_s = tcp.keep_alive->interval_s;
    out.socket.keepalive_probes = tcp.keep_alive->probes;
  }

  client::ListenerSettings& settings = out.settings;
  settings.id = listener.id();
  settings.mountpoint = listener.mountpoint;
  const auto zone = zones.find(listener.zone);
  settings.zone = zone == zones.end() ? zones.at("default") : zone->second;
  settings.authn = listener.enable_authn == config::EnableAuthn::False ? client::AuthnMode::Off
                   : listener.enable_authn == config::EnableAuthn::QuickDenyAnonymous
                       ? client::AuthnMode::QuickDenyAnonymous
                       : client::AuthnMode::On;
  settings.max_connections = or_zero32(listener.max_connections);
  settings.high_watermark = tcp.high_watermark;
  settings.send_timeout = tcp.send_timeout;
  settings.websocket = listener.web();
  settings.handshake_timeout = listener.ssl_options.handshake_timeout;
  if (listener.limiter) {
    out.limits = {rate_of(listener.limiter->connection), rate_of(listener.limiter->bytes),
                  rate_of(listener.limiter->messages), rate_of(listener.limiter->message_routing)};
    if (listener.limiter->client) {
      settings.bytes_rate = rate_of(listener.limiter->client->bytes);
      settings.messages_rate = rate_of(listener.limiter->client->messages);
      settings.routing_rate = rate_of(listener.limiter->client->message_routing);
    }
  }
  out.enable = listener.enable;
  if (listener.tls()) {
    out.tls.emplace();
    if (listener.enable) {
      SB_TRY(out.tls, tls_of(listener, config, resources));
    }
  } else {
    settings.handshake_timeout = settings.zone->idle_timeout;
  }
  if (listener.web()) {
    out.websocket = websocket_of(listener.websocket);
    settings.websocket_idle_timeout = out.websocket->idle_timeout;
  }
  return out;
}

/// All but what threads of the node keep fresh.
Result<net::TlsOptions> tls_files(const config::ServerTls& from) {
  net::TlsOptions out;
  out.certificate_file = from.certfile;
  out.key_file = from.keyfile;
  // The CA file matters only to those who check clients; a default path that does not exist is no reason to refuse.
  if (from.verify == config::TlsVerify::Peer || ::access(from.cacertfile.c_str(), R_OK) == 0)
    out.ca_file = from.cacertfile;
  SB_TRY(out.password, config::resolve_secret(from.password));
  out.verify_peer = from.verify == config::TlsVerify::Peer;
  out.fail_if_no_peer_cert = from.fail_if_no_peer_cert;
  out.depth = from.depth;
  out.versions.clear();
  for (const config::TlsVersion version : from.versions) out.versions.push_back(version_of(version));
  out.ciphers = from.ciphers;
  out.honor_cipher_order = from.honor_cipher_order;
  out.reuse_sessions = from.reuse_sessions;
  out.client_renegotiation = from.client_renegotiation;
  out.dh_file = from.dhfile;
  return out;
}

/// The key that a failure of TLS speaks of first: what follows may be the text of a path.
std::string_view key_of(std::string_view what) {
  constexpr std::pair<std::string_view, std::string_view> kSaid[] = {{"cacertfile", "cacertfile"},
                                                                     {"certfile", "certfile"},
                                                                     {"keyfile", "keyfile"},
                                                                     {"dhfile", "dhfile"},
                                                                     {"ciphers", "ciphers"},
                                                                     {"versions", "versions"},
                                                                     {"ocsp.issuer_pem", "ocsp.issuer_pem"},
                                                                     {"failed_to_read_secret_file", "password"}};
  std::string_view out;
  std::size_t first = std::string_view::npos;
  for (const auto& [said, key] : kSaid) {
    const std::size_t at = what.find(said);
    if (at >= first) continue;
    first = at;
    out = key;
  }
  return out;
}

}  // namespace

Result<net::TlsOptions> tls_options(const config::ServerTls& from, ListenerResources& resources) {
  SB_TRY(auto out, tls_files(from));
  if (std::any_of(out.versions.begin(), out.versions.end(), [](auto v) { return v <= net::TlsVersion::Tls11; }))
    SB_LOG(log::Level::Warning, "tls_security_level_lowered", kv("reason", "TLS 1.0 or 1.1 is configured"));
  if (from.enable_crl_check) out.crls = resources.certificates.crls();
  if (from.ocsp.enable_ocsp_stapling) {
    SB_TRY(out.staple, resources.certificates.staple({from.certfile, from.ocsp.issuer_pem, from.ocsp.responder_url,
                                                      from.ocsp.refresh_interval, from.ocsp.refresh_http_timeout}));
  }
  return out;
}

std::optional<TlsProblem> review_tls(const config::ServerTls& tls, bool psk) {
  const auto problem = [](const Error& error) { return TlsProblem{std::string(key_of(error.what)), error.what}; };
  auto options = tls_files(tls);
  if (!options) return problem(options.error());
  if (psk) options->psk = [](std::string_view) { return std::nullopt; };
  if (const auto made = net::TlsContext::make(*options); !made) return problem(made.error());
  if (!tls.ocsp.enable_ocsp_stapling || tls.ocsp.issuer_pem.empty()) return std::nullopt;
  const auto question = driver::certificate_status::OcspQuestion::load(tls.certfile, tls.ocsp.issuer_pem);
  if (!question) return problem(question.error());
  return std::nullopt;
}

bool left_out(const config::Listener& listener) {
  return listener.tls() && !listener.written && ::access(listener.ssl_options.certfile.c_str(), R_OK) != 0;
}

Error bad_tls(const config::Config& config, const std::string& listener, const Error& error) {
  const std::string_view key = key_of(error.what);
  config::Problem problem;
  problem.path = fmt::format("{}.ssl_options{}{}", listener, key.empty() ? "" : ".", key);
  const config::Value* value = config.effective.at_path(problem.path);
  if (value && value->is_scalar()) problem.value = value->secret ? "******" : value->text();
  problem.expected = "what TLS can use";
  problem.reason = error.what;
  return {error.code, to_string(problem)};
}

client::LimitRates node_limits(const config::Config& config) {
  const config::Limiter& from = config.limiter;
  return {rate_of(from.connection), rate_of(from.bytes), rate_of(from.messages), rate_of(from.message_routing)};
}

Result<> import_psk(const config::Config& config, ListenerResources& resources) {
  const config::PskAuthentication& psk = config.psk_authentication;
  if (!psk.enable || psk.init_file.empty()) return {};
  const auto read = resources.psk->import_file(psk.init_file, psk.separator.front());
  if (read) return {};
  return fail(read.error().code, fmt::format("psk_authentication.init_file = {}: expected a file of keys ({})",
                                             psk.init_file, read.error().what));
}

Result<std::vector<ListenerOptions>> listener_options(const config::Config& config,
                                                      const std::map<std::string, client::ZoneRef>& zones,
                                                      ListenerResources& resources) {
  std::vector<ListenerOptions> out;
  resources.left_out.clear();
  Result<> problem{};
  config.listeners.for_each([&](const config::Listener& listener) {
    if (!problem) return;
    const std::string path = fmt::format("{}.{}", config::to_string(listener.type), listener.name);
    if (left_out(listener)) {
      resources.left_out.push_back(listener.id());
      return;
    }
    auto options = options_of(listener, config, zones, resources);
    if (options)
      out.push_back(std::move(*options));
    else
      problem = fail(options.error().code, fmt::format("listeners.{}: {}", path, options.error().what));
  });
  SB_CHECKED(problem);
  return out;
}

}  // namespace sb::app
