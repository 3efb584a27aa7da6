// The event loop of one shard: epoll, timers, work deferred to the end of a turn, tasks from other threads. One turn is
// wait, tasks, input, timers, end-of-turn work (which writes what the turn produced), reclamation. All but post() and
// stop() belong to the loop's thread.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "runtime/nap_rule.h"
#include "runtime/timer_wheel.h"

#include <sys/epoll.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace sb::runtime {

/// Receives readiness of a file descriptor (edge-triggered).
class IoHandler {
 public:
  virtual void on_io(std::uint32_t events) = 0;

 protected:
  ~IoHandler() = default;
};

/// Does something once at the end of the current turn; an intrusive node, queued at most once at a time. What has had
/// its go and is queued again before the turn is over has the next in the next turn: no turn goes on for ever.
class TurnEnd {
 public:
  virtual void on_turn_end() = 0;

 protected:
  TurnEnd() = default;
  ~TurnEnd();
  TurnEnd(const TurnEnd&) = delete;
  TurnEnd& operator=(const TurnEnd&) = delete;

 private:
  friend class Loop;
  class Loop* queued_in_ = nullptr;
  std::uint32_t position_ = 0;
  std::uint32_t ran_in_turn_ = 0;
};

/// Anything whose destruction must wait until the turn is over, because events for it may still be in hand.
class Disposable {
 public:
  virtual ~Disposable() = default;
};

class Loop {
 public:
  using Task = std::function<void()>;

  struct Options {
    Nanos coalesce{200'000};  // nap of a busy loop, 0 = off
  };

  Loop(const Clock& clock, Options options);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Registers for reading, writing and hang-up, edge-triggered, for the life of the descriptor.
  [[nodiscard]] Result<> add(int fd, IoHandler& handler);
  [[nodiscard]] Result<> add_level_triggered_read(int fd, IoHandler& handler);
  /// No event of it reaches `handler` any more, not even one that came in this turn: it may be destroyed at once,
  /// unless it is being called.
  void remove(int fd, const IoHandler& handler);

  void at_turn_end(TurnEnd& work);
  void destroy_later(std::unique_ptr<Disposable> object) { graveyard_.push_back(std::move(object)); }

  TimerWheel& timers() { return timers_; }
  /// Of the current turn, not read anew.
  Nanos now() const { return now_; }
  std::int64_t wall_ms() const { return wall_ms_; }
  const Clock& clock() const { return clock_; }

  /// Any thread: runs `task` in a later turn. Never blocks; order per posting thread is kept.
  void post(Task task);
  /// Any thread: makes the loop take a turn soon (after pushing to a ring it polls).
  void wake();
  /// Polled every turn; true = work was found. For rings between shards.
  void set_poller(std::function<bool()> poller) { poller_ = std::move(poller); }
  /// True if something waits in a ring; asked before sleeping.
  void set_has_work(std::function<bool()> has_work) { has_work_ = std::move(has_work); }
  struct Hooks {
    /// At the very end of a turn, when nothing of it is held any more. Returns how long the next wait may last.
    std::function<Nanos()> after_turn;
    /// Around a wait.
    std::function<void()> offline;
    std::function<void()> online;
  };
  void set_hooks(Hooks hooks) { hooks_ = std::move(hooks); }

  /// Runs until stop().
  void run();
  /// One turn, waiting at most `wait`. For tests.
  void turn(Nanos wait);
  void stop();  // any thread

  /// Share of time spent working, 0..1000, over the last 20 ms or more. Any thread.
  unsigned load_permille() const { return load_permille_.load(std::memory_order_relaxed); }
  std::size_t pending_tasks() const { return pending_tasks_.load(std::memory_order_relaxed); }

 private:
  friend class TurnEnd;
  bool nothing_waiting();
  int wait(Nanos limit);
  void read_clock();
  void dispatch();
  bool run_tasks();
  void run_turn_ends();
  void account(Nanos now);

  const Clock& clock_;
  NapRule nap_;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  Nanos now_{0};
  std::int64_t wall_ms_ = 0;
  TimerWheel timers_;

  std::vector<epoll_event> events_;
  std::size_t next_event_ = 0;  // of those in hand
  std::size_t events_in_hand_ = 0;
  std::vector<TurnEnd*> turn_ends_;
  std::uint32_t turn_number_ = 1;  // 0 = never; a number that comes round again costs a work one turn
  std::vector<std::unique_ptr<Disposable>> graveyard_;

  std::mutex tasks_mutex_;  // guards tasks_
  std::vector<Task> tasks_;
  std::vector<Task> running_;
  std::atomic<std::size_t> pending_tasks_{0};
  std::atomic<bool> sleeping_{false};
  std::atomic<bool> stopping_{false};

  std::function<bool()> poller_;
  std::function<bool()> has_work_;
  Hooks hooks_;
  Nanos wait_limit_{1'000'000'000};

  // Wake-up coalescing: waits per window decide whether the next wait begins with a nap.
  Nanos window_start_{0};
  Nanos window_idle_{0};
  unsigned waits_in_window_ = 0;
  std::atomic<unsigned> load_permille_{0};
};

}  // namespace sb::runtime
