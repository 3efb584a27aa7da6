#include "driver/http/client.h"

#include "driver/http/detail/exchange.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <list>
#include <mutex>
#include <thread>

namespace sb::driver::http {

namespace {
using Moment = std::chrono::steady_clock::time_point;
constexpr int kPollMs = 1000;
/// Failures to connect in a row after which the service is left alone.
constexpr unsigned kPatience = 3;

Moment now() {
  return std::chrono::steady_clock::now();
}
}  // namespace

class Client::Worker {
 public:
  explicit Worker(ClientOptions options) : options_(std::move(options)), multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(options_.pool_size));
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(options_.pool_size));
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
      run();
    });
  }
  ~Worker() {
    stop();
    curl_multi_cleanup(multi_);
  }
  void stop() {
    {
      const std::lock_guard guard(mutex_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    if (thread_.joinable()) thread_.join();
  }

  bool send(ClientRequest request, Done done) {
    {
      const std::lock_guard guard(mutex_);
      if (stopping_ || held_ >= options_.waiting_max) return false;
      ++held_;
      queue_.push_back({std::move(request), std::move(done), now()});
    }
    curl_multi_wakeup(multi_);
    return true;
  }
  std::string trouble() const {
    const std::lock_guard guard(mutex_);
    return trouble_;
  }

 private:
  struct Waiting {
    ClientRequest request;
    Done done;
    Moment since;
  };
  struct Transfer {
    Transfer(ClientRequest request, std::size_t body_max, Done then)
        : exchange(std::move(request), body_max), done(std::move(then)) {}
    detail::Exchange exchange;
    Done done;
    CURL* easy = curl_easy_init();
  };

  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      std::deque<Waiting> fresh;
      fresh.swap(queue_);
      lock.unlock();
      for (Waiting& one : fresh) begin(std::move(one));
      int running = 0;
      curl_multi_perform(multi_, &running);
      collect();
      curl_multi_poll(multi_, nullptr, 0, kPollMs, nullptr);
      lock.lock();
    }
    std::deque<Waiting> left;
    left.swap(queue_);
    lock.unlock();
    while (!transfers_.empty()) finish(transfers_.begin(), fail(Errc::Unavailable, "the client ends"));
    for (Waiting& one : left) one.done(fail(Errc::Unavailable, "the client ends"));
  }

  void begin(Waiting one) {
    if (failures_ >= kPatience && now() < closed_until_) {
      release();
      return one.done(fail(Errc::Unavailable, "left alone after " + trouble()));
    }
    // Behind its back-off one request tries; the others are let through when it was answered.
    if (failures_ >= kPatience) closed_until_ = now() + back_off();
    const auto waited = std::chrono::duration_cast<Millis>(now() - one.since);
    const Millis left = std::max(Millis{1}, one.request.timeout - waited);
    transfers_.emplace_back(std::move(one.request), options_.body_max, std::move(one.done));
    const auto transfer = std::prev(transfers_.end());
    if (!transfer->easy) return finish(transfer, fail(Errc::Io, "libcurl does not start"));
    transfer->exchange.prepare(transfer->easy, options_.tls, options_.connect_timeout, left);
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, &*transfer);
    curl_multi_add_handle(multi_, transfer->easy);
  }

  void collect() {
    int left = 0;
    while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      Transfer* found = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
      const auto transfer =
          std::find_if(transfers_.begin(), transfers_.end(), [&](const Transfer& one) { return &one == found; });
      finish(transfer, outcome(*transfer, code));
    }
  }

  Result<ClientResponse> outcome(Transfer& transfer, CURLcode code) {
    auto answer = transfer.exchange.outcome(transfer.easy, code);
    const bool full = !answer && answer.error().code == Errc::Full;
    if (!full) note(code == CURLE_OK || code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE, code);
    return answer;
  }

  Millis back_off() const {
    const unsigned doubled = std::min(failures_ - kPatience, 16U);
    return std::min(options_.back_off_max, options_.back_off * (1L << doubled));
  }

  void note(bool reached, CURLcode code) {
    if (reached) {
      failures_ = 0;
    } else if (++failures_ >= kPatience) {
      closed_until_ = now() + back_off();
    }
    const std::lock_guard guard(mutex_);
    trouble_ = reached ? std::string() : curl_easy_strerror(code);
  }

  void release() {
    const std::lock_guard guard(mutex_);
    --held_;
  }

  void finish(std::list<Transfer>::iterator transfer, Result<ClientResponse> result) {
    if (transfer->easy) {
      curl_multi_remove_handle(multi_, transfer->easy);
      curl_easy_cleanup(transfer->easy);
    }
    const Done done = std::move(transfer->done);
    transfers_.erase(transfer);
    release();
    done(std::move(result));
  }

  const ClientOptions options_;
  CURLM* const multi_;
  mutable std::mutex mutex_;  // guards queue_, held_, trouble_ and stopping_
  std::deque<Waiting> queue_;
  std::size_t held_ = 0;  // queued and on their way
  std::string trouble_;
  bool stopping_ = false;
  // The thread's own.
  std::list<Transfer> transfers_;
  unsigned failures_ = 0;  // in a row
  Moment closed_until_{};
  std::thread thread_;
};

Client::Client(ClientOptions options) : worker_(std::make_unique<Worker>(std::move(options))) {}
Client::~Client() = default;

bool Client::send(ClientRequest request, Done done) {
  return worker_->send(std::move(request), std::move(done));
}
void Client::stop() {
  worker_->stop();
}
std::string Client::trouble() const {
  return worker_->trouble();
}

}  // namespace sb::driver::http
