// One HTTP/1.1 connection on a loop: reads requests, one in hand at a time, and writes their answers; plain or through
// a net::Layer. What a slow or silent peer may cost is bounded by times and sizes. Belongs to the loop's thread.
#pragma once

#include "http/connections.h"
#include "net/layer.h"

#include <memory>
#include <string>

namespace sb::http::detail {

class Connection final : public runtime::Disposable, private runtime::IoHandler, private runtime::Timer {
 public:
  Connection(Connections& home, runtime::Loop& loop, Accepted accepted, std::uint64_t id);
  ~Connection() override;

  [[nodiscard]] Result<> start();
  /// Ends it now; the owner buries it.
  void retire();
  void answer(std::uint64_t number, Response response);
  /// Writes on after having given way to others.
  void go_on();
  /// No whole head of a request has come since the last answer, or the last answer has been given.
  bool waiting() const { return lingering_ || (!busy_ && !writing() && !parser_.in_body()); }
  Nanos waiting_since() const { return waiting_since_; }
  /// Some bytes of a request's head are here.
  bool has_part() const { return parser_.pending() > 0; }
  /// The answer to the request in hand is the last one; an idle connection ends now.
  void finish();

 private:
  void on_io(std::uint32_t events) override;
  void on_timer() override;
  void work();
  void work_on();
  bool read_some();
  void serve(Request request);
  void say(Response response, bool keep_alive);
  bool writing() const { return sent_ < out_.size() || !fixed_.empty() || file_; }
  void flush();
  bool refill();
  ssize_t read_bytes(char* out, std::size_t room);
  ssize_t write_bytes(const char* data, std::size_t size);
  bool time_body();
  void wait_for(Nanos time);
  void linger_from_now();
  void linger();
  void die();

  Connections& home_;
  runtime::Loop& loop_;
  const Accepted::Limits limits_;
  int fd_;
  std::unique_ptr<net::Layer> layer_;
  std::uint64_t id_;
  RequestParser parser_;
  std::string out_;
  std::size_t sent_ = 0;
  std::string body_;                // of a large answer
  std::string_view fixed_;          // still to be written after out_
  std::shared_ptr<FileBody> file_;  // still to be read and written after that
  std::uint64_t number_ = 0;        // of the request in hand
  Nanos body_began_{0};
  Nanos waiting_since_{0};
  std::uint64_t lingered_ = 0;  // bytes thrown away at the end
  std::string asked_method_;
  std::string asked_path_;
  bool working_ = false;
  bool readable_ = false;
  bool body_timed_ = false;
  bool answered_ = false;  // what is being written is an answer
  bool busy_ = false;
  bool keep_alive_ = true;
  bool closing_ = false;
  bool lingering_ = false;
  bool gone_ = false;
};

}  // namespace sb::http::detail
