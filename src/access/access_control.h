// Access control of the node: the ban table, the current policy, one gate a shard. Management talks to this; any
// thread.
#pragma once

#include "access/node_gate.h"

#include <memory>
#include <mutex>
#include <vector>

namespace sb::access {

class AccessControl {
 public:
  AccessControl(broker::Core& core, const Clock& clock, PolicyRef policy);

  /// Once per shard, before it runs. The gate belongs to the shard and must be given up before this object dies; it
  /// also becomes the broker's judge of wills.
  std::unique_ptr<NodeGate> make_gate(broker::Broker& broker);

  BanTable& bans() { return bans_; }
  const BanTable& bans() const { return bans_; }
  /// Bans and, for a client id, ends its connection and session at once.
  [[nodiscard]] Result<Ban> ban(Ban ban);

  /// Takes effect on every shard in its next turn; cached verdicts are void.
  void set_policy(PolicyRef policy);
  PolicyRef policy() const;
  void clear_caches();

 private:
  template <class Fn>
  void on_each_gate(Fn fn);

  broker::Core& core_;
  BanTable bans_;
  FailureLimiter failures_;
  mutable std::mutex mutex_;  // guards policy_ and gates_
  PolicyRef policy_;
  std::vector<NodeGate*> gates_;
};

}  // namespace sb::access
