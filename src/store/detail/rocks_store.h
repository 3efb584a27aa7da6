// KeyValue over one RocksDB directory. rocks_open.cc finds, makes and migrates directories.
#pragma once

#include <rocksdb/db.h>
#include <rocksdb/listener.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "store/detail/commit_queue.h"
#include "store/folder_lock.h"
#include "store/key_value.h"

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
  ~RocksStore() override;

  /// Keeps the claim on the folder until the store is gone.
  void keep(FolderLock lock) { lock_ = std::move(lock); }
  /// A copy of the store as of now in a new directory, mostly of hard links.
  [[nodiscard]] Result<> copy_to(const std::string& path);

  Result<> try_commit(Batch&& batch, Done done) override;
  void commit(Batch&& batch, Done done) override;
  Result<std::string> get(Table table, std::string_view key) const override;
  Result<> scan(Table table, std::string_view prefix, std::string_view from, const Visit& visit) const override;
  Result<> flush() override;
  Result<> close() override;
  Stats stats() const override;

 private:
  class Listener;
  using Handles = std::array<rocksdb::ColumnFamilyHandle*, kTableCount>;

  explicit RocksStore(Durability durability, std::string path) : durability_(durability), path_(std::move(path)) {}

  // CommitBackend, on the writer thread.
  Result<> write(std::span<const Pending> group) override;
  Result<> sync() override;
  Result<> flush_log() override;
  Result<> recover() override;

  rocksdb::Status guard_log();

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
