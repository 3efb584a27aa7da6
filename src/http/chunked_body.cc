#include "http/chunked_body.h"

#include "base/hex.h"

#include <algorithm>

namespace sb::http {

ChunkedBody::Status ChunkedBody::next(std::string_view& in, std::string_view& piece) {
  while (!in.empty()) {
    if (at_ == At::Data) {
      piece = in.substr(0, std::min(left_, in.size()));
      in.remove_prefix(piece.size());
      size_ += piece.size();
      left_ -= piece.size();
      if (left_ == 0) at_ = At::DataCr;
      return Status::Piece;
    }
    const Status status = step(in.front());
    in.remove_prefix(1);
    if (status != Status::NeedMore) return status;
  }
  return Status::NeedMore;
}

ChunkedBody::Status ChunkedBody::step(char c) {
  switch (at_) {
    case At::Size:
      at_ = At::MoreSize;
      return hex_value(c) < 0 ? Status::Malformed : size_digit(c);
    case At::MoreSize:
      if (hex_value(c) >= 0) return size_digit(c);
      if (c != ';' && c != ' ' && c != '\t' && c != '\r') return Status::Malformed;
      at_ = c == '\r' ? At::SizeLf : At::Extension;
      return c == '\r' ? Status::NeedMore : extra();
    case At::Extension:
      if (c == '\n') return Status::Malformed;  // a CR must come first: others may read the line otherwise
      if (c == '\r') at_ = At::SizeLf;
      return extra();
    case At::SizeLf:
      at_ = left_ == 0 ? At::Trailer : At::Data;
      return c == '\n' ? Status::NeedMore : Status::Malformed;
    case At::Data:
      break;
    case At::DataCr:
      at_ = At::DataLf;
      return c == '\r' ? Status::NeedMore : Status::Malformed;
    case At::DataLf:
      at_ = At::Size;
      return c == '\n' ? Status::NeedMore : Status::Malformed;
    case At::Trailer:
      if (c == '\n') return Status::Malformed;
      at_ = c == '\r' ? At::EndLf : At::TrailerField;
      return extra();
    case At::TrailerField:
      if (c == '\n') return Status::Malformed;
      if (c == '\r') at_ = At::TrailerLf;
      return extra();
    case At::TrailerLf:
      at_ = At::Trailer;
      return c == '\n' ? Status::NeedMore : Status::Malformed;
    case At::EndLf:
      return c == '\n' ? Status::Done : Status::Malformed;
  }
  return Status::Malformed;
}

ChunkedBody::Status ChunkedBody::size_digit(char c) {
  const auto digit = static_cast<std::size_t>(hex_value(c));
  const std::size_t room = content_max_ - size_;
  if (left_ > room / 16 || left_ * 16 + digit > room) return Status::TooLarge;
  left_ = left_ * 16 + digit;
  // Zeros in front are digits too: without a bound a size would never end.
  return left_ == 0 ? extra() : Status::NeedMore;
}

ChunkedBody::Status ChunkedBody::extra() {
  return ++extras_ > kExtrasMax ? Status::Malformed : Status::NeedMore;
}

}  // namespace sb::http
