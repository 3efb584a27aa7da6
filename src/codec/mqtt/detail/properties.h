// Properties, 2.2.2: length:varint ( id:varint value )*
// One table says for each identifier how its value looks and which packets may carry it; read_properties() walks a list
// once, in linear time, and hands each entry to its caller.
#pragma once

#include "base/result.h"
#include "codec/mqtt/decoder.h"
#include "codec/mqtt/detail/reader.h"
#include "codec/mqtt/packets.h"

#include <array>
#include <vector>

namespace sb::codec::mqtt::detail {

enum class ValueKind : std::uint8_t { Unknown, Byte, Flag, U16, U32, Varint, Text, Binary, TextPair };

/// Where a property may stand: bit n is PacketType n, bit 0 the Will Properties of CONNECT (3.1.3.2).
using PacketMask = std::uint16_t;
constexpr PacketMask kWill = 1;
constexpr PacketMask mask_of(PacketType type) {
  return static_cast<PacketMask>(1u << static_cast<unsigned>(type));
}

struct PropertyRule {
  ValueKind kind = ValueKind::Unknown;
  PacketMask packets = 0;
};
constexpr std::size_t kPropertyIds = 0x2B;
/// 2.2.2.2, table 2-4.
extern const std::array<PropertyRule, kPropertyIds> kPropertyRules;

struct Property {
  PropertyId id{};
  std::uint32_t number = 0;  // Byte, Flag, U16, U32, Varint
  ByteView value;            // Text, Binary; the name of a TextPair
  ByteView second;           // the value of a TextPair
  ByteView wire;             // the whole entry
};

/// Reads one entry. Malformed: unknown identifier, one that `packet` may not carry, value cut off, bad UTF-8 (strict).
/// ProtocolError: an entry other than User Property (or Subscription Identifier in PUBLISH) twice, a flag above 1.
/// `seen` starts as 0. Success if `property` is filled.
ReasonCode read_property(Reader& in, PacketMask packet, bool strict, std::uint64_t& seen, Property& property);

/// Reads length and entries; `on_property(const Property&)` returns Success or why the packet is refused.
template <class OnProperty>
ReasonCode read_properties(Reader& in, PacketMask packet, bool strict, OnProperty&& on_property) {
  std::uint32_t size = 0;
  ByteView list;
  if (!in.varint(size) || !in.bytes(size, list)) return ReasonCode::MalformedPacket;
  if (size == 0) return ReasonCode::Success;
  Reader entries(list);
  std::uint64_t seen = 0;
  while (entries.left() > 0) {
    Property property;
    ReasonCode code = read_property(entries, packet, strict, seen, property);
    if (code == ReasonCode::Success) code = on_property(property);
    if (code != ReasonCode::Success) [[unlikely]]
      return code;
  }
  return ReasonCode::Success;
}

/// The caller's scratch during one decode: collectors share it, and it never moves once something lies in it.
struct ScratchArea {
  PropertyScratch* buffer = nullptr;
  std::size_t bound = 0;  // nothing copied can exceed the packet
  bool used = false;
};

/// Gathers entries into one contiguous view: of the packet itself while they touch, else of the scratch.
class Collector {
 public:
  explicit Collector(ScratchArea& area) : area_(area) {}
  ReasonCode add(ByteView entry) {
    if (view_.empty()) {
      view_ = entry;
    } else if (!copied_ && view_.data() + view_.size() == entry.data()) {
      view_ = {view_.data(), view_.size() + entry.size()};
    } else {
      return copy(entry);
    }
    return ReasonCode::Success;
  }
  ByteView view() const { return view_; }

 private:
  ReasonCode copy(ByteView entry);
  ScratchArea& area_;
  ByteView view_;
  bool copied_ = false;
};

}  // namespace sb::codec::mqtt::detail
