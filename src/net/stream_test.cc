// What streams of one shard owe each other.
#include "net/stream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace sb::net {
namespace {

/// A layer below which bytes never end until so many have come.
class Endless final : public Layer {
 public:
  explicit Endless(std::size_t bytes) : left_(bytes) {}
  void enter(LayerScratch*) override {}
  ssize_t read(int, std::uint8_t* out, std::size_t room) override {
    const std::size_t count = std::min({room, left_, std::size_t{128 * 1024}});
    if (count == 0) return kWouldBlock;
    std::memset(out, 'x', count);
    left_ -= count;
    return static_cast<ssize_t>(count);
  }
  bool drained() const override { return left_ == 0; }
  ssize_t write(int, const iovec*, int) override { return 0; }
  bool has_output() const override { return false; }
  void shutdown(int) override {}
  const StreamError& error() const override { return error_; }
  bool established() const override { return true; }

 private:
  std::size_t left_;
  StreamError error_;
};

/// A stream and the client at the other end of its socket pair.
class Peer : public StreamOwner, private runtime::Timer {
 public:
  static constexpr std::size_t kTurnBytes = 256 * 1024;  // a share in its place, another at the end of the turn

  explicit Peer(ShardIo& io, std::unique_ptr<Layer> layer = nullptr) : io_(io), stream(io, *this) {
    std::array<int, 2> pair{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair.data()), 0);
    client_ = pair[0];
    EXPECT_TRUE(stream.attach({pair[1], std::move(layer), {}}));
  }
  ~Peer() { close(client_); }

  /// The client writes on whenever something was read, so that its socket is never empty until that much has come.
  void flood(std::size_t bytes) {
    to_send_ = bytes;
    refill();
  }
  bool flooding() const { return to_send_ > 0; }
  void say(std::string_view text) {
    ASSERT_EQ(send(client_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  }
  std::string heard() {
    std::array<char, 64> buffer{};
    const ssize_t n = recv(client_, buffer.data(), buffer.size(), 0);
    return n > 0 ? std::string(buffer.data(), static_cast<std::size_t>(n)) : std::string{};
  }

 private:
  std::size_t on_bytes(ByteView bytes, std::size_t& want) override {
    refill();
    if (sip != 0) {
      largest = std::max(largest, bytes.size());
      const std::size_t used = std::min(sip, bytes.size());
      taken.append(as_text(bytes.first(used)));
      received += used;
      if (used < bytes.size()) stream.pause();
      return used;
    }
    if (packet != 0) {
      want = packet;
      const std::size_t used = bytes.size() / packet * packet;
      received += used;
      return used;
    }
    received += bytes.size();
    if (!echoes) return bytes.size();
    std::uint8_t* const out = stream.reserve(bytes.size());
    std::memcpy(out, bytes.data(), bytes.size());
    stream.commit(out + bytes.size());
    if (pending_limit != 0 && stream.pending() > pending_limit && !armed())
      io_.loop.timers().arm(*this, io_.loop.now(), Nanos{0});
    return bytes.size();
  }
  void on_stream_end(const StreamError&) override {}
  void on_drained() override {}
  void on_timer() override {
    pending_at_end = stream.pending();
    stream.close_now();
  }
  void refill() {
    static const std::string bytes(64 * 1024, 'x');
    while (to_send_ > 0) {
      const ssize_t n = send(client_, bytes.data(), std::min(bytes.size(), to_send_), MSG_NOSIGNAL);
      if (n <= 0) return;
      to_send_ -= static_cast<std::size_t>(n);
    }
  }
  ShardIo& io_;
  int client_ = -1;
  std::size_t to_send_ = 0;

 public:
  Stream stream;
  bool echoes = false;
  std::size_t packet = 0;  // of this size; 0 = bytes as they come
  std::size_t sip = 0;     // takes so much at a time and pauses while there is more
  std::string taken;
  std::size_t largest = 0;  // that was offered at once
  std::size_t received = 0;
  std::size_t pending_limit = 0;
  std::size_t pending_at_end = 0;
};

class StreamTest : public testing::Test {
 protected:
  static constexpr std::size_t kFlood = 64U << 20;
  void turn() {
    clock.advance(Millis{8});
    loop.turn(Nanos{0});
  }
  ManualClock clock;
  runtime::Loop loop{clock, {}};
  ShardIo io{loop};
};

TEST_F(StreamTest, OneThatNeverPausesDoesNotHoldUpAnother) {
  Peer flooder(io);
  Peer other(io);
  other.echoes = true;
  turn();
  flooder.flood(kFlood);
  std::size_t turns = 0;
  for (; flooder.flooding(); ++turns) {
    other.say("ping");
    const std::size_t before = flooder.received;
    turn();
    ASSERT_LE(flooder.received - before, Peer::kTurnBytes);
    ASSERT_GT(flooder.received, before);  // it has its share, too
    ASSERT_EQ(other.heard(), "ping");
  }
  EXPECT_GT(turns, 100U);
  while (flooder.received < kFlood) turn();
}

TEST_F(StreamTest, LargePacketsLetOthersInAsWell) {
  Peer flooder(io, std::make_unique<Endless>(kFlood));
  Peer other(io);
  other.echoes = true;
  flooder.packet = 1U << 20;
  std::size_t turns = 0;
  for (; flooder.received < kFlood && turns < 10'000; ++turns) {
    other.say("ping");
    turn();
    ASSERT_EQ(other.heard(), "ping");
  }
  EXPECT_EQ(flooder.received, kFlood);
  EXPECT_GT(turns, 30U);
}

TEST_F(StreamTest, WhatAnOwnerLeftComesFirst) {
  Peer slow(io);
  slow.sip = 3;
  turn();
  slow.say("abcdefgh");
  turn();
  EXPECT_EQ(slow.taken, "abc");
  slow.say("ijk");
  turn();
  EXPECT_EQ(slow.taken, "abc");
  for (const char* const all : {"abcdef", "abcdefgh"}) {
    slow.stream.resume();
    turn();
    if (slow.taken == "abcdefghijk") break;  // what came meanwhile is read when nothing is left
    EXPECT_EQ(slow.taken, all);
  }
  turn();
  EXPECT_EQ(slow.taken, "abcdefghijk");
}

TEST_F(StreamTest, WhatIsKeptDoesNotGrow) {
  for (const bool layered : {false, true}) {
    constexpr std::size_t kAll = 2U << 20;
    Peer slow(io, layered ? std::make_unique<Endless>(kAll) : nullptr);
    slow.sip = 50'000;
    if (!layered) {
      turn();
      slow.flood(kAll);
    }
    for (std::size_t turns = 0; slow.received < kAll && turns < 1000; ++turns) {
      slow.stream.resume();
      turn();
    }
    EXPECT_EQ(slow.received, kAll);
    EXPECT_LE(slow.largest, ShardIo::kReadBuffer);
  }
}

TEST_F(StreamTest, TooMuchOutputIsNoticedBeforeMuchMoreIsRead) {
  constexpr std::size_t kLimit = 1U << 20;
  Peer deaf(io);  // sends and never reads
  deaf.echoes = true;
  deaf.pending_limit = kLimit;
  turn();
  deaf.flood(kFlood);
  while (deaf.stream.open() && deaf.flooding()) turn();
  EXPECT_FALSE(deaf.stream.open());
  EXPECT_GT(deaf.pending_at_end, kLimit);
  EXPECT_LT(deaf.pending_at_end, kLimit + 3 * Peer::kTurnBytes);
}

}  // namespace
}  // namespace sb::net
