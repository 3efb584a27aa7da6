// One connection to a directory, LDAP version 3. Belongs to the thread that uses it. Referrals and aliases are not
// followed. After a time-out or a broken answer it is of no more use.
#pragma once

#include "base/secret.h"
#include "driver/resource/connection.h"
#include "driver/resource/dial.h"
#include "driver/resource/stream.h"
#include "driver/resource/tls.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

struct ldap;
struct ldapmsg;

namespace sb::driver::ldap {

constexpr std::uint16_t kDefaultPort = 389;

struct Options {
  resource::Server server;
  std::string username{};  // a DN; "" = anonymous
  Secret password{};
  resource::Tls tls{};     // LDAPS, or
  bool start_tls = false;  // StartTLS, RFC 4511 4.14
};

struct Entry {
  std::string dn;
  std::vector<std::pair<std::string, std::vector<std::string>>> attributes;
  /// Names do not depend on case. Null: the entry has none.
  const std::vector<std::string>* find(std::string_view name) const;
};

class Connection final : public resource::Connection {
 public:
  /// Connected and bound as `username`. Unavailable, Denied, Timeout.
  [[nodiscard]] static Result<std::unique_ptr<resource::Connection>> open(const Options& options,
                                                                          const resource::Limit& limit);
  /// For open().
  Connection(struct ::ldap* handle, resource::Stream stream) : stream_(std::move(stream)), handle_(handle) {}
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Of the subtree; none where `base` does not exist. Full: more than `most` entries. Invalid: the directory refuses
  /// the question.
  [[nodiscard]] Result<std::vector<Entry>> search(const std::string& base, const std::string& filter,
                                                  const std::vector<std::string>& attributes, unsigned most,
                                                  const resource::Limit& limit);
  /// A simple bind: from now on the connection speaks for `dn`, or for nobody. Denied: any answer but success. An empty
  /// password is refused here: directories take it for an anonymous bind that succeeds (RFC 4513 5.1.2).
  [[nodiscard]] Result<> bind(const std::string& dn, std::string_view password, const resource::Limit& limit);

  [[nodiscard]] Result<> check(const resource::Limit& limit) override;
  bool usable() override;

 private:
  struct Free {
    void operator()(ldapmsg* message) const;
  };
  using Message = std::unique_ptr<ldapmsg, Free>;
  [[nodiscard]] Result<> start_tls(const Options& options, const resource::Limit& limit);
  /// The whole answer to request `id`.
  [[nodiscard]] Result<Message> answer(int id, const resource::Limit& limit);
  struct Outcome {
    int code = 0;
    std::string text;
  };
  [[nodiscard]] Result<Outcome> outcome(ldapmsg* message);
  tl::unexpected<Error> broken(Errc code, std::string what);

  resource::Stream stream_;  // the socket, and TLS on it
  struct ::ldap* handle_;    // reads and writes through the stream
  bool broken_ = false;
};

}  // namespace sb::driver::ldap
