#include "net/stream.h"

#include "base/check.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace sb::net {

namespace {
/// Bytes one connection may bring in per turn before others get theirs: of the smallest packets a few milliseconds'
/// work.
constexpr std::size_t kReadBudget = 128 * 1024;
/// Bytes of a packet that is read into its own buffer make little work: so many of them count as one.
constexpr std::size_t kDirectDiscount = 8;
/// Beyond this a partial packet is read into its own buffer instead of through the shard's.
constexpr std::size_t kDirectFrom = 64 * 1024;
constexpr int kVectors = 64;

const StreamError kPeerClosed{"tcp_closed", "the peer closed the connection"};

StreamError socket_error(int code) {
  return {"sock_error", std::strerror(code)};
}
}  // namespace

ShardIo::ShardIo(runtime::Loop& event_loop)
    : loop(event_loop), read_buffer(std::make_unique_for_overwrite<std::uint8_t[]>(kReadBuffer)) {}

Stream::~Stream() {
  close_now();
}

Result<> Stream::attach(Detached detached) {
  fd_ = detached.fd;
  layer_ = std::move(detached.layer);
  if (layer_) layer_->enter(&io_.scratch);
  if (!detached.unread.empty()) {
    keep(reinterpret_cast<const std::uint8_t*>(detached.unread.data()), detached.unread.size());
    want_ = 0;
  }
  SB_CHECKED(io_.loop.add(fd_, *this));
  readable_ = true;  // bytes may have come before the registration
  schedule();
  return {};
}

Stream::Detached Stream::detach(ByteView unread) {
  SB_CHECK(outbox_.empty(), "a stream with output cannot move");
  io_.loop.remove(fd_, *this);
  if (layer_) layer_->enter(nullptr);
  Detached out{fd_, std::move(layer_), std::string(as_text(unread))};
  fd_ = -1;
  partial_.reset();
  partial_size_ = partial_room_ = want_ = 0;
  return out;
}

void Stream::on_io(std::uint32_t events) {
  if (fd_ < 0) return;
  if (events & EPOLLOUT && blocked_) {
    blocked_ = false;
    schedule();
  }
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
    readable_ = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) hung_up_ = true;
    if (layer_ && layer_->has_output() && events & EPOLLOUT) schedule();
    if (!reads_on_) read_some();
  }
}

ssize_t Stream::read_raw(std::uint8_t* out, std::size_t room) {
  if (layer_) return layer_->read(fd_, out, room);
  for (;;) {
    const ssize_t n = recv(fd_, out, room, 0);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? kWouldBlock : kFailed;
  }
}

void Stream::hand_over(std::uint8_t* data, std::size_t size) {
  std::size_t want = 0;
  const std::size_t used = owner_.on_bytes({data, size}, want);
  if (fd_ < 0) return;
  want_ = static_cast<std::uint32_t>(want);
  if (used == size) {
    partial_size_ = 0;
    if (partial_) {
      partial_.reset();
      partial_room_ = 0;
    }
    return;
  }
  keep(data + used, size - used);
}

void Stream::keep(const std::uint8_t* data, std::size_t size) {
  if (size > partial_room_) {
    std::size_t room = std::max<std::size_t>(size, 64);
    auto grown = std::make_unique_for_overwrite<std::uint8_t[]>(room);
    std::memcpy(grown.get(), data, size);
    partial_ = std::move(grown);
    partial_room_ = static_cast<std::uint32_t>(room);
  } else {
    std::memmove(partial_.get(), data, size);
  }
  partial_size_ = static_cast<std::uint32_t>(size);
}

bool Stream::read_direct(std::size_t& budget) {
  // The buffer grows with what has really come, so that a peer cannot reserve memory by announcing a size.
  if (partial_size_ == partial_room_) {
    const std::size_t room = std::min<std::size_t>(want_, std::size_t{partial_room_} * 2);
    auto grown = std::make_unique_for_overwrite<std::uint8_t[]>(room);
    std::memcpy(grown.get(), partial_.get(), partial_size_);
    partial_ = std::move(grown);
    partial_room_ = static_cast<std::uint32_t>(room);
  }
  const ssize_t n = read_raw(partial_.get() + partial_size_, partial_room_ - partial_size_);
  if (n > 0) {
    io_.bytes_received += static_cast<std::uint64_t>(n);
    partial_size_ += static_cast<std::uint32_t>(n);
    budget -= std::min(budget, static_cast<std::size_t>(n) / kDirectDiscount + 1);
    if (partial_size_ >= want_) hand_over(partial_.get(), partial_size_);
    return true;
  }
  readable_ = false;
  if (n == kEndOfStream) fail_with(layer_ ? layer_->error() : kPeerClosed);
  if (n == kFailed) fail_with(layer_ ? layer_->error() : socket_error(errno));
  return false;
}

