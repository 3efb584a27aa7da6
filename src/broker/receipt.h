// What a publication that crossed to other shards waits for. Made by the shard it came in at, its origin.
//
// Two kinds. A plain receipt counts the shards that still have to commit their part, each on its own: at least once is
// all that QoS 1 promises. A joint receipt makes one commit of all parts: every shard hands its rows to the origin,
// which commits them together with what the publication changes there (the packet id of a QoS 2 PUBLISH, the will that
// is published, the session that a shared message is taken from). A crash then leaves either all of it or nothing.
#pragma once

#include "broker/message.h"
#include "store/batch.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace sb::broker {

using Ticket = std::uint32_t;  // compared modulo 2^32; 0 = nothing to wait for

/// The rows of one joint publication on one shard. `rows` travels to the origin, the rest belongs to the shard.
struct Part {
  unsigned shard = 0;
  std::uint32_t serial = 0;  // within the shard's journal, from 1
  Ticket ticket = 0;         // of the shard; not kept before the part is
  store::Batch rows{};
  /// Changes of these rows made before they were on disk; follow when they are.
  store::Batch after{};
};
using PartRef = std::shared_ptr<Part>;

class Receipt {
 public:
  explicit Receipt(unsigned origin, std::shared_ptr<Receipt> waited_for_by = nullptr)
      : origin_(origin), waited_for_by_(std::move(waited_for_by)) {}
  unsigned origin() const { return origin_; }
  /// The joint receipt that needs this one first: rows whose order allows no part, those of retained messages.
  const std::shared_ptr<Receipt>& waited_for_by() const { return waited_for_by_; }

  // --- any shard
  void expect() { outstanding_.fetch_add(1, std::memory_order_relaxed); }
  /// True for the last one.
  bool done(bool kept) {
    if (!kept) fail();
    return outstanding_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }
  bool complete() const { return outstanding_.load(std::memory_order_acquire) == 0; }
  void fail() { failed_.store(true, std::memory_order_relaxed); }
  bool failed() const { return failed_.load(std::memory_order_relaxed); }

  /// State of a joint commit; belongs to the origin.
  struct Joint {
    unsigned missing = 1;  // parts that have not come yet, the origin's own among them
    std::vector<PartRef> parts{};
    /// Adds what changes at the origin; called once all parts are there.
    std::function<void()> conclude{};
  };
  bool is_joint() const { return joint_ != nullptr; }
  Joint& joint() { return *joint_; }
  void make_joint(std::function<void()> conclude) {
    joint_ = std::make_unique<Joint>();
    joint_->conclude = std::move(conclude);
    expect();
  }

 private:
  unsigned origin_;
  std::shared_ptr<Receipt> waited_for_by_;
  std::atomic<std::uint32_t> outstanding_{0};
  std::atomic<bool> failed_{false};
  std::unique_ptr<Joint> joint_;  // set before any other shard knows of it
};
using ReceiptRef = std::shared_ptr<Receipt>;

}  // namespace sb::broker
