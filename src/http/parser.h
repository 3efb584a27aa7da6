// Reads HTTP/1.1 requests (RFC 9112) from bytes, bounded, without sockets. Requests may follow each other in one
// stream. Understood: bodies with a Content-Length and chunked ones, `Expect: 100-continue`. Refused: other transfer
// codings (501), a head or body above its limit (431, 413), anything ambiguous about where a body ends (400).
#pragma once

#include "base/result.h"
#include "http/chunked_body.h"
#include "http/message.h"

#include <functional>
#include <string>
#include <string_view>

namespace sb::http {

/// What is done with the body of a request, decided from its head.
struct BodyPlan {
  std::optional<Response> refusal{};  // answered at once; the body is not read
  std::optional<std::size_t> max{};   // in place of RequestParser::Limits::body
  std::shared_ptr<Upload> upload{};   // takes the body in place of Request::body
};
using PlanBody = std::function<BodyPlan(Request& head)>;

class RequestParser {
 public:
  struct Limits {
    std::size_t head = 16 << 10;  // request line and header fields
    std::size_t body = 8 << 20;
  };
  explicit RequestParser(Limits limits, PlanBody plan = {}) : limits_(limits), plan_(std::move(plan)) {}

  enum class Status : std::uint8_t { NeedMore, Ready, Bad };
  void feed(std::string_view bytes) { buffer_.append(bytes); }
  /// Ready: `out` holds the next request. Bad: `error` is the answer, and the stream is of no more use.
  Status next(Request& out, Response& error);
  /// Bytes held that are not part of a request handed out.
  std::size_t pending() const { return buffer_.size(); }
  /// Once for a request whose client waits to be asked for the body.
  bool take_expectation() { return std::exchange(expects_, false); }
  /// Of the request that is being read: bytes of its body, once the head is known.
  std::optional<std::size_t> body_length() const { return in_body_ ? length_ : std::nullopt; }
  bool in_body() const { return in_body_; }
  /// Of the request that is being read: content that came so far in chunks. nullopt: its length was told.
  std::optional<std::size_t> chunked_bytes() const {
    return in_body_ && chunks_ ? std::optional(chunks_->size()) : std::nullopt;
  }

 private:
  Status bad(Response& error, unsigned status, std::string_view code, std::string_view message);
  Status begin_body(Response& error);
  Status take_upload(Request& out, Response& error);
  Status take_chunks(Request& out, Response& error);
  Status not_kept(const Error& why, Response& error);
  Status finish(Request& out);
  Status read_head(std::string_view head, Response& error);
  Status read_field(std::string_view line, Response& error);

  Limits limits_;
  PlanBody plan_;
  std::string buffer_;
  Request request_;
  bool in_body_ = false;
  bool failed_ = false;
  bool expects_ = false;
  bool chunked_ = false;  // says the head
  std::optional<std::size_t> length_;
  std::optional<ChunkedBody> chunks_;
};

/// Status line and header fields, with the empty line behind them.
std::string head_bytes(const Response& response, bool keep_alive);
/// The same and the body, which is no file.
std::string to_bytes(const Response& response, bool keep_alive);

}  // namespace sb::http
