// Keys of a PostgreSQL or MySQL server and of a query to it. Values, immutable once read.
#pragma once

#include "access/authn/sql_template.h"
#include "config/roots/listener.h"
#include "config/schema.h"
#include "driver/resource/connection.h"
#include "driver/resource/dial.h"
#include "driver/resource/resource.h"
#include "driver/sql/rows.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::backend {

enum class Dialect : std::uint8_t { PostgreSql, MySql };
/// As the configuration names it, and a sentence for people.
std::string_view name_of(Dialect dialect);
std::string_view doc_of(Dialect dialect);

constexpr Millis kSqlQueryTimeout{5'000};  // where there is no key for it

struct SqlServer {
  std::string server;
  std::string database;
  std::string username;
  Secret password;
  std::uint32_t pool_size = 8;
  std::string query;
  config::ClientTls ssl;

  driver::resource::Server at;  // parsed
  authn::SqlTemplate statement;

  /// Adds the keys; T derives from this.
  template <class T>
  static void add_to(config::Schema<T>& s, Dialect dialect) {
    const auto of = [](auto SqlServer::*member) { return static_cast<decltype(of_t<T>(member))>(member); };
    s.field("server", of(&SqlServer::server),
            {.min = 1, .doc = "host, or host:port; 5432 or 3306 without.", .required = true})
        .field("database", of(&SqlServer::database), {.min = 1, .doc = "Name of the database.", .required = true})
        .field("username", of(&SqlServer::username),
               dialect == Dialect::MySql ? config::Opts{.def = "root", .min = 1, .doc = "User of the database."}
                                         : config::Opts{.min = 1, .doc = "User of the database.", .required = true})
        .field("password", of(&SqlServer::password), {.doc = "Password of that user.", .secret = true})
        .field("pool_size", of(&SqlServer::pool_size), {.def = "8", .min = 1, .max = 256, .doc = "Most connections."})
        .field("query", of(&SqlServer::query),
               {.min = 1, .doc = "SELECT with placeholders; they become parameters.", .required = true})
        .field("ssl", of(&SqlServer::ssl), {.doc = "TLS to the server."})
        .template accept<bool>("auto_reconnect", {.def = "true"});
  }
  /// For the schema's finish.
  void read(config::Checker& c, const config::Value& v, Dialect dialect);

  /// `owner` keeps this alive. `query_timeout`: the server ends a statement after it.
  driver::resource::Options options(std::shared_ptr<const void> owner, Dialect dialect, std::string_view use,
                                    Millis query_timeout) const;
  [[nodiscard]] Result<driver::sql::Rows> ask(Dialect dialect, driver::resource::Connection& connection,
                                              const std::vector<std::optional<std::string>>& values,
                                              const driver::resource::Limit& limit) const;

 private:
  template <class T, class M>
  static M T::*of_t(M SqlServer::*member);
};

}  // namespace sb::access::backend
