// What the configuration of a back end says, as a resource takes it, and the alarm that its state is. For
// authenticators and for sources of authorization.
#pragma once

#include "base/result.h"
#include "broker/alarm_sink.h"
#include "config/roots/listener.h"
#include "driver/resource/resource.h"
#include "driver/resource/tls.h"

#include <functional>
#include <string>

namespace sb::access::authn {

/// The key's passphrase is read now if it is a file://.
[[nodiscard]] Result<driver::resource::Tls> resource_tls(const config::ClientTls& from);

/// For driver::resource::Options::changed: an alarm named `id` while the resource is down (management-api 2.12).
std::function<void(const driver::resource::State&)> resource_alarm(broker::AlarmSink& alarms, std::string id);

}  // namespace sb::access::authn
