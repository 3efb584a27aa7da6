// By which names the server goes for a client: what CONNECT says, what its certificate says, or made up.
#pragma once

#include "broker/broker.h"
#include "client/settings.h"
#include "codec/mqtt/packets.h"
#include "net/layer.h"

#include <optional>
#include <string>

namespace sb::mqtt {

/// 22 letters of base 62, 131 bits.
std::string new_client_id(broker::Broker& broker);

/// nullopt if disabled or the certificate has no such field.
std::optional<std::string> certificate_field(const net::PeerCertificate& certificate, client::CertificateField field);

/// Username and client id after everything that may replace them (broker.md 2.1, steps 5a to 5d).
struct Names {
  std::string username;
  std::string client_id;  // empty: one is to be made up
  bool assigned = false;  // it was
};

/// `certificate` is null where the peer showed none.
Names names_of(const codec::mqtt::ConnectView& packet, const net::PeerCertificate* certificate,
               const client::ZoneSettings& zone);

}  // namespace sb::mqtt
