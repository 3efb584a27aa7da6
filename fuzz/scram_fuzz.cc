// Messages of a SCRAM client: the first line of the input is client-first, the rest client-final. Without the password
// nobody gets in.
#include "plugins/authn/scram/detail/exchange.h"

#include <cstdlib>
#include <string>

namespace {
using namespace sb;
using namespace sb::plugins::authn::scram::detail;

void require(bool condition) {
  if (!condition) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line = bytes.find('\n');
  const std::string_view final = line == std::string_view::npos ? std::string_view{} : bytes.substr(line + 1);
  static const Verifier kVerifier = *make_verifier(Hash::Sha256, "no fuzzer finds this 51b0", "0123456789abcdef", 4096);
  const auto first = parse_client_first(bytes.substr(0, line));
  (void)acceptable(final);
  if (!first) return 0;
  require(!first->user.empty() && !first->nonce.empty());
  require(std::string(first->gs2_header) + first->bare == bytes.substr(0, line));
  const std::string server = server_first(*first, "3rfcNHYJY1ZVvWVs7j", kVerifier);
  require(server.starts_with("r=" + first->nonce));
  require(!finish(Hash::Sha256, *first, server, final, kVerifier));
  // With the right nonce and binding there is still no proof.
  const std::size_t proof = final.find("p=");
  if (proof != std::string_view::npos) {
    const std::string nonce = server.substr(0, server.find(','));
    const std::string forged = "c=biws," + nonce + "," + std::string(final.substr(proof));
    require(!finish(Hash::Sha256, *first, server, forged, kVerifier));
  }
  return 0;
}
