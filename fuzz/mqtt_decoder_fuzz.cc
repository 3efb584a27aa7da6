// A stream of packets after one byte that chooses version and mode. What is accepted must stay within its packet, and a
// CONNECT or PUBLISH written again from what was read must read the same.
#include "codec/mqtt/client.h"

#include <cstdlib>
#include <string>

namespace {

using namespace sb;
using namespace sb::codec::mqtt;

void require(bool condition) {
  if (!condition) std::abort();
}

/// Reads every byte, so that the address sanitizer sees views that lead astray.
void touch(ByteView bytes) {
  volatile unsigned sum = 0;
  for (const std::uint8_t byte : bytes) sum = sum + byte;
}
void touch(std::string_view text) {
  touch(as_bytes(text));
}

void check_publish(const PublishView& view, const DecodeOptions& options) {
  touch(view.topic);
  touch(view.properties);
  touch(view.payload);
  touch(view.response_topic);
  const PublishHead head{.topic = view.topic,
                         .properties = view.properties,
                         .payload_size = 0,
                         .qos = view.qos,
                         .dup = view.dup,
                         .retain = view.retain,
                         .packet_id = view.packet_id,
                         .message_expiry_s = view.message_expiry_s,
                         .topic_alias = view.topic_alias.value_or(0)};
  Buffer again;
  append_publish(again, head, view.payload, options.version);
  const auto frame = next_frame(again, 1u << 28);
  require(frame && frame->size == again.size());
  DecodeOptions lenient = options;
  lenient.strict = false;
  const auto copy = decode_publish(*frame, lenient);
  require(copy && copy->topic == view.topic && as_text(copy->payload) == as_text(view.payload) &&
          as_text(copy->properties) == as_text(view.properties) && copy->packet_id == view.packet_id &&
          copy->topic_alias == view.topic_alias && copy->message_expiry_s == view.message_expiry_s);
}

void check_connect(const ConnectView& view) {
  touch(view.client_id);
  touch(view.user_properties);
  if (view.will) {
    touch(view.will->topic);
    touch(view.will->payload);
    touch(view.will->properties);
  }
  Buffer again;
  append_connect(again, view);
  const auto frame = next_frame(again, 1u << 28);
  require(frame && frame->size == again.size());
  PropertyScratch scratch;
  const auto copy = decode_connect(*frame, false, nullptr, &scratch);
  require(copy && copy->client_id == view.client_id && copy->username == view.username &&
          copy->keep_alive_s == view.keep_alive_s && copy->will.has_value() == view.will.has_value());
}

template <class View>
void check_filters(FilterCursor cursor, const View& view) {
  std::size_t count = 0;
  std::string_view filter;
  SubscribeOptions options;
  while (cursor.next(filter, &options)) {
    touch(filter);
    require(to_int(options.qos) <= 2);
    ++count;
  }
  require(count == view.count);
}

void check(const Frame& frame, const DecodeOptions& options) {
  switch (frame.type()) {
    case PacketType::Connect: {
      bool wrong_name = false;
      const auto view = decode_connect(frame, options.strict, &wrong_name, options.scratch);
      require(!view || !wrong_name);
      if (view) check_connect(*view);
      (void)answer_version(frame);
      break;
    }
    case PacketType::Publish:
      if (const auto view = decode_publish(frame, options)) check_publish(*view, options);
      (void)subscription_ids(frame);
      break;
    case PacketType::Puback:
    case PacketType::Pubrec:
    case PacketType::Pubrel:
    case PacketType::Pubcomp:
      (void)decode_ack(frame, options).has_value();
      break;
    case PacketType::Subscribe:
      if (const auto view = decode_subscribe(frame, options))
        check_filters(FilterCursor(*view, options.version), *view);
      break;
    case PacketType::Unsubscribe:
      if (const auto view = decode_unsubscribe(frame, options)) check_filters(FilterCursor(*view), *view);
      break;
    case PacketType::Disconnect:
      (void)decode_disconnect(frame, options).has_value();
      (void)decode_server_disconnect(frame).has_value();
      break;
    case PacketType::Auth:
      if (const auto view = decode_auth(frame, options); view && view->data) touch(*view->data);
      break;
    case PacketType::Connack:
      if (const auto view = decode_connack(frame, options.version); view && view->reason_string)
        touch(*view->reason_string);
      break;
    case PacketType::Suback:
    case PacketType::Unsuback:
      if (const auto view = decode_suback(frame, options.version)) touch(view->codes);
      break;
    default:
      (void)decode_empty(frame, options).has_value();
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  PropertyScratch scratch;
  const ProtocolVersion version = (data[0] & 3) == 0   ? ProtocolVersion::V5
                                  : (data[0] & 3) == 1 ? ProtocolVersion::V311
                                                       : ProtocolVersion::V31;
  const DecodeOptions options{version, (data[0] & 4) != 0, &scratch};
  ByteView rest(data + 1, size - 1);
  while (!rest.empty()) {
    std::size_t want = 0;
    const auto frame = next_frame(rest, 1 << 16, &want);
    if (!frame || frame->size == 0) {
      require(!frame || want == 0 || want > rest.size());
      break;
    }
    require(frame->size <= rest.size() && frame->body.data() + frame->body.size() == rest.data() + frame->size);
    check(*frame, options);
    rest = rest.subspan(frame->size);
  }
  return 0;
}
