// check: allow debug in this file: a command that prints what it made
#include "cli/license_tool.h"

#include "codec/license/license.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

namespace sb::cli {

namespace {

namespace license = codec::license;

constexpr const char* kUsage =
    "Usage: signalbox license COMMAND [OPTIONS]\n"
    "\n"
    "  keys   --private-key FILE --public-key FILE\n"
    "         Make a pair of keys. The private one signs licences: keep it where no broker is. The public one goes "
    "into\n"
    "         license.public_key of the nodes.\n"
    "  issue  --private-key FILE --customer NAME --email ADDRESS --max-connections N --days N [--deployment NAME]\n"
    "         [--start YYYYMMDD] [--type official|trial] [--customer-type small|medium|large|evaluation]\n"
    "         Print a signed licence key.\n"
    "  show   --key FILE [--public-key FILE]\n"
    "         Check a licence key and print what it allows.\n";

using Options = std::map<std::string, std::string>;

int refuse(const std::string& what) {
  std::fprintf(stderr, "signalbox license: %s\n", what.c_str());
  return 1;
}

/// --name value pairs of the names that are allowed.
std::optional<Options> options_of(const std::vector<std::string>& arguments, const std::vector<std::string>& allowed) {
  Options out;
  for (std::size_t i = 1; i < arguments.size(); i += 2) {
    const std::string& name = arguments[i];
    const bool known =
        name.starts_with("--") && std::find(allowed.begin(), allowed.end(), name.substr(2)) != allowed.end();
    if (!known || i + 1 == arguments.size()) {
      refuse(known ? "option without a value: " + name : "unknown option: " + name);
      return std::nullopt;
    }
    out[name.substr(2)] = arguments[i + 1];
  }
  return out;
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) return std::nullopt;
  std::ostringstream out;
  out << file.rdbuf();
  return std::move(out).str();
}

/// A file that is there is never written over: it may hold the only copy of a key.
bool write_new(const std::string& path, const std::string& content, mode_t mode) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return false;
  const bool done = write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  return close(fd) == 0 && done;
}

std::int64_t today() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::hours>(now).count() / 24;
}

template <class T>
bool read_number(const std::string& text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

int make_keys(const Options& options) {
  if (!options.contains("private-key") || !options.contains("public-key"))
    return refuse("keys needs --private-key FILE and --public-key FILE");
  const auto pair = license::make_key_pair();
  if (!pair) return refuse(pair.error().what);
  if (!write_new(options.at("private-key"), pair->private_key, 0600))
    return refuse(options.at("private-key") + ": cannot be made, or is there already");
  if (!write_new(options.at("public-key"), pair->public_key, 0644))
    return refuse(options.at("public-key") + ": cannot be made, or is there already");
  return 0;
}

/// False: told.
bool read_terms(const Options& options, license::Terms& out) {
  const auto text = [&](const char* name, const char* absent) {
    const auto found = options.find(name);
    return found == options.end() ? std::string(absent) : found->second;
  };
  out.customer = text("customer", "");
  out.email = text("email", "");
  out.deployment = text("deployment", "default");
  const std::string type = text("type", "official");
  if (type != "official" && type != "trial") return refuse("--type: official or trial") == 0;
  out.type = type == "official" ? license::Type::Official : license::Type::Trial;
  const std::map<std::string, license::Customer> kinds = {{"small", license::Customer::Small},
                                                          {"medium", license::Customer::Medium},
                                                          {"large", license::Customer::Large},
                                                          {"evaluation", license::Customer::Evaluation}};
  const auto kind = kinds.find(text("customer-type", "medium"));
  if (kind == kinds.end()) return refuse("--customer-type: small, medium, large or evaluation") == 0;
  out.customer_type = kind->second;
  out.start_day = today();
  if (options.contains("start")) {
    const auto day = license::parse_day(options.at("start"));
    if (!day) return refuse("--start: " + day.error().what) == 0;
    out.start_day = *day;
  }
  if (!read_number(text("days", ""), out.days)) return refuse("--days: a number is expected") == 0;
  if (!read_number(text("max-connections", ""), out.max_connections))
    return refuse("--max-connections: a number is expected") == 0;
  return true;
}

int issue(const Options& options) {
  if (!options.contains("private-key")) return refuse("issue needs --private-key FILE");
  license::Terms terms;
  if (!read_terms(options, terms)) return 1;
  const auto private_key = read_file(options.at("private-key"));
  if (!private_key) return refuse(options.at("private-key") + ": cannot be read");
  const auto key = license::issue(terms, *private_key);
  if (!key) return refuse(key.error().what);
  std::printf("%s\n", key->c_str());
  return 0;
}

int show(const Options& options) {
  if (!options.contains("key")) return refuse("show needs --key FILE");
  const auto key = read_file(options.at("key"));
  if (!key) return refuse(options.at("key") + ": cannot be read");
  std::vector<std::string> trusted = {license::kBuiltInPublicKey};
  if (options.contains("public-key")) {
    const auto pem = read_file(options.at("public-key"));
    if (!pem) return refuse(options.at("public-key") + ": cannot be read");
    trusted.push_back(*pem);
  }
  const auto terms = license::verify(*key, trusted);
  if (!terms) return refuse(terms.error().what);
  std::printf(
      "customer        : %s\nemail           : %s\ndeployment      : %s\nmax_connections : %llu\n"
      "start_at        : %s\nexpiry_at       : %s\ntype            : %s\ncustomer_type   : %d\n",
      terms->customer.c_str(), terms->email.c_str(), terms->deployment.c_str(),
      static_cast<unsigned long long>(terms->max_connections), license::day_text(terms->start_day).c_str(),
      license::day_text(terms->expiry_day()).c_str(), std::string(license::to_string(terms->type)).c_str(),
      static_cast<int>(terms->customer_type));
  return 0;
}

}  // namespace

int main_license(const std::vector<std::string>& arguments) {
  const std::string command = arguments.empty() ? "" : arguments.front();
  if (command.empty() || command == "help" || command == "--help") {
    std::fputs(kUsage, command.empty() ? stderr : stdout);
    return command.empty() ? 1 : 0;
  }
  struct Command {
    std::vector<std::string> options;
    int (*run)(const Options&);
  };
  const std::map<std::string, Command> commands = {
      {"keys", {{"private-key", "public-key"}, make_keys}},
      {"issue",
       {{"private-key", "customer", "email", "deployment", "type", "customer-type", "start", "days", "max-connections"},
        issue}},
      {"show", {{"key", "public-key"}, show}}};
  const auto found = commands.find(command);
  if (found == commands.end()) {
    std::fprintf(stderr, "signalbox license: unknown command %s\n", command.c_str());
    std::fputs(kUsage, stderr);
    return 1;
  }
  const auto options = options_of(arguments, found->second.options);
  return options ? found->second.run(*options) : 1;
}

}  // namespace sb::cli
