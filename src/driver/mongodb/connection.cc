#include "driver/mongodb/connection.h"

#include "driver/mongodb/detail/streams.h"
#include "driver/mongodb/library.h"

#include <fmt/format.h>
#include <mongoc/mongoc.h>

#include <algorithm>

namespace sb::driver::mongodb {

namespace {
constexpr std::size_t kBytesMax = 4 << 20;  // of an answer
constexpr int kServerAuthenticationFailed = 18;
constexpr int kServerUnauthorized = 13;
constexpr int kServerMaxTimeExpired = 50;

template <auto Destroy>
struct Call {
  template <class T>
  void operator()(T* what) const {
    Destroy(what);
  }
};
using Uri = std::unique_ptr<mongoc_uri_t, Call<mongoc_uri_destroy>>;
using Collection = std::unique_ptr<mongoc_collection_t, Call<mongoc_collection_destroy>>;
using Cursor = std::unique_ptr<mongoc_cursor_t, Call<mongoc_cursor_destroy>>;
using Preference = std::unique_ptr<mongoc_read_prefs_t, Call<mongoc_read_prefs_destroy>>;
struct FreeBson {
  void operator()(_bson_t* what) const { bson_destroy(static_cast<bson_t*>(static_cast<void*>(what))); }
};
using Bson = std::unique_ptr<_bson_t, FreeBson>;  // the alias of the type carries an alignment of its own

Errc code_of(const bson_error_t& error) {
  if (error.domain == MONGOC_ERROR_CLIENT && error.code == MONGOC_ERROR_CLIENT_AUTHENTICATE) return Errc::Denied;
  if (error.domain == MONGOC_ERROR_STREAM || error.domain == MONGOC_ERROR_SERVER_SELECTION ||
      error.domain == MONGOC_ERROR_PROTOCOL)
    return Errc::Unavailable;
  if (error.domain == MONGOC_ERROR_SERVER || error.domain == MONGOC_ERROR_QUERY) {
    if (error.code == kServerAuthenticationFailed || error.code == kServerUnauthorized) return Errc::Denied;
    if (error.code == kServerMaxTimeExpired) return Errc::Timeout;
  }
  return Errc::Invalid;
}

/// What an error of the server means, where that helps.
std::string_view meaning(std::uint32_t code) {
  switch (code) {
    case kServerUnauthorized:
      return ": the user may not do this";
    case kServerAuthenticationFailed:
      return ": the log-in failed";
    case kServerMaxTimeExpired:
      return ": it took too long";
    default:
      return "";
  }
}

/// The server's own text cites what it was asked, a password of a client's among it: of its errors the code is told,
/// and the name of the code where `answer` has one.
tl::unexpected<Error> failure(const bson_error_t& error, const bson_t* answer = nullptr) {
  if (error.domain != MONGOC_ERROR_SERVER && error.domain != MONGOC_ERROR_QUERY &&
      error.domain != MONGOC_ERROR_WRITE_CONCERN && error.domain != MONGOC_ERROR_BSON)
    return fail(code_of(error), error.message);
  std::string name;
  bson_iter_t at;
  if (answer && bson_iter_init_find(&at, answer, "codeName") && BSON_ITER_HOLDS_UTF8(&at)) {
    name = bson_iter_utf8(&at, nullptr);
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    name = name.size() <= 64 && std::all_of(name.begin(), name.end(), plain) ? " " + name : std::string();
  }
  return fail(code_of(error),
              fmt::format("the server refuses with code {}{}{}", error.code, name, meaning(error.code)));
}

std::int32_t milliseconds(Millis time) {
  return static_cast<std::int32_t>(std::clamp<Millis::rep>(time.count(), 1, 600'000));
}

Result<Uri> uri_of(const Options& o) {
  std::string text = o.srv_record ? "mongodb+srv://" : "mongodb://";
  for (std::size_t i = 0; i < o.servers.size(); ++i) {
    const auto& server = o.servers[i];
    const bool v6 = server.host.find(':') != std::string::npos;
    text += fmt::format("{}{}{}{}", i > 0 ? "," : "", v6 ? "[" : "", server.host, v6 ? "]" : "");
    if (!o.srv_record) text += fmt::format(":{}", server.port);
  }
  bson_error_t error{};
  Uri uri(mongoc_uri_new_with_error(text.c_str(), &error));
  if (!uri) return fail(Errc::Invalid, error.message);
  bool good = mongoc_uri_set_database(uri.get(), o.database.c_str());
  const auto integer = [&](const char* name, Millis value) {
    if (value.count() > 0) good &= mongoc_uri_set_option_as_int32(uri.get(), name, milliseconds(value));
  };
  integer(MONGOC_URI_CONNECTTIMEOUTMS, o.connect_timeout);
  integer(MONGOC_URI_SOCKETTIMEOUTMS, o.socket_timeout);
  integer(MONGOC_URI_SERVERSELECTIONTIMEOUTMS, o.selection_timeout);
  integer(MONGOC_URI_LOCALTHRESHOLDMS, o.local_threshold);
  integer(MONGOC_URI_HEARTBEATFREQUENCYMS, o.heartbeat);
  if (!o.replica_set.empty())
    good &= mongoc_uri_set_option_as_utf8(uri.get(), MONGOC_URI_REPLICASET, o.replica_set.c_str());
  if (o.single && !o.srv_record) good &= mongoc_uri_set_option_as_bool(uri.get(), MONGOC_URI_DIRECTCONNECTION, true);
  if (!o.username.empty()) {
    good &= mongoc_uri_set_username(uri.get(), o.username.c_str());
    good &= mongoc_uri_set_password(uri.get(), o.password.reveal().c_str());
    good &= mongoc_uri_set_auth_source(uri.get(), o.auth_source.empty() ? o.database.c_str() : o.auth_source.c_str());
  }
  good &= mongoc_uri_set_option_as_utf8(uri.get(), MONGOC_URI_APPNAME, "signalbox");
  if (!good) return fail(Errc::Invalid, "a setting is none for MongoDB");
  return uri;
}

/// Appends `value` with texts taken from the front of `texts`. `expression`: it stands below $expr, where a text that
/// begins with a dollar names a field.
bool append(bson_t& to, const std::string& name, const config::Value& value, std::span<const std::string>& texts,
            bool expression) {
  const char* key = name.c_str();
  const int length = static_cast<int>(name.size());
  if (value.is_string()) {
    if (texts.empty()) return false;
    const std::string& text = texts.front();
    texts = texts.subspan(1);
    if (expression && text.starts_with('$') && value.text().find("${") != std::string::npos) {
      bson_t literal;
      bool good = bson_append_document_begin(&to, key, length, &literal);
      good = good && bson_append_utf8(&literal, "$literal", -1, text.c_str(), static_cast<int>(text.size()));
      return bson_append_document_end(&to, &literal) && good;
    }
    return bson_append_utf8(&to, key, length, text.c_str(), static_cast<int>(text.size()));
  }
  if (const auto* flag = value.if_bool()) return bson_append_bool(&to, key, length, *flag);
  if (const auto* number = value.if_int()) return bson_append_int64(&to, key, length, *number);
  if (const auto* number = value.if_double()) return bson_append_double(&to, key, length, *number);
  bson_t child;
  if (const auto* object = value.if_object()) {
    bool good = bson_append_document_begin(&to, key, length, &child);
    for (const auto& [inner, member] : *object)
      good = good && append(child, inner, member, texts, inner != "$literal" && (expression || inner == "$expr"));
    return bson_append_document_end(&to, &child) && good;
  }
  if (const auto* list = value.if_array()) {
    bool good = bson_append_array_begin(&to, key, length, &child);
    for (std::size_t i = 0; i < list->size(); ++i)
      good = good && append(child, std::to_string(i), (*list)[i], texts, expression);
    return bson_append_array_end(&to, &child) && good;
  }
  return bson_append_null(&to, key, length);
}

void add_text(const bson_iter_t& at, std::vector<std::string>& to) {
  if (BSON_ITER_HOLDS_UTF8(&at)) {
    std::uint32_t size = 0;
    const char* text = bson_iter_utf8(&at, &size);
    to.emplace_back(text, size);
  } else if (BSON_ITER_HOLDS_BOOL(&at)) {
    to.emplace_back(bson_iter_bool(&at) ? "true" : "false");
  } else if (BSON_ITER_HOLDS_INT32(&at) || BSON_ITER_HOLDS_INT64(&at)) {
    to.emplace_back(std::to_string(bson_iter_as_int64(&at)));
  } else if (BSON_ITER_HOLDS_DOUBLE(&at)) {
    to.emplace_back(fmt::format("{}", bson_iter_double(&at)));
  }
}

Document read(const bson_t& from) {
  Document out;
  bson_iter_t at;
  if (!bson_iter_init(&at, &from)) return out;
  while (bson_iter_next(&at)) {
    if (BSON_ITER_HOLDS_NULL(&at)) continue;
    std::vector<std::string> texts;
    bson_iter_t inner;
    if (BSON_ITER_HOLDS_ARRAY(&at)) {
      if (bson_iter_recurse(&at, &inner))
        while (bson_iter_next(&inner)) add_text(inner, texts);
    } else {
      add_text(at, texts);
    }
    out.fields.push_back({bson_iter_key(&at), std::move(texts), BSON_ITER_HOLDS_UTF8(&at)});
  }
  return out;
}
}  // namespace

const std::vector<std::string>* Document::find(std::string_view name) const {
  for (const Field& field : fields)
    if (field.name == name) return &field.texts;
  return nullptr;
}

const std::string* Document::string(std::string_view name) const {
  for (const Field& field : fields)
    if (field.name == name) return field.string ? &field.texts.front() : nullptr;
  return nullptr;
}

const std::string* Document::text(std::string_view name) const {
  const auto* texts = find(name);
  return texts && texts->size() == 1 ? &texts->front() : nullptr;
}

Connection::Connection(struct _mongoc_client_t* client, std::unique_ptr<detail::Streams> streams, std::string database,
                       bool secondaries)
    : streams_(std::move(streams)), client_(client), database_(std::move(database)), secondaries_(secondaries) {
  streams_->serve(client_);
}

Connection::~Connection() {
  mongoc_client_destroy(client_);
}

Result<std::unique_ptr<resource::Connection>> Connection::open(const Options& options, const resource::Limit& limit) {
  prepare_library();
  if (options.servers.empty()) return fail(Errc::Invalid, "no server");
  Options bounded = options;
  for (Millis* time : {&bounded.connect_timeout, &bounded.selection_timeout})
    *time = std::min(*time, std::max(limit.left(), Millis{1}));
  SB_TRY(const Uri uri, uri_of(bounded));
  bson_error_t error{};
  mongoc_client_t* client = mongoc_client_new_from_uri_with_error(uri.get(), &error);
  if (!client) return fail(Errc::Invalid, error.message);
  auto made =
      std::make_unique<Connection>(client, std::make_unique<detail::Streams>(options.tls, bounded.connect_timeout),
                                   options.database, options.secondaries);
  mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
  SB_CHECKED(made->check(limit));
  return made;
}

Result<> Connection::check(const resource::Limit& limit) {
  SB_CHECKED(limit.check());
  const detail::Streams::Bound bound(*streams_, limit);
  Bson ping(BCON_NEW("ping", BCON_INT32(1)));
  bson_error_t error{};
  bson_t answer;
  const bool good = mongoc_client_command_simple(client_, database_.c_str(), ping.get(), nullptr, &answer, &error);
  const Bson keep(&answer);
  if (good) return {};
  broken_ = true;
  return failure(error, &answer);
}

Result<std::vector<Document>> Connection::find(const std::string& collection, const config::Value& filter,
                                               std::span<const std::string> texts, unsigned most,
                                               const resource::Limit& limit) {
  SB_CHECKED(limit.check());
  const detail::Streams::Bound bound(*streams_, limit);
  bson_t wanted = BSON_INITIALIZER;
  const Bson keep(&wanted);
  if (const auto* object = filter.if_object())
    for (const auto& [name, member] : *object)
      if (!append(wanted, name, member, texts, name == "$expr")) return fail(Errc::Invalid, "the filter is too long");
  Bson how(
      BCON_NEW("limit", BCON_INT64(most), "maxTimeMS", BCON_INT64(std::max<Millis::rep>(limit.left().count(), 1))));
  const Preference preference(
      mongoc_read_prefs_new(secondaries_ ? MONGOC_READ_SECONDARY_PREFERRED : MONGOC_READ_PRIMARY));
  const Collection from(mongoc_client_get_collection(client_, database_.c_str(), collection.c_str()));
  const Cursor cursor(mongoc_collection_find_with_opts(from.get(), &wanted, how.get(), preference.get()));
  std::vector<Document> out;
  std::size_t bytes = 0;
  const bson_t* row = nullptr;
  while (out.size() < most && mongoc_cursor_next(cursor.get(), &row)) {
    bytes += row->len;
    if (bytes > kBytesMax) return fail(Errc::Full, fmt::format("more than {} bytes", kBytesMax));
    out.push_back(read(*row));
  }
  bson_error_t error{};
  const bson_t* answer = nullptr;
  if (!mongoc_cursor_error_document(cursor.get(), &error, &answer)) return out;
  // What comes late belongs to a connection that the library has given up.
  broken_ = code_of(error) == Errc::Unavailable || code_of(error) == Errc::Timeout;
  return failure(error, answer);
}

}  // namespace sb::driver::mongodb
