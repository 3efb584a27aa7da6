// Clients and their subscriptions.
#include "broker/topic.h"
#include "client/client.h"
#include "codec/mqtt/packets.h"
#include "management/gather.h"
#include "management/service.h"

namespace sb::management {

namespace {

ClientView describe(broker::Session& session) {
  ClientView out;
  const broker::Identity& identity = *session.identity();
  out.client_id = identity.client_id;
  out.username = identity.username;
  out.peer_host = identity.peer_host;
  out.connected = session.connected();
  out.clean_start = session.clean_start();
  out.expiry_s = session.expiry_s();
  out.created_ms = session.created_ms();
  out.disconnected_ms = session.disconnected_ms();
  const broker::SessionSettings& settings = session.settings();
  out.subscriptions = session.subscription_count();
  out.subscriptions_max = settings.max_subscriptions;
  out.inflight = session.inflight_count();
  out.inflight_max = session.window();
  out.queue = session.queue().size();
  out.queue_bytes = session.queue().bytes();
  out.queue_max = settings.queue.messages;
  out.awaiting_rel = session.awaiting_rel_count();
  out.awaiting_rel_max = settings.max_awaiting_rel;
  const auto& counts = session.counts();
  out.delivered = counts.delivered;
  out.enqueued = counts.enqueued;
  out.dropped = counts.dropped;
  out.dropped_queue_full = counts.dropped_queue_full;
  out.dropped_too_large = counts.dropped_too_large;
  out.dropped_expired = counts.dropped_expired;
  out.received_dropped = out.received_timed_out = counts.received_timed_out;
  const client::Client* client = session.sink() ? session.sink()->connected_client() : nullptr;
  if (!client) {
    if (const broker::LastConnection* last = session.last_connection()) {
      out.peer_port = last->peer_port;
      out.listener = last->listener;
      out.protocol_name = codec::mqtt::protocol_name(last->version);
      out.protocol_version = static_cast<int>(last->version);
      out.keep_alive_s = last->keep_alive_s;
      out.mountpoint = last->mountpoint;
      out.connected_ms = last->connected_ms;
    }
    return out;
  }
  const client::ConnectInfo& info = client->info();
  out.peer_host = client->peer().host();
  out.peer_port = client->peer().port();
  out.local_port = client->listener().port;
  out.listener = client->listener().id;
  out.protocol_name = info.protocol_name;
  out.protocol_version = info.protocol_version;
  out.keep_alive_s = info.keep_alive_s;
  out.mountpoint = client->mountpoint();
  out.connected_ms = client->connected_ms();
  const client::Client::Traffic& traffic = client->traffic;
  out.received_bytes = traffic.received_bytes;
  out.received_packets = traffic.received_packets;
  out.received_dropped += traffic.received_dropped;
  out.sent_bytes = traffic.sent_bytes;
  out.sent_packets = traffic.sent_packets;
  for (int qos = 0; qos < 3; ++qos) {
    out.received_messages[qos] = traffic.received_messages[qos];
    out.sent_messages[qos] = traffic.sent_messages[qos];
  }
  return out;
}

/// Pages seldom have more rows.
constexpr std::size_t kPageUsual = 1000;

SubscriptionView describe(const broker::Session& session, const broker::Subscription& subscription) {
  return {std::string(session.client_id()), std::string(subscription.filter()), subscription.options};
}

bool contains(std::string_view text, const std::optional<std::string>& part) {
  return !part || text.find(*part) != std::string_view::npos;
}
template <class T>
bool equals(const T& value, const std::optional<T>& wanted) {
  return !wanted || value == *wanted;
}
bool among(const std::string& value, const std::vector<std::string>& wanted) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}
bool within(std::int64_t value, const std::optional<std::int64_t>& from, const std::optional<std::int64_t>& to) {
  return (!from || value >= *from) && (!to || value <= *to);
}

bool fits(broker::Session& session, const ClientQuery& query) {
  const broker::Identity& identity = *session.identity();
  // The exact one beats the fuzzy one (management-api 1.6).
  if (!among(identity.client_id, query.client_ids) || !among(identity.username, query.usernames) ||
      !equals(identity.peer_host, query.ip_address) ||
      (query.client_ids.empty() && !contains(identity.client_id, query.like_client_id)) ||
      (query.usernames.empty() && !contains(identity.username, query.like_username)) ||
      !equals(session.connected(), query.connected) || !equals(session.clean_start(), query.clean_start) ||
      !within(session.created_ms(), query.created_from_ms, query.created_to_ms))
    return false;
  if (!query.protocol_version && !query.connected_from_ms && !query.connected_to_ms) return true;
  const auto same = [&query](int version, std::int64_t connected_ms) {
    return equals(version, query.protocol_version) &&
           within(connected_ms, query.connected_from_ms, query.connected_to_ms);
  };
  if (const client::Client* client = session.sink() ? session.sink()->connected_client() : nullptr)
    return same(client->info().protocol_version, client->connected_ms());
  const broker::LastConnection* last = session.last_connection();
  return last && same(static_cast<int>(last->version), last->connected_ms);
}

bool fits(const broker::Subscription& subscription, const SubscriptionQuery& query) {
  const auto parsed = broker::parse_filter(subscription.filter());
  if (!parsed) return false;
  if (query.qos && subscription.options.qos != *query.qos) return false;
  if (query.topic && parsed->filter != *query.topic) return false;
  if (query.share_group && (!parsed->is_shared() || parsed->group != *query.share_group)) return false;
  return !query.match_topic || parsed->filter == *query.match_topic ||
         broker::matches(parsed->filter, *query.match_topic);
}

/// With the client's mountpoint in front of the real filter, behind any prefix (broker.md 9.5), as its own SUBSCRIBE
/// has it.
std::string mounted(broker::Session& session, std::string_view full) {
  const client::Client* client = session.sink() ? session.sink()->connected_client() : nullptr;
  const auto parsed = broker::parse_filter(full);
  if (!client || !parsed) return std::string(full);
  return fmt::format("{}{}{}", full.substr(0, full.size() - parsed->filter.size()), client->mountpoint(),
                     parsed->filter);
}

}  // namespace

