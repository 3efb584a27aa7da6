// One connected client of any protocol: identity, permission, limits and events. A channel owns one and adds only its
// protocol. Belongs to the client's home shard. Order of the connect pipeline: broker.md 2.1.
#pragma once

#include "broker/topic.h"
#include "client/authorization_cache.h"
#include "client/settings.h"
#include "client/shard_context.h"
#include "net/endpoint.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::client {

/// What the connection told about the client before authentication.
struct ConnectInfo {
  std::string client_id;
  std::string username;
  std::string_view protocol = "mqtt";
  std::string_view protocol_name;
  int protocol_version = 0;
  bool clean_start = true;
  std::uint32_t expiry_s = 0;
  std::uint32_t keep_alive_s = 0;
  std::string ws_cookie;  // of the WebSocket's upgrade request
};

class Client {
 public:
  Client(ShardContext& shard, ListenerRef listener, const net::Endpoint& peer);
  ~Client();

  /// Traffic by EMQX's names (14.2).
  struct Traffic {
    std::uint64_t received_bytes = 0, received_packets = 0, received_messages[3] = {};
    std::uint64_t sent_bytes = 0, sent_packets = 0, sent_messages[3] = {};
    std::uint64_t received_dropped = 0;
  };

  void set_info(ConnectInfo info);
  const ConnectInfo& info() const { return info_; }
  void set_keep_alive(std::uint32_t seconds) { info_.keep_alive_s = seconds; }
  const broker::IdentityRef& identity() const { return identity_; }
  const ZoneSettings& zone() const { return *zone_; }
  const ZoneRef& zone_ref() const { return zone_; }
  void set_zone(ZoneRef zone) { zone_ = std::move(zone); }
  const ListenerSettings& listener() const { return *listener_; }
  const ListenerRef& listener_ref() const { return listener_; }
  const net::Endpoint& peer() const { return peer_; }
  void set_peer(const net::Endpoint& peer) { peer_ = peer; }
  const std::string& mountpoint() const { return mountpoint_; }

  /// Mountpoint, memory, ban check, failed attempts and flapping count (steps 5e, 7 and 8): Success,
  /// ClientIdentifierNotValid, NotAuthorized, QuotaExceeded, Banned or ConnectionRateExceeded.
  ReasonCode admit();
  /// Step 10. nullopt: `resume` runs when the answer is there; call again then.
  std::optional<access::Authenticated> authenticate(std::optional<ByteView> password,
                                                    std::optional<std::string_view> method,
                                                    std::optional<ByteView> data, std::function<void()> resume);
  /// Forgets the rounds of an enhanced authentication: the next call begins anew.
  void begin_authentication();
  /// Of CONNECT, or anew of a re-authentication. `end` runs when the credentials hold no longer and the connection is
  /// to go with them; within a turn, not from within this.
  void accept(const access::Authenticated& result, std::function<void()> end);
  /// Authentication failed: counted.
  void refused(const access::Authenticated& result);
  /// What the credentials say of publishing a will to `topic`, without mountpoint; no opinion: the gate is asked when
  /// it is due.
  access::ClientRules::Opinion will_opinion(std::string_view topic, Qos qos, bool retain) const;
  /// What rules may ask for when the will is due and the client is gone.
  void sign(broker::Will& will) const;
  /// When the rules of its credentials end, by the wall clock; 0: never, or it has none. A will that they allowed must
  /// not be published from then on.
  std::int64_t rules_end_ms() const;
  bool rules_over() const;

  /// From the cache, or from the gate; Pending: `resume` runs when the verdict is known; look at the packet again then,
  /// and ask the same first.
  access::Verdict authorize(const access::Action& action, const std::function<void()>& resume);
  /// For what the node does in the client's place: without a packet that waits, and nothing is kept of it. `then` runs
  /// once, here or later, but not when the connection has ended meanwhile.
  void may_subscribe(std::string_view filter, Qos qos, std::function<void(bool)> then);
  /// The packet in hand is done with, whatever it asked.
  void forget_late_verdict() { late_ = access::Verdict::Pending; }
  /// The verdict that is kept, where nothing else may have a say: what most packets meet. Pending: ask authorize(),
  /// which counts the same.
  access::Verdict kept_verdict(const access::Action& action) {
    if (standing_ != Standing::Ordinary || late_ != access::Verdict::Pending || verdict_outstanding_ || traced())
        [[unlikely]]
      return access::Verdict::Pending;
    return cached(action);
  }
  /// Where nobody needs to be asked: allowed, and counted as that.
  bool passes_all() { return passes(shard_.gate.open_to_all()); }
  bool passes_publish() { return passes(shard_.gate.open_to_publish()); }
  bool superuser() const { return standing_ == Standing::Superuser; }
  AuthorizationCache& cache() { return cache_; }

