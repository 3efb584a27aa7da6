#include "plugins/authn/jwt/jwt.h"

#include "access/authn/base64.h"
#include "access/authn/http_settings.h"
#include "access/authn/resource_settings.h"
#include "base/log.h"
#include "base/regular_file.h"
#include "driver/http/client.h"
#include "plugins/authn/jwt/detail/token.h"

#include <pthread.h>

#include <algorithm>

namespace sb::plugins::authn::jwt {

using access::Authenticated;

namespace {
constexpr std::uint32_t kRefreshMin = 10;  // seconds
constexpr std::chrono::seconds kEarlyRefetch{10};
constexpr Millis kFetchTimeout{5'000};
constexpr std::size_t kKeyFileMax = 1 << 20;

void check_settings(config::Checker& c, const config::Value& v, Settings& s) {
  const auto need = [&](const char* key, bool there) {
    if (!there) c.broken(v, key, "required_field", fmt::format("{} of this kind of key", key), {"use_jwks"});
  };
  access::authn::check_tls(c, v, s.ssl, {.who = "JWKS"});
  if (s.use_jwks) {
    need("endpoint", access::authn::has_host(s.endpoint));
  } else {
    need("algorithm", s.algorithm.has_value());
    if (s.algorithm == AlgorithmKind::Hmac) need("secret", s.secret && !s.secret->empty());
    if (s.algorithm == AlgorithmKind::PublicKey) need("public_key", !s.public_key.empty());
  }
  s.required.clear();
  const auto add = [&](const std::string& name, const config::Value& wanted) {
    if (name.empty() || name == "exp" || name == "iat" || name == "nbf" || !wanted.is_scalar())
      return c.broken(v, "verify_claims", "bad_claim", "names beside exp, iat and nbf, with texts");
    s.required.emplace_back(name, wanted.text());
  };
  if (!s.verify_claims.is_object() && !s.verify_claims.is_array())
    c.broken(v, "verify_claims", "bad_claims", "an object, or a list of objects of name and value");
  if (const auto* map = s.verify_claims.if_object())
    for (const auto& [name, wanted] : *map) add(name, wanted);
  if (const auto* list = s.verify_claims.if_array())  // 5.8
    for (const config::Value& one : *list) {
      const config::Value* name = one.find("name");
      const config::Value* wanted = one.find("value");
      if (!name || !wanted) return c.broken(v, "verify_claims", "bad_claim", "objects of name and value");
      add(name->text(), *wanted);
    }
}

/// The keys that the settings or the files in them hold. The error begins with the name of the setting.
Result<detail::KeySet> fixed_keys(const Settings& s) {
  detail::KeySet keys;
  if (s.algorithm == AlgorithmKind::Hmac) {
    auto secret = config::resolve_secret(*s.secret);
    if (!secret) return fail(secret.error().code, "secret: " + secret.error().what);
    if (s.secret_base64_encoded) {
      const auto decoded = access::authn::decode_base64(secret->reveal());
      if (!decoded) return fail(Errc::Invalid, "secret: not Base64");
      secret = Secret(*decoded);
    }
    keys.push_back(detail::Key::of_secret(*std::move(secret)));
    return keys;
  }
  std::string pem = s.public_key;
  if (pem.find("-----BEGIN") == std::string::npos) {
    auto read = read_regular_file(pem.starts_with("file://") ? pem.substr(7) : pem, kKeyFileMax);
    if (!read) return fail(read.error().code, "public_key: " + read.error().what);
    pem = *std::move(read);
  }
  auto key = detail::Key::of_pem(pem);
  if (!key) return fail(key.error().code, "public_key: " + key.error().what);
  keys.push_back(*std::move(key));
  return keys;
}

std::optional<access::authn::Unusable> review(const Settings& s) {
  if (s.use_jwks) return access::authn::review_tls(s.ssl);
  const auto keys = fixed_keys(s);
  if (keys) return std::nullopt;
  const bool hmac = s.algorithm == AlgorithmKind::Hmac;
  return access::authn::Unusable{hmac ? "secret" : "public_key", keys.error().what};
}
}  // namespace

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s =
      config::authn_schema<S>("jwt", false)
          .doc("JSON Web Tokens.")
          .field("use_jwks", &S::use_jwks, {.doc = "Whether keys come from a JWKS endpoint.", .required = true})
          .field("algorithm", &S::algorithm, {.doc = "Without JWKS: shared secret, or public key."})
          .field("secret", &S::secret, {.doc = "hmac-based: the shared secret.", .secret = true})
          .field("secret_base64_encoded", &S::secret_base64_encoded,
                 {.def = "false", .doc = "Whether the secret is Base64."})
          .field("public_key", &S::public_key, {.doc = "public-key: PEM text, or the path of a file."})
          .field("endpoint", &S::endpoint, {.doc = "JWKS: URL of the key set."})
          .field("refresh_interval", &S::refresh_interval,
                 {.def = "300", .min = 1, .max = 31'536'000, .doc = "JWKS: seconds between fetches, at least 10."})
          .field("pool_size", &S::pool_size, {.def = "8", .min = 1, .max = 1024, .doc = "JWKS: connections."})
          .field("ssl", &S::ssl, {.doc = "JWKS: TLS to the endpoint."})
          .field("from", &S::from, {.def = "password", .doc = "Where CONNECT carries the token."})
          .field("acl_claim_name", &S::acl_claim_name, {.def = "acl", .min = 1, .doc = "Claim of the rules."})
          .field("verify_claims", &S::verify_claims,
                 {.def = "{}", .doc = "Claims and what they must be; may be ${clientid} or ${username}."})
          .field("disconnect_after_expire", &S::disconnect_after_expire,
                 {.def = "false", .doc = "Whether the connection ends with its token.", .since = "5.7"})
          .finish([](config::Checker& c, const config::Value& v, S& settings) { check_settings(c, v, settings); })
          .build();
  return s;
}

class Jwt::OnShard final : public access::Authenticator {
 public:
  OnShard(Jwt& provider, runtime::Loop& loop) : provider_(provider), settings_(*provider.settings_), loop_(loop) {}

