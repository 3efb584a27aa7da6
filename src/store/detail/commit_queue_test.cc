#include "store/detail/commit_queue.h"

#include <gtest/gtest.h>

#include <future>

namespace sb::store::detail {
namespace {

/// A disk that fails when it is told to, and has its own opinion of when it goes on.
class Backend final : public CommitBackend {
 public:
  Result<> write(std::span<const Pending> /*group*/) override {
    if (full) return fail(Errc::Full, "no space left");
    return {};
  }
  Result<> sync() override { return {}; }
  Result<> flush_log() override { return {}; }
  Result<> recover() override {
    if (++attempts < 3) return fail(Errc::Full, fmt::format("{} bytes are free where 10 are needed", attempts.load()));
    return {};
  }
  std::atomic<bool> full{true};
  std::atomic<int> attempts{0};
};

TEST(CommitQueue, TellsOnceWhatTheDiskWaitsForAndKeepsTheNewest) {
  Backend backend;
  std::vector<std::string> told;
  std::promise<void> over;
  CommitQueue queue(backend, {.batches_max = 10,
                              .bytes_max = 1000,
                              .retry_interval = Millis(1),
                              .flush_interval = {},
                              .on_trouble = [&](const std::optional<Error>& trouble) {
                                told.push_back(trouble ? trouble->what : "over");
                                if (!trouble) over.set_value();
                              }});
  Batch batch;
  batch.put(Table::Sessions, "k", "v");
  std::promise<bool> written;
  queue.push(
      {.batch = std::move(batch), .done = [&](Result<> result, Batch) { written.set_value(result.has_value()); }});
  EXPECT_FALSE(written.get_future().get());
  over.get_future().get();
  EXPECT_EQ(told,
            (std::vector<std::string>{"no space left", "no space left; 1 bytes are free where 10 are needed", "over"}));
  EXPECT_FALSE(queue.trouble());
  Stats stats;
  queue.add_to(stats);
  ASSERT_TRUE(stats.last_error);
  EXPECT_EQ(stats.last_error->code, Errc::Full);
  EXPECT_EQ(stats.last_error->what, "no space left; 2 bytes are free where 10 are needed");
}

}  // namespace
}  // namespace sb::store::detail
