#include "management/push_gateway.h"

#include "base/log.h"

namespace sb::management {

namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

}  // namespace

std::string push_url(const config::Prometheus::PushGateway& settings, std::string_view node) {
  const auto at = std::min(node.find('@'), node.size());
  std::string job = settings.job_name;
  replace_all(job, "${name}", node.substr(0, at));
  replace_all(job, "${host}", node.substr(std::min(at + 1, node.size())));
  std::string url = settings.url;
  while (url.ends_with('/')) url.pop_back();
  return url + "/metrics/job/" + job;
}

PushGateway::PushGateway(runtime::Loop& loop, std::string node, std::function<std::string()> page)
    : loop_(loop), node_(std::move(node)), page_(std::move(page)), ticker_(*this) {}

PushGateway::~PushGateway() {
  *alive_ = false;
}

void PushGateway::apply(const config::Prometheus::PushGateway& settings) {
  settings_ = settings;
  runtime::TimerWheel::cancel(ticker_);
  on_its_way_ = false;
  client_.reset();  // what is on its way to the old address is given up
  if (!settings_.enable) return;
  driver::http::ClientOptions options;
  options.name = "push-gateway";
  options.pool_size = 1;
  options.tls.enable = options.tls.verify = true;
  client_ = std::make_unique<driver::http::Client>(std::move(options));
  loop_.timers().arm(ticker_, loop_.now(), settings_.interval);
}

void PushGateway::push() {
  loop_.timers().arm(ticker_, loop_.now(), settings_.interval);
  if (on_its_way_) return;  // a slow gateway is not flooded
  driver::http::ClientRequest request;
  request.method = "POST";
  request.url = push_url(settings_, node_);
  request.headers.emplace_back("Content-Type", "text/plain");
  for (const auto& [name, value] : settings_.headers) request.headers.emplace_back(name, value);
  request.body = page_();
  request.timeout = Millis{60'000};
  auto done = [this, alive = alive_](Result<driver::http::ClientResponse> answer) {
    auto kept = std::make_shared<Result<driver::http::ClientResponse>>(std::move(answer));
    loop_.post([this, alive, kept] {
      if (*alive) heard(*kept);
    });
  };
  on_its_way_ = client_->send(std::move(request), std::move(done));
}

void PushGateway::heard(const Result<driver::http::ClientResponse>& answer) {
  on_its_way_ = false;
  if (answer && answer->status >= 200 && answer->status < 300) {
    ++pushes_;
    return;
  }
  ++failures_;
  SB_LOG(log::Level::Error, "push_gateway_failed", kv("url", settings_.url),
         kv("reason", answer ? fmt::format("status {}", answer->status) : answer.error().what));
}

}  // namespace sb::management
