// One connection to a Redis of any kind. Belongs to the thread that uses it.
#pragma once

#include "base/secret.h"
#include "driver/redis/resp.h"
#include "driver/resource/connection.h"
#include "driver/resource/stream.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sb::driver::redis {

constexpr std::uint16_t kDefaultPort = 6379;

enum class Kind : std::uint8_t { Single, Sentinel, Cluster };

struct Options {
  Kind kind = Kind::Single;
  std::vector<resource::Server> servers;  // sentinels, or seeds of the cluster
  std::string master;                     // name that the sentinels know
  std::uint32_t database = 0;             // not in a cluster
  std::string username;                   // "" = the default user
  Secret password;
  resource::Tls tls;
};

/// Slot of a key, 0..16383: CRC16 of what stands in its first {}, if anything, else of the key.
std::uint16_t slot_of(std::string_view key);

/// To one server.
class Link {
 public:
  /// Greeted, logged in, database chosen.
  [[nodiscard]] static Result<std::unique_ptr<Link>> open(const resource::Server& server, const Options& options,
                                                          const resource::Limit& limit);
  /// To a sentinel: logged in only if it asks for that.
  [[nodiscard]] static Result<std::unique_ptr<Link>> open_sentinel(const resource::Server& server,
                                                                   const Options& options,
                                                                   const resource::Limit& limit);
  explicit Link(resource::Stream stream) : stream_(std::move(stream)) {}
  /// The reply, which may be the server's error.
  [[nodiscard]] Result<Reply> ask(const Words& command, const resource::Limit& limit);
  bool usable() const { return !broken_ && reader_.empty() && stream_.usable(); }

 private:
  [[nodiscard]] Result<> log_in(const Options& options, const resource::Limit& limit);
  [[nodiscard]] Result<> must(const Words& command, const resource::Limit& limit);
  resource::Stream stream_;
  Reader reader_;
  bool broken_ = false;
};

class Connection final : public resource::Connection {
 public:
  [[nodiscard]] static Result<std::unique_ptr<resource::Connection>> open(const Options& options,
                                                                          const resource::Limit& limit);
  explicit Connection(const Options& options) : options_(options) {}

  /// The second word is the key. Invalid: the server says no; the connection lives.
  [[nodiscard]] Result<Reply> command(const Words& words, const resource::Limit& limit);

  [[nodiscard]] Result<> check(const resource::Limit& limit) override;
  bool usable() override;

 private:
  [[nodiscard]] Result<> open_single(const resource::Server& server, const resource::Limit& limit);
  [[nodiscard]] Result<> open_by_sentinels(const resource::Limit& limit);
  [[nodiscard]] Result<> open_cluster(const resource::Limit& limit);
  [[nodiscard]] Result<> read_slots(Link& link, const resource::Server& from, const resource::Limit& limit);
  [[nodiscard]] Result<Reply> ask_cluster(const Words& words, const resource::Limit& limit);
  [[nodiscard]] Result<Link*> link_to(const resource::Server& server, const resource::Limit& limit);

  struct Range {
    std::uint32_t last = 0;
    resource::Server server;
  };
  const Options options_;
  std::unique_ptr<Link> link_;  // single, or the master
  // Of a cluster. Ranges by their first slot.
  std::map<std::uint32_t, Range> slots_;
  std::map<std::string, std::unique_ptr<Link>> links_;  // by address, those that were needed
};

}  // namespace sb::driver::redis
