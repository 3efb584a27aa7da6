// Reading a file that an operator or an administrator named: it may be anything, also a pipe that never ends, a device
// or a folder, and must not hold up who reads it.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>

namespace sb {

/// The whole of a regular file (also through a symbolic link) of at most `max_bytes`. NotFound: there is none. Invalid:
/// it is something else. Full: it is larger. Io: the operating system refused. The text of an error names the path.
[[nodiscard]] Result<std::string> read_regular_file(const std::string& path, std::size_t max_bytes);

}  // namespace sb
