#include "driver/redis/connection.h"

#include <fmt/format.h>

#include <charconv>

namespace sb::driver::redis {

namespace {
constexpr int kRedirectsMax = 5;
constexpr std::size_t kNodesMax = 1024;

/// The first word of a server's error; what follows may repeat a value.
tl::unexpected<Error> refusal(const Reply& reply) {
  const std::string_view code = reply.error_code();
  const bool denied = code == "WRONGPASS" || code == "NOAUTH" || code == "NOPERM";
  const bool away =
      code == "LOADING" || code == "CLUSTERDOWN" || code == "MASTERDOWN" || code == "MOVED" || code == "ASK";
  return fail(denied ? Errc::Denied
              : away ? Errc::Unavailable
                     : Errc::Invalid,
              fmt::format("the server answers {}", code.substr(0, 32)));
}

/// "host:port" or "MOVED 866 host:port": the last word; an empty host is the one that said so.
std::optional<resource::Server> redirected(std::string_view text, const resource::Server& from) {
  const std::string_view address = text.substr(text.rfind(' ') + 1);
  const auto colon = address.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  resource::Server out{std::string(address.substr(0, colon)), 0};
  const std::string_view port = address.substr(colon + 1);
  if (std::from_chars(port.data(), port.data() + port.size(), out.port).ec != std::errc{}) return std::nullopt;
  if (out.host.empty()) out.host = from.host;
  return out;
}

std::optional<std::uint32_t> number(const Reply& reply) {
  std::uint32_t out = 0;
  const auto [end, error] = std::from_chars(reply.text.data(), reply.text.data() + reply.text.size(), out);
  if (error != std::errc{} || end != reply.text.data() + reply.text.size()) return std::nullopt;
  return out;
}
}  // namespace

std::uint16_t slot_of(std::string_view key) {
  if (const auto open = key.find('{'); open != std::string_view::npos)
    if (const auto close = key.find('}', open); close != std::string_view::npos && close > open + 1)
      key = key.substr(open + 1, close - open - 1);
  std::uint16_t crc = 0;  // CRC-16/XMODEM, as the cluster specification says
  for (const char c : key) {
    crc = static_cast<std::uint16_t>(crc ^ (static_cast<unsigned char>(c) << 8));
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<std::uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
  }
  return crc % 16384;
}

Result<std::unique_ptr<Link>> Link::open(const resource::Server& server, const Options& options,
                                         const resource::Limit& limit) {
  SB_TRY(resource::Stream stream, resource::Stream::open(server, options.tls, limit));
  auto out = std::make_unique<Link>(std::move(stream));
  auto ready = out->log_in(options, limit);
  if (ready && options.database != 0 && options.kind != Kind::Cluster)
    ready = out->must({"SELECT", std::to_string(options.database)}, limit);
  if (ready) ready = out->must({"PING"}, limit);  // without a log-in a server that wants one says so here
  if (!ready) return fail(ready.error().code, fmt::format("{}: {}", to_string(server), ready.error().what));
  return out;
}

Result<std::unique_ptr<Link>> Link::open_sentinel(const resource::Server& server, const Options& options,
                                                  const resource::Limit& limit) {
  SB_TRY(resource::Stream stream, resource::Stream::open(server, options.tls, limit));
  auto out = std::make_unique<Link>(std::move(stream));
  SB_TRY(const Reply reply, out->ask({"PING"}, limit));
  if (reply.is_error() && reply.error_code() == "NOAUTH") SB_CHECKED(out->log_in(options, limit));
  return out;
}

Result<> Link::log_in(const Options& options, const resource::Limit& limit) {
  if (!options.username.empty()) return must({"AUTH", options.username, options.password.reveal()}, limit);
  if (!options.password.empty()) return must({"AUTH", options.password.reveal()}, limit);
  return {};
}

Result<> Link::must(const Words& command, const resource::Limit& limit) {
  SB_TRY(const Reply reply, ask(command, limit));
  if (!reply.is_error()) return {};
  // To AUTH with a password for a user that has none the server says ERR.
  auto why = refusal(reply);
  if (command[0] == "AUTH") why.value().code = Errc::Denied;
  return why;
}

Result<Reply> Link::ask(const Words& command, const resource::Limit& limit) {
  broken_ = true;  // until the answer is whole
  SB_CHECKED(stream_.write(encode(command), limit));
  for (;;) {
    SB_TRY(auto reply, reader_.next());
    if (reply) {
      broken_ = false;
      return std::move(*reply);
    }
    char bytes[16384];
    SB_TRY(const std::size_t size, stream_.read(bytes, sizeof bytes, limit));
    reader_.feed({bytes, size});
  }
}

Result<std::unique_ptr<resource::Connection>> Connection::open(const Options& options, const resource::Limit& limit) {
  auto out = std::make_unique<Connection>(options);
  switch (options.kind) {
    case Kind::Single:
      SB_CHECKED(out->open_single(options.servers.at(0), limit));
      break;
    case Kind::Sentinel:
      SB_CHECKED(out->open_by_sentinels(limit));
      break;
    case Kind::Cluster:
      SB_CHECKED(out->open_cluster(limit));
      break;
  }
  return out;
}

Result<> Connection::open_single(const resource::Server& server, const resource::Limit& limit) {
  SB_TRY(link_, Link::open(server, options_, limit));
  return {};
}

Result<> Connection::open_by_sentinels(const resource::Limit& limit) {
  Error last{Errc::Unavailable, "no sentinel"};
  for (std::size_t i = 0; i < options_.servers.size(); ++i) {
    SB_CHECKED(limit.check());
    // A sentinel that hangs leaves time for the others.
    const resource::Limit share = limit.at_most(limit.left() / static_cast<long>(options_.servers.size() - i + 1));
    auto sentinel = Link::open_sentinel(options_.servers[i], options_, share);
    auto reply = sentinel ? (*sentinel)->ask({"SENTINEL", "get-master-addr-by-name", options_.master}, share)
                          : Result<Reply>(tl::unexpected(sentinel.error()));
    if (!reply) {
      last = std::move(reply.error());
      continue;
    }
    if (reply->is_error()) {
      last = refusal(*reply).value();
      continue;
    }
    const std::optional<std::uint32_t> port = reply->elements.size() == 2 ? number(reply->elements[1]) : std::nullopt;
    if (!port || *port == 0 || *port > 65535) {
      last = {Errc::Unavailable, fmt::format("the sentinels know no master '{}'", options_.master)};
      continue;
    }
    auto opened = open_single({reply->elements[0].text, static_cast<std::uint16_t>(*port)}, limit);
    if (opened) {
      // Between a fail-over and its news a sentinel names the old master.
      SB_TRY(const Reply role, link_->ask({"ROLE"}, limit));
      if (role.is_error() || (!role.elements.empty() && role.elements[0].text == "master")) return {};
      opened = fail(Errc::Unavailable, "the sentinels name a server that is no master");
      link_.reset();
    }
    last = std::move(opened.error());
  }
  return tl::unexpected(std::move(last));
}

Result<> Connection::open_cluster(const resource::Limit& limit) {
  Error last{Errc::Unavailable, "no node"};
  for (std::size_t i = 0; i < options_.servers.size(); ++i) {
    SB_CHECKED(limit.check());
    const resource::Limit share = limit.at_most(limit.left() / static_cast<long>(options_.servers.size() - i));
    auto link = Link::open(options_.servers[i], options_, share);
    auto known = link ? read_slots(**link, options_.servers[i], share) : Result<>(tl::unexpected(link.error()));
    if (known) {
      links_.emplace(to_string(options_.servers[i]), *std::move(link));
      return {};
    }
    last = std::move(known.error());
  }
  return tl::unexpected(std::move(last));
}

Result<> Connection::read_slots(Link& link, const resource::Server& from, const resource::Limit& limit) {
  SB_TRY(const Reply reply, link.ask({"CLUSTER", "SLOTS"}, limit));
  if (reply.is_error()) return refusal(reply);
  slots_.clear();
  for (const Reply& range : reply.elements) {
    if (range.elements.size() < 3 || range.elements[2].elements.size() < 2) continue;
    const auto first = number(range.elements[0]);
    const auto last = number(range.elements[1]);
    const auto port = number(range.elements[2].elements[1]);
    if (!first || !last || !port || *port == 0 || *port > 65535) continue;
    std::string host = range.elements[2].elements[0].text;
    if (host.empty() || host == "?") host = from.host;
    slots_[*first] = {*last, {std::move(host), static_cast<std::uint16_t>(*port)}};
  }
  if (slots_.empty()) return fail(Errc::Unavailable, "the cluster has no slots");
  return {};
}

Result<Link*> Connection::link_to(const resource::Server& server, const resource::Limit& limit) {
  const std::string name = to_string(server);
  auto found = links_.find(name);
  if (found != links_.end() && found->second->usable()) return found->second.get();
  SB_TRY(auto link, Link::open(server, options_, limit));
  if (links_.size() >= kNodesMax) links_.clear();
  return links_.insert_or_assign(name, std::move(link)).first->second.get();
}

Result<Reply> Connection::ask_cluster(const Words& words, const resource::Limit& limit) {
  const std::uint32_t slot = slot_of(words.size() > 1 ? words[1] : "");
  const auto range = slots_.upper_bound(slot);
  if (range == slots_.begin() || std::prev(range)->second.last < slot) {
    slots_.clear();  // whoever comes next reads them anew
    return fail(Errc::Unavailable, fmt::format("nobody serves slot {}", slot));
  }
  resource::Server to = std::prev(range)->second.server;
  bool asking = false;
  for (int i = 0; i <= kRedirectsMax; ++i) {
    auto link = link_to(to, limit);
    if (!link) {
      slots_.clear();  // the node is gone: perhaps another has its slots by now
      return tl::unexpected(std::move(link.error()));
    }
    if (asking) {
      SB_TRY(const Reply ready, (*link)->ask({"ASKING"}, limit));
      if (ready.is_error()) return refusal(ready);
    }
    SB_TRY(Reply reply, (*link)->ask(words, limit));
    const std::string_view code = reply.is_error() ? reply.error_code() : std::string_view{};
    if (code != "MOVED" && code != "ASK") return reply;
    const auto next = redirected(reply.text, to);
    if (!next) return fail(Errc::Corrupt, "a redirection without an address");
    asking = code == "ASK";
    to = *next;
    if (!asking) {
      SB_TRY(Link* const fresh, link_to(to, limit));
      SB_CHECKED(read_slots(*fresh, to, limit));
    }
  }
  return fail(Errc::Unavailable, "redirected too often");
}

Result<Reply> Connection::command(const Words& words, const resource::Limit& limit) {
  SB_TRY(Reply reply, options_.kind == Kind::Cluster ? ask_cluster(words, limit) : link_->ask(words, limit));
  if (reply.is_error()) return refusal(reply);
  return reply;
}

Result<> Connection::check(const resource::Limit& limit) {
  if (options_.kind != Kind::Cluster) {
    SB_TRY(const Reply reply, link_->ask({"PING"}, limit));
    if (reply.is_error()) return refusal(reply);
    return {};
  }
  SB_TRY(const Reply reply, links_.begin()->second->ask({"CLUSTER", "INFO"}, limit));
  if (reply.is_error()) return refusal(reply);
  if (reply.text.find("cluster_state:ok") == std::string::npos)
    return fail(Errc::Unavailable, "the cluster says that it is down");
  return {};
}

bool Connection::usable() {
  if (options_.kind != Kind::Cluster) return link_ && link_->usable();
  return !slots_.empty() && !links_.empty() && links_.begin()->second->usable();
}

}  // namespace sb::driver::redis