  Result authenticate(const access::Credentials& credentials, Reply) override {
    if (credentials.method) return {};
    std::string_view text = credentials.subject.username;
    if (settings_.from == TokenFrom::Password) {
      if (!credentials.password) return {};
      text = as_text(*credentials.password);
    }
    if (text.empty()) return {};
    const Keys keys = provider_.keys();
    if (!keys) return {false, access::not_asked()};  // not fetched yet
    const auto token = detail::parse_token(text);
    if (!token) return {};
    if (!detail::verify_token(*token, *keys)) {
      if (settings_.use_jwks && !detail::names_known_key(*token, *keys)) provider_.want_newer_keys();
      return {};
    }
    const std::int64_t now_s = loop_.wall_ms() / 1000;
    if (!detail::claims_hold(token->claims, settings_.required, credentials.subject, now_s))
      return {false, Authenticated::refused(ReasonCode::BadUserNameOrPassword)};
    Authenticated out;
    out.superuser = detail::truth_claim(token->claims, "is_superuser");
    out.rules = detail::rules_of(token->claims, settings_.acl_claim_name);
    out.disconnect_at_end = settings_.disconnect_after_expire;
    if (const auto end = detail::time_claim(token->claims, "exp"); end && *end < INT64_MAX / 1000)
      out.until_ms = *end * 1000;
    return {false, std::move(out)};
  }

 private:
  Jwt& provider_;  // the policy that made this holds it
  const Settings& settings_;
  runtime::Loop& loop_;
};

Jwt::Jwt(const access::authn::Services& services, const std::string& chain, std::shared_ptr<const Settings> settings)
    : services_(services), resource_("authenticator:jwt:" + chain), settings_(std::move(settings)) {}

void Jwt::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (client_) client_->stop();
  const std::lock_guard guard(mutex_);
  if (std::exchange(alarmed_, false)) services_.alarms.deactivate(resource_);
}

Jwt::~Jwt() {
  stop();  // answers that are on their way find the members still there
}

Result<> Jwt::prepare() {
  if (settings_->use_jwks) {
    SB_TRY(auto tls, access::authn::resource_tls(settings_->ssl));
    client_ = std::make_unique<driver::http::Client>(
        driver::http::ClientOptions{.name = "jwks", .pool_size = settings_->pool_size, .tls = std::move(tls)});
    return {};
  }
  SB_TRY(auto keys, fixed_keys(*settings_));
  keys_ = std::make_shared<const detail::KeySet>(std::move(keys));
  return {};
}

