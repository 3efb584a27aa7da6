// Pre-shared keys of TLS in a backup: the table that handshakes read, and what the store keeps of it.
#include "management/backup_tables.h"
#include "management/text.h"
#include "store/tables.h"

#include <algorithm>

namespace sb::management {

namespace {

/// RFC 4279, 5.3: what every peer must support, and OpenSSL's own limit.
constexpr std::size_t kIdentityMax = 128;
constexpr std::size_t kSecretMax = 256;

class Psk final : public BackupTable {
 public:
  Psk(net::PskTable& keys, std::function<store::KeyValue*()> store) : keys_(keys), store_(std::move(store)) {}
  std::string_view name() const override { return "emqx_psk"; }
  Result<std::vector<BackupRow>> rows() override {
    std::vector<BackupRow> out;
    for (const auto& [identity, secret] : keys_.all())
      out.push_back(BackupRow{{"psk_id", identity}, {"shared_secret", base64(secret.reveal())}});
    std::sort(out.begin(), out.end(), [this](const auto& a, const auto& b) { return key(a) < key(b); });
    return out;
  }
  Result<> check(const BackupRow& row) const override {
    SB_TRY(const std::string identity, row_text(row, "psk_id"));
    if (identity.empty() || identity.size() > kIdentityMax)
      return fail(Errc::Invalid, fmt::format("psk_id: expected 1..{} bytes", kIdentityMax));
    SB_TRY(const std::string secret, row_bytes(row, "shared_secret"));
    if (secret.empty() || secret.size() > kSecretMax)
      return fail(Errc::Invalid, fmt::format("shared_secret: expected 1..{} bytes in base64", kSecretMax));
    return {};
  }
  Result<> put(const std::vector<BackupRow>& rows) override {
    std::vector<net::PskTable::Row> all;
    store::Batch batch;
    for (const BackupRow& row : rows) {
      SB_TRY(const std::string identity, row_text(row, "psk_id"));
      SB_TRY(std::string secret, row_bytes(row, "shared_secret"));
      store::put(batch, store::PskIdentityRecord{identity, secret});
      all.emplace_back(identity, Secret(std::move(secret)));
    }
    SB_CHECKED(commit(std::move(batch)));
    keys_.put(std::move(all));
    return {};
  }
  Result<> erase(const std::vector<BackupRow>& rows) override {
    std::vector<std::string> all;
    store::Batch batch;
    for (const BackupRow& row : rows) {
      SB_TRY(std::string identity, row_text(row, "psk_id"));
      store::erase_psk_identity(batch, identity);
      all.push_back(std::move(identity));
    }
    SB_CHECKED(commit(std::move(batch)));
    keys_.erase(all);
    return {};
  }
  std::string key(const BackupRow& row) const override { return row_text(row, "psk_id").value_or(std::string()); }

 private:
  Result<> commit(store::Batch batch) {
    store::KeyValue* const store = store_();
    return store ? store->commit_wait(std::move(batch)) : Result<>{};
  }

  net::PskTable& keys_;
  std::function<store::KeyValue*()> store_;
};

}  // namespace

std::unique_ptr<BackupTable> psk_backup(net::PskTable& keys, std::function<store::KeyValue*()> store) {
  return std::make_unique<Psk>(keys, std::move(store));
}

}  // namespace sb::management
