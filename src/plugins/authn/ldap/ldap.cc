#include "plugins/authn/ldap/ldap.h"

#include "access/authn/stored_password.h"
#include "base/log.h"
#include "plugins/authn/ldap/detail/password_attribute.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::plugins::authn::ldap {

using access::Authenticated;
using access::AuthenticatorAnswer;
using driver::ldap::Connection;
using driver::ldap::Entry;
namespace resource = driver::resource;

namespace {
constexpr const char* kId = "password_based:ldap";
constexpr std::string_view kEnabled = "isEnabled";

Authenticated refused(ReasonCode code) {
  return Authenticated::refused(code);
}

/// TRUE of RFC 4517 3.3.3, and what else counts as true.
bool truth(const std::vector<std::string>* values) {
  if (!values || values->empty()) return false;
  std::string text = values->front();
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return access::authn::means_superuser(text);
}

/// The one entry; nullopt: nobody.
Result<std::optional<Entry>> find(const access::authn::LdapQuestion& question, const std::vector<std::string>& wanted,
                                  Connection& connection, const resource::Limit& limit) {
  SB_TRY(auto entries, connection.search(question.base, question.filter, wanted, 1, limit));
  return entries.empty() ? std::optional<Entry>() : std::optional(std::move(entries.front()));
}
}  // namespace

const config::Struct& MethodSettings::schema() {
  using S = MethodSettings;
  static const config::Struct s =
      config::Schema<S>("method", config::Hot::Y)
          .doc("How a password is proved.")
          .field("type", &S::type, {.def = "hash", .doc = "By a hash in the entry, or by binding as the entry."})
          .field("password_attribute", &S::password_attribute,
                 {.def = "userPassword", .min = 1, .doc = "hash: attribute of the password."})
          .field("is_superuser_attribute", &S::is_superuser_attribute,
                 {.def = "isSuperuser", .doc = "hash: attribute that makes a superuser."})
          .field("bind_password", &S::bind_password,
                 {.def = "\"${password}\"", .doc = "bind: the password, with placeholders.", .secret = true})
          .build();
  return s;
}

const config::Struct& Settings::schema() {
  static const config::Struct s = [] {
    auto schema = config::authn_schema<Settings>(kId, true);
    schema.doc("An LDAP directory.");
    return access::authn::add_ldap_fields(schema)
        .field("method", &Settings::method, {.def = "{type = hash}", .doc = "How a password is proved."})
        .prepare([](config::Checker&, config::Value& v) {
          // The form of 5.3: attributes of the hash method at the top.
          for (const char* name : {"password_attribute", "is_superuser_attribute"}) {
            const config::Value* old = v.find(name);
            if (!old) continue;
            const config::Value value = *old;
            auto& object = *v.if_object();
            auto& how = object.try_emplace("method", config::Value(config::Value::Object{})).first->second;
            if (how.is_object()) how.if_object()->try_emplace(name, value);
            config::erase(v, name);
          }
        })
        .finish([](config::Checker& c, const config::Value& v, Settings& settings) {
          access::authn::check_ldap_settings(c, v, settings);
          settings.bind_password = access::authn::Template(settings.method.bind_password);
        })
        .build();
  }();
  return s;
}

AuthenticatorAnswer judge(const MethodSettings& settings, const Entry& entry, std::string_view password) {
  const auto* enabled = entry.find(kEnabled);
  if (enabled && !truth(enabled)) return refused(ReasonCode::UnspecifiedError);
  const auto* stored = entry.find(settings.password_attribute);
  if (!stored || stored->empty()) return refused(ReasonCode::UnspecifiedError);
  // Several values are several passwords, RFC 4519 2.41.
  bool readable = false;
  for (const std::string& one : *stored) {
    const auto match = detail::matches(one, password);
    if (!match) continue;
    readable = true;
    if (!*match) continue;
    Authenticated out;
    out.superuser = truth(entry.find(settings.is_superuser_attribute));
    return out;
  }
  return refused(readable ? ReasonCode::BadUserNameOrPassword : ReasonCode::UnspecifiedError);
}

class Ldap::OnShard final : public access::Authenticator {
 public:
  OnShard(Ldap& provider, runtime::Loop& loop) : provider_(provider), loop_(loop) {}

  bool defers() const override { return true; }
  Millis answer_limit() const override {
    const Millis one = provider_.settings_->query_timeout;
    return provider_.binds_ ? one * 2 : one;
  }

