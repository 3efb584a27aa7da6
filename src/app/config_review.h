// What only the areas themselves can say about a configuration: whether a cipher suite exists, a filter is one, a file
// is there, a licence counts. For `check_config`, the start and changes at run time; problems get the place of their
// key.
#pragma once

#include "config/config.h"

namespace sb::app {

/// What a value alone tells.
void review_values(config::Checker& checker, const config::Value& tree, const config::Config& config);

/// Also the files that it names, read at the start only: whether they are there and hold what the start makes of them.
/// Those that a back end's TLS names are read anew at each attempt to connect: one that is missing is a warning.
/// A licence that does not count is a warning: the node then runs on the trial and raises an alarm.
void review_all(config::Checker& checker, const config::Value& tree, const config::Config& config);

}  // namespace sb::app
