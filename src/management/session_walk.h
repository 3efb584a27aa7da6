// Visits the sessions of one shard in slices, so that a list of a million clients holds the shard up no longer than one
// slice. A walk sees each session that lives all the while exactly once. Belongs to the shard's thread.
#pragma once

#include "broker/broker.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include <functional>
#include <limits>
#include <memory>
#include <vector>

namespace sb::management {

class SessionWalks {
 public:
  /// Sessions looked at before the shard does something else: some tens of microseconds, each is a few cache misses.
  static constexpr std::size_t kSlice = 32;

  /// Before the shard runs: listens to ends of sessions. Outlives the shard's thread.
  explicit SessionWalks(broker::Broker& broker);

  /// False ends the walk.
  using Visit = std::function<bool(broker::Session&)>;
  /// `most` sessions from the `from`-th on.
  struct Range {
    std::size_t from = 0;
    std::size_t most = std::numeric_limits<std::size_t>::max();
  };
  /// The order is without meaning, and stable while no session comes or goes. `done` runs on this shard.
  void walk(Range range, Visit visit, std::function<void()> done);

 private:
  struct Walk {
    std::vector<broker::Session*> sessions;  // compared, and used only while not in `gone`
    std::size_t next = 0;
    boost::unordered_flat_set<const broker::Session*> gone;
    Visit visit;
    std::function<void()> done;
  };
  void step(const std::shared_ptr<Walk>& walk);

  broker::Broker& broker_;
  std::vector<std::shared_ptr<Walk>> walks_;
};

}  // namespace sb::management
