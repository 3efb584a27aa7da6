// What a GET has answered, in a few characters, so that a PUT can say what it was made from: RFC 9110, 8.8.3
// and 13.1.1.
#pragma once

#include "http/message.h"

#include <string>
#include <string_view>

namespace sb::http {

/// Quoted; "" where there is no body to name. Of the same body, or settings where it tells them apart, always the same
/// while the process runs.
std::string etag_of(const Response& response);
/// Whether an If-Match field lets a request pass: "*", or one of its tags.
bool if_match_holds(std::string_view field, std::string_view etag);

}  // namespace sb::http
