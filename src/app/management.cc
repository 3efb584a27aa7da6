#include "app/management.h"

#include "app/catalogs.h"
#include "base/log.h"
#include "management/api_registry.h"
#include "management/backup_rules.h"
#include "management/backup_tables.h"

#include <future>

namespace sb::app {

Management::Management(Node& node, ManagementOptions options)
    : live_(node, options.resources, options.log),
      licence_(clock_, node.quota(), &node.alarms()),
      listeners_(node),
      table_(clock_),
      socket_path_(socket_path(options.data_dir)) {
  management::Environment environment;
  environment.core = &node.core();
  environment.clock = &clock_;
  environment.node = node.name();
  environment.data_dir = options.data_dir;
  environment.stats = &node.stats();
  environment.access = &node.access();
  environment.authentication = &node.authentication();
  environment.authorization = &node.authorization();
  environment.alarms = &node.alarms();
  environment.listeners = &listeners_;
  environment.stop = std::move(options.stop);
  environment.store = [&node] { return node.store(); };

  broker::Modules& modules = node.modules();
  if (auto* module = modules.find_as<plugins::module::delayed::Delayed>("delayed"))
    environment.delayed = (delayed_ = std::make_unique<NodeDelayed>(*module)).get();
  if (auto* module = modules.find_as<plugins::module::topic_metrics::TopicMetrics>("topic_metrics"))
    environment.topic_metrics = (topic_metrics_ = std::make_unique<NodeTopicMetrics>(*module)).get();
  if (auto* module = modules.find_as<plugins::module::log_trace::LogTrace>("log_trace"))
    environment.traces = (traces_ = std::make_unique<NodeTraces>(*module)).get();
  if (auto* module = modules.find_as<plugins::module::slow_subs::SlowSubs>("slow_subs"))
    environment.slow_subscriptions = (slow_subscriptions_ = std::make_unique<NodeSlowSubscriptions>(*module)).get();

  environment.log = options.log;
  if (options.loaded) {
    config_ =
        std::make_unique<config::ConfigStore>(std::move(*options.loaded), std::move(options.load_options), clock_);
    licence_.begin(config_->current()->license);
    environment.licence = &licence_;
    config_->subscribe(
        [this](const config::Config&, const config::Config& after, const std::vector<std::string>& roots) -> Result<> {
          if (std::find(roots.begin(), roots.end(), "license") == roots.end()) return {};
          return licence_.apply(after.license);
        });
    config_->subscribe([this](const config::Config& before, const config::Config& after,
                              const std::vector<std::string>& roots) { return live_.apply(before, after, roots); });
    environment.config = config_.get();
    if (!environment.data_dir.empty()) {
      backup_ = std::make_unique<management::Backup>(
          management::Backup::Options{environment.data_dir, environment.version}, *config_, clock_);
      backup_->add(management::banned_backup(node.access()));
      backup_->add(management::users_backup(node.users()));
      backup_->add(management::scram_backup(node.users()));
      backup_->add(management::rules_backup(node.rules()));
      backup_->add(management::retained_backup(node.core(), environment.store));
      environment.backup = backup_.get();
    }
    environment.refresh_access = [this] { return live_.refresh_access(*config_->current()); };
  }
  service_ = std::make_unique<management::Service>(std::move(environment));
  management::ApiRegistry registry{table_, *service_};
  add_api_plugins(registry);
  table_.set_audit([](const http::Audited& audited) {
    SB_LOG(log::Level::Info, "management_operation",
           kv("from", audited.call.request.door == http::Door::Cli ? "cli" : "rest_api"),
           kv("method", audited.call.request.method), kv("path", audited.call.request.path),
           kv("status", audited.response.status));
  });
}

Management::~Management() {
  stop();
}

Result<> Management::start() {
  http::UnixServer::Options options;
  options.path = socket_path_;
  std::promise<Result<>> opened;
  service_->start([&] {
    if (service_->environment().licence) licence_.watch(service_->loop());
    if (backup_) backup_->recover();
    server_ = std::make_unique<http::UnixServer>(
        service_->loop(), options,
        [this](http::Request request, http::Reply reply) { table_.handle(std::move(request), std::move(reply)); });
    opened.set_value(server_->open());
  });
  return opened.get_future().get();
}

void Management::stop() {
  service_->stop([this] {
    licence_.stop();
    server_.reset();
  });
}

}  // namespace sb::app
