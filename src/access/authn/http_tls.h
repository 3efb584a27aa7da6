// `ssl` of an authenticator that speaks HTTP, as the driver takes it.
#pragma once

#include "base/result.h"
#include "config/roots/listener.h"
#include "driver/http/client.h"

namespace sb::access::authn {

/// The key's passphrase is read now if it is a file://.
[[nodiscard]] inline Result<driver::http::ClientTls> http_tls(const config::ClientTls& from) {
  driver::http::ClientTls out;
  if (!from.enable) return out;
  out.verify = from.verify == config::TlsVerify::Peer;
  out.ca_file = from.cacertfile;
  out.certificate_file = from.certfile;
  out.key_file = from.keyfile;
  SB_TRY(out.key_password, config::resolve_secret(from.password));
  return out;
}

}  // namespace sb::access::authn
