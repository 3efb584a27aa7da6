#include "management/backup_tables.h"

#include "base/give_way.h"
#include "base/json_text.h"
#include "broker/topic.h"
#include "codec/mqtt/decoder.h"
#include "management/text.h"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <future>

namespace sb::management {

namespace json = boost::json;

Result<std::string> row_text(const BackupRow& row, std::string_view member) {
  const auto* value = row.if_contains(member);
  if (!value || !value->is_string()) return fail(Errc::Invalid, fmt::format("{}: a text is expected", member));
  return std::string(std::string_view(value->get_string()));
}

Result<std::string> row_bytes(const BackupRow& row, std::string_view member) {
  if (!row.if_contains(member)) return std::string();
  SB_TRY(const std::string text, row_text(row, member));
  auto out = from_base64(text);
  if (!out) return fail(Errc::Invalid, fmt::format("{}: base64 is expected", member));
  return *std::move(out);
}

bool row_flag(const BackupRow& row, std::string_view member) {
  const auto* value = row.if_contains(member);
  return value && value->is_bool() && value->get_bool();
}

Result<std::optional<std::int64_t>> row_time(const BackupRow& row, std::string_view member) {
  constexpr std::int64_t kLast = 253'402'300'799;  // the end of the year 9999
  const auto* value = row.if_contains(member);
  if (!value || value->is_null()) return std::nullopt;
  if (value->is_string() && (value->get_string() == "infinity" || value->get_string().empty())) return std::nullopt;
  json::error_code error;
  const auto seconds = value->is_number() ? value->to_number<std::int64_t>(error) : -1;
  if (error || seconds < 0 || seconds > kLast)
    return fail(Errc::Invalid, fmt::format("{} = {}: expected seconds since 1970, or infinity", member,
                                           json::serialize(*value).substr(0, 64)));
  return seconds * 1000;
}

namespace {

std::int64_t row_number(const BackupRow& row, std::string_view member, std::int64_t absent) {
  const auto* value = row.if_contains(member);
  json::error_code error;
  const auto out = value ? value->to_number<std::int64_t>(error) : absent;
  return error ? absent : out;
}

class Banned final : public BackupTable {
 public:
  Banned(access::AccessControl& access, const Clock& clock) : access_(access), clock_(clock) {}
  std::string_view name() const override { return "emqx_banned"; }
  Result<std::vector<BackupRow>> rows() override {
    std::vector<BackupRow> out;
    for (const access::Ban& ban : access_.bans().list().bans) {
      BackupRow row{{"as", access::to_string(ban.as)},
                    {"who", ban.who},
                    {"by", ban.by},
                    {"reason", ban.reason},
                    {"at", ban.at_ms / 1000}};
      if (ban.until_ms != access::Ban::kForever) row["until"] = ban.until_ms / 1000;
      out.push_back(std::move(row));
    }
    return out;
  }
  Result<> check(const BackupRow& row) const override {
    SB_TRY(const access::Ban ban, read(row));
    static_cast<void>(ban);
    return {};
  }
  Result<> put(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      SB_TRY(access::Ban ban, read(row));
      // One that has ended changes nothing, least of all one that is in force.
      if (ban.until_ms <= clock_.wall_ms()) continue;
      access_.bans().erase(ban.as, ban.who);
      SB_CHECKED(access_.bans().create(std::move(ban)));
    }
    return {};
  }
  Result<> erase(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      SB_TRY(const access::Ban ban, read(row));
      access_.bans().erase(ban.as, ban.who);
    }
    return {};
  }
  std::string key(const BackupRow& row) const override {
    const auto ban = read(row);
    return ban ? fmt::format("{}/{}", access::to_string(ban->as), ban->who) : std::string();
  }

