// The authorization sources of a node: makes them from the configuration, keeps those whose settings did not change,
// and puts them into the access policy in their order. Their counters live as long as their place in the configuration.
// Used by one thread at a time: the start, then management; the sources are for any thread.
#pragma once

#include "access/authz/source.h"
#include "access/policy.h"
#include "config/config.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::authz {

class Authorization {
 public:
  Authorization(const Registry& registry, const Services& services) : registry_(registry), services_(services) {}

  /// The store is open: sources that were made already may read it. Later ones start at once.
  [[nodiscard]] Result<> start();

  /// The shards have ended, or never ran: no source posts to them any more.
  void stop();

  /// Sources in their order, as Policy wants them. On failure nothing changed. `judge`: the change is one of
  /// authorization, or the start; else a source whose file is broken by now goes on with what it read before.
  [[nodiscard]] Result<std::vector<AuthorizerSource>> apply(const config::Config& config, bool judge = true);

  /// The rules of the built-in database go with the source. When the change is in force. The disk is waited for.
  void forget(const config::Config& before, const config::Config& after);

  struct Member {
    bool enable = true;
    std::shared_ptr<Source> source;  // null while it is disabled
    std::shared_ptr<SourceCounts> counts;
  };
  /// Null: not configured.
  const Member* find(std::string_view type) const;
  /// What sources may be made of.
  const Registry& sources() const { return registry_; }
  RuleTable& rules() const { return services_.rules; }
  runtime::Workers& workers() const { return services_.workers; }

 private:
  struct Kept {
    Member member;
    config::Value value;
  };
  std::shared_ptr<Source> buried_elsewhere(std::shared_ptr<Source> source) const;

  const Registry& registry_;
  Services services_;
  std::map<std::string, Kept, std::less<>> members_;
  std::vector<std::weak_ptr<Source>> made_;  // replaced ones may still have a question on its way
  bool started_ = false;
  bool orphaned_ = false;  // the rules that were there at the start had no source
};

}  // namespace sb::access::authz
