// A part of what a backup holds: rows of one table as JSON objects, by EMQX's field names, binary values in base64. Who
// owns a table implements this; the backup knows no table itself. Called on the management thread.
#pragma once

#include "base/result.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::management {

using BackupRow = boost::json::object;

class BackupTable {
 public:
  virtual ~BackupTable() = default;
  /// Name of the file: "emqx_banned".
  virtual std::string_view name() const = 0;
  /// Left out of an export unless it is asked for.
  virtual bool optional() const { return false; }
  [[nodiscard]] virtual Result<std::vector<BackupRow>> rows() = 0;
  /// Whether a row from outside can be put. Changes nothing.
  [[nodiscard]] virtual Result<> check(const BackupRow& row) const = 0;
  /// Whether rows that were checked one by one can be put together, beside what is there. Changes nothing.
  [[nodiscard]] virtual Result<> check_together(const std::vector<BackupRow>&) const { return {}; }
  /// Rows that this version has no use for are left out, and their number is told.
  virtual bool takes(const BackupRow&) const { return true; }
  /// Adds rows or writes over those of the same key. All were checked. Doing it twice is as doing it once.
  [[nodiscard]] virtual Result<> put(const std::vector<BackupRow>& rows) = 0;
  /// Takes rows away by their keys, whether they are there or not.
  [[nodiscard]] virtual Result<> erase(const std::vector<BackupRow>& rows) = 0;
  /// Two rows with the same key.
  virtual std::string key(const BackupRow& row) const = 0;
};

/// The string of a member; Invalid when it is missing or of another kind.
[[nodiscard]] Result<std::string> row_text(const BackupRow& row, std::string_view member);
/// Bytes of a member in base64; "" when it is missing.
[[nodiscard]] Result<std::string> row_bytes(const BackupRow& row, std::string_view member);
/// Milliseconds of a member in seconds; nullopt: missing, null, "" or "infinity".
[[nodiscard]] Result<std::optional<std::int64_t>> row_time(const BackupRow& row, std::string_view member);
bool row_flag(const BackupRow& row, std::string_view member);

}  // namespace sb::management
