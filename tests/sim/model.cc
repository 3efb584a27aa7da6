#include "tests/sim/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sb::sim {

using codec::mqtt::PacketType;

namespace {

/// How many bytes a large payload has; Step::packet_maximum lies between it and the others.
constexpr std::size_t kLargeFrom = 100;

std::string key_of(const Mail& mail) {
  return mail.topic + "\n" + mail.payload;
}

std::vector<std::string> levels(const std::string& text) {
  std::vector<std::string> out(1);
  for (const char c : text)
    if (c == '/')
      out.emplace_back();
    else
      out.back() += c;
  return out;
}

std::string describe(const Copy& copy) {
  return fmt::format("{} \"{}\" qos={}{} subscription={}{}", copy.mail->topic, copy.mail->payload.substr(0, 12),
                     to_int(copy.qos), copy.retain ? " retain" : "", copy.subscription_id,
                     copy.group.empty() ? "" : " through " + copy.group);
}

/// Shared: the filter behind $share/group/ or $queue/.
std::string real_filter(const std::string& full) {
  if (full.starts_with("$queue/")) return full.substr(7);
  if (!full.starts_with("$share/")) return full;
  return full.substr(full.find('/', 7) + 1);
}

}  // namespace

bool filter_matches(const std::string& filter, const std::string& topic) {
  const auto want = levels(filter);
  const auto have = levels(topic);
  if (topic.starts_with('$') && (want[0] == "+" || want[0] == "#")) return false;  // 4.7.2
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i] == "#") return true;  // also the parent level, 4.7.1.2
    if (i >= have.size() || (want[i] != "+" && want[i] != have[i])) return false;
  }
  return want.size() == have.size();
}

bool Copy::same_lane(const Copy& other) const {
  if (replay != 0 || other.replay != 0) return replay == other.replay;
  if (!group.empty() || !other.group.empty()) return false;  // one dispatched again comes behind newer ones
  return mail->publisher == other.mail->publisher && mail->topic == other.mail->topic;
}
bool Copy::before(const Copy& other) const {
  return replay != 0 ? mail->published_ms < other.mail->published_ms : mail->number < other.mail->number;
}

std::size_t Session::queued() const {
  std::size_t sum = 0;
  for (const Batch& batch : queue) sum += batch.copies.size() - std::min(batch.dropped, batch.copies.size());
  return sum;
}
std::size_t Session::undecided() const {
  std::size_t sum = 0;
  for (const Batch& batch : queue) sum += std::min(batch.undecided, batch.dropped);
  return sum;
}
std::size_t Session::in_window() const {
  return static_cast<std::size_t>(
      std::count_if(flights.begin(), flights.end(), [](const Flight& f) { return f.shown; }));
}
std::size_t Session::parked() const {
  return flights.size() - in_window();
}

Session* Model::find(const std::string& client) {
  const auto found = sessions_.find(client);
  return found == sessions_.end() ? nullptr : &found->second;
}

// ---------------------------------------------------------------- time

namespace {
/// A timer fires in the tick after the one that holds its moment.
constexpr std::int64_t kTick_ms = 8;
constexpr std::int64_t kApart_ms = 2 * Rig::kStep.count();
}  // namespace

bool Model::crowded(std::int64_t at_ms) const {
  const auto near = [at_ms](std::int64_t due) { return due != 0 && std::abs(due - at_ms) < kApart_ms; };
  return std::any_of(sessions_.begin(), sessions_.end(), [&](const auto& entry) {
    return near(entry.second.will_at_ms) || near(entry.second.expires_at_ms);
  });
}

void Model::run_due() {
  for (;;) {
    std::string first;
    std::int64_t due_ms = 0;
    bool is_will = false;
    const auto consider = [&](const std::string& client, std::int64_t at, bool will) {
      if (at == 0 || at + kTick_ms > now_ms_ || (due_ms != 0 && at >= due_ms)) return;
      first = client;
      due_ms = at;
      is_will = will;
    };
    for (const auto& [client, session] : sessions_) {
      consider(client, session.will_at_ms, true);
      consider(client, session.expires_at_ms, false);
    }
    if (due_ms == 0) return;
    if (is_will)
      publish_will(first);
    else
      terminate(first, true);
  }
}

// ---------------------------------------------------------------- connections

