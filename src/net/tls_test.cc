#include "net/tls.h"

#include "net/psk_table.h"
#include "net/testing/echo_server.h"
#include "net/testing/tls_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

namespace sb::net {
namespace {

using testing::EchoServer;
using testing::Folder;
using ::testing::HasSubstr;
using testing::Identity;
using testing::make_identity;
using testing::TlsClient;

struct TlsTest : ::testing::Test {
  Folder folder;
  Identity ca = make_identity({.common_name = "Test CA", .authority = true});
  Identity other_ca = make_identity({.common_name = "Other CA", .authority = true});
  Identity server = make_identity({.common_name = "localhost", .issuer = &ca});

  TlsOptions options() {
    TlsOptions out;
    out.certificate_file = folder.write("cert.pem", testing::to_pem(*server.certificate));
    out.key_file = folder.write("key.pem", testing::to_pem(*server.key));
    out.ca_file = folder.write("ca.pem", testing::to_pem(*ca.certificate));
    return out;
  }
  static EchoServer::MakeLayer layer(const TlsOptions& options) {
    auto context = TlsContext::make(options);
    SB_CHECK(context.has_value(), context ? "" : context.error().what.c_str());
    return [context = *context] { return make_tls_layer(context, std::nullopt); };
  }
  std::string refusal(const TlsOptions& options, const std::function<void(SSL_CTX*)>& setup) {
    EchoServer echo(layer(options));
    TlsClient client(setup);
    EXPECT_FALSE(client.connect(echo.port()) && client.works());
    client.close();
    const auto ends = echo.ends(1);
    if (ends.empty()) return "nothing ended";
    EXPECT_EQ(ends[0].reason, "ssl_error");
    return ends[0].detail;
  }
};

TEST_F(TlsTest, ServesBothVersions) {
  EchoServer echo(layer(options()));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client([&](SSL_CTX* context) {
      testing::trust(context, ca);
      SSL_CTX_set_max_proto_version(context, version);
    });
    ASSERT_TRUE(client.connect(echo.port()));
    EXPECT_EQ(SSL_version(client.ssl()), version);
    EXPECT_TRUE(client.works());
  }
}

TEST_F(TlsTest, ServesOldVersionsWhenConfigured) {
  TlsOptions old = options();
  old.versions = {TlsVersion::Tls10, TlsVersion::Tls11};
  EchoServer echo(layer(old));
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    TlsClient client([&](SSL_CTX* context) {
      SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0");
      SSL_CTX_set_min_proto_version(context, version);
      SSL_CTX_set_max_proto_version(context, version);
    });
    ASSERT_TRUE(client.connect(echo.port()));
    EXPECT_TRUE(client.works());
  }
}

TEST_F(TlsTest, CarriesLargeAmountsBothWays) {
  EchoServer echo(layer(options()));
  TlsClient client;
  ASSERT_TRUE(client.connect(echo.port()));
  std::string big(5'000'000, 'x');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>(i * 31 + i / 251);
  // The echo waits in the server's outbox while the client does nothing but write.
  ASSERT_TRUE(client.send(big));
  EXPECT_EQ(client.receive(big.size()), big);
}

TEST_F(TlsTest, ReadsManyRecordsAtOnce) {
  EchoServer echo(layer(options()));
  TlsClient client;
  ASSERT_TRUE(client.connect(echo.port()));
  ASSERT_TRUE(client.works());
  BIO* const held = BIO_new(BIO_s_mem());  // 100 records leave in one send
  SSL_set0_wbio(client.ssl(), held);
  const std::size_t before = echo.batches();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.send("0123456789"));
  char* data = nullptr;
  const long size = BIO_get_mem_data(held, &data);
  ASSERT_EQ(::send(client.fd(), data, static_cast<std::size_t>(size), 0), size);
  EXPECT_EQ(client.receive(1000).size(), 1000U);
  EXPECT_LE(echo.batches() - before, 3U);
}

