#include "app/management_network.h"

#include "base/log.h"

#include <sys/stat.h>

namespace sb::app {

namespace {

constexpr Nanos kCertificateCheck{30'000'000'000};
constexpr std::string_view kNames[] = {"http", "https"};

bool is_api(std::string_view path) {
  return path.starts_with("/api/") || path == "/status" || path == "/api-docs" || path.starts_with("/api-docs/");
}

Result<net::Endpoint> address_of(const config::DashboardListener& listener) {
  std::string host = listener.bind.host;
  if (host.empty()) host = listener.inet6 ? "::" : "0.0.0.0";
  return net::Endpoint::parse_address(host, listener.bind.port);
}

bool same(const config::DashboardListener& a, const config::DashboardListener& b) {
  const auto tls = [](const config::ServerTls& t) {
    return std::tie(t.cacertfile, t.certfile, t.keyfile, t.dhfile, t.verify, t.fail_if_no_peer_cert, t.reuse_sessions,
                    t.depth, t.password, t.versions, t.ciphers, t.honor_cipher_order, t.client_renegotiation,
                    t.handshake_timeout, t.enable_crl_check);
  };
  return std::tie(a.bind, a.max_connections, a.backlog, a.send_timeout, a.inet6, a.proxy_header) ==
             std::tie(b.bind, b.max_connections, b.backlog, b.send_timeout, b.inet6, b.proxy_header) &&
         tls(a.ssl_options) == tls(b.ssl_options);
}

http::Response preflight() {
  http::Response out = http::Response::empty();
  out.headers = {{"access-control-allow-origin", "*"},
                 {"access-control-allow-methods", "GET, POST, PUT, DELETE"},
                 {"access-control-allow-headers", "authorization, content-type, if-match"},
                 {"access-control-max-age", "600"}};
  return out;
}

}  // namespace

ManagementNetwork::ManagementNetwork(runtime::Loop& loop, const http::Table& table, const http::AssetSource* assets,
                                     ListenerResources* resources)
    : loop_(loop), table_(table), assets_(assets), resources_(resources) {}

ManagementNetwork::~ManagementNetwork() {
  runtime::TimerWheel::cancel(*this);
}

void ManagementNetwork::serve(http::Request request, http::Reply reply) const {
  if (cors_ && !request.header("origin").empty()) {
    if (request.method == "OPTIONS") return reply(preflight());
    reply = [reply = std::move(reply)](http::Response response) {
      response.headers.emplace_back("access-control-allow-origin", "*");
      response.headers.emplace_back("access-control-expose-headers", "etag");
      reply(std::move(response));
    };
  }
  if (!is_api(request.path)) return reply(http::serve_asset(assets_, request));
  if (!docs_ && request.path.starts_with("/api-docs")) return reply(http::path_not_found(request.accept));
  table_.handle(std::move(request), std::move(reply));
}

std::vector<std::string> ManagementNetwork::addresses() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < listeners_.size(); ++i)
    if (listeners_[i].server)
      out.push_back(fmt::format("{}://{}", kNames[i], listeners_[i].server->bound().to_string()));
  return out;
}

Result<> ManagementNetwork::apply(const config::Config& config, bool http_written) {
  std::erase_if(retired_, [](const auto& server) { return server->connection_count() == 0; });
  const config::Dashboard& dashboard = config.dashboard;
  const std::array before = {listeners_[0].settings, listeners_[1].settings};
  for (const bool tls : {false, true}) {
    const config::DashboardListener& wanted = tls ? dashboard.listeners.https : dashboard.listeners.http;
    auto changed = change(tls, wanted);
    if (changed) continue;
    if (!tls && !http_written) {
      SB_LOG(log::Level::Warning, "management_listener_left_out", kv("bind", to_string(wanted.bind)),
             kv("reason", changed.error().what));
      continue;
    }
    restore(before);
    // What stands in the files of TLS is tried before the address is.
    if (tls && wanted.bind.port != 0)
      if (const auto made = make_tls(wanted); !made)
        return tl::unexpected(bad_tls(config, "dashboard.listeners.https", made.error()));
    return fail(changed.error().code,
                fmt::format("dashboard.listeners.{}.bind = {}: expected an address that this node "
                            "can listen on ({})",
                            kNames[tls], to_string(wanted.bind), changed.error().what));
  }
  cors_ = dashboard.cors;
  docs_ = dashboard.swagger_support;
  certificates_ns_ = newest_certificate();
  if (listeners_[1].server) loop_.timers().arm(*this, loop_.now(), kCertificateCheck);
  return {};
}