  Result authenticate(const access::Credentials& credentials, Reply reply) override {
    if (credentials.method) return {};
    // Directories take a bind without a password for an anonymous one, and let it succeed.
    if (!credentials.password || credentials.password->empty())
      return {false, refused(ReasonCode::BadUserNameOrPassword)};
    const Settings& s = *provider_.settings_;
    const bool binds = provider_.binds_.has_value();
    Secret password(binds ? s.bind_password.render(credentials) : std::string(as_text(*credentials.password)));
    std::vector<std::string> wanted = {s.method.password_attribute, s.method.is_superuser_attribute,
                                       std::string(kEnabled)};
    if (binds) wanted = {"1.1"};  // none, RFC 4511 4.5.1.8
    using Found = std::optional<Entry>;
    const auto known = std::make_shared<std::atomic<bool>>(false);
    const auto sent = provider_.resource_.submit<Connection, Found>(
        s.query_timeout,
        [question = access::authn::ldap_question(s, credentials), wanted = std::move(wanted)](
            Connection& connection, const resource::Limit& limit) { return find(question, wanted, connection, limit); },
        [&provider = provider_, &loop = loop_, reply = std::move(reply), known,
         password = std::move(password)](sb::Result<Found> found) mutable {
          provider.questions_.told(found ? nullptr : &found.error());
          if (found && *found) *known = true;
          if (!found || !*found) {
            if (!found) tell(provider, found.error());
            return answer(loop, reply, found ? AuthenticatorAnswer{} : access::not_asked());
          }
          if (provider.binds_) return bind(provider, loop, std::move(reply), std::move((*found)->dn), password);
          answer(loop, reply, judge(provider.settings_->method, **found, password.reveal()));
        });
    // Not connected, or too many wait already: not decided here, and the end of the chain refuses.
    if (!sent) return {false, access::not_asked()};
    return {true, {}, known};
  }

 private:
  static void tell(const Ldap& provider, const Error& error) {
    if (error.code != Errc::Unavailable)
      SB_LOG(log::Level::Warning, "authn_query_failed", kv("resource_id", provider.id_), kv("reason", error.what));
  }
  static void answer(runtime::Loop& loop, const Reply& reply, AuthenticatorAnswer what) {
    loop.post([reply, what = std::move(what)] { reply(what); });
  }
  /// 4.7: the same to the client, whether the directory said no or nothing.
  static Authenticated not_bound(bool asked) {
    Authenticated out = Authenticated::refused(ReasonCode::BadUserNameOrPassword);
    out.unasked = !asked;
    return out;
  }
  /// On a thread of the searches. Only a success lets in; it never makes a superuser.
  static void bind(Ldap& provider, runtime::Loop& loop, Reply reply, std::string dn, const Secret& password) {
    struct Bound {};
    const auto sent = provider.binds_->submit<Connection, Bound>(
        provider.settings_->query_timeout,
        [dn = std::move(dn), password](Connection& connection, const resource::Limit& limit) -> sb::Result<Bound> {
          SB_CHECKED(connection.bind(dn, password.reveal(), limit));
          return Bound{};
        },
        [&provider, &loop, reply](sb::Result<Bound> bound) {
          if (!bound && bound.error().code != Errc::Denied) tell(provider, bound.error());
          answer(loop, reply, bound ? Authenticated{} : not_bound(bound.error().code == Errc::Denied));
        });
    if (!sent) answer(loop, reply, not_bound(false));
  }

  Ldap& provider_;  // the chain that this stands in holds it
  runtime::Loop& loop_;
};

namespace {
/// Connections bound as the service account, or not at all: those speak for who came last.
resource::Options pool(const std::shared_ptr<const Settings>& settings, bool bound) {
  resource::Options out;
  out.thread_name = bound ? "authn-ldap" : "ldap-bind";
  out.pool_size = settings->pool_size;
  out.connect_timeout = settings->request_timeout;
  out.open = [settings, bound](const resource::Limit& limit) -> Result<std::unique_ptr<resource::Connection>> {
    SB_TRY(const auto options, access::authn::ldap_options(*settings, bound));
    return Connection::open(options, limit);
  };
  return out;
}
}  // namespace

Ldap::Ldap(const access::authn::Services& services, const std::string& chain, std::shared_ptr<const Settings> settings)
    : Watched(services.alarms, fmt::format("authenticator:{}:{}", kId, chain), pool(settings, true)),
      settings_(std::move(settings)) {
  if (settings_->method.type == Method::Bind)
    binds_.emplace(access::authn::watched(services.alarms, id_ + ":bind", pool(settings_, false)));
}

Ldap::~Ldap() {
  stop();  // what is under way uses this
}

Result<> Ldap::start() {
  if (binds_) binds_->start();
  resource_.start();
  return {};
}

void Ldap::stop() {
  Watched::stop();  // hands over to the other
  if (binds_) binds_->stop();
}

access::authn::Provider::State Ldap::state() const {
  resource::State now = resource_.state();
  if (binds_ && now.status == resource::Status::Connected) now = binds_->state();
  return questions_.into(access::authn::health_of(now));
}

std::unique_ptr<access::Authenticator> Ldap::make(const access::ShardEnvironment& shard) {
  return std::make_unique<OnShard>(*this, shard.loop);
}

void add_to(access::authn::Registry& registry) {
  registry.add({.id = kId,
                .description = "An LDAP directory",
                .schema = &Settings::schema(),
                .make = [](const access::authn::Services& services, const std::string& chain,
                           std::shared_ptr<const void> settings) -> Result<std::shared_ptr<access::authn::Provider>> {
                  auto mine = std::make_shared<Settings>(*std::static_pointer_cast<const Settings>(settings));
                  SB_TRY(const std::string password, access::authn::secret_template(mine->method.bind_password));
                  mine->bind_password = access::authn::Template(password);
                  return std::make_shared<Ldap>(services, chain, std::move(mine));
                }});
}

}  // namespace sb::plugins::authn::ldap