TEST_F(TlsTest, ShowsTheClientsCertificate) {
  TlsOptions mutual = options();
  mutual.verify_peer = mutual.fail_if_no_peer_cert = true;
  EchoServer echo(layer(mutual));
  const Identity device = make_identity({.common_name = "device-7", .issuer = &ca});
  TlsClient client([&](SSL_CTX* context) { testing::use_identity(context, device); });
  ASSERT_TRUE(client.connect(echo.port()));
  ASSERT_TRUE(client.works());
  echo.on_shard([&] {
    const PeerCertificate* const seen = echo.newest().peer_certificate();
    ASSERT_NE(seen, nullptr);
    EXPECT_EQ(seen->common_name, "device-7");
    EXPECT_EQ(seen->subject_dn, "CN=device-7,O=Signalbox");
    EXPECT_FALSE(seen->der.empty());
  });
}

TEST_F(TlsTest, RefusesClientsWithoutCertificate) {
  TlsOptions mutual = options();
  mutual.verify_peer = mutual.fail_if_no_peer_cert = true;
  EXPECT_EQ(refusal(mutual, {}), "the client showed no certificate");
}

TEST_F(TlsTest, LetsClientsWithoutCertificateInWhenItMay) {
  TlsOptions optional = options();
  optional.verify_peer = true;
  EchoServer echo(layer(optional));
  TlsClient client;
  ASSERT_TRUE(client.connect(echo.port()));
  EXPECT_TRUE(client.works());
}

TEST_F(TlsTest, RefusesCertificatesOfAnUnknownAuthority) {
  TlsOptions mutual = options();
  mutual.verify_peer = true;
  const Identity stranger = make_identity({.common_name = "device-7", .issuer = &other_ca});
  EXPECT_EQ(refusal(mutual, [&](SSL_CTX* context) { testing::use_identity(context, stranger); }),
            "the client's certificate is of an unknown CA");
}

TEST_F(TlsTest, RefusesExpiredCertificates) {
  TlsOptions mutual = options();
  mutual.verify_peer = true;
  const Identity old =
      make_identity({.common_name = "device-7", .issuer = &ca, .valid_from_s = -7200, .valid_to_s = -3600});
  EXPECT_EQ(refusal(mutual, [&](SSL_CTX* context) { testing::use_identity(context, old); }),
            "the client's certificate has expired");
}

TEST_F(TlsTest, SaysThatTheClientDoesNotTrustUs) {
  EXPECT_THAT(refusal(options(), [&](SSL_CTX* context) { testing::trust(context, other_ca); }),
              HasSubstr("the client does not trust our certificate"));
}

TEST_F(TlsTest, SaysThatNoCipherIsShared) {
  TlsOptions narrow = options();
  narrow.versions = {TlsVersion::Tls12};
  narrow.ciphers = {"ECDHE-ECDSA-AES256-GCM-SHA384"};
  EXPECT_EQ(
      refusal(narrow, [](SSL_CTX* context) { SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256"); }),
      "no shared cipher");
}

TEST_F(TlsTest, SaysThatNoVersionIsShared) {
  TlsOptions narrow = options();
  narrow.versions = {TlsVersion::Tls13};
  EXPECT_EQ(refusal(narrow, [](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); }),
            "no shared TLS version");
}

TEST_F(TlsTest, RecognisesPlainProtocols) {
  EchoServer echo(layer(options()));
  const std::pair<std::string, std::string> cases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "plain HTTP on a TLS port"},
      {std::string("\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", 14), "plain MQTT on a TLS port"},
      {"SSH-2.0-OpenSSH_9.2\r\n", "what came is not TLS"},
  };
  std::size_t count = 0;
  for (const auto& [bytes, reason] : cases) {
    const int fd = testing::connect_to(echo.port());
    ASSERT_EQ(::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    const auto ends = echo.ends(++count);
    ASSERT_EQ(ends.size(), count);
    EXPECT_EQ(ends.back().detail, reason);
    ::close(fd);
  }
}

