// One request on a handle of libcurl: what is set before, what is read after. Belongs to the thread of the handle and
// outlives the transfer.
#pragma once

#include "base/result.h"
#include "driver/http/request.h"
#include "driver/resource/tls.h"

#include <curl/curl.h>

#include <memory>
#include <string>

namespace sb::driver::http::detail {

class Exchange {
 public:
  Exchange(ClientRequest request, std::size_t body_max) : request_(std::move(request)), body_max_(body_max) {}
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  /// `tls` outlives the transfer. A handle that served before is reset.
  void prepare(CURL* easy, const resource::Tls& tls, Millis connect_timeout, Millis timeout);
  /// Unavailable: no connection, broken answer; Timeout; Full: too long an answer. Never holds the URL: its query may
  /// carry a password.
  [[nodiscard]] Result<ClientResponse> outcome(CURL* easy, CURLcode code);

 private:
  struct Free {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };
  using List = std::unique_ptr<curl_slist, Free>;
  static void add(List& list, const std::string& line);
  static std::size_t take_header(char* data, std::size_t one, std::size_t size, void* to);
  static std::size_t take(char* data, std::size_t one, std::size_t size, void* to);
  void set_url(CURL* easy, const resource::Tls& tls);

  ClientRequest request_;
  const std::size_t body_max_;
  ClientResponse response_;
  List headers_;
  List connect_to_;
  bool headed_ = false;  // the end of the header has come
  bool full_ = false;
};

}  // namespace sb::driver::http::detail
