#include "store/detail/rocks_store.h"

#include "base/log.h"

#include <rocksdb/cache.h>
#include <rocksdb/env.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/utilities/checkpoint.h>
#include <rocksdb/utilities/table_properties_collectors.h>
#include <rocksdb/write_batch.h>

#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <future>
#include <mutex>

namespace sb::store::detail {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kScanReadahead = std::size_t{2} << 20;
/// All logs together: above it the write buffers that pin the oldest are flushed. Bounds what a start has to replay.
constexpr std::uint64_t kLogBytesMax = std::uint64_t{256} << 20;
constexpr int kOpenFilesMax = 512;
constexpr std::uint64_t kRoomForLog = std::uint64_t{2} << 20;

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& s) {
  return {s.data(), s.size()};
}

/// The smallest key above all that start with `prefix`, which holds a byte below 0xFF.
std::string successor(std::string_view prefix) {
  std::string end(prefix);
  while (static_cast<unsigned char>(end.back()) == 0xFF) end.pop_back();
  ++end.back();
  return end;
}

/// RocksDB's messages become log lines for debugging: what matters of them also comes as an error. Its own LOG file
/// must not exist: built with assertions, as Debian does, the library ends the process when a write to that file fails,
/// that is, on a full disk.
class MessageLog final : public rocksdb::Logger {
 public:
  MessageLog() : rocksdb::Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    Logv(rocksdb::InfoLogLevel::DEBUG_LEVEL, format, arguments);
  }
  void Logv(rocksdb::InfoLogLevel level, const char* format, va_list arguments) override {
    if (level < rocksdb::InfoLogLevel::WARN_LEVEL || level > rocksdb::InfoLogLevel::FATAL_LEVEL) return;
    std::array<char, 512> buffer{};
    std::vsnprintf(buffer.data(), buffer.size(), format, arguments);
    std::string_view text(buffer.data());
    while (text.ends_with('\n')) text.remove_suffix(1);
    SB_LOG(log::Level::Debug, "rocksdb", kv("text", text));
  }
  void LogHeader(const char* /*format*/, va_list /*arguments*/) override {}
};

rocksdb::DBOptions db_options(const Options& options) {
  rocksdb::DBOptions db;
  db.create_if_missing = false;
  db.create_missing_column_families = true;
  db.paranoid_checks = true;
  // Tells a log that ends early (a crash; its end was never acknowledged) from one that is damaged before its end.
  // The library's default, kPointInTimeRecovery, would drop everything behind the damage and say nothing.
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.track_and_verify_wals_in_manifest = true;
  db.manual_wal_flush = options.durability == Durability::Relaxed;
  db.max_total_wal_size = kLogBytesMax;
  db.max_open_files = kOpenFilesMax;
  db.max_background_jobs = 2;
  // One writing thread: the cheaper, single-writer insert into the write buffers.
  db.allow_concurrent_memtable_write = false;
  db.enable_write_thread_adaptive_yield = false;
  db.bytes_per_sync = std::uint64_t{1} << 20;
  db.db_write_buffer_size = options.write_buffer_bytes * 2;
  // We decide when to try again, see CommitQueue.
  db.max_bgerror_resume_count = 0;
  db.info_log = std::make_shared<MessageLog>();
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  return db;
}

rocksdb::ColumnFamilyOptions table_options(std::string_view name, const Options& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions table;
  table.write_buffer_size = options.write_buffer_bytes;
  table.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions blocks;
  blocks.block_cache = cache;
  blocks.block_size = 16 * 1024;
  blocks.format_version = 5;
  table.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
  // Their rows live for seconds: without this a start would walk over the tombstones of everything ever delivered.
  if (name == to_string(Table::Queues) || name == to_string(Table::Messages))
    table.table_properties_collector_factories.push_back(
        rocksdb::NewCompactOnDeletionCollectorFactory(16 * 1024, 8 * 1024));
  // Rows of one session come in order: begin the search where its last row went in, not at the top of the list.
  if (name == to_string(Table::Queues) || name == to_string(Table::AwaitingRel))
    table.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(8));
  return table;
}

}  // namespace

