// Whom a directory's certificate is for.
#pragma once

#include <string>
#include <string_view>

namespace sb::driver::ldap {

/// A certificate, DER, that names the host or address `name`, RFC 6125 6.4. False also for what is no certificate.
bool names_peer(std::string_view certificate, const std::string& name);

}  // namespace sb::driver::ldap
