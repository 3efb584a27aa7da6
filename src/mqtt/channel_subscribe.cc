// SUBSCRIBE and UNSUBSCRIBE (broker.md 7; MQTT 5.0 3.8 to 3.11).
#include "base/log.h"
#include "broker/topic.h"
#include "mqtt/asking.h"
#include "mqtt/channel.h"
#include "mqtt/deferred.h"

#include <algorithm>

namespace sb::mqtt {

using broker::FilterKind;
using broker::Metric;

namespace {
/// The mountpoint goes in front of the real filter, behind any $share/g/, $queue/ or $exclusive/ (9.5).
std::string mounted(const client::Client& client, std::string_view full, std::string_view real) {
  if (client.mountpoint().empty()) return std::string(full);
  std::string out(full.substr(0, full.size() - real.size()));
  out += client.mountpoint();
  out += real;
  return out;
}
}  // namespace

Channel::Step Channel::on_subscribe(const Frame& frame) {
  std::unique_ptr<Asking> asking = std::move(asking_);
  if (!asking) {
    const auto packet = codec::mqtt::decode_subscribe(frame, decode_options());
    if (!packet) return bad_frame(packet.error());
    if (packet->count == 0) return protocol_error(ReasonCode::TopicFilterInvalid, "topic_filter_invalid");
    if (!fits(codec::mqtt::size_of_suback(packet->count, version_))) return unsendable();
    asking = std::make_unique<Asking>(*packet);
  }
  const client::ZoneSettings& zone = client_.zone();
  const auto rules = zone.strict_mode ? broker::TextRules::Strict : broker::TextRules::Lenient;

  // Pass 1: what ends the connection, and permission. The bytes may lie elsewhere than when the packet was decoded.
  codec::mqtt::SubscribeView& packet = asking->packet;
  packet.filters = frame.body.last(packet.filters.size());
  codec::mqtt::SubscribeView rest = packet;
  rest.filters = packet.filters.subspan(asking->asked);
  codec::mqtt::FilterCursor cursor(rest, version_);
  std::string_view text;
  SubscribeOptions options;
  while (cursor.next(text, &options)) {
    const auto parsed = broker::parse_filter(text, rules);
    if (!parsed) return protocol_error(parsed.error(), "topic_filter_invalid");
    if (parsed->is_shared() && options.no_local)  // [MQTT-3.8.3-4]
      return protocol_error(ReasonCode::ProtocolError, "protocol_error");
    if (version_ != ProtocolVersion::V5) {
      options.no_local = zone.ignore_loop_deliver && !parsed->is_shared();
      options.retain_as_published = bridge_;
    }
    Asking::One one{std::string(text), options, ReasonCode::Success};
    if (!client_.passes_all()) {
      const access::Verdict verdict = client_.authorize(
          access::Action{access::ActionKind::Subscribe, parsed->filter, options.qos, false}, resumer());
      if (verdict == access::Verdict::Pending) {
        asking_ = std::move(asking);
        return Step::Suspend;
      }
      if (verdict == access::Verdict::Deny) {
        one.code = ReasonCode::NotAuthorized;
        asking->any_denied = true;
      }
    }
    if (one.code == ReasonCode::Success && session_->persistent() && host_.shard().broker.journal() &&
        host_.shard().broker.journal()->trouble())
      one.code = ReasonCode::QuotaExceeded;  // the disk takes nothing at present
    if (one.code == ReasonCode::Success) {
      if (broker::count_levels(parsed->filter) > zone.max_topic_levels)
        one.code = ReasonCode::TopicFilterInvalid;
      else if (!zone.wildcard_subscription && broker::has_wildcard(parsed->filter))
        one.code = ReasonCode::WildcardSubscriptionsNotSupported;
      else if (!zone.shared_subscription && parsed->is_shared())
        one.code = ReasonCode::SharedSubscriptionsNotSupported;
      else if (!zone.exclusive_subscription && parsed->kind == FilterKind::Exclusive)
        one.code = ReasonCode::TopicFilterInvalid;
    }
    asking->all.push_back(std::move(one));
    asking->asked = packet.filters.size() - cursor.left();
  }
  std::vector<Asking::One>& all = asking->all;
  metrics().add(Metric::PacketsSubscribeReceived);
  metrics().add(Metric::ClientSubscribe);
  if (asking->any_denied && host_.shard().gate.disconnect_on_deny()) {
    metrics().add(Metric::PacketsSubscribeAuthError,
                  static_cast<std::uint64_t>(std::count_if(all.begin(), all.end(), [](const Asking::One& one) {
                    return one.code == ReasonCode::NotAuthorized;
                  })));
    return protocol_error(ReasonCode::NotAuthorized, "not_authorized");
  }

  // Pass 2: listeners may rewrite what passed.
  broker::Broker& broker = host_.shard().broker;
  if (!broker.hooks().client_subscribe.empty()) {
    std::vector<broker::FilterRequest> requests;
    for (Asking::One& one : all)
      if (one.code == ReasonCode::Success) requests.push_back({one.filter, one.options});
    broker.hooks().client_subscribe.run(*client_.identity(), requests);
    std::size_t next = 0;
    for (Asking::One& one : all)
      if (one.code == ReasonCode::Success) {
        one.filter = std::move(requests[next].filter);
        one.options = requests[next].options;
        ++next;
      }
  }

  // Pass 3: subscribe, acknowledge, then send what is retained (the SUBACK always precedes it, 7.1).
  const std::size_t changes = broker.journal() ? broker.journal()->changes() : 0;
  session_->hold(true);  // also what hooks publish of this
  std::vector<ReasonCode> codes;
  std::vector<std::pair<const broker::Subscription*, bool>> fresh;
  for (Asking::One& one : all) {
    if (one.code == ReasonCode::Success) {
      const auto parsed = broker::parse_filter(one.filter);
      if (!parsed) {
        one.code = parsed.error();
      } else {
        one.options.qos = min(one.options.qos, zone.max_qos);
        const auto done = broker.subscribe(*session_, mounted(client_, one.filter, parsed->filter), one.options);
        one.code = done.code;
        if (done.subscription) {
          one.code = static_cast<ReasonCode>(to_int(done.subscription->options.qos));
          fresh.emplace_back(done.subscription, done.is_new);
        }
      }
    }
    if (one.code == ReasonCode::NotAuthorized)
      metrics().add(Metric::PacketsSubscribeAuthError);
    else if (is_error(one.code))
      metrics().add(Metric::PacketsSubscribeError);
    codes.push_back(one.code);
  }
  std::vector<std::uint8_t> suback(codec::mqtt::size_of_suback(codes.size(), version_));
  codec::mqtt::encode_suback(suback.data(), packet.packet_id, codes.data(), codes.size(), version_);
  if (!answer(codec::mqtt::PacketType::Suback, std::move(suback), after_changes(changes))) {
    for (const auto& [subscription, is_new] : fresh)
      deferred_->waiting.back().replay.emplace_back(subscription->filter(), is_new);
    return Step::Next;
  }
  session_->hold(false);
  for (const auto& [subscription, is_new] : fresh) broker.replay_retained(*session_, *subscription, is_new);
  return state_ == State::Closing ? Step::Stop : Step::Next;
}

Channel::Step Channel::on_unsubscribe(const Frame& frame) {
  const auto packet = codec::mqtt::decode_unsubscribe(frame, decode_options());
  if (!packet) return bad_frame(packet.error());
  const auto rules = client_.zone().strict_mode ? broker::TextRules::Strict : broker::TextRules::Lenient;
  metrics().add(Metric::PacketsUnsubscribeReceived);
  metrics().add(Metric::ClientUnsubscribe);
  if (packet->count == 0) return protocol_error(ReasonCode::TopicFilterInvalid, "topic_filter_invalid");
  if (!fits(codec::mqtt::size_of_unsuback(packet->count, version_))) return unsendable();
  std::vector<std::string> filters;
  codec::mqtt::FilterCursor cursor(*packet);
  std::string_view text;
  while (cursor.next(text, nullptr)) {
    if (const auto parsed = broker::parse_filter(text, rules); !parsed)
      return protocol_error(parsed.error(), "topic_filter_invalid");
    filters.emplace_back(text);
  }
  broker::Broker& broker = host_.shard().broker;
  if (!broker.hooks().client_unsubscribe.empty()) broker.hooks().client_unsubscribe.run(*client_.identity(), filters);
  const std::size_t changes = broker.journal() ? broker.journal()->changes() : 0;
  // The disk takes nothing at present: v5 is told so, UNSUBACK knows no 0x97. For v3 it is in force, and acknowledged
  // when it is written.
  const bool refused = version_ == ProtocolVersion::V5 && session_->persistent() && broker.sessions_durable() &&
                       broker.journal() && broker.journal()->trouble();
  std::vector<ReasonCode> codes;
  for (const std::string& filter : filters) {
    const auto parsed = broker::parse_filter(filter);
    if (!parsed) {
      codes.push_back(parsed.error());
    } else if (const std::string full = mounted(client_, filter, parsed->filter);
               refused && session_->find_subscription(full)) {
      codes.push_back(ReasonCode::ImplementationSpecificError);
    } else {
      codes.push_back(broker.unsubscribe(*session_, full));
    }
    if (is_error(codes.back())) metrics().add(Metric::PacketsUnsubscribeError);
  }
  std::vector<std::uint8_t> unsuback(codec::mqtt::size_of_unsuback(codes.size(), version_));
  codec::mqtt::encode_unsuback(unsuback.data(), packet->packet_id, codes.data(), codes.size(), version_);
  answer(codec::mqtt::PacketType::Unsuback, std::move(unsuback), after_changes(changes));
  return state_ == State::Closing ? Step::Stop : Step::Next;
}

}  // namespace sb::mqtt