bool ClientQuery::filtered() const {
  return !client_ids.empty() || !usernames.empty() || ip_address || like_client_id || like_username || connected ||
         clean_start || protocol_version || created_from_ms || created_to_ms || connected_from_ms || connected_to_ms;
}

/// One page over the sessions of all shards, which are walked one after the other; touched by one thread at a time.
struct Service::SessionList {
  /// Of this session; true: the page and what follows it are settled.
  std::function<bool(broker::Session&)> visit;
  /// How many rows a shard has, to pass it by as a whole; null when it must be looked at.
  std::function<std::size_t(broker::Broker&)> rows_of_shard;
  /// Rows are sessions: the walk may begin in the middle.
  bool row_is_session = false;
  bool settled = false;
  std::size_t seen = 0;  // rows passed so far
  std::size_t skip = 0;
  std::size_t limit = 0;
  std::function<void()> done;  // on the management thread
};

void Service::walk_on(std::shared_ptr<SessionList> list, unsigned shard) {
  if (shard == core_.shards() || list->settled) {
    loop_.post([list] { list->done(); });
    return;
  }
  broker::Broker& broker = core_.shard(shard);
  broker.loop().post([this, list, shard, &broker] {
    SessionWalks::Range range;
    if (list->rows_of_shard) {
      const std::size_t rows = list->rows_of_shard(broker);
      const bool before = list->seen + rows <= list->skip;
      const bool behind = list->seen >= list->skip + list->limit;
      if (before || behind) {
        list->seen += rows;
        return walk_on(list, shard + 1);
      }
      if (list->row_is_session && list->seen < list->skip) {
        range.from = list->skip - list->seen;
        list->seen = list->skip;
      }
      // Some more than a page, for those that end meanwhile: copying all of a shard is a pause of its own.
      if (list->row_is_session) range.most = list->limit + SessionWalks::kSlice;
    }
    const std::size_t first = list->seen - range.from;
    walks_[shard]->walk(
        range, [list](broker::Session& session) { return !list->visit(session); },
        [this, list, shard, first, &broker] {
          // A walk that stopped at the end of the page has not counted the rest.
          if (list->rows_of_shard && !list->settled)
            list->seen = std::max(list->seen, first + list->rows_of_shard(broker));
          walk_on(list, shard + 1);
        });
  });
}

