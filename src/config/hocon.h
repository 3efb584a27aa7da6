// HOCON as EMQX 5.4 writes it (and a little wider): includes, substitutions, concatenation, comments, dotted and quoted
// keys, multi-line strings. Parsing never throws and is bounded: file size, number and depth of includes, nesting, and
// the size to which substitutions may blow a tree up.
#pragma once

#include "config/value.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::config {

constexpr std::size_t kMaxFileBytes = 8u << 20;
constexpr std::size_t kMaxTotalBytes = 32u << 20;
constexpr std::size_t kMaxIncludes = 256;
constexpr std::size_t kMaxIncludeDepth = 16;
/// Nodes plus text bytes that substitutions may copy.
constexpr std::size_t kMaxExpansion = 16u << 20;

struct ParseOptions {
  /// Content of a file, or nothing when it is not there. Unset: the file system.
  std::function<std::optional<std::string>(const std::string& path)> read;
  /// Where includes are looked for after the folder of the including file.
  std::vector<std::string> include_dirs;
};

struct Parsed {
  Value root;  // always an object; may hold nulls (tombstones) and pending substitutions until finish()
  bool missing_include = false;
};

/// Parses one file with its includes. Problems: scan_error, parse_error, include_error.
Parsed parse_file(const std::string& path, const ParseOptions& options, Problems& problems);
Parsed parse_text(std::string_view text, const std::string& name, const ParseOptions& options, Problems& problems);
/// One HOCON value (an environment variable, a request body's member). Nothing when it is not exactly one.
std::optional<Value> parse_value(std::string_view text, const std::string& name);

/// Replaces all substitutions, against this root. Problems: unresolved_substitution, substitution_cycle, too_deep,
/// too_big.
void resolve(Value& root, Problems& problems);

/// parse_text, resolve and prune in one: for texts that stand alone.
Value parse_document(std::string_view text, const std::string& name, Problems& problems);

}  // namespace sb::config
