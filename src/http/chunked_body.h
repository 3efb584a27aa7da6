// Takes the chunked transfer coding (RFC 9112, 7.1) off a body, bounded, byte by byte: how the stream is cut does not
// matter. Layout:
//   chunk*  "0" [;extension] CRLF  (trailer-field CRLF)*  CRLF
//   chunk = size:hex [;extension] CRLF  data[size]  CRLF
// Extensions and trailer fields are passed over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sb::http {

class ChunkedBody {
 public:
  explicit ChunkedBody(std::size_t content_max) : content_max_(content_max) {}

  enum class Status : std::uint8_t { Piece, NeedMore, Done, Malformed, TooLarge };
  /// Uses bytes from the front of `in`. Piece: `piece`, part of `in`, is content, and there may be more. Done: what is
  /// left in `in` is not of this body. After Malformed and TooLarge the object is of no more use.
  Status next(std::string_view& in, std::string_view& piece);
  /// Content so far.
  std::size_t size() const { return size_; }

  /// Of all extensions and trailer fields of a body.
  static constexpr std::size_t kExtrasMax = 16 << 10;

 private:
  enum class At : std::uint8_t {
    Size,
    MoreSize,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailer,
    TrailerField,
    TrailerLf,
    EndLf
  };
  Status step(char c);
  Status size_digit(char c);
  Status extra();

  std::size_t content_max_;
  std::size_t size_ = 0;
  std::size_t left_ = 0;  // of the chunk
  std::size_t extras_ = 0;
  At at_ = At::Size;
};

}  // namespace sb::http
