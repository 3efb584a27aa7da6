#include "http/unix_server.h"

#include "base/log.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace sb::http {

namespace {

constexpr std::size_t kReadBytes = 64 << 10;
constexpr int kBacklog = 64;

/// sun_path holds 107 bytes; a longer path is reached through a descriptor of its folder.
class SocketAddress {
 public:
  explicit SocketAddress(const std::string& path) {
    address_.sun_family = AF_UNIX;
    std::string name = path;
    if (name.size() >= sizeof address_.sun_path) {
      const std::filesystem::path whole(path);
      folder_ = ::open(whole.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
      name = fmt::format("/proc/self/fd/{}/{}", folder_, whole.filename().string());
    }
    usable_ = name.size() < sizeof address_.sun_path;
    if (usable_) std::memcpy(address_.sun_path, name.c_str(), name.size() + 1);
  }
  ~SocketAddress() {
    if (folder_ >= 0) ::close(folder_);
  }
  SocketAddress(const SocketAddress&) = delete;
  SocketAddress& operator=(const SocketAddress&) = delete;
  bool usable() const { return usable_; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const { return sizeof address_; }

 private:
  sockaddr_un address_{};
  int folder_ = -1;
  bool usable_ = false;
};

bool somebody_answers(const SocketAddress& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return false;
  const bool answers = connect(fd, address.get(), address.size()) == 0 || errno == EAGAIN;
  ::close(fd);
  return answers;
}

}  // namespace

class UnixServer::Connection final : public runtime::Disposable, private runtime::IoHandler, private runtime::Timer {
 public:
  Connection(UnixServer& server, int fd, std::uint64_t id)
      : server_(server), loop_(server.loop_), fd_(fd), id_(id), parser_(server.options_.limits) {}
  ~Connection() override {
    loop_.remove(fd_);  // the server may be gone by now
    ::close(fd_);
  }
  void retire() {
    gone_ = true;
    runtime::TimerWheel::cancel(*this);
  }
  [[nodiscard]] Result<> start() {
    wait_for(server_.options_.idle_timeout);
    return loop_.add(fd_, *this);
  }

  void answer(std::uint64_t number, Response response) {
    if (!busy_ || number != number_) return;  // late: the connection has given up
    busy_ = false;
    say(response, keep_alive_);
    if (!gone_) work();
  }

 private:
  void on_io(std::uint32_t events) override {
    if (gone_) return;
    if (events & EPOLLOUT) flush();
    if (!gone_ && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))) {
      readable_ = true;
      work();
    }
  }

  void on_timer() override {
    if (busy_) {
      busy_ = false;
      SB_LOG(log::Level::Warning, "management_answer_late", kv("method", asked_method_), kv("path", asked_path_));
      say(Response::error(503, "SERVICE_UNAVAILABLE", "no answer in time"), false);
    } else if (out_.empty() && parser_.pending() > 0) {
      say(Response::error(408, "BAD_REQUEST", "the request did not come in time"), false);
    } else {
      die();
    }
  }

  void work() {
    if (working_) return;  // an answer given at once: the loop below goes on
    working_ = true;
    work_on();
    working_ = false;
  }

  /// Reads and serves until bytes, or the answer to the request in hand, are missing.
  void work_on() {
    while (!gone_ && !busy_ && !closing_ && out_.empty()) {
      Request request;
      Response error;
      const auto status = parser_.next(request, error);
      if (status == RequestParser::Status::Bad) return say(error, false);
      if (status == RequestParser::Status::Ready) {
        serve(std::move(request));
        continue;
      }
      const bool fresh = parser_.pending() == 0;
      if (!readable_ || !read_some()) {
        // The clock of a request starts with its first byte and is not set back by further ones.
        if (fresh) wait_for(server_.options_.idle_timeout);
        return;
      }
      if (fresh) wait_for(server_.options_.request_timeout);
    }
  }

  bool read_some() {
    char bytes[kReadBytes];
    while (true) {
      const ssize_t n = read(fd_, bytes, sizeof bytes);
      if (n > 0) {
        parser_.feed({bytes, static_cast<std::size_t>(n)});
        return true;
      }
      if (n < 0 && errno == EINTR) continue;
      readable_ = false;
      if (n == 0 || errno != EAGAIN) die();
      return false;
    }
  }

