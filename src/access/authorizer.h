// One source of an authorization chain, and one member of an authentication chain. Instances are made per shard by the
// factories of a Policy and belong to that shard. New back ends add a factory; the gate knows none of them.
#pragma once

#include "access/gate.h"
#include "runtime/loop.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sb::access {

enum class Answer : std::uint8_t {
  Allow,
  Deny,
  NoMatch,  // no rule fits, or the back end failed: the next source is asked, counted
  Ignore,   // explicitly no opinion: the next source is asked
  Pending,  // `reply` will be called
};

class Authorizer {
 public:
  using Reply = std::function<void(Answer)>;
  virtual ~Authorizer() = default;
  /// True if decide() may return Pending. Others get an empty `reply`.
  virtual bool defers() const { return false; }
  /// How long a pending answer may take where that is more than the policy says; the gate adds a grace.
  virtual Millis answer_limit() const { return Millis{0}; }
  /// A deferring source is asked with views that live until it answered; it calls `reply` on the same shard, once,
  /// never from within decide(). A reply after the gate's time limit is ignored.
  virtual Answer decide(const Subject& subject, const Action& action, Reply reply) = 0;
  /// Nobody is refused a PUBLISH by this source, whoever asks: lets the publish path skip the question.
  virtual bool never_denies_publish() const { return false; }
  /// Every PUBLISH gets Allow here, if asked: what follows does not matter.
  virtual bool allows_every_publish() const { return false; }
};

/// nullopt: "ignore", the next member is asked (access-control 2.2).
using AuthenticatorAnswer = std::optional<Authenticated>;
/// The same, because the back end could not be asked or did not answer: what the end of the chain refuses then is no
/// fault of the client's.
inline AuthenticatorAnswer not_asked() {
  return Authenticated::refused(ReasonCode::ServerUnavailable);
}

class Authenticator {
 public:
  using Reply = std::function<void(AuthenticatorAnswer)>;
  virtual ~Authenticator() = default;
  virtual bool defers() const { return false; }
  /// How long a pending answer may take where that is more than the policy says; the gate adds a grace.
  virtual Millis answer_limit() const { return Millis{0}; }
  struct Result {
    bool pending = false;  // `reply` will be called
    AuthenticatorAnswer answer;
    /// Of a pending one: set, by any thread, once the client is found to be this authenticator's. From then on an
    /// answer that comes too late refuses with "server busy"; before, it is "ignore".
    std::shared_ptr<const std::atomic<bool>> found = nullptr;
  };
  virtual Result authenticate(const Credentials& credentials, Reply reply) = 0;
};

/// What a factory gets.
struct ShardEnvironment {
  unsigned shard;
  runtime::Loop& loop;
};

}  // namespace sb::access
