#include "driver/resource/resource.h"

#include "base/check.h"
#include "base/log.h"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <system_error>
#include <thread>
#include <vector>

namespace sb::driver::resource {

namespace {
Moment now() {
  return std::chrono::steady_clock::now();
}
void up(std::atomic<std::uint64_t>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}
void down(std::atomic<std::uint64_t>& counter) {
  counter.fetch_sub(1, std::memory_order_relaxed);
}
}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Status::Connecting:
      return "connecting";
    case Status::Connected:
      return "connected";
    case Status::Disconnected:
      return "disconnected";
    case Status::Stopped:
      return "stopped";
  }
  return "stopped";
}

// One keeper thread minds deadlines, checks and states; up to pool_size threads serve the queue, each with a connection
// of its own. A request is in deadlines_ until somebody answered it.
class Resource::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)), random_(std::random_device{}()) {}
  ~Impl() { stop(); }

  void start();
  void stop();
  State state() const {
    const std::lock_guard guard(mutex_);
    return state_;
  }
  [[nodiscard]] Result<> submit(Millis timeout, std::shared_ptr<Request> request);
  Counters counters_;

 private:
  struct Held;
  using Deadlines = std::multimap<Moment, std::shared_ptr<Held>>;
  struct Held {
    std::shared_ptr<Request> request;  // null: a check
    Moment until{};
    Deadlines::iterator deadline{};
    bool running = false;
    bool answered = false;
  };

  void keep();
  void serve();
  void serve(std::unique_ptr<Connection>& connection, Held& held);
  void enqueue(std::shared_ptr<Held> held, bool front);
  /// True for whoever answers; takes it out of the deadlines.
  bool claim(Held& held);
  void finish(Held& held, std::optional<Error> error);
  /// What a check, or a connection that could not be opened, says about the back end.
  void note(std::optional<Error> error);
  void change(State state);
  void check_soon();
  Millis next_back_off();
  std::vector<std::shared_ptr<Held>> take_expired(Moment at);
  void begin_check(Moment at);
  void tell(const State& state, bool fresh);
  void drop_answered() {
    std::erase_if(queue_, [](const auto& held) { return held->answered; });
  }

  const Options options_;
  mutable std::mutex mutex_;  // guards all below, but for the threads
  std::condition_variable work_;
  std::condition_variable keeper_wake_;
  std::deque<std::shared_ptr<Held>> queue_;
  Deadlines deadlines_;
  State state_;
  std::deque<std::pair<State, bool>> untold_;  // and whether the status is new
  std::size_t idle_ = 0;
  std::size_t waiting_ = 0;  // requests in queue_ that nobody answered
  Moment check_due_{};
  bool checking_ = false;
  unsigned failures_ = 0;  // in a row
  bool stopping_ = false;
  std::minstd_rand random_;
  std::vector<std::thread> threads_;
  std::thread keeper_;
  Stop stop_;
};

void Resource::Impl::start() {
  const std::lock_guard guard(mutex_);
  if (stopping_ || keeper_.joinable()) return;
  state_ = {Status::Connecting, ""};
  check_due_ = now();
  keeper_ = std::thread([this] {
    pthread_setname_np(pthread_self(), (options_.thread_name + "-keep").substr(0, 15).c_str());
    keep();
  });
}

void Resource::Impl::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  stop_.say();
  work_.notify_all();
  keeper_wake_.notify_all();
  // Nothing is added to threads_ any more: both adders look at stopping_ under the lock.
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
  if (keeper_.joinable()) keeper_.join();
}

Result<> Resource::Impl::submit(Millis timeout, std::shared_ptr<Request> request) {
  up(counters_.matched);
  const auto refuse = [this](Errc code, std::string what) {
    up(counters_.failed);
    return fail(code, std::move(what));
  };
  auto held = std::make_shared<Held>();
  held->request = std::move(request);
  held->until = now() + timeout;
  const std::lock_guard guard(mutex_);
  if (stopping_ || state_.status == Status::Stopped) return refuse(Errc::Unavailable, "stopped");
  if (state_.status == Status::Disconnected) return refuse(Errc::Unavailable, "disconnected: " + state_.reason);
  if (waiting_ >= options_.queue_max) {
    up(counters_.queue_full);
    return refuse(Errc::Full, "too many requests wait");
  }
  ++waiting_;
  up(counters_.queuing);
  enqueue(std::move(held), false);
  return {};
}

