#include "codec/websocket/deflate.h"

#define ZLIB_CONST
#include "base/check.h"
#include "codec/websocket/detail/text.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace sb::codec::websocket {
namespace detail {

struct InflateState {
  z_stream stream{};
  int window_bits = 15;
};
struct DeflateState {
  z_stream stream{};
  int window_bits = 15;
  int level = -1;
  int mem_level = 8;
  int strategy = 0;
};

void InflateDelete::operator()(InflateState* state) const {
  inflateEnd(&state->stream);
  delete state;
}
void DeflateDelete::operator()(DeflateState* state) const {
  deflateEnd(&state->stream);
  delete state;
}

namespace {

/// 8..15 in decimal without leading zeros. 7.1.2
std::optional<int> parse_bits(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  if (text == "8" || text == "9") return text.front() - '0';
  if (text.size() == 2 && text[0] == '1' && text[1] >= '0' && text[1] <= '5') return 10 + (text[1] - '0');
  return std::nullopt;
}

struct Offer {
  bool server_no_takeover = false;
  bool client_no_takeover = false;
  std::optional<int> server_bits;
  std::optional<int> client_bits;  // 15 if named without a value
};

bool set_once(bool& flag) {
  const bool fresh = !flag;
  flag = true;
  return fresh;
}

bool take_parameter(std::string_view name, std::optional<std::string_view> value, Offer& offer) {
  if (name == "server_no_context_takeover") return !value && set_once(offer.server_no_takeover);
  if (name == "client_no_context_takeover") return !value && set_once(offer.client_no_takeover);
  if (name == "server_max_window_bits") {
    if (!value || offer.server_bits) return false;
    return (offer.server_bits = parse_bits(*value)).has_value();
  }
  if (name == "client_max_window_bits") {
    if (offer.client_bits) return false;
    return (offer.client_bits = value ? parse_bits(*value) : 15).has_value();
  }
  return false;
}

/// One element of the list; none if it is another extension, or has parameters that 7.1 does not know.
std::optional<Offer> parse_offer(std::string_view text) {
  std::string_view part;
  if (!next_part(text, ';', part) || part != "permessage-deflate") return std::nullopt;
  Offer offer;
  while (next_part(text, ';', part)) {
    const std::size_t equals = part.find('=');
    std::optional<std::string_view> value;
    if (equals != std::string_view::npos) value = trim(part.substr(equals + 1));
    if (!take_parameter(trim(part.substr(0, equals)), value, offer)) return std::nullopt;
  }
  return offer;
}

int strategy_of(DeflateConfig::Strategy strategy) {
  switch (strategy) {
    case DeflateConfig::Strategy::Filtered:
      return Z_FILTERED;
    case DeflateConfig::Strategy::HuffmanOnly:
      return Z_HUFFMAN_ONLY;
    case DeflateConfig::Strategy::Rle:
      return Z_RLE;
    case DeflateConfig::Strategy::Default:
      break;
  }
  return Z_DEFAULT_STRATEGY;
}

constexpr std::array<std::uint8_t, 4> kTail = {0x00, 0x00, 0xFF, 0xFF};  // 7.2.1, 7.2.2

}  // namespace
}  // namespace detail

std::optional<DeflateParams> negotiate(std::string_view offers, const DeflateConfig& config) {
  std::string_view element;
  while (detail::next_part(offers, ',', element)) {
    const auto offer = detail::parse_offer(element);
    if (!offer || offer->server_bits == 8) continue;  // zlib writes no windows of 256 bytes
    DeflateParams params;
    params.server_no_context_takeover = offer->server_no_takeover || !config.server_context_takeover;
    params.client_no_context_takeover = offer->client_no_takeover || !config.client_context_takeover;
    const int server = std::min(offer->server_bits.value_or(15), std::max(config.server_max_window_bits, 9));
    params.server_max_window_bits = static_cast<std::uint8_t>(server);
    if (offer->client_bits) {
      params.client_offered_window_bits = true;
      params.client_max_window_bits =
          static_cast<std::uint8_t>(std::min(*offer->client_bits, config.client_max_window_bits));
    }
    return params;
  }
  return std::nullopt;
}

std::string to_header(const DeflateParams& params) {
  std::string out = "permessage-deflate";
  if (params.server_no_context_takeover) out += "; server_no_context_takeover";
  if (params.client_no_context_takeover) out += "; client_no_context_takeover";
  if (params.server_max_window_bits < 15)
    out += "; server_max_window_bits=" + std::to_string(params.server_max_window_bits);
  if (params.client_offered_window_bits && params.client_max_window_bits < 15)
    out += "; client_max_window_bits=" + std::to_string(params.client_max_window_bits);
  return out;
}

detail::InflatePtr ZlibPool::take_inflate(int window_bits) {
  for (auto& idle : inflates_) {
    if (idle->window_bits != window_bits) continue;
    auto state = std::move(idle);
    idle = std::move(inflates_.back());
    inflates_.pop_back();
    return state;
  }
  auto state = detail::InflatePtr(new detail::InflateState);  // check: allow new
  state->window_bits = window_bits;
  // Clients made with zlib write windows of 512 bytes when asked for 256.
  SB_CHECK(inflateInit2(&state->stream, -std::max(window_bits, 9)) == Z_OK, "out of memory for zlib");
  return state;
}