void Model::connect(const std::string& client, const Step& step, const Mail& will) {
  const bool v5 = step.version == ProtocolVersion::V5;
  bool present = false;
  if (Session* old = find(client)) {
    const bool ends = step.clean || old->expiry_s == 0;
    if (std::exchange(old->connected, false)) {
      answers_before_[client].clear();
      if (old->version == ProtocolVersion::V5)
        answers_before_[client].push_back({PacketType::Disconnect, 0, {ReasonCode::SessionTakenOver}, false});
      if (old->will && (ends || old->will->delay_s == 0)) publish_will(client);
    } else if (old->will && ends) {
      publish_will(client);
    }
    old->will.reset();
    old->will_at_ms = 0;
    if (ends)
      terminate(client, true);
    else
      present = true;
  }
  Session& session = sessions_[client];
  session.client = client;
  session.connected = true;
  session.version = step.version;
  session.expiry_s = step.expiry_s;
  session.window = v5 ? std::min(step.receive_maximum, window_) : window_;
  session.packet_maximum = v5 ? step.packet_maximum : 0;
  session.auto_acknowledge = step.auto_acknowledge;
  session.expires_at_ms = 0;
  if (step.will) session.will = Will{will, step.will->delay_s};
  for (Flight& flight : session.flights) flight.shown = flight.pubrel_due = false;
  answers_[client] = {{PacketType::Connack, 0, {ReasonCode::Success}, present && step.version != ProtocolVersion::V31}};
}

void Model::disconnect(const std::string& client, bool with_will, std::optional<std::uint32_t> expiry_s) {
  Session& session = *find(client);
  session.connected = false;
  for (Flight& flight : session.flights) flight.shown = flight.pubrel_due = false;
  if (expiry_s) {
    if (session.expiry_s == 0 && *expiry_s != 0) {  // 3.14.2.2.2: not taken, but an error
      answers_[client].push_back({PacketType::Disconnect, 0, {ReasonCode::ProtocolError}, false});
      with_will = true;
    } else {
      session.expiry_s = *expiry_s;
    }
  }
  if (!with_will) session.will.reset();
  if (session.will) {
    if (session.will->delay_s == 0 || session.expiry_s == 0)
      publish_will(client);
    else
      session.will_at_ms = now_ms_ + std::int64_t{std::min(session.will->delay_s, session.expiry_s)} * 1000;
  }
  if (session.expiry_s == 0) {
    terminate(client, true);
    return;
  }
  if (session.expiry_s != kNeverExpires) session.expires_at_ms = now_ms_ + std::int64_t{session.expiry_s} * 1000;
}

void Model::terminate(const std::string& client, bool redispatch) {
  publish_will(client);
  const Session gone = std::move(sessions_[client]);
  sessions_.erase(client);
  std::vector<Ticket> open = std::move(tickets_);
  tickets_.clear();
  for (Ticket& ticket : open) {
    if (std::erase(ticket.members, client) == 1)
      ticket.may_vanish = ticket.may_vanish || ticket.mail->qos == Qos::AtMostOnce ||
                          gone.subscriptions.at(ticket.group).options.qos == Qos::AtMostOnce;
    if (!ticket.members.empty())
      tickets_.push_back(std::move(ticket));
    else  // it alone could get the message, and is gone: the next one
      if (dispatch_shared(ticket.mail, ticket.group, real_filter(ticket.group)))
        tickets_.back().may_vanish = ticket.may_vanish;
  }
  if (!redispatch) return;
  const auto again = [&](const Copy& copy) {
    if (!copy.group.empty() && !copy.mail->expired(now_ms_))
      dispatch_shared(copy.mail, copy.group, real_filter(copy.group));
  };
  for (const Flight& flight : gone.flights)
    if (flight.phase == Phase::WaitPuback) again(flight.copy);
  for (const Batch& batch : gone.queue)
    for (const Copy& copy : batch.copies)
      if (copy.qos != Qos::AtMostOnce) again(copy);
}

void Model::publish_will(const std::string& client) {
  Session& session = *find(client);
  session.will_at_ms = 0;
  if (!session.will) return;
  Mail mail = std::move(session.will->mail);
  session.will.reset();
  mail.published_ms = now_ms_;
  route(std::make_shared<const Mail>(std::move(mail)));
}

