// The authenticators that fetch a record of the client from a back end and compare its hash: SQL, Redis and their like
// differ in how they fetch. Fetching and comparing happen on threads of the resource, bcrypt and pbkdf2 on workers; a
// shard only asks and is told.
#pragma once

#include "access/authn/password.h"
#include "access/authn/provider.h"
#include "access/authn/watched.h"
#include "driver/sql/rows.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sb::access::authn {

/// What a back end keeps of a client (access-control 3, external stores).
struct StoredRecord {
  std::optional<std::string> password_hash;
  std::string salt{};
  bool superuser = false;
  bool readable = true;  // false: hash or salt is no text, and matches nothing
};

/// `is_superuser` as text: true, and numbers from 1 on (access-control 2.2).
bool means_superuser(std::string_view text);

/// No hash in the record: not authorized; another one, or one that is no text: bad username or password.
Authenticated verdict(const PasswordHash& how, std::string_view password, const StoredRecord& record);

/// A record from named values, as columns of a row or fields of a hash: password_hash or password, salt, is_superuser.
using NamedValue = std::pair<std::string_view, const std::optional<std::string>*>;
StoredRecord record_of(const std::vector<NamedValue>& values);
/// From the first row; nullopt: there is none.
std::optional<StoredRecord> record_of(const driver::sql::Rows& rows);

class StoredPassword final : public Watched<Provider> {
 public:
  using Values = std::vector<std::optional<std::string>>;
  struct Back {
    driver::resource::Options resource;
    /// On the shard: what the question needs of the client.
    std::function<Values(const Credentials&)> values;
    /// On a thread of the resource. nullopt: it does not know the client.
    std::function<Result<std::optional<StoredRecord>>(driver::resource::Connection&, const Values&,
                                                      const driver::resource::Limit&)>
        fetch;
    PasswordHash hash;
    Millis timeout{5'000};  // of a question, waiting included
  };

  StoredPassword(const Services& services, std::string_view mechanism, std::string_view chain, Back back);
  ~StoredPassword() override;

  std::unique_ptr<Authenticator> make(const ShardEnvironment& shard) override;

 private:
  class OnShard;

  runtime::Workers& workers_;
  const Back back_;
};

}  // namespace sb::access::authn
