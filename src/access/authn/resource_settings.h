// What the configuration of a back end says, as a resource takes it, and the alarm that its state is. For
// authenticators and for sources of authorization.
#pragma once

#include "access/authn/provider.h"
#include "base/result.h"
#include "broker/alarm_sink.h"
#include "config/roots/listener.h"
#include "config/schema.h"
#include "driver/resource/resource.h"
#include "driver/resource/tls.h"

#include <optional>
#include <string>
#include <string_view>

namespace sb::access::authn {

/// What the client library of a back end can do of `ssl`.
struct TlsAbilities {
  std::string_view who;
  bool ciphers = true;
  bool mixed_ciphers = true;  // of TLS 1.3 and of older versions in one list
  bool depth = true;
  bool name = true;  // another than the server's
};
/// For a schema's finish; `v` holds `ssl`. What cannot be done is refused by its name: nothing of TLS is left out
/// silently.
void check_tls(config::Checker& c, const config::Value& v, const config::ClientTls& tls, const TlsAbilities& can);

/// The key's passphrase is read now if it is a file://.
[[nodiscard]] Result<driver::resource::Tls> resource_tls(const config::ClientTls& from);

/// Why resource_tls() would refuse; the field begins with "ssl.".
std::optional<Unusable> review_tls(const config::ClientTls& from);

/// What a problem expects where parse_server() refused an address.
std::string expected_server(const Error& error);

/// `options` with that id, and an alarm named so while the resource is down (management-api 2.12).
driver::resource::Options watched(broker::AlarmSink& alarms, std::string id, driver::resource::Options options);

Provider::State health_of(const driver::resource::State& state);

}  // namespace sb::access::authn
