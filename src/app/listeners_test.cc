#include "app/listeners.h"

#include "app/certificate_watch.h"
#include "app/testing/wire.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace sb::app {
namespace {

using namespace std::chrono_literals;
using testing::ends;
using testing::eventually;
using ::testing::HasSubstr;
using testing::info_of;
using testing::listener;
using testing::node_with;
using testing::Wire;

std::uint16_t port_of(Node& node, const std::string& id) {
  const auto bound = node.listeners().bound(id);
  return bound ? bound->port() : 0;
}

/// Peer, username and client id of the client `id`, from whatever shard it lives on.
struct Seen {
  std::string peer, username, cookie;
};
Seen seen(Node& node, const std::string& id) {
  Seen out;
  for (unsigned shard = 0; shard < node.shard_count(); ++shard) {
    std::promise<void> done;
    node.shard(shard).loop().post([&] {
      node.shard(shard).channels().for_each([&](mqtt::Channel& channel) {
        if (channel.client().info().client_id != id) return;
        out = {channel.client().peer().to_string(), channel.client().info().username,
               channel.client().info().ws_cookie};
      });
      done.set_value();
    });
    done.get_future().get();
  }
  return out;
}

TEST(Listeners, StopsStartsAndRemovesWithoutHurtingOthers) {
  Node node(node_with({listener("tcp:a"), listener("tcp:b")}), {});
  ASSERT_TRUE(node.start().has_value());
  Wire on_a(port_of(node, "tcp:a"));
  Wire on_b(port_of(node, "tcp:b"));
  ASSERT_TRUE(on_a.connect("a") && on_b.connect("b"));
  const std::uint16_t port = port_of(node, "tcp:b");
  ASSERT_TRUE(node.listeners().stop("tcp:b").has_value());
  EXPECT_TRUE(on_b.over());
  EXPECT_TRUE(on_a.ping());
  EXPECT_FALSE(info_of(node, "tcp:b").running);
  EXPECT_TRUE(eventually([&] { return info_of(node, "tcp:b").connections == 0; }));
  EXPECT_EQ(ends(node, "tcp:b", "listener_stopped"), 1U);
  ASSERT_TRUE(node.listeners().start("tcp:b").has_value());
  EXPECT_EQ(port_of(node, "tcp:b"), port);
  Wire again(port);
  ASSERT_TRUE(again.connect("b"));
  ASSERT_TRUE(node.listeners().restart("tcp:b").has_value());
  EXPECT_TRUE(again.over());
  ASSERT_TRUE(node.listeners().remove("tcp:b").has_value());
  EXPECT_EQ(node.listeners().list().size(), 1U);
  EXPECT_EQ(node.listeners().stop("tcp:b").error().code, Errc::NotFound);
  ASSERT_TRUE(node.listeners().add(listener("tcp:c")).has_value());
  Wire on_c(port_of(node, "tcp:c"));
  EXPECT_TRUE(on_c.connect("c"));
  EXPECT_TRUE(on_a.ping());
}

TEST(Listeners, ChangesInPlaceKeepConnections) {
  Node node(node_with({listener("tcp:a")}), {});
  ASSERT_TRUE(node.start().has_value());
  Wire live(port_of(node, "tcp:a"));
  ASSERT_TRUE(live.connect("live"));
  ListenerOptions changed = listener("tcp:a");
  changed.settings.mountpoint = "m/";
  changed.settings.max_connections = 1;
  ASSERT_TRUE(node.listeners().update(changed).has_value());
  EXPECT_TRUE(live.ping());
  Wire refused(port_of(node, "tcp:a"));
  EXPECT_TRUE(refused.over());
  EXPECT_TRUE(eventually([&] { return ends(node, "tcp:a", "max_connections") == 1; }));
  changed.settings.max_connections = 0;
  changed.socket.nodelay = false;  // the sockets are opened anew
  ASSERT_TRUE(node.listeners().update(changed).has_value());
  EXPECT_TRUE(live.ping());
  Wire fresh(port_of(node, "tcp:a"));
  EXPECT_TRUE(fresh.connect("fresh"));
}

TEST(Listeners, ChangedBacklogsAndDisablingEndConnections) {
  Node node(node_with({listener("tcp:a")}), {});
  ASSERT_TRUE(node.start().has_value());
  Wire live(port_of(node, "tcp:a"));
  ASSERT_TRUE(live.connect("live"));
  ListenerOptions changed = listener("tcp:a");
  changed.socket.backlog = 17;
  ASSERT_TRUE(node.listeners().update(changed).has_value());
  EXPECT_TRUE(live.over());
  Wire next(port_of(node, "tcp:a"));
  ASSERT_TRUE(next.connect("next"));
  changed.enable = false;
  ASSERT_TRUE(node.listeners().update(changed).has_value());
  EXPECT_TRUE(next.over());
  EXPECT_FALSE(info_of(node, "tcp:a").running);
}

TEST(Listeners, RefusesOccupiedAddressesByName) {
  Node node(node_with({listener("tcp:a"), listener("tcp:b")}), {});
  ASSERT_TRUE(node.start().has_value());
  ListenerOptions same = listener("tcp:second");
  same.bind = node.bound()[0];
  Node second(node_with({same}), {});
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().what, HasSubstr(same.bind.to_string()));
  EXPECT_THAT(started.error().what, HasSubstr("tcp:second"));
  EXPECT_THAT(started.error().what, HasSubstr("in use"));
  second.stop();
  // Within a node, and a change that cannot be had leaves all as it was.
  Wire live(port_of(node, "tcp:b"));
  ASSERT_TRUE(live.connect("live"));
  ListenerOptions moved = listener("tcp:b");
  moved.bind = node.bound()[0];
  EXPECT_FALSE(node.listeners().update(moved).has_value());
  EXPECT_TRUE(live.ping());
  EXPECT_FALSE(node.listeners().add(listener("tcp:b")).has_value());
}

