#include "access/access_control.h"

namespace sb::access {

AccessControl::AccessControl(broker::Core& core, const Clock& clock, PolicyRef policy)
    : core_(core), bans_(clock), policy_(std::move(policy)), gates_(core.shards()) {}

std::unique_ptr<NodeGate> AccessControl::make_gate(broker::Broker& broker) {
  const std::lock_guard guard(mutex_);
  auto gate = std::make_unique<NodeGate>(bans_, failures_, broker, policy_);
  gates_[broker.shard()] = gate.get();
  broker.set_will_guard(
      [g = gate.get()](const broker::IdentityRef& identity, const broker::Will& will, broker::Broker::WillReply reply) {
        return g->judge_will(identity, will, std::move(reply));
      });
  return gate;
}

Result<Ban> AccessControl::ban(Ban ban) {
  SB_TRY(Ban stored, bans_.create(std::move(ban)));
  if (stored.as == BanKind::ClientId) {
    broker::Broker& home = core_.shard(core_.home_of(stored.who));
    home.loop().post([&home, id = stored.who] { home.kick(id, broker::EndReason::Banned); });
  }
  return stored;
}

template <class Fn>
void AccessControl::on_each_gate(Fn fn) {
  for (unsigned shard = 0; shard < core_.shards(); ++shard)
    if (NodeGate* gate = gates_[shard]) core_.shard(shard).loop().post([gate, fn] { fn(*gate); });
}

void AccessControl::set_policy(PolicyRef policy) {
  const std::lock_guard guard(mutex_);
  policy_ = std::move(policy);
  on_each_gate([current = policy_](NodeGate& gate) { gate.set_policy(current); });
}

PolicyRef AccessControl::policy() const {
  const std::lock_guard guard(mutex_);
  return policy_;
}

void AccessControl::clear_caches() {
  const std::lock_guard guard(mutex_);
  on_each_gate([](NodeGate& gate) { gate.clear_cache(); });
}

}  // namespace sb::access
