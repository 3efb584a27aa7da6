#include "store/key_value.h"

#include "store/tables.h"
#include "store/testing/temp_folder.h"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace sb::store {
namespace {

/// The same behaviour is asked of both implementations.
struct InMemory {
  std::unique_ptr<KeyValue> open() { return make_memory(); }
};
struct OnDisk {
  testing::TempFolder folder;
  std::unique_ptr<KeyValue> open() {
    auto store = open_rocksdb({.folder = folder.path() + "/store"});
    EXPECT_TRUE(store) << store.error().what;
    return store ? std::move(*store) : nullptr;
  }
};

template <class Implementation>
class KeyValueTest : public ::testing::Test {
 protected:
  Implementation implementation;
  std::unique_ptr<KeyValue> store = implementation.open();

  std::vector<std::string> keys(Table table, std::string_view prefix, std::string_view from = {}) {
    std::vector<std::string> seen;
    const auto scanned = store->scan(table, prefix, from, [&](std::string_view key, std::string_view) -> Result<bool> {
      seen.emplace_back(key);
      return true;
    });
    EXPECT_TRUE(scanned) << scanned.error().what;
    return seen;
  }
};
using Implementations = ::testing::Types<InMemory, OnDisk>;
TYPED_TEST_SUITE(KeyValueTest, Implementations);

using Keys = std::vector<std::string>;

TYPED_TEST(KeyValueTest, ReadsWhatWasCommittedAndNothingElse) {
  Batch batch;
  batch.put(Table::Sessions, "a", "1");
  batch.put(Table::Retained, "a", "2");
  batch.put(Table::Sessions, std::string_view("n\0l", 3), std::string_view("\0", 1));
  batch.put(Table::Sessions, "empty", "");
  ASSERT_TRUE(this->store->commit_wait(std::move(batch)));
  EXPECT_EQ(this->store->get(Table::Sessions, "a").value(), "1");
  EXPECT_EQ(this->store->get(Table::Retained, "a").value(), "2");
  EXPECT_EQ(this->store->get(Table::Sessions, std::string_view("n\0l", 3)).value(), std::string("\0", 1));
  EXPECT_EQ(this->store->get(Table::Sessions, "empty").value(), "");
  EXPECT_EQ(this->store->get(Table::Wills, "a").error().code, Errc::NotFound);
}

TYPED_TEST(KeyValueTest, AppliesABatchInItsOrder) {
  Batch batch;
  batch.put(Table::Queues, "k", "old");
  batch.put(Table::Queues, "k", "new");
  batch.put(Table::Queues, "gone", "x");
  batch.erase(Table::Queues, "gone");
  batch.erase(Table::Queues, "back");
  batch.put(Table::Queues, "back", "y");
  batch.erase(Table::Queues, "never");
  ASSERT_TRUE(this->store->commit_wait(std::move(batch)));
  EXPECT_EQ(this->store->get(Table::Queues, "k").value(), "new");
  EXPECT_EQ(this->keys(Table::Queues, ""), (Keys{"back", "k"}));
}

TYPED_TEST(KeyValueTest, SkipsCancelledEntries) {
  Batch batch;
  batch.put(Table::Messages, "keep", "1");
  const Batch::Mark unwanted = batch.put(Table::Messages, "unwanted", "2");
  batch.put(Table::Messages, "keep too", "3");
  batch.cancel(unwanted);
  batch.cancel(unwanted);
  EXPECT_EQ(batch.count(), 2u);
  ASSERT_TRUE(this->store->commit_wait(std::move(batch)));
  EXPECT_EQ(this->keys(Table::Messages, ""), (Keys{"keep", "keep too"}));
}

TYPED_TEST(KeyValueTest, ScansAPrefixInOrderFromAKey) {
  Batch batch;
  for (const char* key : {"b", "a", "ab", "aa", "ac", "\xFF\xFF", "a\xFF"}) batch.put(Table::Sessions, key, "");
  ASSERT_TRUE(this->store->commit_wait(std::move(batch)));
  EXPECT_EQ(this->keys(Table::Sessions, "a"), (Keys{"a", "aa", "ab", "ac", "a\xFF"}));
  EXPECT_EQ(this->keys(Table::Sessions, "a", "ab"), (Keys{"ab", "ac", "a\xFF"}));
  EXPECT_EQ(this->keys(Table::Sessions, "a", "b"), Keys{});
  EXPECT_EQ(this->keys(Table::Sessions, "\xFF"), (Keys{"\xFF\xFF"}));
  EXPECT_EQ(this->keys(Table::Sessions, "a\xFF"), (Keys{"a\xFF"}));
  EXPECT_EQ(this->keys(Table::Sessions, "").size(), 7u);
}

TYPED_TEST(KeyValueTest, StopsAScanWhenTheVisitorSaysSo) {
  Batch batch;
  for (const char* key : {"a", "b", "c"}) batch.put(Table::Sessions, key, "");
  ASSERT_TRUE(this->store->commit_wait(std::move(batch)));
  int seen = 0;
  EXPECT_TRUE(this->store->scan(Table::Sessions, "", [&](auto, auto) -> Result<bool> { return ++seen < 2; }));
  EXPECT_EQ(seen, 2);
  const auto failed =
      this->store->scan(Table::Sessions, "", [&](auto, auto) -> Result<bool> { return fail(Errc::Corrupt, "bad"); });
  EXPECT_EQ(failed.error().code, Errc::Corrupt);
}

TYPED_TEST(KeyValueTest, ErasesAPrefixAndOnlyThat) {
  Batch batch;
  for (const char* key : {"a", "b", "ba", "b\xFF\xFF\xFF", "c"}) batch.put(Table::Queues, key, "");
  batch.put(Table::Wills, "b", "");
  ASSERT_TRUE(this->store->commit_wait(std::move(batch)));
  batch.erase_prefix(Table::Queues, "b");
  batch.put(Table::Queues, "bb", "");
  ASSERT_TRUE(this->store->commit_wait(std::move(batch)));
  EXPECT_EQ(this->keys(Table::Queues, ""), (Keys{"a", "bb", "c"}));
  EXPECT_EQ(this->keys(Table::Wills, ""), (Keys{"b"}));
}

TYPED_TEST(KeyValueTest, HandsTheBatchBackWarmAndInOrder) {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<int> order;
  for (int i = 0; i < 200; ++i) {
    Batch batch;
    batch.put(Table::Sessions, "k", std::to_string(i));
    ASSERT_TRUE(this->store->try_commit(std::move(batch), [&, i](Result<> result, Batch spent) {
      EXPECT_TRUE(result);
      EXPECT_TRUE(spent.empty());
      const std::lock_guard lock(mutex);
      order.push_back(i);
      changed.notify_one();
    }));
  }
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return order.size() == 200; }));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(this->store->get(Table::Sessions, "k").value(), "199");
}

