#include "management/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>

namespace sb::management {

namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10;
constexpr std::uint64_t kFreeBytes = std::uint64_t{16} << 20;  // before the ratio counts

struct CloseReader {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct CloseWriter {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct FreeEntry {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};
using Reader = std::unique_ptr<archive, CloseReader>;
using Writer = std::unique_ptr<archive, CloseWriter>;
using Entry = std::unique_ptr<archive_entry, FreeEntry>;

std::string reason(archive* a) {
  const char* text = archive_error_string(a);
  return text ? text : "unknown";
}

/// Unpacks gzip piece by piece. zlib checks what libarchive's own filter lets pass: the sum, the length, and that
/// nothing follows but further members.
class Gunzip {
 public:
  Gunzip(std::string_view bytes, const ArchiveLimits& limits) : limits_(limits), packed_(bytes.size()) {
    constexpr int kGzipOnly = 16 + MAX_WBITS;
    open_ = inflateInit2(&stream_, kGzipOnly) == Z_OK;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));  // zlib does not write there
    stream_.avail_in = static_cast<uInt>(bytes.size());
  }
  ~Gunzip() {
    if (open_) inflateEnd(&stream_);
  }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  /// Valid until the next call; empty at the end.
  Result<std::string_view> next() {
    if (!open_) return fail(Errc::Full, "no memory to unpack the archive");
    stream_.next_out = reinterpret_cast<Bytef*>(block_.data());
    stream_.avail_out = static_cast<uInt>(block_.size());
    while (!ended_ && stream_.avail_out == block_.size()) {
      const int got = inflate(&stream_, Z_NO_FLUSH);
      if (got == Z_STREAM_END) {
        ended_ = stream_.avail_in == 0;
        if (!ended_ && !another_member())
          return fail(Errc::Corrupt, "the archive cannot be read: bytes follow its end");
      } else if (got != Z_OK) {
        const char* why = got == Z_BUF_ERROR ? "it is cut short" : stream_.msg ? stream_.msg : "bad gzip data";
        return fail(Errc::Corrupt, fmt::format("the archive cannot be read: {}", why));
      }
    }
    const std::string_view piece(block_.data(), block_.size() - stream_.avail_out);
    total_ += piece.size();
    // What stands between the files counts as well.
    if (total_ > limits_.total_bytes_max + (limits_.entries_max + 1) * kBlock)
      return fail(Errc::Full, "the archive unpacks to more than is allowed");
    if (total_ > kFreeBytes + kBlock && total_ / std::max<std::uint64_t>(1, packed_) > limits_.ratio_max)
      return fail(Errc::Full, "the archive unpacks to far more than it holds");
    const auto last = piece.find_last_not_of('\0');
    zeros_ = last == piece.npos ? zeros_ + piece.size() : piece.size() - last - 1;
    return piece;
  }
  /// How many zero bytes were the last ones.
  std::uint64_t zeros() const { return zeros_; }

 private:
  bool another_member() {
    constexpr uInt kMagic = 2;
    return stream_.avail_in >= kMagic && stream_.next_in[0] == 0x1f && stream_.next_in[1] == 0x8b &&
           inflateReset(&stream_) == Z_OK;
  }