 private:
  static Result<access::Ban> read(const BackupRow& row) {
    SB_TRY(const std::string as, row_text(row, "as"));
    const auto kind = access::ban_kind(as);
    if (!kind)
      return fail(
          Errc::Invalid,
          fmt::format("as = {}: expected clientid, username, peerhost, clientid_re, username_re or peerhost_net", as));
    access::Ban out;
    out.as = *kind;
    SB_TRY(out.who, row_text(row, "who"));
    if (const auto good = access::BanTable::check_target(out); !good)
      return fail(Errc::Invalid, "who: " + good.error().what);
    if (row.if_contains("by")) {
      SB_TRY(out.by, row_text(row, "by"));
    }
    if (row.if_contains("reason")) {
      SB_TRY(out.reason, row_text(row, "reason"));
    }
    SB_TRY(const auto at, row_time(row, "at"));
    out.at_ms = at.value_or(0);
    SB_TRY(const auto until, row_time(row, "until"));
    out.until_ms = until.value_or(access::Ban::kForever);
    if (out.until_ms < out.at_ms) return fail(Errc::Invalid, "until: expected a time behind that of at");
    return out;
  }
  access::AccessControl& access_;
  const Clock& clock_;
};

/// Both built-in databases: who has a server key is one for scram.
class Users final : public BackupTable {
 public:
  Users(access::authn::UserTable& users, bool scram, Iterations iterations = {})
      : users_(users), scram_(scram), iterations_(std::move(iterations)) {}
  std::string_view name() const override { return scram_ ? "emqx_authn_scram_mnesia" : "emqx_authn_mnesia"; }
  Result<std::vector<BackupRow>> rows() override {
    std::vector<BackupRow> out;
    access::authn::UserQuery all;
    all.limit = SIZE_MAX;
    for (const std::string& group : users_.groups())
      for (const access::authn::UserRef& user : users_.list(group, all).rows) {
        if (user->server_key.empty() == scram_) continue;
        BackupRow row{{"group", group}, {"user_id", user->id}, {"is_superuser", user->superuser}};
        row["salt"] = base64(user->salt);
        row[scram_ ? "stored_key" : "password_hash"] = base64(user->hash);
        if (scram_) {
          row["server_key"] = base64(user->server_key);
          row["algorithm"] = user->algorithm;
          row["iteration_count"] = user->iterations;
        }
        out.push_back(std::move(row));
      }
    return out;
  }
  Result<> check(const BackupRow& row) const override {
    SB_TRY(const auto user, read(row));
    static_cast<void>(user);
    return {};
  }
  Result<> put(const std::vector<BackupRow>& rows) override {
    std::map<std::string, std::vector<access::authn::User>> groups;
    for (const BackupRow& row : rows) {
      SB_TRY(auto user, read(row));
      groups[user.first].push_back(std::move(user.second));
    }
    for (auto& [group, users] : groups) {
      SB_TRY(const std::size_t written, users_.put(group, std::move(users), true));
      static_cast<void>(written);
    }
    return {};
  }
  Result<> erase(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      SB_TRY(const auto user, read(row));
      if (auto erased = users_.erase(user.first, user.second.id); !erased && erased.error().code != Errc::NotFound)
        return erased;
    }
    return {};
  }
  std::string key(const BackupRow& row) const override {
    const auto user = read(row);
    return user ? user->first + '\0' + user->second.id : std::string();
  }

 private:
  Result<std::pair<std::string, access::authn::User>> read(const BackupRow& row) const {
    std::pair<std::string, access::authn::User> out;
    SB_TRY(out.first, row_text(row, "group"));
    access::authn::User& user = out.second;
    SB_TRY(user.id, row_text(row, "user_id"));
    if (user.id.empty() || user.id.size() > access::authn::UserTable::kIdMax || out.first.empty())
      return fail(Errc::Invalid, "user_id: a name is expected");
    user.superuser = row_flag(row, "is_superuser");
    SB_TRY(user.salt, row_bytes(row, "salt"));
    SB_TRY(user.hash, row_bytes(row, scram_ ? "stored_key" : "password_hash"));
    if (user.hash.empty()) return fail(Errc::Invalid, "a password hash is expected");
    if (!scram_) return out;
    SB_TRY(user.server_key, row_bytes(row, "server_key"));
    if (user.server_key.empty()) return fail(Errc::Invalid, "server_key: base64 is expected");
    user.algorithm = user.server_key.size() > 32 ? "sha512" : "sha256";
    if (row.if_contains("algorithm")) {
      SB_TRY(user.algorithm, row_text(row, "algorithm"));
    }
    // EMQX's users have those of their authenticator.
    constexpr std::uint32_t kUsualIterations = 4096;
    const auto usual = iterations_ && !row.contains("iteration_count") ? iterations_(out.first) : std::nullopt;
    user.iterations = static_cast<std::uint32_t>(row_number(row, "iteration_count", usual.value_or(kUsualIterations)));
    return out;
  }
  access::authn::UserTable& users_;
  bool scram_;
  Iterations iterations_;
};

