#include "driver/certificate_status/service.h"

#include "net/testing/echo_server.h"
#include "net/testing/tls_client.h"
#include "net/tls.h"

#include <gtest/gtest.h>
#include <openssl/ocsp.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

namespace sb::driver::certificate_status {
namespace {

using namespace std::chrono_literals;
using net::testing::Identity;
using net::testing::make_identity;

/// Answers GET requests by the beginning of their path; 404 for the others.
class HttpServer {
 public:
  HttpServer() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SB_CHECK(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
    SB_CHECK(listen(listener_, 16) == 0, "listen");
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~HttpServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  void serve(const std::string& path, std::string body) {
    const std::lock_guard guard(mutex_);
    bodies_[path] = std::move(body);
  }
  int requests() const { return requests_; }

 private:
  void run() {
    for (;;) {
      const int fd = accept(listener_, nullptr, nullptr);
      if (fd < 0) return;
      std::string request;
      char buffer[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) break;
        request.append(buffer, static_cast<std::size_t>(n));
      }
      ++requests_;
      const std::string path = request.substr(4, request.find(' ', 4) - 4);
      std::string answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
      {
        const std::lock_guard guard(mutex_);
        for (const auto& [prefix, body] : bodies_)
          if (path.starts_with(prefix))
            answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) +
                     "\r\n\r\n" + body;
      }
      (void)!::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::close(fd);
    }
  }
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_{0};
  std::mutex mutex_;
  std::map<std::string, std::string> bodies_;
  std::thread thread_;
};

template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

struct StatusTest : ::testing::Test {
  net::testing::Folder folder;
  HttpServer http;
  Identity ca = make_identity({.common_name = "Test CA", .authority = true});
  Identity server = make_identity({.common_name = "localhost", .issuer = &ca, .serial = 77});

  net::TlsOptions tls() {
    net::TlsOptions out;
    out.certificate_file = folder.write("cert.pem", net::testing::to_pem(*server.certificate));
    out.key_file = folder.write("key.pem", net::testing::to_pem(*server.key));
    out.ca_file = folder.write("ca.pem", net::testing::to_pem(*ca.certificate));
    return out;
  }

  std::string crl(std::vector<long> revoked, long valid_to_s = 3600) {
    X509_CRL* const list = X509_CRL_new();
    X509_CRL_set_version(list, 1);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(ca.certificate.get()));
    ASN1_TIME* const moment = ASN1_TIME_new();
    X509_gmtime_adj(moment, -3600);
    X509_CRL_set1_lastUpdate(list, moment);
    for (const long serial : revoked) {
      X509_REVOKED* const entry = X509_REVOKED_new();
      ASN1_INTEGER* const number = ASN1_INTEGER_new();
      ASN1_INTEGER_set(number, serial);
      X509_REVOKED_set_serialNumber(entry, number);
      X509_REVOKED_set_revocationDate(entry, moment);
      X509_CRL_add0_revoked(list, entry);
      ASN1_INTEGER_free(number);
    }
    X509_gmtime_adj(moment, valid_to_s);
    X509_CRL_set1_nextUpdate(list, moment);
    ASN1_TIME_free(moment);
    X509_CRL_sort(list);
    X509_CRL_sign(list, ca.key.get(), EVP_sha256());
    BIO* const out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509_CRL(out, list);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string pem(data, static_cast<std::size_t>(size));
    BIO_free(out);
    X509_CRL_free(list);
    return pem;
  }

  std::string ocsp(int status, const Identity& signer, long valid_to_s = 3600) {
    OCSP_BASICRESP* const basic = OCSP_BASICRESP_new();
    OCSP_CERTID* const id = OCSP_cert_to_id(EVP_sha1(), server.certificate.get(), ca.certificate.get());
    ASN1_TIME* const from = X509_gmtime_adj(nullptr, -3600);
    ASN1_TIME* const until = X509_gmtime_adj(nullptr, valid_to_s);
    OCSP_basic_add1_status(basic, id, status, 0, status == V_OCSP_CERTSTATUS_REVOKED ? from : nullptr, from, until);
    OCSP_basic_sign(basic, signer.certificate.get(), signer.key.get(), EVP_sha256(), nullptr, 0);
    OCSP_RESPONSE* const response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    std::string der(static_cast<std::size_t>(i2d_OCSP_RESPONSE(response, nullptr)), '\0');
    auto* at = reinterpret_cast<unsigned char*>(der.data());
    i2d_OCSP_RESPONSE(response, &at);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    return der;
  }

  static net::testing::EchoServer::MakeLayer layer(const net::TlsOptions& options) {
    const auto context = net::TlsContext::make(options);
    SB_CHECK(context.has_value(), "TLS");
    return [context = *context] { return net::make_tls_layer(context, std::nullopt); };
  }
};