// ---------------------------------------------------------------- subscriptions

void Model::subscribe(const std::string& client, PacketId id, const std::vector<Wish>& wishes) {
  Session& session = *find(client);
  Answer answer{PacketType::Suback, id, {}, false};
  std::vector<std::pair<std::string, bool>> fresh;
  for (const Wish& wish : wishes) {
    const std::string filter = real_filter(wish.filter);
    const bool shared = filter != wish.filter;
    const bool is_new = session.subscriptions.count(wish.filter) == 0;
    session.subscriptions[wish.filter] = {wish.options, filter, shared};
    answer.codes.push_back(static_cast<ReasonCode>(to_int(wish.options.qos)));
    if (!shared) fresh.emplace_back(wish.filter, is_new);
  }
  answers_[client].push_back(std::move(answer));
  for (const auto& [filter, is_new] : fresh) replay_retained(session, filter, is_new);
}

void Model::unsubscribe(const std::string& client, PacketId id, const std::vector<Wish>& wishes) {
  Session& session = *find(client);
  Answer answer{PacketType::Unsuback, id, {}, false};
  for (const Wish& wish : wishes) {
    const bool had = session.subscriptions.erase(wish.filter) == 1;
    if (session.version == ProtocolVersion::V5)
      answer.codes.push_back(had ? ReasonCode::Success : ReasonCode::NoSubscriptionExisted);
  }
  answers_[client].push_back(std::move(answer));
}

void Model::replay_retained(Session& session, const std::string& filter, bool is_new) {
  const SubscribeOptions& options = session.subscriptions.at(filter).options;
  if (options.retain_handling == RetainHandling::DoNotSend ||
      (options.retain_handling == RetainHandling::SendIfNew && !is_new))
    return;
  ++replays_;
  for (const auto& [topic, mail] : retained_)
    if (!mail->expired(now_ms_) && filter_matches(filter, topic) &&
        !(options.no_local && mail->publisher == session.client))
      enqueue(session, Copy{mail, min(mail->qos, options.qos), true, options.subscription_id, {}, replays_}, false);
}

// ---------------------------------------------------------------- publishing

void Model::publish(const std::string& client, PacketId id, bool dup, Mail mail) {
  Session& session = *find(client);
  const bool v5 = session.version == ProtocolVersion::V5;
  if (mail.qos == Qos::ExactlyOnce && !session.awaiting.insert(id).second) {
    const bool repeated = dup || !v5;
    answers_[client].push_back(
        {PacketType::Pubrec, id, {repeated ? ReasonCode::Success : ReasonCode::PacketIdentifierInUse}, false});
    return;
  }
  mail.published_ms = now_ms_;
  const Qos qos = mail.qos;
  const bool routed = route(std::make_shared<const Mail>(std::move(mail)));
  if (qos == Qos::AtMostOnce) return;
  const ReasonCode code = routed || !v5 ? ReasonCode::Success : ReasonCode::NoMatchingSubscribers;
  answers_[client].push_back({qos == Qos::AtLeastOnce ? PacketType::Puback : PacketType::Pubrec, id, {code}, false});
}

void Model::release(const std::string& client, PacketId id) {
  Session& session = *find(client);
  const bool known = session.awaiting.erase(id) == 1 || session.version != ProtocolVersion::V5;
  answers_[client].push_back(
      {PacketType::Pubcomp, id, {known ? ReasonCode::Success : ReasonCode::PacketIdentifierNotFound}, false});
}

bool Model::route(const MailRef& mail) {
  if (mail->retain) {
    if (mail->payload.empty())
      retained_.erase(mail->topic);
    else
      retained_[mail->topic] = mail;
  }
  bool routed = false;
  std::set<std::string> groups;
  for (auto& [client, session] : sessions_)
    for (const auto& [full, subscription] : session.subscriptions) {
      if (!filter_matches(subscription.filter, mail->topic)) continue;
      routed = true;
      if (subscription.shared)
        groups.insert(full);
      else
        deliver(session, subscription, mail, {}, session.connected);
    }
  for (const std::string& group : groups) dispatch_shared(mail, group, real_filter(group));
  return routed;
}

