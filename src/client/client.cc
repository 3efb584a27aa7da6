#include "client/client.h"

#include "access/owned_subject.h"
#include "base/log.h"
#include "base/secret_name.h"
#include "broker/topic.h"

#include <algorithm>

namespace sb::client {

namespace {
/// Longest time that is given to a timer at once: a day.
constexpr std::int64_t kTimerMost = 86'400'000;

constexpr std::string_view kClientId = "${clientid}";
constexpr std::string_view kUsername = "${username}";

/// In one pass: what is put in is not looked at again. Without a username its placeholder stays.
std::string render_mountpoint(std::string_view text, std::string_view client_id, std::string_view username) {
  std::string out;
  for (std::size_t at = text.find("${"); at != std::string_view::npos; at = text.find("${")) {
    out += text.substr(0, at);
    text.remove_prefix(at);
    if (text.starts_with(kClientId)) {
      out += client_id;
      text.remove_prefix(kClientId.size());
    } else if (!username.empty() && text.starts_with(kUsername)) {
      out += username;
      text.remove_prefix(kUsername.size());
    } else {
      out += text.substr(0, 2);
      text.remove_prefix(2);
    }
  }
  return out.append(text);
}
}  // namespace

/// What the credentials brought with them, and the rounds of an enhanced authentication.
struct Client::Rights final : runtime::Timer {
  explicit Rights(Client& owner) : client(owner) {}
  void on_timer() override { client.rights_ended(); }

