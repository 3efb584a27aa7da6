#include "mqtt/client_id.h"

#include <openssl/evp.h>

namespace sb::mqtt {

std::string new_client_id(broker::Broker& broker) {
  static constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  std::string id;
  for (int half = 0; half < 2; ++half) {
    std::uint64_t bits = broker.random();
    for (int i = 0; i < 11; ++i) {
      id.push_back(kAlphabet[bits % kAlphabet.size()]);
      bits /= kAlphabet.size();
    }
  }
  return id;
}

std::optional<std::string> certificate_field(const net::PeerCertificate& certificate, client::CertificateField field) {
  std::string out;
  switch (field) {
    case client::CertificateField::Disabled:
      return std::nullopt;
    case client::CertificateField::CommonName:
      out = certificate.common_name;
      break;
    case client::CertificateField::Dn:
      out = certificate.subject_dn;
      break;
    case client::CertificateField::Der:
      out = certificate.der;
      break;
    case client::CertificateField::Pem: {
      out.resize(4 * ((certificate.der.size() + 2) / 3) + 1);
      const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                    reinterpret_cast<const unsigned char*>(certificate.der.data()),
                                    static_cast<int>(certificate.der.size()));
      out.resize(static_cast<std::size_t>(n));
      break;
    }
    case client::CertificateField::Md5: {
      unsigned char digest[EVP_MAX_MD_SIZE];
      unsigned size = 0;
      if (EVP_Digest(certificate.der.data(), certificate.der.size(), digest, &size, EVP_md5(), nullptr) != 1)
        return std::nullopt;
      for (unsigned i = 0; i < size; ++i) out += fmt::format("{:02x}", digest[i]);
      break;
    }
  }
  return out.empty() ? std::nullopt : std::optional(out);
}

Names names_of(const codec::mqtt::ConnectView& packet, const net::PeerCertificate* certificate,
               const client::ZoneSettings& zone) {
  Names names{.username = std::string(packet.username.value_or(std::string_view{})), .client_id = {}};
  // A certificate without that field names nobody; what CONNECT says is never proved by it.
  if (certificate && zone.cert_as_username != client::CertificateField::Disabled)
    names.username = certificate_field(*certificate, zone.cert_as_username).value_or("");
  auto own = certificate ? certificate_field(*certificate, zone.cert_as_clientid) : std::nullopt;
  if (own)
    names.client_id = std::move(*own);
  else
    names.client_id = zone.use_username_as_clientid ? names.username : std::string(packet.client_id);
  return names;
}

}  // namespace sb::mqtt
