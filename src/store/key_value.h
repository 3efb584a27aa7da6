// The port of the store: ordered tables of bytes. Changes are committed in batches, asynchronously; what a batch holds
// is there as a whole or not at all, and batches become visible in the order they were handed over. Thread safe.
//
// Threads: commit() and try_commit() only put the batch into a bounded queue and may be called on a shard. Everything
// else touches the disk or waits for it: not on a shard. `Done` runs on the store's writer thread and must only post.
// Failure: a batch that cannot be written is refused as a whole (Errc::Full when the disk is full, Errc::Io otherwise)
// and handed back unchanged; the store goes on answering get() and scan() and takes writes again when the cause is
// gone.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "store/batch.h"
#include "store/table.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::store {

/// When `Done` may say success. `session_persistence.durability`.
enum class Durability : std::uint8_t {
  Relaxed,  // the record is in memory; the log is flushed by a timer: kill -9 loses at most the last interval
  Process,  // the log was handed to the kernel: kill -9 loses nothing, a power cut the last seconds
  Power,    // the log was synced to the disk: a power cut loses nothing
};

/// Runs once for each accepted batch. `spent` is the caller's batch: emptied but warm on success, unchanged on failure.
using Done = std::function<void(Result<> result, Batch spent)>;

/// Keeps the order of one shard's batches past a failure: once one of them is refused, the later ones that are under
/// way are refused too, until the shard, having heard of all of them, opens the lane and hands them over again.
class Lane {
 public:
  bool blocked() const { return blocked_.load(std::memory_order_acquire); }
  void block() { blocked_.store(true, std::memory_order_release); }
  void open() { blocked_.store(false, std::memory_order_release); }

 private:
  std::atomic<bool> blocked_{false};
};

/// Return false to stop early. The views live until it returns.
using Visit = std::function<Result<bool>(std::string_view key, std::string_view value)>;

struct Stats {
  std::array<std::uint64_t, kTableCount> records{};  // estimates: RocksDB counts overwritten rows until compaction
  std::uint64_t disk_bytes = 0;                      // sorted files
  std::uint64_t memory_bytes = 0;                    // write buffers and block cache
  std::uint64_t log_bytes = 0;                       // write-ahead logs on disk
  std::uint64_t batches = 0;                         // committed
  std::uint64_t writes = 0;                          // writes of merged batches: batches / writes is the merge factor
  std::uint64_t entries = 0;                         // committed puts and erases
  std::uint64_t refused_busy = 0;                    // try_commit that met the bound
  std::uint64_t failed = 0;                          // batches refused by the disk
  std::uint64_t queued_batches = 0;                  // waiting now
  std::uint64_t queued_bytes = 0;
  std::optional<Error> trouble;     // why writes fail now; empty while they work
  std::optional<Error> last_error;  // the newest failure since the start, and why it is not over
};

class KeyValue {
 public:
  virtual ~KeyValue() = default;

  /// Hands a batch over. Errc::Busy above the bound (`batch` is untouched: keep it, slow the publishers down, try again
  /// after the next Done), Errc::Unavailable after close().
  [[nodiscard]] virtual Result<> try_commit(Batch&& batch, Done done) = 0;

  /// As try_commit, but past the bound: for what must not be refused and is bounded elsewhere (acknowledgements,
  /// session ends). Refused after close(): then `done` runs at once with Errc::Unavailable, on the calling thread.
  virtual void commit(Batch&& batch, Done done, std::shared_ptr<Lane> lane) = 0;
  void commit(Batch&& batch, Done done) { commit(std::move(batch), std::move(done), nullptr); }

  /// Waits for the outcome. For management and start-up. The batch comes back empty, or unchanged on failure.
  [[nodiscard]] Result<> commit_wait(Batch&& batch);

  /// Errc::NotFound when there is no such key.
  [[nodiscard]] virtual Result<std::string> get(Table table, std::string_view key) const = 0;

  /// Visits, in key order and as of now, the keys that start with `prefix` and are not below `from`.
  [[nodiscard]] virtual Result<> scan(Table table, std::string_view prefix, std::string_view from,
                                      const Visit& visit) const = 0;
  [[nodiscard]] Result<> scan(Table table, std::string_view prefix, const Visit& visit) const {
    return scan(table, prefix, {}, visit);
  }

  /// Waits until everything handed over before is on disk (synced), whatever the durability.
  [[nodiscard]] virtual Result<> flush() = 0;

  /// Writes what is queued, syncs, and ends the writer thread. Idempotent; the destructor does it too.
  [[nodiscard]] virtual Result<> close() = 0;

  virtual Stats stats() const = 0;
  /// Stats::trouble alone: costs a mutex for a few instructions, any thread.
  virtual std::optional<Error> trouble() const = 0;
};

/// One step of a format change: turns a store of format `from` into `from + 1`. It works on a copy, so it may fail
/// half-way; commit with commit_wait.
struct Migration {
  std::uint32_t from;
  std::function<Result<>(KeyValue&)> run;
};

/// The format that this program writes. docs/storage.md
constexpr std::uint32_t kFormatVersion = 1;
/// The steps up to kFormatVersion.
std::vector<Migration> migrations();

struct Options {
  /// Made when absent; its parent must exist. Locked exclusively while open.
  std::string folder{};
  Durability durability = Durability::Process;
  /// Relaxed: the log is handed to the kernel this often.
  Millis flush_interval{1000};
  /// Bound of try_commit: whichever comes first. 64 MiB is half a second of 1 KiB messages at 100,000/s.
  std::size_t queue_batches_max = 8192;
  std::size_t queue_bytes_max = std::size_t{64} << 20;
  /// After a failed write the next attempt, and the search for free space, waits this long.
  Millis retry_interval{1000};
  std::size_t write_buffer_bytes = std::size_t{64} << 20;
  std::size_t block_cache_bytes = std::size_t{32} << 20;
  /// Told on the writer thread when writes begin to fail, once more when it is known what they wait for and, with an
  /// empty value, when they work again.
  std::function<void(const std::optional<Error>& trouble)> on_trouble{};
  std::uint32_t format_version = kFormatVersion;  // others: tests of migration
  std::vector<Migration> steps = migrations();
};

/// Errc::Busy: the folder is in use. Errc::Unsupported: written by a newer program, or no step leads from its format.
/// Errc::Corrupt: something in it does not check. Errc::Full, Errc::Io: the disk. Nothing is ever reset or dropped,
/// except an incomplete record at the very end of a log, which was never acknowledged (process and power).
[[nodiscard]] Result<std::unique_ptr<KeyValue>> open_rocksdb(Options options);

struct MemoryOptions {
  /// Asked before each batch; an error refuses it, as a full disk would.
  std::function<Result<>(const Batch&)> before_commit{};
};

/// A store without a disk, for tests and simulation: batches are applied and `Done` runs before commit returns.
[[nodiscard]] std::unique_ptr<KeyValue> make_memory(MemoryOptions options = {});

}  // namespace sb::store
