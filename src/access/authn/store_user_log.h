// The users of the built-in databases in the node's store. Waits for the disk: not on a shard.
#pragma once

#include "access/authn/users.h"
#include "store/key_value.h"

namespace sb::access::authn {

class StoreUserLog final : public UserLog {
 public:
  /// The store outlives the log.
  explicit StoreUserLog(store::KeyValue& store) : store_(store) {}
  [[nodiscard]] Result<> put(std::string_view group, std::span<const User> users) override;
  [[nodiscard]] Result<> erase(std::string_view group, std::string_view id) override;
  [[nodiscard]] Result<> erase_group(std::string_view group, std::span<const std::string> ids) override;
  /// For UserTable::open.
  [[nodiscard]] Result<std::vector<std::pair<std::string, User>>> load() const;

 private:
  store::KeyValue& store_;
};

}  // namespace sb::access::authn
