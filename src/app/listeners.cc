#include "app/listeners.h"

#include "app/shard.h"
#include "base/log.h"

#include <future>

namespace sb::app {

namespace {
/// Runs `work` on the shard and waits for what it returns.
template <class Work>
auto on_shard(Shard& shard, Work work) {
  std::promise<decltype(work(shard))> done;
  shard.loop().post([&] {
    if constexpr (std::is_void_v<decltype(work(shard))>) {
      work(shard);
      done.set_value();
    } else {
      done.set_value(work(shard));
    }
  });
  return done.get_future().get();
}
}  // namespace

Listeners::Listeners(std::vector<Shard*> shards) : shards_(std::move(shards)) {}

Result<Listeners::Entry*> Listeners::find(const std::string& id) {
  const auto it = entries_.find(id);
  if (it == entries_.end()) return fail(Errc::NotFound, fmt::format("there is no listener {}", id));
  return &it->second;
}

Result<std::shared_ptr<const net::TlsContext>> Listeners::make_tls(const ListenerOptions& options) {
  if (!options.tls) return nullptr;
  auto made = net::TlsContext::make(*options.tls);
  if (!made) return fail(made.error().code, fmt::format("listener {}: {}", options.settings.id, made.error().what));
  return made;
}

ListenerSnapshot Listeners::snapshot(const Entry& entry, std::uint16_t port) const {
  const ListenerOptions& options = entry.options;
  auto settings = std::make_shared<client::ListenerSettings>(options.settings);
  settings->port = port;
  settings->websocket = options.websocket.has_value();
  settings->websocket_idle_timeout = options.websocket ? options.websocket->idle_timeout : Millis{0};
  ListenerSnapshot out;
  out.settings = std::move(settings);
  out.state = entry.state;
  out.access = std::make_shared<const net::AccessRules>(options.access);
  out.tls = entry.tls;
  if (options.websocket) out.websocket = std::make_shared<const net::WebSocketOptions>(*options.websocket);
  out.proxy_protocol = options.proxy_protocol;
  out.proxy_protocol_timeout = options.proxy_protocol_timeout;
  return out;
}

Result<> Listeners::check_tls(const ListenerOptions& options) {
  if (!options.tls) return {};
  const auto made = net::TlsContext::make(*options.tls);
  return made ? Result<>{} : tl::unexpected(made.error());
}

std::optional<ListenerOptions> Listeners::options(const std::string& id) const {
  const std::lock_guard guard(mutex_);
  const auto it = entries_.find(id);
  return it == entries_.end() ? std::nullopt : std::optional(it->second.options);
}

void Listeners::set_zones(const std::map<std::string, client::ZoneRef>& zones) {
  const std::lock_guard guard(mutex_);
  for (auto& [id, entry] : entries_) {
    client::ListenerSettings& settings = entry.options.settings;
    const auto named = zones.find(settings.zone->name);
    settings.zone = named == zones.end() ? zones.at("default") : named->second;
    if (!entry.options.tls) settings.handshake_timeout = settings.zone->idle_timeout;
    refresh(entry);
  }
}

Result<> Listeners::open(Entry& entry) {
  if (entry.bound) return {};
  if (!entry.tls) {
    SB_TRY(entry.tls, make_tls(entry.options));
  }
  // A port that the system chose stays the same over a restart.
  net::Endpoint wanted = entry.options.bind;
  if (wanted.port() == 0) wanted.set_port(entry.shown.port());
  auto bound = net::Acceptor::probe(wanted);
  if (!bound)
    return fail(bound.error().code, fmt::format("listener {}: {}", entry.options.settings.id, bound.error().what));
  const ListenerSnapshot made = snapshot(entry, bound->port());
  for (Shard* shard : shards_) {
    auto opened = on_shard(*shard, [&](Shard& here) { return here.open_listener(*bound, entry.options.socket, made); });
    if (!opened) {
      close(entry, false);
      return opened;
    }
  }
  entry.bound = entry.shown = *bound;
  SB_LOG(log::Level::Notice, "listener_started", kv("listener", entry.options.settings.id),
         kv("bind", bound->to_string()));
  return {};
}

void Listeners::close(Entry& entry, bool drop_connections) {
  const std::string& id = entry.options.settings.id;
  // All stop accepting before connections end: who comes back at once must not find an open door.
  for (Shard* shard : shards_) on_shard(*shard, [&](Shard& here) { here.close_listener(id); });
  // Twice: a connection on its way between two shards is found in the second round.
  for (int round = 0; drop_connections && round < 2; ++round)
    for (Shard* shard : shards_) on_shard(*shard, [&](Shard& here) { here.drop_connections(id); });
  if (std::exchange(entry.bound, std::nullopt)) SB_LOG(log::Level::Notice, "listener_stopped", kv("listener", id));
}

void Listeners::refresh(const Entry& entry) {
  if (!entry.bound) return;
  const ListenerSnapshot made = snapshot(entry, entry.bound->port());
  for (Shard* shard : shards_) on_shard(*shard, [&](Shard& here) { here.update_listener(made); });
}

Result<> Listeners::add(ListenerOptions options) {
  const std::lock_guard guard(mutex_);
  const std::string id = options.settings.id;
  if (entries_.contains(id)) return fail(Errc::Exists, fmt::format("there is a listener {} already", id));
  Entry entry;
  entry.state = std::make_shared<client::ListenerState>(node_limits_);
  entry.options = std::move(options);
  entry.shown = entry.options.bind;
  entry.state->limits.set(entry.options.limits);
  if (entry.options.enable) SB_CHECKED(open(entry));
  entries_.emplace(id, std::move(entry));
  return {};
}

Result<> Listeners::update(ListenerOptions options) {
  const std::lock_guard guard(mutex_);
  SB_TRY(Entry* const entry, find(options.settings.id));
  std::shared_ptr<const net::TlsContext> tls;
  if (options.enable) {
    SB_TRY(tls, make_tls(options));
  }
  const bool web = options.websocket.has_value();
  const bool moved = !(options.bind == entry->options.bind);
  const bool backlog = options.socket.backlog != entry->options.socket.backlog;
  const bool sockets = !(options.socket == entry->options.socket);
  ListenerOptions old_options = std::exchange(entry->options, std::move(options));
  auto old_tls = std::exchange(entry->tls, std::move(tls));
  entry->state->limits.set(entry->options.limits);
  if (!entry->options.enable) {
    if (entry->bound) close(*entry, true);
    entry->shown = entry->options.bind;
    return {};
  }
  if (entry->bound && !moved && !sockets) {
    refresh(*entry);
    return {};
  }
  const bool was_open = entry->bound.has_value();
  const net::Endpoint old_shown = entry->shown;
  if (was_open) {
    // The new address is tried before the old one is given up.
    // On the same port it may be our own that stands in the way.
    if (moved && entry->options.bind.port() != entry->bound->port()) {
      const auto free = net::Acceptor::probe(entry->options.bind);
      if (!free) {
        entry->options = std::move(old_options);
        entry->tls = std::move(old_tls);
        entry->state->limits.set(entry->options.limits);
        return fail(free.error().code, fmt::format("listener {}: {}", entry->options.settings.id, free.error().what));
      }
    }
    close(*entry, !web && (moved || backlog));
  }
  if (moved) entry->shown = entry->options.bind;
  auto opened = open(*entry);
  if (opened) return {};
  entry->options = std::move(old_options);
  entry->tls = std::move(old_tls);
  entry->shown = old_shown;
  entry->state->limits.set(entry->options.limits);
  if (was_open)
    if (const auto again = open(*entry); !again)
      SB_LOG(log::Level::Error, "listener_failed", kv("reason", again.error().what));
  return opened;
}

Result<> Listeners::start(const std::string& id) {
  const std::lock_guard guard(mutex_);
  SB_TRY(Entry* const entry, find(id));
  return open(*entry);
}

Result<> Listeners::stop(const std::string& id) {
  const std::lock_guard guard(mutex_);
  SB_TRY(Entry* const entry, find(id));
  close(*entry, true);
  return {};
}

Result<> Listeners::vacate(const std::string& id) {
  const std::lock_guard guard(mutex_);
  SB_TRY(Entry* const entry, find(id));
  close(*entry, !entry->options.websocket.has_value());
  return {};
}

Result<> Listeners::restart(const std::string& id) {
  const std::lock_guard guard(mutex_);
  SB_TRY(Entry* const entry, find(id));
  close(*entry, true);
  return open(*entry);
}

Result<> Listeners::remove(const std::string& id) {
  const std::lock_guard guard(mutex_);
  SB_TRY(Entry* const entry, find(id));
  close(*entry, true);
  entries_.erase(id);
  return {};
}

Result<> Listeners::reload(Entry& entry) {
  SB_TRY(entry.tls, make_tls(entry.options));
  entry.refused.clear();
  refresh(entry);
  return {};
}

Result<> Listeners::reload_certificates() {
  const std::lock_guard guard(mutex_);
  Result<> first{};
  for (auto& [id, entry] : entries_) {
    if (!entry.tls) continue;  // none, or not open yet: the files are read then
    auto loaded = reload(entry);
    if (loaded) continue;
    SB_LOG(log::Level::Error, "certificates_not_reloaded", kv("listener", id), kv("reason", loaded.error().what));
    if (first) first = std::move(loaded);
  }
  return first;
}

void Listeners::reload_changed_certificates() {
  const std::lock_guard guard(mutex_);
  for (auto& [id, entry] : entries_) {
    if (!entry.tls) continue;
    std::string files = net::TlsContext::files_of(*entry.options.tls);
    if (files == entry.tls->files()) continue;
    if (const auto loaded = reload(entry); loaded)
      SB_LOG(log::Level::Notice, "certificates_reloaded", kv("listener", id));
    else if (std::exchange(entry.refused, files) != files)
      SB_LOG(log::Level::Warning, "certificates_not_reloaded", kv("listener", id), kv("reason", loaded.error().what));
  }
}

std::vector<ListenerInfo> Listeners::list() const {
  const std::lock_guard guard(mutex_);
  std::vector<ListenerInfo> out;
  for (const auto& [id, entry] : entries_) {
    ListenerInfo info;
    info.id = id;
    info.bind = entry.shown;
    info.acceptors = entry.options.acceptors;
    info.enabled = entry.options.enable;
    info.proxy_protocol = entry.options.proxy_protocol;
    info.running = entry.bound.has_value();
    info.connections = entry.state->connections();
    info.connections_max = entry.state->connections_max();
    info.connections_limit = entry.options.settings.max_connections;
    info.shutdown_count = entry.state->ends();
    out.push_back(std::move(info));
  }
  return out;
}

std::optional<net::Endpoint> Listeners::bound(const std::string& id) const {
  const std::lock_guard guard(mutex_);
  const auto it = entries_.find(id);
  return it == entries_.end() ? std::nullopt : it->second.bound;
}

}  // namespace sb::app
