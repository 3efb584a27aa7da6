// What an authenticator and an authorization source that ask an HTTP service have in common: their keys, the request
// that is made of them, how an answer is read.
#pragma once

#include "access/authn/provider.h"
#include "access/authn/template.h"
#include "base/json_text.h"
#include "config/hocon.h"
#include "config/roots/listener.h"
#include "driver/http/connection.h"
#include "driver/resource/resource.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sb::access::authn {

enum class RequestMethod : std::uint8_t { Get, Post };

struct HttpSettings {
  RequestMethod method = RequestMethod::Post;
  std::string url;
  config::Value headers;
  config::Value body;
  config::milliseconds request_timeout{};
  config::milliseconds connect_timeout{};
  std::uint32_t pool_size = 8;
  std::uint32_t enable_pipelining = 100;
  config::ClientTls ssl;

  std::map<std::string, std::string> header_map;  // lower-case names, defaults included
  /// Members of the body are written as in a form: GET, or by content type.
  bool form() const;
};

/// Whether it is http or https with a host and, if it names one, a port that can be.
bool has_host(std::string_view url);
/// How many segments of the path are `.` or `..` for a server that decodes it once or twice, takes a backslash for a
/// slash, or leaves out what follows a semicolon.
std::size_t dot_segments(std::string_view url);
/// Rules between the keys; fills header_map.
void check_http_settings(config::Checker& c, const config::Value& v, HttpSettings& s);
/// Reads the values of headers and body that are file://.
[[nodiscard]] Result<> read_secrets(HttpSettings& s);
/// Whether the files of headers, body and TLS can be read.
[[nodiscard]] std::optional<Unusable> review_secrets(const HttpSettings& s);
/// How the service is reached and watched.
[[nodiscard]] Result<driver::resource::Options> http_resource(const HttpSettings& s, std::string thread_name);
/// A value of the client's must not begin a header of its own.
std::string header_value(std::string_view value);

/// The keys. S derives from HttpSettings.
template <class S>
config::Schema<S>& add_http_fields(config::Schema<S>& s, std::string_view request_timeout) {
  const auto of = []<class M>(M HttpSettings::*member) { return static_cast<M S::*>(member); };
  s.field("method", of(&HttpSettings::method), {.doc = "Method of the request.", .required = true})
      .field("url", of(&HttpSettings::url),
             {.min = 1, .doc = "Address; path and query may hold placeholders.", .required = true})
      .field("headers", of(&HttpSettings::headers), {.def = "{}", .doc = "Header fields, over the defaults."})
      .field("body", of(&HttpSettings::body), {.def = "{}", .doc = "Members of the body, or of the query with GET."})
      .field("request_timeout", of(&HttpSettings::request_timeout),
             {.def = request_timeout, .min = 1, .max = 600'000, .doc = "Limit of a request."})
      .field("connect_timeout", of(&HttpSettings::connect_timeout),
             {.def = "15s", .min = 1, .max = 600'000, .doc = "Limit of a connection attempt."})
      .field("pool_size", of(&HttpSettings::pool_size), {.def = "8", .min = 1, .max = 1024, .doc = "Connections."})
      .field("enable_pipelining", of(&HttpSettings::enable_pipelining),
             {.def = "100", .min = 1, .doc = "Accepted; requests go side by side instead."})
      .field("ssl", of(&HttpSettings::ssl), {.doc = "TLS to the service."})
      .prepare([](config::Checker&, config::Value& v) {
        if (auto* headers = v.find("headers")) config::mask_by_name(*headers);
        if (auto* body = v.find("body")) config::mask_by_name(*body);
      })
      .finish([](config::Checker& c, const config::Value& v, S& settings) { check_http_settings(c, v, settings); });
  return s;
}

/// A request with placeholders. Text: Template, or one with more of them. Immutable once made, any thread.
template <class Text>
class HttpRequestTemplate {
 public:
  HttpRequestTemplate() = default;
  explicit HttpRequestTemplate(const HttpSettings& s)
      : url_(s.url), form_(s.form()), post_(s.method == RequestMethod::Post), timeout_(s.request_timeout) {
    note(url_);
    for (const auto& [name, text] : s.header_map) headers_.emplace_back(name, Text(text));
    const auto* body = s.body.if_object();
    if (!body) return;
    for (const auto& [name, value] : *body) {
      if (value.is_string()) {
        body_.push_back({name, Text(value.text()), {}});
        note(body_.back().text);
      } else {
        body_.push_back({name, {}, config::to_json(value, {.reveal = true, .pretty = false})});
      }
    }
  }

  /// `render(text, encode)` puts the values in. Invalid: one of them would lead to another path.
  template <class Render>
  [[nodiscard]] Result<driver::http::ClientRequest> make(const Render& render) const {
    const typename Text::Encode plain;
    driver::http::ClientRequest out;
    out.timeout = timeout_;
    out.url = render(url_, percent_encode);
    // Servers go up at `..`, whoever wrote it: only what the settings themselves say may.
    const auto letter = [](std::string_view) { return std::string("x"); };
    if (const auto dots = dot_segments(out.url); dots > 0 && dots != dot_segments(render(url_, letter)))
      return fail(Errc::Invalid, "a value that would be a segment . or .. of the path");
    for (const auto& [name, text] : headers_) out.headers.emplace_back(name, render(text, header_value));
    std::string content;
    for (const Field& field : body_) {
      const std::string value = field.raw.empty() ? render(field.text, plain) : field.raw;
      if (form_) {
        content += content.empty() ? "" : "&";
        content += percent_encode(field.name) + "=" + percent_encode(value);
      } else {
        content += content.empty() ? "{" : ",";
        content += json_quoted(field.name) + ":" + (field.raw.empty() ? json_quoted(value) : value);
      }
    }
    if (post_) {
      out.method = "POST";
      out.body = form_ ? content : (content.empty() ? "{}" : content + "}");
    } else if (!content.empty()) {
      out.url += (out.url.find('?') == std::string::npos ? "?" : "&") + content;
    }
    return out;
  }
  /// Placeholders that are not known, for a warning.
  const std::vector<std::string>& unknown() const { return unknown_; }

 private:
  struct Field {
    std::string name;
    Text text;  // of a text; others go as they are written
    std::string raw;
  };
  void note(const Text& text) { unknown_.insert(unknown_.end(), text.unknown().begin(), text.unknown().end()); }

  Text url_;
  std::vector<std::pair<std::string, Text>> headers_;
  std::vector<Field> body_;
  bool form_ = false;
  bool post_ = false;
  Millis timeout_{};
  std::vector<std::string> unknown_;
};

/// Members of an answer as text: strings as they are, numbers and booleans as they are written; others are left out.
/// nullopt: the status is not 200, which says nothing. Invalid: the service fails, or the answer cannot be read.
/// `assumed_type` counts where the answer names none.
using HttpMembers = std::map<std::string, std::string, std::less<>>;
[[nodiscard]] Result<std::optional<HttpMembers>> http_members(const driver::http::ClientResponse& answer,
                                                              std::string_view assumed_type = {});

}  // namespace sb::access::authn

template <>
struct sb::config::EnumNames<sb::access::authn::RequestMethod> {
  static constexpr std::string_view names[] = {"get", "post"};
};
