// What a backup archive holds, read and checked without touching the node (management-api 2.19): ours, and those of
// EMQX 5.4 whose tables are Erlang terms.
#pragma once

#include "config/value.h"
#include "management/backup_table.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sb::management {

struct BackupArchive {
  std::string version;  // "5.4.0"
  std::string edition;  // "ee", "ce"
  std::string product;  // "signalbox", or "" of EMQX
  config::Value cluster = config::Value::Object{};
  std::map<std::string, std::vector<BackupRow>> tables;
};

/// Whether a name is one that an archive may have in our folder: no path, .tar.gz.
bool archive_name(std::string_view name);

/// Invalid, Corrupt, Full, with the reference's words at the beginning. `version` is the product's: "5.4.0".
[[nodiscard]] Result<BackupArchive> read_archive(std::string_view name, std::string_view bytes,
                                                 std::string_view version);

/// Tables that an archive of EMQX may hold.
bool known_table(std::string_view name);
/// Rows of a table of EMQX: the items of its file.
[[nodiscard]] Result<std::vector<BackupRow>> mnesia_rows(std::string_view table, std::string_view bytes);

}  // namespace sb::management
