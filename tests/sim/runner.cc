#include "tests/sim/runner.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::sim {

using codec::mqtt::PacketType;

namespace {

constexpr std::uint16_t kWindow = 4;
constexpr std::uint32_t kV3Expiry_s = 30;
constexpr unsigned kTurnsMax = 1000;
constexpr unsigned kReleasesMax = 6;  // QoS 2 ids of a client that wait for PUBREL

RigOptions rig_options(const Profile& profile) {
  broker::SessionSettings session;
  session.queue.messages = profile.queue;
  session.queue.bytes = 0;
  session.queue.store_qos0 = profile.store_qos0;
  session.window = kWindow;
  session.await_rel_timeout = Millis{0};
  RigOptions out;
  out.shards = profile.shards;
  out.durable = profile.durable;
  out.core.shared_strategy = profile.strategy;
  out.zone.max_inflight = kWindow;
  out.zone.session_expiry_s = kV3Expiry_s;
  out.zone.strict_mode = true;
  out.zone.session = std::make_shared<const broker::SessionSettings>(session);
  return out;
}

class Runner {
 public:
  explicit Runner(const Profile& profile) : profile_(profile), rig_(rig_options(profile)), model_(profile, kWindow) {
    for (unsigned i = 0; i < profile.clients; ++i) players_.push_back(std::make_unique<Player>(client_name(i)));
    model_.set_now(rig_.now_ms());
  }

  Outcome run(const std::vector<Step>& steps) {
    Outcome out;
    for (out.step = 0; out.step < steps.size() && out.wrong.empty(); ++out.step) out.wrong = play(steps[out.step]);
    if (out.wrong.empty()) out.wrong = finish();
    out.messages = messages_;
    return out;
  }

 private:
  std::string play(Step step) {
    if (!may_join_burst(step))
      if (std::string wrong = settle(); !wrong.empty()) return wrong;
    if (burst_.empty()) {
      if (std::string wrong = pass(1); !wrong.empty()) return wrong;
      if (std::string wrong = space_out(step); !wrong.empty()) return wrong;
      model_.next_epoch();
    }
    burst_.insert(step.client);
    if (step.act == Act::Publish && step.retain) burst_retains_ = true;
    switch (step.act) {
      case Act::Connect:
        connect(step);
        break;
      case Act::Disconnect:
        disconnect(step);
        break;
      case Act::Lose:
        lose(step);
        break;
      case Act::Subscribe:
      case Act::Unsubscribe:
        subscribe(step);
        break;
      case Act::Publish:
        publish(step);
        break;
      case Act::Acknowledge:
        acknowledge(step);
        break;
      case Act::Release:
        release(step);
        break;
      case Act::Advance:
        return pass(step.seconds * 1000 / static_cast<unsigned>(Rig::kStep.count()));
    }
    player(step).flush();
    return step.settle ? settle() : std::string();
  }

  /// Steps that the broker sees at once must have one outcome, whichever shard is first.
  bool may_join_burst(const Step& step) const {
    if (burst_.empty()) return true;
    const bool alone = burst_.size() == 1 && burst_.count(step.client) == 1;
    if (step.act == Act::Subscribe) return alone;
    return step.act == Act::Publish && (alone || (!burst_connects_ && !step.retain && !burst_retains_));
  }

  /// Lets `steps` of the clock pass, with all that is due meanwhile.
  std::string pass(unsigned steps) {
    for (unsigned i = 0; i < steps; ++i) {
      rig_.advance(Rig::kStep);
      model_.set_now(rig_.now_ms());
      model_.next_epoch();
      model_.run_due();
      if (std::string wrong = settle(); !wrong.empty()) return wrong;
    }
    return {};
  }