TEST_F(TlsTest, NoticesAnEndDuringTheHandshake) {
  EchoServer echo(layer(options()));
  const int fd = testing::connect_to(echo.port());
  ASSERT_EQ(::send(fd, "\x16\x03\x01", 3, MSG_NOSIGNAL), 3);
  ::close(fd);
  const auto ends = echo.ends(1);
  ASSERT_EQ(ends.size(), 1U);
  EXPECT_EQ(ends[0].reason, "ssl_closed");
}

TEST_F(TlsTest, ResumesSessionsByTicket) {
  EchoServer echo(layer(options()));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client([&](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, version); });
    ASSERT_TRUE(client.connect(echo.port()));
    ASSERT_TRUE(client.works());
    client.keep_session();
    ASSERT_TRUE(client.connect(echo.port()));
    ASSERT_TRUE(client.works());
    EXPECT_EQ(SSL_session_reused(client.ssl()), 1) << version;
  }
}

TEST_F(TlsTest, ResumesNothingWhenTold) {
  TlsOptions once = options();
  once.reuse_sessions = false;
  EchoServer echo(layer(once));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client([&](SSL_CTX* context) { SSL_CTX_set_max_proto_version(context, version); });
    ASSERT_TRUE(client.connect(echo.port()));
    ASSERT_TRUE(client.works());
    client.keep_session();
    ASSERT_TRUE(client.connect(echo.port()));
    ASSERT_TRUE(client.works());
    EXPECT_EQ(SSL_session_reused(client.ssl()), 0) << version;
  }
}

unsigned psk_client(SSL*, const char*, char* identity, unsigned, unsigned char* key, unsigned) {
  std::strcpy(identity, "sensor");
  std::memcpy(key, "open sesame", 11);
  return 11;
}

TEST_F(TlsTest, ServesPreSharedKeysInBothVersions) {
  PskTable table;
  ASSERT_TRUE(table.import_text("sensor:open sesame\n", ':').has_value());
  TlsOptions psk;
  psk.psk = [&table](std::string_view identity) { return table.find(identity); };
  EchoServer echo(layer(psk));
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client([&](SSL_CTX* context) {
      SSL_CTX_set_max_proto_version(context, version);
      SSL_CTX_set_cipher_list(context, "PSK");
      SSL_CTX_set_psk_client_callback(context, psk_client);
    });
    ASSERT_TRUE(client.connect(echo.port())) << version;
    EXPECT_TRUE(client.works());
    EXPECT_EQ(SSL_version(client.ssl()), version);
  }
}

TEST(PskTable, ReadsNoPipe) {
  char folder[] = "/tmp/psk_table_test_XXXXXX";
  ASSERT_TRUE(mkdtemp(folder));
  const std::string pipe = std::string(folder) + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_FALSE(PskTable().import_file(pipe, ':'));
  std::filesystem::remove_all(folder);
}

TEST_F(TlsTest, RefusesUnknownAndWrongPreSharedKeys) {
  for (const char* line : {"other:open sesame", "sensor:wrong"}) {
    PskTable table;
    ASSERT_TRUE(table.import_text(line, ':').has_value());
    TlsOptions psk;
    psk.psk = [&table](std::string_view identity) { return table.find(identity); };
    EchoServer echo(layer(psk));
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      TlsClient client([&](SSL_CTX* context) {
        SSL_CTX_set_max_proto_version(context, version);
        SSL_CTX_set_cipher_list(context, "PSK");
        SSL_CTX_set_psk_client_callback(context, psk_client);
      });
      EXPECT_FALSE(client.connect(echo.port()) && client.works()) << line << version;
    }
  }
}

