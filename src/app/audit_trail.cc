#include "app/audit_trail.h"

#include "base/json_text.h"
#include "base/secret.h"
#include "base/secret_name.h"
#include "base/time_text.h"
#include "config/hocon.h"
#include "http/upload.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cmath>

namespace sb::app {

namespace json = http::json;

namespace {

constexpr std::string_view kBase = "/api/v5";
constexpr std::string_view kCommandHeader = "x-ctl-command";
constexpr std::size_t kFailureMax = 4096;
constexpr std::size_t kRefusalMax = 16 << 10;                 // in which each key of a body is looked for
constexpr std::string_view kPrivateKey = "PRIVATE KEY-----";  // PEM
/// What programs do many times a second, without the base.
constexpr std::string_view kFrequent[] = {"/publish",
                                          "/publish/bulk",
                                          "/clients/{clientid}/subscribe",
                                          "/clients/{clientid}/subscribe/bulk",
                                          "/clients/{clientid}/unsubscribe",
                                          "/clients/{clientid}/unsubscribe/bulk",
                                          "/clients/kickout/bulk"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Whether a refusal speaks of this key: at the end of a path, in a line ("a.b: expected ...") or in JSON ("a.b").
bool complains_of(std::string_view refusal, std::string_view key) {
  for (auto at = refusal.find(key); !key.empty() && at != refusal.npos; at = refusal.find(key, at + 1)) {
    const std::string_view after = refusal.substr(at + key.size());
    const bool begins = at == 0 || std::string_view(" .\"\n\t'").find(refusal[at - 1]) != std::string_view::npos;
    // Within the message of an answer the quotes are escaped; before a colon they are those of a JSON key.
    const bool ends = after.starts_with(':') || (after.starts_with('"') && !after.starts_with("\":")) ||
                      (after.starts_with("\\\"") && !after.starts_with("\\\":")) || after.starts_with(" =");
    if (begins && ends) return true;
  }
  return false;
}

/// Every value in it, however deep; the keys stay.
void hide(json::value& value) {
  if (auto* array = value.if_array()) {
    for (json::value& element : *array) hide(element);
  } else if (auto* object = value.if_object()) {
    for (auto& [key, member] : *object) hide(member);
  } else if (!value.is_null() && !value.is_bool()) {
    value = kMasked;
  }
}

/// What a misspelt key holds may be a password: the key is recorded, its value is not. `declared`: the keys of the
/// operation, where it names them.
void mask_unknown(json::value& value, std::string_view refusal, const std::vector<http::Field>& declared) {
  if (auto* array = value.if_array()) {
    for (json::value& element : *array) mask_unknown(element, refusal, declared);
  } else if (auto* object = value.if_object()) {
    const auto known = [&declared](std::string_view key) {
      return declared.empty() ||
             std::any_of(declared.begin(), declared.end(), [key](const http::Field& f) { return f.name == key; });
    };
    for (auto& [key, member] : *object) {
      if (!known(key) || complains_of(refusal, key))
        hide(member);
      else
        mask_unknown(member, refusal, {});
    }
  }
}

/// "/mqtt/retainer/message/:topic"
std::string operation_of(std::string_view path) {
  if (path.starts_with(kBase)) path.remove_prefix(kBase.size());
  std::string out;
  for (const char c : path) {
    if (c == '{') out += ':';
    if (c != '{' && c != '}') out += c;
  }
  return out;
}

std::string first_segment(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  return std::string(path.substr(0, path.find('/')));
}

json::value body_of(const http::Call& call) {
  const http::Request& request = call.request;
  const std::uint64_t size = request.upload ? request.upload->size() : request.body.size();
  if (size == 0) return json::object();
  if (size > AuditTrail::kBodyMax || request.content_type.starts_with("multipart/"))
    return json::value(fmt::format("{} bytes", size));
  json::error_code error;
  json::value parsed = json::parse(request.body, error);
  if (error) {
    // Configuration comes as HOCON; what is neither may hold anything.
    config::Problems problems;
    const config::Value value = config::parse_document(request.body, "body", problems);
    if (problems.empty()) parsed = json::parse(config::to_json(value), error);
    if (!problems.empty() || error) return json::value(fmt::format("{} bytes", size));
  }
  AuditTrail::mask(parsed);
  return parsed;
}

json::object request_of(const http::Audited& audited, std::string_view method) {
  json::object headers;
  // The command line is shown as `args`, without its secrets.
  for (const auto& [name, value] : audited.call.request.headers)
    if (name != kCommandHeader) headers[name] = value;
  json::object bindings;
  for (const http::Parameter& parameter : audited.endpoint.parameters)
    if (parameter.in == http::Parameter::In::Path)
      if (const auto* value = audited.call.parameters.if_contains(parameter.name)) bindings[parameter.name] = *value;
  json::value masked = json::object{{"headers", std::move(headers)}, {"bindings", std::move(bindings)}};
  AuditTrail::mask(masked);
  json::value body = body_of(audited.call);
  const http::Response& response = audited.response;
  // A field that is missing may be there under another name.
  if (response.status >= 400 && (response.body.find("unknown_fields") != response.body.npos ||
                                 response.body.find("config_key_not_recognized") != response.body.npos ||
                                 response.body.find("required_field") != response.body.npos)) {
    if (response.body.size() > kRefusalMax)
      hide(body);
    else
      mask_unknown(body, response.body,
                   audited.endpoint.body ? audited.endpoint.body->fields : std::vector<http::Field>{});
  }
  // The key of a licence is named like any other key: only its place tells.
  if (audited.endpoint.path.starts_with("/api/v5/license") && body.is_object() && body.get_object().contains("key"))
    body.get_object()["key"] = kMasked;
  masked.get_object()["method"] = method;
  masked.get_object()["body"] = std::move(body);
  return std::move(masked.get_object());
}

json::value failure_of(const http::Response& response) {
  if (response.status < 300) return "";
  json::error_code error;
  json::value body = json::parse(response.body, error);
  // Refused configuration text is answered in words.
  if (error) return json::value(logged_urls(std::string_view(response.body).substr(0, kFailureMax)));
  AuditTrail::mask(body);
  return body;
}

/// What `ctl` says it was called with: JSON, percent-encoded.
json::array command_of(const http::Request& request) {
  const auto text = http::percent_decode(request.header(kCommandHeader), false);
  if (!text || text->empty()) return {};
  json::error_code error;
  json::value parsed = json::parse(*text, error);
  if (error || !parsed.is_array()) return {};
  json::array words = std::move(parsed.get_array());
  const auto word = [&](std::size_t i) {
    return i < words.size() && words[i].is_string() ? std::string_view(words[i].get_string()) : std::string_view();
  };
  if (word(0) == "admins" && (word(1) == "add" || word(1) == "passwd") && words.size() > 3) words[3] = kMasked;
  if (word(0) == "license" && word(1) == "update" && words.size() > 2) words[2] = kMasked;
  return words;
}

log::Level level_of(unsigned status) {
  if (status < 300) return log::Level::Info;
  if (status < 400) return log::Level::Warning;
  return status < 500 ? log::Level::Error : log::Level::Critical;
}

}  // namespace

void AuditTrail::mask(json::value& value) {
  if (auto* array = value.if_array()) {
    for (json::value& element : *array) mask(element);
  } else if (auto* object = value.if_object()) {
    for (auto& [key, member] : *object) {
      // Keys of the API are not secret by their configuration: `api_key` is a root as well.
      if (names_secret(key) && !member.is_null() && !(key == "api_key" && member.is_object()))
        member = kMasked;
      else
        mask(member);
      // The key of a licence is named like any other key: only its place tells.
      if (key == "license" && member.is_object() && member.get_object().contains("key"))
        member.get_object()["key"] = kMasked;
    }
  } else if (value.is_string()) {
    const std::string_view text = value.get_string();
    if (text.find(kPrivateKey) != text.npos) {
      value = kMasked;
    } else if (std::string shown = logged_urls(text); shown != text) {
      value = std::move(shown);
    }
  } else if (value.is_double() && !std::isfinite(value.get_double())) {
    value = nullptr;  // JSON has no such number
  }
}

std::string AuditTrail::masked_query(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    const auto equals = std::min(part.find('='), part.size());
    const auto name = http::percent_decode(part.substr(0, equals), true);
    out += equals == part.size() || (name && !names_secret(*name))
               ? std::string(part)
               : fmt::format("{}={}", part.substr(0, equals), kMasked);
    query.remove_prefix(part.size());
    if (query.starts_with('&')) {
      out += '&';
      query.remove_prefix(1);
    }
  }
  return out;
}

void AuditTrail::set(const config::LogHandler& settings) {
  service_.audit().set_max(settings.max_filter_size);
  skip_frequent_ = settings.ignore_high_frequency_request;
  if (settings.enable || !service_.audited()) {
    service_.set_audited(settings.enable);
    return;
  }
  // The request that switches it off is itself recorded.
  service_.loop().post([&service = service_] { service.set_audited(false); });
}

void AuditTrail::record(const http::Audited& audited) {
  if (!service_.audited()) return;
  const http::Request& request = audited.call.request;
  const std::string_view path = audited.endpoint.path;
  if (skip_frequent_ && path.starts_with(kBase) && audited.endpoint.method == http::Method::Post &&
      std::find(std::begin(kFrequent), std::end(kFrequent), path.substr(kBase.size())) != std::end(kFrequent))
    return;

  const std::string method = lower(http::to_string(audited.endpoint.method));
  management::AuditEntry entry;
  entry.operation_id = operation_of(path);
  entry.operation_type = first_segment(entry.operation_id);
  entry.result = audited.response.status < 300 ? "success" : "failure";
  entry.status = audited.response.status;
  entry.method = method;
  entry.duration_ms = std::chrono::duration_cast<Millis>(audited.took).count();
  json::value arguments = "";
  json::object only_file;
  switch (request.actor) {
    case http::Actor::Cli: {
      entry.from = "cli";
      json::array words = command_of(request);
      if (!words.empty() && words[0].is_string()) {
        entry.operation_type = std::string_view(words[0].get_string());
        only_file["cmd"] = words[0];
        words.erase(words.begin());
        arguments = std::move(words);
      }
      // As in the reference: a command has no result of HTTP. `failure` tells whether it failed.
      entry.result.clear();
      entry.status = 0;
      break;
    }
    case http::Actor::ApiKey:
      entry.from = "rest_api";
      only_file["auth_type"] = "api_key";
      break;
    case http::Actor::User:
      entry.from = "dashboard";
      only_file["auth_type"] = "jwt_token";
      break;
    case http::Actor::Nobody:
      entry.from = request.refused_key ? "rest_api" : "dashboard";
      break;
  }
  entry.source = request.user;
  if (entry.source.empty() && entry.operation_id == "/login" && audited.call.body.is_object())
    if (const auto* name = audited.call.body.get_object().if_contains("username"); name && name->is_string())
      entry.source = std::string_view(name->get_string());
  entry.source_ip = request.peer;
  json::object record{{"args", std::move(arguments)},
                      {"failure", failure_of(audited.response)},
                      {"http_request", request_of(audited, method)}};
  if (!audited.response.report.is_null()) record["report"] = audited.response.report;
  if (!request.query.empty()) only_file["query_string"] = masked_query(request.query);
  keep(std::move(entry), std::move(record), level_of(audited.response.status), only_file);
}

void AuditTrail::record_command(const std::string& command, const std::vector<std::string>& arguments) {
  if (!service_.audited()) return;
  management::AuditEntry entry;
  entry.from = "cli";
  entry.operation_type = command;
  json::array words(arguments.begin(), arguments.end());
  keep(std::move(entry), {{"args", std::move(words)}, {"failure", ""}, {"http_request", ""}}, log::Level::Info,
       {{"cmd", command}});
}

void AuditTrail::keep(management::AuditEntry entry, json::object record, log::Level level,
                      const json::object& only_file) {
  const management::Environment& environment = service_.environment();
  entry.created_us = environment.clock->wall_ms() * 1000;
  const bool http = entry.status != 0;
  record["created_at"] = rfc3339_ns(entry.created_us * 1000, 6);
  record["node"] = environment.node;
  record["from"] = entry.from;
  record["source"] = entry.source;
  record["source_ip"] = entry.source_ip;
  record["operation_id"] = entry.operation_id;
  record["operation_type"] = entry.operation_type;
  record["operation_result"] = entry.result;
  record["http_status_code"] = http ? json::value(entry.status) : json::value("");
  record["http_method"] = entry.method;
  record["duration_ms"] = entry.operation_id.empty() ? json::value("") : json::value(entry.duration_ms);
  // What was refused may hold any bytes; the record is read again.
  std::string text = utf8_text(json::serialize(record));
  if (log_) {
    json::object line = record;
    for (const auto& [key, value] : only_file) line[key] = value;
    std::vector<log::Field> fields;
    for (const auto& [key, value] : line) {
      // Keys are views of literals: of the record's own names only.
      static constexpr std::string_view kNames[] = {"created_at",
                                                    "node",
                                                    "from",
                                                    "source",
                                                    "source_ip",
                                                    "operation_id",
                                                    "operation_type",
                                                    "operation_result",
                                                    "http_status_code",
                                                    "http_method",
                                                    "http_request",
                                                    "duration_ms",
                                                    "args",
                                                    "failure",
                                                    "report",
                                                    "auth_type",
                                                    "query_string",
                                                    "cmd"};
      const auto name = std::find(std::begin(kNames), std::end(kNames), std::string_view(key));
      if (name == std::end(kNames)) continue;
      const bool quoted = value.is_string();
      fields.push_back(
          {*name, quoted ? std::string(std::string_view(value.get_string())) : json::serialize(value), quoted});
    }
    log_->audit(level, "audit", std::move(fields));
  }
  service_.audit().add(std::move(entry), std::move(text));
}

}  // namespace sb::app