  /// The end of a connection starts timers: none of them may be due together with another one.
  std::string space_out(const Step& step) {
    if (step.act != Act::Disconnect && step.act != Act::Lose) return {};
    const Session* session = model_.find(client_name(step.client));
    if (!session || !session->connected) return {};
    const std::uint32_t expiry_s = step.new_expiry_s.value_or(session->expiry_s);
    const auto taken = [&] {
      const auto due = [&](std::uint32_t s) { return rig_.now_ms() + std::int64_t{s} * 1000; };
      return model_.crowded(due(expiry_s)) || model_.crowded(due(session->expiry_s)) ||
             (session->will && model_.crowded(due(session->will->delay_s)));
    };
    while (taken())
      if (std::string wrong = pass(1); !wrong.empty()) return wrong;
    return {};
  }

  Player& player(const Step& step) { return *players_[step.client]; }
  bool online(const Step& step) {
    const Session* session = model_.find(client_name(step.client));
    return session && session->connected;
  }
  PacketId next_id(unsigned client) { return ids_[client] = static_cast<PacketId>(ids_[client] % 60000 + 1); }

  Mail make_mail(const Step& step, std::string topic, Qos qos, bool retain, bool empty) {
    Mail mail;
    mail.topic = std::move(topic);
    mail.qos = qos;
    mail.retain = retain;
    mail.publisher = client_name(step.client);
    mail.number = ++mails_;
    if (!empty) mail.payload = fmt::format("{}#{}", mail.publisher, mail.number);
    if (step.large) mail.payload.resize(empty ? 0 : 200, '.');
    return mail;
  }

  void connect(Step step) {
    codec::mqtt::ConnectView packet;
    const std::string& id = player(step).id();
    packet.version = step.version;
    packet.client_id = id;
    packet.clean_start = step.clean;
    if (step.version == ProtocolVersion::V5) {
      packet.session_expiry_s = step.expiry_s;
      packet.receive_maximum = step.receive_maximum;
      packet.topic_alias_maximum = step.alias_maximum;
      packet.maximum_packet_size = step.packet_maximum;
    } else {
      step.expiry_s = step.clean ? 0 : kV3Expiry_s;
      if (step.will) step.will->delay_s = 0;
    }
    Mail mail;
    if (step.will) {
      mail = make_mail(step, will_topic(step.client), step.will->qos, step.will->retain, false);
      packet.will = codec::mqtt::WillView{mail.topic,  as_bytes(mail.payload), {},           mail.qos,
                                          mail.retain, step.will->delay_s,     kNeverExpires};
    }
    model_.connect(id, step, mail);
    player(step).connect(rig_, step.shard, packet);
    unreleased_[step.client].clear();
    if (const Session* session = model_.find(id))
      unreleased_[step.client].assign(session->awaiting.begin(), session->awaiting.end());
    burst_connects_ = true;
  }

  void disconnect(const Step& step) {
    if (!online(step)) return;
    const bool v5 = player(step).version() == ProtocolVersion::V5;
    codec::mqtt::DisconnectView packet{v5 ? step.reason : ReasonCode::Success, v5 ? step.new_expiry_s : std::nullopt};
    codec::mqtt::append_disconnect(player(step).out(), packet, player(step).version());
    model_.disconnect(player(step).id(), packet.reason != ReasonCode::Success, packet.session_expiry_s);
  }

  void lose(const Step& step) {
    if (!online(step)) return;
    player(step).lose();
    model_.disconnect(player(step).id(), true, {});
  }

  void subscribe(const Step& step) {
    if (!online(step) || step.wishes.empty()) return;
    Player& who = player(step);
    const PacketId id = next_id(step.client);
    std::vector<Wish> wishes = step.wishes;
    if (step.act == Act::Unsubscribe) {
      std::vector<std::string_view> filters;
      for (const Wish& wish : wishes) filters.push_back(wish.filter);
      codec::mqtt::append_unsubscribe(who.out(), id, filters, who.version());
      model_.unsubscribe(who.id(), id, wishes);
      return;
    }
    std::vector<codec::mqtt::SubscribeEntry> entries;
    for (Wish& wish : wishes) {
      if (who.version() != ProtocolVersion::V5) wish.options = SubscribeOptions{wish.options.qos, false, false, {}, 0};
      entries.push_back({wish.filter, wish.options});
    }
    codec::mqtt::append_subscribe(who.out(), id, wishes.front().options.subscription_id, entries, who.version());
    model_.subscribe(who.id(), id, wishes);
  }

