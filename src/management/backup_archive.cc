#include "management/backup_archive.h"

#include "config/hocon.h"
#include "management/archive.h"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace sb::management {

namespace json = boost::json;

namespace {

constexpr std::string_view kEnding = ".tar.gz";
constexpr std::size_t kRowsMax = 5'000'000;
constexpr std::string_view kTables[] = {"emqx_admin",        "emqx_app", "emqx_banned",
                                        "emqx_authn_mnesia", "emqx_acl", "emqx_authn_scram_mnesia",
                                        "emqx_psk",          "retained"};

tl::unexpected<Error> content(std::string_view what) {
  return fail(Errc::Invalid, fmt::format("invalid backup archive content: {}", what));
}

/// Major and minor of "5.4.0"; nullopt: not a version.
std::optional<std::pair<int, int>> version_of(std::string_view text) {
  std::pair<int, int> out;
  const char* at = text.data();
  const char* end = at + text.size();
  const auto major = std::from_chars(at, end, out.first);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, out.second);
  if (minor.ec != std::errc() || (minor.ptr != end && *minor.ptr != '.')) return std::nullopt;
  return out;
}

std::string text_at(const config::Value& value, std::string_view key) {
  const config::Value* found = value.find(key);
  return found && found->is_scalar() ? found->text() : std::string();
}

Result<config::Value> parse(const std::string& text, const std::string& name) {
  config::Problems problems;
  config::Value out = config::parse_document(text, name, problems);
  if (!problems.empty()) return content(config::to_string(problems[0]));
  return out;
}

Result<> take_meta(const std::string& text, std::string_view product_version, BackupArchive& out) {
  SB_TRY(const config::Value meta, parse(text, "META.hocon"));
  out.version = text_at(meta, "version");
  out.edition = text_at(meta, "edition");
  out.product = text_at(meta, "product");
  if (out.edition != "ee" && out.edition != "ce") return content("wrong EMQX edition value in META.hocon");
  const auto theirs = version_of(out.version);
  if (!theirs) return content("wrong EMQX version value in META.hocon");
  if (const auto ours = version_of(product_version); ours && *theirs > *ours)
    return fail(Errc::Unsupported, fmt::format("[warning] Backup version \"{}\" is newer than EMQX version \"{}\", "
                                               "import is not allowed.",
                                               out.version, product_version));
  return {};
}

Result<std::vector<BackupRow>> jsonl_rows(std::string_view table, std::string_view text) {
  // Small values take much more memory than text: a million users have eight of them each.
  constexpr std::size_t kValuesMax = 20'000'000;
  const auto ends_value = [](char c) { return c == ',' || c == '[' || c == '{'; };
  if (static_cast<std::size_t>(std::count_if(text.begin(), text.end(), ends_value)) > kValuesMax)
    return content(fmt::format("tables/{}.jsonl: more than {} values", table, kValuesMax));
  std::vector<BackupRow> out;
  std::size_t line = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (row.empty()) continue;
    json::error_code error;
    json::value value = json::parse(row, error);
    if (error || !value.is_object() || out.size() >= kRowsMax)
      return content(fmt::format("tables/{}.jsonl, line {}: not a JSON object", table, line));
    out.push_back(std::move(value.get_object()));
  }
  return out;
}

}  // namespace

bool archive_name(std::string_view name) {
  constexpr std::size_t kNameMax = 200;
  if (name.size() <= kEnding.size() || name.size() > kNameMax || !name.ends_with(kEnding) || name.front() == '.')
    return false;
  for (const char c : name) {
    const bool good =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    if (!good) return false;
  }
  return name.find("..") == name.npos;
}

bool known_table(std::string_view name) {
  return std::find(std::begin(kTables), std::end(kTables), name) != std::end(kTables);
}

Result<BackupArchive> read_archive(std::string_view name, std::string_view bytes, std::string_view version) {
  if (!name.ends_with(kEnding))
    return fail(Errc::Invalid, "invalid backup name: file name must have .tar.gz extension");
  if (!archive_name(name))
    return fail(Errc::Invalid, "invalid backup name: letters, digits, '.', '-' and '_' are allowed");
  const std::string base = std::string(name.substr(0, name.size() - kEnding.size())) + "/";
  SB_TRY(const auto entries, read_tar_gz(bytes));
  BackupArchive out;
  const ArchiveEntry* meta = nullptr;
  for (const ArchiveEntry& entry : entries) {
    if (!entry.name.starts_with(base))
      return content(
          fmt::format("all files in the archive must be under {} directory", base.substr(0, base.size() - 1)));
    if (entry.name == base + "META.hocon") meta = &entry;
  }
  if (!meta) return fail(Errc::Invalid, "invalid backup archive file: missing META.hocon");
  SB_CHECKED(take_meta(meta->bytes, version, out));
  for (const ArchiveEntry& entry : entries) {
    const std::string_view inner = std::string_view(entry.name).substr(base.size());
    if (inner == "META.hocon") continue;
    if (inner == "cluster.hocon") {
      SB_TRY(out.cluster, parse(entry.bytes, "cluster.hocon"));
      continue;
    }
    constexpr std::string_view kOurs = "tables/", kTheirs = "mnesia/", kJsonl = ".jsonl";
    if (inner.starts_with(kOurs) && inner.ends_with(kJsonl)) {
      const std::string table(inner.substr(kOurs.size(), inner.size() - kOurs.size() - kJsonl.size()));
      if (!known_table(table)) return content(fmt::format("'{}' is not a file of a backup", inner));
      SB_TRY(out.tables[table], jsonl_rows(table, entry.bytes));
    } else if (inner.starts_with(kTheirs) && known_table(inner.substr(kTheirs.size()))) {
      const std::string table(inner.substr(kTheirs.size()));
      SB_TRY(out.tables[table], mnesia_rows(table, entry.bytes));
    } else {
      return content(fmt::format("'{}' is not a file of a backup", inner));
    }
  }
  return out;
}

}  // namespace sb::management