void Model::deliver(Session& session, const Subscribed& subscription, const MailRef& mail, const std::string& group,
                    bool online) {
  const SubscribeOptions& options = subscription.options;
  if (options.no_local && mail->publisher == session.client) return;  // [MQTT-3.8.3-3]
  // A retained value that is still on its way to a new subscription may be left out now: this is a newer one.
  if (mail->retain)
    for (Batch& batch : session.queue)
      for (Copy& old : batch.copies)
        if (old.replay != 0 && old.mail->topic == mail->topic) old.perhaps_gone = true;
  Copy copy{
      mail, min(mail->qos, options.qos), options.retain_as_published && mail->retain, options.subscription_id, group, 0,
      false};
  if (copy.qos == Qos::AtMostOnce) {
    if (online) {
      if (!too_large(session, copy)) session.direct.push_back(std::move(copy));
      return;
    }
    if (!profile_.store_qos0) return;
  }
  enqueue(session, std::move(copy), true);
}

void Model::enqueue(Session& session, Copy copy, bool bounded) {
  if (session.queue.empty() || session.queue.back().epoch != epoch_) session.queue.push_back({epoch_, {}, 0});
  session.queue.back().copies.push_back(std::move(copy));
  if (!bounded || profile_.queue == 0) return;
  // What the window has room for is sent before anything is dropped.
  std::size_t credit =
      session.connected ? session.window - std::min<std::size_t>(session.window, session.flights.size()) : 0;
  std::size_t waiting = 0;
  Batch* oldest = nullptr;
  for (Batch& batch : session.queue) {
    std::size_t here = 0;
    for (std::size_t i = std::min(batch.dropped, batch.copies.size()); i < batch.copies.size(); ++i) {
      const Copy& one = batch.copies[i];
      if (credit > 0 && nothing_to_send(session, one)) continue;
      if (credit > 0)
        credit -= one.qos == Qos::AtMostOnce ? 0 : 1;
      else
        ++here;
    }
    if (here > 0 && !oldest) oldest = &batch;
    waiting += here;
  }
  if (waiting > profile_.queue) ++oldest->dropped;
}

// ---------------------------------------------------------------- shared subscriptions

bool Model::dispatch_shared(const MailRef& mail, const std::string& group, const std::string& filter) {
  Ticket ticket{mail, group, {}, false};
  std::vector<std::string> offline;
  for (const auto& [client, session] : sessions_) {
    if (session.subscriptions.count(group) == 0) continue;
    (session.connected ? ticket.members : offline).push_back(client);
  }
  ticket.offline = ticket.members.empty();
  if (ticket.offline) ticket.members = std::move(offline);  // [S] 8.3
  if (ticket.members.empty() || !filter_matches(filter, mail->topic)) return false;
  tickets_.push_back(std::move(ticket));
  return true;
}

std::string Model::assign_shared(const std::vector<Seen>& seen) {
  std::set<std::string> keys;
  for (const Ticket& ticket : tickets_) keys.insert(key_of(*ticket.mail));
  std::map<std::string, std::vector<Seen>> left;
  for (const Seen& one : seen)
    if (keys.count(one.payload) != 0) left[one.client].push_back(one);
  const auto known = [&](const std::string& client, const Copy& copy) {
    std::vector<Seen>& there = left[client];
    const std::string key = key_of(*copy.mail);
    const auto like = [&](const Seen& one) {
      return one.payload == key && one.qos == copy.qos && one.retain == copy.retain;
    };
    auto found = std::find_if(there.begin(), there.end(), [&](const Seen& one) {
      return like(one) && one.subscription_id == copy.subscription_id;
    });
    if (found == there.end())
      found =
          std::find_if(there.begin(), there.end(), [&](const Seen& one) { return like(one) && !one.subscription_id; });
    if (found != there.end()) there.erase(found);
  };
  for (const auto& [client, session] : sessions_) {
    for (const Copy& copy : session.direct) known(client, copy);
    for (const Batch& batch : session.queue)
      for (const Copy& copy : batch.copies) known(client, copy);
  }
  std::vector<std::pair<std::string, const Ticket*>> chosen;
  if (!assign(0, left, chosen)) {
    std::string what = "shared messages are not each with exactly one member:";
    for (const Ticket& ticket : tickets_)
      what += fmt::format("\n    {} for {} (one of {})", ticket.mail->payload.substr(0, 12), ticket.group,
                          fmt::join(ticket.members, " "));
    for (const auto& [client, there] : left)
      for (const Seen& one : there)
        what += fmt::format("\n    {} has {} qos={}{} subscription={}", client,
                            one.payload.substr(one.payload.find('\n') + 1, 12), to_int(one.qos),
                            one.retain ? " retain" : "", one.subscription_id.value_or(0));
    return what;
  }
  for (const auto& [client, ticket] : chosen) {
    Session& session = *find(client);
    deliver(session, session.subscriptions.at(ticket->group), ticket->mail, ticket->group,
            session.connected && !ticket->offline);
  }
  tickets_.clear();
  return {};
}

