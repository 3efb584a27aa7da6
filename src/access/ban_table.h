// Who is not let in (broker.md 11.1). One for the node, thread safe: looked up once a CONNECT, changed rarely. While it
// is empty a look-up costs one load. Times are kept as wall clock and driven by the monotonic one, so that a clock that
// steps back revives or ends nothing.
#pragma once

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access {

namespace detail {
class BanPattern;
}

/// The last three match many: regular expressions (RE2, found anywhere in the name) and a network.
enum class BanKind : std::uint8_t { ClientId, Username, PeerHost, ClientIdRe, UsernameRe, PeerHostNet };
inline constexpr std::size_t kBanKinds = 6;
std::string_view to_string(BanKind kind);  // "clientid", "username", "peerhost", "clientid_re", …
std::optional<BanKind> ban_kind(std::string_view name);
constexpr bool is_pattern(BanKind kind) {
  return kind >= BanKind::ClientIdRe;
}

/// As the addresses of connections are written: an IPv4 address that is mapped into IPv6 is itself, a network begins at
/// its first address. Anything else stays.
std::string canonical(BanKind as, std::string_view who);

struct Ban {
  static constexpr std::int64_t kForever = INT64_MAX;
  BanKind as = BanKind::ClientId;
  std::string who;
  std::string by = "mgmt_api";
  std::string reason;
  std::int64_t at_ms = 0;     // 0: now
  std::int64_t until_ms = 0;  // 0: a year after `at`
};

/// Where bans survive a restart; implemented over the store. Called with the table's lock held, from any thread; must
/// not block for a disk and must not call back.
class BanLog {
 public:
  virtual void put(const Ban& ban) = 0;
  virtual void erase(BanKind as, std::string_view who) = 0;
  /// Why nothing can be kept now; empty while it can.
  virtual std::optional<Error> trouble() const { return std::nullopt; }
  using Target = std::pair<BanKind, std::string>;
  /// Whose changes were refused by the disk since the last call: to be told again, as they are now.
  virtual std::vector<Target> take_refused() { return {}; }

 protected:
  ~BanLog() = default;
};

class BanTable {
 public:
  /// Each CONNECT is held against every one of them.
  static constexpr std::size_t kPatternsMax = 1000;

  explicit BanTable(const Clock& clock) : clock_(clock) {}

  /// Before the shards start: what was stored; entries that ran out meanwhile are dropped. Then `log` hears of changes.
  void open(std::vector<Ban> stored, BanLog* log);

  /// Addresses may be written in any way, here and below: one entry an address.
  /// Exists ("already_exist") while an entry for the same target lives; Invalid if it ended already or before it
  /// begins, names nobody or is no pattern; Full beyond kPatternsMax. The entry as it was stored, defaults filled in.
  [[nodiscard]] Result<Ban> create(Ban ban);
  /// Whether `who` fits its kind. Any thread.
  [[nodiscard]] static Result<> check_target(const Ban& ban);
  std::optional<Ban> lookup(BanKind as, std::string_view name) const;
  bool erase(BanKind as, std::string_view name);  // false: there was none
  void clear();
  using Wanted = std::function<bool(const Ban&)>;  // none: all
  struct Page {
    std::vector<Ban> bans;
    std::size_t count = 0;  // of all pages
  };
  /// Live ones in the order of kind and name; `skip` and `limit` page through them.
  Page list(std::size_t skip = 0, std::size_t limit = SIZE_MAX, const Wanted& wanted = {}) const;
  std::size_t size() const { return count_.load(std::memory_order_relaxed); }
  /// Drops what has run out, and stores what could not be stored before; called once a minute.
  std::size_t sweep();
  /// Why changes would not outlive a restart now; empty where they do.
  std::optional<Error> trouble() const;

  bool banned(std::string_view client_id, std::string_view username, std::string_view peer_host) const;

 private:
  struct Entry {
    Ban ban;
    std::int64_t ends_ms = 0;  // monotonic
    std::shared_ptr<const detail::BanPattern> pattern{};
  };
  using Entries = boost::unordered_flat_map<std::string, Entry, TextHash, TextEqual>;
  std::int64_t now_ms() const { return std::chrono::duration_cast<Millis>(clock_.monotonic()).count(); }
  std::int64_t ends(const Ban& ban) const;
  bool live(BanKind as, std::string_view who, std::int64_t now) const;
  bool matched(std::string_view client_id, std::string_view username, std::string_view peer_host,
               std::int64_t now) const;
  std::size_t patterns() const;
  void store_refused();
  void count_all();
  Entries& entries(BanKind as) { return entries_[static_cast<std::size_t>(as)]; }
  const Entries& entries(BanKind as) const { return entries_[static_cast<std::size_t>(as)]; }

  const Clock& clock_;
  mutable std::shared_mutex mutex_;  // guards entries_ and log_
  Entries entries_[kBanKinds];
  BanLog* log_ = nullptr;
  std::atomic<std::size_t> count_{0};
};

}  // namespace sb::access
