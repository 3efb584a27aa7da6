// A form's parts lie within its body, in order and without overlap, and none holds a boundary.
#include "http/multipart.h"

#include <cstdlib>

namespace {
void require(bool condition) {
  if (!condition) std::abort();
}
}  // namespace

/// First line: the content type; the rest: the body.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto line = std::min(bytes.find('\n'), bytes.size());
  const std::string boundary = sb::http::multipart_boundary(bytes.substr(0, line));
  const std::string_view body = bytes.substr(std::min(line + 1, bytes.size()));
  const auto parts = sb::http::parse_multipart(body, boundary);
  if (!parts) return 0;
  require(!boundary.empty() && parts->size() <= sb::http::kPartsMax);
  const char* at = body.data();
  for (const sb::http::Part& part : *parts) {
    require(part.bytes.data() >= at && part.bytes.data() + part.bytes.size() <= body.data() + body.size());
    require(part.bytes.find("\r\n--" + boundary) == std::string_view::npos);
    at = part.bytes.data() + part.bytes.size();
  }
  return 0;
}
