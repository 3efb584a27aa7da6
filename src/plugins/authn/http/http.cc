#include "plugins/authn/http/http.h"

#include "base/log.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace sb::plugins::authn::http {

using access::Authenticated;

namespace {
constexpr const char* kId = "password_based:http";

std::optional<std::int64_t> number(const std::string& text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(out) : std::nullopt;
}

/// A number, without its fraction.
std::optional<std::int64_t> whole_seconds(const std::string& text) {
  if (const auto whole = number(text)) return whole;
  double out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(out)) return std::nullopt;
  constexpr double kMost = 1e15;  // far beyond what a clock shows, and exact
  return static_cast<std::int64_t>(std::floor(std::clamp(out, -kMost, kMost)));
}
}  // namespace

const config::Struct& Settings::schema() {
  static const config::Struct s = [] {
    auto schema = config::authn_schema<Settings>(kId, true);
    schema.doc("An HTTP service decides.");
    return access::authn::add_http_fields(schema, "5s").build();
  }();
  return s;
}

Result<std::optional<Authenticated>> read_answer(const driver::http::ClientResponse& answer, std::int64_t now_ms) {
  if (answer.status == 204) return Authenticated{};
  SB_TRY(const auto members, access::authn::http_members(answer));
  if (!members) return std::nullopt;
  const auto result = members->find("result");
  if (result == members->end()) return fail(Errc::Invalid, "answers without a result");
  if (result->second == "ignore") return std::nullopt;
  if (result->second == "deny") return Authenticated::refused(ReasonCode::NotAuthorized);
  if (result->second != "allow") return fail(Errc::Invalid, "answers a result that is not allow, deny or ignore");
  Authenticated out;
  if (const auto flag = members->find("is_superuser"); flag != members->end())
    out.superuser = flag->second == "true" || number(flag->second).value_or(0) >= 1;
  // 5.8: seconds since 1970 at which the permission ends. One that is over already is none.
  if (const auto end = members->find("expire_at"); end != members->end()) {
    const auto seconds = whole_seconds(end->second);
    // An end that nobody understands must not become none.
    if (!seconds) return fail(Errc::Invalid, "answers an expire_at that is no number");
    if (*seconds <= now_ms / 1000) return Authenticated::refused(ReasonCode::NotAuthorized);
    if (*seconds < INT64_MAX / 1000) out.until_ms = *seconds * 1000;
    out.disconnect_at_end = true;
  }
  return out;
}

class Http::OnShard final : public access::Authenticator {
 public:
  OnShard(Http& provider, runtime::Loop& loop) : provider_(provider), loop_(loop) {}

  bool defers() const override { return true; }
  Millis answer_limit() const override { return provider_.settings_->request_timeout; }

  Result authenticate(const access::Credentials& credentials, Reply reply) override {
    if (credentials.method) return {};
    auto request = provider_.request_.make(
        [&](const access::authn::Template& text, const auto& encode) { return text.render(credentials, encode); });
    if (!request) return {};  // it cannot be asked about a client of such a name
    using driver::http::ClientResponse;
    const auto sent = provider_.resource_.submit<driver::http::Connection, ClientResponse>(
        request->timeout,
        [request = *std::move(request)](driver::http::Connection& service, const driver::resource::Limit& limit) {
          return service.ask(request, limit);
        },
        [reply = std::move(reply), &loop = loop_, &provider = provider_](const sb::Result<ClientResponse>& answer) {
          access::AuthenticatorAnswer said = access::not_asked();
          if (answer) {
            auto read = read_answer(*answer, loop.clock().wall_ms());
            provider.questions_.told(read ? nullptr : &read.error());
            if (read) said = *std::move(read);
          }
          loop.post([reply, said] { reply(said); });
        });
    // Not connected, or too many wait already: not decided here, and the chain's end refuses.
    if (!sent) return {false, access::not_asked()};
    return {true, {}};
  }

 private:
  Http& provider_;  // the chain that this stands in holds it
  runtime::Loop& loop_;
};

Http::Http(const access::authn::Services& services, const std::string& chain, std::shared_ptr<const Settings> settings,
           driver::resource::Options service)
    : Watched(services.alarms, fmt::format("authenticator:{}:{}", kId, chain), std::move(service)),
      settings_(std::move(settings)),
      request_(*settings_) {
  for (const std::string& name : request_.unknown())
    SB_LOG(log::Level::Warning, "unknown_placeholder", kv("resource_id", id_), kv("name", name));
}

Http::~Http() {
  stop();
}

std::unique_ptr<access::Authenticator> Http::make(const access::ShardEnvironment& shard) {
  return std::make_unique<OnShard>(*this, shard.loop);
}

void add_to(access::authn::Registry& registry) {
  registry.add({.id = kId,
                .description = "An HTTP service",
                .schema = &Settings::schema(),
                .make = [](const access::authn::Services& services, const std::string& chain,
                           std::shared_ptr<const void> settings) -> Result<std::shared_ptr<access::authn::Provider>> {
                  auto mine = std::make_shared<Settings>(*std::static_pointer_cast<const Settings>(settings));
                  SB_CHECKED(access::authn::read_secrets(*mine));
                  SB_TRY(auto service, access::authn::http_resource(*mine, "authn-http"));
                  return std::make_shared<Http>(services, chain, std::move(mine), std::move(service));
                },
                .review =
                    [](const void* settings) {
                      return access::authn::review_secrets(*static_cast<const Settings*>(settings));
                    }});
}

}  // namespace sb::plugins::authn::http
