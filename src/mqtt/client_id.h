// Where client ids come from when the client does not choose: made up, or taken from its certificate.
#pragma once

#include "broker/broker.h"
#include "client/settings.h"
#include "net/layer.h"

#include <optional>
#include <string>

namespace sb::mqtt {

/// 22 letters of base 62, 131 bits.
std::string new_client_id(broker::Broker& broker);

/// nullopt if disabled or the certificate has no such field.
std::optional<std::string> certificate_field(const net::PeerCertificate& certificate, client::CertificateField field);

}  // namespace sb::mqtt
