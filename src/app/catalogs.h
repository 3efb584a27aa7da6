// The generated lists of plug-ins, one function a family (cmake/Signalbox.cmake: sb_catalog).
#pragma once

#include "access/authn/provider.h"
#include "access/authz/source.h"
#include "broker/module_registry.h"
#include "management/api_registry.h"

namespace sb::app {

void add_module_plugins(broker::ModuleRegistry& registry);
void add_authn_plugins(access::authn::Registry& registry);
void add_authz_plugins(access::authz::Registry& registry);
void add_api_plugins(management::ApiRegistry& registry);

}  // namespace sb::app
