#include "access/store_ban_log.h"

#include "base/log.h"
#include "store/tables.h"

namespace sb::access {

void StoreBanLog::commit(store::Batch batch) {
  store_.commit(std::move(batch), [](const Result<>& result, const store::Batch&) {
    if (!result) SB_LOG(log::Level::Error, "ban_not_stored", kv("reason", result.error().what));
  });
}

void StoreBanLog::put(const Ban& ban) {
  store::Batch batch;
  store::put(batch, store::BannedRecord{to_string(ban.as), ban.who, ban.by, ban.reason, ban.at_ms,
                                        ban.until_ms == Ban::kForever ? 0 : ban.until_ms});
  commit(std::move(batch));
}

void StoreBanLog::erase(BanKind as, std::string_view who) {
  store::Batch batch;
  store::erase_banned(batch, to_string(as), who);
  commit(std::move(batch));
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
