#include "access/authn/import.h"

#include "base/json_text.h"

#include <boost/json/object.hpp>
#include <boost/json/stream_parser.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace sb::access::authn {

namespace {

namespace json = boost::json;

struct Column {
  std::string_view name;
  std::string ImportedUser::*member;  // null: superuser
};
constexpr Column kColumns[] = {
    {"user_id", &ImportedUser::user_id},
    {"password", &ImportedUser::password},
    {"password_hash", &ImportedUser::password_hash},
    {"salt", &ImportedUser::salt},
    {"is_superuser", nullptr},
};

const Column* find_column(std::string_view name, bool plain) {
  for (const Column& column : kColumns) {
    if (column.name != name) continue;
    const bool hashed_only = name == "password_hash" || name == "salt";
    return (plain ? !hashed_only : name != "password") ? &column : nullptr;
  }
  return nullptr;
}

std::optional<bool> truth(std::string_view text) {
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0" || text.empty()) return false;
  return std::nullopt;
}

/// Fields of a line, separated by commas, with spaces behind them, or by single spaces; double quotes hold separators,
/// "" is a quote within. The error is what the line has.
tl::expected<std::vector<std::string>, std::string_view> split(std::string_view line) {
  std::vector<std::string> out(1);
  bool quoted = false, ended = false;  // of the field that is being read
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted) {
      if (c != '"')
        out.back() += c;
      else if (i + 1 < line.size() && line[i + 1] == '"')
        out.back() += line[++i];
      else
        quoted = false, ended = true;
    } else if (c == '"' && out.back().empty() && !ended) {
      quoted = true;
    } else if (c == ',' || c == ' ') {
      out.emplace_back();
      ended = false;
      while (c == ',' && i + 1 < line.size() && line[i + 1] == ' ') ++i;
    } else if (ended) {
      return tl::unexpected<std::string_view>("text behind a quote that is closed");
    } else {
      out.back() += c;
    }
  }
  if (quoted) return tl::unexpected<std::string_view>("a quote that is not closed");
  return out;
}

Result<> check(const ImportedUser& user, bool plain, std::string_view where, std::size_t number) {
  if (user.user_id.empty()) return fail(Errc::Invalid, fmt::format("{} {}: no user_id", where, number));
  // What no CONNECT can name, 1.5.4.
  if (user.user_id.size() > 65535 || user.user_id.find('\0') != std::string::npos ||
      utf8_text(user.user_id) != user.user_id)
    return fail(Errc::Invalid,
                fmt::format("{} {}: user_id: expected UTF-8, 1 to 65535 bytes without NUL", where, number));
  if (plain ? user.password.empty() : user.password_hash.empty())
    return fail(Errc::Invalid, fmt::format("{} {}: no {}", where, number, plain ? "password" : "password_hash"));
  return {};
}

Result<std::vector<ImportedUser>> read_csv(std::string_view text, bool plain) {
  std::vector<const Column*> columns;
  std::vector<ImportedUser> out;
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    const auto fields = split(line);
    if (!fields) return fail(Errc::Invalid, fmt::format("line {}: {}", number, fields.error()));
    if (columns.empty()) {
      for (const std::string& name : *fields) {
        const Column* column = find_column(name, plain);
        if (!column || std::find(columns.begin(), columns.end(), column) != columns.end())
          return fail(Errc::Invalid,
                      fmt::format("line {}: the header names columns of {}, each once", number,
                                  plain ? "user_id,password,is_superuser" : "user_id,password_hash,salt,is_superuser"));
        columns.push_back(column);
      }
      if (std::find(columns.begin(), columns.end(), &kColumns[0]) == columns.end())
        return fail(Errc::Invalid, fmt::format("line {}: the header has no user_id", number));
      continue;
    }
    if (fields->size() != columns.size())
      return fail(Errc::Invalid, fmt::format("line {}: {} fields, {} columns", number, fields->size(), columns.size()));
    ImportedUser user;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i]->member) {
        user.*(columns[i]->member) = (*fields)[i];
      } else {
        const auto flag = truth((*fields)[i]);
        if (!flag) return fail(Errc::Invalid, fmt::format("line {}: is_superuser is true or false", number));
        user.superuser = *flag;
      }
    }
    SB_CHECKED(check(user, plain, "line", number));
    out.push_back(std::move(user));
  }
  if (columns.empty()) return fail(Errc::Invalid, "the file is empty: expected a header that names its columns");
  return out;
}

Result<std::vector<ImportedUser>> read_json(std::string_view text, bool plain) {
  boost::system::error_code error;
  json::stream_parser parser;
  std::size_t read = parser.write_some(text.data(), text.size(), error);
  if (!error && read < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error) {
    read = std::min(read, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(read), '\n');
    return fail(Errc::Invalid, fmt::format("line {}, byte {} of the file: not JSON", line, read + 1));
  }
  const json::value whole = parser.release();
  if (!whole.is_array()) return fail(Errc::Invalid, "not a JSON array of users");
  std::vector<ImportedUser> out;
  std::size_t number = 0;
  for (const json::value& element : whole.get_array()) {
    ++number;
    const json::object* fields = element.if_object();
    if (!fields) return fail(Errc::Invalid, fmt::format("element {}: not an object", number));
    ImportedUser user;
    for (const auto& [name, value] : *fields) {
      const Column* column = find_column(std::string_view(name.data(), name.size()), plain);
      if (!column) return fail(Errc::Invalid, fmt::format("element {}: a key that is not known", number));
      if (column->member) {
        if (!value.is_string())
          return fail(Errc::Invalid, fmt::format("element {}: {} is a text", number, column->name));
        user.*(column->member) = std::string_view(value.get_string());
      } else {
        const auto flag = value.is_bool()     ? std::optional(value.get_bool())
                          : value.is_string() ? truth(std::string_view(value.get_string()))
                                              : std::nullopt;
        if (!flag) return fail(Errc::Invalid, fmt::format("element {}: is_superuser is true or false", number));
        user.superuser = *flag;
      }
    }
    SB_CHECKED(check(user, plain, "element", number));
    out.push_back(std::move(user));
  }
  return out;
}

}  // namespace

Result<std::vector<ImportedUser>> read_users(std::string_view file_name, std::string_view text, bool plain) {
  if (text.size() > kImportMax) return fail(Errc::Full, fmt::format("more than {} bytes", kImportMax));
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // byte order mark
  if (file_name.ends_with(".csv")) return read_csv(text, plain);
  if (file_name.ends_with(".json")) return read_json(text, plain);
  return fail(Errc::Unsupported, "expected a file whose name ends in .csv or .json");
}

}  // namespace sb::access::authn
