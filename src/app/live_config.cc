#include "app/live_config.h"

#include "app/features.h"
#include "app/settings.h"
#include "base/log.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>

namespace sb::app {

namespace {

constexpr std::string_view kZoneRoots[] = {"mqtt",           "zones",           "stats",    "flapping_detect",
                                           "force_shutdown", "conn_congestion", "force_gc", "overload_protection"};

/// "listeners.tcp.default" of "tcp:default".
std::string path_of(const std::string& id) {
  const auto colon = id.find(':');
  return fmt::format("listeners.{}.{}", id.substr(0, colon), id.substr(colon + 1));
}

bool same_at(const config::Value& a, const config::Value& b, std::string_view path) {
  const config::Value* left = a.at_path(path);
  const config::Value* right = b.at_path(path);
  return (left == nullptr) == (right == nullptr) && (!left || *left == *right);
}

/// The problem with the address of a listener.
Error bad_address(const config::Config& config, const std::string& id, const Error& error) {
  config::Problem problem;
  problem.path = path_of(id) + ".bind";
  const config::Value* value = config.effective.at_path(problem.path);
  if (value && value->is_scalar()) problem.value = value->text();
  problem.expected = "an address that this node can listen on";
  problem.reason = error.what;
  return {error.code, to_string(problem)};
}

/// Whether the files that handlers of the log would write can be opened.
Result<> check_log(const config::Log& log) {
  Result<> problem{};
  const auto check = [&problem](const std::string& key, const config::LogHandler& handler) {
    if (!problem || !handler.enable) return;
    const std::filesystem::path path(handler.path);
    std::error_code error;
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
    if (std::ofstream file(path, std::ios::app); file) return;
    problem = fail(Errc::Io, fmt::format("{}.path = {}: expected a file that can be written ({})", key, handler.path,
                                         error ? error.message() : std::strerror(errno)));
  };
  for (const auto& [name, file] : log.file) check("log.file." + name, file);
  check("log.audit", log.audit);
  return problem;
}

}  // namespace

Result<> LiveConfig::apply(const config::Config& before, const config::Config& after,
                           const std::vector<std::string>& roots) {
  Undo undo;
  auto changed = change(before, after, roots, undo);
  if (changed) return {};
  for (auto step = undo.rbegin(); step != undo.rend(); ++step)
    if (const auto undone = (*step)(); !undone)
      SB_LOG(log::Level::Error, "config_rollback_failed", kv("reason", undone.error().what));
  return changed;
}

Result<> LiveConfig::refresh_access(const config::Config& now) {
  SB_TRY(auto policy, access_policy(now, node_.authentication(), node_.authorization()));
  node_.access().set_policy(std::move(policy));
  return {};
}

Result<> LiveConfig::change(const config::Config& before, const config::Config& after,
                            const std::vector<std::string>& roots, Undo& undo) {
  const auto changed = [&](std::string_view root) {
    return std::find(roots.begin(), roots.end(), root) != roots.end();
  };
  const bool zones = std::any_of(std::begin(kZoneRoots), std::end(kZoneRoots), changed);

  // What can be refused comes first, each with its way back.
  if (changed("log") && log_) SB_CHECKED(check_log(after.log));
  if (changed("authorization") || changed("authentication") || changed("authentication_failure_limit") ||
      changed("listeners") || zones) {
    SB_TRY(auto policy, access_policy(after, node_.authentication(), node_.authorization(), changed("authorization")));
    const access::PolicyRef old = node_.access().policy();
    undo.push_back([this, old, &before]() -> Result<> {
      // Made anew, so that management sees the authenticators that are asked.
      auto again = access_policy(before, node_.authentication(), node_.authorization(), false);
      node_.access().set_policy(again ? *again : old);
      if (!again) return tl::unexpected(again.error());
      return {};
    });
    node_.access().set_policy(std::move(policy));
  }
  undo.push_back([this, &before] { return configure_modules(node_, before); });
  SB_CHECKED(configure_modules(node_, after));
  const bool psk = changed("psk_authentication");
  if (psk && resources_) {
    SB_CHECKED(import_psk(after, *resources_));
    SB_CHECKED(node_.keep_psk(after.psk_authentication.chunk_size));
  }
  if (changed("listeners") || psk) SB_CHECKED(change_listeners(before, after, psk, undo));

  // What cannot.
  if (changed("crl_cache") && resources_)
    resources_->certificates.set_crls(
        {after.crl_cache.refresh_interval, after.crl_cache.http_timeout, after.crl_cache.capacity});
  if (changed("mqtt") || changed("broker") || changed("retainer")) {
    const broker::CoreSettingsRef core = core_settings(after);
    for (unsigned id = 0; id < node_.shard_count(); ++id) {
      broker::Broker& broker = node_.shard(id).broker();
      node_.shard(id).loop().post([&broker, core] { broker.set_settings(core); });
    }
  }
  if (zones) node_.set_zones(zone_settings(after));
  if (changed("limiter") || changed("listeners")) node_.set_limits(node_limits(after));
  if (changed("log") && log_) log_->apply(after.log);
  return {};
}

Result<> LiveConfig::change_listeners(const config::Config& before, const config::Config& after, bool all_tls,
                                      Undo& undo) {
  if (!resources_) return {};
  SB_TRY(const auto wanted, listener_options(after, zone_settings(after), *resources_));
  std::set<std::string> gone;
  std::set<std::uint16_t> freed;  // ports that somebody gives up
  for (const ListenerInfo& known : node_.listeners().list()) gone.insert(known.id);
  const auto port_of = [this](const std::string& id) {
    const auto bound = node_.listeners().bound(id);
    return bound ? bound->port() : std::uint16_t{0};
  };
  std::vector<const ListenerOptions*> fresh, changed, ended;
  for (const ListenerOptions& options : wanted) {
    const std::string& id = options.settings.id;
    const bool known = gone.erase(id) > 0;
    if (known && same_at(before.effective, after.effective, path_of(id)) && !(all_tls && options.tls)) continue;
    if (options.enable)
      if (const auto good = Listeners::check_tls(options); !good)
        return tl::unexpected(bad_tls(after, path_of(id), good.error()));
    (!known ? fresh : options.enable ? changed : ended).push_back(&options);
    if (known && (!options.enable || options.bind.port() != port_of(id))) freed.insert(port_of(id));
  }
  for (const std::string& id : gone) freed.insert(port_of(id));

  // Connections end only where the change wants it: first what may be refused and needs no other's address, then what
  // gives up an address, then what takes it.
  const auto takes = [&](const ListenerOptions* options) {
    return options->bind.port() != port_of(options->settings.id) && freed.contains(options->bind.port());
  };
  const auto takers = std::stable_partition(changed.begin(), changed.end(), std::not_fn(takes));
  const auto takes_as_new = [&](const ListenerOptions* options) {
    return options->enable && freed.contains(options->bind.port());
  };
  const auto late = std::stable_partition(fresh.begin(), fresh.end(), std::not_fn(takes_as_new));
  for (auto one = fresh.begin(); one != late; ++one) SB_CHECKED(add(after, **one, undo));
  for (auto one = changed.begin(); one != takers; ++one) SB_CHECKED(update(after, **one, undo));
  for (const ListenerOptions* options : ended) SB_CHECKED(update(after, *options, undo));
  for (const std::string& id : gone) SB_CHECKED(remove(id, undo));
  SB_CHECKED(exchange({takers, changed.end()}, after, undo));
  for (auto one = late; one != fresh.end(); ++one) SB_CHECKED(add(after, **one, undo));
  return {};
}

Result<> LiveConfig::exchange(const std::vector<const ListenerOptions*>& takers, const config::Config& after,
                              Undo& undo) {
  // They may want each other's: all give theirs up before the first takes its new one, on the way back as well.
  std::vector<std::string> ids;
  for (const ListenerOptions* options : takers) ids.push_back(options->settings.id);
  for (const std::string& id : ids) {
    if (!node_.listeners().bound(id)) continue;
    SB_CHECKED(node_.listeners().vacate(id));
    undo.push_back([this, id] { return node_.listeners().start(id); });
  }
  for (const ListenerOptions* options : takers) {
    SB_CHECKED(update(after, *options, undo));
    undo.push_back([this, ids]() -> Result<> {
      for (const std::string& id : ids) SB_CHECKED(node_.listeners().vacate(id));
      return {};
    });
  }
  return {};
}

Result<> LiveConfig::add(const config::Config& after, const ListenerOptions& options, Undo& undo) {
  const std::string id = options.settings.id;
  if (auto added = node_.listeners().add(options); !added) return tl::unexpected(bad_address(after, id, added.error()));
  undo.push_back([this, id] { return node_.listeners().remove(id); });
  return {};
}

Result<> LiveConfig::update(const config::Config& after, const ListenerOptions& options, Undo& undo) {
  const std::string id = options.settings.id;
  auto old = node_.listeners().options(id);
  if (auto updated = node_.listeners().update(options); !updated)
    return tl::unexpected(bad_address(after, id, updated.error()));
  if (old) undo.push_back([this, old = *std::move(old)] { return node_.listeners().update(old); });
  return {};
}

Result<> LiveConfig::remove(const std::string& id, Undo& undo) {
  auto old = node_.listeners().options(id);
  SB_CHECKED(node_.listeners().remove(id));
  if (old) undo.push_back([this, old = *std::move(old)] { return node_.listeners().add(old); });
  return {};
}

}  // namespace sb::app
