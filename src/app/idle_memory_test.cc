// check: allow debug in this file: a child process reports to its parent over its output
// What an idle connection of each transport costs the broker. Clients live in a process of their own.
#include "app/testing/wire.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>

namespace sb::app {
namespace {

using testing::Wire;

constexpr int kConnections = 300;

struct Clients {
  /// Forks before there are threads; the child connects to the port that it is told and tells when it is done.
  explicit Clients(const Wire::Options& options) {
    SB_CHECK(pipe(to_child) == 0 && pipe(to_parent) == 0, "pipe");
    child = fork();
    if (child != 0) return;
    ::close(to_child[1]);
    std::uint16_t port = 0;
    std::vector<std::unique_ptr<Wire>> wires;
    for (int round = 0; round < 2; ++round) {
      if (read(to_child[0], &port, sizeof port) != sizeof port) break;
      char ok = 1;
      for (int i = 0; i < (round == 0 ? 20 : kConnections); ++i) {
        wires.push_back(std::make_unique<Wire>(port, options));
        const bool served = wires.back()->open() && wires.back()->connect("c" + std::to_string(round * 1000 + i)) &&
                            wires.back()->ping();
        if (!served) ok = 0;
      }
      if (write(to_parent[1], &ok, 1) != 1) break;
    }
    char end = 0;
    (void)!read(to_child[0], &end, 1);  // until the parent has measured
    _exit(0);
  }
  bool more(std::uint16_t port) const {
    char ok = 0;
    return write(to_child[1], &port, sizeof port) == sizeof port && read(to_parent[0], &ok, 1) == 1 && ok == 1;
  }
  ~Clients() {
    ::close(to_child[1]);
    waitpid(child, nullptr, 0);
    ::close(to_child[0]);
    ::close(to_parent[0]);
    ::close(to_parent[1]);
  }
  Clients(const Clients&) = delete;
  Clients& operator=(const Clients&) = delete;
  int to_child[2]{}, to_parent[2]{};
  pid_t child = 0;
};

std::size_t bytes_each(const Wire::Options& wire, const std::function<void(ListenerOptions&)>& shape) {
  const Clients clients(wire);
  ListenerOptions options = testing::listener("any:default");
  shape(options);
  Node node(testing::node_with({options}, 1), {});
  if (!node.start().has_value() || !clients.more(node.bound()[0].port())) return 0;
  const std::size_t before = mallinfo2().uordblks;
  if (!clients.more(node.bound()[0].port())) return 0;
  const std::size_t after = mallinfo2().uordblks;
  node.stop();
  return (after - before) / kConnections;
}

TEST(IdleMemory, OfEachTransportIsWithinItsBar) {
#ifdef SB_SANITIZED
  GTEST_SKIP() << "sanitizers have an allocator of their own";
#endif
  testing::Pki pki;
  const net::TlsOptions tls = pki.tls();
  const auto plain = [](ListenerOptions&) {};
  const auto secure = [&](ListenerOptions& options) { options.tls = tls; };
  const auto web = [](ListenerOptions& options) { options.websocket.emplace(); };
  const auto secure_web = [&](ListenerOptions& options) {
    options.tls = tls;
    options.websocket.emplace();
  };
  const auto version = [](int max) { return [max](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, max); }; };
  const std::size_t tcp = bytes_each({}, plain);
  const std::size_t ws = bytes_each({.web = true}, web);
  const std::size_t tls12 = bytes_each({.tls = true, .setup = version(TLS1_2_VERSION)}, secure);
  const std::size_t tls13 = bytes_each({.tls = true, .setup = version(TLS1_3_VERSION)}, secure);
  const std::size_t wss = bytes_each({.tls = true, .web = true}, secure_web);
  std::printf("bytes of an idle connection: tcp %zu, ws %zu, TLS 1.2 %zu, TLS 1.3 %zu, wss %zu\n", tcp, ws, tls12,
              tls13, wss);
  ASSERT_GT(tcp, 0U);
  EXPECT_LE(ws * 2, tcp * 3);
  ASSERT_GT(ws, 0U);
  for (const std::size_t secured : {tls12, tls13}) {
    EXPECT_GT(secured, tcp);
    EXPECT_LE(secured, 16U * 1024U);
  }
  EXPECT_GT(wss, tcp);
  EXPECT_LE(wss, 17U * 1024U);
}

}  // namespace
}  // namespace sb::app
