// First byte: bit 0 chooses handshake or frames, bit 1 compression, the rest the size of the pieces. Frames must give
// the same events in pieces as in one, and inflating must stay within its bound.
#include "codec/websocket/frames.h"
#include "codec/websocket/handshake.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace sb;
using namespace sb::codec::websocket;

void require(bool condition) {
  if (!condition) std::abort();
}

void check_handshake(std::string_view text) {
  const auto request = parse_request(text);
  if (!request || !*request) return;
  require((*request)->size <= text.size() && (*request)->size <= kMaxRequestSize);
  static const std::vector<std::string> protocols{"mqtt"};
  const DeflateConfig config;
  UpgradePolicy policy;
  policy.supported_subprotocols = protocols;
  policy.deflate = &config;
  const UpgradeDecision decision = decide(**request, policy);
  if (decision.status == Status::SwitchingProtocols) {
    const std::string answer = accept_response(**request, decision);
    require(answer.find("\r\n\r\n") == answer.size() - 4);  // nothing of the request splits the answer
  }
  (void)leftmost((*request)->value("x-forwarded-for"));
}

std::string events(std::vector<std::uint8_t> input, std::size_t piece, bool deflate) {
  constexpr std::uint64_t kBound = 10000;
  FrameDecoder decoder;
  ZlibPool pool;
  Inflater inflater(pool, {});
  const FrameOptions options{.role = Role::Server, .deflate = deflate, .max_message_size = kBound};
  std::string log;
  for (std::size_t at = 0; at < input.size();) {
    std::span<std::uint8_t> in(input.data() + at, std::min(piece, input.size() - at));
    at += in.size();
    for (;;) {
      const FrameEvent event = decoder.next(in, options);
      if (event.kind == FrameEvent::Kind::NeedMore) break;
      if (event.kind == FrameEvent::Kind::Failed)
        return log + "failed " + std::to_string(static_cast<int>(event.close_code));
      if (event.kind == FrameEvent::Kind::Close) return log + "close " + std::string(as_text(event.payload));
      if (event.kind != FrameEvent::Kind::Data) {
        log += "control " + std::string(as_text(event.payload));
        continue;
      }
      if (!event.compressed) {
        log += as_text(event.payload);
        continue;
      }
      ByteView payload = event.payload;
      std::uint8_t room[100];
      for (;;) {
        const auto step = inflater.inflate(payload, event.message_end, room, kBound);
        require(step.consumed <= payload.size() && step.produced <= sizeof room);
        payload = payload.subspan(step.consumed);
        log.append(reinterpret_cast<const char*>(room), step.produced);
        // How much came out before bad data was noticed depends on the pieces.
        if (step.outcome == Inflater::Outcome::BadData || step.outcome == Inflater::Outcome::TooLarge)
          return "bad data";
        if (step.outcome != Inflater::Outcome::NeedRoom) break;
      }
      require(payload.empty());
    }
    require(in.empty());
  }
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t choice = data[0];
  ++data;
  --size;
  if ((choice & 1) == 0) {
    check_handshake({reinterpret_cast<const char*>(data), size});
    return 0;
  }
  const std::vector<std::uint8_t> input(data, data + size);
  const bool deflate = (choice & 2) != 0;
  require(events(input, SIZE_MAX, deflate) == events(input, (choice >> 2) + 1u, deflate));
  return 0;
}