Error to_error(const rocksdb::Status& status, std::string_view doing) {
  Errc code = Errc::Io;
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::kSpaceLimit)
    code = Errc::Full;
  else if (status.IsCorruption())
    code = Errc::Corrupt;
  else if (status.IsNotFound())
    code = Errc::NotFound;
  else if (status.IsBusy() || status.IsTryAgain())
    code = Errc::Busy;
  else if (status.IsShutdownInProgress() || status.IsAborted())
    code = Errc::Unavailable;
  return {code, fmt::format("{}: {}", doing, status.ToString())};
}

/// Hears of failures behind the writes. RocksDB calls it on any of its threads, also while opening and closing.
class RocksStore::Listener final : public rocksdb::EventListener {
 public:
  void attach(CommitQueue* queue) {
    const std::lock_guard lock(mutex_);
    queue_ = queue;
  }
  void OnBackgroundError(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status* status) override {
    const std::lock_guard lock(mutex_);
    if (queue_ != nullptr && status != nullptr && !status->ok()) queue_->report(to_error(*status, "background work"));
  }
  /// The library's own recovery looks for space every five seconds and meanwhile refuses ours.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status /*error*/,
                            bool* auto_recovery) override {
    *auto_recovery = false;
  }

 private:
  std::mutex mutex_;  // guards queue_; taken before the queue's
  CommitQueue* queue_ = nullptr;
};

Result<std::unique_ptr<RocksStore>> RocksStore::open(const std::string& path, Mode mode, const Options& options) {
  rocksdb::DBOptions db = db_options(options);
  std::vector<std::string> names;
  if (mode == Mode::Create) {
    db.create_if_missing = true;
    db.error_if_exists = true;
    names.emplace_back(rocksdb::kDefaultColumnFamilyName);
  } else {
    if (!fs::exists(path + "/CURRENT"))
      return fail(Errc::Corrupt, fmt::format("store {} has lost its file CURRENT", path));
    if (const rocksdb::Status s = rocksdb::DB::ListColumnFamilies(db, path, &names); !s.ok())
      return fail(Errc::Corrupt, fmt::format("store {} cannot be read: {}", path, s.ToString()));
  }
  for (const std::string& name : names)
    if (name != rocksdb::kDefaultColumnFamilyName &&
        std::find(kTableNames.begin(), kTableNames.end(), name) == kTableNames.end())
      return fail(Errc::Unsupported,
                  fmt::format("store {} has a table '{}' that this program does not know", path, name));

  auto store = std::make_unique<RocksStore>(options.durability, path);
  store->listener_ = std::make_shared<Listener>();
  db.listeners.push_back(store->listener_);
  const std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> tables;
  for (const std::string_view name : kTableNames)
    tables.emplace_back(std::string(name), table_options(name, options, cache));
  tables.emplace_back(rocksdb::kDefaultColumnFamilyName, table_options("default", options, cache));

  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(db, path, tables, &handles, &opened);
  if (!status.ok()) {
    Error error = to_error(status, fmt::format("cannot open the store {}", path));
    // A file that the store's own list names and that is not there is damage, not a matter of permissions.
    if (mode == Mode::Existing && (status.IsPathNotFound() || status.IsInvalidArgument())) error.code = Errc::Corrupt;
    return tl::unexpected(std::move(error));
  }
  store->db_.reset(opened);
  for (std::size_t i = 0; i < kTableCount; ++i) store->handles_[i] = handles[i];
  store->db_->DestroyColumnFamilyHandle(handles[kTableCount]);

  CommitQueue::Limits limits{.batches_max = options.queue_batches_max,
                             .bytes_max = options.queue_bytes_max,
                             .retry_interval = options.retry_interval,
                             .flush_interval = std::nullopt,
                             .on_trouble = options.on_trouble};
  if (options.durability == Durability::Relaxed) limits.flush_interval = options.flush_interval;
  store->queue_ = std::make_unique<CommitQueue>(static_cast<CommitBackend&>(*store), std::move(limits));
  store->listener_->attach(store->queue_.get());
  return store;
}

