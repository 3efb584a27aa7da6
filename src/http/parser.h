// Reads HTTP/1.1 requests (RFC 9112) from bytes, bounded, without sockets. Requests may follow each other in one
// stream. Understood: Content-Length bodies. Refused: transfer codings (501), a head or body above its limit (431,
// 413), anything ambiguous about where a body ends (400).
#pragma once

#include "http/message.h"

#include <string>
#include <string_view>

namespace sb::http {

class RequestParser {
 public:
  struct Limits {
    std::size_t head = 16 << 10;  // request line and header fields
    std::size_t body = 8 << 20;
  };
  explicit RequestParser(Limits limits) : limits_(limits) {}

  enum class Status : std::uint8_t { NeedMore, Ready, Bad };
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  /// Ready: `out` holds the next request. Bad: `error` is the answer, and the stream is of no more use.
  Status next(Request& out, Response& error);
  /// Bytes held that are not part of a request handed out.
  std::size_t pending() const { return buffer_.size(); }

 private:
  Status bad(Response& error, unsigned status, std::string_view code, std::string_view message);
  Status read_head(std::string_view head, Response& error);
  Status read_field(std::string_view line, Response& error);

  Limits limits_;
  std::string buffer_;
  Request request_;
  bool in_body_ = false;
  bool failed_ = false;
  std::optional<std::size_t> length_;
};

/// Status line, header fields and body.
std::string to_bytes(const Response& response, bool keep_alive);

}  // namespace sb::http
