// clients, topics, subscriptions
#include "cli/ctl.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sb::cli {

namespace {

using Arguments = Ctl::Arguments;

std::string client_line(const json::object& client) {
  std::string out = fmt::format(
      "Client({}, username={}, peername={}:{}, clean_start={}, keepalive={}, session_expiry_interval={}, "
      "subscriptions={}, "
      "inflight={}, awaiting_rel={}, delivered_msgs={}, enqueued_msgs={}, dropped_msgs={}, connected={}, "
      "created_at={}, "
      "connected_at={}",
      text_of(client, "clientid"), text_of(client, "username"), text_of(client, "ip_address"), text_of(client, "port"),
      text_of(client, "clean_start"), text_of(client, "keepalive"), text_of(client, "expiry_interval"),
      text_of(client, "subscriptions_cnt"), text_of(client, "inflight_cnt"), text_of(client, "awaiting_rel_cnt"),
      text_of(client, "delivered_msgs"), text_of(client, "enqueued_msgs"), text_of(client, "send_msg.dropped"),
      text_of(client, "connected"), text_of(client, "created_at_ms"), text_of(client, "connected_at_ms"));
  if (client.contains("disconnected_at_ms"))
    out += fmt::format(", disconnected_at={}", text_of(client, "disconnected_at_ms"));
  return out + ")\n";
}

std::string subscription_line(const json::object& one) {
  return fmt::format("{} -> topic:{} qos:{} nl:{} rh:{} rap:{}\n", text_of(one, "clientid"), text_of(one, "topic"),
                     text_of(one, "qos"), text_of(one, "nl"), text_of(one, "rh"), text_of(one, "rap"));
}

std::string topic_line(const json::object& one) {
  return fmt::format("{} -> {}\n", text_of(one, "topic"), text_of(one, "node"));
}

/// A list as lines, or `nothing`.
int list(Ctl& ctl, std::string_view path, std::string (*line)(const json::object&), std::string_view nothing) {
  if (ctl.json()) return ctl.print_rows(path) ? 0 : 1;
  bool any = false;
  if (!ctl.each(path, [&](const json::object& row) {
        any = true;
        ctl.write(line(row));
      }))
    return 1;
  if (!any) ctl.print("{}\n", nothing);
  return 0;
}

/// One object, or an array of them; "Not Found." for 404.
int show(Ctl& ctl, const std::string& path, std::string (*line)(const json::object&)) {
  const auto answer = ctl.ask("GET", path);
  if (!answer) return 1;
  const json::value value = answer->parsed();
  const bool nothing = answer->status == 404 || (value.is_array() && value.get_array().empty());
  if (nothing) {
    ctl.write("Not Found.\n");
    return answer->status == 404 ? 1 : 0;
  }
  if (!ctl.accept(answer)) return 1;
  if (ctl.json()) {
    ctl.print_json(value);
  } else if (const auto* rows = value.if_array()) {
    for (const auto& row : *rows) ctl.write(line(row.as_object()));
  } else {
    ctl.write(line(value.as_object()));
  }
  return 0;
}

std::optional<int> clients(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"list"}) return list(ctl, "/api/v5/clients", client_line, "No clients.");
  if (arguments.size() != 2) return std::nullopt;
  const std::string path = "/api/v5/clients/" + percent_encode(arguments[1]);
  if (arguments[0] == "show") return show(ctl, path, client_line);
  if (arguments[0] != "kick") return std::nullopt;
  const auto answer = ctl.ask("DELETE", path);
  if (!answer) return 1;
  // As ever, also for a client that is not there.
  if (answer->status != 404 && !ctl.accept(answer)) return 1;
  ctl.write("ok\n");
  return 0;
}

std::optional<int> topics(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"list"}) return list(ctl, "/api/v5/topics", topic_line, "No topics.");
  if (arguments.size() == 2 && arguments[0] == "show")
    return show(ctl, "/api/v5/topics/" + percent_encode(arguments[1]), topic_line);
  return std::nullopt;
}

int subscription_done(Ctl& ctl, const std::optional<HttpAnswer>& answer) {
  if (!answer) return 1;
  if (answer->status == 404) {
    ctl.write("Error: Channel not found!\n");
    return 1;
  }
  if (!ctl.accept(answer)) return 1;
  ctl.write("ok\n");
  return 0;
}

std::optional<int> subscriptions(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"list"}) return list(ctl, "/api/v5/subscriptions", subscription_line, "No subscriptions.");
  if (arguments.size() < 2) return std::nullopt;
  const std::string client = "/api/v5/clients/" + percent_encode(arguments[1]);
  if (arguments.size() == 2 && arguments[0] == "show") return show(ctl, client + "/subscriptions", subscription_line);
  if (arguments.size() == 4 && arguments[0] == "add") {
    if (arguments[3] != "0" && arguments[3] != "1" && arguments[3] != "2") {
      ctl.write("QoS should be 0, 1, 2\n");
      return 1;
    }
    const json::object body{{"topic", arguments[2]}, {"qos", arguments[3][0] - '0'}};
    return subscription_done(ctl, ctl.ask("POST", client + "/subscribe", json::serialize(body)));
  }
  if (arguments.size() == 3 && arguments[0] == "del")
    return subscription_done(
        ctl, ctl.ask("POST", client + "/unsubscribe", json::serialize(json::object{{"topic", arguments[2]}})));
  return std::nullopt;
}

}  // namespace

std::vector<CommandGroup> client_commands() {
  return {{"clients",
           {{"clients list", "List all clients"},
            {"clients show <ClientId>", "Show a client"},
            {"clients kick <ClientId>", "Kick out a client"}},
           clients},
          {"topics", {{"topics list", "List all topics"}, {"topics show <Topic>", "Show a topic"}}, topics},
          {"subscriptions",
           {{"subscriptions list", "List all subscriptions"},
            {"subscriptions show <ClientId>", "Show subscriptions of a client"},
            {"subscriptions add <ClientId> <Topic> <QoS>", "Add a static subscription manually"},
            {"subscriptions del <ClientId> <Topic>", "Delete a static subscription manually"}},
           subscriptions}};
}

}  // namespace sb::cli
