// PUBLISH in both directions and the acknowledgements (broker.md 5 and 6; MQTT 5.0 3.3 to 3.7, 4.3).
#include "base/log.h"
#include "broker/topic.h"
#include "mqtt/channel.h"
#include "mqtt/deferred.h"
#include "mqtt/outbound_aliases.h"

namespace sb::mqtt {

using broker::Metric;
using codec::mqtt::PacketType;
using codec::mqtt::PublishView;

namespace {
/// From here on a payload is referred to, not copied, when a receiver gets it (measured crossover).
constexpr std::size_t kReferencePayload = 8192;
/// Topics that a connection's aliases stand for, where force_shutdown sets no limit.
constexpr std::size_t kAliasBytesMax = 1U << 20;
constexpr Metric kReceivedByQos[] = {Metric::MessagesQos0Received, Metric::MessagesQos1Received,
                                     Metric::MessagesQos2Received};
constexpr Metric kSentByQos[] = {Metric::MessagesQos0Sent, Metric::MessagesQos1Sent, Metric::MessagesQos2Sent};
}  // namespace

Channel::Step Channel::on_publish(const Frame& frame) {
  auto packet = codec::mqtt::decode_publish(frame, decode_options());
  if (!packet) return bad_frame(packet.error());
  return publish(*packet);
}

bool Channel::resolve_alias(PublishView& packet, Step& step) {
  const std::uint16_t maximum = client_.zone().max_topic_alias;
  if (!packet.topic_alias) {
    if (!packet.topic.empty()) return true;
    step = protocol_error(ReasonCode::ProtocolError, "protocol_error");  // row 1
    return false;
  }
  const std::uint16_t alias = *packet.topic_alias;
  if (alias == 0) {
    // rows 1 and 2
    step = protocol_error(packet.topic.empty() ? ReasonCode::ProtocolError : ReasonCode::TopicAliasInvalid,
                          "topic_alias_invalid");
    return false;
  }
  if (alias > maximum) {  // row 7, [MQTT-3.3.2-9]
    step = protocol_error(ReasonCode::TopicAliasInvalid, "topic_alias_invalid");
    return false;
  }
  if (!inbound_aliases_) inbound_aliases_ = std::make_unique<InboundAliases>();
  std::vector<std::string>& topics = inbound_aliases_->topics;
  if (packet.topic.empty()) {
    if (alias >= topics.size() || topics[alias].empty()) {  // row 6
      step = protocol_error(ReasonCode::ProtocolError, "protocol_error");
      return false;
    }
    packet.topic = topics[alias];
    return true;
  }
  if (alias >= topics.size()) topics.resize(std::size_t{alias} + 1);
  if (topics[alias] == packet.topic) return true;
  inbound_aliases_->bytes += packet.topic.size() - topics[alias].size();
  const std::size_t limit = client_.zone().force_shutdown_bytes;
  if (inbound_aliases_->bytes > (limit == 0 ? kAliasBytesMax : limit)) [[unlikely]] {
    SB_LOG(log::Level::Warning, "connection_shutdown_for_aliases", kv("clientid", client_.identity()->client_id),
           kv("bytes", inbound_aliases_->bytes));
    step = protocol_error(ReasonCode::QuotaExceeded, "proc_heap_too_large");
    return false;
  }
  // Not by assignment: a string that once held a long topic keeps its room.
  topics[alias] = std::string(packet.topic);
  return true;
}

inline void Channel::count_received(Qos qos) {
  metrics().add(Metric::PacketsPublishReceived);
  metrics().add(Metric::MessagesReceived);
  metrics().add(kReceivedByQos[to_int(qos)]);
  ++client_.traffic.received_messages[to_int(qos)];
}

// [S] 5.3: the message was taken, and no quota, rule or full disk of now changes that. Without DUP the id is in use.
Channel::Step Channel::acknowledge_again(const PublishView& packet) {
  count_received(packet.qos);
  // The first PUBREC may still wait for the disk, perhaps on a connection that is gone: this one waits as well.
  auto taken = session_->awaiting_taken(packet.packet_id);
  acknowledge(PacketType::Pubrec, packet.packet_id, ReasonCode::Success, {taken.ticket, std::move(taken.receipt)});
  return Step::Next;
}

Channel::Step Channel::refuse_routing(const PublishView& packet) {
  count_received(packet.qos);
  metrics().add(Metric::PacketsPublishDropped);
  ++client_.traffic.received_dropped;
  if (packet.qos != Qos::AtMostOnce)
    acknowledge(packet.qos == Qos::AtLeastOnce ? PacketType::Puback : PacketType::Pubrec, packet.packet_id,
                ReasonCode::QuotaExceeded, {});
  return Step::Next;
}

// Asked while the disk takes nothing. What is taken for one that needs no disk and does need it (a hook made another
// topic of it) waits for its ticket like anything else.
bool Channel::wants_disk(const PublishView& packet) {
  broker::Broker& broker = host_.shard().broker;
  if (packet.topic.starts_with(broker::kDelayedPrefix)) return true;
  if (broker.sessions_durable() && packet.qos == Qos::ExactlyOnce && session_->persistent()) return true;
  return broker.wants_disk(client_.mount(packet.topic, host_.shard().scratch), packet.retain);
}

Channel::Step Channel::publish(PublishView& packet) {
  const client::ZoneSettings& zone = client_.zone();
  const auto rules = zone.strict_mode ? broker::TextRules::Strict : broker::TextRules::Lenient;

  // Everything up to authorization may be done twice, if the verdict comes later.
  if (!packet.topic.empty())
    if (const auto ok = broker::check_topic_name(packet.topic, rules); !ok)
      return protocol_error(ReasonCode::TopicNameInvalid, "topic_name_invalid");
  if (packet.has_response_topic)  // [MQTT-3.3.2-14]; an empty one breaks [MQTT-4.7.3-1]
    if (packet.response_topic.empty() || !broker::check_topic_name(packet.response_topic, rules))
      return protocol_error(ReasonCode::ProtocolError, "protocol_error");
  if (packet.has_subscription_id) return protocol_error(ReasonCode::ProtocolError, "protocol_error");  // [MQTT-3.3.4-6]
  Step step = Step::Next;
  if (!resolve_alias(packet, step)) return step;
  if (!client_.mounts(packet.topic)) [[unlikely]]
    return protocol_error(ReasonCode::TopicNameInvalid, "topic_name_invalid");
  if (packet.dup && packet.qos == Qos::ExactlyOnce && session_->awaiting_rel(packet.packet_id)) [[unlikely]]
    return acknowledge_again(packet);
  if (rate_guard_ && !rate_guard_->may_route()) [[unlikely]]
    return refuse_routing(packet);  // row 5, behind the alias: it is stored although the message is not taken

  const std::string_view authorized = broker::topic_in_the_end(packet.topic);
  bool denied = authorized.empty();
  if (!denied && !client_.passes_publish()) {
    access::Action action{access::ActionKind::Publish, authorized, packet.qos, packet.retain};
    access::Verdict verdict = client_.kept_verdict(action);
    if (verdict == access::Verdict::Pending) [[unlikely]] {
      verdict = client_.authorize(action, resumer());
      if (verdict == access::Verdict::Pending) return Step::Suspend;
    }
    denied = verdict == access::Verdict::Deny;
  }

  // The packet is looked at for the last time.
  count_received(packet.qos);
  if (denied) {
    if (host_.shard().gate.disconnect_on_deny()) return protocol_error(ReasonCode::NotAuthorized, "not_authorized");
    if (packet.qos != Qos::AtMostOnce) metrics().add(Metric::PacketsPublishAuthError);  // 14.1: of acknowledgements
    if (packet.qos == Qos::AtLeastOnce)
      acknowledge(PacketType::Puback, packet.packet_id, ReasonCode::NotAuthorized, {});
    if (packet.qos == Qos::ExactlyOnce)
      acknowledge(PacketType::Pubrec, packet.packet_id, ReasonCode::NotAuthorized, {});
    return Step::Next;
  }
  if (zone.max_topic_levels < 65535 && broker::count_levels(packet.topic) > zone.max_topic_levels)
    return protocol_error(ReasonCode::TopicNameInvalid, "topic_name_invalid");
  if (packet.qos > zone.max_qos) return protocol_error(ReasonCode::QosNotSupported, "qos_not_supported");
  if (packet.retain && !zone.retain_available)
    return protocol_error(ReasonCode::RetainNotSupported, "retain_not_supported");

  broker::Broker& broker = host_.shard().broker;
  const std::size_t changes = broker.journal() ? broker.journal()->changes() : 0;
  if (packet.qos != Qos::AtMostOnce && broker.journal() && broker.journal()->trouble() && wants_disk(packet))
      [[unlikely]] {
    // The disk takes nothing at present: what could not be kept is not taken in.
    metrics().add(Metric::PacketsPublishDropped);
    metrics().add(Metric::MessagesDropped);
    ++client_.traffic.received_dropped;
    if (version_ != ProtocolVersion::V5) return protocol_error(ReasonCode::QuotaExceeded, "store_refused");
    acknowledge(packet.qos == Qos::AtLeastOnce ? PacketType::Puback : PacketType::Pubrec, packet.packet_id,
                ReasonCode::QuotaExceeded, {});
    return Step::Next;
  }
  if (packet.qos == Qos::ExactlyOnce) {
    if (session_->awaiting_rel(packet.packet_id)) {
      metrics().add(Metric::PacketsPublishInuse);
      metrics().add(Metric::MessagesDropped);
      acknowledge(PacketType::Pubrec, packet.packet_id, ReasonCode::PacketIdentifierInUse, {});
      return Step::Next;
    }
    if (session_->awaiting_rel_full() || session_->awaiting_rel_count() >= receive_maximum_) {
      metrics().add(Metric::PacketsPublishDropped);
      metrics().add(Metric::MessagesDropped);
      ++client_.traffic.received_dropped;
      return protocol_error(ReasonCode::ReceiveMaximumExceeded, "receive_maximum_exceeded");  // [MQTT-3.3.4-9]
    }
  }

  broker::Publication publication;
  publication.topic = client_.mount(packet.topic, host_.shard().scratch);
  publication.payload = packet.payload;
  publication.properties = packet.properties;
  publication.qos = packet.qos;
  publication.retain = packet.retain;
  publication.expiry_s = packet.message_expiry_s;
  publication.from = &client_.identity();
  publication.state = &publisher_state_;
  if (packet.qos == Qos::ExactlyOnce) {
    // What the receivers' shards store and the packet id that tells a repetition are there together, or not at all.
    if (broker.core().shards() > 1 && session_->persistent())
      publication.receipt =
          broker.begin_joint([&broker, from = client_.identity(), number = session_->number(), id = packet.packet_id] {
            broker::Session* session = broker.find(from->client_id);
            if (session && session->number() == number) session->store_awaiting_rel(id);
          });
    session_->add_awaiting_rel(packet.packet_id, publication.receipt);
    if (!publication.receipt) session_->store_awaiting_rel(packet.packet_id);
  }
  std::uint32_t dispatches = 0;
  const bool counts = rate_guard_ && rate_guard_->limits_routing();
  if (counts) [[unlikely]]
    publication.dispatches = &dispatches;
  const ReasonCode code = broker.publish(publication);
  if (counts && rate_guard_) [[unlikely]]
    rate_guard_->charge_routing(dispatches);
  // 4.3.3: an error ends the exchange; the id is free.
  if (session_ && packet.qos == Qos::ExactlyOnce && static_cast<unsigned>(code) >= 0x80)
    session_->remove_awaiting_rel(packet.packet_id);
  if (packet.qos != Qos::AtMostOnce) {
    After after = after_changes(changes);
    after.receipt = std::move(publication.receipt);
    acknowledge(packet.qos == Qos::AtLeastOnce ? PacketType::Puback : PacketType::Pubrec, packet.packet_id, code,
                after);
  }
  // Packets that were read already are still taken in; asked for once, not for each of them.
  if (broker.must_wait() && session_ && !std::exchange(waits_for_room_, true)) [[unlikely]] {
    stream_.pause(net::Stream::kRoom);
    broker.when_room([&host = host_, this, number = session_->number()] {
      host.for_each([&](Channel& channel) {
        if (&channel != this || !channel.session_ || channel.session_->number() != number) return;
        channel.waits_for_room_ = false;
        channel.stream_.resume(net::Stream::kRoom);
      });
    });
  }
  return state_ == State::Closing ? Step::Stop : Step::Next;
}

void Channel::acknowledge(PacketType type, PacketId id, ReasonCode code, const After& after) {
  if (state_ == State::Closing) return;
  broker::Journal* journal = host_.shard().broker.journal();
  const bool waits = journal && (!journal->stored(after.ticket) || (after.receipt && !after.receipt->complete()) ||
                                 (deferred_ && (!deferred_->waiting.empty() || deferred_->follows(type))));
  if (waits) [[unlikely]] {
    defer(type, id, code, after, {});
    return;
  }
  acknowledge_now(type, id, code);
}

void Channel::defer(PacketType type, PacketId id, ReasonCode code, const After& after, std::string packet) {
  if (!deferred_) deferred_ = std::make_unique<Deferred>(*this);
  broker::Journal& journal = *host_.shard().broker.journal();
  // Where something is owed, a PUBREC comes here for a repetition, for a message that a hook gave a topic which needs
  // the disk, and for a new one while it is another shard's disk that owes: a new one of a full disk was refused
  // before.
  const bool aside =
      deferred_->waiting.empty() &&
      (deferred_->follows(type) || (journal.owing() && (Deferred::unordered(type) || type == PacketType::Pubrec)));
  (aside ? deferred_->aside : deferred_->waiting).push_back({type, id, code, after, std::move(packet), {}});
  const std::uint32_t most = client_.zone().max_unanswered;
  if (most != 0 && deferred_->size() >= most && !std::exchange(deferred_->held, true)) [[unlikely]]
    stream_.pause(net::Stream::kOwed);
  journal.wait(*deferred_);
}

void Channel::Deferred::send(const One& one) {
  if (one.packet.empty()) return channel.acknowledge_now(one.type, one.id, one.code);
  std::uint8_t* out = channel.reserve(one.packet.size());
  std::memcpy(out, one.packet.data(), one.packet.size());
  channel.commit(out + one.packet.size(),
                 one.type == PacketType::Suback ? Metric::PacketsSubackSent : Metric::PacketsUnsubackSent);
  if (one.type == PacketType::Suback) channel.release_subscriptions(one.replay);
}

void Channel::release_aside(const broker::Journal& journal) {
  auto& aside = deferred_->aside;
  while (!aside.empty() && state_ != State::Closing) {
    const Deferred::One& one = aside.front();
    if (!journal.stored(one.after.ticket) || (one.after.receipt && !one.after.receipt->complete())) return;
    // Of a joint commit the ticket was not known when the repetition came.
    if (one.type == PacketType::Pubrec && !journal.stored(session_->awaiting_taken(one.id).ticket)) return;
    deferred_->send(aside.pop_front());
  }
}

bool Channel::release_deferred(const broker::Journal& journal) {
  release_aside(journal);
  auto& waiting = deferred_->waiting;
  while (!waiting.empty() && state_ != State::Closing) {
    const Deferred::One& one = waiting.front();
    if (deferred_->follows(one.type) ||
        (Deferred::unordered(one.type) && !journal.stored(one.after.ticket) && journal.owing())) {
      deferred_->aside.push_back(waiting.pop_front());
      continue;
    }
    // What has not gone to the disk yet will not be taken by it either.
    const bool settled = journal.kept(one.after.ticket) && (!one.after.receipt || one.after.receipt->complete());
    if (!settled && !journal.trouble()) return false;
    const bool refused =
        !settled || journal.refused(one.after.ticket) || (one.after.receipt && one.after.receipt->failed());
    Deferred::One done = waiting.pop_front();
    if (done.type == PacketType::Connack) {
      begin_session(done.packet);
      stream_.resume();
      continue;
    }
    if (refused) {
      // The disk did not take it: v5 is told so, v3 has no word for it and must try again on a new connection. So must
      // whoever sent a QoS 2 message: it waits in the queues of its receivers and is written when there is room. A
      // PUBREC that says no would have it published again, and delivered twice (4.3.3); by its id it is recognized.
      if (version_ != ProtocolVersion::V5 || done.type != PacketType::Puback) {
        end(ReasonCode::QuotaExceeded, "store_refused", true);
        return true;
      }
      acknowledge_now(done.type, done.id, ReasonCode::QuotaExceeded);
      continue;
    }
    deferred_->send(done);
  }
  return state_ == State::Closing || deferred_->size() == 0;
}

void Channel::release_subscriptions(const std::vector<std::pair<std::string, bool>>& filters) {
  bool more = false;
  for (std::size_t i = 0; i < deferred_->waiting.size(); ++i)
    more = more || deferred_->waiting[i].type == PacketType::Suback;
  for (const auto& [filter, is_new] : filters)
    if (const broker::Subscription* subscription = session_->find_subscription(filter))
      host_.shard().broker.replay_retained(*session_, *subscription, is_new);
  if (!more) session_->hold(false);
}

bool Channel::answer(PacketType type, std::vector<std::uint8_t> packet, const After& after) {
  broker::Journal* journal = host_.shard().broker.journal();
  const bool waits = journal && (!journal->stored(after.ticket) || (deferred_ && !deferred_->waiting.empty()));
  if (waits) {
    defer(type, 0, ReasonCode::Success, after,
          std::string(reinterpret_cast<const char*>(packet.data()), packet.size()));
    return false;
  }
  std::uint8_t* out = reserve(packet.size());
  std::memcpy(out, packet.data(), packet.size());
  commit(out + packet.size(), type == PacketType::Suback ? Metric::PacketsSubackSent : Metric::PacketsUnsubackSent);
  return true;
}

Channel::After Channel::after_changes(std::size_t changes_before) const {
  const broker::Journal* journal = host_.shard().broker.journal();
  if (!journal || journal->changes() == changes_before) return {};
  return {journal->ticket(), nullptr};
}

Channel::After Channel::after_everything() const {
  const broker::Journal* journal = host_.shard().broker.journal();
  return {journal ? journal->barrier() : 0, nullptr};
}

void Channel::acknowledge_now(PacketType type, PacketId id, ReasonCode code) {
  if (state_ == State::Closing) return;
  if (version_ != ProtocolVersion::V5 && is_error(code)) code = ReasonCode::Success;  // v3 acks carry no reason
  if (is_error(code)) metrics().add(Metric::PacketsPublishError);
  Metric metric = Metric::PacketsPubackSent;
  if (type == PacketType::Pubrec) metric = Metric::PacketsPubrecSent;
  if (type == PacketType::Pubrel) metric = Metric::PacketsPubrelSent;
  if (type == PacketType::Pubcomp) metric = Metric::PacketsPubcompSent;
  commit(codec::mqtt::encode_ack(reserve(codec::mqtt::kAckSize), type, id, code, version_), metric);
}

Channel::Step Channel::on_ack(const Frame& frame) {
  const auto packet = codec::mqtt::decode_ack(frame, decode_options());
  if (!packet) return bad_frame(packet.error());
  switch (frame.type()) {
    case PacketType::Puback:
      metrics().add(Metric::PacketsPubackReceived);
      session_->on_puback(packet->packet_id);
      break;
    case PacketType::Pubrec:
      metrics().add(Metric::PacketsPubrecReceived);
      session_->on_pubrec(packet->packet_id, packet->reason);
      break;
    case PacketType::Pubcomp:
      metrics().add(Metric::PacketsPubcompReceived);
      session_->on_pubcomp(packet->packet_id);
      break;
    default: {
      metrics().add(Metric::PacketsPubrelReceived);
      const broker::Journal* journal = host_.shard().broker.journal();
      const std::size_t changes = journal ? journal->changes() : 0;
      const bool known = session_->remove_awaiting_rel(packet->packet_id);
      if (!known) metrics().add(Metric::PacketsPubrelMissed);
      // An unknown id may have been released on an earlier connection, and that not be on disk yet: with PUBCOMP the
      // client uses the id anew.
      acknowledge(PacketType::Pubcomp, packet->packet_id,
                  known ? ReasonCode::Success : ReasonCode::PacketIdentifierNotFound,
                  known ? after_changes(changes) : after_everything());
    }
  }
  return state_ == State::Closing ? Step::Stop : Step::Next;
}

void Channel::send_pubrel(PacketId id, ReasonCode reason, broker::Ticket ticket) {
  acknowledge(PacketType::Pubrel, id, reason, After{ticket, nullptr});
}

// ---------------------------------------------------------------- towards the subscriber

broker::SessionSink::Sent Channel::send_publish(broker::Delivery& delivery, const broker::Outgoing& how) {
  const broker::Publication& p = delivery.publication();
  if (stream_.congested()) [[unlikely]]
    check_output();
  if (how.qos == Qos::AtMostOnce && stream_.pending() > client_.listener().high_watermark) return Sent::Congested;
  const bool v5 = version_ == ProtocolVersion::V5;
  const bool large = p.payload.size() >= kReferencePayload;
  const std::size_t size_limit = client_max_packet_ == 0 ? ~std::size_t{0} : client_max_packet_;

  // Receivers of the same form differ in nothing but the packet id: encode once, copy and patch.
  const bool plain = !how.dup && how.subscription_id == 0 && outbound_alias_max_ == 0 && client_.mountpoint().empty();
  broker::WireScratch* scratch = plain && !large ? delivery.scratch() : nullptr;
  if (scratch) {
    auto& slot = delivery.slot((v5 ? 1U : 0U) | (how.qos != Qos::AtMostOnce ? 2U : 0U) | (how.retain ? 4U : 0U));
    // QoS 1 and 2 of one publication share a slot only if they agree; the first byte tells.
    if (slot.size != 0 && (((*scratch)[slot.offset] >> 1) & 3) != to_int(how.qos)) {
      scratch = nullptr;
    } else {
      if (slot.size == 0) {
        codec::mqtt::PublishHead head;
        head.topic = p.topic;
        if (v5) head.properties = p.properties;
        head.payload_size = p.payload.size();
        head.qos = how.qos;
        head.retain = how.retain;
        head.packet_id = how.packet_id == 0 ? PacketId{1} : how.packet_id;
        if (v5) head.message_expiry_s = remaining_expiry(p);
        std::size_t total = 0;
        codec::mqtt::size_of_publish_head(head, version_, &total);
        slot.offset = static_cast<std::uint32_t>(scratch->size());
        slot.size = static_cast<std::uint32_t>(total);
        scratch->resize(scratch->size() + total);
        std::uint8_t* out = codec::mqtt::encode_publish_head(scratch->data() + slot.offset, head, version_);
        if (!p.payload.empty()) std::memcpy(out, p.payload.data(), p.payload.size());
        if (how.qos != Qos::AtMostOnce)
          slot.mark = static_cast<std::uint32_t>(codec::mqtt::publish_packet_id_offset(scratch->data() + slot.offset));
      }
      if (slot.size > size_limit) return Sent::TooLarge;
      std::uint8_t* out = reserve(slot.size);
      std::memcpy(out, scratch->data() + slot.offset, slot.size);
      if (how.qos != Qos::AtMostOnce) {
        out[slot.mark] = static_cast<std::uint8_t>(how.packet_id >> 8);
        out[slot.mark + 1] = static_cast<std::uint8_t>(how.packet_id & 0xFF);
      }
      count_sent(how.qos, p.system, slot.size);
      if (traced()) [[unlikely]]
        trace_sent_publish(p, how);
      stream_.commit(out + slot.size);
      return Sent::Yes;
    }
  }

  codec::mqtt::PublishHead head;
  head.topic = client_.unmount(p.topic);
  if (v5) head.properties = p.properties;
  head.payload_size = p.payload.size();
  head.qos = how.qos;
  head.dup = how.dup;
  head.retain = how.retain;
  head.packet_id = how.packet_id;
  if (v5) head.message_expiry_s = remaining_expiry(p);
  if (v5 && how.subscription_id != 0) {
    head.subscription_ids = &how.subscription_id;
    head.subscription_id_count = 1;
  }
  bool new_alias = false;
  if (outbound_alias_max_ != 0) {
    if (!outbound_aliases_) outbound_aliases_ = std::make_unique<OutboundAliases>();
    const auto use = outbound_aliases_->use(head.topic, outbound_alias_max_);
    head.topic_alias = use.alias;
    if (use.known) head.topic = {};
    new_alias = use.alias != 0 && !use.known;
  }
  std::size_t total = 0;
  std::size_t head_size = codec::mqtt::size_of_publish_head(head, version_, &total);
  if (total > size_limit && new_alias) {  // what is not sent teaches the client no alias; without one it may fit
    outbound_aliases_->take_back(head.topic);
    head.topic_alias = 0;
    head_size = codec::mqtt::size_of_publish_head(head, version_, &total);
  }
  if (total > size_limit) return Sent::TooLarge;
  std::uint8_t* out = reserve(large ? head_size : total);
  out = codec::mqtt::encode_publish_head(out, head, version_);
  if (!large) {
    if (!p.payload.empty()) std::memcpy(out, p.payload.data(), p.payload.size());
    out += p.payload.size();
  }
  count_sent(how.qos, p.system, total);
  if (traced()) [[unlikely]]
    trace_sent_publish(p, how);
  stream_.commit(out);
  if (large) {
    const broker::MessageRef& message = delivery.message();
    message->retain_reference();
    stream_.append_reference(
        message->payload().data(), message->payload().size(),
        [](void* owner) { static_cast<const broker::Message*>(owner)->release(); },
        const_cast<broker::Message*>(message.get()));
  }
  return Sent::Yes;
}

void Channel::count_sent(Qos qos, bool system, std::size_t bytes) {
  client_.traffic.sent_bytes += bytes;
  ++client_.traffic.sent_packets;
  ++client_.traffic.sent_messages[to_int(qos)];
  if (system) return;  // broker.md 1.3
  broker::MetricCells& cells = metrics();
  cells.add(Metric::PacketsSent);
  cells.add(Metric::PacketsPublishSent);
  cells.add(Metric::MessagesSent);
  cells.add(kSentByQos[to_int(qos)]);
}

std::uint32_t Channel::remaining_expiry(const broker::Publication& p) const {
  if (p.expiry_s == kNeverExpires) return kNeverExpires;
  const std::int64_t elapsed_s = std::max<std::int64_t>(0, host_.shard().io.loop.wall_ms() - p.published_ms) / 1000;
  return elapsed_s >= p.expiry_s ? 1U : static_cast<std::uint32_t>(p.expiry_s - elapsed_s);
}

}  // namespace sb::mqtt
