#include "store/detail/commit_queue.h"

#include <fmt/format.h>
#include <pthread.h>

namespace sb::store::detail {

namespace {

Error closed() {
  return Error{Errc::Unavailable, "the store is closed"};
}

void tell(Pending& pending, Result<> result) {
  if (result) pending.batch.clear();
  if (pending.done) pending.done(std::move(result), std::move(pending.batch));
}

}  // namespace

CommitQueue::CommitQueue(CommitBackend& backend, Limits limits) : backend_(backend), limits_(std::move(limits)) {
  waiting_.reserve(64);
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "store-writer");
    run();
  });
}

Result<> CommitQueue::try_push(Batch&& batch, Done&& done) {
  bool notify = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return tl::unexpected(closed());
    // An empty queue takes any batch, else one above the bound would be refused for ever.
    if (held_batches_ != 0 &&
        (held_batches_ >= limits_.batches_max || held_bytes_ + batch.bytes() > limits_.bytes_max)) {
      ++counters_.refused_busy;
      return fail(Errc::Busy, "commit queue");
    }
    ++held_batches_;
    held_bytes_ += batch.bytes();
    waiting_.push_back({.batch = std::move(batch), .done = std::move(done)});
    notify = sleeping_;
  }
  if (notify) wake_.notify_one();
  return {};
}

void CommitQueue::push(Pending&& pending) {
  bool notify = false;
  bool refused = false;
  {
    const std::lock_guard lock(mutex_);
    refused = stopping_;
    if (!refused) {
      ++held_batches_;
      held_bytes_ += pending.batch.bytes();
      waiting_.push_back(std::move(pending));
      notify = sleeping_;
    }
  }
  if (refused) tell(pending, tl::unexpected(closed()));
  if (notify) wake_.notify_one();
}

void CommitQueue::report(Error error) {
  {
    const std::lock_guard lock(mutex_);
    reported_ = std::move(error);
  }
  wake_.notify_one();
}

void CommitQueue::stop() {
  const std::lock_guard join_lock(join_mutex_);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::optional<Error> CommitQueue::trouble() const {
  const std::lock_guard lock(mutex_);
  return counters_.trouble;
}

void CommitQueue::add_to(Stats& stats) const {
  const std::lock_guard lock(mutex_);
  stats.batches = counters_.batches;
  stats.writes = counters_.writes;
  stats.entries = counters_.entries;
  stats.refused_busy = counters_.refused_busy;
  stats.failed = counters_.failed;
  stats.trouble = counters_.trouble;
  stats.last_error = counters_.last_error;
  stats.queued_batches = held_batches_;
  stats.queued_bytes = held_bytes_;
}

void CommitQueue::run() {
  std::vector<Pending> taken;
  while (take(taken)) {
    process(taken);
    taken.clear();
    idle_work();
  }
}

/// Waits for work or a deadline. False when stopped and nothing is left.
bool CommitQueue::take(std::vector<Pending>& taken) {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return !waiting_.empty() || reported_ || stopping_; };
  sleeping_ = true;
  if (const std::optional<Instant> deadline = next_deadline())
    wake_.wait_until(lock, *deadline, something);
  else
    wake_.wait(lock, something);
  sleeping_ = false;
  std::swap(taken, waiting_);
  const std::optional<Error> reported = std::exchange(reported_, std::nullopt);
  const bool more = !taken.empty() || !stopping_;
  lock.unlock();
  if (reported) set_trouble(reported);
  return more;
}

void CommitQueue::process(std::vector<Pending>& taken) {
  for (std::size_t first = 0; first < taken.size();) {
    if (taken[first].sync) {
      sync_one(taken[first++]);
      continue;
    }
    const auto out_of_turn = [](const Pending& pending) { return pending.lane && pending.lane->blocked(); };
    if (out_of_turn(taken[first])) {
      finish(std::span(taken).subspan(first++, 1), fail(Errc::Io, "an earlier batch was refused"));
      continue;
    }
    std::size_t end = first + 1;
    std::size_t bytes = taken[first].batch.bytes();
    while (end < taken.size() && !taken[end].sync && !out_of_turn(taken[end]) &&
           bytes + taken[end].batch.bytes() <= kMergeBytes)
      bytes += taken[end++].batch.bytes();
    write_group(std::span(taken).subspan(first, end - first));
    first = end;
  }
}

