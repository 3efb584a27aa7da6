// KeyValue over one RocksDB directory. rocks_open.cc finds, makes and migrates directories.
#pragma once

#include "store/detail/commit_queue.h"
#include "store/folder_lock.h"
#include "store/key_value.h"

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>

namespace sb::store::detail {

Error to_error(const rocksdb::Status& status, std::string_view doing);

class RocksStore final : public KeyValue, private CommitBackend {
 public:
  enum class Mode {
    Create,   // the directory must not hold a store
    Existing  // all tables known to this program are there afterwards
  };
  [[nodiscard]] static Result<std::unique_ptr<RocksStore>> open(const std::string& path, Mode mode,
                                                                const Options& options);
  /// For open().
  RocksStore(Durability durability, std::string path) : durability_(durability), path_(std::move(path)) {}
  ~RocksStore() override;

  /// Keeps the claim on the folder until the store is gone.
  void keep(FolderLock lock) { lock_ = std::move(lock); }
  /// A copy of the store as of now in a new directory, mostly of hard links.
  [[nodiscard]] Result<> copy_to(const std::string& path);

  [[nodiscard]] Result<> try_commit(Batch&& batch, Done done) override;
  using KeyValue::commit;
  void commit(Batch&& batch, Done done, std::shared_ptr<Lane> lane) override;
  [[nodiscard]] Result<std::string> get(Table table, std::string_view key) const override;
  [[nodiscard]] Result<> scan(Table table, std::string_view prefix, std::string_view from,
                              const Visit& visit) const override;
  [[nodiscard]] Result<> flush() override;
  [[nodiscard]] Result<> close() override;
  Stats stats() const override;
  std::optional<Error> trouble() const override { return queue_->trouble(); }

 private:
  class Listener;
  using Handles = std::array<rocksdb::ColumnFamilyHandle*, kTableCount>;

  // CommitBackend, on the writer thread.
  [[nodiscard]] Result<> write(std::span<const Pending> group) override;
  [[nodiscard]] Result<> sync() override;
  [[nodiscard]] Result<> flush_log() override;
  [[nodiscard]] Result<> recover() override;

  rocksdb::Status guard_log();
  [[nodiscard]] Result<> find_room();

  const Durability durability_;
  const std::string path_;
  std::optional<FolderLock> lock_;
  std::shared_ptr<Listener> listener_;
  std::unique_ptr<rocksdb::DB> db_;
  Handles handles_{};
  rocksdb::WriteBatch merged_;  // writer thread only
  std::unique_ptr<CommitQueue> queue_;
  std::mutex close_mutex_;  // guards closed_; taken before the queue's
  std::optional<Result<>> closed_;
};

}  // namespace sb::store::detail
