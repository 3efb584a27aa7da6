#include "store/key_value.h"

#include <map>
#include <mutex>
#include <shared_mutex>

namespace sb::store {

namespace {

class Memory final : public KeyValue {
 public:
  explicit Memory(MemoryOptions options) : options_(std::move(options)) {}

  Result<> try_commit(Batch&& batch, Done done) override {
    {
      const std::shared_lock lock(mutex_);
      if (closed_) return fail(Errc::Unavailable, "the store is closed");
    }
    commit(std::move(batch), std::move(done), nullptr);
    return {};
  }

  void commit(Batch&& batch, Done done, std::shared_ptr<Lane> lane) override {
    Batch taken = std::move(batch);
    Result<> result = lane && lane->blocked() ? fail(Errc::Io, "an earlier batch was refused") : apply(taken);
    if (result)
      taken.clear();
    else if (lane)
      lane->block();
    if (done) done(std::move(result), std::move(taken));
  }

  Result<std::string> get(Table table, std::string_view key) const override {
    const std::shared_lock lock(mutex_);
    const Rows& rows = tables_[index_of(table)];
    const auto found = rows.find(key);
    if (found == rows.end()) return fail(Errc::NotFound, "no such key");
    return found->second;
  }

  Result<> scan(Table table, std::string_view prefix, std::string_view from, const Visit& visit) const override {
    Rows seen;  // a copy, so that the visitor may commit
    {
      const std::shared_lock lock(mutex_);
      const Rows& rows = tables_[index_of(table)];
      for (auto at = rows.lower_bound(std::max(prefix, from)); at != rows.end() && at->first.starts_with(prefix); ++at)
        seen.emplace_hint(seen.end(), *at);
    }
    for (const auto& [key, value] : seen) {
      SB_TRY(const bool more, visit(key, value));
      if (!more) break;
    }
    return {};
  }

  Result<> flush() override {
    const std::shared_lock lock(mutex_);
    if (closed_) return fail(Errc::Unavailable, "the store is closed");
    return {};
  }

  Result<> close() override {
    const std::unique_lock lock(mutex_);
    closed_ = true;
    return {};
  }

  std::optional<Error> trouble() const override {
    const std::shared_lock lock(mutex_);
    return stats_.trouble;
  }

  Stats stats() const override {
    const std::shared_lock lock(mutex_);
    Stats stats = stats_;
    for (std::size_t i = 0; i < kTableCount; ++i) {
      stats.records[i] = tables_[i].size();
      for (const auto& [key, value] : tables_[i]) stats.memory_bytes += key.size() + value.size();
    }
    return stats;
  }

 private:
  using Rows = std::map<std::string, std::string, std::less<>>;

  Result<> apply(const Batch& batch) {
    if (options_.before_commit) {
      if (Result<> allowed = options_.before_commit(batch); !allowed) {
        const std::unique_lock lock(mutex_);
        ++stats_.failed;
        stats_.trouble = stats_.last_error = allowed.error();
        return allowed;
      }
    }
    const std::unique_lock lock(mutex_);
    if (closed_) return fail(Errc::Unavailable, "the store is closed");
    batch.for_each([this](const Batch::Entry& entry) {
      Rows& rows = tables_[index_of(entry.table)];
      switch (entry.op) {
        case Batch::Op::Put:
          rows.insert_or_assign(std::string(entry.key), std::string(entry.value));
          break;
        case Batch::Op::Erase:
          if (const auto found = rows.find(entry.key); found != rows.end()) rows.erase(found);
          break;
        case Batch::Op::ErasePrefix: {
          const auto first = rows.lower_bound(entry.key);
          auto last = first;
          while (last != rows.end() && last->first.starts_with(entry.key)) ++last;
          rows.erase(first, last);
          break;
        }
        case Batch::Op::Cancelled:
          break;
      }
    });
    ++stats_.batches;
    ++stats_.writes;
    stats_.entries += batch.count();
    stats_.trouble.reset();
    return {};
  }

  const MemoryOptions options_;
  mutable std::shared_mutex mutex_;  // guards what follows
  std::array<Rows, kTableCount> tables_;
  Stats stats_;
  bool closed_ = false;
};

}  // namespace

std::unique_ptr<KeyValue> make_memory(MemoryOptions options) {
  return std::make_unique<Memory>(std::move(options));
}

}  // namespace sb::store
