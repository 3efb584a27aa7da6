// From files and environment to one tree.
#pragma once

#include "config/config.h"

namespace sb::config::detail {

/// Value of the environment for NAME of EMQX_NAME or SIGNALBOX_NAME, or "".
std::string env_value(const std::map<std::string, std::string>& env, std::string_view name);
/// A root of the schema, or one that is accepted for EMQX's sake.
bool known_root(std::string_view root, const LoadOptions& options);
/// What should stand in the place of an unknown root, for messages.
std::string known_root_near(std::string_view root);
/// Lays EMQX_A__B=v and SIGNALBOX_A__B=v on the tree, in the order of names. Warns of names that lead to no key.
void apply_environment(Value& root, const LoadOptions& options, Problems& errors, Problems& warnings);

}  // namespace sb::config::detail
