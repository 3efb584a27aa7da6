// What the codec costs a packet: 64 bytes of payload, as the speed budget of docs/performance.md counts them.
#include "codec/mqtt/client.h"

#include <benchmark/benchmark.h>

#include <vector>

namespace {

using namespace sb;
using namespace sb::codec::mqtt;

const std::vector<std::uint8_t> kPayload(64, 'x');
constexpr std::string_view kTopic = "bench/device/0042/state";

Buffer publish_of(Qos qos, ProtocolVersion version, ByteView properties = {}, std::uint16_t alias = 0) {
  Buffer out;
  append_publish(out, {.topic = kTopic, .properties = properties, .qos = qos, .packet_id = 77, .topic_alias = alias},
                 kPayload, version);
  return out;
}

void decode_loop(benchmark::State& state, const Buffer& packet, DecodeOptions options) {
  for (auto _ : state) {
    auto frame = next_frame(packet, 1 << 20);
    benchmark::DoNotOptimize(frame);
    auto view = decode_publish(*frame, options);
    benchmark::DoNotOptimize(view);
  }
}

void DecodePublish(benchmark::State& state) {
  const auto version = static_cast<ProtocolVersion>(state.range(0));
  decode_loop(state, publish_of(static_cast<Qos>(state.range(1)), version), {version, state.range(2) != 0});
}
BENCHMARK(DecodePublish)->ArgNames({"version", "qos", "strict"})->ArgsProduct({{4, 5}, {0, 1}, {0, 1}});

void DecodePublishWithProperties(benchmark::State& state) {
  const Buffer properties{0x01, 1, 0x03, 0, 4, 'j', 's', 'o', 'n', 0x26, 0, 1, 'a', 0, 1, 'b'};
  PropertyScratch scratch;
  decode_loop(state, publish_of(Qos::AtLeastOnce, ProtocolVersion::V5, properties, 3),
              {ProtocolVersion::V5, false, &scratch});
}
BENCHMARK(DecodePublishWithProperties);

void DecodeUserProperties(benchmark::State& state) {
  Buffer properties;
  for (int i = 0; i < state.range(0); ++i) properties.insert(properties.end(), {0x26, 0, 1, 'a', 0, 1, 'b'});
  const Buffer packet = publish_of(Qos::AtMostOnce, ProtocolVersion::V5, properties);
  decode_loop(state, packet, {ProtocolVersion::V5});
  state.SetComplexityN(state.range(0));
}
BENCHMARK(DecodeUserProperties)->RangeMultiplier(8)->Range(8, 4096)->Complexity(benchmark::oN);

void EncodePublishHead(benchmark::State& state) {
  const auto version = static_cast<ProtocolVersion>(state.range(0));
  PublishHead head{
      .topic = kTopic, .payload_size = kPayload.size(), .qos = static_cast<Qos>(state.range(1)), .packet_id = 1};
  std::uint8_t out[128];
  for (auto _ : state) {
    std::size_t total = 0;
    benchmark::DoNotOptimize(head);
    benchmark::DoNotOptimize(size_of_publish_head(head, version, &total));
    benchmark::DoNotOptimize(encode_publish_head(out, head, version));
    benchmark::ClobberMemory();
  }
}
BENCHMARK(EncodePublishHead)->ArgNames({"version", "qos"})->ArgsProduct({{4, 5}, {0, 1}});

void DecodeAck(benchmark::State& state) {
  Buffer packet;
  append_ack(packet, PacketType::Puback, 7, ReasonCode::Success, ProtocolVersion::V5);
  for (auto _ : state) {
    auto frame = next_frame(packet, 1 << 20);
    benchmark::DoNotOptimize(frame);
    auto view = decode_ack(*frame, {ProtocolVersion::V5});
    benchmark::DoNotOptimize(view);
  }
}
BENCHMARK(DecodeAck);

void DecodeConnect(benchmark::State& state) {
  ConnectView connect;
  connect.version = ProtocolVersion::V5;
  connect.client_id = "a-device-with-a-name";
  connect.username = "user";
  connect.password = as_bytes("secret");
  Buffer packet;
  append_connect(packet, connect);
  for (auto _ : state) {
    auto frame = next_frame(packet, 1 << 20);
    benchmark::DoNotOptimize(frame);
    auto view = decode_connect(*frame, true);
    benchmark::DoNotOptimize(view);
  }
}
BENCHMARK(DecodeConnect);

}  // namespace

BENCHMARK_MAIN();
