#include "access/ban_table.h"

#include "access/detail/acl_rule.h"
#include "access/detail/ban_pattern.h"
#include "base/log.h"

#include <arpa/inet.h>

#include <algorithm>
#include <iterator>
#include <mutex>

namespace sb::access {

namespace {
constexpr std::int64_t kYearMs = 365LL * 24 * 3600 * 1000;
constexpr BanKind kKinds[kBanKinds] = {BanKind::ClientId,   BanKind::Username,   BanKind::PeerHost,
                                       BanKind::ClientIdRe, BanKind::UsernameRe, BanKind::PeerHostNet};

std::string written(const std::array<std::uint8_t, 16>& host, bool v4) {
  char text[INET6_ADDRSTRLEN] = {};
  inet_ntop(v4 ? AF_INET : AF_INET6, host.data() + (v4 ? 12 : 0), text, sizeof text);
  return text;
}

bool is_mapped(const std::array<std::uint8_t, 16>& host) {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::equal(std::begin(kMapped), std::end(kMapped), host.begin());
}
}  // namespace

std::string canonical(BanKind as, std::string_view who) {
  if (as == BanKind::PeerHost)
    if (const auto host = detail::parse_host(who)) return written(*host, is_mapped(*host));
  if (as == BanKind::PeerHostNet)
    if (auto network = detail::parse_network(who)) {
      for (unsigned bit = network->prefix; bit < 128; ++bit)
        network->address[bit / 8] = static_cast<std::uint8_t>(network->address[bit / 8] & ~(0x80U >> (bit % 8)));
      const bool v4 = network->prefix >= 96 && is_mapped(network->address);
      return fmt::format("{}/{}", written(network->address, v4), network->prefix - (v4 ? 96 : 0));
    }
  return std::string(who);
}

std::string_view to_string(BanKind kind) {
  switch (kind) {
    case BanKind::ClientId:
      return "clientid";
    case BanKind::Username:
      return "username";
    case BanKind::PeerHost:
      return "peerhost";
    case BanKind::ClientIdRe:
      return "clientid_re";
    case BanKind::UsernameRe:
      return "username_re";
    case BanKind::PeerHostNet:
      return "peerhost_net";
  }
  return "clientid";
}

std::optional<BanKind> ban_kind(std::string_view name) {
  for (const BanKind kind : kKinds)
    if (to_string(kind) == name) return kind;
  return std::nullopt;
}

std::int64_t BanTable::ends(const Ban& ban) const {
  if (ban.until_ms == Ban::kForever) return INT64_MAX;
  return now_ms() + (ban.until_ms - clock_.wall_ms());
}

void BanTable::open(std::vector<Ban> stored, BanLog* log) {
  const std::lock_guard guard(mutex_);
  log_ = log;
  const std::int64_t wall = clock_.wall_ms();
  for (Ban& ban : stored) {
    if (ban.until_ms <= wall) {
      if (log_) log_->erase(ban.as, ban.who);
      continue;
    }
    std::shared_ptr<const detail::BanPattern> pattern;
    if (is_pattern(ban.as)) {
      auto parsed = detail::BanPattern::parse(ban.as, ban.who);
      if (!parsed) {  // an older or newer version took it for one
        SB_LOG(log::Level::Error, "ban_ignored", kv("reason", parsed.error().what));
        continue;
      }
      pattern = *std::move(parsed);
    }
    const std::int64_t end = ends(ban);
    const BanKind as = ban.as;
    std::string who = canonical(as, ban.who);
    if (who != ban.who) {  // stored by an older version
      if (log_) log_->erase(as, ban.who);
      ban.who = who;
      if (log_) log_->put(ban);
    }
    entries(as).insert_or_assign(std::move(who), Entry{std::move(ban), end, std::move(pattern)});
  }
  count_all();
}

void BanTable::count_all() {
  std::size_t count = 0;
  for (const Entries& one : entries_) count += one.size();
  count_.store(count, std::memory_order_relaxed);
}

std::size_t BanTable::patterns() const {
  return entries(BanKind::ClientIdRe).size() + entries(BanKind::UsernameRe).size() +
         entries(BanKind::PeerHostNet).size();
}

Result<> BanTable::check_target(const Ban& ban) {
  if (ban.who.empty()) return fail(Errc::Invalid, "a ban names whom it concerns");
  if (ban.as == BanKind::PeerHost && !detail::parse_host(ban.who))
    return fail(Errc::Invalid, "bad peerhost: " + ban.who);
  if (is_pattern(ban.as)) SB_CHECKED(detail::BanPattern::parse(ban.as, canonical(ban.as, ban.who)));
  return {};
}

Result<Ban> BanTable::create(Ban ban) {
  SB_CHECKED(check_target(ban));
  ban.who = canonical(ban.as, ban.who);
  std::shared_ptr<const detail::BanPattern> pattern;
  if (is_pattern(ban.as)) {
    SB_TRY(pattern, detail::BanPattern::parse(ban.as, ban.who));
  }
  const std::int64_t wall = clock_.wall_ms();
  if (ban.at_ms == 0) ban.at_ms = wall;
  if (ban.until_ms == 0) ban.until_ms = ban.at_ms + kYearMs;
  if (ban.until_ms <= wall) return fail(Errc::Invalid, "already_expired");
  if (ban.until_ms < ban.at_ms) return fail(Errc::Invalid, "until is before at");
  const std::lock_guard guard(mutex_);
  if (live(ban.as, ban.who, now_ms())) return fail(Errc::Exists, "already_exist");
  if (pattern && patterns() >= kPatternsMax)
    return fail(Errc::Full, fmt::format("there are {} bans by pattern, which is the most", kPatternsMax));
  entries(ban.as).insert_or_assign(ban.who, Entry{ban, ends(ban), std::move(pattern)});
  if (log_) log_->put(ban);
  count_all();
  return ban;
}

std::optional<Ban> BanTable::lookup(BanKind as, std::string_view name) const {
  const std::string who = canonical(as, name);
  const std::shared_lock guard(mutex_);
  if (!live(as, who, now_ms())) return std::nullopt;
  return entries(as).find(who)->second.ban;
}

bool BanTable::erase(BanKind as, std::string_view name) {
  const std::string who = canonical(as, name);
  const std::lock_guard guard(mutex_);
  const auto found = entries(as).find(who);
  if (found == entries(as).end()) return false;
  const bool was_live = found->second.ends_ms > now_ms();
  entries(as).erase(found);
  if (log_) log_->erase(as, who);
  count_.fetch_sub(1, std::memory_order_relaxed);
  return was_live;
}

void BanTable::clear() {
  const std::lock_guard guard(mutex_);
  for (const BanKind kind : kKinds) {
    if (log_)
      for (const auto& [who, entry] : entries(kind)) log_->erase(kind, who);
    entries(kind).clear();
  }
  count_.store(0, std::memory_order_relaxed);
}

BanTable::Page BanTable::list(std::size_t skip, std::size_t limit, const Wanted& wanted) const {
  const std::shared_lock guard(mutex_);
  const std::int64_t now = now_ms();
  std::vector<const Ban*> all;
  for (const Entries& one : entries_)
    for (const auto& [who, entry] : one)
      if (entry.ends_ms > now && (!wanted || wanted(entry.ban))) all.push_back(&entry.ban);
  std::sort(all.begin(), all.end(),
            [](const Ban* a, const Ban* b) { return a->as != b->as ? a->as < b->as : a->who < b->who; });
  Page out;
  out.count = all.size();
  for (std::size_t i = std::min(skip, all.size()); i < all.size() && out.bans.size() < limit; ++i)
    out.bans.push_back(*all[i]);
  return out;
}

std::optional<Error> BanTable::trouble() const {
  const std::shared_lock guard(mutex_);
  return log_ ? log_->trouble() : std::nullopt;
}

void BanTable::store_refused() {
  if (!log_) return;
  for (const auto& [as, who] : log_->take_refused()) {
    const auto found = entries(as).find(who);
    if (found == entries(as).end())
      log_->erase(as, who);
    else
      log_->put(found->second.ban);
  }
}

std::size_t BanTable::sweep() {
  const std::lock_guard guard(mutex_);
  store_refused();
  const std::int64_t now = now_ms();
  std::size_t gone = 0;
  for (const BanKind kind : kKinds)
    gone += boost::unordered::erase_if(entries(kind), [&](const auto& pair) {
      if (pair.second.ends_ms > now) return false;
      if (log_) log_->erase(kind, pair.first);
      return true;
    });
  count_.fetch_sub(gone, std::memory_order_relaxed);
  return gone;
}

bool BanTable::live(BanKind as, std::string_view who, std::int64_t now) const {
  const auto found = entries(as).find(who);
  return found != entries(as).end() && found->second.ends_ms > now;
}

bool BanTable::matched(std::string_view client_id, std::string_view username, std::string_view peer_host,
                       std::int64_t now) const {
  if (patterns() == 0) return false;
  const auto host = entries(BanKind::PeerHostNet).empty() ? std::nullopt : detail::parse_host(peer_host);
  for (const BanKind kind : kKinds) {
    if (!is_pattern(kind)) continue;
    for (const auto& [who, entry] : entries(kind))
      if (entry.ends_ms > now && entry.pattern->matches(client_id, username, host)) return true;
  }
  return false;
}

bool BanTable::banned(std::string_view client_id, std::string_view username, std::string_view peer_host) const {
  if (size() == 0) return false;
  const std::shared_lock guard(mutex_);
  const std::int64_t now = now_ms();
  return live(BanKind::ClientId, client_id, now) || (!username.empty() && live(BanKind::Username, username, now)) ||
         live(BanKind::PeerHost, peer_host, now) || matched(client_id, username, peer_host, now);
}

}  // namespace sb::access
