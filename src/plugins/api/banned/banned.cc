// Bans (management-api 2.14).
#include "access/access_control.h"
#include "http/table.h"
#include "management/api_registry.h"
#include "management/service.h"
#include "management/text.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>

namespace sb::plugins::api::banned {

namespace {
using access::Ban;
using access::BanKind;
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

constexpr BanKind kNamed[] = {BanKind::ClientId, BanKind::Username, BanKind::PeerHost, BanKind::PeerHostNet};

/// All filters that were given; each asks for bans of its kind.
access::BanTable::Wanted wanted(const Call& call) {
  struct Filter {
    BanKind as;
    std::string who;
    bool part;
  };
  std::vector<Filter> filters;
  for (const BanKind kind : kNamed) {
    const std::string name(access::to_string(kind));
    if (const auto who = call.find_text(name)) filters.push_back({kind, access::canonical(kind, *who), false});
    if (const auto who = call.find_text("like_" + name)) filters.push_back({kind, std::string(*who), true});
  }
  if (filters.empty()) return {};
  return [filters](const Ban& ban) {
    return std::all_of(filters.begin(), filters.end(), [&ban](const Filter& filter) {
      return ban.as == filter.as &&
             (filter.part ? ban.who.find(filter.who) != std::string::npos : ban.who == filter.who);
    });
  };
}

void list(access::AccessControl& access, const Call& call, const Reply& reply) {
  const http::Paging paging = http::paging_of(call);
  const auto page = access.bans().list(paging.skip(), paging.limit, wanted(call));
  json::array rows = http::rows_of(page.bans, [](const Ban& ban) { return to_json(ban); });
  const bool more = !rows.empty() && page.count > paging.skip() + rows.size();
  reply(Response::of(http::page_answer(std::move(rows), paging, page.count, more)));
}

/// While the disk takes nothing a change would be gone after a restart: it is not taken either.
std::optional<Response> not_kept(access::AccessControl& access) {
  const auto trouble = access.bans().trouble();
  if (!trouble) return std::nullopt;
  return Response::error(503, "SERVICE_UNAVAILABLE", "bans cannot be stored now: " + trouble->what);
}

void create(access::AccessControl& access, const Call& call, const Reply& reply) {
  if (auto refused = not_kept(access)) return reply(*std::move(refused));
  const json::object& body = call.object();
  const auto text = [&](const char* name) {
    const auto* value = body.if_contains(name);
    return value ? std::string(std::string_view(value->get_string())) : std::string();
  };
  Ban ban;
  ban.as = access::ban_kind(text("as")).value_or(BanKind::ClientId);
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
  if (auto refused = not_kept(access)) return reply(*std::move(refused));
  const auto kind = access::ban_kind(call.text("as"));
  if (kind && access.bans().erase(*kind, call.text("who"))) return reply(Response::empty());
  reply(Response::error(404, "NOT_FOUND", fmt::format("{} '{}' is not banned", call.text("as"), call.text("who"))));
}
}  // namespace

void add_to(management::ApiRegistry& api) {
  access::AccessControl& access = *api.service.environment().access;
  const std::string kTag = "Banned";
  const auto kinds = schema::choice({"clientid", "username", "peerhost", "clientid_re", "username_re", "peerhost_net"});
  std::vector<http::Parameter> filters;
  for (const BanKind kind : kNamed) {
    const std::string name(access::to_string(kind));
    filters.push_back(http::query_parameter(name, schema::string(), "Exactly this " + name));
    filters.push_back(http::query_parameter("like_" + name, schema::string(), "Part of a " + name));
  }
  const auto with = [&access](void (*fn)(access::AccessControl&, const Call&, const Reply&)) {
    return [&access, fn](const Call& call, const Reply& reply) { fn(access, call, reply); };
  };
  api.table.add({http::Method::Get,
                 "/api/v5/banned",
                 kTag,
                 http::Access::Viewer,
                 "Page through bans",
                 http::with_paging(std::move(filters)),
                 {},
                 false,
                 {http::ok(http::page_of(schema::open_object()))},
                 false,
                 with(list)});
  api.table.add({http::Method::Post,
                 "/api/v5/banned",
                 kTag,
                 http::Access::Administrator,
                 "Add a ban of a name, an address, or all that match a pattern",
                 {},
                 schema::object({{"as", kinds, true, "What is banned"},
                                 {"who", schema::string(1, 65535), true, "Its value; of peerhost an IP address"},
                                 {"by", schema::string(), false, "Who bans"},
                                 {"reason", schema::string()},
                                 {"at", schema::string(), false, "From when on: seconds since 1970, or RFC 3339"},
                                 {"until", schema::string(), false, "Until when, or infinity"}}),
                 false,
                 {http::ok(schema::open_object()), http::fault(400, "Bad or existing ban"),
                  http::fault(503, "It could not be stored")},
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
                 {http::no_content(), http::fault(503, "It could not be stored")},
                 false,
                 [&access](const Call&, const Reply& reply) {
                   if (auto refused = not_kept(access)) return reply(*std::move(refused));
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
                 {http::no_content(), http::fault(404, "No such ban"), http::fault(503, "It could not be stored")},
                 false,
                 with(erase)});
}

}  // namespace sb::plugins::api::banned
