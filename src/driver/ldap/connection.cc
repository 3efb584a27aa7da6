#include "driver/ldap/connection.h"

#include "driver/ldap/peer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <ldap.h>
#include <openldap.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace sb::driver::ldap {

namespace {
/// An answer is an entry or two with a few attributes.
constexpr ber_len_t kAnswerMax = 4 << 20;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

/// The name that TLS tells: none where that is an address.
std::string host_of(const Options& o) {
  if (!o.tls.tells_name()) return "127.0.0.1";
  const std::string& host = o.tls.peer(o.server.host);
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

/// The versions, in the words of GnuTLS.
std::string priorities(const resource::Tls& tls) {
  std::string out = "NORMAL:-VERS-ALL";
  for (int version = static_cast<int>(tls.oldest); version <= static_cast<int>(tls.newest); ++version)
    out += fmt::format(":+VERS-TLS1.{}", version);
  return out;
}

timeval as_timeval(Millis time) {
  timeval out{};
  out.tv_sec = time.count() / 1000;
  out.tv_usec = (time.count() % 1000) * 1000;
  return out;
}

/// Makes a socket wait while it lives, so long at a time.
class Blocking {
 public:
  Blocking(int fd, Millis longest) : fd_(fd) { set(false, std::max(longest, Millis{1})); }
  ~Blocking() { set(true, Millis{0}); }
  Blocking(const Blocking&) = delete;
  Blocking& operator=(const Blocking&) = delete;

 private:
  void set(bool non_blocking, Millis longest) const {
    const int flags = ::fcntl(fd_, F_GETFL);
    ::fcntl(fd_, F_SETFL, non_blocking ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
    const timeval time = as_timeval(longest);
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  }
  int fd_;
};
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

int Connection::descriptor() const {
  int fd = -1;
  return ldap_get_option(handle_, LDAP_OPT_DESC, &fd) == LDAP_OPT_SUCCESS ? fd : -1;
}

Result<std::unique_ptr<resource::Connection>> Connection::open(const Options& options, const resource::Limit& limit) {
  SB_TRY(const resource::Socket socket, resource::dial(options.server, limit));
  // The library closes what it is given; the socket keeps its own.
  const int fd = ::dup(socket.fd());
  if (fd < 0) return fail(Errc::Io, "no descriptor left");
  const std::string url = fmt::format("ldap://{}:{}", host_of(options), options.server.port);
  struct ::ldap* handle = nullptr;
  if (const int code = ldap_init_fd(fd, LDAP_PROTO_TCP, url.c_str(), &handle); code != LDAP_SUCCESS || !handle) {
    ::close(fd);
    return fail(Errc::Invalid, fmt::format("{}: {}", to_string(options.server), ldap_err2string(code)));
  }
  auto made = std::make_unique<Connection>(handle);
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
  }
  const auto with_server = [&](const Error& error) {
    return fail(error.code, fmt::format("{}: {}", to_string(options.server), error.what));
  };
  if (options.tls.enable)
    if (const auto secured = made->secure(options, limit); !secured) return with_server(secured.error());
  if (!options.username.empty() || !options.password.empty())
    if (const auto bound = made->bind(options.username, options.password.reveal(), limit); !bound)
      return with_server(bound.error());
  return made;
}

std::string Connection::handshake_fault(int code) const {
  char* detail = nullptr;
  ldap_get_option(handle_, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
  std::string out = detail && *detail ? detail : code > 0 && code < 0x60 ? "no handshake" : ldap_err2string(code);
  ldap_memfree(detail);
  // GnuTLS has no words for what the library itself finds wrong with a chain.
  return out == "(unknown error code)" ? "the certificate is not trusted" : out;
}

Result<> Connection::secure(const Options& options, const resource::Limit& limit) {
  const resource::Tls& tls = options.tls;
  const auto set = [this](int option, const std::string& text) {
    if (!text.empty()) ldap_set_option(handle_, option, text.c_str());
  };
  const int demand = tls.verify ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER;
  ldap_set_option(handle_, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand);
  // Debian's library is built with GnuTLS: without a file it trusts nobody.
  set(LDAP_OPT_X_TLS_CACERTFILE, tls.ca_file.empty() ? "/etc/ssl/certs/ca-certificates.crt" : tls.ca_file);
  set(LDAP_OPT_X_TLS_CERTFILE, tls.certificate_file);
  set(LDAP_OPT_X_TLS_KEYFILE, tls.key_file);
  if (!tls.certificate_file.empty()) {
    // The library takes the key itself before the file, which GnuTLS could not read where it is encrypted or stands
    // behind the certificate.
    auto key = resource::key_der(tls);
    if (!key) return broken(key.error().code, std::move(key.error().what));
    berval bytes{key->reveal().size(), const_cast<char*>(key->reveal().data())};  // copied
    ldap_set_option(handle_, LDAP_OPT_X_TLS_KEY, &bytes);
  }
  set(LDAP_OPT_X_TLS_CIPHER_SUITE, priorities(tls));
  const int client = 0;
  if (ldap_set_option(handle_, LDAP_OPT_X_TLS_NEWCTX, &client) != LDAP_OPT_SUCCESS)  // last: takes what was set
    return broken(Errc::Invalid, "TLS: a certificate or key cannot be used");
  // The context has taken `demand`: it refuses a chain that is not trusted, whatever is set from here on. Of the handle
  // the library asks only whether to compare the name, which is done below: itself, it compares a certificate for
  // "localhost" with the machine's own name.
  const int no_name = LDAP_OPT_X_TLS_ALLOW;
  if (tls.verify) ldap_set_option(handle_, LDAP_OPT_X_TLS_REQUIRE_CERT, &no_name);
  if (options.start_tls) {
    int id = 0;
    if (const int code = ldap_start_tls(handle_, nullptr, nullptr, &id); code != LDAP_SUCCESS)
      return broken(Errc::Unavailable, fmt::format("StartTLS: {}", ldap_err2string(code)));
    SB_TRY(const Message message, answer(id, limit));
    SB_TRY(const Outcome result, outcome(message.get()));
    if (result.code != LDAP_SUCCESS) return broken(Errc::Denied, "StartTLS: " + result.text);
  }
  // The library's handshake wants a socket that blocks; each of its waits is bounded.
  const Blocking blocking(descriptor(), limit.left());
  if (const int code = ldap_install_tls(handle_); code != LDAP_SUCCESS) {
    if (limit.left() == Millis{0}) return broken(Errc::Timeout, "TLS: no handshake in time");
    return broken(Errc::Unavailable, "TLS: " + handshake_fault(code));
  }
  if (tls.verify) {
    berval certificate{0, nullptr};
    ldap_get_option(handle_, LDAP_OPT_X_TLS_PEERCERT, &certificate);
    const std::string& peer = tls.peer(options.server.host);
    const bool named = certificate.bv_val && names_peer({certificate.bv_val, certificate.bv_len}, peer);
    ldap_memfree(certificate.bv_val);
    if (!named) return broken(Errc::Denied, fmt::format("TLS: the certificate is not for {}", peer));
  }
  tls_ = true;
  return {};
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
    const auto ready = limit.wait(descriptor(), POLLIN);
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
  if (broken_) return false;
  return tls_ ? resource::is_open(descriptor()) : resource::idle_and_open(descriptor());
}

}  // namespace sb::driver::ldap
