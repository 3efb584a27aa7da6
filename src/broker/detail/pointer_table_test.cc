#include "broker/detail/pointer_table.h"

#include <gtest/gtest.h>

#include <random>

namespace sb::broker::detail {
namespace {

struct Entry {
  std::uint64_t hash;
  alignas(16) int value = 0;
};

std::uint64_t word(const Entry& entry) {
  return reinterpret_cast<std::uint64_t>(&entry);
}

class PointerTableTest : public testing::Test {
 protected:
  bool finds(const Entry& entry) {
    return table_.find(entry.hash, [&](std::uint64_t found) { return found == word(entry); }) != 0;
  }
  runtime::Reclaimer reclaimer_{1};
  PointerTable table_{reclaimer_};
};

TEST_F(PointerTableTest, KeepsEntriesThatShareTheWholeHash) {
  std::vector<Entry> entries(100, Entry{.hash = 42});
  for (const Entry& entry : entries) table_.insert(entry.hash, word(entry));
  for (const Entry& entry : entries) EXPECT_TRUE(finds(entry));
  for (std::size_t i = 0; i < entries.size(); i += 2) table_.erase(42, word(entries[i]));
  for (std::size_t i = 0; i < entries.size(); ++i) EXPECT_EQ(finds(entries[i]), i % 2 == 1);
  EXPECT_EQ(table_.size(), 50u);
}

TEST_F(PointerTableTest, ReplacesInPlace) {
  Entry one{.hash = 7};
  Entry two{.hash = 7};
  table_.insert(7, word(one));
  table_.replace(7, word(one), word(two));
  EXPECT_FALSE(finds(one));
  EXPECT_TRUE(finds(two));
  EXPECT_EQ(table_.size(), 1u);
}

// Hashes of few distinct segments and tags, so that probes run long, wrap around and meet tombstones.
TEST_F(PointerTableTest, AgreesWithASetOverRandomHistories) {
  std::mt19937_64 random(11);
  std::vector<Entry> entries(4000);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint64_t segment = random() % 3;
    const std::uint64_t tag = i % 5 == 0 ? (i % 2 ? 0xFFFF : 0) : random() & 0xFFFF;
    entries[i].hash = segment << 52 | tag << 36 | (random() & 0xFFFFFFFFF);
  }
  std::vector<bool> in(entries.size(), false);
  std::size_t count = 0;
  const std::size_t empty_bytes = table_.bytes();
  for (int step = 0; step < 60'000; ++step) {
    const bool growing = step / 10'000 % 2 == 0;
    const std::size_t i = random() % entries.size();
    if (!in[i] && (growing || random() % 4 == 0)) {
      table_.insert(entries[i].hash, word(entries[i]));
      in[i] = true;
      ++count;
    } else if (in[i] && (!growing || random() % 4 == 0)) {
      table_.erase(entries[i].hash, word(entries[i]));
      in[i] = false;
      --count;
    }
    const std::size_t k = random() % entries.size();
    ASSERT_EQ(finds(entries[k]), in[k]) << step;
    ASSERT_EQ(table_.size(), count);
    reclaimer_.quiescent(0);
  }
  std::size_t visited = 0;
  for (unsigned i = 0; i < PointerTable::kSegments; ++i) table_.visit_segment(i, [&](std::uint64_t) { ++visited; });
  EXPECT_EQ(visited, count);
  for (std::size_t i = 0; i < entries.size(); ++i)
    if (in[i]) table_.erase(entries[i].hash, word(entries[i]));
  EXPECT_EQ(table_.size(), 0u);
  EXPECT_EQ(table_.bytes(), empty_bytes);
}

}  // namespace
}  // namespace sb::broker::detail
