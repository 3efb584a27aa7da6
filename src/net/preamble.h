// A connection from which the PROXY protocol's header (codec/proxy) is still to come: looks at it without taking what
// follows, so that the stream behind it starts with a clean socket. Calls `done` once, from the loop, and is destroyed
// by its owner. Belongs to one shard.
#pragma once

#include "net/layer.h"
#include "runtime/loop.h"

#include <functional>
#include <optional>

namespace sb::net {

class Preamble final : public runtime::Disposable, private runtime::IoHandler, private runtime::Timer {
 public:
  struct Outcome {
    int fd = -1;  // the receiver owns it; -1: the connection is over, `error` says why
    Endpoint peer;
    bool proxied = false;  // the header named a peer
    std::optional<PeerCertificate> certificate;
    StreamError error;
  };
  using Done = std::function<void(Preamble&, Outcome)>;

  Preamble(runtime::Loop& loop, int fd, const Endpoint& peer, Done done)
      : loop_(loop), done_(std::move(done)), peer_(peer), fd_(fd) {}
  ~Preamble() override;

  /// Closes the socket if the header is not here within `timeout`.
  [[nodiscard]] Result<> start(Nanos timeout);

 private:
  void on_io(std::uint32_t events) override;
  void on_timer() override;
  void look(bool hung_up);
  void fail_with(std::string_view reason, std::string detail);
  void finish(Outcome outcome);

  runtime::Loop& loop_;
  Done done_;
  Endpoint peer_;
  int fd_;
};

}  // namespace sb::net
