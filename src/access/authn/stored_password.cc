#include "access/authn/stored_password.h"

#include "base/log.h"
#include "base/secret.h"

#include <fmt/format.h>

#include <charconv>

namespace sb::access::authn {

namespace resource = driver::resource;

bool means_superuser(std::string_view text) {
  if (text == "true") return true;
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number >= 1;
}

Authenticated verdict(const PasswordHash& how, std::string_view password, const StoredRecord& record) {
  if (!record.password_hash) return Authenticated::refused(ReasonCode::NotAuthorized);
  if (!record.readable || !password_matches(how, password, {*record.password_hash, record.salt}))
    return Authenticated::refused(ReasonCode::BadUserNameOrPassword);
  Authenticated out;
  out.superuser = record.superuser;
  return out;
}

StoredRecord record_of(const std::vector<NamedValue>& values) {
  StoredRecord out;
  for (const auto& [name, value] : values) {
    if (!*value) continue;
    if (name == "password_hash") {
      out.password_hash = **value;
    } else if (name == "password" && !out.password_hash) {
      out.password_hash = **value;
    } else if (name == "salt") {
      out.salt = **value;
    } else if (name == "is_superuser") {
      out.superuser = means_superuser(**value);
    }
  }
  return out;
}

std::optional<StoredRecord> record_of(const driver::sql::Rows& rows) {
  if (rows.rows.empty()) return std::nullopt;
  std::vector<NamedValue> named;
  for (std::size_t i = 0; i < rows.columns.size(); ++i) named.emplace_back(rows.columns[i], &rows.rows[0][i]);
  return record_of(named);
}

class StoredPassword::OnShard final : public Authenticator {
 public:
  OnShard(StoredPassword& provider, runtime::Loop& loop) : provider_(provider), loop_(loop) {}

  bool defers() const override { return true; }
  Millis answer_limit() const override { return provider_.back_.timeout; }

  Result authenticate(const Credentials& credentials, Reply reply) override {
    if (credentials.method) return {};
    if (!credentials.password) return {false, Authenticated::refused(ReasonCode::BadUserNameOrPassword)};
    using Found = std::optional<StoredRecord>;
    const auto known = std::make_shared<std::atomic<bool>>(false);
    const auto sent = provider_.resource_.submit<resource::Connection, Found>(
        provider_.back_.timeout,
        [&back = provider_.back_, values = provider_.back_.values(credentials)](resource::Connection& connection,
                                                                                const resource::Limit& limit) {
          return back.fetch(connection, values, limit);
        },
        [&provider = provider_, &loop = loop_, reply = std::move(reply), known,
         password = Secret(std::string(as_text(*credentials.password)))](sb::Result<Found> found) mutable {
          provider.questions_.told(found ? nullptr : &found.error());
          if (found && *found) {
            *known = true;
            return compare(provider, loop, std::move(reply), std::move(password), **std::move(found));
          }
          if (!found && found.error().code != Errc::Unavailable)
            SB_LOG(log::Level::Warning, "authn_query_failed", kv("resource_id", provider.id_),
                   kv("reason", found.error().what));
          loop.post([reply = std::move(reply), answered = found.has_value()] {
            reply(answered ? AuthenticatorAnswer{} : not_asked());
          });
        });
    // Not connected, or too many wait already: not decided here, and the end of the chain refuses.
    if (!sent) return {false, not_asked()};
    return {true, {}, known};
  }

 private:
  static void compare(StoredPassword& provider, runtime::Loop& loop, Reply reply, Secret password,
                      StoredRecord record) {
    const PasswordHash& how = provider.back_.hash;
    auto work = [&how, &loop, reply, password = std::move(password), record = std::move(record)] {
      loop.post([reply, answer = verdict(how, password.reveal(), record)] { reply(answer); });
    };
    if (!how.slow()) return work();
    const auto busy = [&loop, reply] { loop.post([reply] { reply(Authenticated::refused(ReasonCode::ServerBusy)); }); };
    if (!provider.workers_.try_run(std::move(work), busy)) busy();
  }

  StoredPassword& provider_;  // the chain that this stands in holds it
  runtime::Loop& loop_;
};

StoredPassword::StoredPassword(const Services& services, std::string_view mechanism, std::string_view chain, Back back)
    : Watched(services.alarms, fmt::format("authenticator:{}:{}", mechanism, chain), back.resource),
      workers_(services.workers),
      back_(std::move(back)) {}

StoredPassword::~StoredPassword() {
  stop();
}

std::unique_ptr<Authenticator> StoredPassword::make(const ShardEnvironment& shard) {
  return std::make_unique<OnShard>(*this, shard.loop);
}

}  // namespace sb::access::authn