  Client& client;
  std::shared_ptr<const access::ClientRules> rules;
  std::shared_ptr<access::Conversation> conversation;
  std::optional<std::int64_t> until_ms;
  std::function<void()> end;  // empty: the connection stays
};

Client::Client(ShardContext& shard, ListenerRef listener, const net::Endpoint& peer)
    : shard_(shard), listener_(std::move(listener)), zone_(listener_->zone), peer_(peer) {}

Client::~Client() {
  if (alive_) *alive_ = false;
}

void Client::set_info(ConnectInfo info) {
  info_ = std::move(info);
  identity_ = std::make_shared<const broker::Identity>(broker::Identity{info_.client_id, info_.username, peer_.host()});
  mountpoint_ = render_mountpoint(listener_->mountpoint, info_.client_id, info_.username);
}

/// A placeholder of the mountpoint stands for one level: with another name in it a client would read and write what
/// belongs to others.
ReasonCode Client::check_mountpoint() const {
  const std::string& text = listener_->mountpoint;
  const auto widens = [&](std::string_view placeholder, std::string_view value) {
    const std::size_t at = text.find(placeholder);
    return at != std::string::npos && !broker::keeps_to_level(value, at == 0);
  };
  ReasonCode code = ReasonCode::Success;
  if (widens(kClientId, info_.client_id))
    code = ReasonCode::ClientIdentifierNotValid;
  else if (widens(kUsername, info_.username))
    code = ReasonCode::NotAuthorized;
  if (code != ReasonCode::Success)
    SB_LOG(log::Level::Warning, "mountpoint_refused", kv("clientid", info_.client_id),
           kv("username", shown_username(info_.username)), kv("listener", listener_->id), kv("mountpoint", text),
           kv("reason", code == ReasonCode::NotAuthorized
                            ? "the username holds a character that leads out of its level of the mountpoint"
                            : "the client id holds a character that leads out of its level of the mountpoint"));
  return code;
}

access::Subject Client::subject() const {
  access::Subject subject;
  subject.client_id = identity_->client_id;
  subject.username = identity_->username;
  subject.peer_host = identity_->peer_host;
  subject.zone = zone_->name;
  subject.listener = listener_->id;
  if (certificate_) {
    subject.common_name = certificate_->common_name;
    subject.subject_dn = certificate_->subject_dn;
  }
  subject.superuser = superuser();
  subject.protocol_name = info_.protocol_name;
  subject.mountpoint = mountpoint_;
  return subject;
}

ReasonCode Client::admit() {
  if (const ReasonCode code = check_mountpoint(); code != ReasonCode::Success) return code;
  if (shard_.quota && shard_.quota->refuses(shard_.broker.loop().wall_ms())) {
    shard_.broker.metrics().add(broker::Metric::LicenseRefused);
    return ReasonCode::QuotaExceeded;
  }
  if (shard_.pressure && shard_.pressure->memory_high()) return ReasonCode::QuotaExceeded;
  const access::Subject who = subject();
  if (shard_.gate.banned(who)) return ReasonCode::Banned;
  if (shard_.gate.failed_too_often(who)) {
    shard_.broker.metrics().add(broker::Metric::AuthenticationLimited);
    return ReasonCode::ConnectionRateExceeded;
  }
  shard_.gate.count_connect(who);
  return ReasonCode::Success;
}

void Client::trace(std::string_view tag, std::string_view event, std::string_view details,
                   std::string_view topic) const {
  const std::string peer = peer_.to_string();
  shard_.broker.hooks().trace.run({identity_.get(), peer, tag, event, details, topic});
}

std::optional<access::Authenticated> Client::authenticate(std::optional<ByteView> password,
                                                          std::optional<std::string_view> method,
                                                          std::optional<ByteView> data, std::function<void()> resume) {
  const bool waited = answer_ != nullptr;
  auto answer = ask(password, method, data, std::move(resume));
  if (answer && answer->code == ReasonCode::Success && info_.username.empty() && !answer->username.empty()) {
    take_name(answer->username);
    if (const ReasonCode code = check_mountpoint(); code != ReasonCode::Success) {
      answer = access::Authenticated::refused(code);
      answer->unasked = true;  // the credentials were right
    }
  }
  // Who was banned while others were asked.
  if ((waited || method) && answer && answer->code == ReasonCode::Success && shard_.gate.banned(subject()))
    answer = access::Authenticated::refused(ReasonCode::Banned);
  if (answer && traced()) [[unlikely]]
    trace("AUTHN", "authentication_result",
          fmt::format("username: {}, result: {}, anonymous: {}, is_superuser: {}",
                      info_.username.empty() ? std::string_view("undefined") : shown_username(info_.username),
                      to_string(answer->code), answer->anonymous, answer->superuser));
  return answer;
}

std::optional<access::Authenticated> Client::ask(std::optional<ByteView> password,
                                                 std::optional<std::string_view> method, std::optional<ByteView> data,
                                                 std::function<void()> resume) {
  auto& metrics = shard_.broker.metrics();
  if (const auto late = std::move(answer_)) return std::move(*late);
  if (listener_->authn == AuthnMode::Off && !method) {
    access::Authenticated open;
    open.anonymous = true;
    return open;
  }
  if (listener_->authn == AuthnMode::QuickDenyAnonymous && info_.username.empty() && !method) {
    access::Authenticated refused;
    refused.code = ReasonCode::NotAuthorized;
    return refused;
  }
  if (asked_) return std::nullopt;
  metrics.add(broker::Metric::ClientAuthenticate);
  if (!alive_) alive_ = std::make_shared<bool>(true);
  access::Credentials credentials{subject(), password, method, data, rights_ ? rights_->conversation : nullptr};
  auto answer = shard_.gate.authenticate(
      credentials, [this, alive = alive_, resume = std::move(resume)](access::Authenticated late) {
        if (!*alive) return;
        asked_ = false;
        remember(late);
        answer_ = std::make_unique<access::Authenticated>(std::move(late));
        resume();
      });
  asked_ = !answer;
  if (answer) remember(*answer);
  return answer;
}

void Client::remember(const access::Authenticated& answer) {
  if (!answer.conversation) return;
  if (!rights_) rights_ = std::make_unique<Rights>(*this);
  rights_->conversation = answer.conversation;
}

void Client::begin_authentication() {
  if (rights_) rights_->conversation = nullptr;
}

void Client::refused(const access::Authenticated& result) {
  shard_.broker.metrics().add(broker::Metric::AuthenticationFailure);
  if (result.is_wrong_guess()) shard_.gate.count_failure(subject());
}

/// Rules, bans and templates go by it from here on.
void Client::take_name(const std::string& username) {
  ConnectInfo info = std::move(info_);
  info.username = username;
  set_info(std::move(info));
}

void Client::accept(const access::Authenticated& result, std::function<void()> end) {
  auto& metrics = shard_.broker.metrics();
  cache_.clear();
  const bool ends = result.until_ms && (result.superuser || result.rules || result.disconnect_at_end);
  rights_ = nullptr;
  if (ends || result.rules) {
    rights_ = std::make_unique<Rights>(*this);
    rights_->rules = result.rules;
  }
  standing_ = result.superuser ? Standing::Superuser : result.rules ? Standing::Ruled : Standing::Ordinary;
  if (ends) {
    rights_->until_ms = result.until_ms;
    if (result.disconnect_at_end) rights_->end = std::move(end);
    const std::int64_t left =
        std::clamp<std::int64_t>(*result.until_ms - shard_.broker.loop().wall_ms(), 0, kTimerMost);
    shard_.io.loop.timers().arm(*rights_, shard_.io.loop.now(), Millis{left});
  }
  metrics.add(broker::Metric::AuthenticationSuccess);
  if (result.anonymous) metrics.add(broker::Metric::AuthenticationSuccessAnonymous);
}

void Client::rights_ended() {
  const std::int64_t left = *rights_->until_ms - shard_.broker.loop().wall_ms();
  if (left > 0) {  // further away than a timer reaches, or the clock was set back
    shard_.io.loop.timers().arm(*rights_, shard_.io.loop.now(), Millis{std::min(left, kTimerMost)});
    return;
  }
  if (rights_->end) {
    const auto end = std::move(rights_->end);
    rights_->end = nullptr;
    end();
    return;
  }
  // A superuser falls back to what its rules say, which deny by now, or to what everybody may do.
  standing_ = rights_->rules ? Standing::Ruled : Standing::Ordinary;
  cache_.clear();
}

access::ClientRules::Opinion Client::will_opinion(std::string_view topic, Qos qos, bool retain) const {
  const access::Action action{access::ActionKind::Publish, broker::topic_in_the_end(topic), qos, retain};
  if (action.topic.empty()) return access::ClientRules::Opinion::Deny;
  // Of a superuser whose rights end, the gate judges when the will is due.
  if (superuser())
    return rights_ && rights_->until_ms ? access::ClientRules::Opinion::None : access::ClientRules::Opinion::Allow;
  return standing_ == Standing::Ruled ? opinion(action) : access::ClientRules::Opinion::None;
}

void Client::sign(broker::Will& will) const {
  if (certificate_) {
    will.common_name = certificate_->common_name;
    will.subject_dn = certificate_->subject_dn;
  }
  will.protocol_name = info_.protocol_name;
}

std::int64_t Client::rules_end_ms() const {
  return rights_ && rights_->rules ? rights_->until_ms.value_or(0) : 0;
}

bool Client::rules_over() const {
  return rules_end_ms() != 0 && rules_end_ms() <= shard_.broker.loop().wall_ms();
}

access::ClientRules::Opinion Client::opinion(const access::Action& action) const {
  if (rights_->until_ms && *rights_->until_ms <= shard_.broker.loop().wall_ms())
    return access::ClientRules::Opinion::Deny;
  return rights_->rules->decide(subject(), action);
}

void Client::show_verdict(const access::Action& action, access::Verdict verdict, std::string_view from) const {
  if (!traced()) [[likely]]
    return;
  trace("AUTHZ", "authorization_result",
        fmt::format("action: {}, topic: {}, result: {}, from: {}",
                    action.kind == access::ActionKind::Publish ? "publish" : "subscribe", action.topic,
                    verdict == access::Verdict::Allow ? "allow" : "deny", from),
        action.topic);
}

access::Verdict Client::counted(const access::Action& action, access::Verdict verdict, std::string_view from) {
  tally(verdict);
  show_verdict(action, verdict, from);
  return verdict;
}

access::Verdict Client::known(const access::Action& action) {
  if (superuser()) {
    shard_.broker.metrics().add(broker::Metric::AuthorizationSuperuser);
    return counted(action, access::Verdict::Allow, "superuser");
  }
  if (standing_ == Standing::Ruled) {
    const auto said = opinion(action);
    if (said != access::ClientRules::Opinion::None)
      return counted(action,
                     said == access::ClientRules::Opinion::Allow ? access::Verdict::Allow : access::Verdict::Deny,
                     "credentials");
  }
  const access::Verdict kept = cached(action);
  if (kept != access::Verdict::Pending) show_verdict(action, kept, "cache");
  return kept;
}

access::Verdict Client::authorize(const access::Action& action, const std::function<void()>& resume) {
  if (late_ != access::Verdict::Pending) return std::exchange(late_, access::Verdict::Pending);
  if (verdict_outstanding_) return access::Verdict::Pending;  // looked at for another reason meanwhile
  if (const auto verdict = known(action); verdict != access::Verdict::Pending) return verdict;
  access::Gate& gate = shard_.gate;
  const std::uint64_t generation = gate.generation();
  const access::Gate::CacheSettings settings = gate.cache();  // a change of them is a new generation
  shard_.broker.metrics().add(broker::Metric::ClientAuthorize);
  const bool keep = settings.enable && gate.cacheable(action);
  access::Gate::AuthorizeReply later;
  if (gate.defers()) {
    if (!alive_) alive_ = std::make_shared<bool>(true);
    later = [this, alive = alive_, asked = access::OwnedAction(action), keep, generation, epoch = cache_.epoch(),
             settings, resume](access::Verdict late) {
      if (!*alive) return;
      verdict_outstanding_ = false;
      late_ = counted(asked.view(), late, "sources");
      // Rules that changed meanwhile decide the next packet, not this one; so does a cache that was emptied.
      if (keep && generation == shard_.gate.generation() && epoch == cache_.epoch())
        cache_.add(asked.view(), late, shard_.io.loop.now(), generation, settings);
      resume();
    };
  }
  const access::Verdict verdict = gate.authorize(subject(), action, std::move(later));
  verdict_outstanding_ = verdict == access::Verdict::Pending;
  if (verdict == access::Verdict::Pending) return verdict;
  if (keep) cache_.add(action, verdict, shard_.io.loop.now(), generation, settings);
  return counted(action, verdict, "sources");
}

void Client::may_subscribe(std::string_view filter, Qos qos, std::function<void(bool)> then) {
  if (passes_all()) return then(true);
  const access::Action action{access::ActionKind::Subscribe, filter, qos, false};
  access::Verdict verdict = known(action);
  if (verdict == access::Verdict::Pending) {
    shard_.broker.metrics().add(broker::Metric::ClientAuthorize);
    access::Gate::AuthorizeReply later;
    if (shard_.gate.defers()) {
      if (!alive_) alive_ = std::make_shared<bool>(true);
      later = [this, alive = alive_, asked = access::OwnedAction(action), then](access::Verdict late) {
        if (!*alive || !connected_) return;
        then(counted(asked.view(), late, "sources") == access::Verdict::Allow);
      };
    }
    verdict = shard_.gate.authorize(subject(), action, std::move(later));
    if (verdict == access::Verdict::Pending) return;
    counted(action, verdict, "sources");
  }
  then(verdict == access::Verdict::Allow);
}

std::string_view Client::mount(std::string_view topic, std::string& scratch) const {
  if (mountpoint_.empty()) return topic;
  scratch.assign(mountpoint_);
  scratch.append(topic);
  return scratch;
}

std::string_view Client::unmount(std::string_view topic) const {
  if (!mountpoint_.empty() && topic.starts_with(mountpoint_)) topic.remove_prefix(mountpoint_.size());
  return topic;
}

broker::ClientEvent Client::event(std::string_view reason) const {
  return broker::ClientEvent{
      *identity_,     info_.protocol, info_.protocol_name, info_.protocol_version, listener_->id,
      mountpoint_,    peer_.port(),   listener_->port,     info_.keep_alive_s,     info_.clean_start,
      info_.expiry_s, superuser(),    connected_ms_,       disconnected_ms_,       reason};
}

void Client::connected() {
  connected_ = true;
  connected_ms_ = shard_.broker.loop().wall_ms();
  ++shard_.connected;
  if (shard_.quota) shard_.quota->tell(shard_.broker.shard(), shard_.connected);
  shard_.broker.metrics().add(broker::Metric::ClientConnected);
  if (shard_.broker.hooks().client_connected.empty()) return;
  struct Asker final : broker::Permission {
    explicit Asker(Client& owner) : client(owner) {}
    void may_subscribe(std::string_view filter, Qos qos, Then then) override {
      client.may_subscribe(filter, qos, std::move(then));
    }
    Client& client;
  } asker(*this);
  broker::ClientEvent told = event({});
  told.permission = &asker;
  shard_.broker.hooks().client_connected.run(told);
}

void Client::disconnected(std::string_view reason) {
  if (!connected_) return;
  connected_ = false;
  --shard_.connected;
  if (shard_.quota) shard_.quota->tell(shard_.broker.shard(), shard_.connected);
  disconnected_ms_ = shard_.broker.loop().wall_ms();
  shard_.broker.metrics().add(broker::Metric::ClientDisconnected);
  if (!shard_.broker.hooks().client_disconnected.empty()) shard_.broker.hooks().client_disconnected.run(event(reason));
}

}  // namespace sb::client
