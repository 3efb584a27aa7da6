// `signalbox bench conn|pub|sub`: connects many clients from one thread, publishes or receives, and prints a line a
// second.
#include "cli/bench/connection.h"
#include "cli/dispatch.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>

namespace sb::cli::bench {

namespace {

using Clock = std::chrono::steady_clock;
using Ms = std::chrono::duration<double, std::milli>;
constexpr int kEventsOfTurn = 512;
constexpr std::uint32_t kConnectsOfTurn = 500;

class Runner {
 public:
  explicit Runner(Options options) : options_(std::move(options)) {
    payload_ = options_.message.empty() ? std::string(options_.payload_bytes, 'x') : options_.message;
  }
  ~Runner() {
    connections_.clear();
    if (tls_) SSL_CTX_free(tls_);
    if (epoll_ >= 0) close(epoll_);
    if (signals_ >= 0) close(signals_);
  }
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  [[nodiscard]] Result<> prepare() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
      limit.rlim_cur = limit.rlim_max;
      setrlimit(RLIMIT_NOFILE, &limit);
      if (limit.rlim_cur < options_.clients + 16)
        return fail(Errc::Full,
                    fmt::format("-c {}: only {} open files are allowed (ulimit -n)", options_.clients, limit.rlim_cur));
    }
    SB_CHECKED(resolve());
    if (options_.tls) SB_CHECKED(prepare_tls());
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGINT);
    sigaddset(&wanted, SIGTERM);
    sigprocmask(SIG_BLOCK, &wanted, nullptr);
    signals_ = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    if (epoll_ < 0 || signals_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, signals_, &event) != 0)
      return fail(Errc::Io, "epoll is not to be had");
    return {};
  }

  int run() {
    const auto begin = Clock::now();
    next_connect_ = begin;
    next_line_ = begin + std::chrono::seconds(1);
    next_ping_ = begin + ping_interval();
    while (!done_) {
      const auto now = Clock::now();
      connect_due(now);
      publish_due(now);
      if (now >= next_line_) {
        print_line(now - begin);
        next_line_ += std::chrono::seconds(1);
      }
      if (options_.keep_alive_s != 0 && now >= next_ping_) {
        for (auto& connection : connections_) connection->ping();
        next_ping_ += ping_interval();
      }
      if (options_.seconds != 0 && now - begin >= std::chrono::seconds(options_.seconds)) break;
      if (reached_limit() || everything_failed()) break;
      wait(now);
    }
    for (auto& connection : connections_) connection->finish();
    print_line(Clock::now() - begin);
    for (const auto& [why, count] : troubles_)
      std::printf("%llu x %s\n", static_cast<unsigned long long>(count), why.c_str());
    return counters_.refused == 0 && counters_.lost == 0 && counters_.publish_failed == 0 ? 0 : 1;
  }

 private:
  Result<> resolve() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(options_.port_used());
    if (const int error = getaddrinfo(options_.host.c_str(), port.c_str(), &hints, &found); error != 0)
      return fail(Errc::NotFound, fmt::format("-h '{}': {}", options_.host, gai_strerror(error)));
    std::memcpy(&address_, found->ai_addr, found->ai_addrlen);
    address_size_ = found->ai_addrlen;
    freeaddrinfo(found);
    return {};
  }

  Result<> prepare_tls() {
    tls_ = SSL_CTX_new(TLS_client_method());
    if (!tls_) return fail(Errc::Io, "TLS is not to be had");
    SSL_CTX_set_mode(tls_,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    if (options_.tls_verify) {
      SSL_CTX_set_verify(tls_, SSL_VERIFY_PEER, nullptr);
      if (SSL_CTX_load_verify_file(tls_, options_.ca_file.c_str()) != 1)
        return fail(Errc::Invalid, fmt::format("--cacertfile '{}': no certificates in it", options_.ca_file));
    }
    if (!options_.cert_file.empty() && SSL_CTX_use_certificate_chain_file(tls_, options_.cert_file.c_str()) != 1)
      return fail(Errc::Invalid, fmt::format("--certfile '{}': no certificate in it", options_.cert_file));
    if (!options_.key_file.empty() &&
        SSL_CTX_use_PrivateKey_file(tls_, options_.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
      return fail(Errc::Invalid, fmt::format("--keyfile '{}': no key in it", options_.key_file));
    return {};
  }

  Clock::duration ping_interval() const {
    return std::chrono::milliseconds(std::max<std::int64_t>(500, std::int64_t{options_.keep_alive_s} * 500));
  }

  void connect_due(Clock::time_point now) {
    for (std::uint32_t n = 0; n < kConnectsOfTurn && connections_.size() < options_.clients && now >= next_connect_;
         ++n) {
      const auto number = options_.first_number + static_cast<std::uint32_t>(connections_.size());
      auto connection = std::make_unique<Connection>(options_, counters_, number);
      next_connect_ += std::chrono::duration_cast<Clock::duration>(Ms(options_.connect_interval_ms));
      next_publish_.push_back(now);
      if (const auto opened = connection->open(address_, address_size_, tls_); !opened) {
        ++counters_.refused;
        ++troubles_[opened.error().what];
      } else {
        epoll_event event{};
        event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
        event.data.ptr = connection.get();
        epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->fd(), &event);
      }
      connections_.push_back(std::move(connection));
    }
  }

  /// Each client keeps its own beat; a beat that cannot be kept is not caught up.
  void publish_due(Clock::time_point now) {
    if (options_.mode != Mode::Publish || now < next_beat_) return;
    next_beat_ = now + std::chrono::seconds(1);
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      if (limit_reached_by_publishing()) return;
      if (now >= next_publish_[i] && connections_[i]->publish(as_bytes(payload_)))
        next_publish_[i] =
            std::max(next_publish_[i] + std::chrono::duration_cast<Clock::duration>(Ms(options_.message_interval_ms)),
                     now - std::chrono::seconds(1));
      // One that waits for its connection or its acknowledgements is tried again soon.
      next_beat_ = std::min(next_beat_, std::max(next_publish_[i], now + std::chrono::microseconds(500)));
    }
  }

  bool limit_reached_by_publishing() const { return options_.limit != 0 && counters_.published >= options_.limit; }

  bool reached_limit() const {
    if (options_.limit == 0) return false;
    if (options_.mode == Mode::Subscribe) return counters_.received >= options_.limit;
    if (options_.mode != Mode::Publish || !limit_reached_by_publishing()) return false;
    return options_.qos == Qos::AtMostOnce || counters_.acknowledged + counters_.publish_failed >= options_.limit;
  }

  bool everything_failed() const { return counters_.refused + counters_.lost >= options_.clients; }

  void wait(Clock::time_point now) {
    auto until = next_line_;
    if (connections_.size() < options_.clients) until = std::min(until, next_connect_);
    if (options_.mode == Mode::Publish) until = std::min(until, next_beat_);
    const auto left =
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::max(until - now, Clock::duration::zero()));
    const timespec limit{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    epoll_event events[kEventsOfTurn];
    const int count = epoll_pwait2(epoll_, events, kEventsOfTurn, &limit, nullptr);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (!connection) {
        done_ = true;
        continue;
      }
      const bool open = connection->state() != Connection::State::Closed;
      if (!open) continue;
      connection->on_io();
      if (connection->state() == Connection::State::Closed) ++troubles_[connection->trouble()];
    }
  }

  void print_line(Clock::duration since) {
    const double seconds = std::chrono::duration<double>(since).count();
    const double part = std::max(seconds - told_at_, 0.001);
    const auto rate = [&](std::uint64_t now, std::uint64_t before) { return static_cast<double>(now - before) / part; };
    std::string line = fmt::format("{:.0f}s connected={} connect_rate={:.0f}/s", seconds, counters_.connected,
                                   rate(counters_.connects, told_.connects));
    if (options_.mode == Mode::Publish)
      line +=
          fmt::format(" pub total={} rate={:.2f}/s", counters_.published, rate(counters_.published, told_.published));
    if (options_.mode == Mode::Publish && options_.qos != Qos::AtMostOnce)
      line += fmt::format(" acked={} rate={:.2f}/s", counters_.acknowledged,
                          rate(counters_.acknowledged, told_.acknowledged));
    if (options_.mode == Mode::Subscribe)
      line += fmt::format(" subscribed={} recv total={} rate={:.2f}/s", counters_.subscribed, counters_.received,
                          rate(counters_.received, told_.received));
    if (counters_.refused + counters_.lost + counters_.publish_failed > 0)
      line +=
          fmt::format(" refused={} lost={} pub_failed={}", counters_.refused, counters_.lost, counters_.publish_failed);
    std::printf("%s\n", line.c_str());
    std::fflush(stdout);
    told_ = counters_;
    told_at_ = seconds;
  }

  Options options_;
  std::string payload_;
  Counters counters_;
  Counters told_;
  double told_at_ = 0;
  sockaddr_storage address_{};
  socklen_t address_size_ = 0;
  SSL_CTX* tls_ = nullptr;
  int epoll_ = -1;
  int signals_ = -1;
  bool done_ = false;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Clock::time_point> next_publish_;
  Clock::time_point next_connect_, next_line_, next_ping_;
  Clock::time_point next_beat_ = Clock::time_point::min();
  std::map<std::string, std::uint64_t> troubles_;
};

}  // namespace

}  // namespace sb::cli::bench

namespace sb::cli {

int main_bench(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments)
    if (argument == "--help" || argument == "help") {
      std::fputs(bench::usage().c_str(), stdout);
      return 0;
    }
  auto options = bench::parse_options(arguments);
  if (!options) {
    std::fprintf(stderr, "signalbox bench: %s\n\n%s", options.error().what.c_str(), bench::usage().c_str());
    return 1;
  }
  bench::Runner runner(std::move(*options));
  if (const auto ready = runner.prepare(); !ready) {
    std::fprintf(stderr, "signalbox bench: %s\n", ready.error().what.c_str());
    return 1;
  }
  return runner.run();
}

}  // namespace sb::cli
