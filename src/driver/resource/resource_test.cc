#include "driver/resource/resource.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <vector>

namespace sb::driver::resource {
namespace {

using namespace std::chrono_literals;

/// What the back end does, changed by the test while the resource runs.
struct Scene {
  std::atomic<bool> refuses{false};  // connections
  std::atomic<bool> hangs{false};    // checks and questions never come back
  std::atomic<int> opened{0};
  std::atomic<int> alive{0};
  std::atomic<int> checks{0};
  std::atomic<int> generation{0};  // connections of an older one are broken
  int never = ::eventfd(0, EFD_CLOEXEC);
  ~Scene() { ::close(never); }
};

class Fake final : public Connection {
 public:
  explicit Fake(Scene& scene) : scene_(scene), generation_(scene.generation) {
    ++scene_.opened;
    ++scene_.alive;
  }
  ~Fake() override { --scene_.alive; }
  Result<> check(const Limit& limit) override {
    ++scene_.checks;
    SB_TRY(const int answer, ask(0, limit));
    (void)answer;
    return {};
  }
  bool usable() override { return generation_ == scene_.generation; }

  Result<int> ask(int number, const Limit& limit) {
    if (scene_.hangs) {
      SB_TRY(const short ready, limit.wait(scene_.never, POLLIN));
      (void)ready;
    }
    if (number < 0) return fail(Errc::Invalid, "a bad question");
    return number * 2;
  }

 private:
  Scene& scene_;
  const int generation_;
};

/// Collects answers and states, and waits for them.
class Collector {
 public:
  void take(Result<int> answer) {
    const std::lock_guard guard(mutex_);
    answers_.push_back(std::move(answer));
    changed_.notify_all();
  }
  void take(const State& state) {
    const std::lock_guard guard(mutex_);
    states_.push_back(state);
    changed_.notify_all();
  }
  std::vector<Result<int>> answers(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 10s, [&] { return answers_.size() >= count; });
    return answers_;
  }
  /// Until the last told state is this.
  bool reaches(Status status) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 10s, [&] { return !states_.empty() && states_.back().status == status; });
  }
  std::vector<State> states() {
    const std::lock_guard guard(mutex_);
    return states_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Result<int>> answers_;
  std::vector<State> states_;
};

class ResourceTest : public ::testing::Test {
 protected:
  Options options() {
    Options out;
    out.id = "test";
    out.pool_size = 2;
    out.connect_timeout = 300ms;
    out.health_interval = 50ms;
    out.health_timeout = 300ms;
    out.back_off = 20ms;
    out.back_off_max = 40ms;
    out.open = [this](const Limit&) -> Result<std::unique_ptr<Connection>> {
      if (scene.refuses) return fail(Errc::Unavailable, "connection refused");
      return std::make_unique<Fake>(scene);
    };
    out.changed = [this](const State& state) { seen.take(state); };
    return out;
  }
  Result<> ask(Resource& resource, int number, Millis timeout = 5s) {
    return resource.submit<Fake, int>(
        timeout, [number](Fake& connection, const Limit& limit) { return connection.ask(number, limit); },
        [this](Result<int> answer) { seen.take(std::move(answer)); });
  }
  Scene scene;
  Collector seen;
};

TEST_F(ResourceTest, AnswersAndCounts) {
  Resource resource(options());
  EXPECT_EQ(resource.state().status, Status::Stopped);
  EXPECT_FALSE(ask(resource, 1)) << "not started";
  resource.start();
  ASSERT_TRUE(seen.reaches(Status::Connected));
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(ask(resource, i));
  ASSERT_TRUE(ask(resource, -1));
  const auto answers = seen.answers(101);
  int good = 0;
  for (const auto& answer : answers) good += answer.has_value();
  EXPECT_EQ(good, 100);
  EXPECT_LE(scene.opened, 2) << "as many connections as the pool has places";
  EXPECT_EQ(resource.counters().matched, 102u);
  EXPECT_EQ(resource.counters().success, 100u);
  EXPECT_EQ(resource.counters().failed, 2u);
  EXPECT_EQ(resource.counters().queuing, 0u);
  EXPECT_EQ(resource.counters().inflight, 0u);
  EXPECT_EQ(resource.state().status, Status::Connected) << "a refused question says nothing about the back end";
  resource.stop();
  EXPECT_EQ(scene.alive, 0);
  EXPECT_EQ(seen.states().back().status, Status::Stopped);
}

TEST_F(ResourceTest, ComesBackAfterALoss) {
  Resource resource(options());
  resource.start();
  ASSERT_TRUE(seen.reaches(Status::Connected));
  scene.refuses = true;
  ++scene.generation;
  ASSERT_TRUE(seen.reaches(Status::Disconnected));
  EXPECT_EQ(resource.state().reason, "connection refused");
  const auto refused = ask(resource, 1);
  ASSERT_FALSE(refused) << "at once, not at the end of its time";
  EXPECT_EQ(refused.error().code, Errc::Unavailable);
  scene.refuses = false;
  ASSERT_TRUE(seen.reaches(Status::Connected));
  ASSERT_TRUE(ask(resource, 21));
  EXPECT_EQ(seen.answers(1).back().value(), 42);
}

