// Looks through the write-ahead logs of a RocksDB directory before it is opened.
//
// The library ends a log where a record is cut short, because that is how a crash leaves it, and starts with what came
// before. One flipped bit in the length of a record, or in its type, looks the same, and would silently take everything
// behind it. Nothing whole can lie behind the true end of a log: what does not check is damage if something does.
#pragma once

#include "base/result.h"

#include <string>

namespace sb::store::detail {

/// Errc::Corrupt names the file and the byte; also when there is no log at all, which the library would not miss.
/// A log that ends in the middle of a record, or in zeros (space taken in advance), is right.
[[nodiscard]] Result<> check_logs(const std::string& directory);

}  // namespace sb::store::detail
