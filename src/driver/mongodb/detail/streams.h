// The connections of libmongoc, made by us: dialled, secured and bounded like those of the other drivers. So all that
// can be configured of TLS is in force, and a server that hangs, or the end of the node, holds up nothing. Belongs to
// the thread of its client and outlives it.
#pragma once

#include "driver/resource/limit.h"
#include "driver/resource/stream.h"
#include "driver/resource/tls.h"

#include <mongoc/mongoc.h>

namespace sb::driver::mongodb::detail {

class Streams {
 public:
  Streams(resource::Tls tls, Millis connect_timeout) : tls_(std::move(tls)), connect_timeout_(connect_timeout) {}
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;

  /// The client makes its connections here from now on.
  void serve(mongoc_client_t* client) { mongoc_client_set_stream_initiator(client, open, this); }

  /// While it lives, what the client does is bounded by `limit`. Without one nothing waits.
  class Bound {
   public:
    Bound(Streams& streams, const resource::Limit& limit) : streams_(streams) { streams_.limit_ = &limit; }
    ~Bound() { streams_.limit_ = nullptr; }
    Bound(const Bound&) = delete;
    Bound& operator=(const Bound&) = delete;

   private:
    Streams& streams_;
  };

 private:
  struct One;
  static mongoc_stream_t* open(const mongoc_uri_t* uri, const mongoc_host_list_t* host, void* self,
                               bson_error_t* error);
  static ssize_t write(mongoc_stream_t* stream, mongoc_iovec_t* parts, std::size_t count, std::int32_t timeout_ms);
  static ssize_t read(mongoc_stream_t* stream, mongoc_iovec_t* parts, std::size_t count, std::size_t least,
                      std::int32_t timeout_ms);
  static ssize_t poll(mongoc_stream_poll_t* streams, std::size_t count, std::int32_t timeout_ms);

  const resource::Tls tls_;
  const Millis connect_timeout_;
  const resource::Limit* limit_ = nullptr;
};

}  // namespace sb::driver::mongodb::detail
