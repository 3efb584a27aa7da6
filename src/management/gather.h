// The two ways from the management thread to the shards and back. Included by the service's sources only.
#pragma once

#include "management/service.h"

namespace sb::management {

template <class T>
void Service::gather(std::function<T(broker::Broker&)> work, std::function<void(std::vector<T>)> done) {
  struct State {
    std::vector<T> results;
    unsigned missing;
    std::function<T(broker::Broker&)> work;
    std::function<void(std::vector<T>)> done;
  };
  auto state = std::make_shared<State>();
  state->results.resize(core_.shards());
  state->missing = core_.shards();
  state->work = std::move(work);
  state->done = std::move(done);
  for (unsigned id = 0; id < core_.shards(); ++id) {
    broker::Broker& broker = core_.shard(id);
    broker.loop().post([this, state, &broker, id] {
      // Carried home before it is put in place: results belong to the management thread.
      auto result = std::make_shared<T>(state->work(broker));
      loop_.post([state, result, id] {
        state->results[id] = std::move(*result);
        if (--state->missing == 0) state->done(std::move(state->results));
      });
    });
  }
}

template <class T>
void Service::at_home(std::string id, std::function<T(broker::Broker&, broker::Session*)> work,
                      std::function<void(T)> done) {
  broker::Broker& broker = core_.shard(core_.home_of(id));
  broker.loop().post([this, &broker, id = std::move(id), work = std::move(work), done = std::move(done)] {
    auto result = std::make_shared<T>(work(broker, broker.find(id)));
    loop_.post([result, done] { done(std::move(*result)); });
  });
}

}  // namespace sb::management
