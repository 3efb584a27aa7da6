// The writer thread of a store and the bounded queue in front of it. Batches that wait together are written together;
// order is kept. After a failed write everything is refused at once, without touching the disk, until the backend
// recovers; that is tried each retry_interval.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "store/batch.h"
#include "store/key_value.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace sb::store::detail {

struct Pending {
  Batch batch;
  Done done;
  std::shared_ptr<Lane> lane{};
  bool sync = false;  // no batch: sync the log, then tell
};

/// What the thread drives; called on that thread alone.
class CommitBackend {
 public:
  virtual ~CommitBackend() = default;
  /// All of them or none.
  [[nodiscard]] virtual Result<> write(std::span<const Pending> group) = 0;
  [[nodiscard]] virtual Result<> sync() = 0;
  /// Relaxed: hands the log to the kernel.
  [[nodiscard]] virtual Result<> flush_log() = 0;
  /// Tries to take writes again.
  [[nodiscard]] virtual Result<> recover() = 0;
};

class CommitQueue {
 public:
  struct Limits {
    std::size_t batches_max;
    std::size_t bytes_max;
    Millis retry_interval;
    std::optional<Millis> flush_interval;  // set: flush_log() this long after a write
    std::function<void(const std::optional<Error>&)> on_trouble;
  };

  /// `backend` outlives it.
  CommitQueue(CommitBackend& backend, Limits limits);
  ~CommitQueue() { stop(); }
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;

  [[nodiscard]] Result<> try_push(Batch&& batch, Done&& done);
  void push(Pending&& pending);
  /// Something failed behind the writes (flush, compaction). Any thread.
  void report(Error error);
  /// Writes what waits, then ends the thread. Idempotent, any thread but the writer.
  void stop();
  /// Why writes fail; empty while they work.
  std::optional<Error> trouble() const;
  /// Fills batches, writes, entries, refused_busy, failed, queued_*, trouble, last_error.
  void add_to(Stats& stats) const;

 private:
  using Instant = std::chrono::steady_clock::time_point;

  /// Bound of one write. Larger merges gain nothing and hold up the first of them.
  static constexpr std::size_t kMergeBytes = std::size_t{1} << 20;

  void run();
  bool take(std::vector<Pending>& taken);
  void process(std::vector<Pending>& taken);
  void write_group(std::span<Pending> group);
  void sync_one(Pending& pending);
  void idle_work();
  bool ready();
  void finish(std::span<Pending> group, const Result<>& result);
  void set_trouble(std::optional<Error> error);
  void still_in_trouble(const Error& why);
  std::optional<Instant> next_deadline() const;

  CommitBackend& backend_;
  const Limits limits_;

  mutable std::mutex mutex_;  // guards what follows; held for a few instructions
  std::condition_variable wake_;
  std::vector<Pending> waiting_;
  std::optional<Error> reported_;
  std::size_t held_batches_ = 0;  // waiting or being written
  std::size_t held_bytes_ = 0;
  bool sleeping_ = false;
  bool stopping_ = false;
  Stats counters_;

  // Writer thread only.
  std::optional<Error> trouble_;
  std::optional<std::string> first_reason_;  // of the trouble, once it is known why it is not over
  Instant retry_at_{};
  std::optional<Instant> flush_at_;

  std::mutex join_mutex_;  // taken before mutex_
  std::thread thread_;
};

}  // namespace sb::store::detail
