// Pre-shared keys by identity (access-control: psk_authentication). Reading is from any shard and never waits: a change
// puts a new immutable table in place.
#pragma once

#include "base/result.h"
#include "base/secret.h"

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sb::net {

class PskTable {
 public:
  PskTable() : keys_(std::make_shared<const Keys>()) {}

  std::optional<Secret> find(std::string_view identity) const;
  std::size_t size() const { return std::atomic_load(&keys_)->size(); }

  /// Lines `identity<separator>secret`, split at the first separator; the secret is the text itself. Either the whole
  /// text is taken in, or, with the number of the bad line, nothing. Known identities get the new key, none is removed.
  /// Returns the number of lines. One writer at a time.
  [[nodiscard]] Result<std::size_t> import_text(std::string_view text, char separator);
  [[nodiscard]] Result<std::size_t> import_file(const std::string& path, char separator);

  using Row = std::pair<std::string, Secret>;
  std::vector<Row> all() const;
  /// Known identities get the new key.
  void put(std::vector<Row> rows);
  void erase(const std::vector<std::string>& identities);
  /// What a store kept: identities that are known already keep their key.
  void add_missing(std::vector<Row> rows);

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  using Keys = std::unordered_map<std::string, Secret, Hash, std::equal_to<>>;
  std::shared_ptr<const Keys> keys_;
};

}  // namespace sb::net