TEST(Listeners, MovesToANewAddress) {
  Node node(node_with({listener("tcp:a")}), {});
  ASSERT_TRUE(node.start().has_value());
  Wire live(port_of(node, "tcp:a"));
  ASSERT_TRUE(live.connect("live"));
  ListenerOptions moved = listener("tcp:a");
  const auto free = net::Acceptor::probe(*net::Endpoint::parse("127.0.0.1:0"));
  ASSERT_TRUE(free);
  moved.bind = *free;
  ASSERT_TRUE(node.listeners().update(moved).has_value());
  EXPECT_TRUE(live.over());
  EXPECT_EQ(port_of(node, "tcp:a"), free->port());
  Wire fresh(free->port());
  EXPECT_TRUE(fresh.connect("fresh"));
}

TEST(Listeners, ServesIpv6) {
  ListenerOptions v6 = listener("tcp:v6");
  v6.bind = *net::Endpoint::parse("[::1]:0");
  Node node(node_with({v6}), {});
  if (!node.start().has_value()) GTEST_SKIP() << "no IPv6 on this machine";
  const int fd = socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(node.bound()[0].port());
  address.sin6_addr = in6addr_loopback;
  ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const std::string packet = testing::connect_packet("six");
  ASSERT_EQ(::send(fd, packet.data(), packet.size(), 0), static_cast<ssize_t>(packet.size()));
  char answer[4];
  EXPECT_EQ(recv(fd, answer, 4, MSG_WAITALL), 4);
  EXPECT_THAT(seen(node, "six").peer, HasSubstr("[::1]:"));
  ::close(fd);
}

TEST(Listeners, AsksItsAccessRules) {
  ListenerOptions closed = listener("tcp:closed");
  closed.access = *net::AccessRules::parse(std::vector<std::string>{"deny 10.0.0.1, 127.0.0.0/8", "allow all"});
  ListenerOptions open = listener("tcp:open");
  open.access = *net::AccessRules::parse(std::vector<std::string>{"allow 127.0.0.1", "deny all"});
  Node node(node_with({closed, open}), {});
  ASSERT_TRUE(node.start().has_value());
  Wire denied(port_of(node, "tcp:closed"));
  EXPECT_TRUE(denied.over());
  EXPECT_EQ(ends(node, "tcp:closed", "access_denied"), 1U);
  Wire allowed(port_of(node, "tcp:open"));
  EXPECT_TRUE(allowed.connect("x"));
}

