// Retained messages of one shard: put, replace, erase and wildcard look-up at 1e4 to 1e6 stored, against a scan of all.
//   build/release/bin/retained_bench --benchmark_filter='few'
// Topics are g<n/1000>/d<n%1000>/state with 64 B payloads; arguments are the number stored.
#include "broker/retained.h"
#include "broker/topic.h"

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <string>
#include <vector>

namespace {

using sb::broker::Message;
using sb::broker::MessageRef;
using sb::broker::Publication;
using sb::broker::RetainedReader;
using sb::broker::RetainedStore;

std::size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

std::string topic_of(std::size_t n) {
  return "g" + std::to_string(n / 1000) + "/d" + std::to_string(n % 1000) + "/state";
}

MessageRef message_of(std::size_t n) {
  static const std::string payload(64, 'x');
  const std::string topic = topic_of(n);
  Publication p;
  p.topic = topic;
  p.payload = sb::as_bytes(payload);
  p.retain = true;
  p.published_ms = static_cast<std::int64_t>(n);
  return MessageRef::adopt(Message::make(p));
}

std::vector<MessageRef> messages(const benchmark::State& state) {
  std::vector<MessageRef> out;
  for (std::size_t n = 0; n < static_cast<std::size_t>(state.range(0)); ++n) out.push_back(message_of(n));
  return out;
}

void fill(RetainedStore& store, const benchmark::State& state) {
  for (std::size_t n = 0; n < static_cast<std::size_t>(state.range(0)); ++n) store.put(message_of(n));
}

void put_new(benchmark::State& state) {
  const std::vector<MessageRef> all = messages(state);
  double heap = 0;
  for (auto _ : state) {
    const std::size_t before = heap_bytes();
    RetainedStore store;
    for (const MessageRef& one : all) store.put(one);
    state.PauseTiming();
    heap = static_cast<double>(heap_bytes() - before) / static_cast<double>(all.size());
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
  state.counters["index_bytes_per_message"] = heap;  // beside the message itself
}

void replace(benchmark::State& state) {
  RetainedStore store;
  fill(store, state);
  const std::vector<MessageRef> all = messages(state);
  std::size_t next = 0;
  for (auto _ : state) {
    store.put(all[next]);
    next = (next + 7919) % all.size();
  }
  state.SetItemsProcessed(state.iterations());
}

void erase_and_put(benchmark::State& state) {
  RetainedStore store;
  fill(store, state);
  const std::vector<MessageRef> all = messages(state);
  std::size_t next = 0;
  for (auto _ : state) {
    store.erase(all[next]->topic());
    store.put(all[next]);
    next = (next + 7919) % all.size();
  }
  state.SetItemsProcessed(state.iterations());
}

std::size_t count(RetainedStore& store, std::string_view filter) {
  RetainedReader reader(store, filter);
  std::vector<MessageRef> page;
  std::size_t found = 0;
  for (bool more = true; more;) {
    page.clear();
    more = reader.read(512, 0, page);
    found += page.size();
  }
  return found;
}

void find(benchmark::State& state, std::string_view filter) {
  RetainedStore store;
  fill(store, state);
  std::size_t found = 0;
  for (auto _ : state) found = count(store, filter);
  state.counters["matches"] = static_cast<double>(found);
}

/// What the index is measured against.
void scan(benchmark::State& state, std::string_view filter) {
  const std::vector<MessageRef> all = messages(state);
  std::size_t found = 0;
  for (auto _ : state) {
    found = 0;
    for (const MessageRef& one : all) found += sb::broker::matches(filter, one->topic()) ? 1U : 0U;
    benchmark::DoNotOptimize(found);
  }
  state.counters["matches"] = static_cast<double>(found);
}

void sizes(benchmark::internal::Benchmark* bench) {
  for (const std::int64_t stored : {10'000, 100'000, 1'000'000}) bench->Arg(stored);
}

BENCHMARK(put_new)->Apply(sizes)->Unit(benchmark::kMillisecond);
BENCHMARK(replace)->Apply(sizes);
BENCHMARK(erase_and_put)->Apply(sizes);
BENCHMARK_CAPTURE(find, few, "g5/d77/#")->Apply(sizes);
BENCHMARK_CAPTURE(scan, few, "g5/d77/#")->Apply(sizes);
BENCHMARK_CAPTURE(find, plus_inside, "g5/+/state")->Apply(sizes);
BENCHMARK_CAPTURE(scan, plus_inside, "g5/+/state")->Apply(sizes);
BENCHMARK_CAPTURE(find, plus_in_front, "+/d77/state")->Apply(sizes);
BENCHMARK_CAPTURE(scan, plus_in_front, "+/d77/state")->Apply(sizes);
BENCHMARK_CAPTURE(find, everything, "#")->Apply(sizes)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(scan, everything, "#")->Apply(sizes)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
