#include "tests/sim/rig.h"

#include "base/check.h"

#include <fcntl.h>
#include <sys/socket.h>

namespace sb::sim {

Rig::Rig(RigOptions options) : options_(std::move(options)) {
  options_.router.shards = options_.shards;
  reclaimer_ = std::make_unique<runtime::Reclaimer>(options_.shards);
  core_ =
      std::make_unique<broker::Core>(broker::make_router(options_.router, *reclaimer_), *reclaimer_, options_.shards);
  core_->set_home_seed(7);
  const auto core_settings = std::make_shared<const broker::CoreSettings>(options_.core);
  for (unsigned id = 0; id < options_.shards; ++id)
    shards_.push_back(std::make_unique<app::Shard>(
        *core_, id, clock_, Nanos{0}, core_settings,
        [](broker::Broker&) { return std::make_unique<access::OpenGate>(); },
        [this](mqtt::HandOver over) {
          auto moved = std::make_shared<mqtt::HandOver>(std::move(over));  // std::function wants copyable captures
          app::Shard& to = *shards_[moved->to];
          to.loop().post([&to, moved] { to.channels().adopt(std::move(*moved)); });
        }));
  reclaimer_->set_rings_empty([this](unsigned id) { return !core_->shard(id).has_input(); });
  if (options_.durable) {
    store_ = store::make_memory();
    for (auto& shard : shards_) {
      shard->broker().set_journal(std::make_unique<broker::Journal>(*store_, shard->loop(), shard->id()));
      shard->broker().set_durable(true, true);
    }
  }
  auto listener = std::make_shared<client::ListenerSettings>();
  listener->id = "tcp:default";
  listener->zone = std::make_shared<const client::ZoneSettings>(options_.zone);
  listener_ = listener;
  listener_state_ = std::make_shared<client::ListenerState>();
}

Rig::~Rig() {
  for (auto& shard : shards_) shard->broker().finish_journal();
}

int Rig::connect(unsigned shard) {
  int ends[2];
  SB_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0, "no socket pair");
  SB_CHECK(listener_state_->enter(0), "a listener without limit is full");
  net::Stream::Detached stream;
  stream.fd = ends[0];
  shards_[shard % shards_.size()]->channels().accept(std::move(stream), *net::Endpoint::parse("10.0.0.1:1000"),
                                                     listener_, listener_state_);
  return ends[1];
}

bool Rig::turn() {
  for (auto& shard : shards_) shard->loop().turn(Nanos{0});
  for (auto& shard : shards_)
    if (shard->loop().pending_tasks() > 0 || shard->broker().has_work()) return true;
  return false;
}

std::size_t Rig::sessions() {
  std::size_t sum = 0;
  for (auto& shard : shards_) sum += shard->broker().session_count();
  return sum;
}

std::size_t Rig::subscriptions() {
  std::size_t sum = 0;
  for (auto& shard : shards_) sum += shard->broker().subscription_count();
  return sum;
}

}  // namespace sb::sim
