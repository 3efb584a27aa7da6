#include "runtime/workers.h"

#include <pthread.h>

namespace sb::runtime {

Workers::Workers(Options options) : options_(std::move(options)), usual_(options_.task_guess) {
  for (unsigned i = 0; i < options_.threads; ++i)
    threads_.emplace_back([this, i] {
      pthread_setname_np(pthread_self(), (options_.name + "-" + std::to_string(i)).c_str());
      run();
    });
}

Workers::~Workers() {
  stop();
}

bool Workers::try_run(Task task, Task too_late) {
  {
    const std::lock_guard guard(mutex_);
    if (stopping_ || queue_.size() >= options_.queue_max) return false;
    if (options_.wait_max.count() > 0 && usual_ * (queue_.size() / options_.threads) > options_.wait_max) return false;
    queue_.push_back({std::move(task), std::move(too_late), Clock::now()});
  }
  changed_.notify_one();
  return true;
}

bool Workers::try_run_later(Task task) {
  {
    const std::lock_guard guard(mutex_);
    if (stopping_ || later_.size() >= options_.queue_max) return false;
    later_.push_back(std::move(task));
  }
  changed_.notify_one();
  return true;
}

void Workers::stop() {
  std::deque<Waiting> dropped;  // destroyed outside the lock: a task may own what hands work in
  std::deque<Task> dropped_later;
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
    dropped_later.swap(later_);
  }
  changed_.notify_all();
  dropped.clear();
  dropped_later.clear();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

/// A mean in which the last few tasks count most.
void Workers::measured(Clock::duration took) {
  usual_ = usual_.count() == 0 ? took : (usual_ * 7 + took) / 8;
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty() || !later_.empty(); });
    if (stopping_) return;
    if (take_later()) {
      in_a_row_ = 0;
      Task task = std::move(later_.front());
      later_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
      continue;
    }
    ++in_a_row_;
    Waiting next = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    const auto began = Clock::now();
    const bool late = next.too_late && options_.wait_max.count() > 0 && began - next.since > options_.wait_max;
    (late ? next.too_late : next.task)();
    next = {};
    const auto took = Clock::now() - began;
    lock.lock();
    if (!late) measured(took);
  }
}

}  // namespace sb::runtime
