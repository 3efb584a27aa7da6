#include "net/detail/wire_out.h"

#include <sys/socket.h>

#include <cerrno>

namespace sb::net::detail {

std::size_t WireOut::push(int fd, Layer* below, std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    ssize_t n = 0;
    if (below) {
      const iovec vector{const_cast<char*>(bytes.data()) + taken, bytes.size() - taken};
      n = below->write(fd, &vector, 1);
      if (n == kFailed) error_ = -1;
    } else {
      n = ::send(fd, bytes.data() + taken, bytes.size() - taken, MSG_NOSIGNAL);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK) error_ = errno;
    }
    if (n <= 0) break;
    taken += static_cast<std::size_t>(n);
  }
  return taken;
}

bool WireOut::flush(int fd, Layer* below) {
  if (error_ != 0) return false;
  if (!rest_) return true;
  const std::size_t taken = push(fd, below, *rest_);
  if (taken == rest_->size()) {
    rest_.reset();
    return true;
  }
  rest_->erase(0, taken);
  return false;
}

bool WireOut::send(int fd, Layer* below, std::string_view bytes) {
  if (bytes.empty()) return flush(fd, below);
  if (!flush(fd, below)) {
    if (error_ != 0) return false;
    if (rest_->size() + bytes.size() > kKeptMax)
      error_ = ENOBUFS;
    else
      rest_->append(bytes);
    return false;
  }
  const std::size_t taken = push(fd, below, bytes);
  if (taken == bytes.size()) return true;
  if (error_ == 0) rest_ = std::make_unique<std::string>(bytes.substr(taken));
  return false;
}

ssize_t receive(int fd, std::uint8_t* out, std::size_t room) {
  for (;;) {
    const ssize_t n = recv(fd, out, room, 0);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? kWouldBlock : kFailed;
  }
}

}  // namespace sb::net::detail
