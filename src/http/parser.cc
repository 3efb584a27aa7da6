#include "http/parser.h"

#include "base/header_text.h"
#include "http/upload.h"

#include <algorithm>
#include <charconv>

namespace sb::http {

namespace {

bool same(std::string_view a, std::string_view lower) {
  if (a.size() != lower.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char c = a[i] >= 'A' && a[i] <= 'Z' ? static_cast<char>(a[i] - 'A' + 'a') : a[i];
    if (c != lower[i]) return false;
  }
  return true;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_visible(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) return false;
  return true;
}

struct Target {
  std::string_view authority;  // "" unless the target names one
  std::string_view path;
  std::string_view query;
};

/// 3.2 of RFC 9112: the origin form, and the absolute one that is meant for proxies, yet has to be taken.
std::optional<Target> split_target(std::string_view target) {
  if (!is_visible(target)) return std::nullopt;
  Target out;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() <= scheme.size() || !same(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    out.authority = target.substr(0, target.find_first_of("/?"));
    // 4.2.4 of RFC 9110: a user's name in front of the host is a mistake or a trick.
    if (out.authority.empty() || out.authority.find_first_of("@#") != std::string_view::npos) return std::nullopt;
    target.remove_prefix(out.authority.size());
    break;
  }
  if (out.authority.empty() && !target.starts_with('/')) return std::nullopt;
  const auto question = std::min(target.find('?'), target.size());
  out.path = question == 0 ? std::string_view("/") : target.substr(0, question);
  out.query = target.substr(std::min(question + 1, target.size()));
  return out;
}

}  // namespace

RequestParser::Status RequestParser::bad(Response& error, unsigned status, std::string_view code,
                                         std::string_view message) {
  failed_ = true;
  buffer_.clear();
  error = Response::error(status, code, message);
  return Status::Bad;
}

RequestParser::Status RequestParser::next(Request& out, Response& error) {
  if (failed_) return bad(error, 400, "BAD_REQUEST", "the connection had a bad request before");
  if (!in_body_) {
    // 2.2 of RFC 9112: empty lines before a request are overlooked.
    while (buffer_.starts_with("\r\n")) buffer_.erase(0, 2);
    const auto end = buffer_.find("\r\n\r\n");
    if (end == std::string::npos || end > limits_.head) {
      // With fewer bytes the end may still lie within the limit, wherever the stream was cut.
      if (buffer_.size() >= limits_.head + 4)
        return bad(error, 431, "BAD_REQUEST", fmt::format("request head: more than {} bytes", limits_.head));
      return Status::NeedMore;
    }
    request_ = Request();
    length_.reset();
    chunks_.reset();
    chunked_ = false;
    const std::string head = buffer_.substr(0, end);
    if (read_head(head, error) == Status::Bad) return Status::Bad;
    buffer_.erase(0, end + 4);
    if (begin_body(error) == Status::Bad) return Status::Bad;
  }
  if (chunks_) return take_chunks(out, error);
  if (request_.upload) return take_upload(out, error);
  const std::size_t length = length_.value_or(0);
  if (buffer_.size() < length) return Status::NeedMore;
  request_.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return finish(out);
}

RequestParser::Status RequestParser::finish(Request& out) {
  in_body_ = expects_ = false;
  out = std::move(request_);
  return Status::Ready;
}

RequestParser::Status RequestParser::begin_body(Response& error) {
  BodyPlan plan;
  if (plan_) plan = plan_(request_);
  const std::size_t max = plan.max.value_or(limits_.body);
  if (length_.value_or(0) > max)
    return bad(error, 413, "BAD_REQUEST", fmt::format("request body: {} bytes, at most {} are taken", *length_, max));
  if (plan.refusal) {
    failed_ = true;
    error = std::move(*plan.refusal);
    return Status::Bad;
  }
  const bool comes = chunked_ || length_.value_or(0) > 0;
  if (comes) request_.upload = std::move(plan.upload);
  if (chunked_) chunks_.emplace(max);
  expects_ = comes && same(request_.header("expect"), "100-continue");
  in_body_ = true;
  return Status::Ready;
}

RequestParser::Status RequestParser::take_upload(Request& out, Response& error) {
  const std::size_t missing = *length_ - static_cast<std::size_t>(request_.upload->size());
  const std::string_view piece = std::string_view(buffer_).substr(0, missing);
  if (const auto kept = request_.upload->append(piece); !kept) return not_kept(kept.error(), error);
  const bool whole = piece.size() == missing;
  buffer_.erase(0, piece.size());
  return whole ? finish(out) : Status::NeedMore;
}

RequestParser::Status RequestParser::take_chunks(Request& out, Response& error) {
  std::string_view rest = buffer_;
  std::string_view piece;
  ChunkedBody::Status status = chunks_->next(rest, piece);
  for (; status == ChunkedBody::Status::Piece; status = chunks_->next(rest, piece)) {
    if (!request_.upload)
      request_.body += piece;
    else if (const auto kept = request_.upload->append(piece); !kept)
      return not_kept(kept.error(), error);
  }
  if (status == ChunkedBody::Status::Malformed)
    return bad(error, 400, "BAD_REQUEST", "request body: not a chunked one");
  if (status == ChunkedBody::Status::TooLarge)
    return bad(error, 413, "BAD_REQUEST", "request body: more bytes than are taken");
  buffer_.erase(0, buffer_.size() - rest.size());
  if (status == ChunkedBody::Status::NeedMore) return Status::NeedMore;
  if (chunks_->size() == 0) request_.upload.reset();  // as with a length of 0
  return finish(out);
}

RequestParser::Status RequestParser::not_kept(const Error& why, Response& error) {
  return bad(error, 507, "SERVICE_UNAVAILABLE", fmt::format("the upload cannot be kept: {}", why.what));
}

RequestParser::Status RequestParser::read_head(std::string_view head, Response& error) {
  const auto line_end = std::min(head.find("\r\n"), head.size());
  const std::string_view line = head.substr(0, line_end);
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || last == first)
    return bad(error, 400, "BAD_REQUEST", "request line: expected METHOD TARGET HTTP/1.1");
  const std::string_view method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (!version.starts_with("HTTP/"))
    return bad(error, 400, "BAD_REQUEST", "request line: expected METHOD TARGET HTTP/1.1");
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return bad(error, 505, "BAD_REQUEST", "only HTTP/1.1 and HTTP/1.0 are spoken here");
  if (!is_header_name(method)) return bad(error, 400, "BAD_REQUEST", "request line: bad method");
  const auto split = split_target(target);
  if (!split) return bad(error, 400, "BAD_REQUEST", "request line: bad target");
  request_.method = method;
  request_.path = split->path;
  request_.query = split->query;
  request_.keep_alive = version == "HTTP/1.1";