  const ArchiveLimits& limits_;
  std::uint64_t packed_;
  z_stream stream_{};
  bool open_ = false;
  bool ended_ = false;
  std::uint64_t total_ = 0;
  std::uint64_t zeros_ = 0;
  std::array<char, kBlock> block_;
};

/// The tar inside, for libarchive.
struct Source {
  Source(std::string_view bytes, const ArchiveLimits& limits) : gunzip(bytes, limits) {}
  Gunzip gunzip;
  std::optional<Error> trouble{};  // why there is no more of it
};

la_ssize_t pull(archive* a, void* context, const void** out) {
  auto& source = *static_cast<Source*>(context);
  auto piece = source.gunzip.next();
  if (!piece) {
    archive_set_error(a, EINVAL, "%s", piece.error().what.c_str());
    source.trouble = std::move(piece).error();
    return -1;
  }
  *out = piece->data();
  return static_cast<la_ssize_t>(piece->size());
}

tl::unexpected<Error> corrupt(archive* a, const Source& source) {
  if (source.trouble) return tl::unexpected(*source.trouble);
  return fail(Errc::Corrupt, "the archive cannot be read: " + reason(a));
}

/// Two blocks of zeros end a tar; without them nobody knows what is missing.
Result<> check_end(archive* a, Source& source) {
  constexpr std::uint64_t kEndBytes = 1024;
  for (;;) {
    const void* ignored = nullptr;
    const la_ssize_t got = pull(a, &source, &ignored);
    if (got < 0) return corrupt(a, source);
    if (got == 0) break;
  }
  if (source.gunzip.zeros() < kEndBytes)
    return fail(Errc::Corrupt, "the archive cannot be read: it does not end as a tar does");
  return {};
}

/// One file: its bytes are counted against what is left of all limits while they come.
Result<std::string> read_bytes(archive* a, const Source& source, const ArchiveLimits& limits, std::uint64_t packed,
                               std::uint64_t& total) {
  std::string out;
  std::array<char, kBlock> block;
  for (;;) {
    const la_ssize_t got = archive_read_data(a, block.data(), block.size());
    if (got < 0) return corrupt(a, source);
    if (got == 0) return out;
    total += static_cast<std::uint64_t>(got);
    if (out.size() + static_cast<std::size_t>(got) > limits.entry_bytes_max || total > limits.total_bytes_max)
      return fail(Errc::Full, "the archive unpacks to more than is allowed");
    if (total > kFreeBytes && total / std::max<std::uint64_t>(1, packed) > limits.ratio_max)
      return fail(Errc::Full, "the archive unpacks to far more than it holds");
    out.append(block.data(), static_cast<std::size_t>(got));
  }
}

/// Writes beside `path` and renames, so that nobody ever sees a part.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : path_(path), part_(path + ".part") {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  }
  ~NewFile() {
    std::error_code ignored;
    if (!kept_) std::filesystem::remove(part_, ignored);
  }
  const std::string& part() const { return part_; }
  Result<> keep() {
    std::error_code error;
    std::filesystem::permissions(part_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write,
                                 error);
    if (!error) std::filesystem::rename(part_, path_, error);
    if (error) return fail(Errc::Io, fmt::format("{}: {}", path_, error.message()));
    kept_ = true;
    return {};
  }

 private:
  std::string path_, part_;
  bool kept_ = false;
};

Result<> write_header(archive* a, const std::string& name, std::uint64_t size, std::int64_t wall_ms) {
  const Entry entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0600);
  archive_entry_set_mtime(entry.get(), static_cast<time_t>(wall_ms / 1000), 0);
  if (archive_write_header(a, entry.get()) != ARCHIVE_OK) return fail(Errc::Io, reason(a));
  return {};
}

Result<> write_bytes(archive* a, std::string_view bytes) {
  while (!bytes.empty()) {
    const la_ssize_t done = archive_write_data(a, bytes.data(), bytes.size());
    if (done <= 0) return fail(Errc::Io, reason(a));
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return {};
}

}  // namespace

bool plain_name(std::string_view name) {
  constexpr std::size_t kNameMax = 1024;
  if (name.empty() || name.size() > kNameMax || name.front() == '/') return false;
  for (const char c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == '\\' || c == 0x7F) return false;
  while (!name.empty()) {
    const auto slash = std::min(name.find('/'), name.size());
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash + 1 == name.size()) return false;
    name.remove_prefix(std::min(slash + 1, name.size()));
  }
  return true;
}

