#include "plugins/authn/http/http.h"

#include "access/authn/http_tls.h"
#include "base/json_text.h"
#include "base/log.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>

namespace sb::plugins::authn::http {

using access::Authenticated;
namespace json = boost::json;

namespace {
constexpr const char* kId = "password_based:http";

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

/// The end of scheme and host, where the path begins.
std::size_t end_of_host(std::string_view url) {
  const auto host = url.find("://");
  if (host == std::string_view::npos) return 0;
  return std::min(url.find_first_of("/?#", host + 3), url.size());
}

void check_settings(config::Checker& c, const config::Value& v, Settings& s) {
  const bool tls = s.url.starts_with("https://");
  if (!tls && !s.url.starts_with("http://")) c.broken(v, "url", "bad_url", "http:// or https://");
  if (s.url.substr(0, end_of_host(s.url)).find("${") != std::string::npos)
    c.broken(v, "url", "placeholder_in_host", "placeholders in path and query only");
  if (tls != s.ssl.enable)
    c.broken(v, "ssl", "scheme_and_ssl_differ", "ssl.enable = true with https://, false with http://");
  const bool post = s.method == RequestMethod::Post;
  s.header_map = {{"accept", "application/json"},
                  {"cache-control", "no-cache"},
                  {"connection", "keep-alive"},
                  {"keep-alive", "timeout=30, max=1000"}};
  if (post) s.header_map.emplace("content-type", "application/json");
  if (const auto* headers = s.headers.if_object())
    for (const auto& [name, value] : *headers) {
      const std::string text = value.text();
      if (!value.is_scalar() || (name + text).find_first_of("\r\n") != std::string::npos ||
          name.find(':') != std::string::npos)
        c.broken(v, "headers", "bad_header", "names and one-line texts");
      s.header_map.insert_or_assign(lower(name), text);
    }
  if (!post && s.header_map.contains("content-type"))
    c.broken(v, "headers", "content_type_with_get", "no content-type with method = get");
  if (post) {
    const std::string& type = s.header_map.at("content-type");
    if (!type.starts_with("application/json") && !type.starts_with("application/x-www-form-urlencoded"))
      c.broken(v, "headers", "unsupported_content_type", "application/json or application/x-www-form-urlencoded");
  }
}

/// Members of an answer, whatever it is written in; nullopt: unreadable.
std::optional<json::object> members_of(const driver::http::ClientResponse& answer, bool& is_json) {
  is_json = answer.content_type.starts_with("application/json");
  if (is_json) {
    boost::system::error_code error;
    json::value value = json::parse(answer.body, error);
    if (error || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
  }
  if (!answer.content_type.starts_with("application/x-www-form-urlencoded")) return std::nullopt;
  json::object out;
  std::string_view rest = answer.body;
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) continue;
    out[pair.substr(0, equals)] = std::string(pair.substr(equals + 1));
  }
  return out;
}

bool truth(const json::value* value) {
  if (!value) return false;
  if (value->is_bool()) return value->get_bool();
  if (value->is_int64()) return value->get_int64() >= 1;
  if (value->is_uint64()) return true;
  if (!value->is_string()) return false;
  const std::string_view text = value->get_string();
  if (text == "true") return true;
  long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number >= 1;
}
}  // namespace