void Service::clients(ClientQuery query, std::function<void(Page<ClientView>)> done) {
  auto list = std::make_shared<SessionList>();
  auto page = std::make_shared<Page<ClientView>>();
  const bool filtered = query.filtered();
  const bool fuzzy = query.fuzzy();
  list->skip = query.skip;
  list->limit = query.limit;
  list->row_is_session = true;
  if (!filtered) list->rows_of_shard = [](broker::Broker& broker) { return broker.session_count(); };
  page->rows.reserve(std::min<std::size_t>(query.limit, kPageUsual));  // here, not piece by piece on the shard
  SessionList* state = list.get();
  list->visit = [state, page, fuzzy, filtered, query = std::move(query)](broker::Session& session) {
    if (!fits(session, query)) return false;
    const std::size_t row = state->seen++;
    if (row < query.skip) return false;
    if (page->rows.size() < query.limit) {
      page->rows.push_back(describe(session));
      return !filtered && page->rows.size() == query.limit;
    }
    page->has_next = true;
    return state->settled = fuzzy;  // no count is owed
  };
  list->done = [state, page, fuzzy, done = std::move(done)] {
    if (!fuzzy) {
      page->count = state->seen;
      page->has_next = state->seen > state->skip + page->rows.size() && !page->rows.empty();
    }
    done(std::move(*page));
  };
  walk_on(list, 0);
}

void Service::sessions_since(std::int64_t since_ms, std::function<void(std::size_t)> done) {
  auto list = std::make_shared<SessionList>();
  SessionList* state = list.get();
  list->visit = [state, since_ms](broker::Session& session) {
    if (session.connected() || session.disconnected_ms() >= since_ms) ++state->seen;
    return false;
  };
  list->done = [state, done = std::move(done)] { done(state->seen); };
  walk_on(list, 0);
}

void Service::subscriptions(SubscriptionQuery query, std::function<void(Page<SubscriptionView>)> done) {
  auto page = std::make_shared<Page<SubscriptionView>>();
  if (query.client_id) {
    std::string id = *query.client_id;
    return at_home<Page<SubscriptionView>>(
        std::move(id),
        [query = std::move(query)](broker::Broker&, broker::Session* session) {
          Page<SubscriptionView> out;
          std::size_t seen = 0;
          if (session)
            session->for_each_subscription([&](const broker::Subscription& subscription) {
              if (!fits(subscription, query)) return;
              if (seen >= query.skip && out.rows.size() < query.limit)
                out.rows.push_back(describe(*session, subscription));
              ++seen;
            });
          out.count = seen;
          out.has_next = seen > query.skip + out.rows.size();
          return out;
        },
        std::move(done));
  }
  auto list = std::make_shared<SessionList>();
  list->skip = query.skip;
  list->limit = query.limit;
  const bool filtered = query.filtered();
  const bool fuzzy = query.match_topic.has_value();
  if (!filtered) list->rows_of_shard = [](broker::Broker& broker) { return broker.subscription_count(); };
  SessionList* state = list.get();
  list->visit = [state, page, filtered, fuzzy, query = std::move(query)](broker::Session& session) {
    if (!filtered && state->seen + session.subscription_count() <= query.skip) {
      state->seen += session.subscription_count();
      return false;
    }
    session.for_each_subscription([&](const broker::Subscription& subscription) {
      if (filtered && !fits(subscription, query)) return;
      const std::size_t row = state->seen++;
      if (row < query.skip) return;
      if (page->rows.size() < query.limit)
        page->rows.push_back(describe(session, subscription));
      else
        page->has_next = true;
    });
    if (fuzzy && page->has_next) state->settled = true;
    return state->settled || (!filtered && page->rows.size() == query.limit);
  };
  list->done = [state, page, fuzzy, done = std::move(done)] {
    if (!fuzzy) {
      page->count = state->seen;
      page->has_next = state->seen > state->skip + page->rows.size() && !page->rows.empty();
    }
    done(std::move(*page));
  };
  walk_on(list, 0);
}

void Service::client(std::string id, std::function<void(std::optional<ClientView>)> done) {
  at_home<std::optional<ClientView>>(
      std::move(id),
      [](broker::Broker&, broker::Session* session) {
        return session ? std::optional(describe(*session)) : std::nullopt;
      },
      std::move(done));
}