RocksStore::~RocksStore() {
  if (!db_) return;
  if (Result<> closed = close(); !closed)
    SB_LOG(log::Level::Error, "store_close_failed", kv("reason", closed.error().what));
  for (rocksdb::ColumnFamilyHandle* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
}

Result<> RocksStore::copy_to(const std::string& path) {
  rocksdb::Checkpoint* made = nullptr;
  rocksdb::Status status = rocksdb::Checkpoint::Create(db_.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(path);
  if (!status.ok()) return tl::unexpected(to_error(status, fmt::format("cannot copy the store to {}", path)));
  return {};
}

Result<> RocksStore::try_commit(Batch&& batch, Done done) {
  return queue_->try_push(std::move(batch), std::move(done));
}

void RocksStore::commit(Batch&& batch, Done done, std::shared_ptr<Lane> lane) {
  queue_->push({.batch = std::move(batch), .done = std::move(done), .lane = std::move(lane)});
}

Result<std::string> RocksStore::get(Table table, std::string_view key) const {
  std::string value;
  const rocksdb::Status status = db_->Get({}, handles_[index_of(table)], slice(key), &value);
  if (status.IsNotFound()) return fail(Errc::NotFound, "no such key");
  if (!status.ok()) return tl::unexpected(to_error(status, fmt::format("reading table {}", to_string(table))));
  return value;
}

Result<> RocksStore::scan(Table table, std::string_view prefix, std::string_view from, const Visit& visit) const {
  rocksdb::ReadOptions read;
  read.fill_cache = false;
  read.readahead_size = kScanReadahead;
  read.verify_checksums = true;
  std::string end;
  rocksdb::Slice bound;
  if (prefix.find_first_not_of('\xFF') != std::string_view::npos) {
    end = successor(prefix);
    bound = end;
    read.iterate_upper_bound = &bound;
  }
  const std::unique_ptr<rocksdb::Iterator> at(db_->NewIterator(read, handles_[index_of(table)]));
  for (at->Seek(slice(std::max(prefix, from))); at->Valid(); at->Next()) {
    const std::string_view key = view(at->key());
    if (!key.starts_with(prefix)) break;
    SB_TRY(const bool more, visit(key, view(at->value())));
    if (!more) return {};
  }
  if (!at->status().ok())
    return tl::unexpected(to_error(at->status(), fmt::format("reading table {}", to_string(table))));
  return {};
}

Result<> RocksStore::flush() {
  auto outcome = std::make_shared<std::promise<Result<>>>();
  std::future<Result<>> answer = outcome->get_future();
  queue_->push({.batch = {},
                .done = [outcome](Result<> result, Batch) { outcome->set_value(std::move(result)); },
                .sync = true});
  return answer.get();
}

Result<> RocksStore::close() {
  const std::lock_guard lock(close_mutex_);
  if (closed_) return *closed_;
  queue_->stop();
  listener_->attach(nullptr);
  closed_ = [this]() -> Result<> {
    // A log that failed must not be touched again before recover() has replaced it: the library asserts that.
    if (queue_->trouble()) SB_CHECKED(recover());
    SB_CHECKED(sync());
    // So that the next start replays no log.
    const std::vector<rocksdb::ColumnFamilyHandle*> all(handles_.begin(), handles_.end());
    if (const rocksdb::Status s = db_->Flush({}, all); !s.ok()) return tl::unexpected(to_error(s, "closing the store"));
    return {};
  }();
  return *closed_;
}

Stats RocksStore::stats() const {
  Stats stats;
  const auto property = [this](rocksdb::ColumnFamilyHandle* handle, const std::string& name) {
    std::uint64_t value = 0;
    db_->GetIntProperty(handle, name, &value);
    return value;
  };
  for (std::size_t i = 0; i < kTableCount; ++i) {
    stats.records[i] = property(handles_[i], rocksdb::DB::Properties::kEstimateNumKeys);
    stats.disk_bytes += property(handles_[i], rocksdb::DB::Properties::kTotalSstFilesSize);
    stats.memory_bytes += property(handles_[i], rocksdb::DB::Properties::kSizeAllMemTables);
  }
  stats.memory_bytes += property(handles_[0], rocksdb::DB::Properties::kBlockCacheUsage);
  std::error_code error;  // a file may go while we look
  for (fs::directory_iterator file(path_, error), end; !error && file != end; file.increment(error)) {
    if (file->path().extension() != ".log") continue;
    std::error_code gone;
    const std::uintmax_t size = file->file_size(gone);
    if (!gone) stats.log_bytes += size;
  }
  queue_->add_to(stats);
  return stats;
}

Result<> RocksStore::write(std::span<const Pending> group) {
  merged_.Clear();
  rocksdb::Status status;
  for (const Pending& pending : group)
    pending.batch.for_each([this, &status](const Batch::Entry& entry) {
      rocksdb::ColumnFamilyHandle* handle = handles_[index_of(entry.table)];
      rocksdb::Status added;
      switch (entry.op) {
        case Batch::Op::Put:
          added = merged_.Put(handle, slice(entry.key), slice(entry.value));
          break;
        case Batch::Op::Erase:
          added = merged_.Delete(handle, slice(entry.key));
          break;
        case Batch::Op::ErasePrefix:
          added = merged_.DeleteRange(handle, slice(entry.key), successor(entry.key));
          break;
        case Batch::Op::Cancelled:
          break;
      }
      if (!added.ok()) status = added;
    });
  if (status.ok() && merged_.Count() != 0) status = guard_log();
  if (status.ok() && merged_.Count() != 0) {
    rocksdb::WriteOptions write;
    write.sync = durability_ == Durability::Power;
    status = db_->Write(write, &merged_);
  }
  if (!status.ok()) return tl::unexpected(to_error(status, "writing to the store"));
  return {};
}

/// Makes sure that recover() can replace the log. After a failed append a log must not be appended to again (built with
/// assertions, the library ends the process). Resume() replaces it by switching write buffers, but only where one of
/// them is not empty, and they are when it failed just after a switch. So a row that is not logged goes before each
/// logged write; it also brings on the switches that are due, so that none comes between it and the logged write.
rocksdb::Status RocksStore::guard_log() {
  rocksdb::WriteOptions unlogged;
  unlogged.disableWAL = true;
  return db_->Put(unlogged, handles_[index_of(Table::Meta)], "guard", "");
}

Result<> RocksStore::sync() {
  if (const rocksdb::Status s = db_->FlushWAL(true); !s.ok()) return tl::unexpected(to_error(s, "syncing the log"));
  return {};
}

Result<> RocksStore::flush_log() {
  if (const rocksdb::Status s = db_->FlushWAL(false); !s.ok()) return tl::unexpected(to_error(s, "flushing the log"));
  return {};
}

/// Resume() flushes what is in memory and waits for that, in this version of the library for ever if the flush meets a
/// full disk: it is asked only where there is room for twice as much, and for a log.
Result<> RocksStore::find_room() {
  std::uint64_t in_memory = 0;
  db_->GetAggregatedIntProperty(rocksdb::DB::Properties::kSizeAllMemTables, &in_memory);
  std::error_code error;
  const fs::space_info space = fs::space(db_->GetName(), error);
  const std::uint64_t wanted = 2 * in_memory + kRoomForLog;
  if (!error && space.available < wanted)
    return fail(Errc::Full, fmt::format("{} bytes are free where {} are needed to go on", space.available, wanted));
  return {};
}

Result<> RocksStore::recover() {
  SB_CHECKED(find_room());
  if (const rocksdb::Status s = db_->Resume(); !s.ok()) return tl::unexpected(to_error(s, "the store cannot go on"));
  return {};
}

}  // namespace sb::store::detail
