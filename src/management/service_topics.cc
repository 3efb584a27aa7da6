// Routes and retained messages.
#include "broker/topic.h"
#include "management/gather.h"
#include "management/service.h"

namespace sb::management {

namespace {

/// Routes visited under one holding of the router's writer lock.
constexpr std::size_t kRoutesSlice = 256;
/// Retained messages looked at, or deleted, before a shard does something else.
constexpr std::size_t kRetainedSlice = 512;

/// The rows of a route: itself if somebody subscribed plainly, and each of its groups. Under the writer lock.
template <class Fn>
void rows_of(const broker::Route& route, Fn&& fn) {
  const auto* groups = static_cast<const broker::SharedGroupList*>(route.groups());
  if (route.shard_mask() != 0 || !groups || groups->empty()) fn(std::string(route.filter()));
  if (groups)
    for (const broker::SharedGroup* group : *groups) fn(group->full_filter());
}

RetainedView describe(const broker::Message& message, bool with_payload) {
  RetainedView out;
  out.topic = message.topic();
  out.qos = message.qos();
  out.publish_at_ms = message.published_ms();
  if (message.from()) {
    out.client_id = message.from()->client_id;
    out.username = message.from()->username;
  }
  if (with_payload)
    out.payload.assign(reinterpret_cast<const char*>(message.payload().data()), message.payload().size());
  return out;
}

}  // namespace

struct Service::TopicList {
  std::uint64_t cursor = 0;
  std::size_t seen = 0;
  std::size_t skip = 0;
  std::size_t limit = 0;
  Page<std::string> page;
  std::function<void(Page<std::string>)> done;
};

void Service::topics(std::size_t skip, std::size_t limit, std::function<void(Page<std::string>)> done) {
  auto list = std::make_shared<TopicList>();
  list->skip = skip;
  list->limit = limit;
  list->done = std::move(done);
  topics_on(std::move(list));
}

void Service::topics_on(std::shared_ptr<TopicList> list) {
  list->cursor = core_.router().visit(list->cursor, kRoutesSlice, [&](broker::Route& route) {
    rows_of(route, [&](std::string row) {
      const std::size_t at = list->seen++;
      if (at < list->skip) return;
      if (list->page.rows.size() < list->limit)
        list->page.rows.push_back(std::move(row));
      else
        list->page.has_next = true;
    });
  });
  if (list->cursor != 0 && !list->page.has_next) {
    loop_.post([this, list = std::move(list)] { topics_on(list); });
    return;
  }
  // As in 5.4 the count is how far the list was read, not the total.
  list->page.count = std::min(list->seen, list->skip + list->page.rows.size());
  list->done(std::move(list->page));
}

bool Service::has_topic(std::string_view full_filter) const {
  const auto parsed = broker::parse_filter(full_filter);
  if (!parsed) return false;
  broker::Router& router = core_.router();
  return router.with_writer_lock([&] {
    const broker::Route* route = router.find(parsed->filter);
    bool found = false;
    if (route)
      rows_of(*route, [&](const std::string& row) { found = found || row == broker::canonical_filter(full_filter); });
    return found;
  });
}

std::size_t Service::retained_count() const {
  return core_.retained_count().load(std::memory_order_relaxed);
}

/// Goes over the retained messages of all shards that match the filter, in slices.
struct Service::Sweep {
  std::string filter;  // empty = every message
  std::function<void(broker::Broker&, const broker::MessageRef&)> visit;
  std::function<void()> done;                      // on the management thread
  std::unique_ptr<broker::RetainedReader> reader;  // of the shard that is visited; made and dropped there
};

void Service::sweep_on(std::shared_ptr<Sweep> sweep, unsigned shard) {
  if (shard == core_.shards()) {
    loop_.post([sweep = std::move(sweep)] { sweep->done(); });
    return;
  }
  broker::Broker& broker = core_.shard(shard);
  broker.loop().post([this, sweep = std::move(sweep), shard, &broker] {
    if (!sweep->reader) sweep->reader = std::make_unique<broker::RetainedReader>(broker.retained(), sweep->filter);
    std::vector<broker::MessageRef> messages;
    const bool more = sweep->reader->read(kRetainedSlice, broker.loop().wall_ms(), messages);
    for (const broker::MessageRef& message : messages) sweep->visit(broker, message);
    if (more) return sweep_on(sweep, shard);
    sweep->reader.reset();
    sweep_on(sweep, shard + 1);
  });
}

void Service::retained(std::string filter, std::size_t skip, std::size_t limit,
                       std::function<void(Page<RetainedView>)> done) {
  struct State {
    std::vector<broker::MessageRef> messages;
  };
  auto state = std::make_shared<State>();
  auto sweep = std::make_shared<Sweep>();
  sweep->filter = std::move(filter);
  sweep->visit = [state](broker::Broker&, const broker::MessageRef& message) { state->messages.push_back(message); };
  sweep->done = [state, skip, limit, done = std::move(done)] {
    auto& all = state->messages;
    const std::size_t begin = std::min(skip, all.size());
    const std::size_t end = std::min(begin + limit, all.size());
    const auto by_topic = [](const broker::MessageRef& a, const broker::MessageRef& b) {
      return a->topic() < b->topic();
    };
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(end), all.end(), by_topic);
    Page<RetainedView> page;
    for (std::size_t i = begin; i < end; ++i) page.rows.push_back(describe(*all[i], false));
    page.count = all.size();
    page.has_next = end < all.size();
    done(std::move(page));
  };
  sweep_on(std::move(sweep), 0);
}

void Service::retained_message(std::string topic, std::function<void(std::optional<RetainedView>)> done) {
  broker::Broker& broker = core_.shard(core_.retained_home_of(topic));
  broker.loop().post([this, &broker, topic = std::move(topic), done = std::move(done)] {
    auto found = std::make_shared<std::optional<RetainedView>>();
    const broker::MessageRef message = broker.retained().find(topic);
    if (message && !message->expired(broker.loop().wall_ms())) *found = describe(*message, true);
    loop_.post([found, done] { done(std::move(*found)); });
  });
}

void Service::clear_retained(std::string filter, std::function<void(std::size_t)> done) {
  auto deleted = std::make_shared<std::size_t>(0);
  auto sweep = std::make_shared<Sweep>();
  sweep->filter = std::move(filter);
  sweep->visit = [deleted](broker::Broker& broker, const broker::MessageRef& message) {
    broker.clear_retained(message->topic());
    ++*deleted;
  };
  sweep->done = [deleted, done = std::move(done)] { done(*deleted); };
  sweep_on(std::move(sweep), 0);
}

}  // namespace sb::management
