// A back end as the rest of the node sees it: asked by closures, connected, watched, counted. See README.md. Any thread
// may use it; nothing here blocks but stop() and the destructor, which wait for the resource's threads.
#pragma once

#include "base/rate_meter.h"
#include "driver/resource/connection.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sb::driver::resource {

enum class Status : std::uint8_t { Connecting, Connected, Disconnected, Stopped };
std::string_view to_string(Status status);

struct State {
  Status status = Status::Stopped;
  std::string reason{};  // of Disconnected; without secrets
};

/// Since the resource was made. Any thread reads.
struct Counters {
  std::atomic<std::uint64_t> matched{0};     // taken by submit, or refused by it
  std::atomic<std::uint64_t> success{0};     // answered by the back end
  std::atomic<std::uint64_t> failed{0};      // not answered, or with an error; dropped ones too
  std::atomic<std::uint64_t> queue_full{0};  // refused at once
  std::atomic<std::uint64_t> expired{0};     // no answer in time
  std::atomic<std::uint64_t> late_reply{0};  // came after its time and was dropped
  std::atomic<std::uint64_t> queuing{0};     // now
  std::atomic<std::uint64_t> inflight{0};    // now
  RateMeter rate;                            // of matched
};

struct Options {
  std::string id{};                 // "authenticator:password_based:redis:mqtt:global"; in log lines
  std::string thread_name = "res";  // at most 11 characters
  std::size_t pool_size = 8;        // connections, and threads
  std::size_t queue_max = 1024;     // requests that wait; more are refused
  Millis connect_timeout{5'000};    // of an attempt, greeting and log-in included
  Millis health_interval{15'000};   // between checks while connected
  Millis health_timeout{5'000};     // of a check on an open connection
  Millis back_off{500};             // after a failed check; doubles up to the next, each with a jitter of a quarter
  Millis back_off_max{30'000};
  Open open{};
  /// Told every change, and every check that failed again; in order, on a thread of the resource. Must not call back.
  std::function<void(const State&)> changed{};
};

class Resource {
 public:
  explicit Resource(Options options);
  ~Resource();
  Resource(const Resource&) = delete;
  Resource& operator=(const Resource&) = delete;

  /// Begins to connect, without waiting for it.
  void start();
  /// What waits or is under way gets Unavailable; nothing is called any more when this returns. Not on a thread of the
  /// resource.
  void stop();

  State state() const;
  const Counters& counters() const;

  /// `work` runs on a thread of the resource with a connection that Open made (C is its type) and must keep to the
  /// limit. `done` runs once, on some thread of the resource, with what it returned or Timeout, Unavailable; it must
  /// only post. Refused at once, and `done` is never called: Full, too many wait; Unavailable, not connected.
  template <class C, class T>
  [[nodiscard]] Result<> submit(Millis timeout, std::function<Result<T>(C&, const Limit&)> work,
                                std::function<void(Result<T>)> done) {
    return submit(timeout, std::make_shared<Typed<C, T>>(std::move(work), std::move(done)));
  }

  /// A request without its types.
  class Request {
   public:
    virtual ~Request() = default;

   private:
    friend class Resource;
    /// Keeps the outcome; its error, if it is one.
    virtual std::optional<Error> run(Connection& connection, const Limit& limit) = 0;
    /// Tells what run() kept.
    virtual void tell() = 0;
    virtual void tell(Error error) = 0;
  };

 private:
  template <class C, class T>
  class Typed final : public Request {
   public:
    Typed(std::function<Result<T>(C&, const Limit&)> work, std::function<void(Result<T>)> done)
        : work_(std::move(work)), done_(std::move(done)) {}

   private:
    std::optional<Error> run(Connection& connection, const Limit& limit) override {
      kept_.emplace(work_(static_cast<C&>(connection), limit));
      return *kept_ ? std::nullopt : std::optional(kept_->error());
    }
    void tell() override { done_(*std::move(kept_)); }
    void tell(Error error) override { done_(tl::unexpected(std::move(error))); }
    std::function<Result<T>(C&, const Limit&)> work_;
    std::function<void(Result<T>)> done_;
    std::optional<Result<T>> kept_;
  };
  [[nodiscard]] Result<> submit(Millis timeout, std::shared_ptr<Request> request);

  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace sb::driver::resource