void Jwt::inherit(access::authn::Provider& old) {
  const auto* before = dynamic_cast<const Jwt*>(&old);
  if (!before || !settings_->use_jwks || !before->settings_->use_jwks ||
      before->settings_->endpoint != settings_->endpoint)
    return;
  Keys keys = before->keys();
  const std::lock_guard guard(mutex_);
  keys_ = std::move(keys);
}

Result<> Jwt::start() {
  if (!settings_->use_jwks || thread_.joinable()) return {};
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "jwks-refresh");
    run();
  });
  return {};
}

Keys Jwt::keys() const {
  const std::lock_guard guard(mutex_);
  return keys_;
}

void Jwt::want_newer_keys() {
  {
    const std::lock_guard guard(mutex_);
    if (wanted_ || asked_ || std::chrono::steady_clock::now() - fetched_ < kEarlyRefetch) return;
    wanted_ = true;
  }
  changed_.notify_all();
}

void Jwt::run() {
  const std::chrono::seconds interval{std::max(settings_->refresh_interval, kRefreshMin)};
  std::unique_lock lock(mutex_);
  bool first = true;
  while (!stopping_) {
    const bool due =
        first || wanted_ || std::chrono::steady_clock::now() - fetched_ >= (keys_ ? interval : kEarlyRefetch);
    if (!asked_ && due) {
      first = wanted_ = false;
      asked_ = true;
      fetched_ = std::chrono::steady_clock::now();
      lock.unlock();
      const bool sent = client_->send(
          {.url = settings_->endpoint, .headers = {{"accept", "application/json"}}, .timeout = kFetchTimeout},
          [this](Result<driver::http::ClientResponse> answer) {
            if (!answer) return take(tl::unexpected(std::move(answer).error()));
            if (answer->status != 200) return take(fail(Errc::Unavailable, fmt::format("status {}", answer->status)));
            take(std::move(answer->body));
          });
      if (!sent) take(fail(Errc::Busy, "too many requests wait"));
      lock.lock();
      continue;
    }
    changed_.wait_for(lock, std::chrono::seconds(1));
  }
}

/// A set that was fetched, or why not: then the last good one stays.
void Jwt::take(Result<std::string> body) {
  Result<detail::KeySet> keys = body ? detail::read_key_set(*body) : tl::unexpected(body.error());
  const std::lock_guard guard(mutex_);
  asked_ = false;
  if (stopping_) return;
  if (keys) {
    keys_ = std::make_shared<const detail::KeySet>(*std::move(keys));
    trouble_.clear();
    if (std::exchange(alarmed_, false)) services_.alarms.deactivate(resource_);
    return;
  }
  trouble_ = keys.error().what;
  SB_LOG(log::Level::Warning, "jwks_not_fetched", kv("resource_id", resource_), kv("reason", trouble_));
  if (!std::exchange(alarmed_, true))
    services_.alarms.activate(resource_, "resource down: " + trouble_,
                              {{"resource_id", "\"" + resource_ + "\""}, {"reason", "\"resource_down\""}});
}

access::authn::Provider::State Jwt::state() const {
  using access::authn::Health;
  if (!settings_->use_jwks) return {};
  const std::lock_guard guard(mutex_);
  if (!trouble_.empty()) return {keys_ ? Health::Connecting : Health::Disconnected, trouble_};
  return {keys_ ? Health::Connected : Health::Connecting, {}};
}

std::unique_ptr<access::Authenticator> Jwt::make(const access::ShardEnvironment& shard) {
  return std::make_unique<OnShard>(*this, shard.loop);
}

void add_to(access::authn::Registry& registry) {
  registry.add({.id = "jwt",
                .description = "JSON Web Tokens",
                .schema = &Settings::schema(),
                .make = [](const access::authn::Services& services, const std::string& chain,
                           std::shared_ptr<const void> settings) -> Result<std::shared_ptr<access::authn::Provider>> {
                  auto made =
                      std::make_shared<Jwt>(services, chain, std::static_pointer_cast<const Settings>(settings));
                  SB_CHECKED(made->prepare());
                  return made;
                },
                .review = [](const void* settings) { return review(*static_cast<const Settings*>(settings)); }});
}

}  // namespace sb::plugins::authn::jwt