TEST_F(StatusTest, RefusesRevokedClientsByTheirLists) {
  http.serve("/list.crl", crl({5}));
  Service service({}, 50ms);
  net::TlsOptions options = tls();
  options.verify_peer = options.fail_if_no_peer_cert = true;
  options.crls = service.crls();
  net::testing::EchoServer echo(layer(options));
  const Identity good =
      make_identity({.common_name = "good", .issuer = &ca, .serial = 4, .crl_url = http.url("/list.crl")});
  const Identity bad =
      make_identity({.common_name = "bad", .issuer = &ca, .serial = 5, .crl_url = http.url("/list.crl")});
  const Identity none = make_identity({.common_name = "none", .issuer = &ca, .serial = 6});
  const auto served = [&](const Identity& who) {
    net::testing::TlsClient client([&](SSL_CTX* context) { net::testing::use_identity(context, who); });
    return client.connect(echo.port()) && client.works();
  };
  EXPECT_FALSE(served(good));  // the list is not here yet; it is asked for
  EXPECT_EQ(echo.ends(1).at(0).detail, "the revocation list of the client's certificate is not here yet");
  EXPECT_TRUE(eventually([&] { return service.crls()->size() == 1; }));
  EXPECT_TRUE(served(good));
  EXPECT_FALSE(served(bad));
  EXPECT_TRUE(eventually([&] {
    const auto ends = echo.ends(2);
    return std::any_of(ends.begin(), ends.end(),
                       [](const auto& end) { return end.detail == "the client's certificate is revoked"; });
  }));
  EXPECT_TRUE(served(none));
}

TEST_F(StatusTest, FetchesNothingForStrangers) {
  Service service({}, 50ms);
  net::TlsOptions options = tls();
  options.verify_peer = true;
  options.crls = service.crls();
  net::testing::EchoServer echo(layer(options));
  const Identity stranger = make_identity({.common_name = "x", .crl_url = http.url("/trap")});
  net::testing::TlsClient client([&](SSL_CTX* context) { net::testing::use_identity(context, stranger); });
  EXPECT_FALSE(client.connect(echo.port()) && client.works());
  ASSERT_EQ(echo.ends(1).size(), 1U);
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(http.requests(), 0);
}

TEST_F(StatusTest, RefreshesListsAndRetriesAndKeepsToItsCapacity) {
  Service service({.refresh_interval = 50ms, .http_timeout = 1s, .capacity = 2}, 50ms);
  const auto store = service.crls();
  EXPECT_EQ(store->find(http.url("/a")), nullptr);  // 404 at first
  EXPECT_TRUE(eventually([&] { return http.requests() >= 2; }));
  http.serve("/a", crl({}));
  EXPECT_TRUE(eventually([&] { return store->find(http.url("/a")) != nullptr; }));
  const auto old = *store->find(http.url("/a"));
  http.serve("/a", crl({9}));
  EXPECT_TRUE(eventually([&] { return *store->find(http.url("/a")) != old; }));
  http.serve("/b", crl({}));
  http.serve("/c", crl({}));
  EXPECT_TRUE(eventually([&] { return store->find(http.url("/b")) != nullptr; }));
  EXPECT_TRUE(eventually([&] { return store->find(http.url("/c")) != nullptr; }));
  EXPECT_LE(store->size(), 2U);
}

TEST_F(StatusTest, StaplesGoodAnswersOnly) {
  http.serve("/ocsp/", ocsp(V_OCSP_CERTSTATUS_GOOD, ca));
  Service service({}, 50ms);
  net::TlsOptions options = tls();
  OcspSettings settings;
  settings.certificate_file = options.certificate_file;
  settings.issuer_file = options.ca_file;
  settings.responder_url = http.url("/ocsp");
  settings.refresh_interval = 50ms;
  const auto holder = service.staple(settings);
  ASSERT_TRUE(holder);
  EXPECT_TRUE(eventually([&] { return (*holder)->get() != nullptr; }));
  options.staple = *holder;
  net::testing::EchoServer echo(layer(options));
  net::testing::TlsClient client(
      [](SSL_CTX* context) { SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp); });
  ASSERT_TRUE(client.connect(echo.port()));
  const unsigned char* bytes = nullptr;
  EXPECT_GT(SSL_get_tlsext_status_ocsp_resp(client.ssl(), &bytes), 0);

  http.serve("/ocsp/", ocsp(V_OCSP_CERTSTATUS_REVOKED, ca));
  EXPECT_TRUE(eventually([&] { return (*holder)->get() == nullptr; }));
  http.serve("/ocsp/", ocsp(V_OCSP_CERTSTATUS_GOOD, ca));
  EXPECT_TRUE(eventually([&] { return (*holder)->get() != nullptr; }));
  const Identity stranger = make_identity({.common_name = "Test CA", .authority = true});
  http.serve("/ocsp/", ocsp(V_OCSP_CERTSTATUS_GOOD, stranger));
  EXPECT_TRUE(eventually([&] { return (*holder)->get() == nullptr; }));
  http.serve("/ocsp/", ocsp(V_OCSP_CERTSTATUS_GOOD, ca, -1000));
  const int before = http.requests();
  EXPECT_TRUE(eventually([&] { return http.requests() > before + 2; }));
  EXPECT_EQ((*holder)->get(), nullptr);

  settings.issuer_file = "/nowhere.pem";
  EXPECT_FALSE(service.staple(settings));
}

}  // namespace
}  // namespace sb::driver::certificate_status
