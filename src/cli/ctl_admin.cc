// license, data, eviction, rebalance
#include "base/regular_file.h"
#include "cli/ctl.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <filesystem>
#include <sstream>

namespace sb::cli {

namespace {

using Arguments = Ctl::Arguments;

std::optional<int> license(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"info"}) {
    const auto license = ctl.get("/api/v5/license");
    if (!license) return 1;
    if (ctl.json()) {
      ctl.print_json(*license);
      return 0;
    }
    for (const char* name : {"customer", "email", "deployment", "max_connections", "start_at", "expiry_at", "type",
                             "customer_type", "expiry"})
      ctl.print("{:<16}: {}\n", name, text_of(license->as_object(), name));
    return 0;
  }
  if (arguments.size() != 2 || arguments[0] != "update") return std::nullopt;
  const auto answer = ctl.ask("POST", "/api/v5/license", json::serialize(json::object{{"key", arguments[1]}}));
  if (!ctl.accept(answer)) return 1;
  ctl.write("ok\n");
  return 0;
}

/// A file that lies elsewhere is brought to the node first.
std::optional<std::string> brought(Ctl& ctl, const std::string& path) {
  const std::filesystem::path file(path);
  const std::string name = file.filename().string();
  std::error_code error;
  if (path == name && !std::filesystem::exists(file, error)) return name;
  constexpr std::size_t kMost = std::size_t{16} << 30;  // the node has a bound of its own
  const auto content = read_regular_file(path, kMost);
  if (!content) {
    ctl.failed(content.error().what);
    return std::nullopt;
  }
  constexpr std::string_view kBoundary = "signalbox-ctl-1f0c9a7d25";
  const std::string form = fmt::format(
      "--{0}\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"{1}\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n{2}\r\n--{0}--\r\n",
      kBoundary, name, *content);
  const auto answer =
      ctl.ask("POST", "/api/v5/data/files", form, "multipart/form-data; boundary=" + std::string(kBoundary));
  if (!answer) return std::nullopt;
  const bool there = answer->status == 400 && answer->message().find("already exists") != std::string::npos;
  if (!answer->ok() && !there) {
    ctl.accept(answer);
    return std::nullopt;
  }
  return name;
}

int export_data(Ctl& ctl, bool retained) {
  const auto answer = ctl.ask("POST", "/api/v5/data/export", json::serialize(json::object{{"retained", retained}}));
  if (!ctl.accept(answer)) return 1;
  const json::value file = answer->parsed();
  if (ctl.json())
    ctl.print_json(file);
  else
    ctl.print("Data has been successfully exported to {}.\n", text_of(file.as_object(), "filename"));
  return 0;
}

int import_data(Ctl& ctl, const std::string& path) {
  const auto name = brought(ctl, path);
  if (!name) return 1;
  const auto answer = ctl.ask("POST", "/api/v5/data/import", json::serialize(json::object{{"filename", *name}}));
  if (!ctl.accept(answer)) return 1;
  const json::value report = answer->parsed();
  if (ctl.json()) {
    ctl.print_json(report);
    return 0;
  }
  ctl.write("Data has been imported successfully.\n");
  for (const auto& root : report.at("config_roots").as_array())
    ctl.print("config {}\n", std::string_view(root.as_string()));
  for (const auto& [table, counts] : report.at("tables").as_object())
    ctl.print("table {}: {} rows, {} written over\n", std::string_view(table), number_of(counts.as_object(), "rows"),
              number_of(counts.as_object(), "written_over"));
  for (const auto& table : report.at("left_out").as_array())
    ctl.print("left out: {}\n", std::string_view(table.as_string()));
  return 0;
}