TEST(Listeners, LimitsTheRateOfConnections) {
  ListenerOptions slow = listener("tcp:slow");
  slow.limits.connections = {.per_second = 10, .burst = 0};
  Node node(node_with({slow}), {});
  ASSERT_TRUE(node.start().has_value());
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<Wire>> wires;
  for (int i = 0; i < 16; ++i) {
    wires.push_back(std::make_unique<Wire>(port_of(node, "tcp:slow")));
    ASSERT_TRUE(wires.back()->connect("c" + std::to_string(i)));  // none is refused
  }
  EXPECT_GE(std::chrono::steady_clock::now() - began, 400ms);  // ten at once, the others a tenth of a second each
}

TEST(Listeners, LimitsMessagesOfAConnectionWithoutLosingAny) {
  ListenerOptions slow = listener("tcp:slow");
  slow.settings.messages_rate = {.per_second = 20, .burst = 0};
  Node node(node_with({slow}), {});
  ASSERT_TRUE(node.start().has_value());
  Wire client(port_of(node, "tcp:slow"));
  Wire other(port_of(node, "tcp:slow"));
  ASSERT_TRUE(client.connect("slow", 1));
  ASSERT_TRUE(other.connect("other"));
  std::string burst;
  for (int i = 0; i < 60; ++i) burst += testing::kPingreq;
  const auto began = std::chrono::steady_clock::now();
  client.send(burst);
  EXPECT_TRUE(other.ping());  // has a bucket of its own
  // A second's worth at once, what else came with it in its time.
  EXPECT_EQ(client.receive(80).size(), 80U);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 900ms);
  // Longer than the keep-alive of 1.5 s: silence that the broker imposes is not charged.
  EXPECT_EQ(client.receive(40).size(), 40U);
  EXPECT_TRUE(client.ping());
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1900ms);
}

TEST(Listeners, SharesARateAmongItsConnections) {
  ListenerOptions slow = listener("tcp:slow");
  slow.limits.messages = {.per_second = 20, .burst = 0};
  Node node(node_with({slow}), {});
  ASSERT_TRUE(node.start().has_value());
  const auto began = std::chrono::steady_clock::now();
  std::vector<std::unique_ptr<Wire>> wires;
  std::string burst;
  for (int i = 0; i < 15; ++i) burst += testing::kPingreq;
  for (int i = 0; i < 4; ++i) {
    wires.push_back(std::make_unique<Wire>(port_of(node, "tcp:slow")));
    ASSERT_TRUE(wires.back()->connect("c" + std::to_string(i)));
    wires.back()->send(burst);
  }
  for (const auto& wire : wires) EXPECT_EQ(wire->receive(30).size(), 30U);
  EXPECT_GE(std::chrono::steady_clock::now() - began, 1500ms) << "60 of them, 20 at once";
}

