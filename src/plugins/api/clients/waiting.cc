#include "plugins/api/clients/waiting.h"

#include "config/units.h"
#include "management/text.h"

#include <boost/json/array.hpp>

#include <charconv>

namespace sb::plugins::api::clients {

namespace {

using http::Call;
using http::Reply;
using http::Response;
using management::Service;
using management::WaitingMessages;
using Place = broker::MessageQueue::Place;
namespace json = http::json;
namespace schema = http::schema;

constexpr std::string_view kStart = "none";
constexpr std::string_view kEnd = "end_of_data";
constexpr std::uint64_t kPayloadBytesMax = std::uint64_t{16} << 20;

/// What clients hand back unread.
std::string position_of(const Place& place) {
  return fmt::format("{}_{}", place.priority, place.sequence);
}

template <class T>
bool read_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::optional<Place> place_of(std::string_view text) {
  const auto middle = text.find('_');
  Place out;
  if (middle == text.npos || !read_number(text.substr(0, middle), out.priority) ||
      !read_number(text.substr(middle + 1), out.sequence))
    return std::nullopt;
  return out;
}

json::object row_of(const WaitingMessages::Row& row, const std::string& form, bool inflight) {
  const broker::Message& message = *row.message;
  const broker::IdentityRef& from = message.from();
  json::object out{
      {"msgid", fmt::format("{:016X}{:016X}", static_cast<std::uint64_t>(message.published_ms()), row.place.sequence)},
      {"topic", message.topic()},
      {"qos", to_int(row.qos)},
      {"publish_at", message.published_ms()},
      {"from_clientid", from ? json::value(from->client_id) : json::value(nullptr)},
      {"from_username", from && !from->username.empty() ? json::value(from->username) : json::value(nullptr)}};
  if (!inflight) out["mqueue_priority"] = row.place.priority;
  const std::string_view payload = as_text(message.payload());
  if (form == "base64") out["payload"] = management::base64(payload);
  if (form == "plain") out["payload"] = payload;  // an answer is UTF-8: other bytes are replaced
  return out;
}

/// As many rows as their payloads leave room for, and one at least.
Response page(const WaitingMessages& found, const std::string& form, std::uint64_t payload_max, bool inflight) {
  json::array rows;
  std::uint64_t bytes = 0;
  for (const WaitingMessages::Row& row : found.rows) {
    if (form != "none") bytes += row.message->payload().size();
    if (bytes > payload_max && !rows.empty()) break;
    rows.push_back(row_of(row, form, inflight));
  }
  const bool more = found.more || rows.size() < found.rows.size();
  json::object meta{{"start", found.first ? position_of(*found.first) : std::string(kStart)},
                    {"position", more ? position_of(found.rows[rows.size() - 1].place) : std::string(kEnd)}};
  return Response::of(json::object{{"data", std::move(rows)}, {"meta", std::move(meta)}});
}

void show(Service& service, const Call& call, const Reply& reply, bool inflight) {
  management::WaitingQuery query;
  query.client_id = call.text("clientid");
  query.inflight = inflight;
  query.limit = static_cast<std::size_t>(call.integer("limit"));
  const std::string position = call.text("position");
  const bool at_end = position == kEnd;
  if (position != kStart && !at_end) {
    query.after = place_of(position);
    if (!query.after)
      return reply(http::refusal({{"position", "bad_position", "none, end_of_data, or what an answer told in its meta",
                                   json::value(position)}}));
  }
  const auto payload_max = config::parse_size(call.text("max_payload_bytes"));
  if (!payload_max || *payload_max == 0 || *payload_max > kPayloadBytesMax)
    return reply(
        http::refusal({{"max_payload_bytes", "bad_size", "1 to 16MB", json::value(call.text("max_payload_bytes"))}}));
  if (at_end) query.limit = 0;
  service.waiting(std::move(query), [reply, form = call.text("payload"), payload_max = *payload_max, inflight,
                                     at_end](std::optional<WaitingMessages> found) {
    if (!found) return reply(Response::error(404, "CLIENTID_NOT_FOUND", "Client ID not found"));
    if (at_end) {
      found->rows.clear();
      found->more = false;
    }
    reply(page(*found, form, payload_max, inflight));
  });
}

}  // namespace

void add_waiting(http::Table& table, Service& service) {
  http::Parameter position = http::query_parameter("position", schema::string(1, 64),
                                                   "Where to go on: none, or the position that the answer before told");
  position.fallback = kStart;
  http::Parameter limit = http::query_parameter("limit", schema::integer(1, 10000), "Most messages in the answer");
  limit.fallback = 100;
  http::Parameter payload =
      http::query_parameter("payload", schema::choice({"none", "base64", "plain"}), "Form of the payloads");
  payload.fallback = "base64";
  http::Parameter bytes = http::query_parameter("max_payload_bytes", schema::string(1, 32),
                                                "Most bytes of payloads in the answer; one message comes in any case");
  bytes.fallback = "1MB";
  const auto add = [&](const char* path, const char* summary, bool inflight) {
    table.add({http::Method::Get,
               path,
               "Clients",
               http::Access::Viewer,
               summary,
               {http::path_parameter("clientid", "Client ID"), position, limit, payload, bytes},
               {},
               false,
               {http::ok(schema::open_object(
                    {{"data", schema::array(schema::open_object()), true}, {"meta", schema::open_object(), true}})),
                http::fault(400, "Bad parameter"), http::fault(404, "No such client")},
               false,
               [&service, inflight](const Call& call, const Reply& reply) { show(service, call, reply, inflight); }});
  };
  add("/api/v5/clients/{clientid}/mqueue_messages", "Messages that wait in the queue of one client", false);
  add("/api/v5/clients/{clientid}/inflight_messages", "Messages sent to one client and not acknowledged", true);
}

}  // namespace sb::plugins::api::clients