bool Model::assign(std::size_t index, std::map<std::string, std::vector<Seen>>& left,
                   std::vector<std::pair<std::string, const Ticket*>>& chosen) {
  if (index == tickets_.size())
    return std::all_of(left.begin(), left.end(), [](const auto& entry) { return entry.second.empty(); });
  const Ticket& ticket = tickets_[index];
  bool may_vanish = ticket.may_vanish;
  for (const std::string& client : ticket.members) {
    const Session& session = *find(client);
    const SubscribeOptions& options = session.subscriptions.at(ticket.group).options;
    const Qos qos = min(ticket.mail->qos, options.qos);
    const bool retain = options.retain_as_published && ticket.mail->retain;
    may_vanish = may_vanish || (qos == Qos::AtMostOnce && !session.connected && !profile_.store_qos0) ||
                 too_large(session, Copy{ticket.mail, qos, retain, 0, {}, 0});
    std::vector<Seen>& there = left[client];
    for (std::size_t i = 0; i < there.size(); ++i) {
      if (there[i].payload != key_of(*ticket.mail) || there[i].qos != qos || there[i].retain != retain ||
          there[i].subscription_id.value_or(options.subscription_id) != options.subscription_id)
        continue;
      const Seen taken = there[i];
      there.erase(there.begin() + static_cast<std::ptrdiff_t>(i));
      chosen.emplace_back(client, &ticket);
      if (assign(index + 1, left, chosen)) return true;
      chosen.pop_back();
      there.insert(there.begin() + static_cast<std::ptrdiff_t>(i), taken);
    }
  }
  return may_vanish && assign(index + 1, left, chosen);
}

// ---------------------------------------------------------------- observing

bool Model::too_large(const Session& session, const Copy& copy) const {
  return session.connected && session.packet_maximum != 0 && copy.mail->payload.size() >= kLargeFrom;
}
bool Model::nothing_to_send(const Session& session, const Copy& copy) const {
  return copy.perhaps_gone || copy.mail->expired(now_ms_) || too_large(session, copy);
}

bool Model::matches(const Session& session, const Copy& copy, const Heard& packet) const {
  const bool v5 = session.version == ProtocolVersion::V5;
  std::uint32_t expiry_s = kNeverExpires;
  if (v5 && copy.mail->expiry_s != kNeverExpires) {
    const auto left_at = [&](std::int64_t at_ms) {
      const std::int64_t elapsed_s = (at_ms - copy.mail->published_ms) / 1000;
      return elapsed_s >= copy.mail->expiry_s ? 1 : copy.mail->expiry_s - static_cast<std::uint32_t>(elapsed_s);
    };
    expiry_s = left_at(now_ms_);
    // It may have been written in the tick before: what waits for the disk is heard when the clock has moved on.
    if (profile_.durable && packet.expiry_s != expiry_s) expiry_s = left_at(now_ms_ - Rig::kTick.count());
  }
  return copy.mail->topic == packet.topic && copy.mail->payload == packet.payload && copy.qos == packet.qos &&
         copy.retain == packet.retain &&
         ((v5 && copy.loose) || (v5 ? copy.subscription_id : 0) == packet.subscription_id) &&
         expiry_s == packet.expiry_s;
}

