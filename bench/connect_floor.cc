// The floor of connect-15k: answers CONNECT with CONNACK and knows nothing else of MQTT. What the generator reaches
// against this it cannot exceed against any broker.
//   connect_floor PORT [NAP_US]   on 127.0.0.1; NAP_US: waits so long after a wake-up, as node.coalesce does
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>

namespace {

constexpr int kBacklog = 4096;
constexpr std::array<std::uint8_t, 4> kConnack = {0x20, 2, 0, 0};

template <class T>
bool number(const char* text, T& out) {
  return std::from_chars(text, text + std::strlen(text), out).ec == std::errc{};
}

void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

void accept_all(int epoll, int listener) {
  const int on = 1;
  for (int fd = 0; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(epoll, fd);
  }
}

/// A whole packet arrives at once: the generator writes it so.
void answer(int fd) {
  std::array<std::uint8_t, 4096> buffer;
  const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
  constexpr int kConnect = 1;
  if (got > 0 && buffer[0] >> 4 == kConnect) {
    send(fd, kConnack.data(), kConnack.size(), MSG_NOSIGNAL);
  } else {
    close(fd);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  unsigned nap_us = 0;
  if (argc < 2 || !number(argv[1], port) || (argc > 2 && !number(argv[2], nap_us))) {
    std::fputs("usage: connect_floor PORT [NAP_US]\n", stderr);
    return 2;
  }
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, kBacklog) != 0) {
    std::perror("connect_floor");
    return 1;
  }
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  watch(epoll, listener);
  std::array<epoll_event, 512> events;
  for (;;) {
    int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    if (nap_us != 0) {
      usleep(nap_us);
      ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 0);
    }
    for (int i = 0; i < ready; ++i)
      if (const int fd = events[static_cast<std::size_t>(i)].data.fd; fd == listener) {
        accept_all(epoll, listener);
      } else {
        answer(fd);
      }
  }
}
