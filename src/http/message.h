// HTTP requests and responses as values, whatever carried them.
#pragma once

#include <boost/json/value.hpp>

#include <cstdint>
#include <functional>
#include <memory>
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

class Upload;    // upload.h
class FileBody;  // file_body.h

/// Through which door a request came: the local socket needs no log-in.
enum class Door : std::uint8_t { Cli, Rest };

/// On whose behalf a request is served; audit records say so.
enum class Actor : std::uint8_t { Nobody, Cli, User, ApiKey };

struct Request {
  std::string method = "GET";  // as sent: an unknown one is answered with 405
  std::string path;            // as sent, still percent-encoded, without query
  std::string query;           // as sent, without '?'
  std::string content_type;
  std::string accept;
  std::string authorization;
  /// All fields as they came, names in lower case.
  std::vector<std::pair<std::string, std::string>> headers{};
  std::string body;
  std::shared_ptr<Upload> upload{};  // the body, where the endpoint takes uploads
  bool keep_alive = true;
  Door door = Door::Rest;
  /// The address that the connection, or a balancer in front of it, names; "" on the local socket.
  std::string peer{};
  bool peer_is_loopback = false;
  Actor actor = Actor::Nobody;
  std::string user;  // who asks, once known: user name or API key
  std::string role{};
  bool refused_key = false;  // an API key was shown

  /// Of a repeated field the first; "" when absent. `name` in lower case.
  std::string_view header(std::string_view name) const;
  /// Whether it certainly began on this machine: the peer is the loopback, nobody forwarded it, and Host is an address
  /// or localhost, not a name that a page in a browser could have made point here.
  bool from_this_machine() const;
};

struct Response {
  unsigned status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers{};
  /// In place of `body`: bytes that outlive the server.
  std::string_view fixed_body{};
  /// In place of `body`: a file, sent piece by piece while others are served.
  std::shared_ptr<FileBody> file{};
  /// The answer to HEAD: the head tells of a body, and none follows.
  bool head_only = false;
  /// Not sent: what the ETag names in place of `body`, where that tells live figures too.
  std::string settings{};
  /// Not sent: what the audit record tells besides.
  json::value report{};

  std::uint64_t body_size() const;
  static Response of(json::value value, unsigned status = 200);
  static Response text(std::string body, unsigned status = 200);
  static Response empty(unsigned status = 204);
  /// {"code":…,"message":…}
  static Response error(unsigned status, std::string_view code, std::string_view message);
};

/// Called exactly once, on the thread that asked.
using Reply = std::function<void(Response)>;

/// 404 for a path that nobody serves, in the form that `accept` asks for (management-api 1.7).
Response path_not_found(std::string_view accept);

std::string_view reason_phrase(unsigned status);

/// nullopt: a '%' without two hexadecimal digits, or a NUL.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space);

}  // namespace sb::http
