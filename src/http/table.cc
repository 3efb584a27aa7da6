#include "http/table.h"

#include "base/check.h"
#include "base/log.h"
#include "http/etag.h"
#include "http/upload.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <cmath>

namespace sb::http {

std::vector<Table::Segment> Table::split(std::string_view path) {
  std::vector<Segment> out;
  while (!path.empty()) {
    path.remove_prefix(1);  // '/'
    const auto end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part.starts_with('{') && part.ends_with('}'))
      out.push_back({{}, std::string(part.substr(1, part.size() - 2))});
    else
      out.push_back({std::string(part), {}});
    path.remove_prefix(end);
  }
  return out;
}

void Table::add(Endpoint endpoint) {
  SB_CHECK(endpoint.path.starts_with('/') && endpoint.handler, "an endpoint needs a path and a handler");
  const auto segments = split(endpoint.path);
  auto owned = std::make_unique<const Endpoint>(std::move(endpoint));
  auto route = std::find_if(routes_.begin(), routes_.end(),
                            [&](const Route& known) { return known.endpoints.front()->path == owned->path; });
  if (route == routes_.end()) route = routes_.insert(routes_.end(), Route{segments, {}});
  for (const Endpoint* known : route->endpoints)
    SB_CHECK(known->method != owned->method, "an endpoint is declared twice");
  route->endpoints.push_back(owned.get());
  endpoints_.push_back(std::move(owned));
}

std::optional<Table::Match> Table::find(std::string_view path) const {
  if (!path.starts_with('/')) return std::nullopt;
  std::vector<std::string_view> parts;
  for (std::string_view rest = path; !rest.empty();) {
    rest.remove_prefix(1);
    const auto end = std::min(rest.find('/'), rest.size());
    parts.push_back(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  // Literal segments win over parameters, from left to right.
  const Route* best = nullptr;
  for (const Route& route : routes_) {
    if (route.segments.size() != parts.size()) continue;
    bool fits = true;
    bool better = best == nullptr;
    bool decided = best == nullptr;
    for (std::size_t i = 0; fits && i < parts.size(); ++i) {
      const bool literal = route.segments[i].parameter.empty();
      fits = literal ? route.segments[i].literal == parts[i] : !parts[i].empty();
      if (decided || !fits) continue;
      const bool best_literal = best->segments[i].parameter.empty();
      if (literal != best_literal) {
        better = literal;
        decided = true;
      }
    }
    if (fits && better) best = &route;
  }
  if (!best) return std::nullopt;
  Match out;
  out.route = best;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (!best->segments[i].parameter.empty()) out.parameters.emplace_back(best->segments[i].parameter, parts[i]);
  return out;
}

namespace {

/// Parameters come as text; the schema's leniency makes them what they should be.
void take(const Parameter& parameter, std::string text, json::object& out, std::vector<Complaint>& complaints) {
  json::value value = json::string(text);
  check(parameter.schema, value, parameter.name, complaints);
  out[parameter.name] = std::move(value);
}

/// application/json or application/…+json, with or without parameters.
bool is_json(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find(';')));
  for (char& c : type) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  while (type.ends_with(' ') || type.ends_with('\t')) type.pop_back();
  return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

/// JSON has no infinity: what overflows a double is none of it.
bool finite(const json::value& value) {
  if (const auto* array = value.if_array()) return std::all_of(array->begin(), array->end(), finite);
  if (const auto* object = value.if_object())
    return std::all_of(object->begin(), object->end(), [](const auto& member) { return finite(member.value()); });
  return !value.is_double() || std::isfinite(value.get_double());
}

std::optional<Response> read_body(const Endpoint& endpoint, Call& call, std::vector<Complaint>& complaints) {
  if (!endpoint.body) return std::nullopt;
  if (call.request.body.empty()) {
    call.body = json::object();
  } else if (!is_json(call.request.content_type)) {
    // 1.4 of management-api. What a page of another origin can send without asking is none of this kind, either.
    return Response::error(400, "BAD_REQUEST", "content-type: application/json is expected");
  } else {
    json::error_code error;
    call.body = json::parse(call.request.body, error);
    if (error || !finite(call.body)) return Response::error(400, "BAD_REQUEST", "Invalid json message received");
  }
  check(*endpoint.body, call.body, {}, complaints);
  return std::nullopt;
}

std::optional<Response> read_form(Call& call) {
  const std::string boundary = multipart_boundary(call.request.content_type);
  if (boundary.empty()) return std::nullopt;
  std::string_view bytes = call.request.body;
  if (call.request.upload) {
    const auto mapped = call.request.upload->bytes();
    if (!mapped) return Response::error(500, "INTERNAL_ERROR", mapped.error().what);
    bytes = *mapped;
  }
  auto parts = parse_multipart(bytes, boundary);
  if (!parts) return Response::error(400, "BAD_FORM_DATA", parts.error().what);
  const auto files = std::ranges::count_if(*parts, [](const Part& part) { return !part.file_name.empty(); });
  if (files > 1)  // which one is meant is not to be guessed
    return Response::error(400, "BAD_FORM_DATA", fmt::format("form: {} files, expected one", files));
  call.parts = std::move(*parts);
  return std::nullopt;
}

}  // namespace

std::optional<Response> Table::read(const Endpoint& endpoint, const Match& match, Call& call) {
  std::vector<Complaint> complaints;
  if (auto refused = read_body(endpoint, call, complaints)) return refused;
  if (endpoint.upload_max > 0)
    if (auto refused = read_form(call)) return refused;

  std::vector<std::pair<std::string, std::string>> query;
  for (std::string_view rest = call.request.query; !rest.empty();) {
    const auto end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    const auto name = percent_decode(pair.substr(0, equals), true);
    const auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value)
      return Response::error(400, "BAD_REQUEST",
                             fmt::format("query parameter '{}': bad percent encoding", pair.substr(0, 128)));
    query.emplace_back(*name, *value);
  }
  for (const Parameter& parameter : endpoint.parameters) {
    if (parameter.in == Parameter::In::Path) {
      for (const auto& [name, raw] : match.parameters) {
        if (name != parameter.name) continue;
        auto decoded = percent_decode(raw, false);
        if (!decoded)
          return Response::error(400, "BAD_REQUEST", fmt::format("path parameter '{}': bad percent encoding", name));
        take(parameter, std::move(*decoded), call.parameters, complaints);
      }
      continue;
    }
    if (parameter.repeated) {
      json::array all;
      for (const auto& [name, text] : query) {
        if (name != parameter.name || text.empty()) continue;
        json::object one;
        take(parameter, text, one, complaints);
        all.push_back(std::move(one[name]));
      }
      if (!all.empty()) call.parameters[parameter.name] = std::move(all);
      continue;
    }
    // Of a repeated key the last one counts; an empty one counts as not given.
    const auto given =
        std::find_if(query.rbegin(), query.rend(), [&](const auto& p) { return p.first == parameter.name; });
    if (given != query.rend() && !given->second.empty())
      take(parameter, given->second, call.parameters, complaints);
    else if (parameter.required)
      complaints.push_back({parameter.name, "required_field", expectation(parameter.schema), nullptr});
    else if (!parameter.fallback.is_null())
      call.parameters[parameter.name] = parameter.fallback;
  }
  if (!complaints.empty()) return refusal(complaints);
  return std::nullopt;
}

