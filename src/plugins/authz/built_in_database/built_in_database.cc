// The source `built_in_database` (access-control 7.4): rules in the node's own table. They outlive the source: it may
// be disabled and enabled again.
#include "access/authz/source.h"

namespace sb::plugins::authz::built_in_database {

namespace {
struct Settings : config::AuthzCommon {
  static const config::Struct& schema() {
    static const config::Struct s =
        config::authz_schema<Settings>("built_in_database").doc("Rules in the node's own database.").build();
    return s;
  }
};

class OnShard final : public access::Authorizer {
 public:
  explicit OnShard(const access::authz::RuleTable& rules) : rules_(rules) {}
  access::Answer decide(const access::Subject& subject, const access::Action& action, Reply) override {
    return rules_.decide(subject, action);
  }

 private:
  const access::authz::RuleTable& rules_;
};

class BuiltInDatabase final : public access::authz::Source {
 public:
  explicit BuiltInDatabase(const access::authz::RuleTable& rules) : rules_(rules) {}
  std::unique_ptr<access::Authorizer> make(const access::ShardEnvironment&) override {
    return std::make_unique<OnShard>(rules_);
  }

 private:
  const access::authz::RuleTable& rules_;
};
}  // namespace

void add_to(access::authz::Registry& registry) {
  registry.add({.type = "built_in_database",
                .description = "Rules in the built-in database",
                .schema = &Settings::schema(),
                .make = [](const access::authz::Services& services,
                           std::shared_ptr<const void>) -> Result<std::shared_ptr<access::authz::Source>> {
                  return std::make_shared<BuiltInDatabase>(services.rules);
                }});
}

}  // namespace sb::plugins::authz::built_in_database