TYPED_TEST(KeyValueTest, TakesAnEmptyBatch) {
  Batch batch;
  EXPECT_TRUE(this->store->commit_wait(std::move(batch)));
  const Batch::Mark mark = batch.put(Table::Sessions, "k", "v");
  batch.cancel(mark);
  EXPECT_TRUE(this->store->commit_wait(std::move(batch)));
  EXPECT_EQ(this->keys(Table::Sessions, ""), Keys{});
}

TYPED_TEST(KeyValueTest, RefusesAfterCloseAndHandsTheBatchBackUnchanged) {
  ASSERT_TRUE(this->store->close());
  ASSERT_TRUE(this->store->close());
  Batch batch;
  batch.put(Table::Sessions, "k", "v");
  EXPECT_EQ(this->store->try_commit(std::move(batch), {}).error().code, Errc::Unavailable);
  EXPECT_EQ(batch.count(), 1u);
  EXPECT_EQ(this->store->commit_wait(std::move(batch)).error().code, Errc::Unavailable);
  EXPECT_EQ(batch.count(), 1u);
  EXPECT_EQ(this->store->flush().error().code, Errc::Unavailable);
}

TYPED_TEST(KeyValueTest, CountsWhatItDoes) {
  Batch batch;
  batch.put(Table::Sessions, "k", "v");
  batch.put(Table::Wills, "k", "v");
  ASSERT_TRUE(this->store->commit_wait(std::move(batch)));
  const Stats stats = this->store->stats();
  EXPECT_EQ(stats.records[index_of(Table::Sessions)], 1u);
  EXPECT_EQ(stats.records[index_of(Table::Wills)], 1u);
  EXPECT_EQ(stats.entries, 2u);
  EXPECT_EQ(stats.queued_batches, 0u);
  EXPECT_EQ(stats.queued_bytes, 0u);
  EXPECT_FALSE(stats.trouble);
}

