#include "http/detail/connection.h"

#include "base/give_way.h"
#include "base/log.h"
#include "http/file_body.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace sb::http::detail {

namespace {

constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::size_t kFileBytes = 64 << 10;
/// Of a long body this much is written before others get their turn.
constexpr std::size_t kWriteBudget = 512 << 10;
/// The kernel copies what it is given and carries it through to a peer on this machine before anybody else has a go.
constexpr std::size_t kWriteAtOnce = 64 << 10;
/// From here on a body is not copied behind its head.
constexpr std::size_t kOwnWrite = 16 << 10;
/// A peer that still sends is listened to this long, so that it reads the refusal before it sees the end.
constexpr Nanos kLinger{2'000'000'000};
constexpr std::uint64_t kLingerBytesMax = 16 << 20;

/// What the balancer itself has seen: its own entry comes last, those before it are what the client claims.
std::optional<std::string> last_forwarded(const Request& head) {
  std::string_view last;
  for (const auto& [name, value] : head.headers)
    if (name == "x-forwarded-for") last = value;
  if (const auto comma = last.rfind(','); comma != last.npos) last.remove_prefix(comma + 1);
  while (last.starts_with(' ') || last.starts_with('\t')) last.remove_prefix(1);
  const auto address = net::Endpoint::parse_address(last, 0);
  return address ? std::optional(address->host()) : std::nullopt;
}

/// Completes what the head cannot say itself before it is judged.
PlanBody with_origin(const PlanBody& plan, const Accepted& from) {
  return [&plan, door = from.door, peer = from.peer, loopback = from.peer_is_loopback,
          forwarded = from.forwarded](Request& head) {
    head.door = door;
    head.peer = peer;
    head.peer_is_loopback = loopback;
    if (forwarded)
      if (const auto address = last_forwarded(head)) head.peer = *address;
    return plan ? plan(head) : BodyPlan{};
  };
}

}  // namespace

Connection::Connection(Connections& home, runtime::Loop& loop, Accepted accepted, std::uint64_t id)
    : home_(home),
      loop_(loop),
      limits_(accepted.limits),
      fd_(accepted.fd),
      layer_(std::move(accepted.layer)),
      id_(id),
      parser_(accepted.limits.sizes, with_origin(home.plan_, accepted)) {}

Connection::~Connection() {
  loop_.remove(fd_, *this);  // the server may be gone by now
  ::close(fd_);
}

void Connection::retire() {
  if (layer_ && !gone_) layer_->shutdown(fd_);
  gone_ = true;
  runtime::TimerWheel::cancel(*this);
}

Result<> Connection::start() {
  if (layer_) layer_->enter(&home_.scratch_);
  wait_for(limits_.first_timeout);
  waiting_since_ = loop_.now();
  return loop_.add(fd_, *this);
}

void Connection::finish() {
  closing_ = true;
  if (!busy_ && !writing() && !lingering_) die();
}

void Connection::answer(std::uint64_t number, Response response) {
  if (!busy_ || number != number_) return;  // late: the connection has given up
  busy_ = false;
  say(std::move(response), keep_alive_ && !closing_);
  if (!gone_) work();
}

void Connection::go_on() {
  if (!gone_ && writing()) flush();
}

void Connection::on_io(std::uint32_t events) {
  if (gone_) return;
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) readable_ = true;
  if (lingering_) return linger();
  if (events & EPOLLOUT) flush();
  if (!gone_ && !lingering_) work();
}

void Connection::on_timer() {
  if (busy_) {
    busy_ = false;
    SB_LOG(log::Level::Warning, "management_answer_late", kv("method", asked_method_), kv("path", asked_path_));
    say(Response::error(503, "SERVICE_UNAVAILABLE", "no answer in time"), false);
  } else if (!writing() && !lingering_ && (parser_.pending() > 0 || parser_.in_body())) {
    say(Response::error(408, "BAD_REQUEST", "the request did not come in time"), false);
  } else {
    die();
  }
}

void Connection::work() {
  if (working_) return;  // an answer given at once: the loop below goes on
  working_ = true;
  work_on();
  working_ = false;
}

/// Reads and serves until bytes, or the answer to the request in hand, are missing.
void Connection::work_on() {
  while (!gone_ && !busy_ && !closing_ && !writing()) {
    Request request;
    Response error;
    const auto status = parser_.next(request, error);
    if (status == RequestParser::Status::Bad) return say(std::move(error), false);
    if (status == RequestParser::Status::Ready) {
      body_timed_ = false;
      serve(std::move(request));
      continue;
    }
    if (parser_.in_body() && !time_body()) return;
    const bool fresh = parser_.pending() == 0 && !parser_.in_body();
    if (!readable_ || !read_some()) {
      // The clock of a request starts with its first byte and is not set back by further ones.
      if (fresh && !gone_ && number_ > 0) wait_for(limits_.idle_timeout);
      return;
    }
    if (fresh) wait_for(limits_.request_timeout);
  }
}

/// A larger body gets more time: at once where its length was told, as it comes where it is chunked. False: gone.
bool Connection::time_body() {
  const auto chunked = parser_.chunked_bytes();
  const std::size_t told = parser_.body_length().value_or(0);
  if (!chunked && told == 0) return true;
  const bool first = !std::exchange(body_timed_, true);
  if (first) body_began_ = loop_.now();
  if (first || chunked) {
    const std::chrono::seconds extra(static_cast<std::int64_t>(chunked.value_or(told) / limits_.upload_rate_min));
    wait_for(std::max(Nanos{1}, limits_.request_timeout + extra - (loop_.now() - body_began_)));
  }
  if (parser_.take_expectation()) {
    out_ += "HTTP/1.1 100 Continue\r\n\r\n";
    flush();
  }
  return !gone_;
}

