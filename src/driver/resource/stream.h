// Bytes to and from a back end whose protocol we speak ourselves, in the clear or by TLS, under a Limit. Belongs to the
// thread that uses it.
#pragma once

#include "driver/resource/dial.h"
#include "driver/resource/tls.h"

#include <memory>
#include <string_view>

struct ssl_st;
struct ssl_ctx_st;

namespace sb::driver::resource {

class Stream {
 public:
  [[nodiscard]] static Result<Stream> open(const Server& server, const Tls& tls, const Limit& limit);
  /// From here on by TLS; for protocols that begin in the clear.
  [[nodiscard]] Result<> start_tls(const Server& server, const Tls& tls, const Limit& limit);
  [[nodiscard]] Result<> write(std::string_view bytes, const Limit& limit);
  /// At least one byte. Unavailable: the peer has closed.
  [[nodiscard]] Result<std::size_t> read(char* to, std::size_t size, const Limit& limit);
  /// What can be written or read at once, none included: then `wants` is POLLIN or POLLOUT, what has to come first.
  [[nodiscard]] Result<std::size_t> try_write(std::string_view bytes, short& wants);
  [[nodiscard]] Result<std::size_t> try_read(char* to, std::size_t size, short& wants);
  /// Nothing unasked for has come and the peer is there; does not wait.
  bool usable() const;
  int fd() const { return socket_.fd(); }
  /// TLS has read more than was asked for: there is something to read, whatever the descriptor says.
  bool buffered() const;

 private:
  struct Free {
    void operator()(ssl_st* session) const;
    void operator()(ssl_ctx_st* context) const;
  };
  explicit Stream(Socket socket) : socket_(std::move(socket)) {}
  /// What an SSL call that returned `code` waits for, or why it failed.
  [[nodiscard]] Result<short> waits_for(int code) const;

  Socket socket_;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<ssl_st, Free> session_;
};

}  // namespace sb::driver::resource
