// `signalbox start`: configuration, store, node, and waiting for the signal that ends it.
#pragma once

#include "http/assets.h"

#include <string>

namespace sb::app {

/// Runs in the foreground until SIGTERM or SIGINT. Returns the exit code; reasons go to standard error.
/// `dashboard`: its files; null serves none.
int start(const std::string& config_file, const http::AssetSource* dashboard);

}  // namespace sb::app