TYPED_TEST(KeyValueTest, TakesBatchesOfManyThreads) {
  constexpr int kThreads = 4;
  constexpr int kBatches = 200;
  std::atomic<int> done{0};
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&, t] {
        for (int i = 0; i < kBatches; ++i) {
          Batch batch;
          batch.put(Table::Queues, std::to_string(t) + "/" + std::to_string(i), "");
          this->store->commit(std::move(batch), [&](Result<> result, Batch) { done += result ? 1 : 0; });
        }
      });
  }
  ASSERT_TRUE(this->store->flush());
  EXPECT_EQ(done, kThreads * kBatches);
  EXPECT_EQ(this->keys(Table::Queues, "").size(), std::size_t{kThreads * kBatches});
}

TYPED_TEST(KeyValueTest, ErasesUnreferencedMessages) {
  Batch batch;
  for (MessageId id = 1; id <= 10'000; ++id) put(batch, MessageRecord{.message = {.id = id, .topic = "t"}});
  ASSERT_TRUE(this->store->commit_wait(std::move(batch)));
  const auto erased = erase_unreferenced(*this->store, [](MessageId id) { return id % 10 == 0; });
  ASSERT_TRUE(erased) << erased.error().what;
  EXPECT_EQ(*erased, 9'000u);
  MessageId expected = 0;
  ASSERT_TRUE(scan<MessageRecord>(*this->store, [&](const MessageRecord& record) -> Result<> {
    EXPECT_EQ(record.message.id, expected += 10);
    return {};
  }));
  EXPECT_EQ(expected, 10'000u);
}

TYPED_TEST(KeyValueTest, LoadsTheNodeAndSingleMessages) {
  EXPECT_EQ(load_node(*this->store).error().code, Errc::NotFound);
  Batch batch;
  put(batch,
      NodeRecord{.home_seed = 7, .last_wall_ms = 8, .session_floor = 9, .message_floor = 10, .clean_stop = true});
  put(batch, MessageRecord{.message = {.id = 258, .topic = "t"}});
  ASSERT_TRUE(this->store->commit_wait(std::move(batch)));
  const auto node = load_node(*this->store);
  ASSERT_TRUE(node);
  EXPECT_EQ(node->home_seed, 7u);
  EXPECT_EQ(node->message_floor, 10u);
  EXPECT_TRUE(node->clean_stop);
  std::string topic;
  const auto note = [&](const MessageRecord& record) -> Result<> { return topic = record.message.topic, Result<>{}; };
  ASSERT_TRUE(load_message(*this->store, 258, note));
  EXPECT_EQ(topic, "t");
  EXPECT_EQ(load_message(*this->store, 259, note).error().code, Errc::NotFound);
}

TYPED_TEST(KeyValueTest, CommitsManyRecordsInParts) {
  std::vector<std::string> names;
  for (int i = 0; i < 7; ++i) names.push_back("device-" + std::to_string(i));
  std::vector<PskIdentityRecord> rows;
  for (const std::string& name : names) rows.push_back({name, "secret"});
  const auto before = this->store->stats().batches;
  ASSERT_TRUE(commit_in_parts<PskIdentityRecord>(*this->store, rows, 3));
  EXPECT_EQ(this->store->stats().batches, before + 3);
  EXPECT_EQ(this->keys(Table::PskIdentities, "").size(), 7u);
}

TEST(MemoryStore, RefusesWhenItIsToldTo) {
  bool full = true;
  const auto store = make_memory({.before_commit = [&](const Batch&) -> Result<> {
    return full ? Result<>(fail(Errc::Full, "no space")) : Result<>();
  }});
  Batch batch;
  batch.put(Table::Sessions, "k", "v");
  EXPECT_EQ(store->commit_wait(std::move(batch)).error().code, Errc::Full);
  EXPECT_EQ(batch.count(), 1u);
  EXPECT_TRUE(store->stats().trouble);
  full = false;
  EXPECT_TRUE(store->commit_wait(std::move(batch)));
  EXPECT_FALSE(store->stats().trouble);
  EXPECT_TRUE(store->stats().last_error);
  EXPECT_EQ(store->get(Table::Sessions, "k").value(), "v");
}

}  // namespace
}  // namespace sb::store
