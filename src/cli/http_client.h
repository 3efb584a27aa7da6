// Asks a running node over its Unix socket: one request a call, blocking, with a time limit.
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <boost/json/value.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace sb::cli {

namespace json = boost::json;

struct HttpAnswer {
  unsigned status = 0;
  std::string content_type;
  std::string body;
  bool ok() const { return status >= 200 && status < 300; }
  /// null if the body is no JSON.
  json::value parsed() const;
  /// `message` of an error object, else the body.
  std::string message() const;
};

/// Tells somebody that his node gave no answer, and where it was looked for.
std::string no_answer(std::string_view node, const Error& why);

class HttpClient {
 public:
  explicit HttpClient(std::string socket_path, Millis timeout = Millis(60'000));
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Unavailable: nobody listens there. Timeout. Corrupt: not HTTP.
  [[nodiscard]] Result<HttpAnswer> ask(std::string_view method, std::string_view target, std::string_view body = {},
                                       std::string_view content_type = "application/json");
  /// What the node's audit log says that was called.
  void set_command(const std::vector<std::string>& words);
  /// The node has answered, and was asked for nothing but what it holds.
  bool only_read() const { return reads_ && !writes_; }
  const std::string& socket_path() const { return path_; }

 private:
  [[nodiscard]] Result<> connect();
  [[nodiscard]] Result<> send_all(std::string_view bytes);
  [[nodiscard]] Result<HttpAnswer> receive();
  void close();

  std::string path_;
  Millis timeout_;
  std::string command_;  // JSON, percent-encoded
  bool reads_ = false;
  bool writes_ = false;
  int fd_ = -1;
};

std::string percent_encode(std::string_view text);

}  // namespace sb::cli
