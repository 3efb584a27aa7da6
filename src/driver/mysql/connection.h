// One connection to MySQL or MariaDB. Belongs to the thread that uses it.
#pragma once

#include "base/secret.h"
#include "driver/resource/connection.h"
#include "driver/resource/dial.h"
#include "driver/resource/tls.h"
#include "driver/sql/rows.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

struct st_mysql;
struct st_mysql_stmt;

namespace sb::driver::mysql {

constexpr std::uint16_t kDefaultPort = 3306;

struct Options {
  resource::Server server;
  std::string database;
  std::string username;
  Secret password;
  resource::Tls tls;
  Millis statement_timeout{5'000};  // the server ends what takes longer
};

class Connection final : public resource::Connection {
 public:
  /// Connected and logged in. Unavailable, Denied, Timeout.
  [[nodiscard]] static Result<std::unique_ptr<resource::Connection>> open(const Options& options,
                                                                          const resource::Limit& limit);
  /// For open(): owns `handle`.
  explicit Connection(st_mysql* handle) : handle_(handle) {}
  ~Connection() override;

  /// `statement` has ? for each of `values`. Invalid: the server refuses statement or values; the connection lives.
  [[nodiscard]] Result<sql::Rows> query(const std::string& statement, const std::vector<sql::Cell>& values,
                                        const resource::Limit& limit);

  [[nodiscard]] Result<> check(const resource::Limit& limit) override;
  bool usable() override;

 private:
  [[nodiscard]] Result<> connect(const Options& options, const resource::Limit& limit);
  /// The statements of a session that cost too much end by themselves, where the server knows how.
  [[nodiscard]] Result<> bound_statements(Millis longest, const resource::Limit& limit);
  /// Drives a call of the library to its end: `start()` and `go_on(events)` return what it waits for, or 0.
  template <class Start, class GoOn>
  [[nodiscard]] Result<> drive(const Start& start, const GoOn& go_on, const resource::Limit& limit);
  [[nodiscard]] Result<st_mysql_stmt*> prepared(const std::string& statement, const resource::Limit& limit);
  [[nodiscard]] Result<sql::Rows> fetch(st_mysql_stmt* statement, const resource::Limit& limit);
  tl::unexpected<Error> broken(Errc code, std::string what);
  tl::unexpected<Error> failure(st_mysql_stmt* statement);
  tl::unexpected<Error> failure(unsigned number, const char* words);

  st_mysql* handle_;
  bool broken_ = false;
  bool tls_ = false;
  std::unordered_map<std::string, st_mysql_stmt*> prepared_;  // as many as the configuration has
};

}  // namespace sb::driver::mysql