void ManagementNetwork::restore(const std::array<config::DashboardListener, 2>& before) {
  for (const bool tls : {false, true})
    if (const auto back = change(tls, before[tls]); !back)
      SB_LOG(log::Level::Error, "config_rollback_failed", kv("listener", kNames[tls]), kv("reason", back.error().what));
}

Result<> ManagementNetwork::change(bool tls, const config::DashboardListener& wanted) {
  Listener& known = listeners_[tls];
  if (known.server && same(known.settings, wanted)) return {};
  if (wanted.bind.port == 0) {
    retire(std::move(known.server));
    known.settings = wanted;
    return {};
  }
  // An address that is held already must be given up before it is taken again.
  const bool same_port = known.server && known.settings.bind.port == wanted.bind.port;
  if (same_port && tls) SB_CHECKED(make_tls(wanted));  // what can be known before is
  if (same_port) retire(std::move(known.server));
  auto opened = open(tls, wanted);
  if (!opened) {
    if (same_port) {
      auto again = open(tls, known.settings);
      if (again) known.server = std::move(*again);
    }
    return tl::unexpected(std::move(opened).error());
  }
  retire(std::move(known.server));
  known.server = std::move(*opened);
  known.settings = wanted;
  return {};
}

Result<std::unique_ptr<http::NetServer>> ManagementNetwork::open(bool tls, const config::DashboardListener& wanted) {
  http::NetServer::Options options;
  SB_TRY(options.bind, address_of(wanted));
  options.backlog = static_cast<int>(wanted.backlog);
  options.connections_max = wanted.max_connections;
  options.proxy_header = wanted.proxy_header;
  options.limits.write_timeout = wanted.send_timeout;
  if (tls) {
    SB_TRY(options.tls, make_tls(wanted));
    options.handshake_timeout = wanted.ssl_options.handshake_timeout;
  }
  auto server = std::make_unique<http::NetServer>(
      loop_, options, [this](http::Request request, http::Reply reply) { serve(std::move(request), std::move(reply)); },
      [this](http::Request& head) { return table_.plan_body(head); });
  SB_CHECKED(server->open());
  return server;
}

Result<std::shared_ptr<const net::TlsContext>> ManagementNetwork::make_tls(const config::DashboardListener& wanted) {
  if (!resources_) return fail(Errc::Unsupported, "TLS is not set up");
  SB_TRY(const net::TlsOptions options, tls_options(wanted.ssl_options, *resources_));
  return net::TlsContext::make(options);
}

void ManagementNetwork::retire(std::unique_ptr<http::NetServer> server) {
  if (!server) return;
  server->finish();
  retired_.push_back(std::move(server));
}

Result<> ManagementNetwork::reload_certificates() {
  if (!listeners_[1].server) return {};
  SB_TRY(auto tls, make_tls(listeners_[1].settings));
  listeners_[1].server->set_tls(std::move(tls));
  certificates_ns_ = newest_certificate();
  return {};
}

std::int64_t ManagementNetwork::newest_certificate() const {
  const config::ServerTls& tls = listeners_[1].settings.ssl_options;
  std::int64_t newest = 0;
  for (const std::string& file : {tls.certfile, tls.keyfile, tls.cacertfile}) {
    struct stat info {};
    if (stat(file.c_str(), &info) == 0)
      newest = std::max<std::int64_t>(newest, info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec);
  }
  return newest;
}

void ManagementNetwork::on_timer() {
  loop_.timers().arm(*this, loop_.now(), kCertificateCheck);
  if (newest_certificate() == certificates_ns_) return;
  // Certificate and key are seldom replaced in the same moment: a pair that does not fit is tried again.
  if (const auto loaded = reload_certificates(); !loaded)
    SB_LOG(log::Level::Warning, "management_certificates_not_loaded", kv("reason", loaded.error().what));
  else
    SB_LOG(log::Level::Notice, "management_certificates_loaded");
}

}  // namespace sb::app