TEST_F(ResourceTest, StartsBeforeItsBackEndDoes) {
  scene.refuses = true;
  Resource resource(options());
  resource.start();
  ASSERT_TRUE(seen.reaches(Status::Disconnected));
  scene.refuses = false;
  ASSERT_TRUE(seen.reaches(Status::Connected));
}

TEST_F(ResourceTest, AHungBackEndHoldsNobodyLongerThanItsTime) {
  Options hung = options();
  hung.queue_max = 16;
  Resource resource(std::move(hung));
  resource.start();
  ASSERT_TRUE(seen.reaches(Status::Connected));
  scene.hangs = true;
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(ask(resource, i, 200ms));
  const auto answers = seen.answers(10);
  ASSERT_EQ(answers.size(), 10u);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s) << "not one after another";
  for (const auto& answer : answers) EXPECT_FALSE(answer);
  ASSERT_TRUE(seen.reaches(Status::Disconnected)) << "the check hangs as well";
  EXPECT_GT(resource.counters().expired, 0u);
  scene.hangs = false;
  ASSERT_TRUE(seen.reaches(Status::Connected)) << "the pool is not used up for ever";
  ASSERT_TRUE(ask(resource, 3));
  EXPECT_EQ(seen.answers(11).back().value(), 6);
}

TEST_F(ResourceTest, ASlowQuestionIsNoOutage) {
  Options slow = options();
  slow.health_interval = 10s;
  Resource resource(std::move(slow));
  resource.start();
  ASSERT_TRUE(seen.reaches(Status::Connected));
  ASSERT_TRUE((resource.submit<Fake, int>(
      50ms,
      [this](Fake&, const Limit& limit) -> Result<int> {
        SB_TRY(const short ready, limit.wait(scene.never, POLLIN));
        return ready;
      },
      [this](Result<int> answer) { seen.take(std::move(answer)); })));
  EXPECT_EQ(seen.answers(1).back().error().code, Errc::Timeout);
  ASSERT_TRUE(ask(resource, 1));
  EXPECT_TRUE(seen.answers(2).back());
  EXPECT_EQ(resource.state().status, Status::Connected);
}

TEST_F(ResourceTest, TheQueueIsBounded) {
  Options small = options();
  small.pool_size = 1;
  small.queue_max = 3;
  Resource resource(std::move(small));
  resource.start();
  ASSERT_TRUE(seen.reaches(Status::Connected));
  scene.hangs = true;
  int taken = 0;
  Errc why{};
  for (int i = 0; i < 20; ++i) {
    const auto sent = ask(resource, i, 300ms);
    taken += sent.has_value();
    if (!sent) why = sent.error().code;
  }
  EXPECT_LE(taken, 4) << "one under way, three that wait";
  EXPECT_EQ(why, Errc::Full);
  EXPECT_GE(resource.counters().queue_full, 16u);
  EXPECT_EQ(seen.answers(static_cast<std::size_t>(taken)).size(), static_cast<std::size_t>(taken));
}

TEST_F(ResourceTest, StopEndsWhatIsUnderWay) {
  Resource resource(options());
  resource.start();
  ASSERT_TRUE(seen.reaches(Status::Connected));
  scene.hangs = true;
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(ask(resource, i, 60s));
  const auto began = std::chrono::steady_clock::now();
  resource.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s);
  const auto answers = seen.answers(5);
  ASSERT_EQ(answers.size(), 5u) << "each exactly once";
  for (const auto& answer : answers) EXPECT_EQ(answer.error().code, Errc::Unavailable);
  EXPECT_EQ(scene.alive, 0);
}

TEST_F(ResourceTest, AnAnswerThatComesTooLateIsDropped) {
  Resource resource(options());
  resource.start();
  ASSERT_TRUE(seen.reaches(Status::Connected));
  std::promise<void> go;
  auto gone = go.get_future().share();
  ASSERT_TRUE((resource.submit<Fake, int>(
      50ms,
      [gone](Fake&, const Limit&) -> Result<int> {
        gone.wait();  // a driver that does not keep to its limit
        return 1;
      },
      [this](Result<int> answer) { seen.take(std::move(answer)); })));
  EXPECT_EQ(seen.answers(1).back().error().code, Errc::Timeout);
  go.set_value();
  ASSERT_TRUE(ask(resource, 2));
  EXPECT_EQ(seen.answers(2).back().value(), 4);
  resource.stop();
  EXPECT_EQ(resource.counters().late_reply, 1u);
  EXPECT_EQ(seen.answers(2).size(), 2u);
}

}  // namespace
}  // namespace sb::driver::resource
