// `signalbox start`: configuration, store, node, and waiting for the signal that ends it.
#pragma once

#include <string>

namespace sb::app {

/// Runs in the foreground until SIGTERM or SIGINT. Returns the exit code; reasons go to standard error.
int start(const std::string& config_file);

}  // namespace sb::app
