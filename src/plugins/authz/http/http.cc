#include "plugins/authz/http/http.h"

#include "base/log.h"

namespace sb::plugins::authz::http {

using access::Answer;

const config::Struct& Settings::schema() {
  static const config::Struct s = [] {
    auto schema = config::authz_schema<Settings>("http");
    schema.doc("An HTTP service decides.");
    return access::authn::add_http_fields(schema, "30s").build();
  }();
  return s;
}

Result<Answer> read_answer(const driver::http::ClientResponse& answer) {
  if (answer.status == 204) return Answer::Allow;
  SB_TRY(const auto members, access::authn::http_members(answer, "application/json"));
  if (!members) return Answer::NoMatch;
  const auto result = members->find("result");
  if (result == members->end()) return fail(Errc::Invalid, "answers without a result");
  if (result->second == "allow") return Answer::Allow;
  if (result->second == "deny") return Answer::Deny;
  if (result->second == "ignore") return Answer::Ignore;
  return fail(Errc::Invalid, "answers a result that is not allow, deny or ignore");
}

class Http::OnShard final : public access::Authorizer {
 public:
  OnShard(Http& source, runtime::Loop& loop) : source_(source), loop_(loop) {}

  bool defers() const override { return true; }
  Millis answer_limit() const override { return source_.settings_->request_timeout; }

  Answer decide(const access::Subject& subject, const access::Action& action, Reply reply) override {
    auto request = source_.request_.make([&](const access::authz::ActionTemplate& text, const auto& encode) {
      return text.render(subject, action, encode);
    });
    // Who could keep the service from being asked by the name of a topic would pass by what it denies.
    if (!request) return Answer::Deny;
    using driver::http::ClientResponse;
    const auto sent = source_.resource_.submit<driver::http::Connection, ClientResponse>(
        request->timeout,
        [request = *std::move(request)](driver::http::Connection& service, const driver::resource::Limit& limit) {
          return service.ask(request, limit);
        },
        [reply = std::move(reply), &loop = loop_, &source = source_](const Result<ClientResponse>& answer) {
          Answer said = Answer::Ignore;
          if (answer) {
            const auto read = read_answer(*answer);
            source.questions_.told(read ? nullptr : &read.error());
            said = read.value_or(Answer::NoMatch);
          }
          loop.post([reply, said] { reply(said); });
        });
    // Not connected, or too many wait already: it says nothing.
    return sent ? Answer::Pending : Answer::Ignore;
  }

 private:
  Http& source_;  // the policy that this stands in holds it
  runtime::Loop& loop_;
};

Http::Http(const access::authz::Services& services, std::shared_ptr<const Settings> settings,
           driver::resource::Options service)
    : Watched(services.alarms, "authorization:http", std::move(service)),
      settings_(std::move(settings)),
      request_(*settings_) {
  for (const std::string& name : request_.unknown())
    SB_LOG(log::Level::Warning, "unknown_placeholder", kv("resource_id", id_), kv("name", name));
}

Http::~Http() {
  stop();
}

std::unique_ptr<access::Authorizer> Http::make(const access::ShardEnvironment& shard) {
  return std::make_unique<OnShard>(*this, shard.loop);
}

void add_to(access::authz::Registry& registry) {
  registry.add({.type = "http",
                .description = "An HTTP service",
                .schema = &Settings::schema(),
                .make = [](const access::authz::Services& services,
                           std::shared_ptr<const void> settings) -> Result<std::shared_ptr<access::authz::Source>> {
                  auto mine = std::make_shared<Settings>(*std::static_pointer_cast<const Settings>(settings));
                  SB_CHECKED(access::authn::read_secrets(*mine));
                  SB_TRY(auto service, access::authn::http_resource(*mine, "authz-http"));
                  return std::make_shared<Http>(services, std::move(mine), std::move(service));
                },
                .review =
                    [](const void* settings) {
                      return access::authn::review_secrets(*static_cast<const Settings*>(settings));
                    }});
}

}  // namespace sb::plugins::authz::http
