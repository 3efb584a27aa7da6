// Retained messages of new subscriptions on their way through a session (broker.md 10).
#include "broker/broker.h"
#include "broker/replay.h"
#include "broker/session.h"

#include <algorithm>

namespace sb::broker {

void Session::deliver_retained(const MessageRef& message, const Subscription& subscription) {
  if (subscription.options.no_local && is_own(message->from())) return drop_own(message->as_publication());
  Owed owed;
  owed.message = message;
  owed.qos = settings_->qos_of_delivery(message->qos(), subscription.options.qos);
  owed.retain = true;
  owed.subscription_id = subscription.options.subscription_id;
  accept(std::move(owed));
}

void Session::start_replay(std::unique_ptr<Replay> replay) {
  if (!replays_) replays_ = std::make_unique<Replays>();
  replays_->running.push_back(std::move(replay));
  feed();
}

void Session::stop_replay(const Subscription& subscription) {
  if (!replays_) return;
  std::erase_if(replays_->running, [&](const auto& replay) { return &replay->subscription() == &subscription; });
}

bool Session::feed_one() {
  if (replays_->feeding) return false;
  auto& running = replays_->running;
  while (!running.empty()) {
    Replay& replay = *running.front();
    MessageRef message;
    const Replay::Step step = replay.next(message);
    if (step == Replay::Step::Wait) return false;
    if (step == Replay::Step::Done) {
      running.pop_front();
      continue;
    }
    replays_->feeding = true;
    deliver_retained(message, replay.subscription());
    replays_->feeding = false;
    return true;
  }
  return false;
}

void Session::feed() {
  if (replays_->feeding) return;
  const auto has_room = [this] { return !on_hold_ && queue_.empty() && sink_->writable(); };
  while (sink_ && !replays_->running.empty() && (replays_->running.front()->begins() || has_room()) && feed_one()) {
  }
  if (replays_->running.empty() && queue_.empty()) replays_.reset();
}

}  // namespace sb::broker