std::string Model::observe(const std::string& client, const Heard& packet) {
  if (packet.type == PacketType::Publish || packet.type == PacketType::Pubrel) {
    Session* session = find(client);
    if (!session || !session->connected) return "nobody is connected";
    if (packet.type == PacketType::Pubrel) return take_pubrel(*session, packet);
    return packet.dup ? take_again(*session, packet) : take_publish(*session, packet);
  }
  auto& answers = answers_[client];
  if (answers.empty()) return "no answer is due";
  const Answer answer = std::move(answers.front());
  answers.pop_front();
  if (answer.type != packet.type || answer.id != packet.id || answer.codes != packet.codes ||
      answer.session_present != packet.session_present) {
    Heard due;
    due.type = answer.type, due.id = answer.id, due.codes = answer.codes, due.session_present = answer.session_present;
    return "due is " + to_string(due);
  }
  return {};
}

std::string Model::observe_before(const std::string& client, const Heard& packet) {
  auto& answers = answers_before_[client];
  if (answers.empty() || answers.front().type != packet.type || answers.front().codes != packet.codes)
    return "not on the connection that was taken over";
  answers.pop_front();
  return {};
}

std::string Model::take_pubrel(Session& session, const Heard& packet) {
  if (packet.codes != std::vector<ReasonCode>{ReasonCode::Success}) return "an error in PUBREL";
  for (Flight& flight : session.flights) {
    if (flight.phase != Phase::WaitPubcomp) continue;
    if (flight.id == packet.id && (flight.pubrel_due || !flight.shown)) {
      flight.shown = true;
      flight.pubrel_due = false;
      return {};
    }
    if (!flight.shown) return fmt::format("PUBREL of {} comes first [MQTT-4.6.0-4]", flight.id);
  }
  return "no PUBREL is due";
}

std::string Model::take_again(Session& session, const Heard& packet) {
  for (auto flight = session.flights.begin(); flight != session.flights.end();) {
    if (flight->shown || flight->phase == Phase::WaitPubcomp) {
      ++flight;
      continue;
    }
    if (flight->id == packet.id) {
      if (!matches(session, flight->copy, packet)) return "is not what was sent before: " + describe(flight->copy);
      if (session.in_window() >= session.window) return "is beyond the window";
      flight->shown = true;
      return {};
    }
    if (!too_large(session, flight->copy))
      return fmt::format("{} of id {} comes first [MQTT-4.6.0-1]", describe(flight->copy), flight->id);
    flight = session.flights.erase(flight);
  }
  return "DUP of nothing";
}

std::string Model::take_publish(Session& session, const Heard& packet) {
  if (packet.qos != Qos::AtMostOnce) {
    if (session.in_window() >= session.window) return "is beyond the window";
    for (const Flight& flight : session.flights) {
      if (flight.id == packet.id) return "the packet id is in use";
      if (!flight.shown && flight.phase != Phase::WaitPubcomp && !too_large(session, flight.copy))
        return "what was sent before comes first: " + describe(flight.copy);
    }
    // What was sent before and is too large now has been given up.
    std::erase_if(session.flights, [&](const Flight& flight) {
      return !flight.shown && flight.phase != Phase::WaitPubcomp && too_large(session, flight.copy);
    });
  }
  if (take_from(session, packet)) return {};
  std::string what = "is not due now; due are";
  for (const Copy& copy : session.direct) what += "\n    " + describe(copy);
  for (const Batch& batch : session.queue)
    for (const Copy& copy : batch.copies) {
      if (what.size() > 1000) return what + " ...";
      what += "\n    " + describe(copy);
    }
  return what;
}

// MQTT 3 has no subscription identifiers: copies of one message that came through several subscriptions look alike.
void Model::blur(Session& session, Copy& taken) {
  if (session.version == ProtocolVersion::V5) return;
  const auto alike = [&](Copy& other) {
    if (other.mail == taken.mail && other.subscription_id != taken.subscription_id) other.loose = taken.loose = true;
  };
  for (Batch& batch : session.queue)
    for (Copy& copy : batch.copies) alike(copy);
  for (Flight& flight : session.flights) alike(flight.copy);
}

