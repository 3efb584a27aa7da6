#include "access/authn/resource_settings.h"

#include "base/json_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace sb::access::authn {

namespace resource = driver::resource;

namespace {
/// The libraries would wait for who writes into a pipe. A file that is missing is theirs to tell.
bool no_file(const std::string& path) {
  std::error_code error;
  const auto kind = std::filesystem::status(path, error).type();
  return !path.empty() && !error && kind != std::filesystem::file_type::regular;
}
}  // namespace

Result<driver::resource::Tls> resource_tls(const config::ClientTls& from) {
  driver::resource::Tls out;
  out.enable = from.enable;
  if (!from.enable) return out;
  out.verify = from.verify == config::TlsVerify::Peer;
  out.server_name = from.server_name_indication;
  out.ca_file = from.cacertfile;
  out.certificate_file = from.certfile;
  // One file may hold both.
  out.key_file = from.keyfile.empty() ? from.certfile : from.keyfile;
  for (const std::string* path : {&out.ca_file, &out.certificate_file, &out.key_file})
    if (no_file(*path)) return fail(Errc::Invalid, fmt::format("'{}' is not a regular file", *path));
  out.depth = from.depth;
  const auto [oldest, newest] = std::minmax_element(from.versions.begin(), from.versions.end());
  out.oldest = static_cast<resource::TlsVersion>(*oldest);
  out.newest = static_cast<resource::TlsVersion>(*newest);
  out.ciphers = from.ciphers;
  // Who lists suites of one version only means no other.
  if (!out.ciphers.empty() && resource::cipher_lists(out.ciphers).older.empty()) out.oldest = resource::TlsVersion::V13;
  SB_TRY(out.key_password, config::resolve_secret(from.password));
  return out;
}

std::optional<Unusable> review_tls(const config::ClientTls& from) {
  const auto made = resource_tls(from);
  if (made) return std::nullopt;
  const std::string_view key = no_file(from.cacertfile) ? "ssl.cacertfile"
                               : no_file(from.certfile) ? "ssl.certfile"
                               : no_file(from.keyfile)  ? "ssl.keyfile"
                                                        : "ssl.password";
  return Unusable{key, made.error().what};
}

std::string expected_server(const Error& error) {
  return fmt::format("host or host:port ({})", error.what);
}

void check_tls(config::Checker& c, const config::Value& v, const config::ClientTls& tls, const TlsAbilities& can) {
  const config::Value* const ssl = v.find("ssl");
  if (!ssl || !tls.enable || tls.versions.empty() || !c.usable("ssl")) return;
  const config::Checker::Level level(c, "ssl");
  const auto refuse = [&](bool able, bool wanted, const char* key, std::string_view instead) {
    if (!able && wanted)
      c.broken(*ssl, key, "not_with_this_back_end",
               fmt::format("{}: the client library of {} knows no other", instead, can.who));
  };
  const std::string& name = tls.server_name_indication;
  refuse(can.ciphers, !tls.ciphers.empty(), "ciphers", "no list");
  refuse(can.depth, tls.depth != config::ClientTls{}.depth, "depth", "10");
  refuse(can.name, !name.empty() && name != "disable", "server_name_indication", "no name but the server's");
  if (!tls.keyfile.empty() && tls.certfile.empty())
    c.broken(*ssl, "certfile", "required_field", "a certificate beside keyfile");
  if (tls.ciphers.empty() || !can.ciphers) return;
  if (const auto known = resource::check_ciphers(tls.ciphers); !known)
    return c.broken(*ssl, "ciphers", "bad_ciphers",
                    fmt::format("OpenSSL names of cipher suites ({})", known.error().what));
  const resource::CipherLists lists = resource::cipher_lists(tls.ciphers);
  refuse(can.mixed_ciphers, !lists.older.empty() && !lists.tls13.empty(), "ciphers",
         "suites of TLS 1.3, or of older versions");
  if (lists.older.empty() && *std::max_element(tls.versions.begin(), tls.versions.end()) != config::TlsVersion::V13)
    c.broken(*ssl, "ciphers", "bad_ciphers", "suites of a version that is on");
}

driver::resource::Options watched(broker::AlarmSink& alarms, std::string id, driver::resource::Options options) {
  options.id = id;
  options.changed = [&alarms, id = std::move(id)](const driver::resource::State& state) {
    if (state.status != driver::resource::Status::Disconnected) {
      alarms.deactivate(id);
      return;
    }
    alarms.activate(id, "resource down: " + state.reason,
                    {{"resource_id", json_quoted(id)}, {"reason", "\"resource_down\""}});
  };
  return options;
}

Provider::State health_of(const driver::resource::State& state) {
  switch (state.status) {
    case driver::resource::Status::Connected:
      return {Health::Connected, ""};
    case driver::resource::Status::Connecting:
      return {Health::Connecting, ""};
    default:
      return {Health::Disconnected, state.reason};
  }
}

}  // namespace sb::access::authn
