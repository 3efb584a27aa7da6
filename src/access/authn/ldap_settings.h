// What an authenticator and an authorization source that ask a directory have in common: their keys, the connection and
// the question that are made of them (access-control 4.7).
#pragma once

#include "access/authn/template.h"
#include "config/roots/listener.h"
#include "driver/ldap/connection.h"

#include <string>

namespace sb::access::authn {

struct LdapSettings {
  std::string server;
  std::string username;
  Secret password;
  std::uint32_t pool_size = 8;
  std::string base_dn;
  std::string filter;
  config::milliseconds request_timeout{};
  config::milliseconds query_timeout{};
  config::ClientTls ssl;
  bool start_tls = false;

  driver::resource::Server at;  // parsed
  Template base;
  Template where;
};

/// A filter of RFC 4515 whatever a client is called: placeholders lie within values, not within names of attributes.
[[nodiscard]] Result<> check_filter(const Template& filter);
/// Rules between the keys; fills what is parsed.
void check_ldap_settings(config::Checker& c, const config::Value& v, LdapSettings& s);
/// Secrets in files are read anew at every attempt. `bound`: as the service account.
[[nodiscard]] Result<driver::ldap::Options> ldap_options(const LdapSettings& s, bool bound = true);

/// Base and filter with the client's values, each escaped by its own rules.
struct LdapQuestion {
  std::string base;
  std::string filter;
};
LdapQuestion ldap_question(const LdapSettings& s, const Credentials& credentials);

/// The keys. S derives from LdapSettings.
template <class S>
config::Schema<S>& add_ldap_fields(config::Schema<S>& s) {
  const auto of = []<class M>(M LdapSettings::*member) { return static_cast<M S::*>(member); };
  s.field("server", of(&LdapSettings::server), {.min = 1, .doc = "host, or host:port; 389 without.", .required = true})
      .field("username", of(&LdapSettings::username), {.doc = "DN of the account that searches.", .required = true})
      .field("password", of(&LdapSettings::password), {.doc = "Its password.", .secret = true})
      .field("pool_size", of(&LdapSettings::pool_size), {.def = "8", .min = 1, .max = 256, .doc = "Most connections."})
      .field("base_dn", of(&LdapSettings::base_dn),
             {.min = 1, .doc = "Where to search; may hold placeholders.", .required = true})
      .field("filter", of(&LdapSettings::filter),
             {.def = "\"(objectClass=mqttUser)\"", .doc = "What to search; may hold placeholders."})
      .field("request_timeout", of(&LdapSettings::request_timeout),
             {.def = "10s", .min = 1, .max = 600'000, .doc = "Limit of a connection attempt."})
      .field("query_timeout", of(&LdapSettings::query_timeout),
             {.def = "5s", .min = 1, .max = 600'000, .doc = "Limit of a question."})
      .field("ssl", of(&LdapSettings::ssl), {.doc = "TLS to the directory: LDAPS, or StartTLS by start_tls."})
      .field("start_tls", of(&LdapSettings::start_tls),
             {.def = "false", .doc = "StartTLS on the plain port, with ssl.enable.", .since = "signalbox 0.1"});
  return s;
}

}  // namespace sb::access::authn
