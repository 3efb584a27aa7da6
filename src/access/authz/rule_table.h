// Rules of the built-in database (access-control 7.4): of single client ids, of single usernames, of everybody. One
// table a node; kept in memory for the shards and written through to the store before a change counts. Any thread;
// changes wait for the disk and never run on a shard.
#pragma once

#include "access/rule.h"
#include "base/result.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::authz {

enum class Holder : std::uint8_t { ClientId, Username, All };
constexpr std::size_t kHolders = 3;

/// A rule as it is written and shown.
struct RuleText {
  std::string topic;
  bool allow = true;
  std::string action = "all";
  std::uint8_t qos = 7;  // bit n: QoS n
  std::optional<bool> retain{};
  friend bool operator==(const RuleText&, const RuleText&) = default;
};

/// What one client id or username has. Immutable.
struct RuleSet {
  std::string who;  // "" of everybody
  std::vector<RuleText> texts;
  std::vector<Rule> rules;  // the same, ready to be matched
};
using RuleSetRef = std::shared_ptr<const RuleSet>;

/// Where rules survive a restart; called with the table's writer lock held.
class RuleLog {
 public:
  struct Row {
    Holder holder = Holder::All;
    std::string_view who{};
    std::span<const RuleText> rules{};
  };
  /// Returns when all are on disk, or none.
  [[nodiscard]] virtual Result<> put(std::span<const Row> rows) = 0;
  /// Only holder and name of a row count.
  [[nodiscard]] virtual Result<> erase(std::span<const Row> rows) = 0;

 protected:
  ~RuleLog() = default;
};

class RuleTable {
 public:
  static constexpr std::size_t kNameMax = 65535;
  static constexpr std::size_t kRulesMax = 100;  // of one holder, like 5.8

  struct Stored {
    Holder holder = Holder::All;
    std::string who;
    std::vector<RuleText> rules;
  };
  /// Before the shards start: what was stored.
  void open(std::vector<Stored> stored, RuleLog* log);
  /// Called after every change, on the thread that made it.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

  /// Rules of the client id, then of the username, then of everybody; the first that matches decides.
  Answer decide(const Subject& subject, const Action& action) const;

  RuleSetRef find(Holder holder, std::string_view who) const;
  /// Changes with every clear(). A change that names the epoch in which it was asked for is refused (NotFound) later
  /// on: the source was taken away meanwhile.
  using Epoch = std::optional<std::uint64_t>;
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_relaxed); }
  /// Overwrites. Invalid: a rule that cannot be, named by its number.
  [[nodiscard]] Result<> put(Holder holder, std::string_view who, std::vector<RuleText> rules, Epoch asked = {});
  /// All or nothing. Exists: names who is there already, by commas.
  [[nodiscard]] Result<> add(Holder holder, std::vector<Stored> rows, Epoch asked = {});
  /// NotFound.
  [[nodiscard]] Result<> erase(Holder holder, std::string_view who);
  [[nodiscard]] Result<> clear();

  struct Page {
    std::vector<RuleSetRef> rows;
    std::size_t count = 0;  // of all that fit
  };
  /// In the order of names.
  Page list(Holder holder, std::size_t skip, std::size_t limit, const std::optional<std::string>& like) const;
  std::size_t size() const;

 private:
  using Rows = std::map<std::string, RuleSetRef, std::less<>>;
  [[nodiscard]] static Result<RuleSetRef> make(std::string_view who, std::vector<RuleText> rules);
  [[nodiscard]] Result<> check(Epoch asked) const;
  [[nodiscard]] Result<> write(Holder holder, std::span<const RuleSetRef> sets);
  void changed() const;

  std::mutex writers_;               // one change at a time; taken before mutex_
  mutable std::shared_mutex mutex_;  // guards rows_
  std::array<Rows, kHolders> rows_;
  std::atomic<std::uint64_t> epoch_{0};  // changes under writers_
  RuleLog* log_ = nullptr;
  std::function<void()> changed_;
};

}  // namespace sb::access::authz
