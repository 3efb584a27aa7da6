#include "runtime/workers.h"

#include <pthread.h>

namespace sb::runtime {

Workers::Workers(Options options) : options_(std::move(options)) {
  for (unsigned i = 0; i < options_.threads; ++i)
    threads_.emplace_back([this, i] {
      pthread_setname_np(pthread_self(), (options_.name + "-" + std::to_string(i)).c_str());
      run();
    });
}

Workers::~Workers() {
  stop();
}

bool Workers::try_run(Task task) {
  {
    const std::lock_guard guard(mutex_);
    if (stopping_ || queue_.size() >= options_.queue_max) return false;
    queue_.push_back(std::move(task));
  }
  changed_.notify_one();
  return true;
}

void Workers::stop() {
  std::deque<Task> dropped;  // destroyed outside the lock: a task may own what hands work in
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  changed_.notify_all();
  dropped.clear();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void Workers::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (stopping_) return;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace sb::runtime