  void serve(Request request) {
    busy_ = true;
    keep_alive_ = request.keep_alive;
    asked_method_ = request.method;
    asked_path_ = request.path;
    request.door = Door::Cli;
    wait_for(server_.options_.answer_timeout);
    const std::uint64_t number = ++number_;
    server_.handler_(std::move(request), [self = server_.self_, id = id_, number](Response response) {
      if (!*self) return;
      const auto found = (*self)->connections_.find(id);
      if (found != (*self)->connections_.end()) found->second->answer(number, std::move(response));
    });
  }

  void say(const Response& response, bool keep_alive) {
    closing_ = !keep_alive;
    out_ += to_bytes(response, keep_alive);
    wait_for(server_.options_.write_timeout);
    flush();
  }

  void flush() {
    while (sent_ < out_.size()) {
      const ssize_t n = send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
      if (n > 0) {
        sent_ += static_cast<std::size_t>(n);
      } else if (errno == EINTR) {
        continue;
      } else if (errno == EAGAIN) {
        return;
      } else {
        return die();
      }
    }
    if (out_.empty()) return;
    out_.clear();
    sent_ = 0;
    if (closing_) return die();
    wait_for(server_.options_.idle_timeout);
    if (!busy_) work();
  }

  void wait_for(Nanos time) { loop_.timers().arm(*this, loop_.now(), time); }

  void die() {
    if (gone_) return;
    retire();
    server_.remove(id_);
  }

  UnixServer& server_;
  runtime::Loop& loop_;
  int fd_;
  std::uint64_t id_;
  RequestParser parser_;
  std::string out_;
  std::size_t sent_ = 0;
  std::uint64_t number_ = 0;  // of the request in hand
  std::string asked_method_;
  std::string asked_path_;
  bool working_ = false;
  bool readable_ = false;
  bool busy_ = false;
  bool keep_alive_ = true;
  bool closing_ = false;
  bool gone_ = false;
};

UnixServer::UnixServer(runtime::Loop& loop, Options options, Handler handler)
    : loop_(loop),
      options_(std::move(options)),
      handler_(std::move(handler)),
      self_(std::make_shared<UnixServer*>(this)) {}

UnixServer::~UnixServer() {
  *self_ = nullptr;
  close();
}

Result<> UnixServer::open() {
  const SocketAddress address(options_.path);
  if (!address.usable())
    return fail(Errc::Invalid, fmt::format("{}: the path is too long for a socket", options_.path));
  if (somebody_answers(address)) return fail(Errc::Busy, fmt::format("{}: another node answers there", options_.path));
  if (unlink(options_.path.c_str()) != 0 && errno != ENOENT)
    return fail(Errc::Io, fmt::format("{}: {}", options_.path, std::strerror(errno)));
  fd_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return fail(Errc::Io, fmt::format("{}: {}", options_.path, std::strerror(errno)));
  // The file gets the mode of the descriptor: nobody else can open it, not even for a moment (unix(7), Linux).
  if (fchmod(fd_, S_IRUSR | S_IWUSR) != 0 || bind(fd_, address.get(), address.size()) != 0 ||
      listen(fd_, kBacklog) != 0) {
    const int why = errno;
    ::close(std::exchange(fd_, -1));
    return fail(Errc::Io, fmt::format("{}: {}", options_.path, std::strerror(why)));
  }
  return loop_.add(fd_, *this);
}

void UnixServer::close() {
  for (auto& [id, connection] : connections_) {
    connection->retire();
    loop_.destroy_later(std::move(connection));
  }
  connections_.clear();
  if (fd_ < 0) return;
  loop_.remove(fd_);
  ::close(std::exchange(fd_, -1));
  unlink(options_.path.c_str());
}

void UnixServer::on_io(std::uint32_t) {
  while (true) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return;
    }
    if (connections_.size() >= options_.connections_max) {
      SB_LOG(log::Level::Warning, "management_connection_refused", kv("max", options_.connections_max));
      ::close(fd);
      continue;
    }
    const std::uint64_t id = next_id_++;
    auto connection = std::make_unique<Connection>(*this, fd, id);
    if (connection->start()) connections_.emplace(id, std::move(connection));
  }
}

void UnixServer::remove(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  loop_.destroy_later(std::move(found->second));
  connections_.erase(found);
}

}  // namespace sb::http
