// RESP2, the wire format of Redis.
//   command  *N\r\n then N times $LEN\r\nBYTES\r\n
//   reply    +text\r\n  -CODE text\r\n  :number\r\n  $LEN\r\nBYTES\r\n  $-1\r\n  *N\r\n replies  *-1\r\n
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::driver::redis {

struct Reply {
  enum class Kind : std::uint8_t { Nil, Status, Error, Integer, Text, Array };
  Kind kind = Kind::Nil;
  std::string text{};  // of Status, Error, Text; of Integer as it was written
  std::vector<Reply> elements{};

  bool is_nil() const { return kind == Kind::Nil; }
  bool is_error() const { return kind == Kind::Error; }
  /// "WRONGTYPE": what an error begins with.
  std::string_view error_code() const { return std::string_view(text).substr(0, text.find(' ')); }
};

using Words = std::vector<std::string>;
std::string encode(const Words& command);

/// Takes bytes as they come.
class Reader {
 public:
  void feed(std::string_view bytes) { buffer_ += bytes; }
  /// nullopt: incomplete. Corrupt: not RESP2, or beyond a bound; the connection is lost then.
  [[nodiscard]] Result<std::optional<Reply>> next();
  /// Nothing is left of the last reply.
  bool empty() const { return buffer_.empty(); }

  static constexpr std::size_t kBytesMax = 8 << 20;  // of a reply
  static constexpr std::size_t kElementsMax = 100'000;
  static constexpr unsigned kDepthMax = 8;

 private:
  std::string buffer_;
};

}  // namespace sb::driver::redis
