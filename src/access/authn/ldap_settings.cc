#include "access/authn/ldap_settings.h"

#include "access/authn/resource_settings.h"
#include "driver/ldap/text.h"

#include <fmt/format.h>

namespace sb::access::authn {

namespace {
/// The filter where every value is `word`.
std::string rendered(const Template& filter, std::string_view word) {
  const std::string w(word);
  return filter.render({Subject{w, w, w, {}, {}, w, w}, as_bytes(word), {}, {}}, driver::ldap::escape_filter);
}
}  // namespace

Result<> check_filter(const Template& filter) {
  SB_CHECKED(driver::ldap::check_filter(rendered(filter, "x")));
  // An escaped character is part of values only (RFC 4515 3): where it may stand, every client's name may.
  if (!driver::ldap::check_filter(rendered(filter, "*")))
    return fail(Errc::Invalid, "placeholders within values only, as in (uid=${username})");
  return {};
}

void check_ldap_settings(config::Checker& c, const config::Value& v, LdapSettings& s) {
  auto at = driver::resource::parse_server(s.server, driver::ldap::kDefaultPort);
  if (at)
    s.at = *std::move(at);
  else
    c.broken(v, "server", "bad_server", expected_server(at.error()));
  s.base = Template(s.base_dn);
  s.where = Template(s.filter);
  if (const auto good = check_filter(s.where); !good)
    c.broken(v, "filter", "bad_filter", fmt::format("a filter of RFC 4515 ({})", good.error().what));
  for (const auto* text : {&s.base, &s.where})
    for (const std::string& name : text->unknown())
      c.broken(v, text == &s.base ? "base_dn" : "filter", "unknown_placeholder",
               "placeholders that are known, not ${" + name + "}");
  check_tls(c, v, s.ssl, {.who = "LDAP"});
  if (s.start_tls && !s.ssl.enable) c.broken(v, "start_tls", "needs_ssl", "ssl.enable = true", {"ssl"});
}

Result<driver::ldap::Options> ldap_options(const LdapSettings& s, bool bound) {
  driver::ldap::Options out;
  out.server = s.at;
  if (bound) {
    out.username = s.username;
    SB_TRY(out.password, config::resolve_secret(s.password));
  }
  SB_TRY(out.tls, resource_tls(s.ssl));
  out.start_tls = s.start_tls;
  return out;
}

LdapQuestion ldap_question(const LdapSettings& s, const Credentials& credentials) {
  return {s.base.render(credentials, driver::ldap::escape_dn),
          s.where.render(credentials, driver::ldap::escape_filter)};
}

}  // namespace sb::access::authn
