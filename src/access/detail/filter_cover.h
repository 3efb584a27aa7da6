// Whether one topic filter includes another: the question that a rule about subscriptions asks (access-control 7.3).
#pragma once

#include <string_view>

namespace sb::access::detail {

/// Every topic that `wanted` can match is matched by `rule`. Both are valid filters without prefix.
bool covers(std::string_view rule, std::string_view wanted);

/// Made of wildcards alone and ending in '#': "#", "+/#", "+/+/#".
bool is_catch_all(std::string_view filter);

}  // namespace sb::access::detail
