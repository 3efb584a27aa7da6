// admins, api_keys
#include "cli/ctl.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sb::cli {

namespace {

using Arguments = Ctl::Arguments;

int done(Ctl& ctl, const std::optional<HttpAnswer>& answer) {
  if (!answer) return 1;
  if (answer->ok()) {
    ctl.write("ok\n");
    return 0;
  }
  ctl.print("Error: {}\n", answer->message());
  return 1;
}

int add_admin(Ctl& ctl, const Arguments& arguments) {
  json::object body{{"username", arguments[1]}, {"password", arguments[2]}};
  if (arguments.size() > 3) body["description"] = arguments[3];
  if (arguments.size() > 4) body["role"] = arguments[4];
  return done(ctl, ctl.ask("POST", "/api/v5/users", json::serialize(body)));
}

std::optional<int> admins(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"list"}) {
    const auto all = ctl.get("/api/v5/users");
    if (!all) return 1;
    if (ctl.json()) {
      ctl.print_json(*all);
      return 0;
    }
    for (const auto& row : all->as_array()) {
      const json::object& user = row.as_object();
      ctl.print("Admin({}, role={}, description={}, backend={})\n", text_of(user, "username"), text_of(user, "role"),
                text_of(user, "description"), text_of(user, "backend"));
    }
    return 0;
  }
  if (arguments.size() >= 3 && arguments.size() <= 5 && arguments[0] == "add") return add_admin(ctl, arguments);
  if (arguments.size() == 3 && arguments[0] == "passwd")
    return done(ctl, ctl.ask("PUT", fmt::format("/api/v5/local/users/{}/password", percent_encode(arguments[1])),
                             json::serialize(json::object{{"password", arguments[2]}})));
  if ((arguments.size() == 2 || arguments.size() == 3) && arguments[0] == "del")
    return done(ctl, ctl.ask("DELETE", fmt::format("/api/v5/users/{}?backend={}", percent_encode(arguments[1]),
                                                   arguments.size() == 3 ? percent_encode(arguments[2]) : "local")));
  return std::nullopt;
}

std::string key_line(const json::object& key) {
  return fmt::format("ApiKey({}, key={}, role={}, enable={}, expired_at={}, desc={})\n", text_of(key, "name"),
                     text_of(key, "api_key"), text_of(key, "role"), text_of(key, "enable"), text_of(key, "expired_at"),
                     text_of(key, "desc"));
}

int add_key(Ctl& ctl, const Arguments& arguments) {
  json::object body{{"name", arguments[1]}};
  for (std::size_t i = 2; i + 1 < arguments.size(); i += 2) {
    const std::string& option = arguments[i];
    if (option == "--role")
      body["role"] = arguments[i + 1];
    else if (option == "--desc")
      body["desc"] = arguments[i + 1];
    else if (option == "--expires")
      body["expired_at"] = arguments[i + 1];
    else
      return ctl.failed("unknown option: " + option);
  }
  if (arguments.size() % 2 == 1) return ctl.failed("option without a value: " + arguments.back());
  const auto answer = ctl.ask("POST", "/api/v5/api_key", json::serialize(body));
  if (!ctl.accept(answer)) return 1;
  const json::value made = answer->parsed();
  if (ctl.json()) {
    ctl.print_json(made);
    return 0;
  }
  ctl.print("key: {}\nsecret: {}\n", text_of(made.as_object(), "api_key"), text_of(made.as_object(), "api_secret"));
  return 0;
}

std::optional<int> api_keys(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"list"}) {
    const auto all = ctl.get("/api/v5/api_key");
    if (!all) return 1;
    if (ctl.json()) {
      ctl.print_json(*all);
      return 0;
    }
    for (const auto& row : all->as_array()) ctl.write(key_line(row.as_object()));
    if (all->as_array().empty()) ctl.write("No API keys.\n");
    return 0;
  }
  if (arguments.size() >= 2 && arguments[0] == "add") return add_key(ctl, arguments);
  if (arguments.size() != 2) return std::nullopt;
  const std::string path = "/api/v5/api_key/" + percent_encode(arguments[1]);
  if (arguments[0] == "show") {
    const auto key = ctl.get(path);
    if (!key) return 1;
    if (ctl.json())
      ctl.print_json(*key);
    else
      ctl.write(key_line(key->as_object()));
    return 0;
  }
  if (arguments[0] == "del") return done(ctl, ctl.ask("DELETE", path));
  return std::nullopt;
}

}  // namespace

std::vector<CommandGroup> account_commands() {
  return {{"admins",
           {{"admins list", "List the users of the dashboard"},
            {"admins add <Username> <Password> [<Description>] [<Role>]", "Add a user"},
            {"admins passwd <Username> <Password>", "Set the password of a user"},
            {"admins del <Username> [<Backend>]", "Delete a user"}},
           admins},
          {"api_keys",
           {{"api_keys list", "List the API keys"},
            {"api_keys add <Name> [--role <Role>] [--desc <Text>] [--expires <Time>]", "Create one, show its secret"},
            {"api_keys show <Name>", "Show one"},
            {"api_keys del <Name>", "Delete one"}},
           api_keys}};
}

}  // namespace sb::cli
