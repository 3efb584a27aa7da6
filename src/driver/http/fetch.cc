#include "driver/http/fetch.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

namespace sb::driver::http {

namespace {
struct Body {
  std::string text;
  std::size_t most = 0;
  bool full = false;
};

std::size_t take(char* data, std::size_t, std::size_t size, void* to) {
  auto& body = *static_cast<Body*>(to);
  if (body.text.size() + size > body.most) {
    body.full = true;
    return 0;
  }
  body.text.append(data, size);
  return size;
}

struct Cleanup {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
}  // namespace

Result<std::string> fetch(const Fetch& what) {
  const std::unique_ptr<CURL, Cleanup> handle(curl_easy_init());
  if (!handle) return fail(Errc::Io, "libcurl does not start");
  Body body;
  body.most = what.body_max;
  std::unique_ptr<curl_slist, Cleanup> headers;
  for (const std::string& header : what.headers) {
    curl_slist* const longer = curl_slist_append(headers.get(), header.c_str());
    (void)headers.release();
    headers.reset(longer);
  }
  CURL* const curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_URL, what.url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");  // a redirect must not reach file:
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(what.timeout.count()));
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl_easy_perform(curl);
  if (body.full) return fail(Errc::Full, fmt::format("{}: longer than {} bytes", what.url, what.body_max));
  if (code != CURLE_OK) return fail(Errc::Unavailable, fmt::format("{}: {}", what.url, curl_easy_strerror(code)));
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return fail(Errc::Unavailable, fmt::format("{}: status {}", what.url, status));
  return std::move(body.text);
}

}  // namespace sb::driver::http
