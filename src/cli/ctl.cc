#include "cli/ctl.h"

#include "config/hocon.h"
#include "config/value.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <ostream>

namespace sb::cli {

namespace {

constexpr std::size_t kUsageWidth = 48;
constexpr std::size_t kRuleWidth = 110;
constexpr std::size_t kRowsOfPage = 1000;

std::vector<CommandGroup> all_commands() {
  std::vector<CommandGroup> out;
  for (auto* part : {&node_commands, &platform_commands, &client_commands, &listener_commands, &trace_commands,
                     &config_commands, &message_commands, &access_commands, &admin_commands, &account_commands})
    for (CommandGroup& group : part()) out.push_back(std::move(group));
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

}  // namespace

std::string usage_text(const CommandGroup& group) {
  std::size_t width = kUsageWidth;
  for (const Usage& usage : group.usage) width = std::max(width, usage.command.size());
  std::string out;
  for (const Usage& usage : group.usage) out += fmt::format("{:<{}} # {}\n", usage.command, width, usage.description);
  return out;
}

std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    if (c < 0x20 || c == 0x7F)
      out += fmt::format("\\u{:04x}", c);
    else if (c == 0xC2 && next >= 0x80 && next < 0xA0)  // U+0080 to U+009F
      out += fmt::format("\\u{:04x}", next), ++i;
    else
      out += text[i];
  }
  return out;
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value || value->is_null()) return "undefined";
  if (const auto* text = value->if_string()) return printable(std::string_view(*text));
  if (const auto* number = value->if_double()) return fmt::format("{}", *number);
  return json::serialize(*value);
}

std::uint64_t number_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value) return 0;
  json::error_code error;
  const auto out = value->to_number<std::uint64_t>(error);
  return error ? 0 : out;
}

void Ctl::write(std::string_view text) {
  if (json_)
    said_ += text;
  else
    out_ << text;
}

const std::string& Ctl::node() {
  if (node_told_) return node_;
  if (const auto answer = client_.ask("GET", "/api/v5/status?format=json"); answer && answer->ok()) {
    node_told_ = true;
    const json::value status = answer->parsed();
    if (const auto* object = status.if_object()) node_ = text_of(*object, "node_name");
  }
  return node_;
}

int Ctl::failed(std::string_view text) {
  err_ << text << '\n';
  code_ = 1;
  return 1;
}

std::optional<HttpAnswer> Ctl::ask(std::string_view method, std::string_view target, std::string_view body,
                                   std::string_view content_type) {
  auto answer = client_.ask(method, target, body, content_type);
  if (answer) return std::move(*answer);
  failed(no_answer(node_, answer.error()));
  return std::nullopt;
}

bool Ctl::accept(const std::optional<HttpAnswer>& answer) {
  if (!answer) return false;
  if (answer->ok()) return true;
  failed("Error: " + answer->message());
  return false;
}

std::optional<json::value> Ctl::get(std::string_view target) {
  const auto answer = ask("GET", target);
  if (!accept(answer)) return std::nullopt;
  return answer->parsed();
}

bool Ctl::each(std::string_view path, const std::function<void(const json::object&)>& row) {
  for (std::size_t page = 1;; ++page) {
    const char mark = path.find('?') == std::string_view::npos ? '?' : '&';
    const auto value = get(fmt::format("{}{}page={}&limit={}", path, mark, page, kRowsOfPage));
    if (!value) return false;
    for (const auto& entry : value->at("data").as_array()) row(entry.as_object());
    if (!value->at("meta").at("hasnext").as_bool()) return true;
  }
}

bool Ctl::print_rows(std::string_view path) {
  json::array rows;
  if (!each(path, [&](const json::object& row) { rows.push_back(row); })) return false;
  print_json(rows);
  return true;
}

void Ctl::print_json(const json::value& value) {
  out_ << json::serialize(value) << '\n';
}

void Ctl::print_pretty(const json::value& value) {
  const auto tree = config::parse_value(json::serialize(value), "answer");
  out_ << (tree ? config::to_json(*tree) : json::serialize(value)) << '\n';
}

int Ctl::run(std::vector<std::string> arguments) {
  const auto flag = std::find(arguments.begin(), arguments.end(), "--json");
  if (flag != arguments.end()) {
    json_ = true;
    arguments.erase(flag);
  }
  const auto groups = all_commands();
  const std::string word = arguments.empty() ? "help" : arguments.front();
  if (word == "help" || word == "--help" || word == "-h") {
    std::string text;
    for (const CommandGroup& group : groups) text += std::string(kRuleWidth, '-') + '\n' + usage_text(group);
    out_ << text;
    return 0;
  }
  client_.set_command(arguments);
  for (const CommandGroup& group : groups) {
    if (group.name != word) continue;
    const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
    if (rest == Arguments{"help"} || rest == Arguments{"--help"}) {
      out_ << usage_text(group);
      return 0;
    }
    const auto code = group.run(*this, rest);
    // Changes are on record by themselves; so is every other command. A node that has gone meanwhile keeps no record.
    if (client_.only_read()) static_cast<void>(client_.ask("POST", "/api/v5/local/command"));
    // What has nothing but a sentence to tell tells it in JSON as well.
    while (said_.ends_with('\n')) said_.pop_back();
    if (!said_.empty()) print_json(json::object{{"message", said_}});
    if (code) return *code != 0 ? *code : code_;
    err_ << fmt::format("signalbox ctl {}: expected one of these commands\n{}", word, usage_text(group));
    return 1;
  }
  err_ << fmt::format("Unknown command: {}\nRun `signalbox ctl help` for what there is.\n", word);
  return 1;
}

}  // namespace sb::cli
