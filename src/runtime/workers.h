// A few threads for work that is too slow for a shard: expensive password hashes, reading imports. Two queues: somebody
// waits for what is in the first, so it goes first and is bounded by time as well; the second gets what is left, and a
// turn now and then. What does not fit is refused at once, and the caller says what that means. Any thread may hand
// work in.
#pragma once

#include "base/clock.h"

#include <chrono>
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
    std::size_t queue_max = 1024;  // of each queue
    /// No task of the first queue waits longer; 0: without limit.
    Millis wait_max{0};
    /// What a task of the first queue takes, until they have been measured.
    Millis task_guess{0};
  };

  explicit Workers(Options options);
  /// Tasks that have not begun are dropped.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  /// False: the queue is full or so long that the task would wait longer than `wait_max`, or stop() was called. If it
  /// still has waited that long when a thread comes to it, `too_late` runs in its place. A task must not throw; its
  /// result goes elsewhere by a post.
  [[nodiscard]] bool try_run(Task task, Task too_late = {});
  /// For work that has time; long work is cut into tasks, each handing in the next.
  [[nodiscard]] bool try_run_later(Task task);
  /// Waits for running tasks; nothing runs afterwards.
  void stop();

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    Task task, too_late;
    Clock::time_point since;
  };
  void run();
  bool take_later() const { return !later_.empty() && (queue_.empty() || in_a_row_ >= kInARow); }
  void measured(Clock::duration took);
  static constexpr unsigned kInARow = 8;  // tasks of the first queue before one of the second has its turn

  const Options options_;
  std::mutex mutex_;  // guards what follows but threads_
  std::condition_variable changed_;
  std::deque<Waiting> queue_;
  std::deque<Task> later_;
  unsigned in_a_row_ = 0;
  Clock::duration usual_;  // of a task of the first queue
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sb::runtime
