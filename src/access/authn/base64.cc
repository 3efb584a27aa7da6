#include "access/authn/base64.h"

#include <array>
#include <cstdint>

namespace sb::access::authn {

namespace {
constexpr std::string_view kStandard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::array<std::int8_t, 256> inverse(std::string_view alphabet) {
  std::array<std::int8_t, 256> out{};
  for (auto& one : out) one = -1;
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    out[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  return out;
}

std::optional<std::string> decode(std::string_view text, const std::array<std::int8_t, 256>& values) {
  std::string out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::int8_t value = values[static_cast<unsigned char>(c)];
    if (value < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  // A single character is no byte; what is left over must be zero, or two texts would mean the same.
  if (count == 6 || (bits & ((1U << count) - 1)) != 0) return std::nullopt;
  return out;
}
}  // namespace

std::string base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k)
      bits = bits << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : kStandard[bits >> (18 - 6 * k) & 63];
  }
  return out;
}

std::optional<std::string> decode_base64(std::string_view text) {
  static constexpr auto kValues = inverse(kStandard);
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.ends_with("==")) return decode(text.substr(0, text.size() - 2), kValues);
  if (text.ends_with('=')) return decode(text.substr(0, text.size() - 1), kValues);
  return decode(text, kValues);
}

std::optional<std::string> decode_base64url(std::string_view text) {
  static constexpr auto kValues = inverse(kUrl);
  while (text.ends_with('=')) text.remove_suffix(1);
  return decode(text, kValues);
}

}  // namespace sb::access::authn