const config::Struct& Settings::schema() {
  using S = Settings;
  static const config::Struct s =
      config::authn_schema<S>(kId, true)
          .doc("An HTTP service decides.")
          .field("method", &S::method, {.doc = "Method of the request.", .required = true})
          .field("url", &S::url, {.min = 1, .doc = "Address; path and query may hold placeholders.", .required = true})
          .field("headers", &S::headers, {.def = "{}", .doc = "Header fields, over the defaults."})
          .field("body", &S::body, {.def = "{}", .doc = "Members of the body, or of the query with GET."})
          .field("request_timeout", &S::request_timeout,
                 {.def = "5s", .min = 1, .max = 600'000, .doc = "Limit of a request."})
          .field("connect_timeout", &S::connect_timeout,
                 {.def = "15s", .min = 1, .max = 600'000, .doc = "Limit of a connection attempt."})
          .field("pool_size", &S::pool_size, {.def = "8", .min = 1, .max = 1024, .doc = "Connections."})
          .field("enable_pipelining", &S::enable_pipelining,
                 {.def = "100", .min = 1, .doc = "Accepted; requests go side by side instead."})
          .field("ssl", &S::ssl, {.doc = "TLS to the service."})
          .prepare([](config::Checker&, config::Value& v) {
            if (auto* headers = v.find("headers")) config::mask_by_name(*headers);
            if (auto* body = v.find("body")) config::mask_by_name(*body);
          })
          .finish([](config::Checker& c, const config::Value& v, S& settings) { check_settings(c, v, settings); })
          .build();
  return s;
}

std::optional<Authenticated> read_answer(const driver::http::ClientResponse& answer, std::int64_t now_ms) {
  if (answer.status == 204) return Authenticated{};
  if (answer.status != 200) return std::nullopt;
  bool is_json = false;
  const auto members = members_of(answer, is_json);
  if (!members) {
    SB_LOG(log::Level::Error, "http_authn_bad_answer", kv("content_type", answer.content_type),
           kv("bytes", answer.body.size()));
    return std::nullopt;
  }
  const json::value* result = members->if_contains("result");
  if (!result || !result->is_string()) return std::nullopt;
  if (result->get_string() == "deny") return Authenticated::refused(ReasonCode::NotAuthorized);
  if (result->get_string() != "allow") return std::nullopt;
  Authenticated out;
  out.superuser = truth(members->if_contains("is_superuser"));
  // 5.8: seconds since 1970 at which the permission ends. One that is over already is none.
  if (const json::value* end = members->if_contains("expire_at"); end && end->is_int64()) {
    if (end->get_int64() <= now_ms / 1000) return Authenticated::refused(ReasonCode::NotAuthorized);
    if (end->get_int64() < INT64_MAX / 1000) out.until_ms = end->get_int64() * 1000;
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
    const bool sent = provider_.client_->send(
        provider_.request_for(credentials), [reply = std::move(reply), &loop = loop_,
                                             &provider = provider_](sb::Result<driver::http::ClientResponse> answer) {
          provider.note(answer.has_value(), answer ? std::string() : answer.error().what);
          loop.post([reply, &loop, answer = std::move(answer)] {
            reply(answer ? read_answer(*answer, loop.wall_ms()) : std::nullopt);
          });
        });
    // Too many wait already: not decided here, and the chain's end refuses.
    if (!sent) return {};
    return {true, {}};
  }

 private:
  Http& provider_;  // the chain that this stands in holds it
  runtime::Loop& loop_;
};

Http::Http(const access::authn::Services& services, const std::string& chain, std::shared_ptr<const Settings> settings)
    : services_(services), resource_(fmt::format("authenticator:{}:{}", kId, chain)), settings_(std::move(settings)) {}

void Http::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  if (client_) client_->stop();
  const std::lock_guard guard(mutex_);
  if (std::exchange(alarmed_, false)) services_.alarms.deactivate(resource_);
}

Http::~Http() {
  stop();  // what is on its way is answered by this
}

Result<> Http::prepare() {
  const Settings& s = *settings_;
  const auto note_unknown = [this](const access::authn::Template& text) {
    for (const std::string& name : text.unknown())
      SB_LOG(log::Level::Warning, "unknown_placeholder", kv("resource_id", resource_), kv("name", name));
  };
  url_ = access::authn::Template(s.url);
  note_unknown(url_);
  for (const auto& [name, text] : s.header_map) headers_.emplace_back(name, access::authn::Template(text));
  form_ = s.method == RequestMethod::Get || s.header_map.at("content-type").starts_with("application/x-www-form");
  if (const auto* body = s.body.if_object())
    for (const auto& [name, value] : *body) {
      if (value.is_string()) {
        body_.push_back({name, access::authn::Template(value.text()), {}});
        note_unknown(body_.back().text);
      } else {
        body_.push_back({name, {}, config::to_json(value, {.reveal = true, .pretty = false})});
      }
    }
  SB_TRY(auto tls, access::authn::http_tls(s.ssl));
  client_ = std::make_unique<driver::http::Client>(driver::http::ClientOptions{
      .name = "authn-http", .pool_size = s.pool_size, .connect_timeout = s.connect_timeout, .tls = std::move(tls)});
  return {};
}

driver::http::ClientRequest Http::request_for(const access::Credentials& credentials) const {
  driver::http::ClientRequest out;
  out.timeout = settings_->request_timeout;
  out.url = url_.render(credentials, access::authn::percent_encode);
  for (const auto& [name, text] : headers_) {
    // A value of the client's must not begin a header of its own.
    out.headers.emplace_back(name, text.render(credentials, [](std::string_view value) {
      std::string clean;
      for (const char c : value)
        if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) clean += c;
      return clean;
    }));
  }
  std::string content;
  for (const Field& field : body_) {
    if (form_) {
      content += content.empty() ? "" : "&";
      content += access::authn::percent_encode(field.name) + "=" +
                 access::authn::percent_encode(field.raw.empty() ? field.text.render(credentials) : field.raw);
    } else {
      content += content.empty() ? "{" : ",";
      content +=
          json_quoted(field.name) + ":" + (field.raw.empty() ? json_quoted(field.text.render(credentials)) : field.raw);
    }
  }
  if (settings_->method == RequestMethod::Post) {
    out.method = "POST";
    out.body = form_ ? content : (content.empty() ? "{}" : content + "}");
  } else if (!content.empty()) {
    out.url += (out.url.find('?') == std::string::npos ? "?" : "&") + content;
  }
  return out;
}

void Http::note(bool answered, const std::string& reason) {
  const std::lock_guard guard(mutex_);
  if (stopping_ || answered == !alarmed_) return;
  alarmed_ = !answered;
  if (answered) {
    services_.alarms.deactivate(resource_);
    return;
  }
  SB_LOG(log::Level::Warning, "resource_down", kv("resource_id", resource_), kv("reason", reason));
  services_.alarms.activate(resource_, "resource down: " + reason,
                            {{"resource_id", json_quoted(resource_)}, {"reason", "\"resource_down\""}});
}

access::authn::Provider::State Http::state() const {
  using access::authn::Health;
  const std::string trouble = client_->trouble();
  return trouble.empty() ? State{} : State{Health::Disconnected, trouble};
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
                  auto made =
                      std::make_shared<Http>(services, chain, std::static_pointer_cast<const Settings>(settings));
                  SB_CHECKED(made->prepare());
                  return made;
                }});
}

}  // namespace sb::plugins::authn::http
