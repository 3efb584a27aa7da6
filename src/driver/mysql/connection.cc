#include "driver/mysql/connection.h"

#include <errmsg.h>
#include <fmt/format.h>
#include <mysql.h>
#include <mysqld_error.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string_view>

namespace sb::driver::mysql {

namespace {
constexpr std::size_t kCellBytes = 512;               // fetched at once; longer ones in a second call
constexpr unsigned kMaxExecutionTimeExceeded = 3024;  // of MySQL; Connector/C does not know its name

/// Numbers whose words speak of the log-in, the server or the statement, never of a value.
bool tells_no_values(unsigned number) {
  static constexpr std::array<unsigned, 12> kNumbers = {
      ER_ACCESS_DENIED_ERROR,      ER_DBACCESS_DENIED_ERROR, ER_BAD_DB_ERROR,
      ER_BAD_FIELD_ERROR,          ER_NO_SUCH_TABLE,         ER_PARSE_ERROR,
      ER_TABLEACCESS_DENIED_ERROR, ER_CON_COUNT_ERROR,       ER_HOST_NOT_PRIVILEGED,
      ER_HOST_IS_BLOCKED,          ER_SERVER_SHUTDOWN,       ER_COLUMNACCESS_DENIED_ERROR};
  return (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) ||
         std::find(kNumbers.begin(), kNumbers.end(), number) != kNumbers.end();
}

/// The connection is no longer one, or forgot what was prepared on it.
bool ends_connection(unsigned number) {
  static constexpr std::array<unsigned, 6> kNumbers = {ER_SERVER_SHUTDOWN, ER_UNKNOWN_STMT_HANDLER,
                                                       ER_NEED_REPREPARE,  ER_CONNECTION_KILLED,
                                                       ER_NORMAL_SHUTDOWN, ER_MALFORMED_PACKET};
  return (number >= CR_MIN_ERROR && number <= CR_MAX_ERROR) ||
         std::find(kNumbers.begin(), kNumbers.end(), number) != kNumbers.end();
}

/// The library starts itself at the first connection, which two threads must not do at once.
void start_library() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
}

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

void set_tls(MYSQL* handle, const resource::Tls& tls) {
  const std::string ca = tls.ca_file.empty() ? "/etc/ssl/certs/ca-certificates.crt" : tls.ca_file;
  const resource::CipherLists ciphers = resource::cipher_lists(tls.ciphers);
  // One or the other: of a list of both the library would take the suites of TLS 1.3 and leave the rest as it is.
  const std::string& suites = ciphers.older.empty() ? ciphers.tls13 : ciphers.older;
  mysql_ssl_set(handle, or_null(tls.key_file), or_null(tls.certificate_file), tls.verify ? ca.c_str() : nullptr,
                nullptr, or_null(suites));
  std::string versions;
  for (auto version = tls.oldest; version <= tls.newest;
       version = static_cast<resource::TlsVersion>(static_cast<int>(version) + 1))
    versions += (versions.empty() ? "" : ",") +
                std::string(version == resource::TlsVersion::V10 ? "TLSv1.0" : resource::to_string(version));
  mysql_optionsv(handle, MARIADB_OPT_TLS_VERSION, versions.c_str());
  if (!tls.key_password.empty()) mysql_optionsv(handle, MARIADB_OPT_TLS_PASSPHRASE, tls.key_password.reveal().c_str());
  my_bool on = 1;
  my_bool verify = tls.verify ? 1 : 0;
  mysql_optionsv(handle, MYSQL_OPT_SSL_ENFORCE, &on);
  mysql_optionsv(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}
}  // namespace

Connection::~Connection() {
  // What waits for the server must not: the farewell of mysql_close() then fails at once.
  if (broken_)
    if (const my_socket fd = mysql_get_socket(handle_); fd >= 0) ::shutdown(fd, SHUT_RDWR);
  mysql_close(handle_);
  // Behind mysql_close() they are no longer the server's.
  for (const auto& [text, statement] : prepared_) mysql_stmt_close(statement);
}

tl::unexpected<Error> Connection::broken(Errc code, std::string what) {
  broken_ = true;
  return fail(code, std::move(what));
}

tl::unexpected<Error> Connection::failure(st_mysql_stmt* statement) {
  // A row that does not come leaves its error at the connection alone.
  if (const unsigned number = mysql_stmt_errno(statement); number != 0)
    return failure(number, mysql_stmt_error(statement));
  return failure(mysql_errno(handle_), mysql_error(handle_));
}

tl::unexpected<Error> Connection::failure(unsigned number, const char* words) {
  std::string what = fmt::format("error {}", number);
  if (tells_no_values(number)) what += fmt::format(": {}", words);
  if (number == ER_STATEMENT_TIMEOUT || number == kMaxExecutionTimeExceeded || number == ER_QUERY_INTERRUPTED)
    return broken(Errc::Timeout, std::move(what));
  if (number == ER_ACCESS_DENIED_ERROR || number == ER_DBACCESS_DENIED_ERROR)
    return broken(Errc::Denied, std::move(what));
  if (number == 0 || ends_connection(number)) return broken(Errc::Unavailable, std::move(what));
  return fail(Errc::Invalid, std::move(what));
}

template <class Start, class GoOn>
Result<> Connection::drive(const Start& start, const GoOn& go_on, const resource::Limit& limit) {
  int waits = start();
  while (waits != 0) {
    short events = 0;
    if ((waits & MYSQL_WAIT_READ) != 0) events |= POLLIN;
    if ((waits & MYSQL_WAIT_WRITE) != 0) events |= POLLOUT;
    if ((waits & MYSQL_WAIT_EXCEPT) != 0) events |= POLLPRI;
    auto ready = limit.wait(mysql_get_socket(handle_), events);
    if (!ready) return broken(ready.error().code, std::move(ready.error().what));
    int came = 0;
    if ((*ready & (POLLIN | POLLHUP | POLLERR)) != 0) came |= MYSQL_WAIT_READ;
    if ((*ready & (POLLOUT | POLLHUP | POLLERR)) != 0) came |= MYSQL_WAIT_WRITE;
    if ((*ready & POLLPRI) != 0) came |= MYSQL_WAIT_EXCEPT;
    waits = go_on(came & waits);
  }
  return {};
}

Result<std::unique_ptr<resource::Connection>> Connection::open(const Options& options, const resource::Limit& limit) {
  start_library();
  MYSQL* const handle = mysql_init(nullptr);
  if (!handle) return fail(Errc::Io, "no memory for a connection");
  auto made = std::make_unique<Connection>(handle);
  auto ready = made->connect(options, limit);
  if (ready) ready = made->bound_statements(options.statement_timeout, limit);
  if (!ready) return fail(ready.error().code, fmt::format("{}: {}", to_string(options.server), ready.error().what));
  return made;
}

Result<> Connection::connect(const Options& options, const resource::Limit& limit) {
  const unsigned tcp = MYSQL_PROTOCOL_TCP;  // also for "localhost", which else is a socket in the file system
  const unsigned no = 0;
  mysql_optionsv(handle_, MYSQL_OPT_NONBLOCK, nullptr);
  mysql_optionsv(handle_, MYSQL_OPT_PROTOCOL, &tcp);
  mysql_optionsv(handle_, MYSQL_OPT_LOCAL_INFILE, &no);
  mysql_optionsv(handle_, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_optionsv(handle_, MARIADB_OPT_RESTRICTED_AUTH,
                 "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519");
  tls_ = options.tls.enable;
  if (tls_) set_tls(handle_, options.tls);
  MYSQL* connected = nullptr;
  SB_CHECKED(drive(
      [&] {
        return mysql_real_connect_start(&connected, handle_, options.server.host.c_str(), options.username.c_str(),
                                        options.password.reveal().c_str(), options.database.c_str(),
                                        options.server.port, nullptr, 0);
      },
      [&](int came) { return mysql_real_connect_cont(&connected, handle_, came); }, limit));
  if (!connected) {
    auto why = failure(mysql_errno(handle_), mysql_error(handle_));
    return broken(why.value().code, std::move(why.value().what));
  }
  return {};
}

Result<> Connection::bound_statements(Millis longest, const resource::Limit& limit) {
  const std::string_view version = mysql_get_server_info(handle_);
  const std::string command =
      version.find("MariaDB") != std::string_view::npos
          ? fmt::format("SET SESSION max_statement_time = {:.3f}", static_cast<double>(longest.count()) / 1000)
          : fmt::format("SET SESSION max_execution_time = {}", longest.count());
  int failed = 0;
  SB_CHECKED(drive([&] { return mysql_real_query_start(&failed, handle_, command.data(), command.size()); },
                   [&](int came) { return mysql_real_query_cont(&failed, handle_, came); }, limit));
  // Old servers have no such bound; ours ends the wait in any case.
  if (failed != 0 && mysql_errno(handle_) != ER_UNKNOWN_SYSTEM_VARIABLE)
    return failure(mysql_errno(handle_), mysql_error(handle_));
  return {};
}

Result<st_mysql_stmt*> Connection::prepared(const std::string& statement, const resource::Limit& limit) {
  if (const auto known = prepared_.find(statement); known != prepared_.end()) return known->second;
  MYSQL_STMT* const made = mysql_stmt_init(handle_);
  if (!made) return broken(Errc::Io, "no memory for a statement");
  prepared_.emplace(statement, made);
  int failed = 0;
  SB_CHECKED(drive([&] { return mysql_stmt_prepare_start(&failed, made, statement.data(), statement.size()); },
                   [&](int came) { return mysql_stmt_prepare_cont(&failed, made, came); }, limit));
  if (failed == 0) return made;
  auto why = failure(made);
  if (!broken_) {
    prepared_.erase(statement);
    mysql_stmt_close(made);  // it was not prepared: nothing is sent
  }
  return why;
}

Result<sql::Rows> Connection::query(const std::string& text, const std::vector<sql::Cell>& values,
                                    const resource::Limit& limit) {
  SB_TRY(MYSQL_STMT* const statement, prepared(text, limit));
  if (mysql_stmt_param_count(statement) != values.size())
    return fail(Errc::Invalid, fmt::format("the statement has {} parameters, not {}", mysql_stmt_param_count(statement),
                                           values.size()));
  std::vector<MYSQL_BIND> parameters(values.size());  // all zero
  std::vector<unsigned long> lengths(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    MYSQL_BIND& one = parameters[i];
    one.buffer_type = values[i] ? MYSQL_TYPE_STRING : MYSQL_TYPE_NULL;
    if (!values[i]) continue;
    lengths[i] = values[i]->size();
    one.buffer = const_cast<char*>(values[i]->data());  // read only: a parameter
    one.buffer_length = lengths[i];
    one.length = &lengths[i];
  }
  if (!parameters.empty() && mysql_stmt_bind_param(statement, parameters.data())) return failure(statement);
  int failed = 0;
  SB_CHECKED(drive([&] { return mysql_stmt_execute_start(&failed, statement); },
                   [&](int came) { return mysql_stmt_execute_cont(&failed, statement, came); }, limit));
  if (failed != 0) return failure(statement);
  return fetch(statement, limit);
}

Result<sql::Rows> Connection::fetch(st_mysql_stmt* statement, const resource::Limit& limit) {
  sql::Rows out;
  const unsigned columns = mysql_stmt_field_count(statement);
  if (columns == 0) return out;
  MYSQL_RES* const names = mysql_stmt_result_metadata(statement);
  if (!names) return broken(Errc::Io, "an answer without names");
  for (unsigned i = 0; i < columns; ++i) out.columns.emplace_back(mysql_fetch_field_direct(names, i)->name);
  mysql_free_result(names);

  std::vector<MYSQL_BIND> binds(columns);
  std::vector<unsigned long> lengths(columns);
  const auto nulls = std::make_unique<my_bool[]>(columns);
  const auto cut = std::make_unique<my_bool[]>(columns);
  std::vector<std::string> cells(columns, std::string(kCellBytes, '\0'));
  for (unsigned i = 0; i < columns; ++i) {
    binds[i].buffer_type = MYSQL_TYPE_STRING;
    binds[i].buffer = cells[i].data();
    binds[i].buffer_length = kCellBytes;
    binds[i].length = &lengths[i];
    binds[i].is_null = &nulls[i];
    binds[i].error = &cut[i];
  }
  if (mysql_stmt_bind_result(statement, binds.data()))
    return broken(Errc::Io, fmt::format("error {}", mysql_stmt_errno(statement)));
  for (;;) {
    int status = 0;
    SB_CHECKED(drive([&] { return mysql_stmt_fetch_start(&status, statement); },
                     [&](int came) { return mysql_stmt_fetch_cont(&status, statement, came); }, limit));
    if (status == MYSQL_NO_DATA) break;
    if (status != 0 && status != MYSQL_DATA_TRUNCATED) return failure(statement);
    if (out.rows.size() >= sql::kRowsMax) return broken(Errc::Full, fmt::format("more than {} rows", sql::kRowsMax));
    auto& row = out.rows.emplace_back();
    for (unsigned i = 0; i < columns; ++i) {
      if (nulls[i]) {
        row.emplace_back();
        continue;
      }
      out.bytes += lengths[i];
      if (out.bytes > sql::kBytesMax) return broken(Errc::Full, fmt::format("more than {} bytes", sql::kBytesMax));
      if (lengths[i] <= kCellBytes) {
        row.emplace_back(cells[i].substr(0, lengths[i]));
        continue;
      }
      std::string whole(lengths[i], '\0');
      MYSQL_BIND again{};
      unsigned long length = 0;
      again.buffer_type = MYSQL_TYPE_STRING;
      again.buffer = whole.data();
      again.buffer_length = lengths[i];
      again.length = &length;
      if (mysql_stmt_fetch_column(statement, &again, i, 0) != 0)
        return broken(Errc::Io, fmt::format("error {}", mysql_stmt_errno(statement)));
      row.emplace_back(std::move(whole));
    }
  }
  my_bool failed = 0;
  SB_CHECKED(drive([&] { return mysql_stmt_free_result_start(&failed, statement); },
                   [&](int came) { return mysql_stmt_free_result_cont(&failed, statement, came); }, limit));
  if (failed) return broken(Errc::Io, "the answer does not end");
  return out;
}

Result<> Connection::check(const resource::Limit& limit) {
  int failed = 0;
  SB_CHECKED(drive([&] { return mysql_ping_start(&failed, handle_); },
                   [&](int came) { return mysql_ping_cont(&failed, handle_, came); }, limit));
  if (failed != 0) return broken(Errc::Unavailable, mysql_error(handle_));
  return {};
}

bool Connection::usable() {
  if (broken_) return false;
  const my_socket fd = mysql_get_socket(handle_);
  return tls_ ? resource::is_open(fd) : resource::idle_and_open(fd);
}

}  // namespace sb::driver::mysql
