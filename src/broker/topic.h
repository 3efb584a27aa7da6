// Topic names and topic filters as text: what is well formed, how they split, which filter matches which name. 4.7
// Free functions over views; any thread.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
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

/// $delayed/<n>/<topic>: what is published later (9.2).
inline constexpr std::string_view kDelayedPrefix = "$delayed/";
inline bool is_delayed(std::string_view topic) {
  return topic.starts_with(kDelayedPrefix);
}

struct DelayedTopic {
  std::int64_t n = 0;      // seconds, or a point in time
  std::string_view topic;  // a view into the text that was parsed
};

/// Of a topic that is_delayed(). nullopt: malformed. The topic within is not empty and not delayed itself: permission
/// would be asked for something else than what is published in the end.
std::optional<DelayedTopic> parse_delayed(std::string_view topic);

/// The topic under which a publication to `topic` will be seen, which is what permission is asked for; empty:
/// malformed, nobody may publish there.
inline std::string_view topic_in_the_end(std::string_view topic) {
  if (!is_delayed(topic)) [[likely]]
    return topic;
  const auto delayed = parse_delayed(topic);
  return delayed ? delayed->topic : std::string_view{};
}

/// The one text that stands for a filter everywhere: "$queue/f" for "$share/$queue/f", which is the same subscription
/// (7.3). A view into `full`.
inline std::string_view canonical_filter(std::string_view full) {
  constexpr std::string_view kShare = "$share/";
  if (full.starts_with("$share/$queue/")) [[unlikely]]
    full.remove_prefix(kShare.size());
  return full;
}

/// Whether what is put in the place of a placeholder keeps to its level of a topic or filter: no '/', wildcard or NUL,
/// and where it comes first no '$', which begins topics of the node's own and prefixes ($SYS, $share, $delayed).
bool keeps_to_level(std::string_view value, bool first);

/// UTF-8 without overlong forms, surrogates and control characters U+0000-001F, U+007F-009F. 1.5.4
bool is_strict_utf8(std::string_view text);

}  // namespace sb::broker
