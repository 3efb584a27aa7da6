// The seam for authentication mechanisms. A folder under plugins/authn/ describes one to the Registry: its name, its
// keys, how a Provider is made of them. A Provider is one configured authenticator of one chain; any thread. It makes
// an Authenticator for each shard, which answers there.
#pragma once

#include "access/authn/user_import.h"
#include "access/authn/users.h"
#include "access/authorizer.h"
#include "base/result.h"
#include "broker/alarm_sink.h"
#include "config/roots/authentication.h"
#include "driver/resource/resource.h"
#include "runtime/workers.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::authn {

/// What every provider may use; outlives them.
struct Services {
  const Clock& clock;
  UserTable& users;
  runtime::Workers& workers;  // expensive hashes, imports
  broker::AlarmSink& alarms;
};

/// Password users of a built-in database as management sees them. Any thread that may wait for the disk.
class UserDirectory {
 public:
  struct Entry {
    std::string user_id;
    bool superuser = false;
  };
  struct Page {
    std::vector<Entry> rows;
    std::size_t count = 0;  // of all that fit the query
  };
  virtual ~UserDirectory() = default;
  /// Exists.
  [[nodiscard]] virtual Result<> add(std::string_view user_id, std::string_view password, bool superuser) = 0;
  /// NotFound.
  [[nodiscard]] virtual Result<Entry> update(std::string_view user_id, std::optional<std::string_view> password,
                                             std::optional<bool> superuser) = 0;
  [[nodiscard]] virtual Result<> erase(std::string_view user_id) = 0;
  virtual std::optional<Entry> find(std::string_view user_id) const = 0;
  virtual Page list(const UserQuery& query) const = 0;
  /// Reads a file of users: the steps that follow add them, all or none; those that exist are overwritten.
  [[nodiscard]] virtual Result<UserImport> import(std::string_view file_name, std::string_view text, bool plain) = 0;
};

enum class Health : std::uint8_t { Connected, Connecting, Disconnected };
std::string_view to_string(Health health);

class Provider {
 public:
  struct State {
    Health health = Health::Connected;
    std::string reason;
  };
  virtual ~Provider() = default;
  /// Once, when the store is open and before clients come.
  [[nodiscard]] virtual Result<> start() { return {}; }
  /// What may be of use of the one that this replaces, which may still be asked. Before start().
  virtual void inherit(Provider&) {}
  /// Another one, or none, is in its place from now on; questions and imports may still be under way. Any thread.
  virtual void replaced() {}
  virtual std::unique_ptr<Authenticator> make(const ShardEnvironment& shard) = 0;
  /// The node ends: threads go, nothing is posted to a shard any more.
  virtual void stop() {}
  virtual State state() const { return {}; }
  virtual UserDirectory* users() { return nullptr; }
  /// The back end that it asks; null: it needs none, or watches it by itself.
  virtual const driver::resource::Resource* resource() const { return nullptr; }
};

/// What only the files that a setting names tell.
struct Unusable {
  std::string_view field;  // below the setting, with dots: "ssl.password"
  std::string why;
};

struct Mechanism {
  std::string id;  // "password_based:built_in_database"
  std::string_view description;
  const config::Struct* schema = nullptr;
  /// `chain`: "mqtt:global" or a listener's id. `settings` is what the schema filled.
  std::function<Result<std::shared_ptr<Provider>>(const Services&, const std::string& chain,
                                                  std::shared_ptr<const void> settings)>
      make;
  /// Why a node with these settings would not start; nothing is kept or begun. Null: there is nothing to look at.
  std::function<std::optional<Unusable>(const void* settings)> review = nullptr;
};

class Registry {
 public:
  void add(Mechanism mechanism) { all_.push_back(std::move(mechanism)); }
  const std::vector<Mechanism>& all() const { return all_; }
  const Mechanism* find(std::string_view id) const;
  /// For config::LoadOptions::built_authn.
  std::vector<config::AuthnMechanism> names() const;

 private:
  std::vector<Mechanism> all_;
};

}  // namespace sb::access::authn