/// 1.5.5
std::string with_length(std::string_view bytes) {
  std::string out;
  for (std::size_t left = bytes.size(); left != 0 || out.empty(); left /= 128)
    out += static_cast<char>(left % 128 | (left >= 128 ? 0x80U : 0U));
  return out.append(bytes);
}

/// What is sent to subscribers as it is must be what a client could have sent.
bool publish_takes(std::string_view properties) {
  constexpr std::uint32_t kMost = 268'435'455;  // 2.1.4
  if (properties.size() > kMost - 16) return false;
  const std::string packet = "0" + with_length(std::string{0, 1, 't'} + with_length(properties));
  const auto frame = codec::mqtt::next_frame(as_bytes(std::string_view(packet)), kMost);
  if (!frame) return false;
  const auto publish = codec::mqtt::decode_publish(*frame, {.version = ProtocolVersion::V5, .strict = true});
  return publish && publish->properties.size() == properties.size() && publish->payload.empty();
}

/// What a shard retains, wherever it keeps it, in slices that hold nobody up. Waits for the shard.
std::vector<broker::MessageRef> retained_of(broker::Broker& home) {
  constexpr std::size_t kSlice = 512;
  std::vector<broker::MessageRef> out;
  std::unique_ptr<broker::RetainedReader> reader;  // made and dropped by the shard
  for (bool more = true; more;) {
    // Both hold it: whoever hears of the value may be on before the other is done with it.
    const auto read = std::make_shared<std::promise<bool>>();
    home.loop().post([&, read] {
      if (!reader) reader = std::make_unique<broker::RetainedReader>(home.retained(), std::string_view{});
      const bool again = reader->read(kSlice, home.loop().wall_ms(), out);
      if (!again) reader.reset();
      read->set_value(again);
    });
    more = read->get_future().get();
  }
  return out;
}

