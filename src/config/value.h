// The tree that HOCON text becomes: every node remembers the file and line it came from, so that a problem found much
// later can still name its place. A plain value type; not thread safe while written, free to share once const.
#pragma once

#include "config/problem.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sb::config {

/// Deepest nesting of a tree; also bounds every recursion over one.
constexpr int kMaxDepth = 64;

struct Location {
  std::shared_ptr<const std::string> file;  // null: a default of the schema
  std::uint32_t line = 0;                   // 0: not a file (environment, API)
};

namespace detail {
struct Pending;  // a part of the text that waits for its substitutions; none is left after resolve()
}

class Value {
 public:
  using Array = std::vector<Value>;
  using Object = std::map<std::string, Value, std::less<>>;
  using PendingPtr = std::shared_ptr<detail::Pending>;
  struct Missing {};  // an optional substitution that found nothing

  Value() = default;
  Value(bool v) : data_(v) {}                      // NOLINT: trees are written down as literals in tests and callers
  Value(std::int64_t v) : data_(v) {}              // NOLINT
  Value(int v) : data_(std::int64_t{v}) {}         // NOLINT
  Value(double v) : data_(v) {}                    // NOLINT
  Value(std::string v) : data_(std::move(v)) {}    // NOLINT
  Value(const char* v) : data_(std::string(v)) {}  // NOLINT
  Value(std::string_view v) : data_(std::string(v)) {}  // NOLINT
  Value(Array v) : data_(std::move(v)) {}               // NOLINT
  Value(Object v) : data_(std::move(v)) {}              // NOLINT
  explicit Value(Missing v) : data_(v) {}
  explicit Value(PendingPtr v) : data_(std::move(v)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_missing() const { return std::holds_alternative<Missing>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_pending() const { return std::holds_alternative<PendingPtr>(data_); }
  bool is_scalar() const { return !is_object() && !is_array() && !is_pending() && !is_missing(); }

  const bool* if_bool() const { return std::get_if<bool>(&data_); }
  const std::int64_t* if_int() const { return std::get_if<std::int64_t>(&data_); }
  const double* if_double() const { return std::get_if<double>(&data_); }
  const std::string* if_string() const { return std::get_if<std::string>(&data_); }
  const Array* if_array() const { return std::get_if<Array>(&data_); }
  Array* if_array() { return std::get_if<Array>(&data_); }
  const Object* if_object() const { return std::get_if<Object>(&data_); }
  Object* if_object() { return std::get_if<Object>(&data_); }
  const PendingPtr* if_pending() const { return std::get_if<PendingPtr>(&data_); }

  /// Member of an object, or null. A JSON null counts as present.
  const Value* find(std::string_view key) const;
  Value* find(std::string_view key);
  /// Node at a dotted path ("" = this), or null. Array elements by 1-based index.
  const Value* at_path(std::string_view path) const;

  /// Scalars as text: what was written, without quotes. "" for the rest.
  std::string text() const;

  Location at;
  bool secret = false;  // set by the schema; printed as ******

  /// Compares content, not places.
  friend bool operator==(const Value& a, const Value& b);

 private:
  std::variant<std::monostate, Missing, bool, std::int64_t, double, std::string, Array, Object, PendingPtr> data_;
};

/// Lays `over` on `base`: objects merge deeply, anything else replaces, an object of index keys patches a list. Nulls
/// stay in the tree as tombstones until prune(). Problems: `bad_array_index`.
void merge(Value& base, Value over, Problems& problems, std::string_view path = {});
/// Removes nulls and empty optional substitutions, at every depth.
void prune(Value& value);
/// Puts `value` at a dotted path, merging or replacing what is there. Intermediate objects are made.
void put(Value& root, std::string_view path, Value value, bool replace, Problems& problems);
/// Removes the node at a dotted path; false when there is none.
bool erase(Value& root, std::string_view path);

/// Levels of nesting; 0 for a scalar.
int depth(const Value& value);

struct PrintOptions {
  bool reveal = false;  // print secrets (only for cluster.hocon)
  bool pretty = true;
};
std::string to_json(const Value& value, PrintOptions options = {});
/// HOCON that parse_text() reads back to an equal tree.
std::string to_hocon(const Value& value, PrintOptions options = {});

/// "a.b" of "a.b.c" style paths; a part with other characters is quoted.
std::string join_path(std::string_view parent, std::string_view key);

}  // namespace sb::config