TEST(Listeners, LimitsBytesOfListenersAndNode) {
  for (const bool whole_node : {false, true}) {
    ListenerOptions slow = listener("tcp:slow");
    NodeOptions options = node_with({slow}, 1);
    const net::Rate rate{.per_second = 20'000, .burst = 0};
    if (whole_node)
      options.limits.bytes = rate;
    else
      options.listeners[0].limits.bytes = rate;
    Node node(std::move(options), {});
    ASSERT_TRUE(node.start().has_value());
    Wire client(port_of(node, "tcp:slow"));
    ASSERT_TRUE(client.connect("slow"));
    const auto began = std::chrono::steady_clock::now();
    // What goes beyond a second's worth makes the next packet wait, though it came in the same read.
    client.send(testing::publish_packet("t", std::string(30'000, 'x')) + testing::kPingreq);
    EXPECT_EQ(client.receive(2), testing::kPingresp);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 400ms);
    std::string burst;
    for (int i = 0; i < 20; ++i) burst += testing::publish_packet("t", std::string(1'000, 'x'));
    client.send(burst + testing::kPingreq);
    EXPECT_EQ(client.receive(2), testing::kPingresp);
    EXPECT_GE(std::chrono::steady_clock::now() - began, 1300ms);
  }
}

TEST(Listeners, BelievesProxyHeaders) {
  client::ZoneSettings zone;
  zone.cert_as_username = client::CertificateField::CommonName;
  ListenerOptions proxied = listener("tcp:proxied", zone);
  proxied.proxy_protocol = true;
  proxied.proxy_protocol_timeout = 300ms;
  ListenerOptions web = listener("ws:proxied", zone);
  web.websocket.emplace();
  web.proxy_protocol = true;
  Node node(node_with({proxied, web}), {});
  ASSERT_TRUE(node.start().has_value());
  const std::uint16_t port = port_of(node, "tcp:proxied");

  Wire v1(port, {.greeting = "PROXY TCP4 203.0.113.9 10.0.0.1 4444 1883\r\n" + testing::connect_packet("v1")});
  EXPECT_EQ(v1.receive(4), testing::kConnack);
  EXPECT_EQ(seen(node, "v1").peer, "203.0.113.9:4444");

  // Version 2 over IPv6 with the common name of a verified certificate.
  std::string v2("\r\n\r\n\0\r\nQUIT\n\x21\x21", 14);
  const std::string name = "device-9";
  const std::string tls_value = std::string("\x07\0\0\0\0", 5) + "\x22" + testing::text16(name);
  const std::string tlv = "\x20" + testing::text16(tls_value);
  std::string body(36, '\0');
  body[0] = 0x20;
  body[1] = 0x01;
  body[15] = 7;
  body[33] = 99;
  body += tlv;
  v2 += testing::text16(body);
  Wire second(port, {.greeting = v2 + testing::connect_packet("v2")});
  EXPECT_EQ(second.receive(4), testing::kConnack);
  EXPECT_EQ(seen(node, "v2").peer, "[2001::7]:99");
  EXPECT_EQ(seen(node, "v2").username, name);

  // The header counts more than what the HTTP request says.
  Wire on_web(port_of(node, "ws:proxied"), {.web = true,
                                            .greeting = "PROXY TCP4 203.0.113.9 10.0.0.1 4444 1883\r\n",
                                            .headers = "X-Forwarded-For: 1.2.3.4\r\n"});
  ASSERT_TRUE(on_web.connect("on-web"));
  EXPECT_EQ(seen(node, "on-web").peer, "203.0.113.9:4444");

  Wire wrong(port, {.greeting = testing::connect_packet("none")});
  EXPECT_TRUE(wrong.over());
  Wire silent(port, {.greeting = "PROXY TCP4 203"});
  EXPECT_TRUE(silent.over());
  EXPECT_TRUE(eventually([&] {
    return ends(node, "tcp:proxied", "proxy_protocol_timeout") == 1 &&
           ends(node, "tcp:proxied", "proxy_protocol_error") == 1;
  }));
  EXPECT_EQ(info_of(node, "tcp:proxied").connections, 2U);
}

TEST(Listeners, EndsConnectionsThatStayPartial) {
  testing::Pki pki;
  client::ZoneSettings zone;
  zone.idle_timeout = 300ms;
  ListenerOptions secure = listener("ssl:a", zone);
  secure.tls = pki.tls();
  secure.settings.handshake_timeout = 300ms;
  ListenerOptions web = listener("ws:a", zone);
  web.websocket.emplace();
  web.settings.handshake_timeout = 300ms;
  Node node(node_with({listener("tcp:a", zone), secure, web}), {});
  ASSERT_TRUE(node.start().has_value());
  const std::string cases[][3] = {{"tcp:a", testing::connect_packet(std::string(200, 'x')), "idle_timeout"},
                                  {"ssl:a", "\x16\x03\x01\x02" + std::string(300, '\0'), "handshake_timeout"},
                                  {"ws:a", testing::kUpgrade, "handshake_timeout"}};
  for (const auto& [id, bytes, reason] : cases) {
    Wire client(port_of(node, id));
    for (std::size_t i = 0; i < 100 && ends(node, id, reason) == 0; ++i) {  // one byte at a time buys nothing
      client.send_raw(bytes.substr(i, 1));
      std::this_thread::sleep_for(20ms);
    }
    EXPECT_TRUE(client.over()) << id;
    EXPECT_EQ(ends(node, id, reason), 1U) << id;
  }
}

TEST(Listeners, TakesIdentitiesFromCertificates) {
  testing::Pki pki;
  client::ZoneSettings zone;
  zone.cert_as_clientid = client::CertificateField::CommonName;
  zone.cert_as_username = client::CertificateField::Dn;
  ListenerOptions secure = listener("ssl:a", zone);
  secure.tls = pki.tls();
  secure.tls->verify_peer = secure.tls->fail_if_no_peer_cert = true;
  Node node(node_with({secure}), {});
  ASSERT_TRUE(node.start().has_value());
  for (int i = 0; i < 6; ++i) {  // of either shard
    const std::string name = "device-" + std::to_string(i);
    const testing::Identity device = testing::make_identity({.common_name = name, .issuer = &pki.ca});
    Wire client(port_of(node, "ssl:a"),
                {.tls = true, .setup = [&](SSL_CTX* context) { net::testing::use_identity(context, device); }});
    ASSERT_TRUE(client.connect("another"));
    EXPECT_EQ(seen(node, name).username, "CN=" + name + ",O=Signalbox");
  }
}

TEST(Listeners, ReloadsCertificatesForTheNextHandshake) {
  testing::Pki pki;
  ListenerOptions secure = listener("ssl:a");
  secure.tls = pki.tls();
  Node node(node_with({secure}), {});
  ASSERT_TRUE(node.start().has_value());
  Wire live(port_of(node, "ssl:a"), {.tls = true});
  ASSERT_TRUE(live.connect("live"));
  const auto shown = [&] {
    testing::TlsClient client;
    EXPECT_TRUE(client.connect(port_of(node, "ssl:a")));
    char name[64] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client.ssl())), NID_commonName, name,
                              sizeof name);
    return std::string(name);
  };
  pki.server = testing::make_identity({.common_name = "renewed", .issuer = &pki.ca});
  pki.tls();  // writes the files
  EXPECT_EQ(shown(), "localhost");
  ASSERT_TRUE(node.listeners().reload_certificates().has_value());
  EXPECT_EQ(shown(), "renewed");
  pki.folder.write("cert.pem", "no certificate");
  EXPECT_FALSE(node.listeners().reload_certificates().has_value());
  EXPECT_EQ(shown(), "renewed");
  EXPECT_TRUE(live.ping());
}

TEST(Listeners, ReadsCertificateFilesThatHaveChanged) {
  // Names of quite different lengths: files of one moment differ in size.
  static constexpr const char* kSecond = "the second one of all of them";
  static constexpr const char* kThird = "the third one, with a name longer than all others";
  testing::Pki pki;
  ListenerOptions secure = listener("ssl:a");
  secure.tls = pki.tls();
  Node node(node_with({secure}), {});
  ASSERT_TRUE(node.start().has_value());
  const auto shown = [&] {
    testing::TlsClient client;
    EXPECT_TRUE(client.connect(port_of(node, "ssl:a")));
    char name[64] = {};
    X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(client.ssl())), NID_commonName, name,
                              sizeof name);
    return std::string(name);
  };
  const auto renew = [&pki](const char* name) {
    pki.server = testing::make_identity({.common_name = name, .issuer = &pki.ca});
  };
  Listeners& listeners = node.listeners();
  listeners.reload_changed_certificates();
  EXPECT_EQ(shown(), "localhost");
  renew(kSecond);
  pki.tls();  // writes the files
  listeners.reload_changed_certificates();
  EXPECT_EQ(shown(), kSecond);
  // A certificate without its key changes nothing, until the key comes.
  renew(kThird);
  pki.folder.write("cert.pem", net::testing::to_pem(*pki.server.certificate));
  listeners.reload_changed_certificates();
  EXPECT_EQ(shown(), kSecond);
  pki.tls();
  listeners.reload_changed_certificates();
  EXPECT_EQ(shown(), kThird);
  std::filesystem::remove(pki.folder.path() / "key.pem");
  listeners.reload_changed_certificates();
  EXPECT_EQ(shown(), kThird);

  const SystemClock clock;
  runtime::Loop loop(clock, {});
  CertificateWatch watch(loop, listeners, 1ms);
  std::thread running([&loop] { loop.run(); });
  renew("watched");
  pki.tls();
  EXPECT_TRUE(eventually([&] { return shown() == "watched"; }));
  loop.stop();
  running.join();
}

