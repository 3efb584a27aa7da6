// What comes in beside a client's own words: files of users, the passwords of a directory, answers of a service that is
// asked, files of pre-shared keys.
#include "access/authn/import.h"
#include "access/authn/password.h"
#include "net/psk_table.h"
#include "plugins/authn/http/http.h"
#include "plugins/authn/ldap/detail/password_attribute.h"

#include <cstdlib>
#include <string>

namespace {
using namespace sb;

void require(bool condition) {
  if (!condition) std::abort();
}

void users(std::string_view text) {
  for (const char* name : {"u.csv", "u.json"}) {
    for (const bool plain : {false, true}) {
      const auto read = access::authn::read_users(name, text, plain);
      if (!read) {
        require(!read.error().what.empty());
        continue;
      }
      for (const auto& user : *read) {
        require(!user.user_id.empty());
        require(plain ? user.password_hash.empty() : user.password.empty());
      }
    }
  }
}

void keys(std::string_view text) {
  net::PskTable table;
  const auto read = table.import_text(text, ':');
  require(read || read.error().what.starts_with("line "));
  require(table.size() <= (read ? *read : 0));
  for (const auto& [identity, secret] : table.all()) require(!identity.empty() && !secret.empty());
}

void answers(std::string_view text) {
  for (const char* type : {"application/json", "application/x-www-form-urlencoded", "", "text/plain"}) {
    const auto read = plugins::authn::http::read_answer({200, type, std::string(text)}, 1'800'000'000'000);
    if (!read || !*read) continue;
    const access::Authenticated& said = **read;
    // Nothing lets anybody in but the word itself; it may be written with escapes.
    if (said.code == ReasonCode::Success) {
      const bool written = text.find("allow") != std::string_view::npos;
      require(written || text.find_first_of("\\%") != std::string_view::npos);
    }
    require(said.code == ReasonCode::Success || said.code == ReasonCode::NotAuthorized);
    require(!said.until_ms || *said.until_ms > 1'800'000'000'000);
  }
}

void passwords(std::string_view text) {
  using access::authn::HashName;
  const auto same = plugins::authn::ldap::detail::matches(text, "no fuzzer finds this 3c77");
  require(!same || !*same);
  for (const HashName name : {HashName::Md5, HashName::Sha, HashName::Sha256, HashName::Sha512}) {
    access::authn::PasswordHash how;
    how.name = name;
    require(!password_matches(how, "no fuzzer finds this 3c77", {std::string(text), std::string(text.substr(0, 8))}));
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8192) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  users(text);
  keys(text);
  answers(text);
  passwords(text);
  return 0;
}
