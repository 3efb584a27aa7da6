#include "base/secret_name.h"

#include "base/secret.h"

#include <algorithm>
#include <string>

namespace sb {

namespace {
constexpr std::string_view kEnds[] = {"password",    "passwd", "pwd",          "passphrase", "secret",
                                      "token",       "cookie", "credential",   "access_key", "secret_key",
                                      "private_key", "jwt",    "authorization"};
}  // namespace

bool names_secret(std::string_view field) {
  std::string known(field);
  for (char& c : known)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return std::any_of(std::begin(kEnds), std::end(kEnds),
                     [&known](std::string_view end) { return std::string_view(known).ends_with(end); });
}

std::string_view shown_username(std::string_view username) {
  // RFC 7519: the header is a JSON object, which in base64url begins like this.
  const bool token = username.starts_with("eyJ") && std::count(username.begin(), username.end(), '.') == 2;
  return token ? kMasked : username;
}

}  // namespace sb
