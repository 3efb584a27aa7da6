// One connection to PostgreSQL. Belongs to the thread that uses it.
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

struct pg_conn;
struct pg_result;

namespace sb::driver::postgresql {

constexpr std::uint16_t kDefaultPort = 5432;

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
  explicit Connection(pg_conn* handle) : handle_(handle) {}
  ~Connection() override;

  /// `statement` has $1 ... $n for `values`. Invalid: the server refuses statement or values; the connection lives.
  [[nodiscard]] Result<sql::Rows> query(const std::string& statement, const std::vector<sql::Cell>& values,
                                        const resource::Limit& limit);

  [[nodiscard]] Result<> check(const resource::Limit& limit) override;
  bool usable() override;

 private:
  [[nodiscard]] Result<> log_in(const resource::Limit& limit);
  [[nodiscard]] Result<> run(const std::string& command, const resource::Limit& limit);
  struct Clear {
    void operator()(pg_result* result) const;
  };
  using Answer = std::unique_ptr<pg_result, Clear>;
  /// What was asked for is on its way; the last of its results. `rows` in single row mode.
  [[nodiscard]] Result<Answer> answer(const resource::Limit& limit, sql::Rows* rows = nullptr);
  [[nodiscard]] Result<> take_row(pg_result* result, sql::Rows& rows);
  [[nodiscard]] Result<std::string> prepared(const std::string& statement, const resource::Limit& limit);
  tl::unexpected<Error> broken(Errc code, std::string what);
  tl::unexpected<Error> connection_failure();

  pg_conn* handle_;
  bool broken_ = false;
  bool tls_ = false;
  std::unordered_map<std::string, std::string> prepared_;  // names by statement; as many as the configuration has
};

}  // namespace sb::driver::postgresql
