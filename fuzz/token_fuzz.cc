// JSON Web Tokens and key sets. A token that is not the one signed below is verified by nobody's key.
#include "plugins/authn/jwt/detail/keys.h"
#include "plugins/authn/jwt/detail/token.h"

#include <cstdlib>
#include <string>

namespace {
using namespace sb;
using namespace sb::plugins::authn::jwt::detail;

void require(bool condition) {
  if (!condition) std::abort();
}

void judge(const Token& token) {
  access::Subject subject;
  subject.client_id = "c-1";
  subject.username = "joe";
  const Required required{{"sub", "${username}"}, {"aud", "mqtt"}};
  (void)claims_hold(token.claims, required, subject, 1'800'000'000);
  (void)claims_hold(token.claims, {}, subject, 0);
  (void)time_claim(token.claims, "exp");
  (void)truth_claim(token.claims, "is_superuser");
  const auto rules = rules_of(token.claims, "acl");
  if (!rules) return;
  for (const std::string_view topic : {"a/b", "a/+", "#", "up/c-1"}) {
    for (const auto kind : {access::ActionKind::Publish, access::ActionKind::Subscribe})
      (void)rules->decide(subject, {kind, topic, Qos::AtLeastOnce, false});
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8192) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const KeySet kSecret{Key::of_secret(Secret("a secret that no fuzzer finds: 7f3a91c2"))};
  if (const auto token = parse_token(text)) {
    require(token->signed_text.size() < text.size());
    require(token->algorithm != "none" || !verify_token(*token, kSecret));
    require(!verify_token(*token, kSecret));
    (void)names_known_key(*token, kSecret);
    judge(*token);
  }
  if (const auto keys = read_key_set(text); keys && keys->size() < 16) {
    if (const auto token = parse_token("eyJhbGciOiJIUzI1NiJ9.e30.AAAA")) require(!verify_token(*token, *keys));
  }
  return 0;
}
