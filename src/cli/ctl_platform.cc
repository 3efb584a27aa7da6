// mnesia, plugins: words of EMQX's tool for its platform, and what stands behind them here
#include "cli/ctl.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace sb::cli {

namespace {

using Arguments = Ctl::Arguments;

/// Mnesia is EMQX's database; here it is the embedded store.
std::optional<int> mnesia(Ctl& ctl, const Arguments& arguments) {
  if (!arguments.empty()) return std::nullopt;
  const auto state = ctl.get("/api/v5/local/store");
  if (!state) return 1;
  if (ctl.json()) {
    ctl.print_json(*state);
    return 0;
  }
  const json::object& store = state->as_object();
  for (const auto& [name, value] : store)
    if (!value.is_object()) ctl.print("{:<24}: {}\n", std::string_view(name), text_of(store, name));
  const json::object& records = store.at("records").as_object();
  for (const auto& [name, value] : records)
    ctl.print("records/{:<16}: {}\n", std::string_view(name), text_of(records, name));
  return 0;
}

/// Plugins of EMQX are Erlang packages: none can be here, so none is listed and every action says why it failed.
std::optional<int> plugins(Ctl& ctl, const Arguments& arguments) {
  if (arguments.empty()) return std::nullopt;
  const std::string& action = arguments[0];
  const bool list = action == "list" && arguments.size() == 1;
  constexpr std::string_view kActions[] = {"describe", "install", "uninstall", "start", "stop", "restart", "disable"};
  const bool known =
      (arguments.size() == 2 && std::find(std::begin(kActions), std::end(kActions), action) != std::end(kActions)) ||
      (action == "enable" && arguments.size() >= 2 && arguments.size() <= 4);
  if (!list && !known) return std::nullopt;
  if (!ctl.get("/api/v5/status?format=json")) return 1;
  if (list) {
    ctl.print_json(json::array());
    return 0;
  }
  ctl.print_json(json::object{{"action", action},
                              {"name_vsn", arguments[1]},
                              {"result", "not_ok"},
                              {"cause", "plugins are Erlang packages; this version has none of its own"}});
  return 1;
}

}  // namespace

std::vector<CommandGroup> platform_commands() {
  return {{"mnesia", {{"mnesia", "Show the tables and sizes of the embedded store"}}, mnesia},
          {"plugins",
           {{"plugins list", "List plugins: none, they are Erlang packages"},
            {"plugins describe|install|uninstall|start|stop|restart|disable <Name-Vsn>", "Says that there is none"},
            {"plugins enable <Name-Vsn> [front|rear|before <Name-Vsn>]", "Says that there is none"}},
           plugins}};
}

}  // namespace sb::cli
