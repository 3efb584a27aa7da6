// retainer, delayed, topic-metrics
#include "cli/ctl.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <charconv>

namespace sb::cli {

namespace {

using Arguments = Ctl::Arguments;

bool parse_number(const std::string& text, std::size_t& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

int retained_topics(Ctl& ctl, std::size_t start, std::size_t limit) {
  // Positions count from 1.
  constexpr std::size_t kRows = 1000;
  json::array names;
  const std::size_t first = start - 1;
  const std::size_t last = first + limit;
  for (std::size_t page = first / kRows + 1;; ++page) {
    const auto value = ctl.get(fmt::format("/api/v5/mqtt/retainer/messages?page={}&limit={}", page, kRows));
    if (!value) return 1;
    std::size_t at = (page - 1) * kRows;
    for (const auto& row : value->at("data").as_array()) {
      if (at >= first && at < last) names.push_back(row.at("topic"));
      ++at;
    }
    if (!value->at("meta").at("hasnext").as_bool() || at >= last) break;
  }
  if (ctl.json()) {
    ctl.print_json(names);
    return 0;
  }
  ctl.print("{}\n", names.size());
  for (const auto& name : names) ctl.print("{}\n", printable(std::string_view(name.as_string())));
  return 0;
}

std::optional<int> retainer(Ctl& ctl, const Arguments& arguments) {
  if (arguments == Arguments{"info"}) {
    const auto list = ctl.get("/api/v5/mqtt/retainer/messages?limit=1");
    if (!list) return 1;
    const std::uint64_t count = number_of(list->at("meta").as_object(), "count");
    if (ctl.json())
      ctl.print_json(json::object{{"count", count}});
    else
      ctl.print("Number of retained messages: {}\n", count);
    return 0;
  }
  if (!arguments.empty() && arguments[0] == "topics" && (arguments.size() == 1 || arguments.size() == 3)) {
    std::size_t start = 1;
    std::size_t limit = 1000;
    if (arguments.size() == 3 &&
        (!parse_number(arguments[1], start) || !parse_number(arguments[2], limit) || start == 0))
      return std::nullopt;
    return retained_topics(ctl, start, limit);
  }
  if (!arguments.empty() && arguments[0] == "clean" && arguments.size() <= 2) {
    const auto answer = arguments.size() == 1
                            ? ctl.ask("DELETE", "/api/v5/mqtt/retainer/messages")
                            : ctl.ask("DELETE", "/api/v5/mqtt/retainer/message/" + percent_encode(arguments[1]));
    if (!answer) return 1;
    return answer->status == 404 || ctl.accept(answer) ? 0 : 1;  // nothing to delete is no failure
  }
  if (arguments == Arguments{"reindex", "status"}) {
    ctl.write("Reindexing is not running\n");
    return 0;
  }
  if (arguments == Arguments{"reindex", "start"} || arguments == Arguments{"reindex", "start", "true"}) {
    // EMQX rebuilds what `retainer.backend.index_specs` asks for; the tree of topics here is always whole.
    ctl.write("Nothing to reindex: the index of retained topics is always complete\n");
    return 0;
  }
  return std::nullopt;
}

std::string delayed_line(const json::object& message) {
  return fmt::format(
      "Delayed({}, topic={}, qos={}, clientid={}, publish_at={}, interval={}, remaining={}, expected_at={})\n",
      text_of(message, "msgid"), text_of(message, "topic"), text_of(message, "qos"), text_of(message, "from_clientid"),
      text_of(message, "publish_at"), text_of(message, "delayed_interval"), text_of(message, "delayed_remaining"),
      text_of(message, "expected_at"));
}

std::optional<int> delayed(Ctl& ctl, const Arguments& arguments) {
  constexpr std::string_view kPath = "/api/v5/mqtt/delayed/messages";
  if (arguments == Arguments{"list"}) {
    if (ctl.json()) return ctl.print_rows(kPath) ? 0 : 1;
    bool any = false;
    if (!ctl.each(kPath, [&](const json::object& row) {
          any = true;
          ctl.write(delayed_line(row));
        }))
      return 1;
    if (!any) ctl.write("No delayed messages.\n");
    return 0;
  }
  if (arguments.size() != 2 || (arguments[0] != "get" && arguments[0] != "delete")) return std::nullopt;
  const std::string path = fmt::format("{}/{}/{}", kPath, percent_encode(ctl.node()), percent_encode(arguments[1]));
  const auto answer = ctl.ask(arguments[0] == "get" ? "GET" : "DELETE", path);
  if (!answer) return 1;
  if (answer->status == 404) {
    ctl.write("Not Found.\n");
    return 1;
  }
  if (!ctl.accept(answer)) return 1;
  if (arguments[0] == "delete") {
    ctl.write("ok\n");
    return 0;
  }
  const json::value value = answer->parsed();
  if (ctl.json()) {
    ctl.print_json(value);
    return 0;
  }
  ctl.write(delayed_line(value.as_object()));
  ctl.print("payload (base64): {}\n", text_of(value.as_object(), "payload"));
  return 0;
}

void print_topic_metrics(Ctl& ctl, const json::object& row) {
  ctl.print("{}\n", text_of(row, "topic"));
  for (const auto& [name, value] : row.at("metrics").as_object())
    ctl.print("  {:<28}: {}\n", std::string_view(name), text_of(row.at("metrics").as_object(), name));
}

int done(Ctl& ctl, const std::optional<HttpAnswer>& answer) {
  if (!answer) return 1;
  if (answer->status == 404) {
    ctl.write("Not Found.\n");
    return 1;
  }
  if (!ctl.accept(answer)) return 1;
  ctl.write("ok\n");
  return 0;
}

std::optional<int> topic_metrics(Ctl& ctl, const Arguments& arguments) {
  const std::string path = "/api/v5/mqtt/topic_metrics";
  if (arguments == Arguments{"list"}) {
    const auto rows = ctl.get(path);
    if (!rows) return 1;
    if (ctl.json()) {
      ctl.print_json(*rows);
      return 0;
    }
    for (const auto& row : rows->as_array()) print_topic_metrics(ctl, row.as_object());
    if (rows->as_array().empty()) ctl.write("No topics.\n");
    return 0;
  }
  if (arguments.size() == 2 && arguments[0] == "add")
    return done(ctl, ctl.ask("POST", path, json::serialize(json::object{{"topic", arguments[1]}})));
  if (arguments.size() == 2 && arguments[0] == "del")
    return done(ctl, ctl.ask("DELETE", path + "/" + percent_encode(arguments[1])));
  if (!arguments.empty() && arguments.size() <= 2 && arguments[0] == "reset") {
    json::object body{{"action", "reset"}};
    if (arguments.size() == 2) body["topic"] = arguments[1];
    return done(ctl, ctl.ask("PUT", path, json::serialize(body)));
  }
  return std::nullopt;
}

}  // namespace

std::vector<CommandGroup> message_commands() {
  return {{"retainer",
           {{"retainer info", "Show the count of retained messages"},
            {"retainer topics", "Show topics of retained messages, at most 1000"},
            {"retainer topics <Start> <Limit>", "Show topics of retained messages from position Start (1) on"},
            {"retainer clean", "Clean all retained messages"},
            {"retainer clean <Topic>", "Clean retained messages by the specified topic filter"},
            {"retainer reindex status", "Show reindex status"},
            {"retainer reindex start [true]", "Nothing to do here: the index is always complete"}},
           retainer},
          {"delayed",
           {{"delayed list", "List delayed messages"},
            {"delayed get <MessageId>", "Show a delayed message with its payload"},
            {"delayed delete <MessageId>", "Drop a delayed message"}},
           delayed},
          {"topic-metrics",
           {{"topic-metrics list", "Show the counters of monitored topics"},
            {"topic-metrics add <Topic>", "Start monitoring a topic"},
            {"topic-metrics del <Topic>", "Stop monitoring a topic"},
            {"topic-metrics reset [<Topic>]", "Reset the counters of a topic, or of all"}},
           topic_metrics}};
}

}  // namespace sb::cli
