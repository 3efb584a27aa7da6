#include "broker/replay.h"

#include "broker/broker.h"
#include "broker/topic.h"

namespace sb::broker {

Replay::Replay(Broker& broker, Session& session, const Subscription& subscription)
    : broker_(broker), session_(session), subscription_(subscription), id_(broker.add_replay(*this)) {
  const std::string_view filter = subscription.route->filter();
  const Core& core = broker.core();
  if (has_wildcard(filter)) {
    sources_.resize(core.shards());
    for (unsigned shard = 0; shard < core.shards(); ++shard) sources_[shard].shard = shard;
  } else {
    sources_.resize(1);
    sources_[0].shard = core.retained_home_of(filter);
  }
}

Replay::~Replay() {
  broker_.remove_replay(id_);
  for (const Source& source : sources_)
    if (!source.done && source.shard != broker_.shard()) broker_.drop_remote_reader(source.shard, id_);
}

bool Replay::begins() const {
  return given_ < broker_.settings().retained.replay_at_once;
}

Replay::Step Replay::next(MessageRef& message) {
  if (!broker_.settings().retained.enable) return Step::Done;
  if (batch_left_ == 0 && !begin_batch()) return Step::Wait;
  ReplayBudget& budget = broker_.core().replay_budget();
  if (const Nanos wait = budget.wait(broker_.loop().now()); wait.count() > 0) {
    broker_.loop().timers().arm(*this, broker_.loop().now(), wait);
    return Step::Wait;
  }
  for (;;) {
    bool missing = false;
    Source* source = oldest(missing);
    if (missing) return Step::Wait;
    if (!source) return Step::Done;
    message = std::move(source->waiting.front());
    source->waiting.pop_front();
    if (source->seen.contains(hash_text(message->topic())) || message->expired(broker_.loop().wall_ms()) ||
        broker_.core().suppressed(*message))
      continue;
    --batch_left_;
    ++given_;
    budget.take(broker_.loop().now());
    return Step::Message;
  }
}

bool Replay::begin_batch() {
  if (!first_batch_ && !granted_) {
    come_again();
    return false;
  }
  first_batch_ = granted_ = false;
  const std::uint32_t number = broker_.settings().retained.batch_deliver;
  batch_left_ = number != 0 ? number : kSlice;
  return true;
}

Replay::Source* Replay::oldest(bool& missing) {
  Source* best = nullptr;
  for (Source& source : sources_) {
    if (source.waiting.empty() && !source.done && !source.asked) ask(source);
    if (source.waiting.empty()) {
      missing = missing || !source.done;
      continue;
    }
    if (!best || source.waiting.front()->published_ms() < best->waiting.front()->published_ms()) best = &source;
  }
  return best;
}

void Replay::ask(Source& source) {
  source.seen.clear();
  if (source.shard != broker_.shard()) return ask_other(source);
  if (!source.reader)
    source.reader = std::make_unique<RetainedReader>(broker_.retained(), subscription_.route->filter());
  Page page;
  page.more = source.reader->read(broker_.replay_page(kPage, kPageMax), broker_.loop().wall_ms(), page.messages);
  for (MessageRef& message : page.messages) source.waiting.push_back(std::move(message));
  source.done = !page.more;
  if (source.done) source.reader.reset();
  // Much was looked at and nothing found: the shard does something else first.
  if (source.waiting.empty() && !source.done) come_again();
}

void Replay::ask_other(Source& source) {
  source.asked = true;
  broker_.ask_remote_reader(source.shard, id_, subscription_.route->filter(), broker_.replay_page(kPage, kPageMax));
}

void Replay::on_page(unsigned shard, Page page) {
  for (Source& source : sources_) {
    if (source.shard != shard) continue;
    source.asked = false;
    source.done = !page.more;
    for (MessageRef& message : page.messages) source.waiting.push_back(std::move(message));
  }
  session_.pump();  // may end this replay
}

void Replay::saw(std::string_view topic) {
  const unsigned home = broker_.core().retained_home_of(topic);
  for (Source& source : sources_) {
    if (source.shard != home || (source.waiting.empty() && !source.asked)) continue;
    source.seen.insert(hash_text(topic));
    // While a page is under way it cannot be cleaned; that takes no longer than a turn of two shards.
    if (source.seen.size() >= kSeenMax && !source.asked) clean(source);
  }
}

void Replay::clean(Source& source) {
  std::deque<MessageRef> kept;
  for (MessageRef& message : source.waiting)
    if (!source.seen.contains(hash_text(message->topic()))) kept.push_back(std::move(message));
  source.waiting.swap(kept);
  source.seen.clear();
}

void Replay::come_again() {
  if (!std::exchange(posted_, true)) broker_.post_replay(id_);
}

void Replay::on_turn() {
  posted_ = false;
  granted_ = true;
  session_.pump();  // may end this replay
}

void Replay::on_timer() {
  session_.pump();  // may end this replay
}

}  // namespace sb::broker