ssize_t Connection::read_bytes(char* out, std::size_t room) {
  if (layer_) return layer_->read(fd_, reinterpret_cast<std::uint8_t*>(out), room);
  for (;;) {
    const ssize_t n = read(fd_, out, room);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    return errno == EAGAIN ? net::kWouldBlock : net::kFailed;
  }
}

bool Connection::read_some() {
  char bytes[kReadBytes];
  const ssize_t n = read_bytes(bytes, sizeof bytes);
  if (n > 0) {
    parser_.feed({bytes, static_cast<std::size_t>(n)});
    return true;
  }
  readable_ = false;
  if (n != net::kWouldBlock) die();
  return false;
}

void Connection::serve(Request request) {
  busy_ = true;
  keep_alive_ = request.keep_alive;
  asked_method_ = request.method;
  asked_path_ = request.path;
  wait_for(limits_.answer_timeout);
  const std::uint64_t number = ++number_;
  home_.handler_(std::move(request), [self = home_.self_, id = id_, number](Response response) {
    if (!*self) return;
    const auto found = (*self)->connections_.find(id);
    if (found != (*self)->connections_.end()) found->second->answer(number, std::move(response));
  });
}

void Connection::say(Response response, bool keep_alive) {
  closing_ = !keep_alive;
  answered_ = true;
  response.head_only = std::exchange(asked_method_, {}) == "HEAD";
  if (response.file) {
    out_ += head_bytes(response, keep_alive);
    if (response.file->size() > 0 && !response.head_only) file_ = std::move(response.file);
  } else if (!response.fixed_body.empty()) {
    out_ += head_bytes(response, keep_alive);
    if (response.status != 304 && !response.head_only) fixed_ = response.fixed_body;
  } else if (response.body.size() < kOwnWrite || response.status == 304 || response.head_only) {
    out_ += to_bytes(response, keep_alive);
  } else {
    out_ += head_bytes(response, keep_alive);
    body_ = std::move(response.body);
    fixed_ = body_;
  }
  wait_for(limits_.write_timeout);
  flush();
}

ssize_t Connection::write_bytes(const char* data, std::size_t size) {
  if (layer_) {
    const iovec vector{const_cast<char*>(data), size};
    return layer_->write(fd_, &vector, size == 0 ? 0 : 1);
  }
  for (;;) {
    const ssize_t n = send(fd_, data, size, MSG_NOSIGNAL);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    return errno == EAGAIN ? net::kWouldBlock : net::kFailed;
  }
}

/// Gets the next piece of a file ready. False: the file is at its end, or broken.
bool Connection::refill() {
  out_.clear();
  sent_ = 0;
  body_ = {};
  if (!file_) return false;
  if (const auto read = file_->read(out_, kFileBytes); !read) {
    SB_LOG(log::Level::Warning, "management_file_not_sent", kv("path", asked_path_), kv("reason", read.error().what));
    die();  // the length was promised: only an end tells that it is not kept
    return false;
  }
  if (file_->left() == 0) file_.reset();
  return true;
}

void Connection::flush() {
  if (layer_ && layer_->has_output() && write_bytes(nullptr, 0) == net::kFailed) return die();
  std::size_t budget = kWriteBudget;
  while (!gone_) {
    const bool from_out = sent_ < out_.size();
    const std::string_view data = (from_out ? std::string_view(out_).substr(sent_) : fixed_).substr(0, kWriteAtOnce);
    if (data.empty()) {
      if (refill()) continue;
      break;
    }
    const ssize_t n = write_bytes(data.data(), data.size());
    give_way();
    if (n == net::kFailed) return die();
    if (n <= 0) return;  // EPOLLOUT will come
    const auto written = static_cast<std::size_t>(n);
    if (from_out)
      sent_ += written;
    else
      fixed_.remove_prefix(written);
    if (answered_) wait_for(limits_.write_timeout);  // it moves: the clock starts again
    if (written >= budget) {
      if (writing()) home_.later(id_);
      budget = 0;
      if (writing()) return;
    } else {
      budget -= written;
    }
  }
  if (gone_ || !std::exchange(answered_, false)) return;
  if (layer_ && layer_->has_output()) {
    answered_ = true;  // the layer's own bytes must leave first
    return;
  }
  waiting_since_ = loop_.now();
  if (closing_) return linger_from_now();
  wait_for(limits_.idle_timeout);
  if (!busy_) work();
}

void Connection::linger_from_now() {
  if (layer_) layer_->shutdown(fd_);
  lingering_ = true;
  ::shutdown(fd_, SHUT_WR);
  wait_for(kLinger);
  linger();
}

/// 9.6 of RFC 9112: closing with bytes unread would take the answer away from the peer.
void Connection::linger() {
  char bytes[kReadBytes];
  for (;;) {
    const ssize_t n = read(fd_, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) return die();
    lingered_ += static_cast<std::uint64_t>(n);
    if (lingered_ > kLingerBytesMax) return die();
  }
}

void Connection::wait_for(Nanos time) {
  loop_.timers().arm(*this, loop_.now(), time);
}

void Connection::die() {
  if (gone_) return;
  retire();
  home_.remove(id_);
}

}  // namespace sb::http::detail
