// One connection's bytes: reads batches into the shard's buffer, keeps what is left of a partial packet, gathers output
// and writes it once per loop turn. Owned by its channel, belongs to one shard; moves to another only as a Detached.
#pragma once

#include "base/bytes.h"
#include "net/endpoint.h"
#include "net/layer.h"
#include "net/outbox.h"
#include "runtime/loop.h"

#include <memory>
#include <string>

namespace sb::net {

/// What streams of one shard share.
struct ShardIo {
  static constexpr std::size_t kReadBuffer = 256 * 1024;
  explicit ShardIo(runtime::Loop& event_loop);
  runtime::Loop& loop;
  ChunkPool chunks;
  std::unique_ptr<std::uint8_t[]> read_buffer;
  LayerScratch scratch;
  // bytes.received and bytes.sent of the shard's streams, taken over by the metrics at the end of a turn.
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_sent = 0;
};

class StreamOwner {
 public:
  /// Consumes whole packets from the front and returns how many bytes they took; the rest is kept. `want` may be set to
  /// the size of the packet whose beginning is left over. May close or pause the stream.
  virtual std::size_t on_bytes(ByteView bytes, std::size_t& want) = 0;
  /// The stream is over: the peer or the socket ended it, or close_after_flush() has done its work (reason empty).
  /// Called once, at the end of a turn or from input, never from within commit().
  virtual void on_stream_end(const StreamError& error) = 0;
  /// The outbox was over the high-water mark and is empty now.
  virtual void on_drained() = 0;
  /// The socket buffer is full; called from within writing, so nothing may be written or closed.
  virtual void on_blocked() {}

 protected:
  ~StreamOwner() = default;
};

class Stream final : private runtime::IoHandler, private runtime::TurnEnd {
 public:
  /// Everything of a stream but its place in a loop.
  struct Detached {
    int fd = -1;
    std::unique_ptr<Layer> layer;
    std::string unread;
  };

  Stream(ShardIo& io, StreamOwner& owner) : io_(io), owner_(owner), outbox_(io.chunks) {}
  ~Stream();

  /// Takes the socket (non-blocking) over. Reading begins at the end of this turn if `detached.unread` holds bytes.
  [[nodiscard]] Result<> attach(Detached detached);
  /// Gives the socket up. Only from within on_bytes() with an empty outbox: the bytes after `consumed` travel along.
  Detached detach(ByteView unread);

  bool open() const { return fd_ >= 0 && !closing_; }
  std::uint8_t* reserve(std::size_t n) { return outbox_.reserve(n); }
  std::size_t commit(const std::uint8_t* end) {
    const std::size_t count = outbox_.commit(end);
    schedule();
    if (outbox_.size() > kEarlyFlush && !blocked_) [[unlikely]]
      write_some();
    return count;
  }
  /// Refers to long-lived bytes instead of copying them.
  void append_reference(const std::uint8_t* data, std::size_t size, void (*release)(void*), void* owner) {
    outbox_.append_reference(data, size, release, owner);
    schedule();
  }
  std::size_t pending() const { return outbox_.size(); }
  /// Bytes stuck behind a full socket buffer.
  bool congested() const { return blocked_; }

  /// Who holds reading up; it goes on when nobody does.
  enum Hold : std::uint8_t { kAnswer = 1, kRate = 2, kRoom = 4, kOwed = 8 };
  /// Stops handing bytes to the owner; what is read already stays.
  void pause(Hold why = kAnswer) { paused_ |= why; }
  void resume(Hold why = kAnswer);
  bool paused() const { return paused_ != 0; }

  /// Writes what is pending, then closes; reading ends at once. `linger` bounds the wait for a slow peer.
  void close_after_flush();
  void close_now();

  const PeerCertificate* peer_certificate() const { return layer_ ? layer_->peer_certificate() : nullptr; }
  const UpgradeInfo* upgrade_info() const { return layer_ ? layer_->upgrade_info() : nullptr; }
  /// No handshake of a layer is outstanding.
  bool established() const { return !layer_ || layer_->established(); }
  bool take_activity() { return layer_ && layer_->take_activity(); }
  int fd() const { return fd_; }

 private:
  /// A turn may bring a receiver more than the socket buffer holds; it is written in pieces while the turn goes on.
  static constexpr std::size_t kEarlyFlush = 192 * 1024;

  void on_io(std::uint32_t events) override;
  void on_turn_end() override;
  void schedule() {
    if (!blocked_) io_.loop.at_turn_end(*this);
  }
  void read_some();
  bool read_direct(std::size_t& budget);
  void hand_over(std::uint8_t* data, std::size_t size);
  void keep(const std::uint8_t* data, std::size_t size);
  void flush();
  /// Writes until the outbox is empty or the socket full; keeps a failure for the end of the turn.
  void write_some();
  void fail_with(const StreamError& error);
  ssize_t read_raw(std::uint8_t* out, std::size_t room);

  ShardIo& io_;
  StreamOwner& owner_;
  Outbox outbox_;
  std::unique_ptr<Layer> layer_;
  std::unique_ptr<std::uint8_t[]> partial_;  // beginning of a packet that has not arrived whole
  std::uint32_t partial_size_ = 0;
  std::uint32_t partial_room_ = 0;
  std::uint32_t want_ = 0;  // size of the packet in partial_, 0 = unknown
  int fd_ = -1;
  bool readable_ = false;    // the socket may hold more
  bool blocked_ = false;     // the socket buffer is full, EPOLLOUT will come
  std::uint8_t paused_ = 0;  // of Hold
  bool hung_up_ = false;     // the end of the stream may be behind what is readable
  bool closing_ = false;
  bool reading_ = false;
  bool reads_on_ = false;  // its share of a turn is used up; goes on when the others had theirs
  bool ended_ = false;
  bool was_high_ = false;
  bool write_failed_ = false;
  int write_errno_ = 0;
};

}  // namespace sb::net