Result<std::vector<ArchiveEntry>> read_tar_gz(std::string_view bytes, const ArchiveLimits& limits) {
  if (!bytes.starts_with("\x1f\x8b")) return fail(Errc::Corrupt, "not a gzip file");
  const auto source = std::make_unique<Source>(bytes, limits);
  const Reader reader(archive_read_new());
  archive_read_support_format_tar(reader.get());
  // What follows the end blocks is read as well: nothing may hide there.
  if (archive_read_set_options(reader.get(), "tar:read_concatenated_archives") != ARCHIVE_OK ||
      archive_read_open(reader.get(), source.get(), nullptr, pull, nullptr) != ARCHIVE_OK)
    return corrupt(reader.get(), *source);
  std::vector<ArchiveEntry> out;
  std::uint64_t total = 0;
  std::size_t seen = 0;
  for (;;) {
    archive_entry* entry = nullptr;
    const int got = archive_read_next_header(reader.get(), &entry);
    if (got == ARCHIVE_EOF) break;
    if (got != ARCHIVE_OK) return corrupt(reader.get(), *source);
    if (++seen > limits.entries_max) return fail(Errc::Full, "the archive has more files than is allowed");
    const char* path = archive_entry_pathname(entry);
    std::string name = path ? path : "";
    while (name.starts_with("./")) name.erase(0, 2);
    const auto type = archive_entry_filetype(entry);
    if (archive_entry_hardlink(entry) || archive_entry_symlink(entry) || (type != AE_IFREG && type != AE_IFDIR))
      return fail(Errc::Invalid, fmt::format("'{}' in the archive is no regular file", name));
    if (type == AE_IFDIR) {
      while (name.ends_with('/')) name.pop_back();
      if (!name.empty() && !plain_name(name))
        return fail(Errc::Invalid, fmt::format("'{}' in the archive is no plain name", name));
      continue;
    }
    if (!plain_name(name)) return fail(Errc::Invalid, fmt::format("'{}' in the archive is no plain name", name));
    for (const ArchiveEntry& known : out)
      if (known.name == name) return fail(Errc::Invalid, fmt::format("'{}' is in the archive twice", name));
    SB_TRY(auto content, read_bytes(reader.get(), *source, limits, bytes.size(), total));
    out.push_back({std::move(name), std::move(content)});
  }
  SB_CHECKED(check_end(reader.get(), *source));
  if (out.empty()) return fail(Errc::Corrupt, "the archive is empty");
  return out;
}

Result<> write_tar_gz(const std::string& path, const std::vector<ArchiveEntry>& entries, std::int64_t wall_ms) {
  NewFile file(path);
  const Writer writer(archive_write_new());
  archive_write_add_filter_gzip(writer.get());
  archive_write_set_format_pax_restricted(writer.get());
  if (archive_write_open_filename(writer.get(), file.part().c_str()) != ARCHIVE_OK)
    return fail(Errc::Io, reason(writer.get()));
  for (const ArchiveEntry& entry : entries) {
    SB_CHECKED(write_header(writer.get(), entry.name, entry.bytes.size(), wall_ms));
    SB_CHECKED(write_bytes(writer.get(), entry.bytes));
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return fail(Errc::Io, reason(writer.get()));
  return file.keep();
}

Result<> write_zip(const std::string& path, const std::vector<SourceFile>& files, std::int64_t wall_ms) {
  NewFile file(path);
  const Writer writer(archive_write_new());
  archive_write_set_format_zip(writer.get());
  if (archive_write_open_filename(writer.get(), file.part().c_str()) != ARCHIVE_OK)
    return fail(Errc::Io, reason(writer.get()));
  for (const SourceFile& source : files) {
    std::error_code error;
    std::uint64_t left = std::filesystem::file_size(source.source, error);
    std::ifstream in(source.source, std::ios::binary);
    if (error || !in) continue;
    SB_CHECKED(write_header(writer.get(), source.name, left, wall_ms));
    std::string block(kBlock, '\0');
    while (left > 0 && in) {  // a file that grows meanwhile is taken as long as it was
      in.read(block.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(left, block.size())));
      const auto got = static_cast<std::uint64_t>(in.gcount());
      SB_CHECKED(write_bytes(writer.get(), std::string_view(block).substr(0, got)));
      left -= got;
    }
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return fail(Errc::Io, reason(writer.get()));
  return file.keep();
}

}  // namespace sb::management
