// Archives: reading a .tar.gz from outside with everything bounded, and writing .tar.gz and .zip. Only regular files
// with plain relative names are taken; nothing is ever written where an archive says.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sb::management {

struct ArchiveEntry {
  std::string name;  // "base/META.hocon"
  std::string bytes;
};

struct ArchiveLimits {
  std::size_t entries_max = 1000;
  std::uint64_t entry_bytes_max = std::uint64_t{256} << 20;
  std::uint64_t total_bytes_max = std::uint64_t{512} << 20;
  /// Unpacked bytes a packed byte may stand for, once there are 16 MB of them: what is above is a bomb.
  std::uint64_t ratio_max = 200;
};

/// Whether a name is relative, without "..", ".", empty parts, backslashes and control characters.
bool plain_name(std::string_view name);

/// Corrupt: not a gzip tar, cut short, or not as its sum says. Invalid: a link, a device, a name that leads out. Full:
/// above a limit.
[[nodiscard]] Result<std::vector<ArchiveEntry>> read_tar_gz(std::string_view bytes, const ArchiveLimits& limits = {});

/// To a file for the owner alone; an old one is replaced when the new one is whole.
[[nodiscard]] Result<> write_tar_gz(const std::string& path, const std::vector<ArchiveEntry>& entries,
                                    std::int64_t wall_ms);

struct SourceFile {
  std::string name;    // in the archive
  std::string source;  // on disk; what is not there is left out
};
[[nodiscard]] Result<> write_zip(const std::string& path, const std::vector<SourceFile>& files, std::int64_t wall_ms);

}  // namespace sb::management
