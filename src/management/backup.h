// Backup and restore (management-api 2.19): archives in <data_dir>/backup. An import checks everything first and then
// holds as a whole or not at all: what is about to change is written to a journal beforehand, and a node that died half
// way finishes the import at its next start, or takes back what was done of it. Belongs to the management thread.
#pragma once

#include "base/clock.h"
#include "config/store.h"
#include "management/backup_archive.h"
#include "management/backup_table.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::management {

class Backup {
 public:
  struct Options {
    std::string data_dir;
    std::string version = "5.4.0";
  };
  /// `config` and `clock` outlive it.
  Backup(Options options, config::ConfigStore& config, const Clock& clock);

  void add(std::unique_ptr<BackupTable> table) { tables_.push_back(std::move(table)); }

  struct File {
    std::string name;
    std::uint64_t size = 0;
    std::int64_t created_ms = 0;
  };
  /// Writes an archive; `everything`: with the optional tables.
  [[nodiscard]] Result<File> create(bool everything);
  /// Newest first.
  std::vector<File> list() const;
  /// Of an archive in the folder: NotFound, Invalid.
  [[nodiscard]] Result<std::string> path_of(std::string_view name) const;
  [[nodiscard]] Result<> remove(std::string_view name);
  /// An archive from outside: Exists, or what read_archive() says; then nothing is kept.
  [[nodiscard]] Result<> take(std::string_view name, std::string_view bytes);

  struct Report {
    std::string filename;
    std::int64_t at_ms = 0;
    bool ok = false;
    bool recovered = false;  // finished, or undone, by a later start
    std::string reason;      // why not
    std::vector<std::string> roots;
    struct Table {
      std::string name;
      std::size_t rows = 0;
      std::size_t written_over = 0;
    };
    std::vector<Table> tables;
    std::vector<std::string> left_out;  // tables and rows that this version does not have
  };
  [[nodiscard]] Result<Report> restore(std::string_view name);
  /// The last import, of an earlier run too.
  const std::optional<Report>& last() const { return last_; }

  /// Once, when everything runs: ends what a crash interrupted.
  void recover();

 private:
  struct Plan;
  [[nodiscard]] Result<Plan> plan(std::string_view name, std::string_view bytes);
  [[nodiscard]] Result<> apply(Plan& plan);
  [[nodiscard]] Result<> undo(const Plan& plan);
  /// What a journal tells of an import whose archive can no longer be imported.
  using RowsByTable = std::map<std::string, std::vector<BackupRow>>;
  Plan remains(std::string_view archive_name, std::string_view archive, const RowsByTable& before) const;
  BackupTable* table(std::string_view name) const;
  void keep_report();
  std::string folder() const { return options_.data_dir + "/backup"; }

  Options options_;
  config::ConfigStore& config_;
  const Clock& clock_;
  std::vector<std::unique_ptr<BackupTable>> tables_;
  std::optional<Report> last_;
};

}  // namespace sb::management
