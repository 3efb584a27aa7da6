#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace sb::detail {

void check_failed(const char* expression, const char* file, int line, const std::string& message) {
  std::fprintf(stderr, "signalbox: internal error: %s (%s) at %s:%d\n", message.c_str(), expression, file, line);
  std::abort();
}

}  // namespace sb::detail
