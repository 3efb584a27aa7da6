#include "access/node_gate.h"

#include "access/owned_subject.h"
#include "base/log.h"
#include "broker/topic.h"

#include <algorithm>
#include <cstring>

namespace sb::access {

using broker::Metric;

namespace {
constexpr Nanos kSweep{60'000'000'000};
constexpr Nanos kSecond{1'000'000'000};

void erase_one(auto& list, const void* gone) {
  std::erase_if(list, [gone](const auto& one) { return one.get() == gone; });
}
}  // namespace

AuthorizerSource file_source(AclRef acl, bool enable) {
  AuthorizerSource source;
  source.type = "file";
  source.enable = enable;
  source.make = [acl = std::move(acl)](const ShardEnvironment&) { return std::make_unique<FileAuthorizer>(acl); };
  return source;
}

/// A PUBLISH or filter whose permission is being asked for; walks the sources from where the first one deferred.
class NodeGate::Question final : public std::enable_shared_from_this<Question>, private runtime::Timer {
 public:
  Question(NodeGate& gate, const Subject& subject, const Action& action, AuthorizeReply reply)
      : gate_(gate),
        chains_(gate.chains_),
        subject_(subject),
        topic_(action.topic),
        action_(action),
        reply_(std::move(reply)) {
    action_.topic = topic_;
  }

  /// Pending, or the verdict.
  Verdict walk(std::size_t from) {
    for (at_ = from; at_ < chains_->sources.size(); ++at_) {
      Source& source = chains_->sources[at_];
      AuthorizerReply_ reply;
      if (source.authorizer->defers())
        reply = [weak = weak_from_this(), at = at_](Answer answer) {
          if (const auto self = weak.lock()) self->answered(at, answer);
        };
      const Answer answer = source.authorizer->decide(subject_.view(), action_, std::move(reply));
      if (answer == Answer::Pending) {
        runtime::Loop& loop = gate_.broker_.loop();
        const Millis own = source.authorizer->answer_limit();
        loop.timers().arm(*this, loop.now(), std::max(chains_->policy->answer_timeout, own + own / 4));
        return Verdict::Pending;
      }
      if (const auto verdict = gate_.weigh(answer, *source.counts)) return *verdict;
    }
    return gate_.no_match(*chains_->policy);
  }

 private:
  using AuthorizerReply_ = Authorizer::Reply;

  void answered(std::size_t at, Answer answer) {
    if (at != at_ || !reply_) return;  // late or twice
    const auto self = shared_from_this();
    auto verdict = gate_.weigh(answer == Answer::Pending ? Answer::NoMatch : answer, *chains_->sources[at].counts);
    runtime::TimerWheel::cancel(*this);
    if (!verdict) verdict = walk(at + 1);
    if (*verdict == Verdict::Pending) return;
    const AuthorizeReply reply = std::exchange(reply_, nullptr);
    erase_one(gate_.questions_, this);
    reply(*verdict);
  }
  void on_timer() override {
    SB_LOG(log::Level::Warning, "authorization_source_timeout", kv("clientid", subject_.client_id),
           kv("topic", topic_));
    answered(at_, Answer::NoMatch);
  }

  NodeGate& gate_;
  std::shared_ptr<Chains> chains_;
  OwnedSubject subject_;
  std::string topic_;
  Action action_;
  AuthorizeReply reply_;
  std::size_t at_ = 0;
};

namespace {
/// No chain, or none of it enabled.
Authenticated without_chain(bool has_method) {
  if (has_method) return Authenticated::refused(ReasonCode::BadAuthenticationMethod);
  Authenticated anonymous;
  anonymous.anonymous = true;
  return anonymous;
}
}  // namespace

/// The same for a CONNECT or AUTH.
class NodeGate::Inquiry final : public std::enable_shared_from_this<Inquiry>, private runtime::Timer {
 public:
  Inquiry(NodeGate& gate, const Credentials& credentials, AuthenticateReply reply)
      : gate_(gate),
        chains_(gate.chains_),
        subject_(credentials.subject),
        conversation_(credentials.conversation),
        reply_(std::move(reply)) {
    if (credentials.password) password_ = std::string(as_text(*credentials.password));
    if (credentials.method) method_ = std::string(*credentials.method);
    if (credentials.data) data_ = std::string(as_text(*credentials.data));
  }
  ~Inquiry() {
    wipe(password_);
    wipe(data_);
  }

  std::optional<Authenticated> walk(const std::vector<Member>& members, std::size_t from) {
    members_ = &members;
    Credentials credentials{subject_.view(), {}, {}, {}, conversation_};
    if (password_) credentials.password = as_bytes(*password_);
    if (method_) credentials.method = *method_;
    if (data_) credentials.data = as_bytes(*data_);
    for (at_ = from; at_ < members.size(); ++at_) {
      const Member& member = members[at_];
      Authenticator::Reply reply;
      if (member.authenticator->defers())
        reply = [weak = weak_from_this(), at = at_, chain = chains_.get()](AuthenticatorAnswer answer) {
          // Of the chain that is asked now: one that was too late may belong to an older one.
          if (const auto self = weak.lock(); self && self->chains_.get() == chain)
            self->answered(at, std::move(answer));
        };
      Authenticator::Result result = member.authenticator->authenticate(credentials, std::move(reply));
      if (result.pending) {
        found_ = std::move(result.found);
        runtime::Loop& loop = gate_.broker_.loop();
        const Millis own = member.authenticator->answer_limit();
        loop.timers().arm(*this, loop.now(), std::max(chains_->policy->answer_timeout, own + own / 4));
        return std::nullopt;
      }
      if (auto end = weigh(std::move(result.answer))) return end;
    }
    Authenticated end = Authenticated::refused(ReasonCode::NotAuthorized);  // end of the chain, 2.2
    end.unasked = unasked_;
    return end;
  }

 private:
  static void wipe(std::optional<std::string>& text) {
    if (text) explicit_bzero(text->data(), text->size());
  }
  std::optional<Authenticated> weigh(AuthenticatorAnswer answer) {
    SourceCounts& counts = *(*members_)[at_].counts;
    counts.total.fetch_add(1, std::memory_order_relaxed);
    unasked_ |= answer && answer->code == ReasonCode::ServerUnavailable;
    if (!answer || answer->code == ReasonCode::ServerUnavailable) {
      counts.nomatch.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    }
    if (answer->code == ReasonCode::Success)
      counts.allow.fetch_add(1, std::memory_order_relaxed);
    else if (is_error(answer->code))
      counts.deny.fetch_add(1, std::memory_order_relaxed);
    return answer;
  }
  void answered(std::size_t at, AuthenticatorAnswer answer) {
    if (at != at_ || !reply_) return;
    const auto self = shared_from_this();
    runtime::TimerWheel::cancel(*this);
    auto end = weigh(std::move(answer));
    if (!end) end = walk(*members_, at + 1);
    // Whoever was let in by a chain that is no more asks the one that is there now: a change that was answered counts.
    const auto old = chains_;  // it may be what calls
    if (end && !is_error(end->code) && gate_.chains_ != chains_) {
      chains_ = gate_.chains_;
      unasked_ = false;
      const std::vector<Member>* members = gate_.chain_for(subject_.view().listener);
      end = members && !members->empty() ? walk(*members, 0) : without_chain(method_.has_value());
    }
    if (!end) return;
    const AuthenticateReply reply = std::exchange(reply_, nullptr);
    erase_one(gate_.inquiries_, this);
    reply(std::move(*end));
  }
  void on_timer() override {
    SB_LOG(log::Level::Warning, "authenticator_timeout", kv("clientid", subject_.client_id));
    if (found_ && *found_) return answered(at_, Authenticated::refused(ReasonCode::ServerBusy));
    answered(at_, not_asked());
  }

  NodeGate& gate_;
  std::shared_ptr<Chains> chains_;
  OwnedSubject subject_;
  std::optional<std::string> password_, method_, data_;
  std::shared_ptr<Conversation> conversation_;
  AuthenticateReply reply_;
  const std::vector<Member>* members_ = nullptr;
  std::shared_ptr<const std::atomic<bool>> found_;  // by the member that is asked
  std::size_t at_ = 0;
  bool unasked_ = false;  // one of them could not be
};

NodeGate::NodeGate(BanTable& bans, FailureLimiter& failures, broker::Broker& broker, PolicyRef policy)
    : bans_(bans), failures_(failures), broker_(broker) {
  set_policy(std::move(policy));
  broker_.loop().timers().arm(*this, broker_.loop().now(), kSweep);
}

NodeGate::~NodeGate() = default;

void NodeGate::set_policy(PolicyRef policy) {
  policy_ = std::move(policy);
  ++generation_;
  const ShardEnvironment environment{broker_.shard(), broker_.loop()};
  auto chains = std::make_shared<Chains>();
  chains->policy = policy_;
  for (const AuthorizerSource& source : policy_->sources)
    if (source.enable) chains->sources.push_back({source.owner, source.make(environment), source.counts});
  for (const auto& [listener, chain] : policy_->authentication) {
    if (chain.empty()) continue;
    auto& members = chains->members[listener];  // present even when all are disabled: it replaces the global chain
    for (const AuthenticatorMember& member : chain)
      if (member.enable) members.push_back({member.owner, member.make(environment), member.counts});
  }
  chains_ = std::move(chains);
  defers_ = std::any_of(chains_->sources.begin(), chains_->sources.end(),
                        [](const Source& source) { return source.authorizer->defers(); });
  excluded_names_.clear();
  excluded_filters_.clear();
  for (const std::string& filter : policy_->cache_excludes) {
    excluded_names_.insert(filter);
    if (filter.find_first_of("+#") != std::string::npos) excluded_filters_.push_back(filter);
  }
  if (broker_.shard() == 0 && !(policy_->authentication.empty() && policy_->sources.empty()) && !ticker_.armed())
    broker_.loop().timers().arm(ticker_, broker_.loop().now(), kSecond);
  open_to_all_ = chains_->sources.empty() && policy_->allow_no_match;
  open_to_publish_ = policy_->allow_no_match;
  for (const Source& source : chains_->sources) {
    if (source.authorizer->allows_every_publish()) {
      open_to_publish_ = true;
      break;
    }
    if (!source.authorizer->never_denies_publish()) {
      open_to_publish_ = false;
      break;
    }
  }
}

void NodeGate::Ticker::on_timer() {
  bool any = false;
  for (const auto& [listener, chain] : gate.policy_->authentication)
    for (const AuthenticatorMember& member : chain) {
      any = true;
      member.counts->rate.tick(member.counts->total.load(std::memory_order_relaxed));
    }
  for (const AuthorizerSource& source : gate.policy_->sources) {
    any = true;
    source.counts->rate.tick(source.counts->total.load(std::memory_order_relaxed));
  }
  runtime::Loop& loop = gate.broker_.loop();
  if (any) loop.timers().arm(*this, loop.now(), kSecond);
}

void NodeGate::on_timer() {
  broker_.loop().timers().arm(*this, broker_.loop().now(), kSweep);
  flapping_.sweep(now_ms());
  if (broker_.shard() != 0) return;
  bans_.sweep();
  failures_.sweep(now_ms());
}

std::int64_t NodeGate::now_ms() const {
  return std::chrono::duration_cast<Millis>(broker_.loop().now()).count();
}

bool NodeGate::banned(const Subject& subject) {
  return bans_.banned(subject.client_id, subject.username, subject.peer_host);
}

void NodeGate::count_connect(const Subject& subject) {
  const auto zone = policy_->zones.find(subject.zone);
  const FlappingSettings& settings = zone == policy_->zones.end() ? policy_->flapping : zone->second;
  if (!settings.enable || !flapping_.count(subject.client_id, now_ms(), settings)) return;
  SB_LOG(log::Level::Warning, "flapping_detected", kv("clientid", subject.client_id), kv("peerhost", subject.peer_host),
         kv("max_count", settings.max_count));
  Ban ban;
  ban.as = BanKind::ClientId;
  ban.who = subject.client_id;
  ban.by = "flapping detector";
  ban.reason = "flapping is detected";
  ban.at_ms = broker_.loop().wall_ms();
  ban.until_ms = ban.at_ms + settings.ban_time.count();
  // Takes effect from the next CONNECT (2.1 step 8): this connection is not kicked.
  if (const auto made = bans_.create(std::move(ban)); !made && made.error().code != Errc::Exists)
    SB_LOG(log::Level::Warning, "flapping_ban_failed", kv("clientid", subject.client_id),
           kv("reason", made.error().what));
}

bool NodeGate::failed_too_often(const Subject& subject) {
  return policy_->failure_limit.enable && failures_.blocked(subject.peer_host, now_ms());
}

void NodeGate::count_failure(const Subject& subject) {
  const FailureLimitSettings& limit = policy_->failure_limit;
  if (!limit.enable || !failures_.count(subject.peer_host, now_ms(), limit)) return;
  SB_LOG(log::Level::Warning, "authentication_failure_limit", kv("peerhost", subject.peer_host),
         kv("max_failures", limit.max_failures));
}

const std::vector<NodeGate::Member>* NodeGate::chain_for(std::string_view listener) const {
  const auto own = chains_->members.find(listener);
  if (own != chains_->members.end()) return &own->second;
  const auto global = chains_->members.find(std::string_view{});
  return global == chains_->members.end() ? nullptr : &global->second;
}

std::optional<Authenticated> NodeGate::authenticate(const Credentials& credentials, AuthenticateReply reply) {
  const std::vector<Member>* members = chain_for(credentials.subject.listener);
  if (!members || members->empty()) return without_chain(credentials.method.has_value());
  auto inquiry = std::make_shared<Inquiry>(*this, credentials, std::move(reply));
  inquiries_.push_back(inquiry);
  auto answer = inquiry->walk(*members, 0);
  if (answer) erase_one(inquiries_, inquiry.get());
  return answer;
}

std::optional<Verdict> NodeGate::weigh(Answer answer, SourceCounts& counts) {
  counts.total.fetch_add(1, std::memory_order_relaxed);
  switch (answer) {
    case Answer::Allow:
      counts.allow.fetch_add(1, std::memory_order_relaxed);
      broker_.metrics().add(Metric::AuthorizationMatchedAllow);
      return Verdict::Allow;
    case Answer::Deny:
      counts.deny.fetch_add(1, std::memory_order_relaxed);
      broker_.metrics().add(Metric::AuthorizationMatchedDeny);
      return Verdict::Deny;
    case Answer::NoMatch:
      counts.nomatch.fetch_add(1, std::memory_order_relaxed);
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

Verdict NodeGate::no_match(const Policy& policy) {
  broker_.metrics().add(Metric::AuthorizationNomatch);
  return policy.allow_no_match ? Verdict::Allow : Verdict::Deny;
}

Verdict NodeGate::authorize(const Subject& subject, const Action& action, AuthorizeReply reply) {
  for (std::size_t i = 0; i < chains_->sources.size(); ++i) {
    Source& source = chains_->sources[i];
    if (source.authorizer->defers()) return ask_deferring(subject, action, i, std::move(reply));
    const Answer answer = source.authorizer->decide(subject, action, {});
    if (const auto verdict = weigh(answer, *source.counts)) return *verdict;
  }
  return no_match(*policy_);
}

Verdict NodeGate::ask_deferring(const Subject& subject, const Action& action, std::size_t from, AuthorizeReply reply) {
  auto question = std::make_shared<Question>(*this, subject, action, std::move(reply));
  questions_.push_back(question);
  const Verdict verdict = question->walk(from);
  if (verdict != Verdict::Pending) erase_one(questions_, question.get());
  return verdict;
}

bool NodeGate::cacheable(const Action& action) const {
  if (policy_->cache_excludes.empty()) return true;
  if (excluded_names_.contains(action.topic)) return false;
  return std::none_of(excluded_filters_.begin(), excluded_filters_.end(),
                      [&](std::string_view filter) { return broker::matches(filter, action.topic); });
}

std::size_t NodeGate::outstanding() const {
  return questions_.size() + inquiries_.size();
}

broker::WillVerdict NodeGate::judge_will(const broker::IdentityRef& identity, const broker::Will& will,
                                         broker::Broker::WillReply reply) {
  const auto banned = [this, identity] {
    return bans_.banned(identity->client_id, identity->username, identity->peer_host);
  };
  if (banned()) return broker::WillVerdict::Deny;
  // What rules of its author's credentials allowed ends with them, also where everybody may publish.
  if (will.trusted && will.trusted_until_ms != 0 && will.trusted_until_ms <= broker_.loop().wall_ms())
    return broker::WillVerdict::Deny;
  if (open_to_publish_ || will.trusted) return broker::WillVerdict::Publish;
  Subject subject;
  subject.client_id = identity->client_id;
  subject.username = identity->username;
  subject.peer_host = identity->peer_host;
  subject.common_name = will.common_name;
  subject.subject_dn = will.subject_dn;
  subject.protocol_name = will.protocol_name;
  const std::string_view topic = will.topic;
  subject.mountpoint = topic.substr(0, will.mount_size);
  const Action action{ActionKind::Publish, broker::topic_in_the_end(topic.substr(will.mount_size)), will.qos,
                      will.retain};
  if (action.topic.empty()) return broker::WillVerdict::Deny;
  const Verdict verdict = authorize(subject, action, [banned, reply = std::move(reply)](Verdict late) {
    reply(late == Verdict::Allow && !banned());
  });
  if (verdict == Verdict::Pending) return broker::WillVerdict::Held;
  return verdict == Verdict::Allow ? broker::WillVerdict::Publish : broker::WillVerdict::Deny;
}

}  // namespace sb::access
