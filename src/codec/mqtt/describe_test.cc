#include "codec/mqtt/describe_test.h"

#include <gtest/gtest.h>

namespace sb::codec::mqtt::testing {
namespace {

std::string hex(ByteView bytes) {
  std::string out;
  for (const std::uint8_t byte : bytes) out += fmt::format("{:02x}", byte);
  return out;
}

/// Printable text as it is, anything else as <hex>.
std::string show(std::string_view text) {
  for (const char c : text)
    if (c < 0x20 || c > 0x7E) return "<" + hex(as_bytes(text)) + ">";
  return std::string(text);
}

class Line {
 public:
  Line& word(const std::string& text) {
    if (!line_.empty()) line_ += ' ';
    line_ += text;
    return *this;
  }
  Line& word_if(bool condition, const std::string& text) { return condition ? word(text) : *this; }
  Line& text(const char* name, const std::optional<std::string_view>& value) {
    return value ? word(std::string(name) + "=" + show(*value)) : *this;
  }
  Line& data(const char* name, const std::optional<ByteView>& value) {
    return value ? word(std::string(name) + "=" + show(as_text(*value))) : *this;
  }
  template <class T>
  Line& number(const char* name, T value, T absent) {
    return value == absent ? *this : word(fmt::format("{}={}", name, value));
  }
  Line& properties(ByteView bytes) { return word_if(!bytes.empty(), "properties=" + hex(bytes)); }
  std::string take() { return std::move(line_); }

