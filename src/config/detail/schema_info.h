// Words about a key, for messages and documentation.
#pragma once

#include "config/schema.h"

#include <string>

namespace sb::config::detail {

/// "integer 1..65535 or infinity"
std::string expectation(const Key& key);
/// The same without examples.
std::string brief_expectation(const Key& key);
/// The declared name nearest to a misspelt one, or "".
std::string_view nearest(const Struct& s, std::string_view wrong);
bool sounds_secret(std::string_view key);

}  // namespace sb::config::detail
