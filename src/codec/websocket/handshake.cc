#include "codec/websocket/handshake.h"

#include "base/header_text.h"
#include "codec/websocket/detail/text.h"

namespace sb::codec::websocket {
namespace {

using detail::equal_ignoring_case;
using detail::is_token_char;
using detail::next_part;
using detail::trim;

/// No control characters besides the tab: they could split a log line or a header made from this one.
bool is_field_value(std::string_view text) {
  for (const char c : text)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) return false;
  return true;
}

/// METHOD SP target SP HTTP/1.1
std::optional<Status> parse_request_line(std::string_view line, Request& request) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Status::BadRequest;
  request.method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!is_header_name(request.method) || target.empty() || target.front() != '/' ||
      target.find(' ') != std::string_view::npos || !is_field_value(target) || !version.starts_with("HTTP/"))
    return Status::BadRequest;
  if (version != "HTTP/1.1") return Status::VersionNotSupported;
  const std::size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  return std::nullopt;
}

bool parse_header(std::string_view line, Request& request) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const Header header{line.substr(0, colon), trim(line.substr(colon + 1))};
  if (!is_header_name(header.name) || !is_field_value(header.value)) return false;
  request.headers.push_back(header);
  return true;
}

/// 16 bytes in base64. 4.1
bool is_key(std::string_view key) {
  if (key.size() != 24 || !key.ends_with("==")) return false;
  for (const char c : key.substr(0, 22)) {
    const char l = detail::lower(c);
    if (!((l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/')) return false;
  }
  return true;
}

bool contains(std::span<const std::string> list, std::string_view text) {
  for (const std::string& entry : list)
    if (entry == text) return true;
  return false;
}

bool is_origin_allowed(const Request& request, const UpgradePolicy& policy) {
  if (!policy.check_origin) return true;
  const Header* const origin = request.find("Origin");
  return origin == nullptr ? policy.allow_origin_absence : contains(policy.check_origins, origin->value);
}

/// False if the request must be refused.
bool choose_subprotocol(const Request& request, const UpgradePolicy& policy, std::string& chosen) {
  if (request.find("Sec-WebSocket-Protocol") == nullptr) return !policy.fail_if_no_subprotocol;
  const std::string offers = request.joined("Sec-WebSocket-Protocol");
  std::string_view rest = offers;
  std::string_view offer;
  while (next_part(rest, ',', offer)) {
    if (!contains(policy.supported_subprotocols, offer)) continue;
    chosen = offer;
    return true;
  }
  return false;
}

std::string_view phrase(Status status) {
  switch (status) {
    case Status::SwitchingProtocols:
      return "Switching Protocols";
    case Status::BadRequest:
      return "Bad Request";
    case Status::Forbidden:
      return "Forbidden";
    case Status::NotFound:
      return "Not Found";
    case Status::MethodNotAllowed:
      return "Method Not Allowed";
    case Status::UpgradeRequired:
      return "Upgrade Required";
    case Status::HeaderFieldsTooLarge:
      return "Request Header Fields Too Large";
    case Status::ServiceUnavailable:
      return "Service Unavailable";
    case Status::VersionNotSupported:
      return "HTTP Version Not Supported";
  }
  return "";
}

}  // namespace

const Header* Request::find(std::string_view name) const {
  for (const Header& header : headers)
    if (equal_ignoring_case(header.name, name)) return &header;
  return nullptr;
}

std::string Request::joined(std::string_view name) const {
  std::string all;
  for (const Header& header : headers) {
    if (!equal_ignoring_case(header.name, name)) continue;
    if (!all.empty()) all += ", ";
    all += header.value;
  }
  return all;
}

bool Request::has_token(std::string_view name, std::string_view token) const {
  const std::string list = joined(name);
  std::string_view rest = list;
  std::string_view part;
  while (next_part(rest, ',', part))
    if (equal_ignoring_case(part, token)) return true;
  return false;
}

tl::expected<std::optional<Request>, Status> parse_request(std::string_view in) {
  const std::string_view head = in.substr(0, kMaxRequestSize);
  const std::size_t end = head.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    // What cannot become a request line need not wait for its end.
    if (!head.empty() && !is_token_char(head.front())) return tl::unexpected(Status::BadRequest);
    if (in.size() >= kMaxRequestSize) return tl::unexpected(Status::HeaderFieldsTooLarge);
    return std::optional<Request>();
  }
  Request request;
  request.size = end + 4;
  std::string_view rest = head.substr(0, end);
  bool first = true;
  while (rest.data() != nullptr) {
    const std::size_t eol = rest.find("\r\n");
    const std::string_view line = rest.substr(0, eol);
    rest = eol == std::string_view::npos ? std::string_view() : rest.substr(eol + 2);
    if (first) {
      first = false;
      if (const auto bad = parse_request_line(line, request)) return tl::unexpected(*bad);
    } else if (request.headers.size() == kMaxHeaders) {
      return tl::unexpected(Status::HeaderFieldsTooLarge);
    } else if (!parse_header(line, request)) {
      return tl::unexpected(Status::BadRequest);
    }
  }
  return std::optional<Request>(std::move(request));
}

UpgradeDecision decide(const Request& request, const UpgradePolicy& policy) {
  UpgradeDecision decision;
  auto refused = [&](Status status) {
    decision.status = status;
    return decision;
  };
  if (request.path != policy.path) return refused(Status::NotFound);
  if (request.method != "GET") return refused(Status::MethodNotAllowed);
  if (!request.has_token("Upgrade", "websocket") || !request.has_token("Connection", "Upgrade"))
    return refused(Status::UpgradeRequired);
  if (request.value("Sec-WebSocket-Version") != "13") return refused(Status::UpgradeRequired);  // 4.4
  if (!is_key(request.value("Sec-WebSocket-Key"))) return refused(Status::BadRequest);
  if (!is_origin_allowed(request, policy)) return refused(Status::Forbidden);
  if (!choose_subprotocol(request, policy, decision.subprotocol)) return refused(Status::BadRequest);
  if (policy.deflate != nullptr)
    decision.deflate = negotiate(request.joined("Sec-WebSocket-Extensions"), *policy.deflate);
  return decision;
}

std::string accept_response(const Request& request, const UpgradeDecision& decision) {
  std::string out = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";
  out += "Sec-WebSocket-Accept: " + accept_key(request.value("Sec-WebSocket-Key")) + "\r\n";
  if (!decision.subprotocol.empty()) out += "Sec-WebSocket-Protocol: " + decision.subprotocol + "\r\n";
  if (decision.deflate) out += "Sec-WebSocket-Extensions: " + to_header(*decision.deflate) + "\r\n";
  return out + "\r\n";
}

std::string refuse_response(Status status) {
  std::string out = "HTTP/1.1 " + std::to_string(static_cast<unsigned>(status)) + " ";
  out += phrase(status);
  out += "\r\nConnection: close\r\nContent-Length: 0\r\n";
  if (status == Status::UpgradeRequired) out += "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
  if (status == Status::MethodNotAllowed) out += "Allow: GET\r\n";
  return out + "\r\n";
}

std::string_view leftmost(std::string_view list) {
  std::string_view address = trim(list.substr(0, list.find(',')));
  if (address.size() >= 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  return address;
}

}  // namespace sb::codec::websocket
