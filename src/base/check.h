// SB_CHECK: our own bugs. On in every build; says where and what, then ends the process. Never used on input.
#pragma once

#include <string>

namespace sb::detail {
[[noreturn]] void check_failed(const char* expression, const char* file, int line, const std::string& message);
}

#define SB_CHECK(condition, message)                                         \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::sb::detail::check_failed(#condition, __FILE__, __LINE__, (message)); \
  } while (false)
