// A log is a row of blocks of 32 KiB. No record crosses the end of a block; up to 6 bytes that are left there are
// unused.
//   record     crc:u32  length:u16  type:u8  [log:u32 if type 5..8]  payload[length]      little endian
//   crc        masked CRC-32C of everything from `type` on
//   type       1 whole, 2 first, 3 middle, 4 last part; 5..8 the same in a log file that was used before
//   payload    of 1 and 2 begins with  sequence:u64  count:u32; the next one begins at sequence + count or above
#include "store/detail/log_check.h"

#include "base/bytes.h"
#include "base/crc32c.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>
#include <vector>

namespace sb::store::detail {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBlock = 32 * 1024;
constexpr std::size_t kHeader = 7;
constexpr std::size_t kLogNumber = 4;
constexpr std::size_t kBatchHeader = 12;
constexpr std::uint8_t kTypes = 8;
constexpr std::uint8_t kParts = 4;  // types above mean the same as those that are as much lower

std::uint64_t little(ByteView bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

struct Header {
  std::uint32_t crc;
  std::size_t length;
  std::uint8_t type;

  std::size_t size() const { return type > kParts ? kHeader + kLogNumber : kHeader; }
  bool begins_batch() const { return type % kParts == 1 || type % kParts == 2; }
};

Header header_at(ByteView rest) {
  return {static_cast<std::uint32_t>(little(rest.first(4))), little(rest.subspan(4, 2)), rest[6]};
}

/// `rest` begins at the record and ends with its block, or with the file.
bool is_whole(ByteView rest, const Header& header, std::uint32_t log) {
  if (header.type == 0 || header.type > kTypes || rest.size() < header.size() + header.length) return false;
  if (header.type > kParts && little(rest.subspan(kHeader, kLogNumber)) != log) return false;
  const std::uint32_t type_alone = crc32c(0, ByteView(&header.type, 1));
  const std::uint32_t crc = crc32c(type_alone, rest.subspan(kHeader, header.size() - kHeader + header.length));
  return header.crc == (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

/// Whether the record checks with one other bit in its length or type. Finds what the last record of a log would hide:
/// nothing lies behind it.
bool is_whole_but_for_one_bit(ByteView rest, std::uint32_t log) {
  const Header found = header_at(rest);
  for (unsigned bit = 0; bit < 16; ++bit) {
    Header other = found;
    other.length ^= std::size_t{1} << bit;
    if (is_whole(rest, other, log)) return true;
    other = found;
    other.type = static_cast<std::uint8_t>(found.type ^ (bit < 8 ? 1u << bit : 0u));
    if (is_whole(rest, other, log)) return true;
  }
  return false;
}

class LogFile {
 public:
  explicit LogFile(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~LogFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// The block that begins at `at`; short at the end of the file. Valid until the next call.
  Result<ByteView> block(std::uint64_t at) {
    std::size_t filled = 0;
    while (filled < kBlock) {
      const ssize_t got =
          ::pread(fd_, buffer_.data() + filled, kBlock - filled, static_cast<off_t>(at) + static_cast<off_t>(filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(Errc::Io, fmt::format("reading {}: {}", path_, std::generic_category().message(errno)));
      if (got == 0) break;
      filled += static_cast<std::size_t>(got);
    }
    return ByteView(buffer_.data(), filled);
  }

 private:
  const std::string path_;
  const int fd_;
  std::array<std::uint8_t, kBlock> buffer_{};
};

class LogCheck {
 public:
  LogCheck(const std::string& path, std::uint32_t number) : path_(path), number_(number), file_(path) {}

  Result<> run() {
    for (std::uint64_t start = 0;; start += kBlock) {
      SB_TRY(const ByteView block, file_.block(start));
      for (std::size_t at = 0; block.size() - at >= kHeader;) {
        const ByteView rest = block.subspan(at);
        const Header header = header_at(rest);
        if (!is_whole(rest, header, number_)) return judge_end(start, at);
        note_sequence(rest, header);
        at += header.size() + header.length;
      }
      if (block.size() < kBlock) return {};
    }
  }

 private:
  void note_sequence(ByteView rest, const Header& header) {
    if (!header.begins_batch() || header.length < kBatchHeader) return;
    const ByteView batch = rest.subspan(header.size(), kBatchHeader);
    next_sequence_ = little(batch.first(8)) + little(batch.subspan(8));
  }

  /// What does not check begins at `at` of the block at `start`: the end of the log, or damage.
  Result<> judge_end(std::uint64_t start, std::size_t at) {
    const std::uint64_t end = start + at;
    SB_TRY(ByteView block, file_.block(start));
    if (is_whole_but_for_one_bit(block.subspan(at), number_)) return damaged(end, "its length or its type is wrong");
    for (++at; !block.empty(); at = 0) {
      for (; block.size() - std::min(at, block.size()) >= kHeader + kBatchHeader; ++at)
        if (begins_later_batch(block.subspan(at), start + at - end))
          return damaged(end, fmt::format("a whole record follows at byte {}", start + at));
      start += kBlock;
      SB_TRY(block, file_.block(start));
    }
    return {};
  }

  /// A batch has at least one byte for each number that it uses, so the numbers behind `distance` bytes are known
  /// within as much. Asked first: it is quick, and a payload that looks like a record seldom has the right one.
  bool begins_later_batch(ByteView rest, std::uint64_t distance) const {
    const Header header = header_at(rest);
    if (header.type == 0 || header.type > kTypes || !header.begins_batch() || header.length < kBatchHeader)
      return false;
    if (rest.size() < header.size() + kBatchHeader) return false;
    const std::uint64_t sequence = little(rest.subspan(header.size(), 8));
    if (next_sequence_ && (sequence < *next_sequence_ || sequence - *next_sequence_ > distance)) return false;
    return is_whole(rest, header, number_);
  }

  Result<> damaged(std::uint64_t at, std::string_view proof) const {
    return fail(Errc::Corrupt,
                fmt::format("the write-ahead log {} is damaged in the record at byte {}: {}", path_, at, proof));
  }

  const std::string path_;
  const std::uint32_t number_;
  LogFile file_;
  std::optional<std::uint64_t> next_sequence_;
};

}  // namespace

Result<> check_logs(const std::string& directory) {
  std::error_code error;
  std::vector<fs::path> logs;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
    if (at->path().extension() == ".log") logs.push_back(at->path());
  if (error) return fail(Errc::Io, fmt::format("reading {}: {}", directory, error.message()));
  if (logs.empty()) return fail(Errc::Corrupt, fmt::format("store {} has lost its write-ahead log", directory));
  std::sort(logs.begin(), logs.end());
  for (const fs::path& log : logs) {
    const std::string stem = log.stem();
    std::uint32_t number = 0;  // as much of it as records hold
    std::from_chars(stem.data(), stem.data() + stem.size(), number);
    SB_CHECKED(LogCheck(log, number).run());
  }
  return {};
}

}  // namespace sb::store::detail