detail::DeflatePtr ZlibPool::take_deflate(const DeflateConfig& config, int window_bits) {
  const int strategy = detail::strategy_of(config.strategy);
  for (auto& idle : deflates_) {
    if (idle->window_bits != window_bits || idle->level != config.level || idle->mem_level != config.mem_level ||
        idle->strategy != strategy)
      continue;
    auto state = std::move(idle);
    idle = std::move(deflates_.back());
    deflates_.pop_back();
    return state;
  }
  auto state = detail::DeflatePtr(new detail::DeflateState);  // check: allow new
  state->window_bits = window_bits;
  state->level = config.level;
  state->mem_level = config.mem_level;
  state->strategy = strategy;
  SB_CHECK(deflateInit2(&state->stream, config.level, Z_DEFLATED, -window_bits, config.mem_level, strategy) == Z_OK,
           "out of memory for zlib, or bad deflate options");
  return state;
}

void ZlibPool::give_back(detail::InflatePtr state) {
  if (inflates_.size() == kIdleMax) return;
  inflateReset(&state->stream);
  inflates_.push_back(std::move(state));
}

void ZlibPool::give_back(detail::DeflatePtr state) {
  if (deflates_.size() == kIdleMax) return;
  deflateReset(&state->stream);
  deflates_.push_back(std::move(state));
}

Inflater::~Inflater() {
  if (state_ && pool_) pool_->give_back(std::move(state_));
}

void Inflater::end_message() {
  tail_at_ = 0;
  message_size_ = 0;
  if (!keeps_context_) pool_->give_back(std::move(state_));
}

/// Runs zlib once over `source`; `made` and `used` tell what it did.
int Inflater::run(ByteView source, std::span<std::uint8_t> room, std::size_t& used, std::size_t& made) {
  z_stream& stream = state_->stream;
  const auto offered = static_cast<unsigned>(std::min<std::size_t>(source.size(), 1u << 30));
  const auto space = static_cast<unsigned>(std::min<std::size_t>(room.size(), 1u << 30));
  stream.next_in = source.data();
  stream.avail_in = offered;
  stream.next_out = room.data();
  stream.avail_out = space;
  int code = ::inflate(&stream, Z_SYNC_FLUSH);
  used = offered - stream.avail_in;
  made = space - stream.avail_out;
  // A block with BFINAL ends zlib's stream, but not the message: what follows goes on with the same window. 7.2.3.5
  if (code == Z_STREAM_END) code = inflateResetKeep(&stream);
  return code;
}

Inflater::Step Inflater::inflate(ByteView in, bool last_piece, std::span<std::uint8_t> room,
                                 std::uint64_t max_message_size) {
  if (!state_) state_ = pool_->take_inflate(window_bits_);
  Step step;
  auto ended = [&](Outcome outcome) {
    step.outcome = outcome;
    return step;
  };
  bool in_tail = last_piece && (tail_at_ > 0 || in.empty());
  while (step.produced < room.size()) {
    const ByteView source = in_tail ? ByteView(detail::kTail).subspan(tail_at_) : in.subspan(step.consumed);
    std::size_t used = 0;
    std::size_t made = 0;
    const int code = run(source, room.subspan(step.produced), used, made);
    if (in_tail) {
      tail_at_ = static_cast<std::uint8_t>(tail_at_ + used);
    } else {
      step.consumed += used;
    }
    step.produced += made;
    message_size_ += made;
    if (message_size_ > max_message_size) return ended(Outcome::TooLarge);
    if (code != Z_OK && code != Z_BUF_ERROR) return ended(Outcome::BadData);
    if (step.produced == room.size()) break;  // zlib may hold more
    if (used == source.size()) {
      if (!last_piece) return ended(Outcome::NeedInput);
      if (in_tail) {
        end_message();
        return ended(Outcome::MessageEnd);
      }
      in_tail = true;
    } else if (used == 0 && made == 0) {
      return ended(Outcome::BadData);
    }
  }
  return ended(Outcome::NeedRoom);
}

Deflater::~Deflater() {
  if (state_ && pool_) pool_->give_back(std::move(state_));
}

void Deflater::run(ByteView in, int flush, std::string& out) {
  if (!state_) state_ = pool_->take_deflate(config_, window_bits_);
  z_stream& stream = state_->stream;
  stream.next_in = in.data();
  stream.avail_in = static_cast<unsigned>(in.size());
  std::array<std::uint8_t, 4096> room;
  do {
    stream.next_out = room.data();
    stream.avail_out = static_cast<unsigned>(room.size());
    const int code = deflate(&stream, flush);
    SB_CHECK(code == Z_OK || code == Z_BUF_ERROR, "deflate state is broken");
    out.append(reinterpret_cast<const char*>(room.data()), room.size() - stream.avail_out);
  } while (stream.avail_out == 0);
}

void Deflater::add(ByteView in, std::string& out) {
  run(in, Z_NO_FLUSH, out);
}

void Deflater::finish(std::string& out) {
  const std::size_t before = out.size();
  run({}, Z_SYNC_FLUSH, out);
  if (out.size() == before) {
    out += '\0';  // nothing was added: the empty message, 7.2.3.6
  } else {
    SB_CHECK(out.size() >= before + detail::kTail.size(), "a sync flush ends with an empty stored block");
    out.erase(out.size() - detail::kTail.size());
  }
  if (!keeps_context_) pool_->give_back(std::move(state_));
}

}  // namespace sb::codec::websocket
