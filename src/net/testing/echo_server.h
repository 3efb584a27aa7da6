// A server of one shard that sends back what it gets, through a layer of the test's choice; for tests only.
#pragma once

#include "base/check.h"
#include "net/acceptor.h"
#include "net/stream.h"

#include <atomic>
#include <deque>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace sb::net::testing {

class EchoServer {
 public:
  using MakeLayer = std::function<std::unique_ptr<Layer>()>;

  explicit EchoServer(MakeLayer make_layer)
      : loop_(clock_, {}),
        io_(loop_),
        make_layer_(std::move(make_layer)),
        acceptor_(loop_, [this](int fd, const Endpoint&) {
          connections_.emplace_back(std::make_unique<Connection>(*this));
          (void)connections_.back()->stream.attach({fd, make_layer_(), {}}).has_value();
        }) {
    const auto bound = Acceptor::probe(*Endpoint::parse("127.0.0.1:0"));
    SB_CHECK(bound.has_value(), "no port");
    port_ = bound->port();
    SB_CHECK(acceptor_.open(*bound, {}).has_value(), "cannot listen");
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~EchoServer() {
    loop_.stop();
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  /// Runs on the shard.
  template <class Fn>
  void on_shard(Fn fn) {
    std::promise<void> done;
    loop_.post([&] {
      fn();
      done.set_value();
    });
    done.get_future().get();
  }
  void set_layer(MakeLayer make_layer) {
    on_shard([&] { make_layer_ = std::move(make_layer); });
  }
  /// Reason and detail of every stream that has ended, oldest first; waits for `count` of them.
  std::vector<StreamError> ends(std::size_t count) {
    for (int i = 0; i < 1000; ++i) {
      {
        const std::lock_guard guard(mutex_);
        if (ends_.size() >= count) return ends_;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));  // check: allow sleep
    }
    return {};
  }
  Stream& newest() { return connections_.back()->stream; }
  std::size_t batches() const { return batches_; }

 private:
  struct Connection final : StreamOwner {
    explicit Connection(EchoServer& echo) : server(echo), stream(echo.io_, *this) {}
    std::size_t on_bytes(ByteView bytes, std::size_t&) override {
      ++server.batches_;
      std::uint8_t* const out = stream.reserve(bytes.size());
      std::memcpy(out, bytes.data(), bytes.size());
      stream.commit(out + bytes.size());
      return bytes.size();
    }
    void on_stream_end(const StreamError& error) override {
      const std::lock_guard guard(server.mutex_);
      server.ends_.push_back(error);
    }
    void on_drained() override {}
    EchoServer& server;
    Stream stream;
  };

  const SystemClock clock_;
  runtime::Loop loop_;
  ShardIo io_;
  MakeLayer make_layer_;
  std::deque<std::unique_ptr<Connection>> connections_;
  Acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::atomic<std::size_t> batches_{0};
  std::mutex mutex_;
  std::vector<StreamError> ends_;
  std::thread thread_;
};

}  // namespace sb::net::testing
