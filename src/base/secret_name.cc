#include "base/secret_name.h"

#include "base/secret.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace sb {

namespace {
constexpr std::string_view kEnds[] = {
    "password",     "passwd",        "pwd",         "passphrase", "secret",           "token",
    "cookie",       "credential",    "credentials", "access_key", "secret_key",       "private_key",
    "security_key", "api_key",       "apikey",      "auth_key",   "subscription_key", "functions_key",
    "jwt",          "authorization", "pass",        "psk",        "signature",        "session_id",
    "x_auth"};

constexpr std::string_view kEndsUrl = " \t\r\n\"'<>";

enum class Query : std::uint8_t { Secrets, Whole };

/// A value of a query: "${username}" is filled in later, and nothing is nothing.
bool hides(std::string_view name, std::string_view value, Query query) {
  if (value.empty() || (value.starts_with("${") && value.find('}') == value.size() - 1)) return false;
  return query == Query::Whole || names_secret(name) || name == "key" || name == "sig" || name == "signature";
}

std::string masked_urls(std::string_view text, Query query) {
  std::string out;
  bool url = false;       // within one
  bool in_query = false;  // and behind its '?'
  std::size_t name = 0;   // where the name of the parameter begins
  bool named = false;     // its '=' is behind us
  for (std::size_t i = 0; i < text.size();) {
    if (text.substr(i).starts_with("://")) {
      const auto begin = i + 3;
      const auto end = std::min(text.find_first_of("/?#, \t\r\n\"'<>", begin), text.size());
      const std::string_view authority = text.substr(begin, end - begin);
      const auto at = authority.rfind('@');
      const auto colon = authority.find(':');
      out += "://";
      if (at != std::string_view::npos && colon < at) {
        out += authority.substr(0, colon + 1);
        if (colon + 1 < at) out += kMasked;
        out += authority.substr(at);
      } else {
        out += authority;
      }
      url = true;
      in_query = false;
      i = end;
      continue;
    }
    const char c = text[i];
    if (kEndsUrl.find(c) != kEndsUrl.npos) url = in_query = false;
    if (url && (c == '?' || (in_query && c == '&'))) {
      in_query = true;
      named = false;
      name = i + 1;
    } else if (in_query && !named && c == '=') {
      named = true;
      const auto end = std::min(text.find_first_of("&# \t\r\n\"'<>", i + 1), text.size());
      if (hides(text.substr(name, i - name), text.substr(i + 1, end - i - 1), query)) {
        out += '=';
        out += kMasked;
        i = end;
        continue;
      }
    }
    out += c;
    ++i;
  }
  return out;
}
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
  return masked_urls(text, Query::Secrets);
}

std::string logged_urls(std::string_view text) {
  return masked_urls(text, Query::Whole);
}

bool has_masked_url(std::string_view text) {
  const auto scheme = text.find("://");
  if (scheme == std::string_view::npos) return false;
  if (text.find(fmt::format(":{}@", kMasked)) != std::string_view::npos) return true;
  const auto query = text.find_first_of("?&", scheme);
  return query != std::string_view::npos && text.find(fmt::format("={}", kMasked), query) != std::string_view::npos;
}

}  // namespace sb
