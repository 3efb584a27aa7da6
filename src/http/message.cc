#include "http/message.h"

#include "base/give_way.h"
#include "base/hex.h"
#include "base/json_text.h"
#include "http/file_body.h"
#include "net/endpoint.h"

#include <boost/json/object.hpp>
#include <boost/json/serializer.hpp>

#include <algorithm>

namespace sb::http {

std::string_view to_string(Method method) {
  switch (method) {
    case Method::Get:
      return "GET";
    case Method::Post:
      return "POST";
    case Method::Put:
      return "PUT";
    case Method::Delete:
      return "DELETE";
  }
  return "GET";
}

std::optional<Method> parse_method(std::string_view text) {
  for (const Method method : {Method::Get, Method::Post, Method::Put, Method::Delete})
    if (to_string(method) == text) return method;
  return std::nullopt;
}

std::string_view Request::header(std::string_view name) const {
  for (const auto& [known, value] : headers)
    if (known == name) return value;
  return {};
}

namespace {

/// The host of a Host field (7.2 of RFC 9110): a literal address, localhost, or below it (6.3 of RFC 6761).
bool names_an_address(std::string_view host) {
  if (host.starts_with('['))
    host = host.substr(1, host.find(']') - 1);
  else
    host = host.substr(0, host.find(':'));
  std::string known(host);
  for (char& c : known)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (known == "localhost" || known.ends_with(".localhost")) return true;
  return net::Endpoint::parse_address(known, 0).has_value();
}

}  // namespace

bool Request::from_this_machine() const {
  if (!peer_is_loopback) return false;
  for (const std::string_view forwarded : {"x-forwarded-for", "x-real-ip", "forwarded", "x-forwarded-host", "via"})
    if (std::any_of(headers.begin(), headers.end(), [&](const auto& field) { return field.first == forwarded; }))
      return false;
  const std::string_view host = header("host");
  return host.empty() || names_an_address(host);
}

namespace {
std::string serialized(const json::value& value) {
  json::serializer serializer;
  serializer.reset(&value);
  std::string out;
  char piece[8192];
  while (!serializer.done()) {
    const auto text = serializer.read(piece, sizeof piece);
    out.append(text.data(), text.size());
    give_way();
  }
  return out;
}
/// The rows of a page are thousands of allocations: they are freed by and by.
void take_apart(json::value& value) {
  json::object* page = value.if_object();
  json::value* data = page ? page->if_contains("data") : nullptr;
  json::array* rows = data ? data->if_array() : value.if_array();
  for (; rows && !rows->empty(); give_way()) rows->pop_back();
}
}  // namespace

std::uint64_t Response::body_size() const {
  if (file) return file->size();
  return fixed_body.empty() ? body.size() : fixed_body.size();
}

Response Response::of(json::value value, unsigned status) {
  // Names from certificates may be any bytes; an answer is UTF-8 all the same.
  Response out{status, "application/json", utf8_text(serialized(value))};
  take_apart(value);
  return out;
}

Response Response::text(std::string body, unsigned status) {
  return {status, "text/plain", std::move(body)};
}

Response Response::empty(unsigned status) {
  return {status, {}, {}};
}

Response Response::error(unsigned status, std::string_view code, std::string_view message) {
  return of(json::object{{"code", code}, {"message", message}}, status);
}

Response path_not_found(std::string_view accept) {
  const bool page = accept.empty() || accept.find("text/html") != std::string_view::npos;
  if (!page && accept.find("text/plain") != std::string_view::npos) return Response::text("404 - NOT FOUND", 404);
  if (!page) return Response::error(404, "NOT_FOUND", "Request Path Not Found");
  return {404, "text/html; charset=utf-8",
          "<!DOCTYPE html><html><head><title>404</title></head><body><h1>404 - NOT FOUND</h1></body></html>\n"};
}

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Status";
  }
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0)) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace sb::http
