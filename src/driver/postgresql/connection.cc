#include "driver/postgresql/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <array>

namespace sb::driver::postgresql {

namespace {
constexpr Oid kBool = 16;                          // pg_type.dat
constexpr const char* kNoFile = "/dev/null/none";  // below what is no folder nothing can be

/// One line without the end.
std::string tidy(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\n' || c == '\t' ? ' ' : c;
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

/// SQLSTATE classes whose messages speak of the server, the log-in or the statement, never of a value.
bool tells_no_values(std::string_view state) {
  static constexpr std::array<std::string_view, 9> kClasses = {"08", "0A", "25", "28", "3D", "42", "53", "57", "58"};
  return std::find(kClasses.begin(), kClasses.end(), state.substr(0, 2)) != kClasses.end();
}

struct Parameters {
  std::vector<std::string> names;
  std::vector<std::string> values;
  void add(std::string name, std::string value) {
    names.push_back(std::move(name));
    values.push_back(std::move(value));
  }
};

Parameters parameters_of(const Options& o, const std::string& address) {
  Parameters p;
  p.add("host", o.tls.enable ? o.tls.peer(o.server.host) : o.server.host);  // told and compared by TLS
  p.add("hostaddr", address);  // so that libpq does not look it up, which blocks
  p.add("port", std::to_string(o.server.port));
  p.add("dbname", o.database);
  p.add("user", o.username);
  p.add("password", o.password.reveal());
  p.add("passfile", "/dev/null");  // nothing is taken from the home of whoever runs the node
  p.add("application_name", "signalbox");
  p.add("client_encoding", "UTF8");
  p.add("gssencmode", "disable");
  const resource::Tls& tls = o.tls;
  p.add("sslmode", !tls.enable ? "disable" : tls.verify ? "verify-full" : "require");
  if (!tls.enable) return p;
  p.add("sslsni", tls.tells_name() ? "1" : "0");
  p.add("ssl_min_protocol_version", std::string(to_string(tls.oldest)));
  p.add("ssl_max_protocol_version", std::string(to_string(tls.newest)));
  // Without a file libpq 15 looks into the home; with "require" any file would turn checks on.
  p.add("sslrootcert", !tls.verify           ? kNoFile
                       : tls.ca_file.empty() ? "/etc/ssl/certs/ca-certificates.crt"
                                             : tls.ca_file);
  p.add("sslcert", tls.certificate_file.empty() ? kNoFile : tls.certificate_file);
  p.add("sslkey", tls.key_file.empty() ? kNoFile : tls.key_file);
  if (!tls.key_password.empty()) p.add("sslpassword", tls.key_password.reveal());
  return p;
}
}  // namespace

void Connection::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

Connection::~Connection() {
  PQfinish(handle_);
}

tl::unexpected<Error> Connection::broken(Errc code, std::string what) {
  broken_ = true;
  return fail(code, std::move(what));
}

tl::unexpected<Error> Connection::connection_failure() {
  const std::string what = tidy(PQerrorMessage(handle_));
  return broken(PQconnectionNeedsPassword(handle_) || what.find("authentication failed") != std::string::npos
                    ? Errc::Denied
                    : Errc::Unavailable,
                what);
}

Result<std::unique_ptr<resource::Connection>> Connection::open(const Options& options, const resource::Limit& limit) {
  SB_TRY(const auto addresses, resource::resolve(options.server));
  Error last{Errc::Unavailable, "no address"};
  for (const std::string& address : addresses) {
    const Parameters parameters = parameters_of(options, address);
    std::vector<const char*> names;
    std::vector<const char*> values;
    for (const std::string& name : parameters.names) names.push_back(name.c_str());
    for (const std::string& value : parameters.values) values.push_back(value.c_str());
    names.push_back(nullptr);
    values.push_back(nullptr);
    auto made = std::make_unique<Connection>(PQconnectStartParams(names.data(), values.data(), 0));
    if (!made->handle_) return fail(Errc::Io, "libpq has no memory");
    made->tls_ = options.tls.enable;
    auto ready = made->log_in(limit);
    if (ready) ready = made->run(fmt::format("SET statement_timeout = {}", options.statement_timeout.count()), limit);
    if (ready) return made;
    last = std::move(ready.error());
    if (last.code != Errc::Unavailable || !limit.check()) break;
  }
  return fail(last.code, fmt::format("{}: {}", to_string(options.server), last.what));
}

Result<> Connection::log_in(const resource::Limit& limit) {
  if (PQstatus(handle_) == CONNECTION_BAD) return connection_failure();
  PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
  while (wants != PGRES_POLLING_OK) {
    auto ready = limit.wait(PQsocket(handle_), wants == PGRES_POLLING_WRITING ? POLLOUT : POLLIN);
    if (!ready) return broken(ready.error().code, std::move(ready.error().what));
    wants = PQconnectPoll(handle_);
    if (wants == PGRES_POLLING_FAILED) return connection_failure();
  }
  if (PQsetnonblocking(handle_, 1) != 0) return connection_failure();
  // Notices of the server are not written to standard error.
  PQsetNoticeProcessor(
      handle_, [](void*, const char*) {}, nullptr);
  return {};
}

Result<> Connection::take_row(pg_result* result, sql::Rows& rows) {
  const int columns = PQnfields(result);
  if (rows.columns.empty())
    for (int c = 0; c < columns; ++c) rows.columns.emplace_back(PQfname(result, c));
  for (int r = 0; r < PQntuples(result); ++r) {
    if (rows.rows.size() >= sql::kRowsMax) return broken(Errc::Full, fmt::format("more than {} rows", sql::kRowsMax));
    auto& row = rows.rows.emplace_back();
    for (int c = 0; c < columns; ++c) {
      if (PQgetisnull(result, r, c) != 0) {
        row.emplace_back();
        continue;
      }
      std::string text(PQgetvalue(result, r, c), static_cast<std::size_t>(PQgetlength(result, r, c)));
      rows.bytes += text.size();
      if (rows.bytes > sql::kBytesMax) return broken(Errc::Full, fmt::format("more than {} bytes", sql::kBytesMax));
      if (PQftype(result, c) == kBool) text = text == "t" ? "true" : "false";
      row.emplace_back(std::move(text));
    }
  }
  return {};
}

Result<Connection::Answer> Connection::answer(const resource::Limit& limit, sql::Rows* rows) {
  for (int unsent = 1; unsent != 0;) {
    unsent = PQflush(handle_);
    if (unsent < 0) return connection_failure();
    if (unsent == 0) break;
    // Reads while it writes, or both sides wait for each other.
    auto ready = limit.wait(PQsocket(handle_), POLLIN | POLLOUT);
    if (!ready) return broken(ready.error().code, std::move(ready.error().what));
    if ((*ready & POLLIN) != 0 && PQconsumeInput(handle_) == 0) return connection_failure();
  }
  Answer last;
  for (;;) {
    while (PQisBusy(handle_) != 0) {
      auto ready = limit.wait(PQsocket(handle_), POLLIN);
      if (!ready) return broken(ready.error().code, std::move(ready.error().what));
      if (PQconsumeInput(handle_) == 0) return connection_failure();
    }
    Answer one(PQgetResult(handle_));
    if (!one) break;
    if (rows && PQresultStatus(one.get()) == PGRES_SINGLE_TUPLE) SB_CHECKED(take_row(one.get(), *rows));
    last = std::move(one);
  }
  if (!last || PQstatus(handle_) == CONNECTION_BAD) return connection_failure();
  const ExecStatusType status = PQresultStatus(last.get());
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY) return last;
  if (status != PGRES_FATAL_ERROR && status != PGRES_NONFATAL_ERROR && status != PGRES_BAD_RESPONSE)
    return broken(Errc::Invalid, "the statement copies");
  const char* const state = PQresultErrorField(last.get(), PG_DIAG_SQLSTATE);
  const char* const words = PQresultErrorField(last.get(), PG_DIAG_MESSAGE_PRIMARY);
  const std::string_view code = state ? state : "";
  std::string what = fmt::format("SQLSTATE {}", code);
  if (words && tells_no_values(code)) what += ": " + tidy(words);
  if (code == "57014") return broken(Errc::Timeout, what);  // statement_timeout
  // The server ends, or no longer has or no longer wants what was prepared: a new connection begins anew.
  if (code.empty() || code.starts_with("57") || code.starts_with("08") || code == "26000" || code == "0A000")
    return broken(Errc::Unavailable, what);
  return fail(Errc::Invalid, std::move(what));
}

Result<> Connection::run(const std::string& command, const resource::Limit& limit) {
  if (PQsendQuery(handle_, command.c_str()) == 0) return connection_failure();
  SB_TRY(const Answer done, answer(limit));
  (void)done;
  return {};
}

Result<std::string> Connection::prepared(const std::string& statement, const resource::Limit& limit) {
  if (const auto known = prepared_.find(statement); known != prepared_.end()) return known->second;
  const std::string name = fmt::format("sb{}", prepared_.size());
  if (PQsendPrepare(handle_, name.c_str(), statement.c_str(), 0, nullptr) == 0) return connection_failure();
  SB_TRY(const Answer done, answer(limit));
  (void)done;
  prepared_.emplace(statement, name);
  return name;
}

Result<sql::Rows> Connection::query(const std::string& statement, const std::vector<sql::Cell>& values,
                                    const resource::Limit& limit) {
  std::vector<const char*> texts;
  for (const sql::Cell& value : values) {
    // Parameters in text end at a zero byte: what is behind it would be cut off.
    if (value && value->find('\0') != std::string::npos) return fail(Errc::Invalid, "a value holds a zero byte");
    texts.push_back(value ? value->c_str() : nullptr);
  }
  SB_TRY(const std::string name, prepared(statement, limit));
  if (PQsendQueryPrepared(handle_, name.c_str(), static_cast<int>(texts.size()), texts.data(), nullptr, nullptr, 0) ==
      0)
    return connection_failure();
  PQsetSingleRowMode(handle_);  // a huge answer is given up, not collected
  sql::Rows out;
  SB_TRY(const Answer end, answer(limit, &out));
  if (out.columns.empty()) SB_CHECKED(take_row(end.get(), out));  // no rows: their names
  return out;
}

Result<> Connection::check(const resource::Limit& limit) {
  return run("SELECT 1", limit);
}

bool Connection::usable() {
  return !broken_ && PQstatus(handle_) == CONNECTION_OK &&
         (tls_ ? resource::is_open(PQsocket(handle_)) : resource::idle_and_open(PQsocket(handle_)));
}

}  // namespace sb::driver::postgresql
