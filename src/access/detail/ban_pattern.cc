#include "access/detail/ban_pattern.h"

namespace sb::access::detail {

Result<std::shared_ptr<const BanPattern>> BanPattern::parse(BanKind as, const std::string& who) {
  auto out = std::make_shared<BanPattern>();
  out->as_ = as;
  if (as == BanKind::PeerHostNet) {
    const auto network = parse_network(who);
    if (!network) return fail(Errc::Invalid, "bad peerhost_net: " + who + ", expected a network such as 192.0.2.0/24");
    out->network_ = *network;
    return out;
  }
  re2::RE2::Options quiet;
  quiet.set_log_errors(false);
  quiet.set_dot_nl(true);  // no name gets past ".*" by an end of line in it
  auto regex = std::make_shared<const re2::RE2>(who, quiet);
  if (!regex->ok()) return fail(Errc::Invalid, fmt::format("bad {} '{}': {}", to_string(as), who, regex->error()));
  out->regex_ = std::move(regex);
  return out;
}

bool BanPattern::matches(std::string_view client_id, std::string_view username,
                         const std::optional<std::array<std::uint8_t, 16>>& host) const {
  if (as_ == BanKind::PeerHostNet) return host && network_.contains(*host);
  const std::string_view name = as_ == BanKind::ClientIdRe ? client_id : username;
  return !name.empty() && re2::RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), *regex_);
}

}  // namespace sb::access::detail
