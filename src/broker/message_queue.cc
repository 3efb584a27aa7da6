#include "broker/message_queue.h"

#include <algorithm>

namespace sb::broker {

MessageQueue::Level& MessageQueue::level_for(std::string_view topic) {
  if (!limits_->priorities) {
    if (!main_) main_ = std::make_unique<Level>();
    return *main_;
  }
  std::uint16_t priority = limits_->unlisted_highest ? 256 : 0;
  if (const auto found = limits_->priorities->find(topic); found != limits_->priorities->end())
    priority = found->second;
  if (priority == 0) {
    if (!main_) main_ = std::make_unique<Level>();
    return *main_;
  }
  auto at =
      std::find_if(others_.begin(), others_.end(), [&](const auto& level) { return level->priority <= priority; });
  if (at == others_.end() || (*at)->priority != priority) {
    auto level = std::make_unique<Level>();
    level->priority = priority;
    level->credit = full_credit(*level);
    at = others_.insert(at, std::move(level));
  }
  return **at;
}

Owed MessageQueue::take_front(Level& level) {
  Owed out = level.messages.pop_front();
  bytes_ -= out.message->footprint();
  --count_;
  return out;
}

Owed MessageQueue::take_oldest() {
  if (main_ && !main_->messages.empty()) return take_front(*main_);
  for (auto level = others_.rbegin(); level != others_.rend(); ++level)
    if (!(*level)->messages.empty()) return take_front(**level);
  return {};
}

std::size_t MessageQueue::behind(const Level& level, std::uint64_t sequence) {
  std::size_t from = 0, to = level.messages.size();
  while (from < to) {
    const std::size_t middle = from + (to - from) / 2;
    if (level.messages[middle].sequence <= sequence)
      from = middle + 1;
    else
      to = middle;
  }
  return from;
}

std::size_t MessageQueue::bytes_of_first(std::size_t messages) const {
  constexpr std::size_t kLookAt = 4096;  // beyond, what is left of a wide window counts
  std::size_t left = std::min(messages, kLookAt);
  std::size_t out = 0;
  const auto add = [&](const Level& level) {
    for (std::size_t i = 0; left > 0 && i < level.messages.size(); ++i, --left)
      out += level.messages[i].message->footprint();
  };
  for (const auto& level : others_) add(*level);
  if (main_) add(*main_);
  return out;
}

std::optional<Owed> MessageQueue::pop() {
  if (count_ == 0) return std::nullopt;
  if (others_.empty()) return take_front(*main_);
  // Highest level that has messages and credit; when all of them are out of credit, all get it anew.
  for (int round = 0; round < 2; ++round) {
    for (auto& level : others_) {
      if (level->messages.empty() || level->credit == 0) continue;
      --level->credit;
      return take_front(*level);
    }
    if (main_ && !main_->messages.empty()) {
      if (main_->credit == 0) main_->credit = full_credit(*main_);
      if (--main_->credit == 0)
        for (auto& level : others_) level->credit = full_credit(*level);
      return take_front(*main_);
    }
    for (auto& level : others_) level->credit = full_credit(*level);
  }
  return std::nullopt;
}

std::optional<Owed> MessageQueue::pop_beside(std::string_view topic) {
  Level& level = level_for(topic);
  if (level.messages.empty()) return std::nullopt;
  return take_front(level);
}

void MessageQueue::put_back(Owed owed) {
  Level& level = level_for(owed.message->topic());
  bytes_ += owed.message->footprint();
  if (!others_.empty()) ++level.credit;  // without other levels pop() takes none
  level.messages.push_front(std::move(owed));
  ++count_;
}

std::optional<Owed> MessageQueue::drop_oldest() {
  if (count_ == 0) return std::nullopt;
  return take_oldest();
}

}  // namespace sb::broker
