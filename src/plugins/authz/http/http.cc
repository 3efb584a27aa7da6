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

Answer read_answer(const driver::http::ClientResponse& answer) {
  if (answer.status == 204) return Answer::Allow;
  if (answer.status != 200) return Answer::NoMatch;
  const auto members = access::authn::http_members(answer, "application/json");
  if (!members) {
    SB_LOG(log::Level::Error, "http_authz_bad_answer", kv("content_type", answer.content_type),
           kv("bytes", answer.body.size()));
    return Answer::NoMatch;
  }
  const auto result = members->find("result");
  if (result == members->end()) return Answer::NoMatch;
  if (result->second == "allow") return Answer::Allow;
  if (result->second == "deny") return Answer::Deny;
  return result->second == "ignore" ? Answer::Ignore : Answer::NoMatch;
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
    const bool sent = source_.client_->send(
        std::move(request),
        [reply = std::move(reply), &loop = loop_, &source = source_](Result<driver::http::ClientResponse> answer) {
          source.alarm_.note(answer.has_value(), answer ? std::string() : answer.error().what);
          loop.post([reply, answer = std::move(answer)] { reply(answer ? read_answer(*answer) : Answer::Ignore); });
        });
    // Too many wait already: it says nothing.
    return sent ? Answer::Pending : Answer::Ignore;
  }

 private:
  Http& source_;  // the policy that this stands in holds it
  runtime::Loop& loop_;
};

Http::Http(const access::authz::Services& services, std::shared_ptr<const Settings> settings)
    : settings_(std::move(settings)), request_(*settings_), alarm_(services.alarms, "authorization:http") {}

Http::~Http() {
  stop();  // what is on its way is answered by this
}

Result<> Http::prepare() {
  for (const std::string& name : request_.unknown())
    SB_LOG(log::Level::Warning, "unknown_placeholder", kv("resource_id", alarm_.resource()), kv("name", name));
  SB_TRY(auto options, access::authn::http_client_options(*settings_, "authz-http"));
  client_ = std::make_unique<driver::http::Client>(std::move(options));
  return {};
}

void Http::stop() {
  if (client_) client_->stop();
  alarm_.stop();
}

access::authz::Source::State Http::state() const {
  const std::string trouble = client_->trouble();
  return trouble.empty() ? State{} : State{access::authz::Health::Disconnected, trouble};
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
                  auto made = std::make_shared<Http>(services, std::static_pointer_cast<const Settings>(settings));
                  SB_CHECKED(made->prepare());
                  return made;
                }});
}

}  // namespace sb::plugins::authz::http
