#include "broker/message.h"

#include "base/check.h"
#include "broker/topic.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace sb::broker {

Message::Message(const Publication& p)
    : payload_size_(static_cast<std::uint32_t>(p.payload.size())),
      properties_size_(static_cast<std::uint32_t>(p.properties.size())),
      expiry_s_(p.expiry_s),
      topic_size_(static_cast<std::uint16_t>(p.topic.size())),
      qos_(p.qos),
      retain_(p.retain),
      system_(p.system),
      published_ms_(p.published_ms) {
  if (p.from) from_ = *p.from;
  auto* out = reinterpret_cast<std::uint8_t*>(this + 1);
  std::memcpy(out, p.topic.data(), p.topic.size());
  out += p.topic.size();
  if (!p.properties.empty()) std::memcpy(out, p.properties.data(), p.properties.size());
  out += p.properties.size();
  if (!p.payload.empty()) std::memcpy(out, p.payload.data(), p.payload.size());
}

Message* Message::make(const Publication& p) {
  SB_CHECK(p.topic.size() <= kTopicBytesMax, "a topic is checked where it comes in");
  void* room = ::operator new(sizeof(Message) + p.topic.size() + p.properties.size() + p.payload.size());
  return ::new (room) Message(p);
}

void Message::destroy() const {
  this->~Message();
  ::operator delete(const_cast<Message*>(this));
}

std::uint32_t Message::remaining_expiry_s(std::int64_t now_ms) const {
  if (expiry_s_ == kNeverExpires) return kNeverExpires;
  const std::int64_t elapsed_s = std::max<std::int64_t>(0, now_ms - published_ms_) / 1000;
  return elapsed_s >= expiry_s_ ? 1U : static_cast<std::uint32_t>(expiry_s_ - elapsed_s);
}

Publication Message::as_publication() const {
  Publication p;
  p.topic = topic();
  p.payload = payload();
  p.properties = properties();
  p.qos = qos_;
  p.retain = retain_;
  p.system = system_;
  p.expiry_s = expiry_s_;
  p.published_ms = published_ms_;
  p.from = &from_;
  p.stored = this;
  return p;
}

}  // namespace sb::broker
