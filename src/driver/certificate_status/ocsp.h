// OCSP (RFC 6960) from the side of a server that staples: the question about its certificate, and the answer checked.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sb::driver::certificate_status {

class OcspQuestion {
 public:
  [[nodiscard]] static Result<std::unique_ptr<OcspQuestion>> load(const std::string& certificate_file,
                                                                  const std::string& issuer_file);
  virtual ~OcspQuestion() = default;
  /// `responder_url`/<base64 of the request>, RFC 6960 A.1.
  virtual std::string url(std::string_view responder_url) const = 0;
  /// Fine: signed by the issuer or who it named, of this certificate, `good` and in its time. Returns the wall time in
  /// seconds until which it holds (0: it names none).
  [[nodiscard]] virtual Result<std::int64_t> check(std::string_view response) const = 0;

 protected:
  OcspQuestion() = default;
};

}  // namespace sb::driver::certificate_status
