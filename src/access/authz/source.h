// The seam for authorization sources. A folder under plugins/authz/ describes one to the Registry: its type, its keys,
// how a Source is made of them. A Source is the one configured source of its type; any thread. It makes an Authorizer
// for each shard, which answers there, at once or later.
#pragma once

#include "access/authn/provider.h"
#include "access/authorizer.h"
#include "access/authz/rule_table.h"
#include "base/result.h"
#include "broker/alarm_sink.h"
#include "config/roots/modules.h"
#include "driver/resource/resource.h"
#include "runtime/workers.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::authz {

using Health = authn::Health;

/// What every source may use; outlives them.
struct Services {
  const Clock& clock;
  RuleTable& rules;
  runtime::Workers& workers;
  broker::AlarmSink& alarms;
};

class Source {
 public:
  using State = authn::Provider::State;
  virtual ~Source() = default;
  /// Once, when the store is open and before clients come.
  [[nodiscard]] virtual Result<> start() { return {}; }
  virtual std::unique_ptr<Authorizer> make(const ShardEnvironment& shard) = 0;
  /// The node ends: threads go, nothing is posted to a shard any more.
  virtual void stop() {}
  virtual State state() const { return {}; }
  /// The back end that it asks; null: it needs none, or watches it by itself.
  virtual const driver::resource::Resource* resource() const { return nullptr; }
};

struct SourceKind {
  std::string type;  // "http"
  std::string_view description;
  const config::Struct* schema = nullptr;  // begins with config::authz_schema()
  /// `settings` is what the schema filled. Only for sources that are in force.
  std::function<Result<std::shared_ptr<Source>>(const Services&, std::shared_ptr<const void> settings)> make;
  /// As in authn::Mechanism.
  std::function<std::optional<authn::Unusable>(const void* settings)> review = nullptr;
  /// Made anew with every change of access control, also when its keys stayed the same: its rules are elsewhere.
  bool reads_files = false;
};

class Registry {
 public:
  void add(SourceKind kind) { all_.push_back(std::move(kind)); }
  const std::vector<SourceKind>& all() const { return all_; }
  const SourceKind* find(std::string_view type) const;
  /// For config::LoadOptions::built_authz.
  std::vector<config::AuthzKind> names() const;

 private:
  std::vector<SourceKind> all_;
};

}  // namespace sb::access::authz