bool Model::take_from(Session& session, const Heard& packet) {
  for (auto copy = session.direct.begin(); copy != session.direct.end(); ++copy) {
    if (!matches(session, *copy, packet)) continue;
    if (std::any_of(session.direct.begin(), session.direct.end(),
                    [&](const Copy& other) { return other.same_lane(*copy) && other.before(*copy); }))
      continue;
    session.direct.erase(copy);
    return true;
  }
  for (std::size_t at = 0; at < session.queue.size(); ++at) {
    Batch& batch = session.queue[at];
    const std::size_t surely_dropped = batch.dropped - std::min(batch.undecided, batch.dropped);
    if (surely_dropped >= batch.copies.size()) continue;  // none is left; one that looks the same came later
    for (std::size_t i = 0; i < batch.copies.size(); ++i) {
      Copy taken = batch.copies[i];
      if (!matches(session, taken, packet)) continue;
      const auto earlier = [&](const Copy& other) { return other.same_lane(taken) && other.before(taken); };
      const auto passed =
          static_cast<std::size_t>(std::count_if(batch.copies.begin(), batch.copies.end(), [&](const Copy& other) {
            return earlier(other) && !nothing_to_send(session, other);
          }));
      if (passed > batch.dropped) continue;
      batch.copies.erase(batch.copies.begin() + static_cast<std::ptrdiff_t>(i));
      batch.undecided += std::erase_if(batch.copies, earlier) - passed;
      batch.dropped -= passed;
      session.queue.erase(session.queue.begin(), session.queue.begin() + static_cast<std::ptrdiff_t>(at));
      if (session.queue.front().copies.empty()) session.queue.pop_front();
      blur(session, taken);
      if (packet.qos != Qos::AtMostOnce)
        session.flights.push_back(
            {packet.id, taken, packet.qos == Qos::AtLeastOnce ? Phase::WaitPuback : Phase::WaitPubrec, true, false});
      return true;
    }
    const auto sendable = static_cast<std::size_t>(std::count_if(
        batch.copies.begin(), batch.copies.end(), [&](const Copy& copy) { return !nothing_to_send(session, copy); }));
    if (sendable > batch.dropped) return false;  // what came earlier goes first
  }
  return false;
}

void Model::acknowledge(Session& session, std::size_t index, bool refuse) {
  Flight& flight = session.flights[index];
  if (flight.phase == Phase::WaitPubrec && !refuse) {
    flight.phase = Phase::WaitPubcomp;
    flight.pubrel_due = true;
    return;
  }
  session.flights.erase(session.flights.begin() + static_cast<std::ptrdiff_t>(index));
}

std::string Model::check_quiet() {
  for (const auto& [client, answers] : answers_)
    if (!answers.empty()) {
      Heard due;
      due.type = answers.front().type, due.id = answers.front().id, due.codes = answers.front().codes;
      return client + " got no " + to_string(due);
    }
  for (const auto& [client, answers] : answers_before_)
    if (!answers.empty()) return client + " was not told that its connection was taken over";
  for (auto& [client, session] : sessions_)
    if (std::string wrong = quiet(client, session); !wrong.empty()) return wrong;
  return {};
}

std::string Model::quiet(const std::string& client, Session& session) {
  if (!session.direct.empty()) return client + " did not get " + describe(session.direct.front());
  if (!session.connected) return {};
  if (!session.queue.empty())
    for (Copy& copy : session.queue.front().copies) copy.perhaps_gone = copy.perhaps_gone || too_large(session, copy);
  for (const Flight& flight : session.flights)
    if (flight.shown && flight.pubrel_due) return fmt::format("{} got no PUBREL of {}", client, flight.id);
  std::erase_if(session.flights, [&](const Flight& flight) {
    return !flight.shown && flight.phase != Phase::WaitPubcomp && session.in_window() < session.window &&
           too_large(session, flight.copy);
  });
  if (session.in_window() >= session.window) return {};
  for (const Flight& flight : session.flights)
    if (!flight.shown) return fmt::format("{} did not get again {} of id {}", client, describe(flight.copy), flight.id);
  drop_unsendable(session);
  if (!session.queue.empty()) return client + " did not get " + describe(session.queue.front().copies.front());
  return {};
}

std::size_t Model::unsendable(const Session& session) const {
  std::size_t sum = 0;
  for (const Batch& batch : session.queue)
    for (const Copy& copy : batch.copies) sum += nothing_to_send(session, copy) ? 1 : 0;
  return sum;
}

void Model::drop_unsendable(Session& session) {
  while (!session.queue.empty()) {
    Batch& batch = session.queue.front();
    std::erase_if(batch.copies, [&](const Copy& copy) { return nothing_to_send(session, copy); });
    if (batch.copies.size() > batch.dropped) return;
    session.queue.pop_front();
  }
}

}  // namespace sb::sim
