#include "cli/http_client.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>

namespace sb::cli {

namespace {
constexpr std::size_t kAnswerMax = 256 << 20;
}

json::value HttpAnswer::parsed() const {
  json::error_code error;
  json::value out = json::parse(body, error);
  return error ? json::value(nullptr) : out;
}

namespace {
/// "level = nope: expected one of: debug, info"; empty: it tells of no problem.
std::string line_of(const json::value& value) {
  const json::object* problem = value.if_object();
  if (!problem) return {};
  const auto text = [problem](const char* name) -> std::string {
    const json::value* found = problem->if_contains(name);
    if (!found) return {};
    return found->is_string() ? std::string(std::string_view(found->get_string())) : json::serialize(*found);
  };
  const std::string reason = text("reason"), expected = text("expected");
  if (reason.empty() && expected.empty()) return {};
  std::string out = text("path");
  if (out == "root" || out.starts_with("root.")) out.erase(0, 5);
  if (problem->contains("value")) out += (out.empty() ? "" : " = ") + text("value");
  if (!out.empty()) out += ": ";
  if (expected.empty()) return out + reason;
  return out + (reason == "not_built" ? "" : "expected ") + expected;  // that one is told in whole sentences
}

/// Messages of EMQX's kind are JSON inside JSON: a line for people of each problem.
std::string readable(std::string_view message) {
  json::error_code error;
  const json::value value = json::parse(json::string_view(message.data(), message.size()), error);
  if (error) return std::string(message);
  if (!value.is_array()) {
    std::string line = line_of(value);
    return line.empty() ? std::string(message) : line;
  }
  std::string out;
  for (const json::value& one : value.get_array()) {
    const std::string line = line_of(one);
    if (line.empty()) return std::string(message);
    out += (out.empty() ? "" : "\n") + line;
  }
  return out.empty() ? std::string(message) : out;
}
}  // namespace

std::string HttpAnswer::message() const {
  const json::value value = parsed();
  if (const auto* object = value.if_object())
    if (const auto* message = object->if_contains("message"); message && message->is_string())
      return readable(message->get_string());
  return body;
}

std::string no_answer(std::string_view node, const Error& why) {
  if (why.code == Errc::Denied) return fmt::format("Not allowed to talk to node '{}': {}", node, why.what);
  return fmt::format("Node '{}' not responding to pings.\n{}; `--config FILE` or `--data-dir FOLDER` choose the node",
                     node, why.what);
}

HttpClient::HttpClient(std::string socket_path, Millis timeout) : path_(std::move(socket_path)), timeout_(timeout) {}

HttpClient::~HttpClient() {
  close();
}

void HttpClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void HttpClient::set_command(const std::vector<std::string>& words) {
  // Bounded, as the head of a request is.
  constexpr std::size_t kCommandMax = 4096;
  json::array list(words.begin(), words.end());
  command_ = percent_encode(json::serialize(list));
  if (command_.size() > kCommandMax) command_.clear();
}

Result<> HttpClient::connect() {
  if (fd_ >= 0) return {};
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return fail(Errc::Io, std::strerror(errno));
  timeval limit{};
  limit.tv_sec = timeout_.count() / 1000;
  limit.tv_usec = timeout_.count() % 1000 * 1000;
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // sun_path holds 107 bytes; a longer path is reached through a descriptor of its folder.
  std::string name = path_;
  int folder = -1;
  if (name.size() >= sizeof address.sun_path) {
    const std::filesystem::path whole(path_);
    folder = open(whole.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    name = fmt::format("/proc/self/fd/{}/{}", folder, whole.filename().string());
  }
  std::memcpy(address.sun_path, name.c_str(), std::min(name.size() + 1, sizeof address.sun_path - 1));
  const int connected = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int why = errno;
  if (folder >= 0) ::close(folder);
  if (connected == 0) return {};
  close();
  return fail(why == EACCES || why == EPERM ? Errc::Denied : Errc::Unavailable,
              fmt::format("{}: {}", std::filesystem::absolute(path_).string(), std::strerror(why)));
}

Result<> HttpClient::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(errno == EAGAIN ? Errc::Timeout : Errc::Unavailable, std::strerror(errno));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<HttpAnswer> HttpClient::receive() {
  std::string buffer;
  std::size_t head_end = std::string::npos;
  HttpAnswer answer;
  std::size_t length = 0;
  while (true) {
    if (head_end == std::string::npos) {
      head_end = buffer.find("\r\n\r\n");
      if (head_end != std::string::npos) {
        std::string_view head(buffer.data(), head_end);
        if (!head.starts_with("HTTP/1.1 ") || head.size() < 12) return fail(Errc::Corrupt, "the answer is not HTTP");
        std::from_chars(head.data() + 9, head.data() + 12, answer.status);
        while (!head.empty()) {
          const auto end = std::min(head.find("\r\n"), head.size());
          const std::string_view line = head.substr(0, end);
          constexpr std::string_view kLength = "content-length: ";
          constexpr std::string_view kType = "content-type: ";
          if (line.starts_with(kLength))
            std::from_chars(line.data() + kLength.size(), line.data() + line.size(), length);
          if (line.starts_with(kType)) answer.content_type = line.substr(kType.size());
          head.remove_prefix(std::min(end + 2, head.size()));
        }
        if (length > kAnswerMax) return fail(Errc::Corrupt, "the answer is too long");
      }
    }
    if (head_end != std::string::npos && buffer.size() >= head_end + 4 + length) break;
    char bytes[64 << 10];
    const ssize_t n = recv(fd_, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return fail(Errc::Timeout, "no answer in time");
    if (n <= 0) return fail(Errc::Unavailable, "the node closed the connection");
    buffer.append(bytes, static_cast<std::size_t>(n));
  }
  answer.body = buffer.substr(head_end + 4, length);
  return answer;
}

Result<HttpAnswer> HttpClient::ask(std::string_view method, std::string_view target, std::string_view body,
                                   std::string_view content_type) {
  SB_CHECKED(connect());
  std::string request = fmt::format("{} {} HTTP/1.1\r\nhost: localhost\r\n", method, target);
  if (!command_.empty()) request += fmt::format("x-ctl-command: {}\r\n", command_);
  if (!body.empty()) request += fmt::format("content-type: {}\r\ncontent-length: {}\r\n", content_type, body.size());
  request += "\r\n";
  request += body;
  if (auto sent = send_all(request); !sent) {
    close();
    return tl::unexpected(std::move(sent).error());
  }
  auto answer = receive();
  if (!answer) close();
  reads_ = reads_ || (method == "GET" && answer);
  writes_ = writes_ || method != "GET";
  return answer;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
  std::string out;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace sb::cli
