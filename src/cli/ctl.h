// `signalbox ctl …`: a client of the endpoint table over the node's Unix socket. What it prints is what EMQX's tool
// prints (broker.md 15.2), so that scripts only need another program name.
#pragma once

#include "cli/http_client.h"

#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::cli {

/// One run of ctl: where it asks, what it prints.
class Ctl {
 public:
  Ctl(HttpClient& client, std::string node, std::ostream& out, std::ostream& err)
      : client_(client), node_(std::move(node)), out_(out), err_(err) {}

  /// Exit code: 0, or 1 when the node is down, the command is unknown, or the node refused.
  int run(std::vector<std::string> arguments);

  // --- for the commands
  using Arguments = std::vector<std::string>;
  bool json() const { return json_; }
  std::ostream& out() { return out_; }
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    write(fmt::format(format, std::forward<Args>(args)...));
  }
  void write(std::string_view text);
  /// The answer, or nullopt when the node does not answer: the run then fails by itself.
  std::optional<HttpAnswer> ask(std::string_view method, std::string_view target, std::string_view body = {},
                                std::string_view content_type = "application/json");
  /// The same for reading: an answer that is an error is printed and fails the run.
  std::optional<json::value> get(std::string_view target);
  /// Every row of a paged list. False: failed, told.
  bool each(std::string_view path, const std::function<void(const json::object&)>& row);
  /// The rows as one JSON array on the output.
  bool print_rows(std::string_view path);
  void print_json(const json::value& value);
  /// The same over several lines, for what EMQX prints so.
  void print_pretty(const json::value& value);
  /// Prints what the node says and fails the run; true when the answer is good.
  bool accept(const std::optional<HttpAnswer>& answer);
  int failed(std::string_view text);
  /// As the node tells it; as configured while it does not answer.
  const std::string& node();
  int code() const { return code_; }

 private:
  HttpClient& client_;
  std::string node_;
  std::ostream& out_;
  std::ostream& err_;
  bool json_ = false;
  std::string said_;  // text of a command that was to speak JSON
  bool node_told_ = false;
  int code_ = 0;
};

struct Usage {
  std::string_view command;
  std::string_view description;
};

/// The commands under one word.
struct CommandGroup {
  std::string_view name;
  std::vector<Usage> usage;
  /// nullopt: no such command, its usage is printed.
  std::function<std::optional<int>(Ctl&, const Ctl::Arguments&)> run;
};

std::vector<CommandGroup> node_commands();
std::vector<CommandGroup> platform_commands();
std::vector<CommandGroup> client_commands();
std::vector<CommandGroup> listener_commands();
std::vector<CommandGroup> trace_commands();
std::vector<CommandGroup> config_commands();
std::vector<CommandGroup> message_commands();
std::vector<CommandGroup> access_commands();
std::vector<CommandGroup> admin_commands();
std::vector<CommandGroup> account_commands();

/// "<command padded> # <description>" lines.
std::string usage_text(const CommandGroup& group);

/// With control characters written as JSON does: a terminal obeys them, and clients choose their names.
std::string printable(std::string_view text);
/// Printable; "undefined" where there is none.
std::string text_of(const json::object& object, std::string_view name);
std::uint64_t number_of(const json::object& object, std::string_view name);

}  // namespace sb::cli
