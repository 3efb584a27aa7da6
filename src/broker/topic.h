// Topic names and topic filters as text: what is well formed, how they split, which filter matches which name. 4.7
// Free functions over views; any thread.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string_view>

namespace sb::broker {

/// Strict also wants well-formed UTF-8 without control characters (1.5.4, `mqtt.strict_mode`).
enum class TextRules : std::uint8_t { Lenient, Strict };

inline constexpr std::size_t kTopicBytesMax = 65535;

/// Topic Name of a PUBLISH or a will: 1..65535 bytes without '+', '#' and NUL; else TopicNameInvalid. [MQTT-3.3.2-2]
[[nodiscard]] Decoded<void> check_topic_name(std::string_view topic, TextRules rules = TextRules::Lenient);

/// Topic Filter after any prefix was taken off; else TopicFilterInvalid. [MQTT-4.7.1-1] [MQTT-4.7.1-2]
[[nodiscard]] Decoded<void> check_topic_filter(std::string_view filter, TextRules rules = TextRules::Lenient);

/// 1 for "a", 2 for "a/" and "/a"; empty levels count.
std::size_t count_levels(std::string_view topic);

/// Of a valid filter: '#' stands only at its end.
inline bool has_wildcard(std::string_view filter) {
  return filter.ends_with('#') || filter.find('+') != std::string_view::npos;
}

/// Both valid. Bytewise, empty levels count, "a/#" matches "a", a leading wildcard never matches a leading '$'. 4.7.2
bool matches(std::string_view filter, std::string_view topic);

/// The same level by level without the rule about '$': for the rest of a filter against the rest of a topic.
bool levels_match(std::string_view filter, std::string_view topic);

enum class FilterKind : std::uint8_t {
  Plain,
  Shared,     // $share/<group>/<filter> 4.8.2
  Queue,      // $queue/<filter>: the group named "$queue"
  Exclusive,  // $exclusive/<filter>: one subscriber at a time
};

/// What a SUBSCRIBE names. Views into the text that was parsed.
struct ParsedFilter {
  FilterKind kind = FilterKind::Plain;
  std::string_view group;   // of Shared and Queue, else empty
  std::string_view filter;  // the real filter, without prefix

  bool is_shared() const { return kind == FilterKind::Shared || kind == FilterKind::Queue; }
};

inline constexpr std::string_view kQueueGroup = "$queue";

/// Splits off the prefix and checks group and filter; else TopicFilterInvalid. [MQTT-4.8.2-1] [MQTT-4.8.2-2]
[[nodiscard]] Decoded<ParsedFilter> parse_filter(std::string_view text, TextRules rules = TextRules::Lenient);

/// UTF-8 without overlong forms, surrogates and control characters U+0000-001F, U+007F-009F. 1.5.4
bool is_strict_utf8(std::string_view text);

}  // namespace sb::broker
