// Appends lines to files on a thread of its own, which runs only while there are files. Shards never wait for a disk:
// the queue is bounded, what does not fit is dropped and counted.
#pragma once

#include "base/result.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace sb::plugins::module::log_trace {

class TraceWriter {
 public:
  static constexpr std::size_t kQueueBytesMax = 16 << 20;

  class File;
  using FileRef = std::shared_ptr<File>;

  explicit TraceWriter(std::uint64_t file_bytes_max) : file_bytes_max_(file_bytes_max) {}
  ~TraceWriter();
  TraceWriter(const TraceWriter&) = delete;
  TraceWriter& operator=(const TraceWriter&) = delete;

  [[nodiscard]] Result<FileRef> open(const std::string& path);
  /// Any thread.
  void append(const FileRef& file, std::string line);
  /// Waits until the queue is written.
  void flush();
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    FileRef file;
    std::string line;
  };
  void run();

  const std::uint64_t file_bytes_max_;
  std::atomic<std::uint64_t> dropped_{0};
  std::mutex mutex_;  // guards what follows
  std::condition_variable filled_;
  std::condition_variable drained_;
  std::deque<Entry> queue_;
  std::size_t queue_bytes_ = 0;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace sb::plugins::module::log_trace
