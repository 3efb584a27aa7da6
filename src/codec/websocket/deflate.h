// permessage-deflate, RFC 7692: negotiation, and messages in and out. zlib's state is made at the first compressed
// message, so a connection that never compresses pays for a few bytes only. Belongs to one shard.
#pragma once

#include "base/bytes.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sb::codec::websocket {

/// What the listener wants (websocket.deflate_opts).
struct DeflateConfig {
  int level = -1;     // zlib's; -1 is its default
  int mem_level = 8;  // 1..9
  enum class Strategy : std::uint8_t { Default, Filtered, HuffmanOnly, Rle } strategy = Strategy::Default;
  bool server_context_takeover = true;
  bool client_context_takeover = true;
  int server_max_window_bits = 15;  // 8..15; 8 works as 9, since zlib cannot write windows of 256 bytes
  int client_max_window_bits = 15;
};

/// What both ends agreed on. 7.1
struct DeflateParams {
  bool server_no_context_takeover = false;
  bool client_no_context_takeover = false;
  std::uint8_t server_max_window_bits = 15;
  std::uint8_t client_max_window_bits = 15;
  bool client_offered_window_bits = false;  // only then may the answer name client_max_window_bits

  friend bool operator==(const DeflateParams&, const DeflateParams&) = default;
};

/// The first offer in a Sec-WebSocket-Extensions list that we can serve; none: no compression. 5.1
std::optional<DeflateParams> negotiate(std::string_view offers, const DeflateConfig& config);
/// The extension as the 101 answer names it.
std::string to_header(const DeflateParams& params);

namespace detail {
struct InflateState;
struct DeflateState;
struct InflateDelete {
  void operator()(InflateState* state) const;
};
struct DeflateDelete {
  void operator()(DeflateState* state) const;
};
using InflatePtr = std::unique_ptr<InflateState, InflateDelete>;
using DeflatePtr = std::unique_ptr<DeflateState, DeflateDelete>;
}  // namespace detail

/// zlib states of a shard that no connection needs just now: with no_context_takeover a state is held for one message
/// only. Must outlive the inflaters and deflaters that use it.
class ZlibPool {
 public:
  static constexpr std::size_t kIdleMax = 4;
  detail::InflatePtr take_inflate(int window_bits);
  detail::DeflatePtr take_deflate(const DeflateConfig& config, int window_bits);
  void give_back(detail::InflatePtr state);
  void give_back(detail::DeflatePtr state);

 private:
  std::vector<detail::InflatePtr> inflates_;
  std::vector<detail::DeflatePtr> deflates_;
};

/// Incoming messages, piece by piece into the caller's room: what comes out is bounded by that room, whatever comes in.
class Inflater {
 public:
  Inflater(ZlibPool& pool, const DeflateParams& params)
      : pool_(&pool), window_bits_(params.client_max_window_bits), keeps_context_(!params.client_no_context_takeover) {}
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  /// The connection moved to another shard; null while it is on its way.
  void use(ZlibPool* pool) { pool_ = pool; }

  enum class Outcome : std::uint8_t {
    NeedInput,   // all of `in` is used
    NeedRoom,    // call again with the rest of `in` (possibly empty) and new room
    MessageEnd,  // only with `last_piece`
    BadData,     // close with 1007
    TooLarge,    // the message inflates to more than max_message_size: close with 1009
  };
  struct Step {
    Outcome outcome = Outcome::NeedInput;
    std::size_t consumed = 0;
    std::size_t produced = 0;
  };
  /// `last_piece`: `in` is the end of the message's final frame.
  Step inflate(ByteView in, bool last_piece, std::span<std::uint8_t> room, std::uint64_t max_message_size);

 private:
  void end_message();
  int run(ByteView source, std::span<std::uint8_t> room, std::size_t& used, std::size_t& made);
  ZlibPool* pool_;
  detail::InflatePtr state_;
  std::uint64_t message_size_ = 0;
  std::uint8_t window_bits_;
  bool keeps_context_;
  std::uint8_t tail_at_ = 0;  // how much of 00 00 FF FF has been fed
};

/// Outgoing messages.
class Deflater {
 public:
  Deflater(ZlibPool& pool, const DeflateConfig& config, const DeflateParams& params)
      : pool_(&pool),
        config_(config),
        window_bits_(params.server_max_window_bits),
        keeps_context_(!params.server_no_context_takeover) {}
  ~Deflater();
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;
  void use(ZlibPool* pool) { pool_ = pool; }

  /// Compresses `in` as part of the current message and appends to `out`.
  void add(ByteView in, std::string& out);
  /// Ends the message: flushes and takes 00 00 FF FF off. 7.2.1
  void finish(std::string& out);

 private:
  void run(ByteView in, int flush, std::string& out);
  ZlibPool* pool_;
  const DeflateConfig& config_;
  detail::DeflatePtr state_;
  std::uint8_t window_bits_;
  bool keeps_context_;
};

}  // namespace sb::codec::websocket
