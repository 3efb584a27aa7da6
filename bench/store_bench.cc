// What the store costs: filling a batch (on the shard), committing (on the writer thread), reading at start-up.
#include "store/tables.h"
#include "store/testing/temp_folder.h"

#include <benchmark/benchmark.h>

#include <atomic>

namespace {

using namespace sb::store;

MessageRecord message(MessageId id, std::string_view payload) {
  return {.message = {.id = id,
                      .topic = "fleet/42/vehicle/telemetry",
                      .payload = sb::as_bytes(payload),
                      .qos = sb::Qos::AtLeastOnce,
                      .published_ms = 1'700'000'000'000,
                      .client_id = "vehicle-000042",
                      .username = "fleet",
                      .peer_host = "10.0.0.1"}};
}

/// One message and one queue row, the buffer warm.
void fill(benchmark::State& state) {
  const std::string payload(static_cast<std::size_t>(state.range(0)), 'p');
  Batch batch;
  MessageId id = 0;
  for (auto _ : state) {
    ++id;
    put(batch, message(id, payload));
    put(batch, QueueRecord{.session = id & 1023, .sequence = id, .message = id});
    if (batch.count() >= 128) batch.clear();
    benchmark::DoNotOptimize(batch.bytes());
  }
}
BENCHMARK(fill)->Arg(64)->Arg(1024);

std::unique_ptr<KeyValue> open(const std::string& folder, Durability durability) {
  Options options;
  options.folder = folder;
  options.durability = durability;
  auto store = open_rocksdb(std::move(options));
  return store ? std::move(*store) : nullptr;
}

/// Batches of 64 records (32 messages with a queue row each), 200-byte payloads, up to 64 batches in flight.
void commit(benchmark::State& state) {
  const testing::TempFolder temp;
  const auto store = open(temp.path() + "/store", static_cast<Durability>(state.range(0)));
  if (!store) return state.SkipWithError("cannot open the store");
  const std::string payload(200, 'p');
  std::atomic<std::int64_t> in_flight{0};
  MessageId id = 0;
  for (auto _ : state) {
    Batch batch;
    for (int i = 0; i < 32; ++i) {
      ++id;
      put(batch, message(id, payload));
      put(batch, QueueRecord{.session = id & 1023, .sequence = id, .message = id});
    }
    for (std::int64_t now = in_flight.load(); now >= 64; now = in_flight.load()) in_flight.wait(now);
    ++in_flight;
    store->commit(std::move(batch), [&](sb::Result<> result, Batch) {
      if (!result) state.SkipWithError("write failed");
      if (--in_flight < 32) in_flight.notify_one();
    });
  }
  if (!store->flush()) state.SkipWithError("flush failed");
  state.SetItemsProcessed(state.iterations() * 64);
  const Stats stats = store->stats();
  state.counters["batches_per_write"] = static_cast<double>(stats.batches) / static_cast<double>(stats.writes);
}
BENCHMARK(commit)->Arg(0)->Arg(1)->Arg(2)->ArgName("durability")->MeasureProcessCPUTime()->UseRealTime();

/// The time until `Done` of one small batch with nothing else going on.
void latency(benchmark::State& state) {
  const testing::TempFolder temp;
  const auto store = open(temp.path() + "/store", static_cast<Durability>(state.range(0)));
  if (!store) return state.SkipWithError("cannot open the store");
  MessageId id = 0;
  Batch batch;
  for (auto _ : state) {
    put(batch, message(++id, "payload"));
    if (!store->commit_wait(std::move(batch))) return state.SkipWithError("write failed");
  }
}
BENCHMARK(latency)->Arg(1)->Arg(2)->ArgName("durability")->UseRealTime();

/// Decoding scans over a million records (half messages, half queue rows), as a start does.
void scan_million(benchmark::State& state) {
  constexpr MessageId kMessages = 500'000;
  const testing::TempFolder temp;
  const std::string folder = temp.path() + "/store";
  {
    const auto store = open(folder, Durability::Process);
    if (!store) return state.SkipWithError("cannot open the store");
    const std::string payload(200, 'p');
    Batch batch;
    for (MessageId id = 1; id <= kMessages; ++id) {
      put(batch, message(id, payload));
      put(batch, QueueRecord{.session = id & 1023, .sequence = id, .message = id});
      if (batch.count() >= 1024 || id == kMessages)
        if (!store->commit_wait(std::move(batch))) return state.SkipWithError("write failed");
    }
  }
  const auto store = open(folder, Durability::Process);
  if (!store) return state.SkipWithError("cannot open the store again");
  for (auto _ : state) {
    std::size_t records = 0;
    std::size_t bytes = 0;
    const auto count = [&](std::size_t size) { return ++records, bytes += size, sb::Result<>{}; };
    const bool read =
        scan<MessageRecord>(*store, [&](const MessageRecord& r) { return count(r.message.payload.size()); }) &&
        scan<QueueRecord>(*store, [&](const QueueRecord& r) { return count(r.message & 1); });
    if (!read || records != 2 * kMessages) return state.SkipWithError("read failed");
    benchmark::DoNotOptimize(bytes);
  }
  state.SetItemsProcessed(state.iterations() * 2 * static_cast<std::int64_t>(kMessages));
}
BENCHMARK(scan_million)->Unit(benchmark::kMillisecond);

/// An empty folder until the store is open; and opening it again.
void open_empty(benchmark::State& state) {
  for (auto _ : state) {
    const testing::TempFolder temp;
    if (!open(temp.path() + "/store", Durability::Process)) return state.SkipWithError("cannot open the store");
  }
}
BENCHMARK(open_empty)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
