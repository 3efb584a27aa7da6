#include "driver/redis/resp.h"

#include <fmt/format.h>

#include <charconv>

namespace sb::driver::redis {

namespace {
/// One pass over a buffer; counts as it goes so that a small header cannot ask for much.
class Parser {
 public:
  explicit Parser(std::string_view bytes) : rest_(bytes) {}

  /// False: incomplete.
  Result<bool> read(Reply& out, unsigned depth) {
    const auto end = rest_.find("\r\n");
    if (end == std::string_view::npos) {
      // A line that could be a header is short.
      if (!rest_.empty() && std::string_view("+-:$*").find(rest_[0]) == std::string_view::npos) return garbage();
      return rest_.size() > Reader::kBytesMax ? garbage() : Result<bool>(false);
    }
    if (end == 0) return garbage();
    const char mark = rest_[0];
    const std::string_view line = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 2);
    switch (mark) {
      case '+':
      case '-':
        out.kind = mark == '+' ? Reply::Kind::Status : Reply::Kind::Error;
        out.text = line;
        return true;
      case ':':
        if (!number(line)) return garbage();
        out.kind = Reply::Kind::Integer;
        out.text = line;
        return true;
      case '$':
        return text(line, out);
      case '*':
        return array(line, out, depth);
      default:
        return garbage();
    }
  }
  std::string_view rest() const { return rest_; }

 private:
  static tl::unexpected<Error> garbage() { return fail(Errc::Corrupt, "the answer is not of Redis"); }
  static std::optional<long long> number(std::string_view line) {
    long long out = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), out);
    if (error != std::errc{} || end != line.data() + line.size()) return std::nullopt;
    return out;
  }

  Result<bool> text(std::string_view line, Reply& out) {
    const auto size = number(line);
    if (!size || *size < -1) return garbage();
    if (*size == -1) return true;
    const auto length = static_cast<std::size_t>(*size);
    if (length > Reader::kBytesMax)
      return fail(Errc::Corrupt, fmt::format("a value of more than {} bytes", Reader::kBytesMax));
    if (rest_.size() < length + 2) return false;
    if (rest_.substr(length, 2) != "\r\n") return garbage();
    out.kind = Reply::Kind::Text;
    out.text = rest_.substr(0, length);
    rest_.remove_prefix(length + 2);
    return true;
  }

  Result<bool> array(std::string_view line, Reply& out, unsigned depth) {
    const auto size = number(line);
    if (!size || *size < -1 || depth >= Reader::kDepthMax) return garbage();
    if (*size == -1) return true;
    elements_ += static_cast<std::size_t>(*size);
    if (static_cast<std::size_t>(*size) > Reader::kElementsMax || elements_ > Reader::kElementsMax)
      return fail(Errc::Corrupt, fmt::format("an answer of more than {} elements", Reader::kElementsMax));
    out.kind = Reply::Kind::Array;
    for (long long i = 0; i < *size; ++i) {
      Reply one;
      SB_TRY(const bool whole, read(one, depth + 1));
      if (!whole) return false;
      out.elements.push_back(std::move(one));
    }
    return true;
  }

  std::string_view rest_;
  std::size_t elements_ = 0;
};
}  // namespace

std::string encode(const Words& command) {
  std::string out = fmt::format("*{}\r\n", command.size());
  for (const std::string& word : command) out += fmt::format("${}\r\n{}\r\n", word.size(), word);
  return out;
}

Result<std::optional<Reply>> Reader::next() {
  if (buffer_.empty()) return std::optional<Reply>();
  Parser parser(buffer_);
  Reply out;
  SB_TRY(const bool whole, parser.read(out, 0));
  if (!whole) {
    if (buffer_.size() > 2 * kBytesMax)
      return fail(Errc::Corrupt, fmt::format("an answer of more than {} bytes", 2 * kBytesMax));
    return std::optional<Reply>();
  }
  buffer_.erase(0, buffer_.size() - parser.rest().size());
  return std::optional<Reply>(std::move(out));
}

}  // namespace sb::driver::redis
