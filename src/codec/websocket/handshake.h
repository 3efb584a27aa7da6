// The HTTP half of RFC 6455: reads an upgrade request from a bounded buffer, decides about it, and writes the answer.
// Views point into the request's bytes.
#pragma once

#include "base/result.h"
#include "codec/websocket/deflate.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sb::codec::websocket {

/// Request line and headers together; more is answered with 431.
constexpr std::size_t kMaxRequestSize = 8 * 1024;
constexpr std::size_t kMaxHeaders = 64;

enum class Status : std::uint16_t {
  SwitchingProtocols = 101,
  BadRequest = 400,
  Forbidden = 403,
  NotFound = 404,
  MethodNotAllowed = 405,
  UpgradeRequired = 426,
  HeaderFieldsTooLarge = 431,
  ServiceUnavailable = 503,
  VersionNotSupported = 505,
};

struct Header {
  std::string_view name;
  std::string_view value;  // without surrounding blanks
};

struct Request {
  std::string_view method;
  std::string_view path;   // without query
  std::string_view query;  // after '?'
  std::vector<Header> headers;
  std::size_t size = 0;  // bytes it took, the empty line included

  /// First header of that name (case is ignored), or null.
  const Header* find(std::string_view name) const;
  std::string_view value(std::string_view name) const {
    const Header* const header = find(name);
    return header == nullptr ? std::string_view() : header->value;
  }
  /// All headers of that name as one list. RFC 9110 5.3
  std::string joined(std::string_view name) const;
  /// A comma separated list of that name holds `token` (case is ignored).
  bool has_token(std::string_view name, std::string_view token) const;
};

/// No value: more bytes are needed. Errors: 400 (not HTTP), 431 (longer than the bounds), 505 (not HTTP/1.1).
[[nodiscard]] tl::expected<std::optional<Request>, Status> parse_request(std::string_view in);

/// What a listener demands of an upgrade.
struct UpgradePolicy {
  std::string_view path = "/mqtt";
  bool fail_if_no_subprotocol = true;
  std::span<const std::string> supported_subprotocols{};
  bool check_origin = false;
  bool allow_origin_absence = true;
  std::span<const std::string> check_origins{};  // compared as strings
  const DeflateConfig* deflate = nullptr;        // null: not offered
};

struct UpgradeDecision {
  Status status = Status::SwitchingProtocols;
  std::string subprotocol;  // chosen; empty: none
  std::optional<DeflateParams> deflate;
};

/// In this order: path 404, method 405, form of the upgrade 400 or 426, origin 403, subprotocol 400 (the first one the
/// client offers that is supported wins).
UpgradeDecision decide(const Request& request, const UpgradePolicy& policy);

/// Sec-WebSocket-Accept for a Sec-WebSocket-Key. 4.2.2
std::string accept_key(std::string_view key);

/// The 101 answer to a request that decide() let pass.
std::string accept_response(const Request& request, const UpgradeDecision& decision);
/// Any other answer; the connection is to be closed after it.
std::string refuse_response(Status status);

/// Leftmost address of an X-Forwarded-For list, without blanks and brackets; empty if there is none.
std::string_view leftmost(std::string_view list);

}  // namespace sb::codec::websocket
