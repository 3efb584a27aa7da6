// What client/ asks before it lets a client in or lets it do something. One Gate a shard; implementations chain
// authenticators and authorizers. An answer may come later (a database is asked): then the call returns Pending and
// `reply` runs on the same shard, once, within the gate's own time limit. The caller suspends the connection meanwhile.
#pragma once

#include "base/bytes.h"
#include "base/mqtt_types.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sb::access {

/// The client as rules and templates see it. Views live until the call returns.
struct Subject {
  std::string_view client_id;
  std::string_view username;  // empty = none
  std::string_view peer_host;
  std::string_view zone;
  std::string_view listener;     // "tcp:default"
  std::string_view common_name;  // of the peer certificate
  std::string_view subject_dn;
  bool superuser = false;
  std::string_view protocol_name{};  // "MQTT"
  std::string_view mountpoint{};
};

/// What an authenticator remembers of a client between the rounds of an enhanced authentication; each knows its own
/// kind.
class Conversation {
 public:
  virtual ~Conversation() = default;
};

struct Credentials {
  Subject subject;
  std::optional<ByteView> password;
  std::optional<std::string_view> method;  // enhanced authentication, 3.1.2.11.9
  std::optional<ByteView> data;
  std::shared_ptr<Conversation> conversation = nullptr;  // of the round before; none at the beginning
};

enum class ActionKind : std::uint8_t { Publish, Subscribe };

struct Action {
  ActionKind kind = ActionKind::Publish;
  std::string_view topic;  // as the client named it, without $delayed/N/, $share/g/, $exclusive/
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
};

/// Rules that came with a client's credentials (a token's `acl`), asked before all sources. Immutable, any thread.
class ClientRules {
 public:
  enum class Opinion : std::uint8_t { Allow, Deny, None };
  virtual ~ClientRules() = default;
  virtual Opinion decide(const Subject& subject, const Action& action) const = 0;
};

struct Authenticated {
  ReasonCode code = ReasonCode::Success;  // ContinueAuthentication: send `data`, wait for AUTH
  bool anonymous = false;
  bool superuser = false;
  std::string data = {};                      // for AUTH or CONNACK
  std::string username = {};                  // that the credentials proved; counts where CONNECT names none
  std::optional<std::int64_t> until_ms = {};  // superuser and rules hold until then (wall clock)
  bool disconnect_at_end = false;             // and so does the connection
  std::shared_ptr<const ClientRules> rules = nullptr;
  std::shared_ptr<Conversation> conversation = nullptr;  // for the next round
  bool unasked = false;                                  // a back end that may have known better could not be asked

  /// A refusal that says something of the credentials: what authentication_failure_limit counts. Nobody is held
  /// responsible for a back end that is down, for a busy node, or for a ban.
  bool is_wrong_guess() const {
    return !unasked && (code == ReasonCode::BadUserNameOrPassword || code == ReasonCode::NotAuthorized ||
                        code == ReasonCode::UnspecifiedError);
  }
  static Authenticated refused(ReasonCode code) {
    Authenticated out;
    out.code = code;
    return out;
  }
};

enum class Verdict : std::uint8_t { Allow, Deny, Pending };

class Gate {
 public:
  virtual ~Gate() = default;

  /// 8A if client id, username or address is banned.
  virtual bool banned(const Subject& subject) = 0;
  /// Counts a CONNECT for flapping detection; the ban takes effect from the next one (broker.md 2.1).
  virtual void count_connect(const Subject& subject) = 0;

  /// 9F if too many authentications from this address failed lately.
  virtual bool failed_too_often(const Subject&) { return false; }
  /// A refusal that is_wrong_guess().
  virtual void count_failure(const Subject&) {}

  using AuthenticateReply = std::function<void(Authenticated)>;
  /// nullopt: `reply` will be called.
  virtual std::optional<Authenticated> authenticate(const Credentials& credentials, AuthenticateReply reply) = 0;

  using AuthorizeReply = std::function<void(Verdict)>;
  virtual Verdict authorize(const Subject& subject, const Action& action, AuthorizeReply reply) = 0;
  /// Whether authorize() may answer later; else it needs no `reply`.
  virtual bool defers() const { return false; }
  /// True while every authorize() would answer Allow without looking: the publish path then does not ask.
  bool open_to_all() const { return open_to_all_; }
  /// The same for PUBLISH alone: with the shipped rules only subscribing needs a look.
  bool open_to_publish() const { return open_to_publish_; }
  /// authorization.deny_action = disconnect
  virtual bool disconnect_on_deny() const = 0;
  /// Changes whenever rules change: cached verdicts of older generations are void.
  std::uint64_t generation() const { return generation_; }
  struct CacheSettings {
    bool enable = true;
    std::uint32_t max_size = 32;
    std::int64_t ttl_ms = 60'000;
  };
  virtual CacheSettings cache() const = 0;
  /// Whether a verdict about it may be kept at all.
  virtual bool cacheable(const Action&) const { return true; }

 protected:
  // The publish path looks at these with every packet, without a call. Who derives keeps them.
  std::uint64_t generation_ = 1;
  bool open_to_all_ = false;
  bool open_to_publish_ = false;
};

/// Lets everybody do everything: tests, and a node without access control.
class OpenGate final : public Gate {
 public:
  OpenGate() { open_to_all_ = open_to_publish_ = true; }
  bool banned(const Subject&) override { return false; }
  void count_connect(const Subject&) override {}
  std::optional<Authenticated> authenticate(const Credentials& credentials, AuthenticateReply) override {
    // Without mechanisms an enhanced method cannot be served, 4.12.
    if (credentials.method) return Authenticated::refused(ReasonCode::BadAuthenticationMethod);
    Authenticated anonymous;
    anonymous.anonymous = true;
    return anonymous;
  }
  Verdict authorize(const Subject&, const Action&, AuthorizeReply) override { return Verdict::Allow; }
  bool disconnect_on_deny() const override { return false; }
  CacheSettings cache() const override { return {}; }
};

}  // namespace sb::access