  void publish(const Step& step) {
    if (!online(step)) return;
    Player& who = player(step);
    auto& unreleased = unreleased_[step.client];
    Mail mail = make_mail(step, step.topic, step.qos, step.retain, step.empty);
    const bool v5 = who.version() == ProtocolVersion::V5;
    if (v5 && !mail.payload.empty()) mail.expiry_s = step.message_expiry_s;
    codec::mqtt::PublishHead head;
    if (step.qos == Qos::ExactlyOnce && !unreleased.empty() && (step.again || unreleased.size() >= kReleasesMax)) {
      if (!v5 && !step.dup) return;  // v3 has no word for an id in use
      head.packet_id = unreleased.front();
      head.dup = step.dup;
    } else if (step.qos != Qos::AtMostOnce) {
      head.packet_id = next_id(step.client);
      if (step.qos == Qos::ExactlyOnce) unreleased.push_back(head.packet_id);
    }
    head.topic = mail.topic;
    head.payload_size = mail.payload.size();
    head.qos = mail.qos;
    head.retain = mail.retain;
    head.message_expiry_s = mail.expiry_s;
    codec::mqtt::append_publish(who.out(), head, as_bytes(mail.payload), who.version());
    who.flush();  // before others, if a burst of several goes on
    model_.publish(who.id(), head.packet_id, head.dup, std::move(mail));
  }

  void release(const Step& step) {
    if (!online(step)) return;
    auto& unreleased = unreleased_[step.client];
    for (unsigned i = 0; i < step.count && (!unreleased.empty() || step.refuse); ++i) {
      const PacketId id = step.refuse ? PacketId{65000} : unreleased.front();
      if (!step.refuse) unreleased.erase(unreleased.begin());
      codec::mqtt::append_ack(player(step).out(), PacketType::Pubrel, id, ReasonCode::Success, player(step).version());
      model_.release(player(step).id(), id);
    }
  }

  void acknowledge(const Step& step) {
    if (online(step)) acknowledge(player(step), *model_.find(client_name(step.client)), step);
  }

  /// True if there was something to acknowledge.
  bool acknowledge(Player& who, Session& session, const Step& step) {
    bool any = false;
    for (unsigned done = 0, i = 0; done < step.count && i < session.flights.size();) {
      const std::size_t at = step.backwards ? session.flights.size() - 1 - i : i;
      const Flight flight = session.flights[at];
      if (!flight.shown || flight.pubrel_due) {
        ++i;
        continue;
      }
      const bool refuse = step.refuse && flight.phase == Phase::WaitPubrec && who.version() == ProtocolVersion::V5;
      const PacketType type = flight.phase == Phase::WaitPuback   ? PacketType::Puback
                              : flight.phase == Phase::WaitPubrec ? PacketType::Pubrec
                                                                  : PacketType::Pubcomp;
      codec::mqtt::append_ack(who.out(), type, flight.id,
                              refuse ? ReasonCode::ImplementationSpecificError : ReasonCode::Success, who.version());
      const std::size_t before = session.flights.size();
      model_.acknowledge(session, at, refuse);
      if (session.flights.size() == before) ++i;
      ++done;
      any = true;
    }
    who.flush();
    return any;
  }

  // ---- after a step

