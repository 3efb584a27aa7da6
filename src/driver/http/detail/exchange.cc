#include "driver/http/detail/exchange.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

namespace sb::driver::http::detail {

namespace {
struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, FreeUrl>;

std::string part(CURLU* url, CURLUPart what, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, what, &text, flags) != CURLUE_OK) return {};
  std::string out = text;
  curl_free(text);
  return out;
}

/// Of a context that libcurl has made: what it has no options for.
CURLcode secure(CURL*, void* context, void* from) {
  const auto& tls = *static_cast<const resource::Tls*>(from);
  auto* const ssl = static_cast<SSL_CTX*>(context);
  if (!resource::apply(tls, ssl)) return CURLE_SSL_CERTPROBLEM;
  // libcurl always tells the name that it verifies; OpenSSL calls this before it writes the first message.
  if (!tls.tells_name())
    SSL_CTX_set_info_callback(ssl, [](const SSL* session, int where, int) {
      if ((where & SSL_CB_HANDSHAKE_START) != 0) SSL_set_tlsext_host_name(const_cast<SSL*>(session), nullptr);
    });
  return CURLE_OK;
}
}  // namespace

void Exchange::add(List& list, const std::string& line) {
  if (curl_slist* const longer = curl_slist_append(list.get(), line.c_str())) {
    (void)list.release();
    list.reset(longer);
  }
}

std::size_t Exchange::take_header(char* data, std::size_t, std::size_t size, void* to) {
  static_cast<Exchange*>(to)->headed_ = size <= 2 && (data[0] == '\r' || data[0] == '\n');
  return size;
}

std::size_t Exchange::take(char* data, std::size_t, std::size_t size, void* to) {
  auto& exchange = *static_cast<Exchange*>(to);
  if (exchange.response_.body.size() + size > exchange.body_max_) {
    exchange.full_ = true;
    return 0;
  }
  exchange.response_.body.append(data, size);
  return size;
}

// The name that TLS tells and compares is the host of the URL. Another one takes its place there, and the connection
// still goes to the host.
void Exchange::set_url(CURL* easy, const resource::Tls& tls) {
  std::string url = request_.url;
  const Url parts(curl_url());
  if (tls.enable && !tls.server_name.empty() && tls.tells_name() && parts &&
      curl_url_set(parts.get(), CURLUPART_URL, url.c_str(), CURLU_PATH_AS_IS) == CURLUE_OK) {
    const std::string host = part(parts.get(), CURLUPART_HOST);
    const std::string given_port = part(parts.get(), CURLUPART_PORT);
    const std::string port = part(parts.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
    add(headers_, fmt::format("Host: {}{}{}", host, given_port.empty() ? "" : ":", given_port));
    add(connect_to_, fmt::format("::{}:{}", host, port));
    if (curl_url_set(parts.get(), CURLUPART_HOST, tls.server_name.c_str(), 0) == CURLUE_OK)
      url = part(parts.get(), CURLUPART_URL);
  }
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  // The path that was asked for, and not another one that dots in it lead to.
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECT_TO, connect_to_.get());
}

void Exchange::prepare(CURL* easy, const resource::Tls& tls, Millis connect_timeout, Millis timeout) {
  curl_easy_reset(easy);
  set_url(easy, tls);
  for (const auto& [name, value] : request_.headers)
    add(headers_, value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  if (!request_.target.empty()) curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, request_.target.c_str());
  if (request_.method != "GET") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  if (request_.method == "POST" || request_.method == "PUT") {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
  }
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
  if (!tls.enable) return;
  if (!tls.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, secure);
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, const_cast<resource::Tls*>(&tls));
}

Result<ClientResponse> Exchange::outcome(CURL* easy, CURLcode code) {
  if (full_) return fail(Errc::Full, fmt::format("an answer of more than {} bytes", body_max_));
  if (code == CURLE_OPERATION_TIMEDOUT) return fail(Errc::Timeout, curl_easy_strerror(code));
  if (code != CURLE_OK) return fail(Errc::Unavailable, curl_easy_strerror(code));
  long status = 0;
  const char* type = nullptr;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
  // libcurl takes a header that breaks off for one that ends.
  if (status != 0 && !headed_) return fail(Errc::Unavailable, "half an answer");
  response_.status = static_cast<unsigned>(status);
  if (type) response_.content_type = type;
  return std::move(response_);
}

}  // namespace sb::driver::http::detail
