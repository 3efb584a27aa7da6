#include "config/roots/dashboard.h"

namespace sb::config {

namespace {

Struct make_listener(bool tls) {
  using S = DashboardListener;
  Schema<S> s(tls ? "https" : "http", Hot::Y);
  s.field("bind", &S::bind, {.def = tls ? "0" : "18083", .doc = "Port, or address and port; 0 = off."})
      .field("num_acceptors", &S::num_acceptors,
             {.def = "4", .min = 1, .max = 65535, .doc = "Accepted; one loop serves all connections."})
      .field("max_connections", &S::max_connections, {.def = "512", .min = 1, .doc = "Open at the same time."})
      .field("backlog", &S::backlog, {.def = "1024", .min = 1, .max = 65535, .doc = "Waiting to be accepted."})
      .field("send_timeout", &S::send_timeout, {.def = "10s", .min = 1, .doc = "Limit of a write without progress."})
      .field("inet6", &S::inet6, {.def = "false", .doc = "A bare port listens on IPv6 too."})
      .field("ipv6_v6only", &S::ipv6_v6only, {.def = "false", .doc = "With inet6: on IPv6 alone.", .hidden = true})
      .field("proxy_header", &S::proxy_header,
             {.def = "false", .doc = "A balancer in front sends the PROXY protocol's header."});
  if (tls)
    s.field("ssl_options", &S::ssl_options, {.doc = "TLS of the listener."}).prepare([](Checker&, Value& v) {
      // Older files have the TLS keys beside `bind`.
      auto* fields = v.if_object();
      if (!fields) return;
      Value::Object moved;
      for (const Key& key : ServerTls::schema().keys)
        if (const auto found = fields->find(std::string(key.name)); found != fields->end()) {
          moved.emplace(std::string(key.name), found->second);
          fields->erase(found);
        }
      if (moved.empty()) return;
      // Another layer may have the present form: what it says holds.
      const auto [present, added] = fields->try_emplace("ssl_options", Value(Value::Object{}));
      if (auto* inner = present->second.if_object())
        for (auto& [key, member] : moved) inner->try_emplace(key, std::move(member));
    });
  s.drop("enable");
  return s.build();
}

}  // namespace

const Struct& DashboardListener::schema(bool tls) {
  static const Struct schemas[] = {make_listener(false), make_listener(true)};
  return schemas[tls ? 1 : 0];
}

const Struct& LoginLockout::schema() {
  using S = LoginLockout;
  static const Struct s =
      Schema<S>("login_lockout", Hot::Y)
          .doc("Failed log-ins lock a name for an address, and an address.")
          .field("enable", &S::enable, {.def = "true", .doc = "Whether they do.", .since = "signalbox 0.1"})
          .field("user_failures", &S::user_failures,
                 {.def = "10", .min = 1, .doc = "Of one name from one address.", .since = "signalbox 0.1"})
          .field("address_failures", &S::address_failures,
                 {.def = "100", .min = 1, .doc = "Of one address.", .since = "signalbox 0.1"})
          .field("window", &S::window, {.def = "5m", .min = 1, .doc = "Within this time.", .since = "signalbox 0.1"})
          .field("duration", &S::duration,
                 {.def = "5m", .min = 1, .doc = "How long the lock holds.", .since = "signalbox 0.1"})
          .build();
  return s;
}

const Struct& Dashboard::Listeners::schema() {
  static const Struct s =
      Schema<Listeners>("listeners", Hot::Y)
          .doc("Where dashboard and REST API listen.")
          .field("http", &Listeners::http, {.doc = "Plain HTTP."}, &DashboardListener::schema(false))
          .field("https", &Listeners::https, {.doc = "HTTPS."}, &DashboardListener::schema(true))
          .build();
  return s;
}

const Struct& Dashboard::schema() {
  using S = Dashboard;
  static const Struct s =
      Schema<S>("dashboard", Hot::Y)
          .doc("Dashboard and REST API.")
          .field("listeners", &S::listeners, {.doc = "Where they listen."})
          .field("default_username", &S::default_username,
                 {.def = "admin", .min = 1, .doc = "User made at a start where no user of that name exists."})
          .field("default_password", &S::default_password,
                 {.def = "public", .doc = "Its password; a later change has no effect on it.", .secret = true})
          .field("token_expired_time", &S::token_expired_time,
                 {.def = "60m", .min = 1000, .doc = "A log-in ends after this time without a request."})
          .field("cors", &S::cors, {.def = "false", .doc = "Pages of other origins may use the API."})
          .field("i18n_lang", &S::i18n_lang, {.def = "en", .hot = Hot::N, .doc = "Language of texts.", .hidden = true})
          .field(
              "sample_interval", &S::sample_interval,
              {.def = "10s", .min = 1000, .max = 60000, .doc = "Time between points of the monitor.", .hidden = true})
          .field("swagger_support", &S::swagger_support,
                 {.def = "true", .doc = "Whether /api-docs is served.", .since = "5.6"})
          .field("bootstrap_users_file", &S::bootstrap_users_file,
                 {.def = "\"\"", .doc = "Old name of api_key.bootstrap_file.", .path = true, .deprecated = true})
          .field("login_lockout", &S::login_lockout, {.doc = "Against guessing.", .since = "signalbox 0.1"})
          .field("sso", &S::sso, {.def = "{}", .doc = "Single sign-on.", .opaque = true, .hidden = true})
          .finish([](Checker& c, const Value& v, S& dashboard) {
            constexpr milliseconds kMinute{60'000};
            if (dashboard.sample_interval.count() > 0 && (kMinute % dashboard.sample_interval).count() != 0)
              c.broken(v, "sample_interval", "not_a_divisor", "a time that divides a minute, such as 10s or 30s");
          })
          .build();
  return s;
}

const Struct& ApiKeys::schema() {
  static const Struct s =
      Schema<ApiKeys>("api_key", Hot::Y)
          .doc("Keys of programs that use the REST API.")
          .field(
              "bootstrap_file", &ApiKeys::bootstrap_file,
              {.def = "\"\"", .doc = "File of lines key:secret or key:secret:role, read at the start.", .path = true})
          .build();
  return s;
}

}  // namespace sb::config
