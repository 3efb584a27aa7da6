#include "app/management.h"

#include "app/catalogs.h"
#include "base/log.h"
#include "management/api_registry.h"
#include "management/backup_accounts.h"
#include "management/backup_rules.h"
#include "management/backup_tables.h"

#include <algorithm>
#include <filesystem>
#include <future>

namespace sb::app {

namespace {
/// `iteration_count` of the authenticator whose users this group holds.
std::optional<std::uint32_t> scram_iterations(const config::Config& config, std::string_view group) {
  const auto look = [&](std::string_view chain, const config::AuthnChain& members) -> std::optional<std::uint32_t> {
    for (const config::Authenticator& one : members) {
      const config::Value* count = one.value.find("iteration_count");
      if (access::authn::group_of(chain, one.id) == group && count && count->if_int())
        return static_cast<std::uint32_t>(*count->if_int());
    }
    return std::nullopt;
  };
  if (auto found = look(access::authn::kGlobalChain, config.authn)) return found;
  for (const auto& [listener, chain] : config.listener_authn)
    if (auto found = look(listener, chain)) return found;
  return std::nullopt;
}
}  // namespace

Management::Management(Node& node, ManagementOptions options)
    : node_(node),
      live_(node, options.resources, options.log),
      licence_(clock_, node.quota(), &node.alarms()),
      listeners_(node),
      table_(clock_),
      data_dir_(options.data_dir),
      resources_(options.resources),
      assets_(options.assets) {
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
    http_written_ = options.loaded->all.at_path("dashboard.listeners.http") != nullptr;
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
    config_->subscribe([this](const config::Config& before, const config::Config& after,
                              const std::vector<std::string>& roots) { return follow(before, after, roots); });
    config_->follow([&node](const config::Config& before, const config::Config& after) {
      node.authentication().forget(before, after);
      node.authorization().forget(before, after);
    });
    environment.config = config_.get();
    if (!environment.data_dir.empty()) {
      backup_ = std::make_unique<management::Backup>(
          management::Backup::Options{environment.data_dir, environment.version}, *config_, clock_);
      backup_->add(management::banned_backup(node.access(), clock_));
      backup_->add(management::users_backup(node.users()));
      backup_->add(management::scram_backup(
          node.users(), [this](const std::string& group) { return scram_iterations(*config_->current(), group); }));
      backup_->add(management::rules_backup(node.rules()));
      if (node.psk()) backup_->add(management::psk_backup(*node.psk(), environment.store));
      backup_->add(management::retained_backup(node.core()));
      environment.backup = backup_.get();
    }
    environment.refresh_access = [this] { return live_.refresh_access(*config_->current()); };
  }
  service_ = std::make_unique<management::Service>(std::move(environment));
  if (backup_) {
    backup_->add(management::admins_backup(service_->accounts()));
    backup_->add(management::api_keys_backup(service_->accounts()));
  }
  management::ApiRegistry registry{table_, *service_};
  add_api_plugins(registry);
  gate_ = std::make_unique<AccessGate>(service_->accounts(),
                                       [this] { return config_ && config_->current()->prometheus.enable_basic_auth; });
  table_.set_gate([this](http::Request& request, const http::Endpoint& endpoint, const http::Table::Raw& parameters) {
    return gate_->check(request, endpoint, parameters);
  });
  table_.set_keeper([this](std::function<void(bool)> then) { service_->when_kept(std::move(then)); });
  audit_ = std::make_unique<AuditTrail>(*service_, options.log);
  table_.set_audit([this](const http::Audited& audited) { audit_->record(audited); });
}

Management::~Management() {
  stop();
}

namespace {

Result<management::AccountSettings> account_settings(const config::Config& config) {
  const config::Dashboard& from = config.dashboard;
  management::AccountSettings out;
  out.default_username = from.default_username;
  SB_TRY(out.default_password, config::resolve_secret(from.default_password));
  out.token_lifetime = from.token_expired_time;
  const config::LoginLockout& lock = from.login_lockout;
  out.lockout = lock.enable;
  out.per_user = {true, lock.user_failures, lock.window, lock.duration};
  out.per_address = {true, lock.address_failures, lock.window, lock.duration};
  return out;
}

std::string bootstrap_file(const config::Config& config) {
  return config.api_key.bootstrap_file.empty() ? config.dashboard.bootstrap_users_file : config.api_key.bootstrap_file;
}

}  // namespace

Result<> Management::open_accounts() {
  management::AccountSettings settings;
  if (config_) {
    SB_TRY(settings, account_settings(*config_->current()));
  }
  SB_CHECKED(service_->accounts().open(node_.store(), std::move(settings)));
  for (const management::Admin& admin : service_->accounts().admins())
    if (admin.initial) first_user_ = admin.username;
  SB_CHECKED(service_->audit().open(node_.store(), config_ ? config_->current()->log.audit.max_filter_size : 5000));
  if (!config_) return {};
  audit_->set(config_->current()->log.audit);
  audit_->record_command("signalbox", {"start"});
  const std::string file = bootstrap_file(*config_->current());
  if (file.empty()) return {};
  SB_TRY(const std::size_t count, service_->accounts().load_api_keys(file));
  SB_LOG(log::Level::Info, "api_keys_loaded", kv("file", file), kv("count", count));
  return {};
}

Result<> Management::open_sockets() {
  if (!data_dir_.empty()) {
    const std::string uploads = data_dir_ + "/uploads";
    std::error_code made;
    std::filesystem::create_directories(uploads, made);
    table_.set_upload_folder(uploads);
  }
  http::UnixServer::Options options;
  options.path = socket_path(data_dir_);
  server_ = std::make_unique<http::UnixServer>(
      service_->loop(), options,
      [this](http::Request request, http::Reply reply) { table_.handle(std::move(request), std::move(reply)); },
      [this](http::Request& head) { return table_.plan_body(head); });
  SB_CHECKED(server_->open());
  certificates_ = std::make_unique<CertificateWatch>(service_->loop(), node_.listeners());
  if (!config_) return {};
  network_ = std::make_unique<ManagementNetwork>(service_->loop(), table_, assets_, resources_);
  SB_CHECKED(network_->apply(*config_->current(), http_written_));
  addresses_ = network_->addresses();
  listeners_.set_others([this] { return network_->reload_certificates(); });
  return {};
}

Result<> Management::follow(const config::Config& before, const config::Config& after,
                            const std::vector<std::string>& roots) {
  const auto changed = [&](std::string_view root) {
    return std::find(roots.begin(), roots.end(), root) != roots.end();
  };
  if (changed("dashboard")) {
    SB_TRY(auto settings, account_settings(after));
    if (network_) SB_CHECKED(network_->apply(after));
    service_->accounts().set_settings(std::move(settings));
  }
  if (changed("log")) audit_->set(after.log.audit);
  const std::string file = bootstrap_file(after);
  if (!file.empty() && file != bootstrap_file(before)) {
    if (const auto loaded = service_->accounts().load_api_keys(file); !loaded)
      SB_LOG(log::Level::Error, "api_keys_not_loaded", kv("reason", loaded.error().what));
  }
  return {};
}

Result<> Management::start() {
  SB_CHECKED(open_accounts());
  std::promise<Result<>> opened;
  service_->start([&] {
    if (service_->environment().licence) licence_.watch(service_->loop());
    if (backup_) backup_->recover();
    opened.set_value(open_sockets());
  });
  return opened.get_future().get();
}

void Management::stop() {
  service_->stop([this] {
    licence_.stop();
    server_.reset();
    network_.reset();
    certificates_.reset();
  });
}

}  // namespace sb::app