const Endpoint* Table::choose(const Match& match, std::string_view method) {
  const auto parsed = parse_method(method);
  for (const Endpoint* candidate : match.route->endpoints)
    if (candidate->any_method || parsed == candidate->method) return candidate;
  return nullptr;
}

namespace {

/// What the management interface answers is of now and for whoever asked, and of the type that it says.
Response guarded(Response response) {
  const bool kept = std::any_of(response.headers.begin(), response.headers.end(),
                                [](const auto& field) { return field.first == "cache-control"; });
  if (!kept) response.headers.emplace_back("cache-control", "no-store");
  response.headers.emplace_back("x-content-type-options", "nosniff");
  return response;
}

Response not_on_disk() {
  return Response::error(503, "SERVICE_UNAVAILABLE",
                         "done, but not on disk yet: the disk takes nothing at present (see the alarms). It is written "
                         "when the disk does again; a crash before that undoes it");
}

}  // namespace

BodyPlan Table::plan_body(Request& head) const {
  // What a stranger may make the server keep.
  constexpr std::size_t kUnasked = 64 << 10;
  BodyPlan plan;
  const auto match = find(head.path);
  const Endpoint* endpoint = match ? choose(*match, head.method) : nullptr;
  if (!endpoint || endpoint->access == Access::Open) {
    plan.max = kUnasked;
    return plan;
  }
  std::uint64_t length = 0;
  for (const char c : head.header("content-length"))
    if (c >= '0' && c <= '9' && length < (std::uint64_t{1} << 50))
      length = length * 10 + static_cast<unsigned>(c - '0');
  if (!head.header("transfer-encoding").empty()) length = kUnasked + 1;  // whatever it will be
  if (endpoint->upload_max > 0) plan.max = endpoint->upload_max;
  if (length <= kUnasked) return plan;
  if (gate_) {
    plan.refusal = gate_(head, *endpoint, match->parameters);
    if (plan.refusal) {
      if (audit_ && endpoint->method != Method::Get) {
        Call call;
        call.request = head;
        audit_({*endpoint, call, *plan.refusal, Nanos{0}});
      }
      plan.refusal = guarded(*std::move(plan.refusal));
      return plan;
    }
  }
  if (endpoint->upload_max == 0 || length > endpoint->upload_max) return plan;
  auto upload = Upload::create(upload_folder_);
  if (upload) {
    plan.upload = std::move(*upload);
  } else {
    SB_LOG(log::Level::Error, "upload_not_kept", kv("reason", upload.error().what));
    plan.refusal = Response::error(503, "SERVICE_UNAVAILABLE", "the upload cannot be kept");
  }
  return plan;
}

