#include "driver/ldap/connection.h"

#include <fmt/format.h>
#include <ldap.h>
#include <openldap.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sb::driver::ldap {

namespace {
/// An answer is an entry or two with a few attributes.
constexpr ber_len_t kAnswerMax = 4 << 20;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// The library's way to the peer: a stream, in the clear or by TLS. It reads no more than the library asks for, so
/// nothing that came in the clear is taken for something that came by TLS.
struct Layer {
  static resource::Stream& stream(Sockbuf_IO_Desc* d) { return *static_cast<resource::Stream*>(d->sbiod_pvt); }
  static int setup(Sockbuf_IO_Desc* d, void* stream) {
    d->sbiod_pvt = stream;
    return 0;
  }
  static int none(Sockbuf_IO_Desc*) { return 0; }
  static int control(Sockbuf_IO_Desc* d, int option, void* argument) {
    if (option == LBER_SB_OPT_DATA_READY) return stream(d).buffered() ? 1 : 0;
    return LBER_SBIOD_CTRL_NEXT(d, option, argument);
  }
  static ber_slen_t done(const Result<std::size_t>& size) {
    if (size && *size != 0) return static_cast<ber_slen_t>(*size);
    errno = size ? EAGAIN : ECONNRESET;
    return -1;
  }
  static ber_slen_t read(Sockbuf_IO_Desc* d, void* to, ber_len_t size) {
    short wants = 0;
    return done(stream(d).try_read(static_cast<char*>(to), size, wants));
  }
  static ber_slen_t write(Sockbuf_IO_Desc* d, void* from, ber_len_t size) {
    short wants = 0;
    return done(stream(d).try_write({static_cast<const char*>(from), size}, wants));
  }
};
Sockbuf_IO layer{Layer::setup, Layer::none, Layer::control, Layer::read, Layer::write, Layer::none};

timeval as_timeval(Millis time) {
  timeval out{};
  out.tv_sec = time.count() / 1000;
  out.tv_usec = (time.count() % 1000) * 1000;
  return out;
}

}  // namespace

const std::vector<std::string>* Entry::find(std::string_view name) const {
  for (const auto& [known, values] : attributes)
    if (known.size() == name.size() &&
        std::equal(known.begin(), known.end(), name.begin(), [](char a, char b) { return lower(a) == lower(b); }))
      return &values;
  return nullptr;
}

void Connection::Free::operator()(ldapmsg* message) const {
  ldap_msgfree(message);
}

Connection::~Connection() {
  if (handle_) ldap_unbind_ext(handle_, nullptr, nullptr);
}

tl::unexpected<Error> Connection::broken(Errc code, std::string what) {
  broken_ = true;
  return fail(code, std::move(what));
}

Result<std::unique_ptr<resource::Connection>> Connection::open(const Options& options, const resource::Limit& limit) {
  resource::Tls at_once = options.tls;
  at_once.enable = options.tls.enable && !options.start_tls;
  SB_TRY(resource::Stream stream, resource::Stream::open(options.server, at_once, limit));
  struct ::ldap* handle = nullptr;
  // The address is not used: the stream is connected.
  const int code = ldap_init_fd(stream.fd(), LDAP_PROTO_EXT, "ldap://127.0.0.1", &handle);
  if (code != LDAP_SUCCESS || !handle)
    return fail(Errc::Invalid, fmt::format("{}: {}", to_string(options.server), ldap_err2string(code)));
  auto made = std::make_unique<Connection>(handle, std::move(stream));
  const int version = LDAP_VERSION3;
  const int never = LDAP_DEREF_NEVER;
  ldap_set_option(handle, LDAP_OPT_PROTOCOL_VERSION, &version);
  ldap_set_option(handle, LDAP_OPT_REFERRALS, LDAP_OPT_OFF);
  ldap_set_option(handle, LDAP_OPT_DEREF, &never);
  ldap_set_option(handle, LDAP_OPT_RESTART, LDAP_OPT_OFF);
  const timeval network = as_timeval(limit.left());
  ldap_set_option(handle, LDAP_OPT_NETWORK_TIMEOUT, &network);
  Sockbuf* buffer = nullptr;
  if (ldap_get_option(handle, LDAP_OPT_SOCKBUF, &buffer) == LDAP_OPT_SUCCESS && buffer) {
    ber_len_t most = kAnswerMax;
    ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING, &most);
    ber_sockbuf_add_io(buffer, &layer, LBER_SBIOD_LEVEL_PROVIDER, &made->stream_);
  }
  const auto with_server = [&](const Error& error) {
    return fail(error.code, fmt::format("{}: {}", to_string(options.server), error.what));
  };
  if (options.tls.enable && options.start_tls)
    if (const auto secured = made->start_tls(options, limit); !secured) return with_server(secured.error());
  if (!options.username.empty() || !options.password.empty())
    if (const auto bound = made->bind(options.username, options.password.reveal(), limit); !bound)
      return with_server(bound.error());
  return made;
}

Result<> Connection::start_tls(const Options& options, const resource::Limit& limit) {
  int id = 0;
  if (const int code = ldap_start_tls(handle_, nullptr, nullptr, &id); code != LDAP_SUCCESS)
    return broken(Errc::Unavailable, fmt::format("StartTLS: {}", ldap_err2string(code)));
  SB_TRY(const Message message, answer(id, limit));
  SB_TRY(const Outcome result, outcome(message.get()));
  if (result.code != LDAP_SUCCESS) return broken(Errc::Denied, "StartTLS: " + result.text);
  return stream_.start_tls(options.server, options.tls, limit);
}

