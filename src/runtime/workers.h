// A few threads for work that is too slow for a shard: expensive password hashes, reading imports. Bounded: what does
// not fit is refused at once, and the caller says what that means. Any thread may hand work in.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sb::runtime {

class Workers {
 public:
  using Task = std::function<void()>;
  struct Options {
    std::string name = "worker";  // of the threads, at most 12 characters
    unsigned threads = 2;
    std::size_t queue_max = 1024;
  };

  explicit Workers(Options options);
  /// Tasks that have not begun are dropped.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False: the queue is full, or stop() was called. A task must not throw; its result goes elsewhere by a post.
  [[nodiscard]] bool try_run(Task task);
  /// Waits for running tasks; nothing runs afterwards.
  void stop();

 private:
  void run();

  const Options options_;
  std::mutex mutex_;  // guards queue_ and stopping_
  std::condition_variable changed_;
  std::deque<Task> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sb::runtime
