#include "plugins/module/log_trace/trace_writer.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace sb::plugins::module::log_trace {

class TraceWriter::File {
 public:
  explicit File(std::FILE* file) : file_(file) {
    if (const long at = std::ftell(file_); at > 0) bytes_ = static_cast<std::uint64_t>(at);
  }
  ~File() { std::fclose(file_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  /// False if the file is full or the disk refused.
  bool write(const std::string& line, std::uint64_t limit) {
    if (bytes_ + line.size() > limit) return false;
    if (std::fwrite(line.data(), 1, line.size(), file_) != line.size()) return false;
    bytes_ += line.size();
    return true;
  }
  void flush() { std::fflush(file_); }

 private:
  std::FILE* file_;
  std::uint64_t bytes_ = 0;
};

TraceWriter::~TraceWriter() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  filled_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<TraceWriter::FileRef> TraceWriter::open(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "ae");
  if (!file) return fail(Errc::Io, path + ": " + std::strerror(errno));
  std::fseek(file, 0, SEEK_END);
  const std::lock_guard guard(mutex_);
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  return std::make_shared<File>(file);
}

void TraceWriter::append(const FileRef& file, std::string line) {
  {
    const std::lock_guard guard(mutex_);
    if (queue_bytes_ + line.size() > kQueueBytesMax) {
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    queue_bytes_ += line.size();
    queue_.push_back({file, std::move(line)});
    if (queue_.size() > 1 || busy_) return;  // the thread is awake
  }
  filled_.notify_one();
}

void TraceWriter::flush() {
  std::unique_lock lock(mutex_);
  drained_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

void TraceWriter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    filled_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::deque<Entry> batch;
    batch.swap(queue_);
    queue_bytes_ = 0;
    busy_ = true;
    lock.unlock();
    for (const Entry& entry : batch)
      if (!entry.file->write(entry.line, file_bytes_max_)) dropped_.fetch_add(1, std::memory_order_relaxed);
    for (const Entry& entry : batch) entry.file->flush();
    batch.clear();
    lock.lock();
    busy_ = false;
    if (queue_.empty()) drained_.notify_all();
  }
}

}  // namespace sb::plugins::module::log_trace