Result<Connection::Message> Connection::answer(int id, const resource::Limit& limit) {
  timeval now{};  // zero: poll
  for (;;) {
    LDAPMessage* message = nullptr;
    const int kind = ldap_result(handle_, id, LDAP_MSG_ALL, &now, &message);
    if (kind > 0) return Message(message);
    if (kind < 0) {
      int code = LDAP_OTHER;
      ldap_get_option(handle_, LDAP_OPT_RESULT_CODE, &code);
      return broken(Errc::Unavailable, ldap_err2string(code));
    }
    // What TLS has read already does not make the descriptor ready.
    Sockbuf* buffer = nullptr;
    if (ldap_get_option(handle_, LDAP_OPT_SOCKBUF, &buffer) == LDAP_OPT_SUCCESS && buffer &&
        ber_sockbuf_ctrl(buffer, LBER_SB_OPT_DATA_READY, nullptr) > 0) {
      if (const auto left = limit.check(); !left) return broken(left.error().code, left.error().what);
      continue;
    }
    const auto ready = limit.wait(stream_.fd(), POLLIN);
    if (!ready) return broken(ready.error().code, ready.error().what);
  }
}

Result<Connection::Outcome> Connection::outcome(ldapmsg* message) {
  Outcome out;
  char* detail = nullptr;
  const int code = ldap_parse_result(handle_, message, &out.code, nullptr, &detail, nullptr, nullptr, 0);
  if (code != LDAP_SUCCESS) return broken(Errc::Unavailable, fmt::format("answer: {}", ldap_err2string(code)));
  out.text = ldap_err2string(out.code);
  if (detail && *detail) out.text += fmt::format(" ({})", detail);
  ldap_memfree(detail);
  return out;
}

Result<> Connection::bind(const std::string& dn, std::string_view password, const resource::Limit& limit) {
  if (password.empty()) return fail(Errc::Denied, "an empty password is none");
  std::string copy(password);
  berval secret{copy.size(), copy.data()};
  int id = 0;
  const int sent = ldap_sasl_bind(handle_, dn.c_str(), LDAP_SASL_SIMPLE, &secret, nullptr, nullptr, &id);
  explicit_bzero(copy.data(), copy.size());
  if (sent != LDAP_SUCCESS) return broken(Errc::Unavailable, ldap_err2string(sent));
  SB_TRY(const Message message, answer(id, limit));
  SB_TRY(const Outcome result, outcome(message.get()));
  if (result.code != LDAP_SUCCESS) return fail(Errc::Denied, result.text);
  return {};
}

Result<std::vector<Entry>> Connection::search(const std::string& base, const std::string& filter,
                                              const std::vector<std::string>& attributes, unsigned most,
                                              const resource::Limit& limit) {
  std::vector<char*> names;
  for (const std::string& name : attributes) names.push_back(const_cast<char*>(name.c_str()));
  names.push_back(nullptr);
  timeval time = as_timeval(limit.left());
  int id = 0;
  const int sent = ldap_search_ext(handle_, base.c_str(), LDAP_SCOPE_SUBTREE, filter.c_str(), names.data(), 0, nullptr,
                                   nullptr, &time, static_cast<int>(most + 1), &id);
  if (sent == LDAP_FILTER_ERROR) return fail(Errc::Invalid, ldap_err2string(sent));
  if (sent != LDAP_SUCCESS) return broken(Errc::Unavailable, ldap_err2string(sent));
  SB_TRY(const Message message, answer(id, limit));
  SB_TRY(const Outcome result, outcome(message.get()));
  if (result.code == LDAP_NO_SUCH_OBJECT) return std::vector<Entry>{};
  if (result.code == LDAP_SIZELIMIT_EXCEEDED) return fail(Errc::Full, fmt::format("more than {} entries", most));
  if (result.code != LDAP_SUCCESS) return fail(Errc::Invalid, result.text);
  std::vector<Entry> out;
  for (LDAPMessage* entry = ldap_first_entry(handle_, message.get()); entry; entry = ldap_next_entry(handle_, entry)) {
    if (out.size() == most) return fail(Errc::Full, fmt::format("more than {} entries", most));
    Entry& one = out.emplace_back();
    if (char* dn = ldap_get_dn(handle_, entry)) {
      one.dn = dn;
      ldap_memfree(dn);
    }
    BerElement* place = nullptr;
    for (char* name = ldap_first_attribute(handle_, entry, &place); name;
         name = ldap_next_attribute(handle_, entry, place)) {
      std::vector<std::string> texts;
      if (berval** values = ldap_get_values_len(handle_, entry, name)) {
        for (berval** value = values; *value; ++value) texts.emplace_back((*value)->bv_val, (*value)->bv_len);
        ldap_value_free_len(values);
      }
      one.attributes.emplace_back(name, std::move(texts));
      ldap_memfree(name);
    }
    if (place) ber_free(place, 0);
  }
  return out;
}

Result<> Connection::check(const resource::Limit& limit) {
  // The root of the directory's own description; that it answers is enough, whatever it answers (RFC 4512 5.1).
  char none[] = LDAP_NO_ATTRS;
  char* names[] = {none, nullptr};
  int id = 0;
  const int sent =
      ldap_search_ext(handle_, "", LDAP_SCOPE_BASE, "(objectClass=*)", names, 0, nullptr, nullptr, nullptr, 1, &id);
  if (sent != LDAP_SUCCESS) return broken(Errc::Unavailable, ldap_err2string(sent));
  SB_TRY(const Message message, answer(id, limit));
  SB_TRY(const Outcome result, outcome(message.get()));
  if (result.code == LDAP_UNAVAILABLE || result.code == LDAP_BUSY) return broken(Errc::Unavailable, result.text);
  return {};
}

bool Connection::usable() {
  return !broken_ && stream_.usable();
}

}  // namespace sb::driver::ldap
