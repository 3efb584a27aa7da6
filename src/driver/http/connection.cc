#include "driver/http/connection.h"

#include "driver/http/detail/exchange.h"

#include <algorithm>

namespace sb::driver::http {

namespace {
constexpr int kPollMs = 1000;

struct FreeEasy {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};

/// What libcurl says of the one transfer of `multi`.
CURLcode result_of(CURLM* multi) {
  int left = 0;
  while (const CURLMsg* const message = curl_multi_info_read(multi, &left))
    if (message->msg == CURLMSG_DONE) return message->data.result;
  return CURLE_RECV_ERROR;
}
}  // namespace

Connection::Connection(std::shared_ptr<Service> service)
    : service_(std::move(service)), multi_(curl_multi_init()), easy_(curl_easy_init()) {
  curl_multi_setopt(static_cast<CURLM*>(multi_), CURLMOPT_MAXCONNECTS, 1L);
}

Connection::~Connection() {
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(static_cast<CURLM*>(multi_));
}

Result<std::unique_ptr<resource::Connection>> Connection::open(std::shared_ptr<Service> service,
                                                               const resource::Limit& limit) {
  auto made = std::make_unique<Connection>(std::move(service));
  if (!made->multi_ || !made->easy_) return fail(Errc::Io, "libcurl does not start");
  SB_CHECKED(made->check(limit));
  return made;
}

Result<ClientResponse> Connection::perform(void* easy, const ClientRequest& request, bool connect_only,
                                           const resource::Limit& limit) {
  auto* const multi = static_cast<CURLM*>(multi_);
  const ServiceOptions& options = service_->options;
  detail::Exchange exchange(request, options.body_max);
  const Millis left = std::max(limit.left(), Millis{1});
  exchange.prepare(easy, options.tls, std::min(options.connect_timeout, left), left);
  if (connect_only) curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
  curl_multi_add_handle(multi, easy);
  Result<> going = {};
  for (int running = 1;;) {
    curl_multi_perform(multi, &running);
    if (running == 0) break;
    going = limit.check();
    if (!going) break;
    curl_waitfd stop{limit.stop_fd(), CURL_WAIT_POLLIN, 0};
    curl_multi_poll(multi, &stop, 1, std::min(kPollMs, static_cast<int>(std::max(limit.left(), Millis{1}).count())),
                    nullptr);
  }
  const CURLcode code = going ? result_of(multi) : CURLE_OK;
  curl_multi_remove_handle(multi, easy);
  if (!going) return fail(going.error().code, std::move(going.error().what));
  return exchange.outcome(easy, code);
}

Result<ClientResponse> Connection::ask(const ClientRequest& request, const resource::Limit& limit) {
  auto answer = perform(easy_, request, false, limit);
  const bool answered = answer || answer.error().code == Errc::Full;
  service_->silent.store(!answered, std::memory_order_relaxed);
  broken_ = !answered;
  return answer;
}

Result<> Connection::check(const resource::Limit& limit) {
  ClientRequest request{.url = service_->options.origin};
  const bool silent = service_->silent.load(std::memory_order_relaxed);
  if (silent) {
    request.method = "OPTIONS";  // RFC 9110 9.3.7: a "ping"; whatever it answers, it answers
    request.target = "*";
    SB_TRY(const auto answer, ask(request, limit.at_most(service_->options.answer_timeout)));
    (void)answer;
    return {};
  }
  const std::unique_ptr<CURL, FreeEasy> fresh(curl_easy_init());
  if (!fresh) return fail(Errc::Io, "libcurl does not start");
  auto connected = perform(fresh.get(), request, true, limit);
  broken_ = !connected;
  if (!connected) return tl::unexpected(std::move(connected.error()));
  return {};
}

}  // namespace sb::driver::http
