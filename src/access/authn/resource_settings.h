// What the configuration of a back end says, as a resource takes it, and the alarm that its state is. For
// authenticators and for sources of authorization.
#pragma once

#include "access/authn/provider.h"
#include "base/result.h"
#include "broker/alarm_sink.h"
#include "config/roots/listener.h"
#include "driver/resource/resource.h"
#include "driver/resource/tls.h"

#include <string>

namespace sb::access::authn {

/// The key's passphrase is read now if it is a file://.
[[nodiscard]] Result<driver::resource::Tls> resource_tls(const config::ClientTls& from);

/// `options` with that id, and an alarm named so while the resource is down (management-api 2.12).
driver::resource::Options watched(broker::AlarmSink& alarms, std::string id, driver::resource::Options options);

Provider::State health_of(const driver::resource::State& state);

}  // namespace sb::access::authn
