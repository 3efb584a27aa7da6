// The forms of `log.file`, for who merges layers of the configuration.
#pragma once

#include "config/value.h"

namespace sb::config {

/// Brings `log.file` of a layer into the one form that merges: a map of named handlers. Options that stand beside the
/// names, or alone, are those of `default` and win over what is below that name: a layer above laid them on it.
void name_log_files(Value& root);

}  // namespace sb::config