void CommitQueue::write_group(std::span<Pending> group) {
  if (!ready()) return finish(group, tl::unexpected(*trouble_));
  Result<> result = backend_.write(group);
  if (!result)
    set_trouble(result.error());
  else if (limits_.flush_interval && !flush_at_)
    flush_at_ = std::chrono::steady_clock::now() + *limits_.flush_interval;
  finish(group, result);
}

void CommitQueue::sync_one(Pending& pending) {
  Result<> result;
  if (!ready())
    result = tl::unexpected(*trouble_);
  else if (result = backend_.sync(); !result)
    set_trouble(result.error());
  {
    const std::lock_guard lock(mutex_);
    --held_batches_;
  }
  tell(pending, std::move(result));
}

/// Timers: the log flush of Relaxed, and the search for an end of the trouble.
void CommitQueue::idle_work() {
  const Instant now = std::chrono::steady_clock::now();
  if (flush_at_ && now >= *flush_at_) {
    flush_at_.reset();
    if (!trouble_)
      if (Result<> flushed = backend_.flush_log(); !flushed) set_trouble(flushed.error());
  }
  if (trouble_) (void)ready();
}

/// Whether a write may be tried. In trouble that is asked of the backend, once in a while.
bool CommitQueue::ready() {
  if (!trouble_) return true;
  const Instant now = std::chrono::steady_clock::now();
  if (now < retry_at_) return false;
  if (const Result<> recovered = backend_.recover(); !recovered) {
    retry_at_ = std::chrono::steady_clock::now() + limits_.retry_interval;
    still_in_trouble(recovered.error());
    return false;
  }
  set_trouble(std::nullopt);
  return true;
}

/// The first reason says more than why it is not over yet, but not what has to be done about it: both are told, that
/// once, though it may be another number of free bytes each time.
void CommitQueue::still_in_trouble(const Error& why) {
  const bool first = !first_reason_;
  if (first) first_reason_ = trouble_->what;
  trouble_->what = fmt::format("{}; {}", *first_reason_, why.what);
  {
    const std::lock_guard lock(mutex_);
    counters_.trouble = counters_.last_error = trouble_;
  }
  if (first && limits_.on_trouble) limits_.on_trouble(trouble_);
}

void CommitQueue::finish(std::span<Pending> group, const Result<>& result) {
  {
    const std::lock_guard lock(mutex_);
    for (const Pending& pending : group) {
      held_bytes_ -= pending.batch.bytes();
      if (result) counters_.entries += pending.batch.count();
    }
    held_batches_ -= group.size();
    (result ? counters_.batches : counters_.failed) += group.size();
    if (result) ++counters_.writes;
  }
  for (Pending& pending : group) {
    if (!result && pending.lane) pending.lane->block();
    tell(pending, result);
  }
}

void CommitQueue::set_trouble(std::optional<Error> error) {
  // The first reason is the one to keep telling; later ones are mostly its echoes.
  const bool changed = trouble_.has_value() != error.has_value();
  if (changed) {
    trouble_ = error;
    first_reason_.reset();
  }
  if (trouble_) retry_at_ = std::chrono::steady_clock::now() + limits_.retry_interval;
  {
    const std::lock_guard lock(mutex_);
    counters_.trouble = trouble_;
    if (error) counters_.last_error = std::move(error);
  }
  if (changed && limits_.on_trouble) limits_.on_trouble(trouble_);
}

std::optional<CommitQueue::Instant> CommitQueue::next_deadline() const {
  if (trouble_) return retry_at_;
  return flush_at_;
}

}  // namespace sb::store::detail
