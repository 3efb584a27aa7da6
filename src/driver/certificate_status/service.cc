#include "driver/certificate_status/service.h"

#include "base/log.h"
#include "driver/certificate_status/ocsp.h"
#include "driver/http/fetch.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

namespace sb::driver::certificate_status {

namespace {
using Moment = std::chrono::steady_clock::time_point;

std::int64_t wall_s() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// DER of a list that came as PEM or as DER.
Result<std::string> to_der(const std::string& text) {
  BIO* const in = BIO_new_mem_buf(text.data(), static_cast<int>(text.size()));
  X509_CRL* list = PEM_read_bio_X509_CRL(in, nullptr, nullptr, nullptr);
  BIO_free(in);
  if (!list) {
    const auto* at = reinterpret_cast<const unsigned char*>(text.data());
    list = d2i_X509_CRL(nullptr, &at, static_cast<long>(text.size()));
  }
  ERR_clear_error();
  if (!list) return fail(Errc::Invalid, "not a certificate revocation list");
  std::string der(static_cast<std::size_t>(i2d_X509_CRL(list, nullptr)), '\0');
  auto* out = reinterpret_cast<unsigned char*>(der.data());
  i2d_X509_CRL(list, &out);
  X509_CRL_free(list);
  return der;
}
}  // namespace

class Service::Worker : public std::enable_shared_from_this<Worker> {
 public:
  Worker(const CrlSettings& settings, Millis retry) : settings_(settings), retry_(retry) {}

  void start() {
    // The store lives in contexts of listeners and may outlive us.
    store_ = std::make_shared<net::CrlStore>([worker = weak_from_this()](const std::string& url) {
      if (const auto self = worker.lock()) self->want(url);
    });
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "cert-status");
      run();
    });
  }
  void stop() {
    {
      const std::lock_guard guard(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  const std::shared_ptr<net::CrlStore>& store() const { return store_; }
  void set(const CrlSettings& settings) {
    {
      const std::lock_guard guard(mutex_);
      settings_ = settings;
    }
    changed_.notify_all();
  }
  void add(const OcspSettings& settings, std::unique_ptr<OcspQuestion> question,
           std::weak_ptr<net::StapleHolder> holder) {
    {
      const std::lock_guard guard(mutex_);
      staples_.push_back({settings, std::move(question), std::move(holder), Moment::min(), 0});
    }
    changed_.notify_all();
  }

 private:
  struct List {
    std::string url;
    Moment due;
  };
  struct Staple {
    OcspSettings settings;
    std::shared_ptr<OcspQuestion> question;
    std::weak_ptr<net::StapleHolder> holder;
    Moment due;
    std::int64_t holds_until_s;  // 0: nothing is stapled, or it names no end
  };

  void want(const std::string& url) {
    {
      const std::lock_guard guard(mutex_);
      for (const List& list : lists_)
        if (list.url == url) return;
      while (!lists_.empty() && lists_.size() >= settings_.capacity) {
        store_->erase(lists_.front().url);
        lists_.pop_front();
      }
      lists_.push_back({url, Moment::min()});
    }
    changed_.notify_all();
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      Moment next = std::chrono::steady_clock::now() + std::chrono::hours(1);
      bool worked = false;
      for (auto it = lists_.begin(); it != lists_.end() && !worked; ++it) {
        if (it->due <= std::chrono::steady_clock::now()) {
          refresh_list(lock, it->url);
          worked = true;
        } else {
          next = std::min(next, it->due);
        }
      }
      for (auto it = staples_.begin(); it != staples_.end() && !worked;) {
        if (it->holder.expired()) {
          it = staples_.erase(it);
          continue;
        }
        if (it->due <= std::chrono::steady_clock::now()) {
          refresh_staple(lock, it);
          worked = true;
        } else {
          next = std::min(next, it->due);
        }
        ++it;
      }
      if (!worked && !stopping_) changed_.wait_until(lock, next);
    }
  }

  void refresh_list(std::unique_lock<std::mutex>& lock, const std::string& due_url) {
    const std::string url = due_url;
    const CrlSettings settings = settings_;
    lock.unlock();
    Result<std::string> der = http::fetch({.url = url, .timeout = settings.http_timeout});
    if (der) der = to_der(*der);
    if (der)
      store_->put(url, std::make_shared<const std::string>(*std::move(der)));
    else
      SB_LOG(log::Level::Warning, "crl_not_fetched", kv("url", url), kv("reason", der.error().what));
    lock.lock();
    bool known = false;
    for (List& list : lists_) {
      if (list.url != url) continue;
      known = true;
      list.due = std::chrono::steady_clock::now() + (der ? settings.refresh_interval : retry_);
    }
    if (!known) store_->erase(url);  // pushed out meanwhile
  }

  void refresh_staple(std::unique_lock<std::mutex>& lock, std::list<Staple>::iterator staple) {
    // Only this thread takes entries off the list, so the iterator holds while the lock is open.
    const OcspSettings settings = staple->settings;
    const std::shared_ptr<OcspQuestion> question = staple->question;
    const auto holder = staple->holder.lock();
    if (!holder) return;
    lock.unlock();
    Result<std::string> answer = http::fetch({.url = question->url(settings.responder_url),
                                              .timeout = settings.http_timeout,
                                              .body_max = 1 << 20,
                                              .headers = {"Accept: application/ocsp-response"}});
    Result<std::int64_t> checked = answer ? question->check(*answer) : tl::unexpected(answer.error());
    lock.lock();
    if (checked) {
      staple->holds_until_s = *checked;
      holder->set(std::make_shared<const std::string>(*std::move(answer)));
    } else {
      SB_LOG(log::Level::Warning, "ocsp_answer_not_usable", kv("responder", settings.responder_url),
             kv("reason", checked.error().what));
      // An answer that says no ends the old one at once; no answer leaves it until its time is over.
      const bool over = staple->holds_until_s != 0 && wall_s() > staple->holds_until_s;
      if (answer || over) holder->set(nullptr);
    }
    staple->due = std::chrono::steady_clock::now() + (checked ? settings.refresh_interval : retry_);
  }

  std::mutex mutex_;  // guards all below but store_ and thread_; open while fetching
  std::condition_variable changed_;
  CrlSettings settings_;
  const Millis retry_;
  std::deque<List> lists_;  // oldest first
  std::list<Staple> staples_;
  bool stopping_ = false;
  std::shared_ptr<net::CrlStore> store_;  // shared with the contexts of listeners
  std::thread thread_;
};

Service::Service(const CrlSettings& crls, Millis retry) : worker_(std::make_shared<Worker>(crls, retry)) {
  worker_->start();
}
Service::~Service() {
  worker_->stop();
}

std::shared_ptr<net::CrlStore> Service::crls() const {
  return worker_->store();
}
void Service::set_crls(const CrlSettings& settings) {
  worker_->set(settings);
}

Result<std::shared_ptr<net::StapleHolder>> Service::staple(const OcspSettings& settings) {
  SB_TRY(auto question, OcspQuestion::load(settings.certificate_file, settings.issuer_file));
  auto holder = std::make_shared<net::StapleHolder>();
  worker_->add(settings, std::move(question), holder);
  return holder;
}

}  // namespace sb::driver::certificate_status