void Service::kick(std::string id, std::function<void(bool)> done) {
  const std::string name = id;
  at_home<bool>(
      std::move(id),
      [name](broker::Broker& broker, broker::Session*) { return broker.kick(name, broker::EndReason::Kicked); },
      std::move(done));
}

void Service::set_keep_alive(std::string id, std::uint32_t seconds,
                             std::function<void(std::optional<ClientView>)> done) {
  at_home<std::optional<ClientView>>(
      std::move(id),
      [seconds](broker::Broker&, broker::Session* session) -> std::optional<ClientView> {
        if (!session) return std::nullopt;
        if (!session->sink()) return describe(*session);  // its next CONNECT says how long it may be silent
        session->sink()->set_keep_alive(seconds);
        if (client::Client* client = session->sink()->connected_client()) client->set_keep_alive(seconds);
        return describe(*session);
      },
      std::move(done));
}

void Service::cached_verdicts(std::string id, bool clear,
                              std::function<void(std::optional<std::vector<CachedVerdict>>)> done) {
  at_home<std::optional<std::vector<CachedVerdict>>>(
      std::move(id),
      [clear](broker::Broker& broker, broker::Session* session) -> std::optional<std::vector<CachedVerdict>> {
        if (!session) return std::nullopt;
        std::vector<CachedVerdict> out;
        client::Client* client = session->sink() ? session->sink()->connected_client() : nullptr;
        if (!client) return out;
        if (clear) client->cache().clear();
        client->cache().for_each([&](const client::AuthorizationCache::Entry& entry) {
          constexpr std::uint8_t kSubscribeBit = 8;
          const auto age = std::chrono::duration_cast<Millis>(broker.loop().now() - entry.since);
          out.push_back({entry.kind & kSubscribeBit ? "subscribe" : "publish", entry.topic,
                         entry.verdict == access::Verdict::Allow, broker.loop().wall_ms() - age.count()});
        });
        return out;
      },
      std::move(done));
}

void Service::subscriptions_of(std::string id, std::function<void(std::optional<std::vector<SubscriptionView>>)> done) {
  at_home<std::optional<std::vector<SubscriptionView>>>(
      std::move(id),
      [](broker::Broker&, broker::Session* session) -> std::optional<std::vector<SubscriptionView>> {
        if (!session) return std::nullopt;
        std::vector<SubscriptionView> out;
        session->for_each_subscription(
            [&](const broker::Subscription& subscription) { out.push_back(describe(*session, subscription)); });
        return out;
      },
      std::move(done));
}

void Service::subscribe(std::string id, std::vector<SubscribeRequest> requests,
                        std::function<void(std::optional<std::vector<ReasonCode>>)> done) {
  at_home<std::optional<std::vector<ReasonCode>>>(
      std::move(id),
      [requests = std::move(requests)](broker::Broker& broker,
                                       broker::Session* session) -> std::optional<std::vector<ReasonCode>> {
        if (!session) return std::nullopt;
        std::vector<ReasonCode> out;
        std::vector<broker::Broker::Subscribed> made;
        bool failed = false;
        for (const SubscribeRequest& request : requests) {
          made.push_back(broker.subscribe(*session, mounted(*session, request.topic), request.options));
          out.push_back(made.back().code);
          failed = failed || is_error(made.back().code);
        }
        // All of them or none: the new ones go again.
        for (std::size_t i = 0; i < made.size(); ++i) {
          if (failed && made[i].is_new)
            broker.unsubscribe(*session, mounted(*session, requests[i].topic));
          else if (!failed && made[i].subscription && session->connected())
            broker.replay_retained(*session, *made[i].subscription, made[i].is_new);
        }
        return out;
      },
      std::move(done));
}

void Service::unsubscribe(std::string id, std::vector<std::string> topics, std::function<void(bool)> done) {
  at_home<bool>(
      std::move(id),
      [topics = std::move(topics)](broker::Broker& broker, broker::Session* session) {
        if (!session) return false;
        for (const std::string& topic : topics) broker.unsubscribe(*session, mounted(*session, topic));
        return true;
      },
      std::move(done));
}

}  // namespace sb::management
