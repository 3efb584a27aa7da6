#include "access/authz/stored_rules.h"

#include "access/owned_subject.h"
#include "base/log.h"

namespace sb::access::authz {

namespace resource = driver::resource;

void add_rule(std::vector<Rule>& rules, const Rule::Text& text, std::string_view resource_id) {
  if (auto rule = Rule::parse(text))
    rules.push_back(*std::move(rule));
  else
    SB_LOG(log::Level::Error, "authz_bad_rule", kv("resource_id", resource_id), kv("topic", text.topic),
           kv("reason", rule.error().what));
}

std::vector<Rule> rules_of(const driver::sql::Rows& rows, std::string_view resource_id) {
  std::vector<Rule> out;
  for (const auto& row : rows.rows) {
    const auto cell = [&](std::string_view name, std::string_view absent) -> std::string_view {
      const auto column = rows.find(name);
      return column && row[*column] ? std::string_view(*row[*column]) : absent;
    };
    // Without a permission, an action or a topic a row is no rule: "?" is none of theirs.
    add_rule(out,
             {.permission = cell("permission", "?"),
              .action = cell("action", "?"),
              .topic = cell("topic", ""),
              .qos = cell("qos", ""),
              .retain = cell("retain", "")},
             resource_id);
  }
  return out;
}

class StoredRules::OnShard final : public Authorizer {
 public:
  OnShard(StoredRules& source, runtime::Loop& loop) : source_(source), loop_(loop) {}

  bool defers() const override { return true; }
  Millis answer_limit() const override { return source_.back_.timeout; }

  Answer decide(const Subject& subject, const Action& action, Reply reply) override {
    using Rules = std::vector<Rule>;
    const auto sent = source_.resource_.submit<resource::Connection, Rules>(
        source_.back_.timeout,
        [&back = source_.back_, values = source_.back_.values(subject)](resource::Connection& connection,
                                                                        const resource::Limit& limit) {
          return back.fetch(connection, values, limit);
        },
        [&source = source_, &loop = loop_, reply = std::move(reply), subject = OwnedSubject(subject),
         action = OwnedAction(action)](sb::Result<Rules> found) mutable {
          source.questions_.told(found ? nullptr : &found.error());
          if (!found && found.error().code != Errc::Unavailable)
            SB_LOG(log::Level::Warning, "authz_query_failed", kv("resource_id", source.id_),
                   kv("reason", found.error().what));
          loop.post([reply = std::move(reply), subject = std::move(subject), action = std::move(action),
                     found = std::move(found)] {
            reply(found ? first_match(*found, subject.view(), action.view()) : Answer::NoMatch);
          });
        });
    return sent ? Answer::Pending : Answer::NoMatch;
  }

 private:
  StoredRules& source_;  // the policy that this stands in holds it
  runtime::Loop& loop_;
};

StoredRules::StoredRules(const Services& services, std::string_view type, Back back)
    : Watched(services.alarms, "authorization:" + std::string(type), back.resource), back_(std::move(back)) {}

StoredRules::~StoredRules() {
  stop();
}

std::unique_ptr<Authorizer> StoredRules::make(const ShardEnvironment& shard) {
  return std::make_unique<OnShard>(*this, shard.loop);
}

}  // namespace sb::access::authz
