// A published message: immutable, counted, one allocation for header, topic, properties and payload. What a publisher
// hands in is a Publication (views only); it becomes a Message when somebody must keep it, so that QoS 0 to connected
// receivers never allocates.
#pragma once

#include "base/bytes.h"
#include "base/mqtt_types.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace sb::broker {

/// Who published, as events, rules and stored messages tell it. Shared by everything of one client; immutable.
struct Identity {
  std::string client_id;
  std::string username;  // empty = none
  std::string peer_host;
};
using IdentityRef = std::shared_ptr<const Identity>;

class Message;

/// A message on its way in. Views live until publish() returns.
struct Publication {
  std::string_view topic;
  ByteView payload;
  ByteView properties;  // forwardable ones as on the wire of MQTT 5, 3.3.2.3
  Qos qos = Qos::AtMostOnce;
  bool retain = false;
  /// $SYS messages are not counted among the node's messages (14.1).
  bool system = false;
  std::uint32_t expiry_s = kNeverExpires;  // from `published_ms`
  std::int64_t published_ms = 0;           // wall clock
  const IdentityRef* from = nullptr;       // may be null: the broker itself
  /// Where the publisher keeps its choices among shared groups; made when first needed. May be null.
  std::unique_ptr<class PublisherState>* state = nullptr;
  /// Where publish() counts the receivers; another shard counts as one. Null: nobody asks.
  std::uint32_t* dispatches = nullptr;
  const Message* stored = nullptr;  // set when the publication already is a Message
  /// Set by publish(): what an acknowledgement has to wait for. 0 and null: nothing.
  std::uint32_t ticket = 0;
  std::shared_ptr<class Receipt> receipt{};
};

class Message {
 public:
  static Message* make(const Publication& publication);

  std::string_view topic() const { return {text(), topic_size_}; }
  ByteView properties() const { return {bytes() + topic_size_, properties_size_}; }
  ByteView payload() const { return {bytes() + topic_size_ + properties_size_, payload_size_}; }
  Qos qos() const { return qos_; }
  bool retain() const { return retain_; }
  bool system() const { return system_; }
  std::uint32_t expiry_s() const { return expiry_s_; }
  std::int64_t published_ms() const { return published_ms_; }
  const IdentityRef& from() const { return from_; }
  /// Memory it takes, for queue limits.
  std::size_t footprint() const { return sizeof(Message) + topic_size_ + properties_size_ + payload_size_; }
  bool expired(std::int64_t now_ms) const {
    return expiry_s_ != kNeverExpires && now_ms >= published_ms_ + std::int64_t{expiry_s_} * 1000;
  }
  /// What is left of the expiry interval, at least 1 (6.6 of the reference).
  std::uint32_t remaining_expiry_s(std::int64_t now_ms) const;
  Publication as_publication() const;

  void retain_reference() const { references_.fetch_add(1, std::memory_order_relaxed); }
  void release() const {
    // The only owner needs no atomic exchange: nobody else can make another reference.
    if (references_.load(std::memory_order_acquire) == 1 || references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      destroy();
  }

 private:
  Message(const Publication& publication);
  ~Message() = default;
  void destroy() const;
  const char* text() const { return reinterpret_cast<const char*>(this + 1); }
  const std::uint8_t* bytes() const { return reinterpret_cast<const std::uint8_t*>(this + 1); }

  mutable std::atomic<std::uint32_t> references_{1};
  std::uint32_t payload_size_;
  std::uint32_t properties_size_;
  std::uint32_t expiry_s_;
  std::uint16_t topic_size_;
  Qos qos_;
  bool retain_ : 1;
  bool system_ : 1;
  std::int64_t published_ms_;
  IdentityRef from_;
};

/// Counted pointer to a Message.
class MessageRef {
 public:
  MessageRef() = default;
  static MessageRef adopt(const Message* message) {
    MessageRef out;
    out.message_ = message;
    return out;
  }
  static MessageRef share(const Message* message) {
    if (message) message->retain_reference();
    return adopt(message);
  }
  MessageRef(const MessageRef& other) : message_(other.message_) {
    if (message_) message_->retain_reference();
  }
  MessageRef(MessageRef&& other) noexcept : message_(std::exchange(other.message_, nullptr)) {}
  MessageRef& operator=(MessageRef other) noexcept {
    std::swap(message_, other.message_);
    return *this;
  }
  ~MessageRef() {
    if (message_) message_->release();
  }
  explicit operator bool() const { return message_ != nullptr; }
  const Message* operator->() const { return message_; }
  const Message& operator*() const { return *message_; }
  const Message* get() const { return message_; }

 private:
  const Message* message_ = nullptr;
};

}  // namespace sb::broker
