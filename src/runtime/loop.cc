#include "runtime/loop.h"

#include "base/check.h"

#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace sb::runtime {

namespace {
constexpr std::size_t kEventsPerWait = 512;
constexpr Nanos kWindow{20'000'000};
constexpr Nanos kLongestWait{1'000'000'000};
}  // namespace

TurnEnd::~TurnEnd() {
  if (queued_in_) queued_in_->turn_ends_[position_] = nullptr;
}

Loop::Loop(const Clock& clock, Options options)
    : clock_(clock), nap_(options.coalesce), now_(clock.monotonic()), wall_ms_(clock.wall_ms()), timers_(now_) {
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  wake_fd_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  SB_CHECK(epoll_fd_ >= 0 && wake_fd_ >= 0, "no descriptors left for an event loop");
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;
  event.data.ptr = nullptr;
  SB_CHECK(epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd_, &event) == 0, "epoll refuses the wake-up descriptor");
  events_.resize(kEventsPerWait);
  window_start_ = now_;
}

Loop::~Loop() {
  graveyard_.clear();
  close(wake_fd_);
  close(epoll_fd_);
}

Result<> Loop::add(int fd, IoHandler& handler) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.ptr = &handler;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0)
    return fail(Errc::Io, fmt::format("epoll: {}", std::strerror(errno)));
  return {};
}

Result<> Loop::add_level_triggered_read(int fd, IoHandler& handler) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &handler;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0)
    return fail(Errc::Io, fmt::format("epoll: {}", std::strerror(errno)));
  return {};
}

void Loop::remove(int fd, const IoHandler& handler) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  for (std::size_t i = next_event_; i < events_in_hand_; ++i)
    if (events_[i].data.ptr == &handler) events_[i].events = 0;
}

void Loop::at_turn_end(TurnEnd& work) {
  if (work.queued_in_) return;
  work.queued_in_ = this;
  work.position_ = static_cast<std::uint32_t>(turn_ends_.size());
  turn_ends_.push_back(&work);
}

void Loop::post(Task task) {
  {
    const std::lock_guard guard(tasks_mutex_);
    tasks_.push_back(std::move(task));
    pending_tasks_.store(tasks_.size(), std::memory_order_seq_cst);
  }
  wake();
}

void Loop::wake() {
  // Pairs with the exchange in wait(): either we see it asleep, or it sees our work before it sleeps.
  if (sleeping_.exchange(false, std::memory_order_seq_cst)) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto n = write(wake_fd_, &one, sizeof one);
  }
}

void Loop::stop() {
  stopping_.store(true, std::memory_order_seq_cst);
  wake();
}

void Loop::read_clock() {
  now_ = clock_.monotonic();
  wall_ms_ = clock_.wall_ms();
}

bool Loop::nothing_waiting() {
  return pending_tasks_.load(std::memory_order_seq_cst) == 0 && !(has_work_ && has_work_()) &&
         !stopping_.load(std::memory_order_seq_cst);
}

int Loop::wait(Nanos limit) {
  int count = epoll_wait(epoll_fd_, events_.data(), static_cast<int>(events_.size()), 0);
  if (count > 0 || limit <= Nanos{0}) return count;
  limit = timers_.until_next(now_, limit);
  if (limit <= Nanos{0}) return count;
  ++waits_in_window_;
  const Nanos before = clock_.monotonic();
  if (hooks_.offline) hooks_.offline();
  if (nap_.napping() && limit > nap_.length() && nothing_waiting()) {
    // Collect what arrives meanwhile: one wake-up then serves many messages. Rings and tasks wait for the nap too.
    timespec nap{0, static_cast<long>(nap_.length().count())};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, nullptr);
    count = epoll_wait(epoll_fd_, events_.data(), static_cast<int>(events_.size()), 0);
  }
  if (count == 0) {
    sleeping_.exchange(true, std::memory_order_seq_cst);
    if (nothing_waiting()) {
      const timespec span{limit.count() / 1'000'000'000, limit.count() % 1'000'000'000};
      count = epoll_pwait2(epoll_fd_, events_.data(), static_cast<int>(events_.size()), &span, nullptr);
    }
    sleeping_.store(false, std::memory_order_relaxed);
  }
  if (hooks_.online) hooks_.online();
  window_idle_ += clock_.monotonic() - before;
  return count;
}

void Loop::account(Nanos now) {
  const Nanos span = now - window_start_;
  if (span < kWindow) return;
  const Nanos waited = std::min(window_idle_, span);
  nap_.judge(waits_in_window_, waited, span);
  const auto idle = waited.count() * 1000 / span.count();
  load_permille_.store(static_cast<unsigned>(1000 - idle), std::memory_order_relaxed);
  waits_in_window_ = 0;
  window_idle_ = Nanos{0};
  window_start_ = now;
}

void Loop::dispatch() {
  while (next_event_ < events_in_hand_) {
    const epoll_event& event = events_[next_event_++];
    if (event.events == 0) continue;  // of a handler that was removed meanwhile
    if (auto* handler = static_cast<IoHandler*>(event.data.ptr)) {
      handler->on_io(event.events);
    } else {
      std::uint64_t value = 0;
      [[maybe_unused]] const auto n = read(wake_fd_, &value, sizeof value);
    }
  }
}

bool Loop::run_tasks() {
  if (pending_tasks_.load(std::memory_order_acquire) == 0) return false;
  {
    const std::lock_guard guard(tasks_mutex_);
    running_.swap(tasks_);
    pending_tasks_.store(0, std::memory_order_relaxed);
  }
  for (Task& task : running_) task();
  running_.clear();
  return true;
}

void Loop::run_turn_ends() {
  // Work may queue more work: the list is walked by index until it ends. Other work has its go in this turn, so that
  // what one reads late another still writes; one that wants to go on lets the sockets, timers and commits in first.
  std::size_t again = 0;
  for (std::size_t i = 0; i < turn_ends_.size(); ++i) {
    TurnEnd* work = turn_ends_[i];
    if (!work) continue;
    if (work->ran_in_turn_ == turn_number_) {
      ++again;
      continue;
    }
    turn_ends_[i] = nullptr;
    work->queued_in_ = nullptr;
    work->ran_in_turn_ = turn_number_;
    work->on_turn_end();
  }
  if (++turn_number_ == 0) turn_number_ = 1;
  if (again == 0) {
    turn_ends_.clear();
    return;
  }
  std::erase(turn_ends_, nullptr);
  for (std::size_t i = 0; i < turn_ends_.size(); ++i) turn_ends_[i]->position_ = static_cast<std::uint32_t>(i);
}

void Loop::turn(Nanos limit) {
  const bool work_left = !turn_ends_.empty() || !nothing_waiting();
  const int count = wait(work_left ? Nanos{0} : std::min(limit, wait_limit_));
  next_event_ = 0;
  events_in_hand_ = count > 0 ? static_cast<std::size_t>(count) : 0;
  read_clock();
  account(now_);
  // Tasks first: what was told before a byte was sent holds for that byte.
  run_tasks();
  dispatch();
  if (poller_) poller_();
  timers_.advance(now_);
  run_turn_ends();
  graveyard_.clear();
  wait_limit_ = hooks_.after_turn ? hooks_.after_turn() : kLongestWait;
}

void Loop::run() {
  while (!stopping_.load(std::memory_order_relaxed)) turn(kLongestWait);
}

}  // namespace sb::runtime
