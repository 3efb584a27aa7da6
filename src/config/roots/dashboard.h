// `dashboard` and `api_key`: who may manage the node over the network, and where it listens for them.
#pragma once

#include "config/roots/listener.h"
#include "config/schema.h"

#include <string>

namespace sb::config {

struct DashboardListener {
  Bind bind;  // port 0 = off
  std::uint32_t num_acceptors = 0;
  std::uint32_t max_connections = 0;
  std::uint32_t backlog = 0;
  milliseconds send_timeout{};
  bool inet6 = false;
  bool ipv6_v6only = false;
  bool proxy_header = false;
  ServerTls ssl_options;  // https
  static const Struct& schema(bool tls);
};

struct LoginLockout {
  bool enable = true;
  std::uint32_t user_failures = 0;
  std::uint32_t address_failures = 0;
  milliseconds window{};
  milliseconds duration{};
  static const Struct& schema();
};

enum class Language : std::uint8_t { En, Zh };
template <>
struct EnumNames<Language> {
  static constexpr std::string_view names[] = {"en", "zh"};
};

struct Dashboard {
  struct Listeners {
    DashboardListener http, https;
    static const Struct& schema();
  } listeners;
  std::string default_username;
  Secret default_password;  // may be file://
  milliseconds token_expired_time{};
  bool cors = false;
  Language i18n_lang = Language::En;
  milliseconds sample_interval{};
  bool swagger_support = true;
  std::string bootstrap_users_file;
  LoginLockout login_lockout;
  Value sso;
  static const Struct& schema();
};

struct ApiKeys {
  std::string bootstrap_file;
  static const Struct& schema();
};

}  // namespace sb::config
