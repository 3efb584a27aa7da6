// The connections of one server on one loop, whatever socket they came from: HTTP/1.1 with keep-alive and pipelining,
// each with one request in hand; size and time of a request are bounded. Belongs to the loop's thread.
#pragma once

#include "base/result.h"
#include "http/parser.h"
#include "net/layer.h"
#include "runtime/loop.h"

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

namespace sb::http {

namespace detail {
class Connection;
}

/// A socket that a listener took, and how it is to be treated.
struct Accepted {
  struct Limits {
    RequestParser::Limits sizes;
    Nanos request_timeout{30'000'000'000};  // from the first byte of a request to its last
    /// A larger body gets more time, at this many bytes a second.
    std::size_t upload_rate_min = 32 << 10;
    Nanos first_timeout{30'000'000'000};  // to the first bytes of a new connection
    Nanos idle_timeout{120'000'000'000};
    Nanos answer_timeout{120'000'000'000};  // a handler that is late gets 503 in its place
    Nanos write_timeout{30'000'000'000};    // without any progress
  };
  int fd = -1;
  std::unique_ptr<net::Layer> layer{};  // TLS
  std::string peer{};
  bool peer_is_loopback = false;
  /// A balancer stands in front that named no peer: the last address of X-Forwarded-For is the one that it saw.
  bool forwarded = false;
  Door door = Door::Rest;
  Limits limits{};
};

class Connections {
 public:
  /// `reply` may be called after the connection, but not after the loop, is gone.
  using Handler = std::function<void(Request, Reply)>;

  Connections(runtime::Loop& loop, Handler handler, PlanBody plan = {});
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// Takes the socket over, or closes it.
  void add(Accepted accepted);
  /// Ends those without a request in hand, and the others once it is answered.
  void finish();
  void close();
  /// Makes room: ends the connection that has been waiting longest of those without a request, or with only a part of a
  /// request's head. False: all are served right now.
  bool drop_longest_waiting();
  std::size_t size() const { return connections_.size(); }

 private:
  friend class detail::Connection;
  void remove(std::uint64_t id);
  void later(std::uint64_t id);

  runtime::Loop& loop_;
  Handler handler_;
  PlanBody plan_;
  net::LayerScratch scratch_;
  std::uint64_t next_id_ = 1;
  std::unordered_map<std::uint64_t, std::unique_ptr<detail::Connection>> connections_;
  std::shared_ptr<Connections*> self_;  // seen by late replies; null inside once this is gone
};

}  // namespace sb::http
