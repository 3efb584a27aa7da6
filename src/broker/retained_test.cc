#include "broker/retained.h"

#include "broker/topic.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace sb::broker {
namespace {

MessageRef message(std::string_view topic, std::string_view payload = "x", std::int64_t published_ms = 1,
                   std::uint32_t expiry_s = kNeverExpires) {
  Publication p;
  p.topic = topic;
  p.payload = as_bytes(payload);
  p.retain = true;
  p.published_ms = published_ms;
  p.expiry_s = expiry_s;
  return MessageRef::adopt(Message::make(p));
}

std::vector<std::string> read_all(RetainedReader& reader, std::size_t page = 7, std::int64_t now_ms = 1) {
  std::vector<MessageRef> found;
  while (reader.read(page, now_ms, found)) {
  }
  std::vector<std::string> topics;
  for (const MessageRef& one : found) topics.emplace_back(one->topic());
  return topics;
}

std::vector<std::string> read_all(RetainedStore& store, std::string_view filter, std::int64_t now_ms = 1) {
  RetainedReader reader(store, filter);
  return read_all(reader, 7, now_ms);
}

using Topics = std::vector<std::string>;

TEST(RetainedStore, FindsByFilter) {
  RetainedStore store;
  for (const char* topic : {"a", "a/", "a/b", "a/b/c", "/", "//x", "$s", "$s/a", "b/b/c"}) store.put(message(topic));
  const auto find = [&](std::string_view filter) { return read_all(store, filter); };
  EXPECT_EQ(find("a/#"), (Topics{"a", "a/", "a/b", "a/b/c"}));  // 4.7.1.2: the parent level too
  EXPECT_EQ(find("a/b/#"), (Topics{"a/b", "a/b/c"}));
  EXPECT_EQ(find("a/+"), (Topics{"a/", "a/b"}));
  EXPECT_EQ(find("+/b/c"), (Topics{"a/b/c", "b/b/c"}));
  EXPECT_EQ(find("+/b/+"), (Topics{"a/b/c", "b/b/c"}));
  EXPECT_EQ(find("+"), (Topics{"a"}));  // [MQTT-4.7.2-1]
  EXPECT_EQ(find("#"), (Topics{"a", "a/", "a/b", "a/b/c", "/", "//x", "b/b/c"}));
  EXPECT_EQ(find("+/a"), (Topics{}));
  EXPECT_EQ(find("+/+"), (Topics{"a/", "a/b", "/"}));
  EXPECT_EQ(find("$s/#"), (Topics{"$s", "$s/a"}));
  EXPECT_EQ(find("$s/+"), (Topics{"$s/a"}));
  EXPECT_EQ(find("/#"), (Topics{"/", "//x"}));
  EXPECT_EQ(find("//+"), (Topics{"//x"}));
  EXPECT_EQ(find("a/b"), (Topics{"a/b"}));
  EXPECT_EQ(find("c"), (Topics{}));
  EXPECT_EQ(find("").size(), store.size());  // everything, for those who administrate
}

// Random stores and filters of few levels over a small alphabet, against a look at every message.
TEST(RetainedStore, AgreesWithTheNaiveScan) {
  std::mt19937 random(4711);
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
  const char* const kLevels[] = {"", "a", "b", "$x", "long level of more than fifteen bytes", "c"};
  const auto text = [&](bool filter) {
    std::string out;
    const unsigned levels = 1 + (pick(20) == 0 ? 14 + pick(8) : pick(5));  // beyond the depth of the tree too
    for (unsigned i = 0; i < levels; ++i) {
      if (i > 0) out += '/';
      if (filter && pick(3) == 0) {
        out += '+';
      } else if (filter && pick(6) == 0) {
        out += '#';
        break;
      } else {
        out += levels > 10 ? kLevels[1 + pick(2)] : kLevels[pick(6)];
      }
    }
    return out.empty() ? std::string("/") : out;
  };
  RetainedStore store;
  std::map<std::string, std::uint64_t> naive;  // topic -> when it was put
  std::uint64_t puts = 0;
  std::size_t matched = 0;
  for (unsigned round = 0; round < 400; ++round) {
    for (unsigned i = 0; i < 40; ++i) {
      const std::string topic = text(false);
      if (pick(4) == 0) {
        EXPECT_EQ(store.erase(topic), naive.erase(topic) == 1);
      } else {
        store.put(message(topic));
        naive[topic] = ++puts;
      }
    }
    ASSERT_EQ(store.size(), naive.size());
    for (unsigned i = 0; i < 20; ++i) {
      const std::string filter = text(true);
      std::map<std::uint64_t, std::string> expected;
      for (const auto& [topic, put] : naive)
        if (matches(filter, topic)) expected.emplace(put, topic);
      Topics in_order;
      for (const auto& [put, topic] : expected) in_order.push_back(topic);
      ASSERT_EQ(read_all(store, filter), in_order) << filter;
      matched += in_order.size();
    }
  }
  EXPECT_GT(matched, 10'000U);
  for (const auto& [topic, put] : naive) EXPECT_TRUE(store.erase(topic));
  EXPECT_EQ(store.size(), 0U);
  EXPECT_EQ(read_all(store, "#"), Topics{});
}

TEST(RetainedStore, OrdersByTimeAndTiesByPutting) {
  RetainedStore store;
  store.begin_bulk(100'000);  // an estimate far too high
  store.put(message("late", "x", 9));
  for (int i = 0; i < 20; ++i) store.put(message("tie/" + std::to_string(i * 7 % 20), "x", 5));
  store.put(message("early", "x", 2));
  Topics expected{"early"};
  for (int i = 0; i < 20; ++i) expected.push_back("tie/" + std::to_string(i * 7 % 20));
  expected.push_back("late");
  EXPECT_EQ(read_all(store, "#", 9), expected);
  store.end_bulk();  // as after a start
  EXPECT_EQ(read_all(store, "", 9), expected);
}

TEST(RetainedStore, ReplacesAndMovesToTheEnd) {
  RetainedStore store;
  for (const char* topic : {"a", "b", "c"}) store.put(message(topic, "1"));
  store.put(message("a", "2"));
  EXPECT_EQ(store.size(), 3U);
  EXPECT_EQ(as_text(store.find("a")->payload()), "2");
  EXPECT_EQ(read_all(store, "+"), (Topics{"b", "c", "a"}));
  EXPECT_FALSE(store.find("d"));
}

TEST(RetainedReader, LeavesOutWhatHasExpired) {
  RetainedStore store;
  EXPECT_FALSE(store.any_expiring());
  store.put(message("a", "x", 1000, 1));
  store.put(message("b", "x", 1000));
  store.put(message("c", "x", 1000, 2));
  EXPECT_EQ(read_all(store, "#", 1999), (Topics{"a", "b", "c"}));
  EXPECT_EQ(read_all(store, "#", 2000), (Topics{"b", "c"}));
  EXPECT_EQ(read_all(store, "", 3000), (Topics{"b"}));
  std::vector<MessageRef> expired;
  EXPECT_EQ(store.find_expired(0, 2, 3000, expired), 2U);
  EXPECT_EQ(store.find_expired(2, 2, 3000, expired), 0U);
  ASSERT_EQ(expired.size(), 2U);
  EXPECT_TRUE(store.any_expiring());
  for (const MessageRef& one : expired) EXPECT_TRUE(store.erase(one->topic()));
  EXPECT_FALSE(store.any_expiring());
}

class ReaderOfMany : public testing::TestWithParam<bool> {
 protected:
  /// Enough that a reader of "t/#" walks the list, or few enough that it remembers what it found.
  std::size_t count() const { return GetParam() ? 3 * RetainedReader::kFoundMax : 900; }
  void SetUp() override {
    for (std::size_t i = 0; i < count(); ++i) store.put(message("t/" + std::to_string(i)));
  }
  RetainedStore store;
};

TEST_P(ReaderOfMany, GivesEachOnceWhileTheStoreChanges) {
  RetainedReader reader(store, "t/#");
  EXPECT_EQ(reader.walks(), GetParam());
  std::mt19937 random(1);
  std::vector<MessageRef> got;
  std::set<std::string> touched;
  for (bool more = true; more;) {
    more = reader.read(100, 1, got);
    for (int i = 0; i < 20; ++i) {
      const std::string topic = "t/" + std::to_string(random() % count());
      touched.insert(topic);
      if (i % 2 == 0)
        store.erase(topic);
      else
        store.put(message(topic, "new"));
      store.put(message("t/new" + std::to_string(random() % 100), "new"));
    }
    // Right where the reader stands.
    if (!got.empty()) {
      const std::string next = "t/" + std::to_string(got.size());
      touched.insert(next);
      store.put(message(next, "new"));
    }
  }
  std::set<std::string> seen;
  for (const MessageRef& one : got) {
    EXPECT_EQ(as_text(one->payload()), "x");  // nothing that was put after the reader began
    EXPECT_TRUE(seen.emplace(one->topic()).second);
  }
  for (std::size_t i = 0; i < count(); ++i) {
    const std::string topic = "t/" + std::to_string(i);
    if (!touched.contains(topic)) {
      ASSERT_TRUE(seen.contains(topic)) << topic;
    }
  }
}

TEST_P(ReaderOfMany, LooksAtFewMessagesACall) {
  RetainedReader reader(store, "t/#");
  std::vector<MessageRef> got;
  EXPECT_EQ(reader.read(1'000'000, 1, got), GetParam());
  EXPECT_LE(got.size(), RetainedReader::kStepMax);
}

TEST_P(ReaderOfMany, OutlivesItsStore) {
  auto own = std::make_unique<RetainedStore>();
  for (std::size_t i = 0; i < count(); ++i) own->put(message("t/" + std::to_string(i)));
  auto first = std::make_unique<RetainedReader>(*own, "t/#");
  const RetainedReader second(*own, "#");
  first.reset();
  own.reset();
  EXPECT_FALSE(second.walks());
}

INSTANTIATE_TEST_SUITE_P(, ReaderOfMany, testing::Bool(),
                         [](const auto& i) { return i.param ? "Walking" : "Remembering"; });

}  // namespace
}  // namespace sb::broker
