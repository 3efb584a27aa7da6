// The inside of make_websocket_layer().
#pragma once

#include "codec/websocket/frames.h"
#include "codec/websocket/handshake.h"
#include "net/detail/wire_out.h"
#include "net/websocket.h"

namespace sb::net::detail {

class WebSocketLayer final : public Layer {
 public:
  WebSocketLayer(std::shared_ptr<const WebSocketOptions> options, std::unique_ptr<Layer> below,
                 WebSocketAdmission admission)
      : options_(std::move(options)), below_(std::move(below)), admission_(admission) {}

  void enter(LayerScratch* scratch) override;
  ssize_t read(int fd, std::uint8_t* out, std::size_t room) override;
  bool drained() const override;
  ssize_t write(int fd, const iovec* vectors, int count) override;
  bool has_output() const override {
    return !wire_.empty() || (control_ && packet_left_ == 0) || (below_ && below_->has_output());
  }
  void shutdown(int fd) override;
  const StreamError& error() const override { return *error_; }
  const PeerCertificate* peer_certificate() const override { return below_ ? below_->peer_certificate() : nullptr; }
  const UpgradeInfo* upgrade_info() const override { return info_.get(); }
  bool established() const override { return open_; }
  bool take_activity() override { return std::exchange(active_, false); }

 private:
  struct Compression {
    Compression(codec::websocket::ZlibPool& pool, const codec::websocket::DeflateConfig& config,
                const codec::websocket::DeflateParams& params)
        : inflater(pool, params), deflater(pool, config, params) {}
    codec::websocket::Inflater inflater;
    codec::websocket::Deflater deflater;
  };
  /// What a caller without room left behind: the rest of a message's piece, unmasked, and the wire bytes after it.
  struct Held {
    std::string wire;
    std::string piece;
    bool has_piece = false;
    bool compressed = false;
    bool message_end = false;
  };
  /// Walks over the bytes of a write.
  class Cursor;

  ssize_t receive_wire(int fd, std::uint8_t* out, std::size_t room);
  void upgrade(int fd);
  void keep_info(const codec::websocket::Request& request);
  std::size_t take_held(std::uint8_t* out, std::size_t room);
  std::size_t unframe(std::span<std::uint8_t> wire, std::uint8_t* out, std::size_t room);
  std::size_t take_piece(ByteView piece, bool compressed, bool message_end, std::uint8_t* out, std::size_t room);
  void on_control(const codec::websocket::FrameEvent& event);
  void send_close(codec::websocket::CloseCode code, std::string_view reason);
  bool push_control(int fd);
  void frame_some(Cursor& from, std::string& out);
  codec::websocket::FrameOptions frame_options() const;
  ssize_t fail_with(std::string_view reason, std::string detail);
  ssize_t check_wire();

  std::shared_ptr<const WebSocketOptions> options_;
  std::unique_ptr<Layer> below_;
  LayerScratch* scratch_ = nullptr;
  codec::websocket::FrameDecoder decoder_;
  WireOut wire_;
  std::unique_ptr<std::string> request_;  // during the upgrade
  std::unique_ptr<std::string> control_;  // frames that wait for the end of the data frame on the wire
  std::unique_ptr<Compression> compression_;
  std::unique_ptr<Held> held_;
  std::unique_ptr<StreamError> error_;
  std::unique_ptr<UpgradeInfo> info_;
  std::uint64_t packet_left_ = 0;  // of a frame whose payload came only in part so far
  WebSocketAdmission admission_;
  bool open_ = false;
  bool over_ = false;
  bool failed_ = false;
  bool close_sent_ = false;
  bool drained_ = false;
  bool active_ = false;
};

}  // namespace sb::net::detail
