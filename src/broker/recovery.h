// Brings a stored state back before the shards run: sessions with subscriptions, queues and packet ids, retained
// messages, wills of clients that were connected when the node died; these are published in the first turn of their
// shard, before any connection. Single-threaded; nothing is written until it is done.
#pragma once

#include "base/result.h"
#include "broker/broker.h"
#include "store/key_value.h"

#include <cstdint>
#include <functional>
#include <string_view>

namespace sb::broker {

class Recovery {
 public:
  struct Report {
    std::uint64_t sessions = 0;
    std::uint64_t subscriptions = 0;
    std::uint64_t messages = 0;
    std::uint64_t owed = 0;
    std::uint64_t retained = 0;
    std::uint64_t wills = 0;
    std::uint64_t orphans = 0;  // messages that nobody was owed any more
    std::uint64_t records() const { return sessions + subscriptions + messages + owed + retained + wills; }
  };
  struct Options {
    /// Of the sessions of a zone until their client is back; "" = stored by an older program. Never null. Limits among
    /// them are not applied to what is stored: it was promised when they were others.
    std::function<SessionSettingsRef(std::string_view zone)> settings;
    bool sessions = true;
    bool retained = true;
    /// When the node was last known to live (wall time): what its clients lost in a crash counts from there; 0 = now.
    std::int64_t last_alive_ms = 0;
    /// Told about every 100,000 records: the table and how many of it are read.
    std::function<void(std::string_view table, std::uint64_t records)> progress{};
  };

  /// Every broker of `core` has its journal already; writing is switched on at the end.
  [[nodiscard]] static Result<Report> run(Core& core, store::KeyValue& store, const Options& options);

 private:
  Recovery(Core& core, store::KeyValue& store, const Options& options)
      : core_(core), store_(store), options_(options) {}
  [[nodiscard]] Result<> load_sessions();
  [[nodiscard]] Result<> load_subscriptions();
  [[nodiscard]] Result<> load_messages();
  [[nodiscard]] Result<> load_queues();
  [[nodiscard]] Result<> load_awaiting();
  [[nodiscard]] Result<> load_retained();
  [[nodiscard]] Result<> post_wills();
  void resume_timers();
  std::int64_t crash_ms(std::int64_t wall_ms) const;
  void tick(std::string_view table, std::uint64_t count);

  struct Stored {
    MessageRef message;
    unsigned shard = ~0U;                                      // whose journal knows it
    boost::unordered_flat_map<unsigned, MessageRef> copies{};  // of other shards that owe it as well
  };
  [[nodiscard]] Result<> adopt_orphan(const store::QueueRecord& record, Stored& stored);

  Core& core_;
  store::KeyValue& store_;
  const Options& options_;
  Report report_;
  boost::unordered_flat_map<std::uint64_t, Session*> sessions_;
  boost::unordered_flat_map<std::uint64_t, Stored> messages_;
  boost::unordered_flat_map<std::string, IdentityRef, TextHash, TextEqual> identities_;
  std::vector<Session*> was_connected_;
};

}  // namespace sb::broker
