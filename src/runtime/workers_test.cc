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

/// Keeps the one thread of workers busy until released. The thread may come to what it does with both promises when
/// this is gone.
class Held {
 public:
  explicit Held(Workers& workers) {
    EXPECT_TRUE(workers.try_run([begun = begun_, go = go_->get_future().share()] {
      begun->set_value();
      go.wait();
    }));
    begun_->get_future().wait();
  }
  void release() { go_->set_value(); }

 private:
  std::shared_ptr<std::promise<void>> begun_ = std::make_shared<std::promise<void>>();
  std::shared_ptr<std::promise<void>> go_ = std::make_shared<std::promise<void>>();
};

TEST(Workers, AdmitOnlyWhatHasItsTurnInTime) {
  Workers workers({.name = "t", .threads = 1, .queue_max = 100, .wait_max = Millis{100}, .task_guess = Millis{50}});
  Held held(workers);
  std::atomic<int> ran{0}, late{0};
  int admitted = 0;
  while (admitted < 50 && workers.try_run([&] { ++ran; }, [&] { ++late; })) ++admitted;
  EXPECT_EQ(admitted, 3) << "a third would begin after the first two, at the last moment";
  std::this_thread::sleep_for(Millis{150});
  held.release();
  std::promise<void> end;
  ASSERT_TRUE(workers.try_run_later([&] { end.set_value(); }));
  end.get_future().wait();
  EXPECT_EQ(ran, 0) << "the guess was wrong";
  EXPECT_EQ(late, 3);
}

TEST(Workers, LearnHowLongATaskTakes) {
  Workers workers({.name = "t", .threads = 1, .queue_max = 100, .wait_max = Millis{100}, .task_guess = Millis{1}});
  for (int i = 0; i < 20; ++i) {
    std::promise<void> done;
    ASSERT_TRUE(workers.try_run([&] {
      std::this_thread::sleep_for(Millis{20});
      done.set_value();
    }));
    done.get_future().wait();
  }
  Held held(workers);
  int admitted = 0;
  while (admitted < 50 && workers.try_run([] {})) ++admitted;
  held.release();
  EXPECT_GE(admitted, 2);
  EXPECT_LE(admitted, 8);
}

TEST(Workers, WhatHasTimeComesLastAndIsNotForgotten) {
  Workers workers({.name = "t", .threads = 1, .queue_max = 100});
  Held held(workers);
  std::string order;
  ASSERT_TRUE(workers.try_run_later([&] { order += 'l'; }));
  std::promise<void> end;
  ASSERT_TRUE(workers.try_run_later([&] { end.set_value(); }));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(workers.try_run([&] { order += 'f'; }));
  held.release();
  end.get_future().wait();
  EXPECT_EQ(order, "ffffffflfff") << "the task that held the thread was the first of eight";
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
