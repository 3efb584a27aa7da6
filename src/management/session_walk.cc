#include "management/session_walk.h"

namespace sb::management {

SessionWalks::SessionWalks(broker::Broker& broker) : broker_(broker) {
  // A session made later at the same address counts as gone too: it is new to the walk.
  broker_.hooks().session_terminated.add(0, [this](broker::Session& session, std::string_view) {
    for (const auto& walk : walks_) walk->gone.insert(&session);
  });
}

void SessionWalks::walk(Range range, Visit visit, std::function<void()> done) {
  auto walk = std::make_shared<Walk>();
  const std::vector<broker::Session*>& all = broker_.sessions();
  const auto first = all.begin() + static_cast<std::ptrdiff_t>(std::min(range.from, all.size()));
  const auto behind = static_cast<std::size_t>(all.end() - first);
  walk->sessions.assign(first, first + static_cast<std::ptrdiff_t>(std::min(range.most, behind)));
  walk->visit = std::move(visit);
  walk->done = std::move(done);
  walks_.push_back(walk);
  step(walk);
}

void SessionWalks::step(const std::shared_ptr<Walk>& walk) {
  const std::size_t end = std::min(walk->sessions.size(), walk->next + kSlice);
  bool more = true;
  while (more && walk->next < end) {
    broker::Session* session = walk->sessions[walk->next++];
    if (!walk->gone.contains(session)) more = walk->visit(*session);
  }
  if (more && walk->next < walk->sessions.size()) {
    broker_.loop().post([this, walk] { step(walk); });
    return;
  }
  std::erase(walks_, walk);
  walk->done();
}

}  // namespace sb::management