TEST_F(TlsTest, ServesNewConnectionsWithAReloadedCertificate) {
  EchoServer echo(layer(options()));
  TlsClient live;
  ASSERT_TRUE(live.connect(echo.port()));
  server = make_identity({.common_name = "renewed", .issuer = &ca});
  echo.set_layer(layer(options()));
  TlsClient fresh([&](SSL_CTX* context) { testing::trust(context, ca); });
  ASSERT_TRUE(fresh.connect(echo.port()));
  X509* const shown = SSL_get0_peer_certificate(fresh.ssl());
  char name[64] = {};
  X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName, name, sizeof name);
  EXPECT_STREQ(name, "renewed");
  EXPECT_TRUE(live.works());
}

TEST_F(TlsTest, StaplesTheAnswerThatItHolds) {
  TlsOptions stapling = options();
  stapling.staple = std::make_shared<StapleHolder>();
  EchoServer echo(layer(stapling));
  const auto stapled = [&] {
    TlsClient client([](SSL_CTX* context) { SSL_CTX_set_tlsext_status_type(context, TLSEXT_STATUSTYPE_ocsp); });
    EXPECT_TRUE(client.connect(echo.port()));
    const unsigned char* bytes = nullptr;
    const long size = SSL_get_tlsext_status_ocsp_resp(client.ssl(), &bytes);
    return size <= 0 ? std::string()
                     : std::string(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  };
  EXPECT_EQ(stapled(), "");
  stapling.staple->set(std::make_shared<const std::string>("DER of an answer"));
  EXPECT_EQ(stapled(), "DER of an answer");
}

TEST_F(TlsTest, FailsByNameOnBadFiles) {
  TlsOptions bad = options();
  bad.certificate_file = "/nowhere/cert.pem";
  EXPECT_THAT(TlsContext::make(bad).error().what, HasSubstr("/nowhere/cert.pem"));
  bad = options();
  bad.key_file = folder.write("other.pem", testing::to_pem(*ca.key));
  EXPECT_THAT(TlsContext::make(bad).error().what, HasSubstr("other.pem"));
  bad = options();
  bad.fail_if_no_peer_cert = true;
  EXPECT_THAT(TlsContext::make(bad).error().what, HasSubstr("verify_peer"));
  bad = options();
  bad.ciphers = {"NO-SUCH-SUITE"};
  EXPECT_THAT(TlsContext::make(bad).error().what, HasSubstr("ciphers"));
  bad = options();
  bad.versions = {};
  EXPECT_THAT(TlsContext::make(bad).error().what, HasSubstr("versions"));
}

TEST_F(TlsTest, OpensKeysWithTheirPassword) {
  TlsOptions locked = options();
  locked.key_file = folder.write("locked.pem", testing::to_pem(*server.key, "secret word"));
  EXPECT_FALSE(TlsContext::make(locked).has_value());
  locked.password = Secret("secret word");
  EXPECT_TRUE(TlsContext::make(locked).has_value());
}

TEST(PskTable, TakesWhatAStoreKeptUnlessItKnowsBetter) {
  PskTable table;
  ASSERT_TRUE(table.import_text("a:new\n", ':'));
  table.add_missing({{"a", Secret("old")}, {"b", Secret("kept")}});
  EXPECT_EQ(table.find("a")->reveal(), "new");
  EXPECT_EQ(table.find("b")->reveal(), "kept");
  EXPECT_EQ(table.all().size(), 2U);
}

TEST(PskTable, ImportsWholeFilesOrNothing) {
  PskTable table;
  ASSERT_EQ(table.import_text("a:1\r\nb:2:3\n", ':').value(), 2U);
  EXPECT_EQ(table.find("a")->reveal(), "1");
  EXPECT_EQ(table.find("b")->reveal(), "2:3");
  EXPECT_FALSE(table.find("c"));
  const auto bad = table.import_text("c:4\n\nd:5\n", ':');
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().what, HasSubstr("line 2"));
  EXPECT_FALSE(table.find("c"));
  ASSERT_TRUE(table.import_text("a:9\n", ':'));
  EXPECT_EQ(table.find("a")->reveal(), "9");
  EXPECT_EQ(table.size(), 2U);
  EXPECT_FALSE(table.import_file("/nowhere/psk", ':'));
}

}  // namespace
}  // namespace sb::net