  /// Whether the topic is one, 7.3, with the mountpoint in front of it too.
  bool mounts(std::string_view topic) const { return mountpoint_.size() + topic.size() <= broker::kTopicBytesMax; }
  /// Prefix of the mountpoint added or taken off; views into `scratch` or the argument.
  std::string_view mount(std::string_view topic, std::string& scratch) const;
  std::string_view unmount(std::string_view topic) const;

  void connected();
  void disconnected(std::string_view reason);
  std::int64_t connected_ms() const { return connected_ms_; }
  broker::ClientEvent event(std::string_view reason) const;
  bool traced() const { return !shard_.broker.hooks().trace.empty(); }
  /// A line of the traces that follow this client; only where traced().
  void trace(std::string_view tag, std::string_view event, std::string_view details, std::string_view topic = {}) const;
  void set_certificate(const net::PeerCertificate& certificate) {
    certificate_ = std::make_unique<CertificateNames>(certificate.common_name, certificate.subject_dn);
  }

  Traffic traffic;

 private:
  enum class Standing : std::uint8_t {
    Ordinary,   // the gate decides
    Superuser,  // everything is allowed
    Ruled,      // rules of the credentials are asked first
  };
  struct Rights;
  struct CertificateNames {
    std::string common_name;
    std::string subject_dn;
  };
  access::Subject subject() const;
  bool passes(bool open) {
    if (standing_ == Standing::Superuser)
      shard_.broker.metrics().add(broker::Metric::AuthorizationSuperuser);
    else if (!open || standing_ != Standing::Ordinary)
      return false;
    tally(access::Verdict::Allow);
    return true;
  }
  void tally(access::Verdict verdict) {
    shard_.broker.metrics().add(verdict == access::Verdict::Allow ? broker::Metric::AuthorizationAllow
                                                                  : broker::Metric::AuthorizationDeny);
  }
  /// Counted where one is kept; else Pending.
  access::Verdict cached(const access::Action& action) {
    const auto known = cache_.find(action, shard_.io.loop.now(), shard_.gate.generation());
    if (known != access::Verdict::Pending) {
      shard_.broker.metrics().add(broker::Metric::AuthorizationCacheHit);
      tally(known);
    }
    return known;
  }
  std::optional<access::Authenticated> ask(std::optional<ByteView> password, std::optional<std::string_view> method,
                                           std::optional<ByteView> data, std::function<void()> resume);
  void remember(const access::Authenticated& answer);
  access::ClientRules::Opinion opinion(const access::Action& action) const;
  /// What needs no look at the sources, counted; else Pending.
  access::Verdict known(const access::Action& action);
  access::Verdict counted(const access::Action& action, access::Verdict verdict, std::string_view from);
  void show_verdict(const access::Action& action, access::Verdict verdict, std::string_view from) const;
  void rights_ended();
  void take_name(const std::string& username);
  /// Success, or why a name must not stand in the mountpoint.
  ReasonCode check_mountpoint() const;

  ShardContext& shard_;
  ListenerRef listener_;
  ZoneRef zone_;
  net::Endpoint peer_;
  ConnectInfo info_;
  broker::IdentityRef identity_;
  std::string mountpoint_;
  std::unique_ptr<const CertificateNames> certificate_;  // only where the peer showed one
  AuthorizationCache cache_;
  // What came late: taken by the question that is asked again. It must not depend on a cache that may be off, full or
  // voided meanwhile.
  access::Verdict late_ = access::Verdict::Pending;
  bool verdict_outstanding_ = false;
  std::unique_ptr<access::Authenticated> answer_;  // came late; taken by the next question
  bool asked_ = false;
  Standing standing_ = Standing::Ordinary;
  bool connected_ = false;
  std::int64_t connected_ms_ = 0;
  std::int64_t disconnected_ms_ = 0;
  std::shared_ptr<bool> alive_;     // guards late answers
  std::unique_ptr<Rights> rights_;  // only where the credentials say more than yes
};

}  // namespace sb::client
