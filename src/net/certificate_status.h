// What others say about certificates, fetched elsewhere (driver/certificate_status) and only looked at in handshakes:
// the OCSP answer that a listener staples, and revocation lists by distribution point. Any thread; readers never wait
// for a fetch.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace sb::net {

/// The DER of one OCSP response, or nothing.
class StapleHolder {
 public:
  std::shared_ptr<const std::string> get() const { return std::atomic_load(&response_); }
  void set(std::shared_ptr<const std::string> response) { std::atomic_store(&response_, std::move(response)); }

 private:
  std::shared_ptr<const std::string> response_;
};

/// Revocation lists as DER, kept per full URL.
class CrlStore {
 public:
  using List = std::shared_ptr<const std::string>;
  /// `wanted` hears of a URL that was asked for and is not here; it must not block.
  explicit CrlStore(std::function<void(const std::string& url)> wanted = {}) : wanted_(std::move(wanted)) {}

  /// The list of `url`; none: it has been asked for, or the URL is not to be had.
  List find(const std::string& url);
  void put(const std::string& url, List list);
  void erase(const std::string& url);
  std::size_t size() const;

 private:
  std::function<void(const std::string&)> wanted_;
  mutable std::mutex mutex_;  // guards lists_; held for a look-up only
  std::map<std::string, List> lists_;
};

}  // namespace sb::net
