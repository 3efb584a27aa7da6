#include "access/authn/http_settings.h"

#include "access/authn/resource_settings.h"
#include "base/header_text.h"
#include "base/hex.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace sb::access::authn {

namespace json = boost::json;

namespace {
std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

/// The end of scheme and host, where the path begins.
std::size_t end_of_host(std::string_view url) {
  const auto host = url.find("://");
  if (host == std::string_view::npos) return 0;
  return std::min(url.find_first_of("/?#", host + 3), url.size());
}

/// What is no escape stays.
std::string percent_decoded(std::string_view text, bool plus_is_space = false) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

/// A member of a form, RFC 1866 8.2.1.
std::string form_decoded(std::string_view text) {
  return percent_decoded(text, true);
}
}  // namespace

bool has_host(std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) return false;
  const auto begin = url.find("://") + 3;
  std::string_view host = url.substr(begin, end_of_host(url) - begin);
  if (const auto at = host.rfind('@'); at != std::string_view::npos) host.remove_prefix(at + 1);  // user and password
  const auto bracket = host.rfind(']');
  const auto colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (host.empty() || colon == 0) return false;
  if (colon == std::string_view::npos) return true;
  const std::string_view digits = host.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc{} && end == digits.data() + digits.size() && port >= 1 && port <= 65535;
}

std::size_t dot_segments(std::string_view url) {
  url.remove_prefix(end_of_host(url));
  std::string path = percent_decoded(percent_decoded(url.substr(0, url.find_first_of("?#"))));
  std::replace(path.begin(), path.end(), '\\', '/');
  std::size_t out = 0;
  for (std::string_view rest = path; !rest.empty();) {
    const auto end = rest.find('/');
    std::string_view segment = rest.substr(0, end);
    segment = segment.substr(0, segment.find(';'));
    if (segment == "." || segment == "..") ++out;
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return out;
}

bool HttpSettings::form() const {
  return method == RequestMethod::Get || lower(header_map.at("content-type")).starts_with("application/x-www-form");
}

void check_http_settings(config::Checker& c, const config::Value& v, HttpSettings& s) {
  const bool tls = s.url.starts_with("https://");
  if (!has_host(s.url)) c.broken(v, "url", "bad_url", "http:// or https://, a host, perhaps a port up to 65535");
  if (s.url.substr(0, end_of_host(s.url)).find("${") != std::string::npos)
    c.broken(v, "url", "placeholder_in_host", "placeholders in path and query only");
  if (tls != s.ssl.enable)
    c.broken(v, "ssl", "scheme_and_ssl_differ", "ssl.enable = true with https://, false with http://", {"url"});
  check_tls(c, v, s.ssl, {.who = "HTTP"});
  const bool post = s.method == RequestMethod::Post;
  s.header_map = {{"accept", "application/json"},
                  {"cache-control", "no-cache"},
                  {"connection", "keep-alive"},
                  {"keep-alive", "timeout=30, max=1000"}};
  if (post) s.header_map.emplace("content-type", "application/json");
  if (!s.headers.is_object()) c.broken(v, "headers", "bad_headers", "an object of names and texts");
  if (!s.body.is_object()) c.broken(v, "body", "bad_body", "an object");
  if (const auto* headers = s.headers.if_object())
    for (const auto& [name, value] : *headers) {
      const std::string text = value.text();
      if (!value.is_scalar() || !is_header_name(name) || !is_header_value(text))
        c.broken(v, "headers", "bad_header",
                 "names of letters, digits and -, with texts of one line that are not empty");
      if (is_header_of_size(lower(name)))
        c.broken(v, "headers", "bad_header", "no content-length and no transfer-encoding: the request tells its own");
      s.header_map.insert_or_assign(lower(name), text);
    }
  if (!post && s.header_map.contains("content-type"))
    c.broken(v, "headers", "content_type_with_get", "no content-type with method = get", {"method"});
  if (post) {
    const std::string type = lower(s.header_map.at("content-type"));
    if (!type.starts_with("application/json") && !type.starts_with("application/x-www-form-urlencoded"))
      c.broken(v, "headers", "unsupported_content_type", "application/json or application/x-www-form-urlencoded",
               {"method"});
  }
}

Result<> read_secrets(HttpSettings& s) {
  for (auto& [name, value] : s.header_map) {
    SB_TRY(value, secret_template(value));
  }
  if (auto* body = s.body.if_object())
    for (auto& [name, value] : *body) {
      if (!value.is_string()) continue;
      SB_TRY(std::string text, secret_template(value.text()));
      value = config::Value(std::move(text));
    }
  return {};
}

std::optional<Unusable> review_secrets(const HttpSettings& s) {
  HttpSettings headers, body;
  headers.header_map = s.header_map;
  body.body = s.body;
  if (const auto read = read_secrets(headers); !read) return Unusable{"headers", read.error().what};
  if (const auto read = read_secrets(body); !read) return Unusable{"body", read.error().what};
  return review_tls(s.ssl);
}

Result<driver::resource::Options> http_resource(const HttpSettings& s, std::string thread_name) {
  driver::http::ServiceOptions service;
  service.origin = s.url.substr(0, end_of_host(s.url));
  service.connect_timeout = s.connect_timeout;
  service.answer_timeout = std::min<Millis>(s.request_timeout, service.answer_timeout);
  SB_TRY(service.tls, resource_tls(s.ssl));
  driver::resource::Options out;
  out.thread_name = std::move(thread_name);
  out.pool_size = s.pool_size;
  out.connect_timeout = s.connect_timeout;
  out.open = [shared = std::make_shared<driver::http::Service>(std::move(service))](
                 const driver::resource::Limit& limit) { return driver::http::Connection::open(shared, limit); };
  return out;
}

std::string header_value(std::string_view value) {
  std::string clean;
  for (const char c : value)
    if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) clean += c;
  return clean;
}

Result<std::optional<HttpMembers>> http_members(const driver::http::ClientResponse& answer,
                                                std::string_view assumed_type) {
  if (answer.status >= 500) return fail(Errc::Invalid, fmt::format("answers {}", answer.status));
  if (answer.status != 200) return std::nullopt;
  const std::string type = lower(answer.content_type.empty() ? assumed_type : std::string_view(answer.content_type));
  HttpMembers out;
  if (type.starts_with("application/json")) {
    boost::system::error_code error;
    const json::value value = json::parse(answer.body, error);
    if (error || !value.is_object()) return fail(Errc::Invalid, "answers what is no JSON object");
    for (const auto& [name, member] : value.get_object()) {
      if (const auto* text = member.if_string())
        out.emplace(name, std::string_view(*text));
      else if (const auto* flag = member.if_bool())
        out.emplace(name, *flag ? "true" : "false");
      else
        out.emplace(name, json::serialize(member));
    }
    return out;
  }
  if (!type.starts_with("application/x-www-form-urlencoded"))
    return fail(Errc::Invalid, "answers neither JSON nor a form");
  std::string_view rest = answer.body;
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos)
      out.insert_or_assign(form_decoded(pair.substr(0, equals)), form_decoded(pair.substr(equals + 1)));
  }
  return out;
}

}  // namespace sb::access::authn
