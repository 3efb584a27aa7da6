#include "runtime/workers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

namespace sb::runtime {
namespace {

TEST(Workers, RunWhatTheyAreGiven) {
  Workers workers({.name = "t", .threads = 2, .queue_max = 8});
  std::promise<int> answer;
  ASSERT_TRUE(workers.try_run([&] { answer.set_value(42); }));
  EXPECT_EQ(answer.get_future().get(), 42);
}

TEST(Workers, RefuseWhatDoesNotFit) {
  std::promise<void> go;
  const std::shared_future<void> gate = go.get_future().share();
  std::promise<void> begun;
  std::atomic<int> ran{0};
  Workers workers({.name = "t", .threads = 1, .queue_max = 2});
  ASSERT_TRUE(workers.try_run([&] {
    begun.set_value();
    gate.wait();
  }));
  begun.get_future().wait();
  EXPECT_TRUE(workers.try_run([&] { ++ran; }));
  EXPECT_TRUE(workers.try_run([&] { ++ran; }));
  EXPECT_FALSE(workers.try_run([&] { ++ran; }));
  go.set_value();
  std::promise<void> last;
  while (!workers.try_run([&] { last.set_value(); })) std::this_thread::yield();
  last.get_future().wait();
  EXPECT_EQ(ran, 2);
}

TEST(Workers, DropWhatHasNotBegunAtTheEnd) {
  std::promise<void> begun;
  std::promise<void> go;
  const auto held = std::make_shared<int>(1);
  Workers workers({.name = "t", .threads = 1, .queue_max = 8});
  ASSERT_TRUE(workers.try_run([&] {
    begun.set_value();
    go.get_future().wait();
  }));
  begun.get_future().wait();
  bool ran = false;
  ASSERT_TRUE(workers.try_run([&ran, held] { ran = true; }));
  std::thread stopper([&] { workers.stop(); });
  while (held.use_count() > 1) std::this_thread::yield();
  go.set_value();
  stopper.join();
  EXPECT_FALSE(ran);
  EXPECT_FALSE(workers.try_run([] {}));
}

}  // namespace
}  // namespace sb::runtime