class Retained final : public BackupTable {
 public:
  explicit Retained(broker::Core& core) : core_(core) {}
  std::string_view name() const override { return "retained"; }
  bool optional() const override { return true; }
  Result<std::vector<BackupRow>> rows() override {
    std::vector<BackupRow> out;
    for (unsigned shard = 0; shard < core_.shards(); ++shard)
      for (const broker::MessageRef& message : retained_of(core_.shard(shard))) {
        if (message->topic().starts_with("$SYS/")) continue;  // of this node; another has its own
        BackupRow row{{"payload", base64(as_text(message->payload()))},
                      {"properties", base64(as_text(message->properties()))},
                      {"qos", to_int(message->qos())},
                      {"published_ms", message->published_ms()},
                      {"from_clientid", message->from() ? std::string_view(message->from()->client_id) : ""},
                      {"from_username", message->from() ? std::string_view(message->from()->username) : ""}};
        put_topic(row, message->topic());
        if (message->expiry_s() != kNeverExpires) row["expiry_s"] = message->expiry_s();
        out.push_back(std::move(row));
        give_way();
      }
    return out;
  }
  Result<> check(const BackupRow& row) const override {
    SB_TRY(const std::string topic, topic_of(row));
    if (!broker::check_topic_name(topic)) return fail(Errc::Invalid, "topic: a topic without wildcards is expected");
    SB_TRY(const std::string payload, row_bytes(row, "payload"));
    SB_TRY(const std::string properties, row_bytes(row, "properties"));
    if (payload.empty()) return fail(Errc::Invalid, "payload: must not be empty");
    if (!publish_takes(properties))
      return fail(Errc::Invalid, "properties: expected, in base64, properties of a PUBLISH as on the wire");
    constexpr std::int64_t kLastMs = 253'402'300'799'000;  // the end of the year 9999
    const auto within = [&](std::string_view member, std::int64_t absent, std::int64_t most) {
      const auto* value = row.if_contains(member);
      const std::int64_t number = row_number(row, member, value ? -1 : absent);
      return number >= 0 && number <= most
                 ? Result<>{}
                 : fail(Errc::Invalid, fmt::format("{}: expected a number of 0..{}", member, most));
    };
    SB_CHECKED(within("qos", 0, 2));
    SB_CHECKED(within("published_ms", 0, kLastMs));
    return within("expiry_s", 0, kNeverExpires);
  }
  Result<> put(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      SB_TRY(const std::string topic, topic_of(row));
      SB_TRY(const std::string payload, row_bytes(row, "payload"));
      SB_TRY(const std::string properties, row_bytes(row, "properties"));
      auto from = std::make_shared<broker::Identity>();
      if (auto id = row_text(row, "from_clientid")) from->client_id = *std::move(id);
      if (auto name = row_text(row, "from_username")) from->username = *std::move(name);
      const broker::IdentityRef sender = std::move(from);
      broker::Publication publication;
      publication.topic = topic;
      publication.payload = as_bytes(payload);
      publication.properties = as_bytes(properties);
      publication.qos = static_cast<Qos>(row_number(row, "qos", 0));
      publication.retain = true;
      publication.published_ms = row_number(row, "published_ms", 0);
      publication.expiry_s = static_cast<std::uint32_t>(row_number(row, "expiry_s", kNeverExpires));
      publication.from = &sender;
      broker::Broker& home = core_.shard(core_.retained_home_of(topic));
      home.loop().post([&home, message = broker::MessageRef::adopt(broker::Message::make(publication))] {
        if (!message->expired(home.loop().wall_ms())) home.store_retained(message);
      });
    }
    return {};
  }
  Result<> erase(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      SB_TRY(const std::string topic, topic_of(row));
      broker::Broker& home = core_.shard(core_.retained_home_of(topic));
      home.loop().post([&home, topic] { home.clear_retained(topic); });
    }
    return {};
  }
  std::string key(const BackupRow& row) const override { return topic_of(row).value_or(std::string()); }

 private:
  /// A topic of MQTT 3 may be any bytes, which JSON text cannot hold.
  static void put_topic(BackupRow& row, std::string_view topic) {
    if (utf8_text(std::string(topic)) == topic)
      row["topic"] = topic;
    else
      row["topic_base64"] = base64(topic);
  }
  static Result<std::string> topic_of(const BackupRow& row) {
    return row.contains("topic_base64") ? row_bytes(row, "topic_base64") : row_text(row, "topic");
  }

  broker::Core& core_;
};

}  // namespace

std::unique_ptr<BackupTable> banned_backup(access::AccessControl& access, const Clock& clock) {
  return std::make_unique<Banned>(access, clock);
}
std::unique_ptr<BackupTable> users_backup(access::authn::UserTable& users) {
  return std::make_unique<Users>(users, false);
}
std::unique_ptr<BackupTable> scram_backup(access::authn::UserTable& users, Iterations iterations) {
  return std::make_unique<Users>(users, true, std::move(iterations));
}
std::unique_ptr<BackupTable> retained_backup(broker::Core& core) {
  return std::make_unique<Retained>(core);
}

}  // namespace sb::management