 private:
  std::string line_;
};

std::string describe(const ConnectView& view) {
  Line line;
  line.word("v" + std::to_string(static_cast<int>(view.version))).word("id=" + show(view.client_id));
  line.word_if(view.clean_start, "clean").word_if(view.bridge, "bridge");
  line.number<unsigned>("keepalive", view.keep_alive_s, 0);
  if (view.will) {
    line.word("will=" + show(view.will->topic) + ":" + show(as_text(view.will->payload)) + "/q" +
              std::to_string(to_int(view.will->qos)) + (view.will->retain ? "/r" : ""));
    line.number("delay", view.will->delay_s, 0u).number("expiry", view.will->message_expiry_s, kNeverExpires);
    line.properties(view.will->properties);
  }
  line.text("user", view.username).data("password", view.password);
  if (view.session_expiry_s) line.word("session=" + std::to_string(*view.session_expiry_s));
  line.number<unsigned>("receive", view.receive_maximum, 65535).number("size", view.maximum_packet_size, 0u);
  line.number<unsigned>("alias", view.topic_alias_maximum, 0);
  line.word_if(view.request_response_information, "response").word_if(!view.request_problem_information, "problem=0");
  line.text("method", view.authentication_method).data("data", view.authentication_data);
  return line.properties(view.user_properties).take();
}

std::string describe(const PublishView& view) {
  Line line;
  line.word("topic=" + show(view.topic)).word("q" + std::to_string(to_int(view.qos)));
  line.word_if(view.dup, "dup").word_if(view.retain, "retain").number<unsigned>("id", view.packet_id, 0);
  line.number<unsigned>("alias", view.topic_alias.value_or(0), 0);
  line.number("expiry", view.message_expiry_s, kNeverExpires).word_if(view.has_subscription_id, "subid");
  line.word_if(!view.response_topic.empty(), "response=" + show(view.response_topic));
  return line.properties(view.properties).word("payload=" + show(as_text(view.payload))).take();
}

std::string reason_text(ReasonCode reason) {
  return fmt::format("reason={:02x}", static_cast<unsigned>(reason));
}

std::string describe(const SubscribeView& view, ProtocolVersion version) {
  Line line;
  line.word("id=" + std::to_string(view.packet_id));
  FilterCursor cursor(view, version);
  std::string_view filter;
  SubscribeOptions options;
  while (cursor.next(filter, &options)) {
    std::string entry = show(filter) + ":q" + std::to_string(to_int(options.qos));
    if (options.no_local) entry += "/nl";
    if (options.retain_as_published) entry += "/rap";
    if (options.retain_handling != RetainHandling::Send)
      entry += "/rh" + std::to_string(static_cast<int>(options.retain_handling));
    if (options.subscription_id != 0) entry += "/" + std::to_string(options.subscription_id);
    line.word(entry);
  }
  return line.take();
}

std::string describe(const UnsubscribeView& view) {
  Line line;
  line.word("id=" + std::to_string(view.packet_id));
  FilterCursor cursor(view);
  std::string_view filter;
  while (cursor.next(filter, nullptr)) line.word(show(filter));
  return line.take();
}

std::string describe(const AckView& view) {
  return "id=" + std::to_string(view.packet_id) + " " + reason_text(view.reason);
}

std::string describe(const DisconnectView& view) {
  return reason_text(view.reason) + (view.session_expiry_s ? " session=" + std::to_string(*view.session_expiry_s) : "");
}

std::string describe(const AuthView& view) {
  return Line().word(reason_text(view.reason)).text("method", view.method).data("data", view.data).take();
}

template <class View, class... More>
std::string outcome(const Decoded<View>& view, More... more) {
  return view ? describe(*view, more...) : name_of(view.error());
}

void append_notation(std::string_view& rest, bool nested, std::vector<std::uint8_t>& out) {
  auto append_until = [&](char quote, bool sized) {
    const std::string_view text = rest.substr(1, rest.find(quote, 1) - 1);
    if (sized) {
      out.push_back(static_cast<std::uint8_t>(text.size() >> 8));
      out.push_back(static_cast<std::uint8_t>(text.size()));
    }
    out.insert(out.end(), text.begin(), text.end());
    rest.remove_prefix(text.size() + 2);
  };
  while (!rest.empty()) {
    const char c = rest.front();
    if (c == ' ') {
      rest.remove_prefix(1);
    } else if (c == '"' || c == '\'') {
      append_until(c, c == '"');
    } else if (c == '{') {
      rest.remove_prefix(1);
      std::vector<std::uint8_t> inner;
      append_notation(rest, true, inner);
      for (std::size_t size = inner.size();; size >>= 7) {
        out.push_back(static_cast<std::uint8_t>((size & 0x7F) | (size > 127 ? 0x80 : 0)));
        if (size <= 127) break;
      }
      out.insert(out.end(), inner.begin(), inner.end());
    } else if (c == '}') {
      rest.remove_prefix(1);
      EXPECT_TRUE(nested);
      return;
    } else {
      out.push_back(static_cast<std::uint8_t>(std::stoul(std::string(rest.substr(0, 2)), nullptr, 16)));
      rest.remove_prefix(2);
    }
  }
  EXPECT_FALSE(nested);
}

}  // namespace

std::string name_of(ReasonCode code) {
  switch (code) {
    case ReasonCode::MalformedPacket:
      return "MalformedPacket";
    case ReasonCode::ProtocolError:
      return "ProtocolError";
    case ReasonCode::UnsupportedProtocolVersion:
      return "UnsupportedProtocolVersion";
    case ReasonCode::TopicAliasInvalid:
      return "TopicAliasInvalid";
    case ReasonCode::PacketTooLarge:
      return "PacketTooLarge";
    default:
      return reason_text(code);
  }
}

std::string describe(const Frame& frame, ProtocolVersion version, bool strict) {
  PropertyScratch scratch;
  const DecodeOptions options{version, strict, &scratch};
  switch (frame.type()) {
    case PacketType::Connect: {
      bool wrong_name = false;
      const auto view = decode_connect(frame, strict, &wrong_name, &scratch);
      return outcome(view) + (wrong_name ? " wrong name" : "");
    }
    case PacketType::Publish:
      return outcome(decode_publish(frame, options));
    case PacketType::Puback:
    case PacketType::Pubrec:
    case PacketType::Pubrel:
    case PacketType::Pubcomp:
      return outcome(decode_ack(frame, options));
    case PacketType::Subscribe:
      return outcome(decode_subscribe(frame, options), version);
    case PacketType::Unsubscribe:
      return outcome(decode_unsubscribe(frame, options));
    case PacketType::Disconnect:
      return outcome(decode_disconnect(frame, options));
    case PacketType::Auth:
      return outcome(decode_auth(frame, options));
    default: {
      const auto view = decode_empty(frame, options);
      return view ? "ok" : name_of(view.error());
    }
  }
}

std::vector<std::uint8_t> to_bytes(std::string_view notation) {
  std::vector<std::uint8_t> out;
  append_notation(notation, false, out);
  return out;
}

}  // namespace sb::codec::mqtt::testing