void Table::handle(Request request, Reply reply) const {
  reply = [reply = std::move(reply)](Response response) { reply(guarded(std::move(response))); };
  const auto match = find(request.path);
  if (!match) return reply(path_not_found(request.door == Door::Cli ? "application/json" : request.accept));
  const Endpoint* const endpoint = choose(*match, request.method);
  if (!endpoint) {
    Response response = Response::empty(405);
    std::string allowed;
    for (const Endpoint* candidate : match->route->endpoints)
      allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", to_string(candidate->method));
    response.headers.emplace_back("allow", allowed);
    return reply(std::move(response));
  }
  Call call;
  call.request = std::move(request);
  auto refused = gate_ ? gate_(call.request, *endpoint, match->parameters) : std::nullopt;
  if (!refused) refused = read(*endpoint, *match, call);
  if (audit_ && endpoint->method != Method::Get) {
    auto kept = std::make_shared<const Call>(call);
    reply = [this, endpoint, kept, began = clock_.monotonic(), reply = std::move(reply)](Response response) {
      audit_({*endpoint, *kept, response, clock_.monotonic() - began});
      reply(std::move(response));
    };
  }
  if (refused) return reply(std::move(*refused));
  if (endpoint->kept && keeper_)
    reply = [this, reply = std::move(reply)](Response response) {
      if (response.status >= 300) return reply(std::move(response));
      keeper_([reply, response = std::move(response)](bool kept) { reply(kept ? response : not_on_disk()); });
    };
  if (endpoint->method == Method::Get && choose(*match, "PUT"))
    reply = [reply = std::move(reply)](Response response) {
      if (std::string etag = etag_of(response); !etag.empty()) response.headers.emplace_back("etag", std::move(etag));
      reply(std::move(response));
    };
  if (endpoint->method == Method::Put && !call.request.header("if-match").empty()) {
    const std::string path = call.request.path;
    reply = [this, path, reply = std::move(reply)](Response response) {
      reply(std::move(response));
      next_turn(path);
    };
    return in_turn(path, [endpoint, match, call = std::move(call), reply = std::move(reply)] {
      run_if_unchanged(*endpoint, *match, call, reply);
    });
  }
  run(*endpoint, std::move(call), reply);
}

void Table::in_turn(const std::string& path, std::function<void()> start) const {
  auto& waiting = turns_[path];
  waiting.push_back(std::move(start));
  if (waiting.size() > 1) return;
  const auto first = waiting.front();  // it may be done, and gone, before it returns
  first();
}

void Table::next_turn(const std::string& path) const {
  const auto waiting = turns_.find(path);
  waiting->second.pop_front();
  if (waiting->second.empty()) {
    turns_.erase(waiting);
    return;
  }
  const auto next = waiting->second.front();
  next();
}

void Table::run_if_unchanged(const Endpoint& endpoint, const Match& match, Call call, const Reply& reply) {
  const Endpoint* const reads = choose(match, "GET");
  Call look;
  look.request = call.request;
  look.request.body.clear();
  look.request.query.clear();
  if (!reads || read(*reads, match, look)) return run(endpoint, std::move(call), reply);
  run(*reads, std::move(look), [&endpoint, call = std::move(call), reply](const Response& now) {
    if (now.status == 200 && !if_match_holds(call.request.header("if-match"), etag_of(now)))
      return reply(Response::error(412, "PRECONDITION_FAILED",
                                   "somebody has changed it meanwhile: read it again, nothing was changed now"));
    run(endpoint, call, reply);
  });
}

/// What a library throws at one request must not end the node.
void Table::run(const Endpoint& endpoint, Call call, const Reply& reply) {
  const auto answered = std::make_shared<bool>(false);
  const Reply once = [answered, reply](Response response) {
    *answered = true;
    reply(std::move(response));
  };
  try {
    endpoint.handler(std::move(call), once);
  } catch (const std::exception& error) {
    SB_LOG(log::Level::Critical, "management_request_failed", kv("endpoint", endpoint.path),
           kv("reason", error.what()));
    if (!*answered) once(Response::error(500, "INTERNAL_ERROR", "the request could not be served; the log says why"));
  }
}

}  // namespace sb::http
