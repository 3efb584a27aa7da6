// Writes small JSON objects: event payloads, alarms. Text is escaped as RFC 8259 wants; bytes that are not UTF-8 become
// U+FFFD so that the result always is.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <type_traits>

namespace sb {

std::string json_quoted(std::string_view text);
/// The text alone, bytes that are not UTF-8 replaced in the same way.
std::string utf8_text(std::string text);

class JsonObject {
 public:
  JsonObject& text(std::string_view key, std::string_view value) { return raw(key, json_quoted(value)); }
  JsonObject& boolean(std::string_view key, bool value) { return raw(key, value ? "true" : "false"); }
  template <class T>
  JsonObject& number(std::string_view key, T value) {
    static_assert(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>);
    return raw(key, fmt::format("{}", value));
  }
  /// `value` is JSON already.
  JsonObject& raw(std::string_view key, std::string_view value) {
    out_ += out_.size() > 1 ? "," : "";
    out_ += json_quoted(key);
    out_ += ':';
    out_ += value;
    return *this;
  }
  std::string done() const { return out_ + '}'; }

 private:
  std::string out_ = "{";
};

}  // namespace sb
