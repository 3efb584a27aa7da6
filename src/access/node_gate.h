// The gate of one shard: bans, flapping, the chains of authenticators and authorizers. Answers at once where it can; a
// question that a source defers is kept with its own copy of the text, goes on along the chain when the answer comes,
// and ends by the policy's time limit at the latest. Made by AccessControl.
#pragma once

#include "access/ban_table.h"
#include "access/policy.h"
#include "broker/broker.h"
#include "runtime/timer_wheel.h"

#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace sb::access {

class NodeGate final : public Gate, private runtime::Timer {
 public:
  NodeGate(BanTable& bans, FailureLimiter& failures, broker::Broker& broker, PolicyRef policy);
  ~NodeGate() override;
  NodeGate(const NodeGate&) = delete;
  NodeGate& operator=(const NodeGate&) = delete;

  bool banned(const Subject& subject) override;
  void count_connect(const Subject& subject) override;
  bool failed_too_often(const Subject& subject) override;
  void count_failure(const Subject& subject) override;
  std::optional<Authenticated> authenticate(const Credentials& credentials, AuthenticateReply reply) override;
  Verdict authorize(const Subject& subject, const Action& action, AuthorizeReply reply) override;
  bool disconnect_on_deny() const override { return policy_->disconnect_on_deny; }
  CacheSettings cache() const override { return policy_->cache; }
  bool cacheable(const Action& action) const override;
  bool defers() const override { return defers_; }

  /// On this shard. Questions on their way are still answered by the old sources; whoever is let in by an old
  /// authenticator asks the new chain.
  void set_policy(PolicyRef policy);
  /// Voids all cached verdicts (REST, ctl).
  void clear_cache() { ++generation_; }
  std::size_t outstanding() const;

  /// For wills (broker.md 4.5): the ban and the permission of who left. Held: a source answers later, then `reply`
  /// runs.
  broker::WillVerdict judge_will(const broker::IdentityRef& identity, const broker::Will& will,
                                 broker::Broker::WillReply reply);

 private:
  struct Source {
    std::shared_ptr<const void> owner;  // first: goes last
    std::unique_ptr<Authorizer> authorizer;
    std::shared_ptr<SourceCounts> counts;
  };
  struct Member {
    std::shared_ptr<const void> owner;  // first: goes last
    std::unique_ptr<Authenticator> authenticator;
    std::shared_ptr<SourceCounts> counts;
  };
  struct Chains {
    PolicyRef policy;  // that they were made by, and whose no_match counts with them
    std::vector<Source> sources;
    std::map<std::string, std::vector<Member>, std::less<>> members;
  };
  class Question;
  class Inquiry;

  void on_timer() override;
  /// Keeps the rates of authenticators and sources on shard 0, while there are any.
  struct Ticker final : runtime::Timer {
    explicit Ticker(NodeGate& owner) : gate(owner) {}
    void on_timer() override;
    NodeGate& gate;
  };
  /// Verdict of one source, or nullopt to go on.
  std::optional<Verdict> weigh(Answer answer, SourceCounts& counts);
  Verdict no_match(const Policy& policy);
  Verdict ask_deferring(const Subject& subject, const Action& action, std::size_t from, AuthorizeReply reply);
  const std::vector<Member>* chain_for(std::string_view listener) const;
  std::int64_t now_ms() const;

  BanTable& bans_;
  FailureLimiter& failures_;
  broker::Broker& broker_;
  PolicyRef policy_;
  std::shared_ptr<Chains> chains_;  // also held by questions on their way
  FlappingDetector flapping_;
  Ticker ticker_{*this};
  std::vector<std::shared_ptr<Question>> questions_;
  std::vector<std::shared_ptr<Inquiry>> inquiries_;
  bool defers_ = false;  // one of the sources does
  // Of cache_excludes, which policy_ holds: as they are written, and those that match other topics as well.
  std::unordered_set<std::string_view> excluded_names_;
  std::vector<std::string_view> excluded_filters_;
};

}  // namespace sb::access
