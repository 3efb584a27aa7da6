// `signalbox license …`: an operator's own keys, and licences signed with them. Asks no node.
#pragma once

#include <string>
#include <vector>

namespace sb::cli {

/// Exit code.
int main_license(const std::vector<std::string>& arguments);

}  // namespace sb::cli
