// From the configuration's structs to what each part of the node takes. Pure functions.
#pragma once

#include "app/listener_options.h"
#include "app/node.h"
#include "client/settings.h"
#include "config/config.h"

#include <map>
#include <string>

namespace sb::app {

/// Effective settings of every zone, by name.
std::map<std::string, client::ZoneRef> zone_settings(const config::Config& config);

broker::CoreSettingsRef core_settings(const config::Config& config);

[[nodiscard]] Result<NodeOptions> node_options(const config::Config& config, ListenerResources& resources);

}  // namespace sb::app