  /// Until nothing moves any more: the broker has done everything, clients that acknowledge have acknowledged.
  std::string settle() {
    burst_.clear();
    burst_connects_ = burst_retains_ = false;
    for (unsigned round = 0; round < kTurnsMax; ++round) {
      if (std::string wrong = quiesce(); !wrong.empty()) return wrong;
      if (std::string wrong = hear(); !wrong.empty()) return wrong;
      if (std::string wrong = model_.check_quiet(); !wrong.empty()) return wrong;
      if (std::string wrong = compare_state(); !wrong.empty()) return wrong;
      bool any = false;
      for (auto& who : players_) {
        Session* session = model_.find(who->id());
        if (!session || !session->connected || !session->auto_acknowledge) continue;
        Step all;
        all.count = 1000;
        any = acknowledge(*who, *session, all) || any;
      }
      if (!any) return {};
    }
    return "acknowledging has no end";
  }

  std::string quiesce() {
    for (unsigned turn = 0, idle = 0; turn < kTurnsMax; ++turn) {
      bool moved = rig_.turn();
      for (auto& who : players_) moved = who->read() || moved;
      idle = moved ? 0 : idle + 1;
      if (idle == rig_.turns_of_rest()) return {};
      if (idle % 4 == 1 && !rig_.linger()) {
        rig_.advance(Rig::kTick);
        model_.set_now(rig_.now_ms());
        model_.run_due();
      }
    }
    return "the broker does not come to rest";
  }

  std::string hear() {
    if (model_.shared_pending())
      if (std::string wrong = model_.assign_shared(seen()); !wrong.empty()) return wrong;
    for (auto& who : players_) {
      if (!who->fault().empty()) return who->id() + " got " + who->fault();
      for (const Heard& packet : who->heard_before())
        if (const std::string wrong = model_.observe_before(who->id(), packet); !wrong.empty())
          return who->id() + " got " + to_string(packet) + ": " + wrong;
      for (const Heard& packet : who->heard()) {
        if (const std::string wrong = model_.observe(who->id(), packet); !wrong.empty())
          return who->id() + " got " + to_string(packet) + ": " + wrong;
        if (packet.type == PacketType::Publish) ++messages_;
      }
      who->heard_before().clear();
      who->heard().clear();
      const Session* session = model_.find(who->id());
      if (who->old_open()) return who->id() + ": the connection that was taken over stays open";
      if (who->open() != (session && session->connected))
        return who->id() + (who->open() ? ": the connection stays open" : ": the connection was closed");
    }
    return {};
  }

  /// All copies that sessions have and may have come through a shared subscription.
  std::vector<Model::Seen> seen() {
    std::vector<Model::Seen> out;
    for (auto& who : players_) {
      for (const Heard& packet : who->heard()) {
        if (packet.type != PacketType::Publish || packet.dup) continue;
        Model::Seen one{who->id(), packet.topic + "\n" + packet.payload, packet.qos, packet.retain, std::nullopt};
        if (who->version() == ProtocolVersion::V5) one.subscription_id = packet.subscription_id;
        out.push_back(std::move(one));
      }
      if (broker::Session* session = rig_.find(who->id()))
        const_cast<broker::MessageQueue&>(session->queue()).for_each([&](const broker::Owed& owed) {
          out.push_back({who->id(),
                         std::string(owed.message->topic()) + "\n" + std::string(as_text(owed.message->payload())),
                         owed.qos, owed.retain, owed.subscription_id});
        });
    }
    return out;
  }

  std::string compare_state() {
    if (rig_.sessions() != model_.sessions().size())
      return fmt::format("{} sessions, due are {}", rig_.sessions(), model_.sessions().size());
    std::size_t subscriptions = 0;
    for (const auto& [client, due] : model_.sessions()) {
      subscriptions += due.subscriptions.size();
      const broker::Session* session = rig_.find(client);
      if (!session) return client + " has no session";
      if (std::string wrong = compare_session(*session, due); !wrong.empty()) return client + " " + wrong;
    }
    if (rig_.subscriptions() != subscriptions)
      return fmt::format("{} subscriptions, due are {}", rig_.subscriptions(), subscriptions);
    return compare_retained();
  }