  for (std::string_view rest = head.substr(std::min(line_end + 2, head.size())); !rest.empty();) {
    const auto end = std::min(rest.find("\r\n"), rest.size());
    if (read_field(rest.substr(0, end), error) == Status::Bad) return Status::Bad;
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  // 3.2 of RFC 9112. Whose name the request came to says whether it began here, so there must be no doubt about it.
  const auto hosts = std::count_if(request_.headers.begin(), request_.headers.end(),
                                   [](const auto& field) { return field.first == "host"; });
  if (hosts > 1 || (hosts == 0 && version == "HTTP/1.1"))
    return bad(error, 400, "BAD_REQUEST", hosts > 1 ? "host: given more than once" : "host: a required field");
  if (!split->authority.empty()) {  // 3.2.2: it counts, and the field is passed over
    std::erase_if(request_.headers, [](const auto& field) { return field.first == "host"; });
    request_.headers.emplace_back("host", std::string(split->authority));
  }
  // 6.1 of RFC 9112: either is what an attacker would send past a proxy that reads the other.
  if (chunked_ && length_)
    return bad(error, 400, "BAD_REQUEST", "content-length and transfer-encoding exclude each other");
  if (chunked_ && version == "HTTP/1.0")
    return bad(error, 400, "BAD_REQUEST", "transfer-encoding: not a word of HTTP/1.0");
  return Status::Ready;
}

RequestParser::Status RequestParser::read_field(std::string_view line, Response& error) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_header_name(line.substr(0, colon)))
    return bad(error, 400, "BAD_REQUEST", "header field: expected NAME: VALUE");
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (value.find('\0') != std::string_view::npos || value.find('\n') != std::string_view::npos ||
      value.find('\r') != std::string_view::npos)
    return bad(error, 400, "BAD_REQUEST", "header field: bad character");
  std::string known(name);
  for (char& c : known) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  request_.headers.emplace_back(std::move(known), std::string(value));
  if (same(name, "content-length")) {
    std::size_t length = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), length);
    if (failure != std::errc() || end != value.data() + value.size() || value.empty() ||
        (length_ && *length_ != length))
      return bad(error, 400, "BAD_REQUEST", "content-length: expected one number");
    length_ = length;
  } else if (same(name, "transfer-encoding")) {
    if (chunked_ || !same(value, "chunked"))
      return bad(error, 501, "NOT_IMPLEMENTED", "transfer-encoding: only 'chunked' is understood");
    chunked_ = true;
  } else if (same(name, "content-type")) {
    request_.content_type = value;
  } else if (same(name, "accept")) {
    request_.accept = value;
  } else if (same(name, "authorization")) {
    request_.authorization = value;
  } else if (same(name, "connection")) {
    if (same(value, "close")) request_.keep_alive = false;
    if (same(value, "keep-alive")) request_.keep_alive = true;
  }
  return Status::Ready;
}

namespace {
/// 8.6 of RFC 9110: 204 and 304 have no content.
bool has_content(const Response& response) {
  return response.status != 204 && response.status != 304;
}
}  // namespace

std::string head_bytes(const Response& response, bool keep_alive) {
  std::string out = fmt::format("HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  if (!response.content_type.empty()) out += fmt::format("content-type: {}\r\n", response.content_type);
  if (has_content(response)) out += fmt::format("content-length: {}\r\n", response.body_size());
  for (const auto& [name, value] : response.headers) out += fmt::format("{}: {}\r\n", name, value);
  if (!keep_alive) out += "connection: close\r\n";
  out += "\r\n";
  return out;
}

std::string to_bytes(const Response& response, bool keep_alive) {
  std::string out = head_bytes(response, keep_alive);
  if (has_content(response) && !response.head_only)
    out += response.fixed_body.empty() ? std::string_view(response.body) : response.fixed_body;
  return out;
}

}  // namespace sb::http
