#include "app/node.h"

#include <future>

namespace sb::app {

namespace {
broker::RouterOptions with_shards(broker::RouterOptions options, unsigned shards) {
  options.shards = shards;
  return options;
}
}  // namespace

Node::Node(NodeOptions options)
    : options_(std::move(options)),
      reclaimer_(options_.shards),
      core_(broker::make_router(with_shards(options_.router, options_.shards), reclaimer_), reclaimer_, options_.shards) {
  for (unsigned id = 0; id < options_.shards; ++id)
    shards_.push_back(std::make_unique<Shard>(core_, id, clock_, options_.coalesce, options_.core,
                                              std::make_unique<access::OpenGate>(), [this](mqtt::HandOver over) {
                                                // std::function wants copyable captures.
                                                auto moved = std::make_shared<mqtt::HandOver>(std::move(over));
                                                Shard& to = *shards_[moved->to];
                                                to.loop().post([&to, moved] { to.channels().adopt(std::move(*moved)); });
                                              }));
  reclaimer_.set_rings_empty([this](unsigned id) { return !core_.shard(id).has_input(); });
}

Node::~Node() { stop(); }

Result<> Node::start() {
  for (auto& shard : shards_) shard->start();
  running_ = true;
  for (const ListenerOptions& listener : options_.listeners) {
    SB_TRY(const net::Endpoint bound, net::Acceptor::probe(listener.bind));
    bound_.push_back(bound);
    auto settings = std::make_shared<client::ListenerSettings>(listener.settings);
    settings->port = bound.port();
    auto state = std::make_shared<client::ListenerState>();
    for (auto& shard : shards_) {
      std::promise<Result<>> done;
      shard->loop().post([&] { done.set_value(shard->open_listener(bound, listener.socket, settings, state)); });
      SB_CHECKED(done.get_future().get());
    }
  }
  return {};
}

void Node::stop() {
  if (!std::exchange(running_, false)) return;
  for (auto& shard : shards_) {
    std::promise<void> done;
    shard->loop().post([&] {
      shard->close_listeners();
      shard->channels().disconnect_all(ReasonCode::ServerShuttingDown);
      done.set_value();
    });
    done.get_future().wait();
  }
  // One more turn each, so that what was said is written.
  for (auto& shard : shards_) {
    std::promise<void> done;
    shard->loop().post([&] { done.set_value(); });
    done.get_future().wait();
  }
  for (auto& shard : shards_) shard->loop().stop();
  for (auto& shard : shards_) shard->join();
}

}  // namespace sb::app
