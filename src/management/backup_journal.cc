#include "management/backup_journal.h"

#include "config/store.h"
#include "management/text.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace sb::management {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr const char* kState = "/state.json";
constexpr const char* kArchive = "/archive";
constexpr const char* kReport = "/.last_import.json";

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::ostringstream out;
  out << file.rdbuf();
  return std::move(out).str();
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(std::string_view(value->get_string())) : std::string();
}

bool flag_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_bool() && value->get_bool();
}

std::int64_t number_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  json::error_code error;
  const auto out = value ? value->to_number<std::int64_t>(error) : 0;
  return error ? 0 : out;
}

std::vector<std::string> texts_of(const json::object& object, std::string_view name) {
  std::vector<std::string> out;
  if (const auto* value = object.if_contains(name); value && value->is_array())
    for (const json::value& entry : value->get_array())
      if (entry.is_string()) out.emplace_back(std::string_view(entry.get_string()));
  return out;
}

json::array to_array(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.emplace_back(text);
  return out;
}

}  // namespace

Result<> BackupJournal::write(const State& state) const {
  json::object tables;
  for (const auto& [name, rows] : state.before) {
    json::array list;
    for (const BackupRow& row : rows) list.push_back(row);
    tables[name] = std::move(list);
  }
  const json::object whole{
      {"archive_name", state.archive_name}, {"cluster_before", state.cluster_before}, {"before", std::move(tables)}};
  // The state comes last: without it there is no journal.
  SB_CHECKED(config::write_private(folder_ + kArchive, state.archive));
  const std::string part = folder_ + kState + std::string(".part");
  SB_CHECKED(config::write_private(part, json::serialize(whole)));
  std::error_code error;
  fs::rename(part, folder_ + kState, error);
  if (error) return fail(Errc::Io, fmt::format("{}: {}", part, error.message()));
  return {};
}

Result<BackupJournal::State> BackupJournal::read() const {
  std::error_code ignored;
  if (!fs::exists(folder_, ignored)) return fail(Errc::NotFound, "no import is under way");
  const auto text = read_file(folder_ + kState);
  auto archive = read_file(folder_ + kArchive);
  if (!text || !archive) return fail(Errc::Corrupt, folder_ + ": not whole");
  json::error_code error;
  const json::value value = json::parse(*text, error);
  if (error || !value.is_object()) return fail(Errc::Corrupt, folder_ + kState + ": cannot be read");
  State out;
  out.archive_name = text_of(value.get_object(), "archive_name");
  out.archive = *std::move(archive);
  out.cluster_before = text_of(value.get_object(), "cluster_before");
  if (const auto* tables = value.get_object().if_contains("before"); tables && tables->is_object())
    for (const auto& [name, rows] : tables->get_object()) {
      if (!rows.is_array()) continue;
      for (const json::value& row : rows.get_array())
        if (row.is_object()) out.before[std::string(name)].push_back(row.get_object());
    }
  return out;
}

void BackupJournal::clear() const {
  // The state first: what is left then is no journal.
  std::error_code ignored;
  fs::remove(folder_ + kState, ignored);
  fs::remove_all(folder_, ignored);
}

json::object to_json(const Backup::Report& report) {
  json::object tables;
  for (const Backup::Report::Table& table : report.tables)
    tables[table.name] = json::object{{"rows", table.rows}, {"written_over", table.written_over}};
  return {{"filename", report.filename},
          {"at", rfc3339_ms(report.at_ms)},
          {"at_ms", report.at_ms},
          {"result", report.ok ? "success" : "failure"},
          {"recovered", report.recovered},
          {"reason", report.reason},
          {"config_roots", to_array(report.roots)},
          {"tables", std::move(tables)},
          {"left_out", to_array(report.left_out)}};
}

Result<> save_report(const std::string& backup_folder, const Backup::Report& report) {
  return config::write_private(backup_folder + kReport, json::serialize(to_json(report)));
}

std::optional<Backup::Report> load_report(const std::string& backup_folder) {
  const auto text = read_file(backup_folder + kReport);
  if (!text) return std::nullopt;
  json::error_code error;
  const json::value value = json::parse(*text, error);
  if (error || !value.is_object()) return std::nullopt;
  const json::object& object = value.get_object();
  Backup::Report out;
  out.filename = text_of(object, "filename");
  out.at_ms = number_of(object, "at_ms");
  out.ok = text_of(object, "result") == "success";
  out.recovered = flag_of(object, "recovered");
  out.reason = text_of(object, "reason");
  out.roots = texts_of(object, "config_roots");
  out.left_out = texts_of(object, "left_out");
  if (const auto* tables = object.if_contains("tables"); tables && tables->is_object())
    for (const auto& [name, counts] : tables->get_object())
      if (counts.is_object())
        out.tables.push_back({std::string(name), static_cast<std::size_t>(number_of(counts.get_object(), "rows")),
                              static_cast<std::size_t>(number_of(counts.get_object(), "written_over"))});
  return out;
}

}  // namespace sb::management