TEST(Listeners, TellsHowWebSocketsEnded) {
  ListenerOptions web = listener("ws:a");
  web.websocket.emplace();
  web.settings.max_connections = 2;
  Node node(node_with({web}), {});
  ASSERT_TRUE(node.start().has_value());
  const std::uint16_t port = port_of(node, "ws:a");
  Wire text(port, {.web = true, .headers = "X-Forwarded-For: 203.0.113.5, 10.0.0.1\r\nCookie: k=v\r\n"});
  ASSERT_TRUE(text.connect("text"));
  EXPECT_EQ(seen(node, "text").peer, "203.0.113.5:0");
  EXPECT_EQ(seen(node, "text").cookie, "k=v");
  Wire second(port, {.web = true});
  ASSERT_TRUE(second.connect("second"));
  Wire third(port, {.web = true});
  EXPECT_TRUE(third.open());  // the upgrade comes first
  EXPECT_EQ(third.receive(1), "");
  text.send_raw(testing::masked_frame("hello", codec::websocket::Opcode::Text));
  EXPECT_TRUE(eventually([&] { return ends(node, "ws:a", "unexpected_ws_frame") == 1; }));
  EXPECT_EQ(ends(node, "ws:a", "max_connections"), 1U);
  EXPECT_TRUE(eventually([&] { return info_of(node, "ws:a").connections == 1; }));
}

