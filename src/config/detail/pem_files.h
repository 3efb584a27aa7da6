// Certificates and keys that stand in the configuration as text.
#pragma once

#include "config/config.h"

#include <string>
#include <vector>

namespace sb::config::detail {

/// Puts a path below <data_dir>/certs in the place of each PEM text, so that whoever uses a file, and whoever tells
/// about it, sees a path; appends what is to be written there. The path begins with ${EMQX_DATA_DIR}, so that it means
/// the same on another node.
void take_pems(Value& value, const std::string& data_dir, std::vector<PemFile>& out);

}  // namespace sb::config::detail
