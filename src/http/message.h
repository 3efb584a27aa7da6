// HTTP requests and responses as values, whatever carried them.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sb::http {

namespace json = boost::json;

enum class Method : std::uint8_t { Get, Post, Put, Delete };
std::string_view to_string(Method method);
std::optional<Method> parse_method(std::string_view text);

/// Through which door a request came: audit records say so, and the local socket needs no log-in.
enum class Door : std::uint8_t { Cli, Rest };

struct Request {
  std::string method = "GET";  // as sent: an unknown one is answered with 405
  std::string path;            // as sent, still percent-encoded, without query
  std::string query;           // as sent, without '?'
  std::string content_type;
  std::string accept;
  std::string authorization;
  std::string body;
  bool keep_alive = true;
  Door door = Door::Rest;
  std::string user;  // who asks, once known; for audit
};

struct Response {
  unsigned status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};

  static Response of(const json::value& value, unsigned status = 200);
  static Response text(std::string body, unsigned status = 200);
  static Response empty(unsigned status = 204);
  /// {"code":…,"message":…}
  static Response error(unsigned status, std::string_view code, std::string_view message);
};

/// Called exactly once, on the thread that asked.
using Reply = std::function<void(Response)>;

std::string_view reason_phrase(unsigned status);

/// nullopt: a '%' without two hexadecimal digits, or a NUL.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

}  // namespace sb::http