TEST(Listeners, AForwardedAddressLiftsNoBan) {
  ListenerOptions web = listener("ws:a");
  web.websocket.emplace();
  Node node(node_with({web}), {});
  ASSERT_TRUE(node.start().has_value());
  const std::uint16_t port = port_of(node, "ws:a");
  const Wire::Options forwarded{.web = true, .headers = "X-Forwarded-For: 203.0.113.5\r\n"};
  Wire before(port, forwarded);
  EXPECT_TRUE(before.connect("before"));
  access::Ban ban;
  ban.as = access::BanKind::PeerHost;
  ban.who = "127.0.0.1";
  ASSERT_TRUE(node.access().ban(ban));
  Wire after(port, forwarded);
  EXPECT_FALSE(after.connect("after"));
}

TEST(Listeners, EndsWebSocketsWithoutAnyFrame) {
  ListenerOptions web = listener("ws:a");
  web.websocket.emplace();
  web.websocket->idle_timeout = 300ms;
  Node node(node_with({web}), {});
  ASSERT_TRUE(node.start().has_value());
  Wire pinging(port_of(node, "ws:a"), {.web = true});
  Wire silent(port_of(node, "ws:a"), {.web = true});
  ASSERT_TRUE(pinging.connect("pinging") && silent.connect("silent"));
  EXPECT_TRUE(eventually([&] {
    pinging.send_raw(testing::masked_frame("", codec::websocket::Opcode::Ping));
    return ends(node, "ws:a", "idle_timeout") == 1;
  }));
  EXPECT_TRUE(silent.receive(1).empty());
  EXPECT_EQ(info_of(node, "ws:a").connections, 1U);
}

}  // namespace
}  // namespace sb::app
