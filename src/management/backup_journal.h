// What an import is about to do, on disk before it does it; and the report of the last one.
#pragma once

#include "management/backup.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sb::management {

class BackupJournal {
 public:
  struct State {
    std::string archive_name;
    std::string archive;
    std::string cluster_before;
    std::map<std::string, std::vector<BackupRow>> before;  // by table
  };
  explicit BackupJournal(const std::string& backup_folder) : folder_(backup_folder + "/.import") {}

  /// Returns when all of it is on disk.
  [[nodiscard]] Result<> write(const State& state) const;
  /// NotFound: no import was under way. Corrupt: it had not begun to change anything.
  [[nodiscard]] Result<State> read() const;
  void clear() const;

 private:
  std::string folder_;
};

[[nodiscard]] Result<> save_report(const std::string& backup_folder, const Backup::Report& report);
std::optional<Backup::Report> load_report(const std::string& backup_folder);
boost::json::object to_json(const Backup::Report& report);

}  // namespace sb::management
