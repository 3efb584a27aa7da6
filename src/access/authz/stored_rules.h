// The sources that fetch the rules of a client from a back end: SQL, Redis, MongoDB, LDAP differ in how they fetch.
// Fetching happens on threads of the resource, matching on the shard. Whatever goes wrong is no match.
#pragma once

#include "access/authn/watched.h"
#include "access/authz/source.h"
#include "driver/sql/rows.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::authz {

class StoredRules final : public authn::Watched<Source> {
 public:
  using Values = std::vector<std::optional<std::string>>;
  struct Back {
    driver::resource::Options resource;
    /// On the shard: what the question needs of the client.
    std::function<Values(const Subject&)> values;
    /// On a thread of the resource: the rules in their order; none where the back end does not know the client.
    std::function<Result<std::vector<Rule>>(driver::resource::Connection&, const Values&,
                                            const driver::resource::Limit&)>
        fetch;
    Millis timeout{5'000};  // of a question, waiting included
  };

  StoredRules(const Services& services, std::string_view type, Back back);
  ~StoredRules() override;

  std::unique_ptr<Authorizer> make(const ShardEnvironment& shard) override;

 private:
  class OnShard;

  const Back back_;
};

/// Rows that cannot be rules are logged and skipped.
void add_rule(std::vector<Rule>& rules, const Rule::Text& text, std::string_view resource_id);
/// Rows with the columns permission, action, topic and perhaps qos, retain (access-control 7.5).
std::vector<Rule> rules_of(const driver::sql::Rows& rows, std::string_view resource_id);

}  // namespace sb::access::authz
