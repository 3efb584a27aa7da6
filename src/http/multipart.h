// multipart/form-data (RFC 7578): the parts of a form whose body is there as a whole.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace sb::http {

struct Part {
  std::string name;
  std::string file_name;  // as sent: not a path to be trusted; "" when the part is no file
  std::string content_type;
  std::string_view bytes;  // into the body
};

constexpr std::size_t kPartsMax = 64;

/// `boundary` of "multipart/form-data; boundary=…"; "" when the content type is another one or has none.
std::string multipart_boundary(std::string_view content_type);
/// Invalid: not a form, or more than kPartsMax parts.
[[nodiscard]] Result<std::vector<Part>> parse_multipart(std::string_view body, std::string_view boundary);

}  // namespace sb::http
