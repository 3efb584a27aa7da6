#include "base/secret_name.h"

#include "base/secret.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sb {

namespace {
constexpr std::string_view kEnds[] = {"password",         "passwd",        "pwd",        "passphrase",
                                      "secret",           "token",         "cookie",     "credential",
                                      "credentials",      "access_key",    "secret_key", "private_key",
                                      "security_key",     "api_key",       "apikey",     "auth_key",
                                      "subscription_key", "functions_key", "jwt",        "authorization"};
}  // namespace

bool names_secret(std::string_view field) {
  std::string known(field);
  for (char& c : known)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
    else if (c == '-')
      c = '_';
  return std::any_of(std::begin(kEnds), std::end(kEnds),
                     [&known](std::string_view end) { return std::string_view(known).ends_with(end); });
}

std::string_view shown_username(std::string_view username) {
  // RFC 7519: the header is a JSON object, which in base64url begins like this.
  const bool token = username.starts_with("eyJ") && std::count(username.begin(), username.end(), '.') == 2;
  return token ? kMasked : username;
}

std::string shown_urls(std::string_view text) {
  std::string out;
  while (true) {
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos) break;
    const auto begin = scheme + 3;
    const auto end = std::min(text.find_first_of("/?#, \t\r\n\"'<>", begin), text.size());
    const std::string_view authority = text.substr(begin, end - begin);
    const auto at = authority.rfind('@');
    const auto colon = authority.find(':');
    out += text.substr(0, begin);
    if (at != std::string_view::npos && colon < at) {
      out += authority.substr(0, colon + 1);
      if (colon + 1 < at) out += kMasked;
      out += authority.substr(at);
    } else {
      out += authority;
    }
    text.remove_prefix(end);
  }
  out += text;
  return out;
}

bool has_masked_url(std::string_view text) {
  return text.find("://") != std::string_view::npos &&
         text.find(fmt::format(":{}@", kMasked)) != std::string_view::npos;
}

}  // namespace sb
