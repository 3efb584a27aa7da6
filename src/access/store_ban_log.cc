#include "access/store_ban_log.h"

#include "base/log.h"
#include "store/tables.h"

namespace sb::access {

void StoreBanLog::commit(store::Batch batch, BanKind as, std::string_view who) {
  store_.commit(std::move(batch),
                [refused = refused_, target = Target(as, who)](const Result<>& result, const store::Batch&) {
                  if (result) return;
                  SB_LOG(log::Level::Error, "ban_not_stored", kv("reason", result.error().what));
                  const std::lock_guard guard(refused->mutex);
                  refused->targets.insert(target);
                });
}

void StoreBanLog::put(const Ban& ban) {
  store::Batch batch;
  store::put(batch, store::BannedRecord{to_string(ban.as), ban.who, ban.by, ban.reason, ban.at_ms,
                                        ban.until_ms == Ban::kForever ? 0 : ban.until_ms});
  commit(std::move(batch), ban.as, ban.who);
}

void StoreBanLog::erase(BanKind as, std::string_view who) {
  store::Batch batch;
  store::erase_banned(batch, to_string(as), who);
  commit(std::move(batch), as, who);
}

std::optional<Error> StoreBanLog::trouble() const {
  return store_.trouble();
}

std::vector<BanLog::Target> StoreBanLog::take_refused() {
  const std::lock_guard guard(refused_->mutex);
  std::vector<Target> out(refused_->targets.begin(), refused_->targets.end());
  refused_->targets.clear();
  return out;
}

Result<std::vector<Ban>> StoreBanLog::load() const {
  std::vector<Ban> out;
  SB_CHECKED(store::scan<store::BannedRecord>(store_, [&](const store::BannedRecord& row) -> Result<> {
    const auto as = ban_kind(row.as);
    if (!as) return fail(Errc::Corrupt, "a ban of an unknown kind: " + std::string(row.as));
    out.push_back(Ban{*as, std::string(row.who), std::string(row.by), std::string(row.reason), row.at_ms,
                      row.until_ms == 0 ? Ban::kForever : row.until_ms});
    return {};
  }));
  return out;
}

}  // namespace sb::access
