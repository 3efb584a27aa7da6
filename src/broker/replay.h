// Retained messages on their way to one new subscription (broker.md 10). Reads a page at a time from every shard that
// may hold some, puts the pages in order of publishing, and gives out a message when the session can take one: a slow
// subscriber holds a page a shard, whatever is stored. Belongs to the session's shard and to its session.
//
// A value never follows a newer one of its topic: while a page waits, the topics of retained messages that went to the
// session live are remembered, and what the page holds of them is left out. What is stored after the page was asked for
// reaches the session live, because its subscription stood before.
#pragma once

#include "broker/message.h"
#include "broker/retained.h"
#include "runtime/timer_wheel.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace sb::broker {

class Broker;
class Session;
struct Subscription;

class Replay final : private runtime::Timer {
 public:
  enum class Step : std::uint8_t {
    Message,
    Wait,  // the session is pumped when there is more
    Done
  };
  /// What a shard answers.
  struct Page {
    std::vector<MessageRef> messages;
    bool more = false;
  };

  Replay(Broker& broker, Session& session, const Subscription& subscription);
  ~Replay();

  const Subscription& subscription() const { return subscription_; }
  Step next(MessageRef& message);
  /// Still among the first, which do not wait for room.
  bool begins() const;
  /// A retained message of this topic goes to the session live.
  void saw(std::string_view topic);
  /// From the other shard.
  void on_page(unsigned shard, Page page);
  /// The posted turn has come.
  void on_turn();

 private:
  /// Messages given out before others get their turn, where flow control says nothing.
  static constexpr std::uint32_t kSlice = 1024;
  /// Messages of a page, where flow control says nothing.
  static constexpr std::size_t kPage = 512;
  static constexpr std::size_t kPageMax = 1024;
  /// Topics remembered before a page that waits is cleaned of them.
  static constexpr std::size_t kSeenMax = 4096;

  struct Source {
    unsigned shard = 0;
    bool asked = false;
    bool done = false;
    std::deque<MessageRef> waiting;
    std::unique_ptr<RetainedReader> reader;  // of this shard itself
    boost::unordered_flat_set<std::uint64_t> seen;
  };
  void on_timer() override;
  bool begin_batch();
  /// The source whose next message is the oldest; null if all are done, or one has to be waited for.
  Source* oldest(bool& missing);
  void ask(Source& source);
  void ask_other(Source& source);
  void come_again();
  static void clean(Source& source);

  Broker& broker_;
  Session& session_;
  const Subscription& subscription_;
  std::uint64_t id_;
  std::vector<Source> sources_;
  std::uint32_t batch_left_ = 0;
  std::uint32_t given_ = 0;
  bool first_batch_ = true;
  bool granted_ = false;  // a turn came round for the next batch
  bool posted_ = false;
};

/// The replays of a session, one after the other.
struct Replays {
  std::deque<std::unique_ptr<Replay>> running;
  bool feeding = false;
};

}  // namespace sb::broker
