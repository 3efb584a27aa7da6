#include "driver/mongodb/detail/streams.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace sb::driver::mongodb::detail {

namespace {
constexpr int kType = 100;               // none of the library's
constexpr std::size_t kStreamsMax = 64;  // polled at once: members of a set
constexpr Millis kWriteTime{1'000};      // where the library would not wait at all; ours writes all or fails
}  // namespace

/// What the library sees, and what is behind it.
struct Streams::One : mongoc_stream_t {
  One(Streams& owner, resource::Stream stream) : mongoc_stream_t{}, streams(owner), io(std::move(stream)) {}
  Streams& streams;
  resource::Stream io;
  bool late = false;  // the last call ran out of time
};

mongoc_stream_t* Streams::open(const mongoc_uri_t*, const mongoc_host_list_t* host, void* self, bson_error_t* error) {
  auto& streams = *static_cast<Streams*>(self);
  const auto refuse = [&](const char* why) -> mongoc_stream_t* {
    bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "%s: %s", host->host_and_port, why);
    return nullptr;
  };
  if (!streams.limit_) return refuse("nobody waits for it");
  // Half of what is left: one member that is not there must not use up the time of the others.
  const Millis most = std::min(streams.connect_timeout_, streams.limit_->left() / 2);
  auto io = resource::Stream::open({host->host, host->port}, streams.tls_, streams.limit_->at_most(most));
  if (!io) return refuse(io.error().what.c_str());
  auto made = std::make_unique<One>(streams, *std::move(io));
  made->type = kType;
  made->destroy =
      made->failed = [](mongoc_stream_t* stream) { const std::unique_ptr<One> gone(static_cast<One*>(stream)); };
  made->close = made->flush = [](mongoc_stream_t*) { return 0; };
  made->writev = write;
  made->readv = read;
  made->setsockopt = [](mongoc_stream_t*, int, int, void*, mongoc_socklen_t) { return 0; };
  made->check_closed = [](mongoc_stream_t* stream) { return !static_cast<One*>(stream)->io.usable(); };
  made->poll = poll;
  made->timed_out = [](mongoc_stream_t* stream) { return static_cast<One*>(stream)->late; };
  made->should_retry = [](mongoc_stream_t* stream) { return static_cast<One*>(stream)->late; };
  return made.release();
}

ssize_t Streams::write(mongoc_stream_t* stream, mongoc_iovec_t* parts, std::size_t count, std::int32_t timeout_ms) {
  auto& one = *static_cast<One*>(stream);
  one.late = false;
  const resource::Limit* const limit = one.streams.limit_;
  if (!limit) return -1;
  const resource::Limit bound = timeout_ms < 0 ? *limit : limit->at_most(std::max(Millis{timeout_ms}, kWriteTime));
  ssize_t done = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!one.io.write({static_cast<const char*>(parts[i].iov_base), parts[i].iov_len}, bound)) {
      errno = EIO;
      return -1;
    }
    done += static_cast<ssize_t>(parts[i].iov_len);
  }
  return done;
}

ssize_t Streams::read(mongoc_stream_t* stream, mongoc_iovec_t* parts, std::size_t count, std::size_t least,
                      std::int32_t timeout_ms) {
  auto& one = *static_cast<One*>(stream);
  one.late = false;
  const resource::Limit* const limit = one.streams.limit_;
  if (!limit) return -1;
  const resource::Limit bound = timeout_ms < 0 ? *limit : limit->at_most(Millis{timeout_ms});
  std::size_t done = 0;
  for (std::size_t i = 0; i < count; ++i) {
    auto* to = static_cast<char*>(parts[i].iov_base);
    std::size_t left = parts[i].iov_len;
    while (left > 0) {
      if (done > 0 && done >= least) return static_cast<ssize_t>(done);
      const auto got = one.io.read(to, left, bound);
      if (!got) {
        one.late = got.error().code == Errc::Timeout;
        errno = one.late ? EAGAIN : ECONNRESET;
        // As the library's own streams: what was asked for at least is there, or it is a failure.
        return done >= least ? static_cast<ssize_t>(done) : -1;
      }
      to += *got;
      left -= *got;
      done += *got;
    }
  }
  return static_cast<ssize_t>(done);
}

ssize_t Streams::poll(mongoc_stream_poll_t* streams, std::size_t count, std::int32_t timeout_ms) {
  std::array<pollfd, kStreamsMax + 1> fds{};
  if (count == 0 || count > kStreamsMax) return -1;
  const resource::Limit* const limit = static_cast<One*>(streams[0].stream)->streams.limit_;
  if (!limit) return -1;
  Millis wait = timeout_ms < 0 ? limit->left() : std::min(limit->left(), Millis{timeout_ms});
  for (std::size_t i = 0; i < count; ++i) {
    const auto& io = static_cast<One*>(streams[i].stream)->io;
    fds[i] = {io.fd(), static_cast<short>(streams[i].events), 0};
    streams[i].revents = io.buffered() ? streams[i].events & POLLIN : 0;
    if (streams[i].revents != 0) wait = Millis{0};
  }
  fds[count] = {limit->stop_fd(), POLLIN, 0};
  if (::poll(fds.data(), count + 1, static_cast<int>(wait.count())) < 0 && errno != EINTR) return -1;
  if (fds[count].revents != 0) return -1;
  ssize_t ready = 0;
  for (std::size_t i = 0; i < count; ++i) {
    streams[i].revents |= fds[i].revents;
    if (streams[i].revents != 0) ++ready;
  }
  return ready;
}

}  // namespace sb::driver::mongodb::detail
