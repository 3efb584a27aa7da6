#include "mqtt/client_id.h"

#include <gtest/gtest.h>

namespace sb::mqtt {
namespace {

using client::CertificateField;

class NamesTest : public testing::Test {
 protected:
  NamesTest() {
    packet.client_id = "sent";
    packet.username = "user";
    certificate.common_name = "device7";
    certificate.subject_dn = "CN=device7,O=Test";
  }
  Names of(bool shows_certificate = true) { return names_of(packet, shows_certificate ? &certificate : nullptr, zone); }

  codec::mqtt::ConnectView packet;
  net::PeerCertificate certificate;
  client::ZoneSettings zone;
};

TEST_F(NamesTest, AreThoseOfConnectUnlessTheZoneSaysOtherwise) {
  EXPECT_EQ(of().username, "user");
  EXPECT_EQ(of().client_id, "sent");
  packet.username = std::nullopt;
  packet.client_id = {};
  EXPECT_EQ(of().username, "");
  EXPECT_EQ(of().client_id, "") << "one has to be made up";
}

TEST_F(NamesTest, TheCertificateReplacesTheUsername) {
  zone.cert_as_username = CertificateField::CommonName;
  EXPECT_EQ(of().username, "device7");
  EXPECT_EQ(of().client_id, "sent");
  packet.username = std::nullopt;
  EXPECT_EQ(of().username, "device7");
  certificate.common_name = {};
  packet.username = "user";
  EXPECT_EQ(of().username, "") << "what CONNECT says is not proved by a certificate that names nobody";
  EXPECT_EQ(of(false).username, "user");
}

TEST_F(NamesTest, TheUsernameThatCountsBecomesTheClientId) {
  zone.use_username_as_clientid = true;
  EXPECT_EQ(of().client_id, "user");
  zone.cert_as_username = CertificateField::CommonName;
  EXPECT_EQ(of().client_id, "device7") << "the id decides on the shard: the username of CONNECT must not";
  packet.username = std::nullopt;
  EXPECT_EQ(of().client_id, "device7");
  EXPECT_EQ(of(false).client_id, "");
}

TEST_F(NamesTest, TheCertificateWinsAsClientId) {
  zone.use_username_as_clientid = true;
  zone.cert_as_clientid = CertificateField::CommonName;
  EXPECT_EQ(of().client_id, "device7");
  EXPECT_EQ(of().username, "user");
  EXPECT_EQ(of(false).client_id, "user");
  zone.use_username_as_clientid = false;
  EXPECT_EQ(of(false).client_id, "sent");
  certificate.common_name = {};
  EXPECT_EQ(of().client_id, "sent");
}

}  // namespace
}  // namespace sb::mqtt