void Stream::read_some() {
  if (paused_ || reading_ || closing_) return;
  reading_ = true;
  std::size_t budget = kReadBudget;
  while (readable_ && !paused_ && fd_ >= 0 && !closing_) {
    if (budget == 0) {
      reads_on_ = true;
      io_.loop.at_turn_end(*this);
      break;
    }
    if (want_ > kDirectFrom && partial_size_ > 0 && partial_size_ < want_) {
      if (!read_direct(budget)) break;
      continue;
    }
    std::uint8_t* buffer = io_.read_buffer.get();
    const std::size_t old = partial_size_;
    if (old > 0) std::memcpy(buffer, partial_.get(), old);
    // A layer gets room for all that it may have decoded at once.
    const std::size_t room = layer_ ? ShardIo::kReadBuffer - old : std::min(ShardIo::kReadBuffer - old, budget);
    const ssize_t n = read_raw(buffer + old, room);
    if (n > 0) {
      const auto count = static_cast<std::size_t>(n);
      io_.bytes_received += count;
      // Edge-triggered: a short read means that the socket is empty, a second call would only say so; unless the end of
      // the stream has been announced already, which no further event will do.
      if (!hung_up_ && (layer_ ? layer_->drained() : count < room)) readable_ = false;
      hand_over(buffer, old + count);
      budget -= std::min(budget, count);
      continue;
    }
    readable_ = false;
    if (n == kEndOfStream) fail_with(layer_ ? layer_->error() : kPeerClosed);
    if (n == kFailed) fail_with(layer_ ? layer_->error() : socket_error(errno));
  }
  reading_ = false;
  if (fd_ >= 0 && layer_ && layer_->has_output()) schedule();
}

void Stream::resume(Hold why) {
  if (!(paused_ & why)) return;
  paused_ = static_cast<std::uint8_t>(paused_ & ~why);
  if (paused_) return;
  reads_on_ = true;  // what was kept goes first, at the end of the turn
  io_.loop.at_turn_end(*this);
}

void Stream::on_turn_end() {
  reads_on_ = false;
  if (fd_ < 0) return;
  if (!paused_ && !closing_ && !reading_ && (partial_size_ > 0 || readable_)) {
    // Bytes kept while paused or handed over with the socket come first.
    if (partial_size_ > 0 && want_ == 0) {
      auto held = std::move(partial_);
      const std::size_t size = partial_size_;
      const std::uint32_t room = std::exchange(partial_room_, 0);
      partial_size_ = 0;
      reading_ = true;
      std::size_t want = 0;
      const std::size_t used = owner_.on_bytes({held.get(), size}, want);
      reading_ = false;
      if (fd_ >= 0) {
        want_ = static_cast<std::uint32_t>(want);
        if (used < size) {  // in the same place: an owner that is held to a rate takes little at a time
          partial_ = std::move(held);
          partial_room_ = room;
          keep(partial_.get() + used, size - used);
        }
      }
    }
    if (fd_ >= 0 && readable_) read_some();
  }
  if (fd_ >= 0) flush();
}

void Stream::write_some() {
  while (!write_failed_ && (!outbox_.empty() || (layer_ && layer_->has_output()))) {
    iovec vectors[kVectors];
    const int count = outbox_.gather(vectors, kVectors);
    ssize_t n = 0;
    if (layer_) {
      n = layer_->write(fd_, vectors, count);
    } else if (count == 1) {
      n = send(fd_, vectors[0].iov_base, vectors[0].iov_len, MSG_NOSIGNAL);
    } else {
      msghdr message{};
      message.msg_iov = vectors;
      message.msg_iovlen = static_cast<std::size_t>(count);
      n = sendmsg(fd_, &message, MSG_NOSIGNAL);
    }
    if (!layer_ && n < 0) {
      if (errno == EINTR) continue;
      n = errno == EAGAIN || errno == EWOULDBLOCK ? kWouldBlock : kFailed;
    }
    if (n == kFailed) {
      write_failed_ = true;
      write_errno_ = errno;
      io_.loop.at_turn_end(*this);
      return;
    }
    std::size_t sum = 0;
    for (int i = 0; i < count; ++i) sum += vectors[i].iov_len;
    const std::size_t written = n > 0 ? static_cast<std::size_t>(n) : 0;
    io_.bytes_sent += written;
    outbox_.consume(written);
    if (n == kWouldBlock || written < sum || (layer_ && count == 0 && layer_->has_output())) {
      blocked_ = true;
      was_high_ = true;
      owner_.on_blocked();
      return;
    }
  }
}

void Stream::flush() {
  write_some();
  if (write_failed_) {
    fail_with(layer_ ? layer_->error() : socket_error(write_errno_));
    return;
  }
  if (blocked_) return;
  if (closing_) {
    fail_with(StreamError{});
    return;
  }
  if (was_high_) {
    was_high_ = false;
    owner_.on_drained();
  }
}

void Stream::fail_with(const StreamError& error) {
  if (ended_) return;
  ended_ = true;
  const StreamError copy = error;
  close_now();
  owner_.on_stream_end(copy);
}

void Stream::close_after_flush() {
  if (fd_ < 0) return;
  closing_ = true;
  schedule();
}

void Stream::close_now() {
  if (fd_ < 0) return;
  if (layer_) layer_->shutdown(fd_);
  close(fd_);
  fd_ = -1;
  closing_ = false;
  outbox_.clear();
  partial_.reset();
  partial_size_ = partial_room_ = want_ = 0;
}

}  // namespace sb::net
