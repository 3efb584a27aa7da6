#include "broker/topic.h"

#include <algorithm>
#include <charconv>

namespace sb::broker {

namespace {

constexpr std::string_view kSharePrefix = "$share/";
constexpr std::string_view kQueuePrefix = "$queue/";
constexpr std::string_view kExclusivePrefix = "$exclusive/";

bool is_size_valid(std::string_view text) {
  return !text.empty() && text.size() <= kTopicBytesMax;
}

// Length of the well-formed sequence at the front of `text` and its code point, or 0. Unicode 15, table 3-7.
struct Sequence {
  std::size_t size;
  std::uint32_t code_point;
};

Sequence next_code_point(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i])); };
  const std::uint32_t lead = at(0);
  if (lead < 0x80) return {1, lead};
  std::size_t size = 0;
  std::uint32_t least = 0;
  std::uint32_t value = 0;
  if ((lead & 0xE0) == 0xC0) {
    size = 2, least = 0x80, value = lead & 0x1F;
  } else if ((lead & 0xF0) == 0xE0) {
    size = 3, least = 0x800, value = lead & 0x0F;
  } else if ((lead & 0xF8) == 0xF0) {
    size = 4, least = 0x10000, value = lead & 0x07;
  } else {
    return {0, 0};
  }
  if (text.size() < size) return {0, 0};
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xC0) != 0x80) return {0, 0};
    value = value << 6 | (at(i) & 0x3F);
  }
  if (value < least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return {0, 0};
  return {size, value};
}

}  // namespace

bool keeps_to_level(std::string_view value, bool first) {
  constexpr std::string_view kWidens("+#/\0", 4);
  return value.find_first_of(kWidens) == std::string_view::npos && !(first && value.starts_with('$'));
}

bool is_strict_utf8(std::string_view text) {
  while (!text.empty()) {
    const Sequence sequence = next_code_point(text);
    if (sequence.size == 0 || sequence.code_point < 0x20) return false;
    if (sequence.code_point >= 0x7F && sequence.code_point <= 0x9F) return false;
    text.remove_prefix(sequence.size);
  }
  return true;
}

Decoded<void> check_topic_name(std::string_view topic, TextRules rules) {
  // Without early exit, so that it is done in vectors: names are short and nearly always good.
  unsigned bad = is_size_valid(topic) ? 0 : 1;
  for (const char c : topic) bad |= static_cast<unsigned>((c == '+') | (c == '#') | (c == '\0'));
  if (bad != 0) return refuse(ReasonCode::TopicNameInvalid);
  if (rules == TextRules::Strict && !is_strict_utf8(topic)) return refuse(ReasonCode::TopicNameInvalid);
  return {};
}

Decoded<void> check_topic_filter(std::string_view filter, TextRules rules) {
  if (!is_size_valid(filter)) return refuse(ReasonCode::TopicFilterInvalid);
  for (std::size_t i = 0; i < filter.size(); ++i) {
    const char c = filter[i];
    if (c == '\0') return refuse(ReasonCode::TopicFilterInvalid);
    if (c != '+' && c != '#') continue;
    const bool starts_level = i == 0 || filter[i - 1] == '/';
    const bool last = i + 1 == filter.size();
    const bool ends_level = last || (c == '+' && filter[i + 1] == '/');
    if (!starts_level || !ends_level) return refuse(ReasonCode::TopicFilterInvalid);
  }
  if (rules == TextRules::Strict && !is_strict_utf8(filter)) return refuse(ReasonCode::TopicFilterInvalid);
  return {};
}

std::size_t count_levels(std::string_view topic) {
  return 1 + static_cast<std::size_t>(std::count(topic.begin(), topic.end(), '/'));
}

bool levels_match(std::string_view filter, std::string_view topic) {
  std::size_t i = 0;
  std::size_t j = 0;
  for (;;) {  // both stand where a level begins
    const char first = i < filter.size() ? filter[i] : '\0';
    if (first == '#') return true;
    if (first == '+') {
      ++i;
      while (j < topic.size() && topic[j] != '/') ++j;
    } else {
      for (; i < filter.size() && filter[i] != '/'; ++i, ++j)
        if (j == topic.size() || topic[j] != filter[i]) return false;
      if (j < topic.size() && topic[j] != '/') return false;
    }
    if (i == filter.size()) return j == topic.size();
    if (j == topic.size()) return filter.substr(i) == "/#";  // "a/#" stands for "a" too. 4.7.1.2
    ++i;
    ++j;
  }
}

bool matches(std::string_view filter, std::string_view topic) {
  if (topic.starts_with('$') && (filter.starts_with('+') || filter.starts_with('#'))) return false;  // [MQTT-4.7.2-1]
  return levels_match(filter, topic);
}

Decoded<ParsedFilter> parse_filter(std::string_view text, TextRules rules) {
  ParsedFilter parsed{.kind = FilterKind::Plain, .group = {}, .filter = text};
  if (text.size() > kTopicBytesMax) return refuse(ReasonCode::TopicFilterInvalid);
  if (text.starts_with(kSharePrefix)) {
    const std::string_view rest = text.substr(kSharePrefix.size());
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return refuse(ReasonCode::TopicFilterInvalid);
    parsed = {.kind = FilterKind::Shared, .group = rest.substr(0, slash), .filter = rest.substr(slash + 1)};
    // The group named "$queue" is the one of $queue/<filter>: canonical_filter().
    if (parsed.group.empty() || parsed.group.find_first_of("+#") != std::string_view::npos)
      return refuse(ReasonCode::TopicFilterInvalid);
    if (parsed.group.find('\0') != std::string_view::npos) return refuse(ReasonCode::TopicFilterInvalid);
    if (rules == TextRules::Strict && !is_strict_utf8(parsed.group)) return refuse(ReasonCode::TopicFilterInvalid);
  } else if (text.starts_with(kQueuePrefix)) {
    parsed = {.kind = FilterKind::Queue, .group = kQueueGroup, .filter = text.substr(kQueuePrefix.size())};
  } else if (text.starts_with(kExclusivePrefix)) {
    parsed = {.kind = FilterKind::Exclusive, .group = {}, .filter = text.substr(kExclusivePrefix.size())};
  }
  if (parsed.is_shared() && (parsed.filter.starts_with(kSharePrefix) || parsed.filter.starts_with(kQueuePrefix)))
    return refuse(ReasonCode::TopicFilterInvalid);
  SB_CHECKED(check_topic_filter(parsed.filter, rules));
  return parsed;
}

std::optional<DelayedTopic> parse_delayed(std::string_view topic) {
  constexpr std::size_t kDigitsMax = 10;  // UNIX time until the year 2286
  topic.remove_prefix(kDelayedPrefix.size());
  const std::size_t digits = topic.find('/');
  if (digits == std::string_view::npos || digits == 0 || digits > kDigitsMax) return std::nullopt;
  DelayedTopic out{.n = 0, .topic = topic.substr(digits + 1)};
  if (topic.find_first_not_of("0123456789") != digits) return std::nullopt;
  std::from_chars(topic.data(), topic.data() + digits, out.n);
  if (out.topic.empty() || is_delayed(out.topic)) return std::nullopt;
  return out;
}

}  // namespace sb::broker
