#include "runtime/loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

namespace sb::runtime {
namespace {

using namespace std::chrono_literals;

TEST(Loop, RunsTasksPostedByOtherThreadsInOrder) {
  const SystemClock clock;
  Loop loop(clock, {});
  std::vector<int> seen;
  std::thread poster([&] {
    for (int i = 0; i < 1000; ++i) loop.post([&seen, i] { seen.push_back(i); });
    loop.post([&loop] { loop.stop(); });
  });
  loop.run();
  poster.join();
  ASSERT_EQ(seen.size(), 1000U);
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
}

struct Reader final : IoHandler {
  void on_io(std::uint32_t events) override {
    if (events & EPOLLIN) {
      char buffer[16];
      got += read(fd, buffer, sizeof buffer);
    }
  }
  int fd = -1;
  ssize_t got = 0;
};

TEST(Loop, DeliversReadiness) {
  const SystemClock clock;
  Loop loop(clock, {});
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  Reader reader;
  reader.fd = pair[0];
  ASSERT_TRUE(loop.add(pair[0], reader));
  ASSERT_EQ(write(pair[1], "abc", 3), 3);
  for (int i = 0; i < 10 && reader.got == 0; ++i) loop.turn(100ms);
  EXPECT_EQ(reader.got, 3);
  close(pair[0]);
  close(pair[1]);
}

/// Destroys another handler when it is called.
struct Killer final : IoHandler {
  void on_io(std::uint32_t) override {
    ++calls;
    if (victim) loop->remove(victim->fd, *victim);
    victim.reset();
  }
  struct Victim final : IoHandler {
    void on_io(std::uint32_t) override { ++*calls; }
    int* calls = nullptr;
    int fd = -1;
  };
  Loop* loop = nullptr;
  std::unique_ptr<Victim> victim;
  int calls = 0;
};

TEST(Loop, EventsInHandDoNotReachAHandlerThatWasRemoved) {
  const SystemClock clock;
  for (const bool by_task : {false, true}) {
    Loop loop(clock, {});
    int first[2];
    int second[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, first), 0);
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, second), 0);
    Killer killer;
    int calls = 0;
    killer.loop = &loop;
    killer.victim = std::make_unique<Killer::Victim>();
    killer.victim->calls = &calls;
    killer.victim->fd = second[0];
    ASSERT_TRUE(loop.add(first[0], killer));
    ASSERT_TRUE(loop.add(second[0], *killer.victim));
    loop.turn(Nanos{0});  // both are writable: seen
    if (killer.victim) ADD_FAILURE() << "the first event was not the killer's";
    EXPECT_EQ(killer.calls, 1);
    EXPECT_EQ(calls, 0);
    if (by_task) {
      killer.victim = std::make_unique<Killer::Victim>();
      killer.victim->calls = &calls;
      killer.victim->fd = second[1];
      ASSERT_TRUE(loop.add(second[1], *killer.victim));
      loop.post([&] { killer.on_io(0); });
      loop.turn(Nanos{0});
      EXPECT_EQ(calls, 0);
    }
    for (const int fd : {first[0], first[1], second[0], second[1]}) close(fd);
  }
}

struct Order final : IoHandler {
  void on_io(std::uint32_t events) override {
    if ((events & EPOLLIN) && told_at_input == 0) told_at_input = *told ? 1 : -1;
  }
  bool* told = nullptr;
  int told_at_input = 0;
};

TEST(Loop, ATaskPostedBeforeABytePrecedesIt) {
  const SystemClock clock;
  Loop loop(clock, {});
  bool told = false;
  Order order;
  order.told = &told;
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  ASSERT_TRUE(loop.add(pair[0], order));
  loop.turn(0ms);  // the descriptor is writable from the beginning
  loop.post([&told] { told = true; });
  ASSERT_EQ(write(pair[1], "a", 1), 1);
  for (int i = 0; i < 10 && order.told_at_input == 0; ++i) loop.turn(100ms);
  EXPECT_EQ(order.told_at_input, 1);
  close(pair[0]);
  close(pair[1]);
}

struct Work final : TurnEnd {
  void on_turn_end() override { ++count; }
  int count = 0;
};

TEST(Loop, TurnEndRunsOncePerTurnAndForgetsTheDestroyed) {
  const SystemClock clock;
  Loop loop(clock, {});
  Work work;
  {
    Work gone;
    loop.at_turn_end(gone);
  }
  loop.at_turn_end(work);
  loop.at_turn_end(work);
  loop.turn(0ms);
  EXPECT_EQ(work.count, 1);
}

/// Wants to go on as often as it is let.
struct Restless final : TurnEnd {
  explicit Restless(Loop& l) : loop(l) {}
  void on_turn_end() override {
    ++count;
    if (follower && follower->count == 0) loop.at_turn_end(*follower);
    if (count < 1000) loop.at_turn_end(*this);
  }
  Loop& loop;
  Work* follower = nullptr;
  int count = 0;
};

struct Alarm final : Timer {
  void on_timer() override { ++count; }
  int count = 0;
};

TEST(Loop, WorkThatQueuesItselfAgainLetsInputTimersAndTheEndOfTheTurnIn) {
  ManualClock clock;
  Loop loop(clock, {});
  int turns_ended = 0;
  loop.set_hooks({.after_turn =
                      [&] {
                        ++turns_ended;
                        return 1000ms;
                      },
                  .offline = {},
                  .online = {}});
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  Reader reader;
  reader.fd = pair[0];
  ASSERT_TRUE(loop.add(pair[0], reader));
  Alarm alarm;
  loop.timers().arm(alarm, loop.now(), 0ms);
  Restless restless(loop);
  loop.at_turn_end(restless);
  loop.turn(0ms);
  EXPECT_EQ(restless.count, 1);
  EXPECT_EQ(turns_ended, 1);
  ASSERT_EQ(write(pair[1], "abc", 3), 3);
  clock.advance(16ms);
  loop.turn(1000ms);  // does not wait either: the clock of the test would stand still for ever
  EXPECT_EQ(restless.count, 2);
  EXPECT_EQ(reader.got, 3);
  EXPECT_EQ(alarm.count, 1);
  close(pair[0]);
  close(pair[1]);
}

TEST(Loop, WorkQueuedByOtherWorkHasItsGoInTheSameTurn) {
  ManualClock clock;
  Loop loop(clock, {});
  Work later;
  Restless restless(loop);
  restless.follower = &later;
  loop.at_turn_end(restless);
  loop.turn(0ms);
  EXPECT_EQ(later.count, 1);
  {
    Restless gone(loop);  // waits for the next turn when it is destroyed
    loop.at_turn_end(gone);
    loop.turn(0ms);
    EXPECT_EQ(gone.count, 1);
  }
  loop.at_turn_end(later);
  loop.turn(0ms);
  EXPECT_EQ(later.count, 2);
  EXPECT_EQ(restless.count, 3);
}

}  // namespace
}  // namespace sb::runtime
