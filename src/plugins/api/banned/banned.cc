// Bans (management-api 2.14).
#include "access/access_control.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

namespace sb::plugins::api::banned {

namespace {
using access::Ban;
using http::Call;
using http::Reply;
using http::Response;
namespace json = http::json;
namespace schema = http::schema;

json::object to_json(const Ban& ban) {
  return {{"as", access::to_string(ban.as)},
          {"who", ban.who},
          {"by", ban.by},
          {"reason", ban.reason},
          {"at", management::rfc3339_s(ban.at_ms)},
          {"until",
           ban.until_ms == Ban::kForever ? json::value("infinity") : json::value(management::rfc3339_s(ban.until_ms))}};
}

void list(access::AccessControl& access, const Call& call, const Reply& reply) {
  const http::Paging paging = http::paging_of(call);
  json::array rows;
  for (const Ban& ban : access.bans().list(paging.skip(), paging.limit)) rows.push_back(to_json(ban));
  const std::size_t count = access.bans().count_live();
  const bool more = !rows.empty() && count > paging.skip() + rows.size();
  reply(Response::of(http::page_answer(std::move(rows), paging, count, more)));
}

void create(access::AccessControl& access, const Call& call, const Reply& reply) {
  const json::object& body = call.object();
  const auto text = [&](const char* name) {
    const auto* value = body.if_contains(name);
    return value ? std::string(std::string_view(value->get_string())) : std::string();
  };
  Ban ban;
  ban.as = access::ban_kind(text("as")).value_or(access::BanKind::ClientId);
  ban.who = text("who");
  if (body.contains("by")) ban.by = text("by");
  ban.reason = text("reason");
  for (const auto& [name, to] : {std::pair{"at", &ban.at_ms}, std::pair{"until", &ban.until_ms}}) {
    if (!body.contains(name)) continue;
    if (name == std::string_view("until") && text(name) == "infinity") {
      *to = Ban::kForever;
      continue;
    }
    const auto time = management::parse_time(text(name), 1000);
    if (!time)
      return reply(http::refusal({{name, "bad_time", "seconds since 1970, or RFC 3339", json::value(text(name))}}));
    *to = *time;
  }
  const auto stored = access.ban(ban);
  if (stored) return reply(Response::of(to_json(*stored)));
  if (stored.error().code != Errc::Exists) return reply(Response::error(400, "BAD_REQUEST", stored.error().what));
  const auto old = access.bans().lookup(ban.as, ban.who);
  reply(Response::error(400, "ALREADY_EXISTS", old ? json::serialize(to_json(*old)) : stored.error().what));
}

void erase(access::AccessControl& access, const Call& call, const Reply& reply) {
  const auto kind = access::ban_kind(call.text("as"));
  if (kind && access.bans().erase(*kind, call.text("who"))) return reply(Response::empty());
  reply(Response::error(404, "NOT_FOUND", fmt::format("{} '{}' is not banned", call.text("as"), call.text("who"))));
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  access::AccessControl& access = *api.service.environment().access;
  const std::string kTag = "Banned";
  const auto kinds = schema::choice({"clientid", "username", "peerhost"});
  const auto with = [&access](void (*fn)(access::AccessControl&, const Call&, const Reply&)) {
    return [&access, fn](const Call& call, const Reply& reply) { fn(access, call, reply); };
  };
  api.table.add({http::Method::Get,
                 "/api/v5/banned",
                 kTag,
                 http::Access::Viewer,
                 "Page through bans",
                 http::with_paging(),
                 {},
                 false,
                 {http::ok(http::page_of(schema::open_object()))},
                 false,
                 with(list)});
  api.table.add({http::Method::Post,
                 "/api/v5/banned",
                 kTag,
                 http::Access::Administrator,
                 "Add a ban by clientid, username or peerhost",
                 {},
                 schema::object({{"as", kinds, true, "What is banned"},
                                 {"who", schema::string(1, 65535), true, "Its value; of peerhost an IP address"},
                                 {"by", schema::string(), false, "Who bans"},
                                 {"reason", schema::string()},
                                 {"at", schema::string(), false, "From when on: seconds since 1970, or RFC 3339"},
                                 {"until", schema::string(), false, "Until when, or infinity"}}),
                 false,
                 {http::ok(schema::open_object()), http::fault(400, "Bad or existing ban")},
                 false,
                 with(create)});
  api.table.add({http::Method::Delete,
                 "/api/v5/banned",
                 kTag,
                 http::Access::Administrator,
                 "Remove every ban",
                 {},
                 {},
                 false,
                 {http::no_content()},
                 false,
                 [&access](const Call&, const Reply& reply) {
                   access.bans().clear();
                   reply(Response::empty());
                 }});
  http::Parameter as = http::path_parameter("as", "What is banned");
  as.schema = kinds;
  api.table.add({http::Method::Delete,
                 "/api/v5/banned/{as}/{who}",
                 kTag,
                 http::Access::Administrator,
                 "Remove one ban",
                 {std::move(as), http::path_parameter("who", "Its value")},
                 {},
                 false,
                 {http::no_content(), http::fault(404, "No such ban")},
                 false,
                 with(erase)});
}

}  // namespace sb::plugins::api::banned