  std::string compare_session(const broker::Session& session, const Session& due) const {
    if (session.connected() != due.connected) return "is not connected as it should";
    if (session.subscription_count() != due.subscriptions.size()) return "has other subscriptions";
    for (const auto& [filter, subscription] : due.subscriptions) {
      const broker::Subscription* found = session.find_subscription(filter);
      if (!found) return "is not subscribed to " + filter;
      if (found->options != subscription.options) return "has other options for " + filter;
    }
    // What cannot be sent any more may be gone or not, depending on what it stood behind.
    const std::size_t queued = due.queued();
    const std::size_t unsendable = model_.unsendable(due);
    const bool may_be_fewer = session.replaying() || session.queue().size() + unsendable >= queued;
    if (session.queue().size() > queued + due.undecided() || !may_be_fewer)
      return fmt::format("has {} messages waiting, due are {}", session.queue().size(), queued);
    if (due.connected && session.inflight_count() != due.in_window())
      return fmt::format("has {} messages in flight, due are {}", session.inflight_count(), due.in_window());
    if (session.awaiting_rel_count() != due.awaiting.size()) return "waits for other PUBRELs";
    return {};
  }

  std::string compare_retained() {
    for (unsigned client = 0; client < profile_.clients; ++client)
      if (std::string wrong = compare_retained(will_topic(client)); !wrong.empty()) return wrong;
    for (const char* topic : {"a", "a/b", "a/c", "b", "b/b", "a/b/c", "/a", "$d/x"})
      if (std::string wrong = compare_retained(topic); !wrong.empty()) return wrong;
    return {};
  }

  std::string compare_retained(const std::string& topic) {
    const auto kept = rig_.core().shard(rig_.core().retained_home_of(topic)).retained().find(topic);
    const auto due = model_.retained().find(topic);
    const std::string have = kept ? std::string(as_text(kept->payload())) : std::string();
    const std::string want = due == model_.retained().end() ? std::string() : due->second->payload;
    return have == want ? std::string() : "retained of " + topic + " is \"" + have + "\", due is \"" + want + "\"";
  }

  /// Everybody leaves for good: nothing may be left behind.
  std::string finish() {
    for (unsigned client = 0; client < profile_.clients; ++client) {
      Step step;
      step.client = client;
      step.act = Act::Connect;
      if (std::string wrong = play(step); !wrong.empty()) return "at the end: " + wrong;
      step.act = Act::Disconnect;
      if (std::string wrong = play(step); !wrong.empty()) return "at the end: " + wrong;
    }
    if (rig_.core().router().count() != 0)
      return fmt::format("{} routes are left when everybody is gone", rig_.core().router().count());
    return {};
  }

  const Profile& profile_;
  Rig rig_;
  Model model_;
  std::vector<std::unique_ptr<Player>> players_;
  std::map<unsigned, PacketId> ids_;
  std::map<unsigned, std::vector<PacketId>> unreleased_;
  std::set<unsigned> burst_;
  bool burst_connects_ = false;
  bool burst_retains_ = false;
  std::uint64_t mails_ = 0;
  std::uint64_t messages_ = 0;
};

}  // namespace

Outcome run(const Profile& profile, const std::vector<Step>& steps) {
  return Runner(profile).run(steps);
}

std::vector<Step> shrink(const Profile& profile, std::vector<Step> steps) {
  const Outcome first = run(profile, steps);
  if (first.wrong.empty()) return steps;
  steps.resize(std::min(steps.size(), first.step));
  unsigned runs = 0;
  for (std::size_t size = steps.size() / 2; size > 0 && runs < 600; size /= 2)
    for (std::size_t at = 0; at + size <= steps.size() && runs < 600; ++runs) {
      std::vector<Step> fewer = steps;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(at),
                  fewer.begin() + static_cast<std::ptrdiff_t>(at + size));
      if (const Outcome outcome = run(profile, fewer); !outcome.wrong.empty()) {
        fewer.resize(std::min(fewer.size(), outcome.step));
        steps = std::move(fewer);
      } else {
        at += size;
      }
    }
  return steps;
}

}  // namespace sb::sim