void Resource::Impl::enqueue(std::shared_ptr<Held> held, bool front) {
  const bool earliest = deadlines_.empty() || held->until < deadlines_.begin()->first;
  held->deadline = deadlines_.emplace(held->until, held);
  if (front)
    queue_.push_front(std::move(held));
  else
    queue_.push_back(std::move(held));
  if (queue_.size() > idle_ && threads_.size() < options_.pool_size) {
    try {
      threads_.emplace_back([this, number = threads_.size()] {
        pthread_setname_np(pthread_self(), (options_.thread_name + "-" + std::to_string(number)).substr(0, 15).c_str());
        serve();
      });
    } catch (const std::system_error& error) {
      // The system has no thread for us: others serve it, or it expires.
      SB_LOG(log::Level::Error, "resource_thread_failed", kv("resource_id", options_.id), kv("reason", error.what()));
    }
  }
  work_.notify_one();
  if (earliest) keeper_wake_.notify_one();
}

bool Resource::Impl::claim(Held& held) {
  if (held.answered) return false;
  held.answered = true;
  deadlines_.erase(held.deadline);
  if (held.request) {
    if (!held.running) --waiting_;
    down(held.running ? counters_.inflight : counters_.queuing);
  }
  return true;
}

void Resource::Impl::serve() {
  std::unique_ptr<Connection> connection;  // goes after the lock
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    work_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    --idle_;
    if (stopping_) return;
    const std::shared_ptr<Held> held = std::move(queue_.front());
    queue_.pop_front();
    if (held->answered) continue;  // its time was over
    held->running = true;
    if (held->request) {
      --waiting_;
      down(counters_.queuing);
      up(counters_.inflight);
    }
    lock.unlock();
    serve(connection, *held);
    lock.lock();
  }
}

void Resource::Impl::serve(std::unique_ptr<Connection>& connection, Held& held) {
  const Limit limit(held.until, stop_);
  if (connection && !connection->usable()) connection.reset();
  const bool fresh = !connection;
  if (fresh) {
    auto opened = options_.open(limit.at_most(options_.connect_timeout));
    if (!opened) {
      // A request that came late has little time left: then its end says nothing, and a check has to.
      const bool tells = held.request && opened.error().code != Errc::Timeout;
      if (tells && !stop_.said()) {
        const std::lock_guard guard(mutex_);
        note(opened.error());
      }
      return finish(held, std::move(opened.error()));
    }
    connection = *std::move(opened);
  }
  std::optional<Error> error;
  if (held.request) {
    error = held.request->run(*connection, limit);
  } else if (!fresh) {
    if (auto good = connection->check(limit); !good) error = std::move(good.error());
  }
  if ((error && error->code == Errc::Timeout) || !connection->usable()) connection.reset();
  finish(held, std::move(error));
}

void Resource::Impl::finish(Held& held, std::optional<Error> error) {
  std::unique_lock lock(mutex_);
  const bool mine = claim(held);
  if (!held.request) {
    if (!mine) return;  // the keeper noted that it took too long
    checking_ = false;
    return note(std::move(error));
  }
  if (!mine) {
    if (!error) up(counters_.late_reply);
    return;
  }
  if (error && error->code == Errc::Timeout) up(counters_.expired);
  if (error && (error->code == Errc::Timeout || error->code == Errc::Unavailable)) check_soon();
  lock.unlock();
  up(error ? counters_.failed : counters_.success);
  // run() was never called where there is an error of open(): nothing is kept, so the error is told as it is.
  if (error)
    held.request->tell(*std::move(error));
  else
    held.request->tell();
}

void Resource::Impl::check_soon() {
  if (state_.status != Status::Connected || checking_) return;
  check_due_ = now();
  keeper_wake_.notify_one();
}

Millis Resource::Impl::next_back_off() {
  const unsigned doubled = std::min(failures_ == 0 ? 0 : failures_ - 1, 16U);
  const Millis wait = std::min(options_.back_off_max, options_.back_off * (1L << doubled));
  return wait * (75 + random_() % 51) / 100;
}

