// authz, banned
#include "cli/ctl.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace sb::cli {

namespace {

using Arguments = Ctl::Arguments;

int told(Ctl& ctl, const std::optional<HttpAnswer>& answer, const std::string& what) {
  if (!answer) return 1;
  if (answer->ok()) {
    ctl.print("{} OK\n", what);
    return 0;
  }
  ctl.print("{} FAILED\n{}\n", what, answer->message());
  return 1;
}

std::optional<int> authz(Ctl& ctl, const Arguments& arguments) {
  if (arguments.size() < 2 || arguments[0] != "cache-clean") return std::nullopt;
  if (arguments.size() == 2 && arguments[1] == "all")
    return told(ctl, ctl.ask("DELETE", "/api/v5/authorization/cache"),
                "Authorization cache drain started on all nodes");
  if (arguments.size() == 3 && arguments[1] == "node") {
    const std::string what = "Authorization cache drain started on node " + arguments[2];
    if (arguments[2] != ctl.node()) {
      ctl.print("{} FAILED\nNode not found: {}\n", what, arguments[2]);
      return 1;
    }
    return told(ctl, ctl.ask("DELETE", "/api/v5/authorization/cache"), what);
  }
  if (arguments.size() != 2) return std::nullopt;
  return told(ctl,
              ctl.ask("DELETE", fmt::format("/api/v5/clients/{}/authorization/cache", percent_encode(arguments[1]))),
              fmt::format("Drain {} authz cache", arguments[1]));
}

std::string ban_line(const json::object& ban) {
  return fmt::format("Banned({}={}, by={}, reason={}, at={}, until={})\n", text_of(ban, "as"), text_of(ban, "who"),
                     text_of(ban, "by"), text_of(ban, "reason"), text_of(ban, "at"), text_of(ban, "until"));
}

int add_ban(Ctl& ctl, const Arguments& arguments) {
  json::object body{{"as", arguments[1]}, {"who", arguments[2]}, {"by", "cli"}};
  for (std::size_t i = 3; i + 1 < arguments.size(); i += 2) {
    if (arguments[i] != "--until" && arguments[i] != "--reason") return ctl.failed("unknown option: " + arguments[i]);
    body[arguments[i].substr(2)] = arguments[i + 1];
  }
  if (arguments.size() % 2 == 0) return ctl.failed("option without a value: " + arguments.back());
  const auto answer = ctl.ask("POST", "/api/v5/banned", json::serialize(body));
  if (!answer) return 1;
  const json::value refused = answer->ok() ? json::value() : answer->parsed();
  const json::object* object = refused.if_object();
  if (object && text_of(*object, "code") == "ALREADY_EXISTS") {
    // The message is the ban that is there, as JSON.
    json::error_code error;
    const json::value there = json::parse(text_of(*object, "message"), error);
    const bool known = !error && there.is_object();
    return ctl.failed(fmt::format("Error: {} '{}' is banned already{}", arguments[1], arguments[2],
                                  known ? ", until " + text_of(there.get_object(), "until") : std::string()));
  }
  if (!ctl.accept(answer)) return 1;
  ctl.write("ok\n");
  return 0;
}

std::optional<int> banned(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"list"}) {
    if (ctl.json()) return ctl.print_rows("/api/v5/banned") ? 0 : 1;
    bool any = false;
    if (!ctl.each("/api/v5/banned", [&](const json::object& row) {
          any = true;
          ctl.write(ban_line(row));
        }))
      return 1;
    if (!any) ctl.write("No bans.\n");
    return 0;
  }
  if (arguments.size() < 3) return std::nullopt;
  if (arguments[0] == "add") return add_ban(ctl, arguments);
  if (arguments[0] != "del" || arguments.size() != 3) return std::nullopt;
  const auto answer = ctl.ask(
      "DELETE", fmt::format("/api/v5/banned/{}/{}", percent_encode(arguments[1]), percent_encode(arguments[2])));
  if (!answer) return 1;
  if (answer->status == 404) {
    ctl.write("Not Found.\n");
    return 1;
  }
  if (!ctl.accept(answer)) return 1;
  ctl.write("ok\n");
  return 0;
}

}  // namespace

std::vector<CommandGroup> access_commands() {
  return {{"authz",
           {{"authz cache-clean all", "Clear the authorization cache on all nodes"},
            {"authz cache-clean node <Node>", "Clear the authorization cache on a node"},
            {"authz cache-clean <ClientId>", "Clear the authorization cache of a client"}},
           authz},
          {"banned",
           {{"banned list", "List bans"},
            {"banned add <Kind> <Value> [--until <Time>] [--reason <Text>]",
             "Ban: clientid, username, peerhost, clientid_re, username_re or peerhost_net"},
            {"banned del <Kind> <Value>", "Lift a ban"}},
           banned}};
}

}  // namespace sb::cli
