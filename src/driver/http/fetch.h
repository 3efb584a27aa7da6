// One HTTP GET that waits for its answer, by libcurl. For threads that may block; never on a shard.
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <cstddef>
#include <string>
#include <vector>

namespace sb::driver::http {

struct Fetch {
  std::string url;  // http or https
  Millis timeout{15'000};
  std::size_t body_max = 16 << 20;
  std::vector<std::string> headers{};  // "Accept: application/ocsp-response"
};

/// The body of a 200. Errc::Unavailable: no answer in time, or another status; Errc::Full: longer than body_max.
[[nodiscard]] Result<std::string> fetch(const Fetch& what);

}  // namespace sb::driver::http