void Resource::Impl::note(std::optional<Error> error) {
  if (stopping_) return;
  if (!error) {
    failures_ = 0;
    check_due_ = now() + options_.health_interval;
    change({Status::Connected, ""});
  } else {
    // Several requests may find the same back end dead at once: that is one failure.
    if (state_.status == Status::Disconnected && check_due_ > now()) return;
    ++failures_;
    check_due_ = now() + next_back_off();
    change({Status::Disconnected, std::move(error->what)});
  }
  keeper_wake_.notify_one();
}

void Resource::Impl::change(State state) {
  const bool same = state.status == state_.status;
  state_ = std::move(state);
  // A failure is told every time it is found again.
  if (!same || state_.status == Status::Disconnected) untold_.emplace_back(state_, !same);
}

std::vector<std::shared_ptr<Resource::Impl::Held>> Resource::Impl::take_expired(Moment at) {
  std::vector<std::shared_ptr<Held>> out;
  while (!deadlines_.empty() && deadlines_.begin()->first <= at) {
    std::shared_ptr<Held> held = deadlines_.begin()->second;
    claim(*held);
    if (held->request) {
      out.push_back(std::move(held));
      continue;
    }
    checking_ = false;
    note(Error{Errc::Timeout, "no answer in time"});
  }
  if (!out.empty()) drop_answered();
  return out;
}

void Resource::Impl::tell(const State& state, bool fresh) {
  if (fresh && state.status == Status::Disconnected) {
    SB_LOG(log::Level::Warning, "resource_down", kv("resource_id", options_.id), kv("reason", state.reason));
  } else if (fresh) {
    SB_LOG(log::Level::Info, "resource_connected", kv("resource_id", options_.id));
  }
  if (options_.changed) options_.changed(state);
}

void Resource::Impl::begin_check(Moment at) {
  checking_ = true;
  auto held = std::make_shared<Held>();
  held->until = at + std::max(options_.connect_timeout, options_.health_timeout);
  enqueue(std::move(held), true);
}

void Resource::Impl::keep() {
  std::unique_lock lock(mutex_);
  Moment tick = now();
  const auto outside = [&](const auto& work) {
    lock.unlock();
    work();
    lock.lock();
  };
  while (!stopping_) {
    const Moment at = now();
    if (at >= tick) {
      counters_.rate.tick(counters_.matched.load(std::memory_order_relaxed));
      tick = at + std::chrono::seconds(1);
    }
    if (const auto expired = take_expired(at); !expired.empty()) {
      check_soon();
      outside([&] {
        for (const auto& held : expired) {
          up(counters_.expired);
          up(counters_.failed);
          held->request->tell(Error{Errc::Timeout, "no answer in time"});
        }
      });
      continue;
    }
    if (!untold_.empty()) {
      const auto [state, fresh] = std::move(untold_.front());
      untold_.pop_front();
      std::vector<std::shared_ptr<Held>> hopeless;
      if (state.status == Status::Disconnected && state_.status == Status::Disconnected)
        for (const auto& held : queue_)
          if (held->request && claim(*held)) hopeless.push_back(held);
      drop_answered();
      outside([&, &state = state, fresh = fresh] {
        tell(state, fresh);
        for (const auto& held : hopeless) {
          up(counters_.failed);
          held->request->tell(Error{Errc::Unavailable, "disconnected: " + state.reason});
        }
      });
      continue;
    }
    if (!checking_ && at >= check_due_) begin_check(at);
    Moment next = tick;
    if (!checking_) next = std::min(next, check_due_);
    if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
    keeper_wake_.wait_until(lock, next);
  }
  std::vector<std::shared_ptr<Held>> left;
  while (!deadlines_.empty()) {
    std::shared_ptr<Held> held = deadlines_.begin()->second;
    claim(*held);
    if (held->request) left.push_back(std::move(held));
  }
  queue_.clear();
  state_ = {Status::Stopped, ""};
  outside([&] {
    for (const auto& held : left) {
      up(counters_.failed);
      held->request->tell(Error{Errc::Unavailable, "the resource stops"});
    }
    if (options_.changed) options_.changed({Status::Stopped, ""});
  });
}

Resource::Resource(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Resource::~Resource() = default;

void Resource::start() {
  impl_->start();
}
void Resource::stop() {
  impl_->stop();
}
State Resource::state() const {
  return impl_->state();
}
const Counters& Resource::counters() const {
  return impl_->counters_;
}
Result<> Resource::submit(Millis timeout, std::shared_ptr<Request> request) {
  return impl_->submit(timeout, std::move(request));
}

}  // namespace sb::driver::resource
