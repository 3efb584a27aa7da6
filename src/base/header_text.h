// What a header field of HTTP may be made of, as it comes in and for headers that somebody configures: nothing in them
// must end the line or begin another.
#pragma once

#include <algorithm>
#include <string_view>

namespace sb {

/// A token, RFC 9110 5.6.2; so is a method.
inline bool is_header_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

/// One line that is not empty.
inline bool is_header_value(std::string_view text) {
  return !text.empty() && text.find_first_of("\r\n") == std::string_view::npos;
}

/// Fields that the request tells by itself: another size of the body would make two requests of one.
inline bool is_header_of_size(std::string_view lower_name) {
  return lower_name == "content-length" || lower_name == "transfer-encoding";
}

}  // namespace sb