std::optional<int> data(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"export"}) return export_data(ctl, false);
  if (arguments == Arguments{"export", "--retained"}) return export_data(ctl, true);
  if (arguments.size() == 2 && arguments[0] == "import") return import_data(ctl, arguments[1]);
  if (arguments != Arguments{"list"}) return std::nullopt;
  if (ctl.json()) return ctl.print_rows("/api/v5/data/files") ? 0 : 1;
  bool any = false;
  if (!ctl.each("/api/v5/data/files", [&](const json::object& file) {
        any = true;
        ctl.print("{}  {} bytes  {}\n", text_of(file, "filename"), number_of(file, "size"),
                  text_of(file, "created_at"));
      }))
    return 1;
  if (!any) ctl.write("No backup files.\n");
  return 0;
}

int print_status(Ctl& ctl, std::string_view path, std::string_view word) {
  const auto status = ctl.get(path);
  if (!status) return 1;
  if (ctl.json())
    ctl.print_json(*status);
  else
    ctl.print("{}: {}\n", word, text_of(status->as_object(), "status"));
  return 0;
}

std::optional<int> eviction(Ctl& ctl, const Arguments& arguments) {
  if (arguments != Arguments{"status"}) return std::nullopt;
  return print_status(ctl, "/api/v5/node_eviction/status", "Eviction status");
}

/// --conn-evict-rate 5 becomes "conn_evict_rate": 5
std::optional<json::object> options_of(Ctl& ctl, const Arguments& arguments, std::size_t from) {
  json::object out;
  for (std::size_t i = from; i < arguments.size(); i += 2) {
    if (!arguments[i].starts_with("--") || i + 1 == arguments.size()) {
      ctl.failed("option without a value: " + arguments[i]);
      return std::nullopt;
    }
    std::string name = arguments[i].substr(2);
    std::replace(name.begin(), name.end(), '-', '_');
    if (name != "nodes" && name != "migrate_to") {
      out[name] = arguments[i + 1];
      continue;
    }
    json::array list;
    std::istringstream words(arguments[i + 1]);
    for (std::string word; words >> word;) list.emplace_back(word);
    out[name] = std::move(list);
  }
  return out;
}

std::optional<int> rebalance(Ctl& ctl, const Arguments& arguments) {
  const std::string word = arguments.empty() ? std::string() : arguments[0];
  if (word == "node-status" && arguments.size() == 2 && arguments[1] != ctl.node())
    return ctl.failed("Node not found: " + arguments[1]);
  if ((word == "status" || word == "node-status") && arguments.size() <= 2)
    return print_status(ctl, "/api/v5/load_rebalance/status", "Rebalance status");
  if (word != "start" && word != "stop") return std::nullopt;
  const bool evacuation = arguments.size() > 1 && arguments[1] == "--evacuation";
  const auto body = options_of(ctl, arguments, evacuation ? 2 : 1);
  if (!body) return 1;
  const auto answer = ctl.ask(
      "POST",
      fmt::format("/api/v5/load_rebalance/{}/{}{}", percent_encode(ctl.node()), evacuation ? "evacuation/" : "", word),
      json::serialize(*body));
  if (!ctl.accept(answer)) return 1;
  ctl.write(word == "stop" ? "Rebalance stopped\n"
            : evacuation   ? "Rebalance(evacuation) started\n"
                           : "Rebalance started\n");
  return 0;
}

}  // namespace

std::vector<CommandGroup> admin_commands() {
  return {{"license",
           {{"license info", "Show the licence that is in force"},
            {"license update <Key>|default|community|file://<Path>", "Install another key"}},
           license},
          {"data",
           {{"data export [--retained]", "Write a backup archive on the node"},
            {"data import <File>", "Restore from an archive: all of it, or nothing"},
            {"data list", "Show the archives on the node"}},
           data},
          {"eviction", {{"eviction status", "Show whether the node sends its clients away"}}, eviction},
          {"rebalance",
           {{"rebalance start --evacuation [--<Option> <Value>]...", "Drain the node"},
            {"rebalance start [--<Option> <Value>]...", "Balance with this node as coordinator"},
            {"rebalance stop", "Stop either"},
            {"rebalance status", "Show what goes on"},
            {"rebalance node-status [<Node>]", "Show what goes on at one node"}},
           rebalance}};
}

}  // namespace sb::cli
