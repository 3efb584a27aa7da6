#include "management/publish.h"

#include "broker/topic.h"
#include "management/service.h"

#include <fmt/format.h>

namespace sb::management {

namespace {

// Identifiers of properties, 2.2.2.2.
constexpr char kPayloadFormat = 0x01;
constexpr char kContentType = 0x03;
constexpr char kResponseTopic = 0x08;
constexpr char kCorrelationData = 0x09;
constexpr char kUserProperty = 0x26;

void add_text(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size() >> 8 & 0xFF);
  out += static_cast<char>(text.size() & 0xFF);
  out += text;
}

void add_field(std::string& out, char identifier, std::string_view text) {
  if (text.empty()) return;
  out += identifier;
  add_text(out, text);
}

/// Who publishes: what events and rules see as the sender.
broker::IdentityRef sender() {
  auto out = std::make_shared<broker::Identity>();
  out->client_id = "http_api";
  return out;
}

}  // namespace

std::string encode_properties(const PublishRequest& message) {
  std::string out;
  if (message.payload_format) {
    out += kPayloadFormat;
    out += static_cast<char>(*message.payload_format);
  }
  add_field(out, kContentType, message.content_type);
  add_field(out, kResponseTopic, message.response_topic);
  add_field(out, kCorrelationData, message.correlation_data);
  for (const auto& [name, value] : message.user_properties) {
    out += kUserProperty;
    add_text(out, name);
    add_text(out, value);
  }
  return out;
}

std::size_t packet_size(const PublishRequest& message) {
  constexpr std::size_t kHeader = 5;      // type and remaining length, 2.1
  constexpr std::size_t kTopicAndId = 4;  // length of the topic, packet id
  constexpr std::size_t kLength = 4;      // of the properties
  constexpr std::size_t kExpiry = 5;
  return kHeader + kTopicAndId + kLength + message.topic.size() + message.payload.size() +
         encode_properties(message).size() + (message.expiry_s ? kExpiry : 0);
}

std::string Service::next_message_id() {
  return fmt::format("{:016X}{:016X}", static_cast<std::uint64_t>(environment_.clock->wall_ms()) * 1000,
                     ++last_message_);
}

std::size_t Service::max_packet_size() const {
  constexpr std::size_t kUsual = std::size_t{1} << 20;
  return environment_.config ? environment_.config->current()->mqtt.max_packet_size : kUsual;
}

namespace {
using Answer = std::function<void(ReasonCode)>;

/// On the shard's thread. As for a client: what could not be kept is not taken in, and what is owed is on disk before
/// it is answered.
void publish_on(broker::Broker& broker, const PublishRequest& message, const broker::IdentityRef& from, Answer answer) {
  const std::string properties = encode_properties(message);
  broker::Publication publication;
  publication.topic = message.topic;
  publication.payload = as_bytes(message.payload);
  publication.properties = as_bytes(properties);
  publication.qos = message.qos;
  publication.retain = message.retain;
  publication.expiry_s = message.expiry_s.value_or(kNeverExpires);
  publication.from = &from;
  constexpr broker::Metric kByQos[] = {broker::Metric::MessagesQos0Received, broker::Metric::MessagesQos1Received,
                                       broker::Metric::MessagesQos2Received};
  broker.metrics().add(broker::Metric::MessagesReceived);
  broker.metrics().add(kByQos[to_int(message.qos)]);
  const bool promised = message.qos != Qos::AtMostOnce || (message.retain && broker.retained_durable()) ||
                        broker::is_delayed(message.topic);
  if (!promised) return answer(broker.publish(publication));
  if (broker.journal() && broker.journal()->trouble() && broker.wants_disk(message.topic, message.retain)) {
    broker.metrics().add(broker::Metric::MessagesDropped);
    return answer(ReasonCode::QuotaExceeded);
  }
  const std::size_t changes = broker.journal() ? broker.journal()->changes() : 0;
  const ReasonCode code = broker.publish(publication);
  // Nothing of it is stored: nobody needs the disk for it.
  if (!publication.receipt && (!broker.journal() || broker.journal()->changes() == changes)) return answer(code);
  broker.when_kept(std::move(publication.receipt),
                   [answer = std::move(answer), code](bool kept) { answer(kept ? code : ReasonCode::QuotaExceeded); });
}
}  // namespace

void Service::publish(std::vector<PublishRequest> messages, std::function<void(std::vector<ReasonCode>)> done) {
  struct State {
    std::vector<PublishRequest> messages;
    std::vector<ReasonCode> codes;
    std::size_t missing = 0;
    std::function<void(std::vector<ReasonCode>)> done;
  };
  auto state = std::make_shared<State>();
  state->codes.resize(messages.size(), ReasonCode::Success);
  state->missing = messages.size();
  state->messages = std::move(messages);
  state->done = std::move(done);
  if (state->missing == 0) return state->done({});
  const broker::IdentityRef from = sender();
  for (std::size_t i = 0; i < state->messages.size(); ++i) {
    // Messages of one topic keep their order: they take the same shard.
    broker::Broker& broker = core_.shard(core_.retained_home_of(state->messages[i].topic));
    broker.loop().post([this, state, from, i, &broker] {
      publish_on(broker, state->messages[i], from, [this, state, i](ReasonCode code) {
        loop_.post([state, i, code] {
          state->codes[i] = code;
          if (--state->missing == 0) state->done(std::move(state->codes));
        });
      });
    });
  }
}

}  // namespace sb::management
