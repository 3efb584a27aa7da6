#include "management/backup.h"

#include "base/json_text.h"
#include "base/log.h"
#include "base/regular_file.h"
#include "management/archive.h"
#include "management/backup_journal.h"
#include "management/text.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <tuple>

namespace sb::management {

namespace fs = std::filesystem;
namespace json = boost::json;

namespace {

constexpr std::uint64_t kFileMax = std::uint64_t{512} << 20;
constexpr std::uint64_t kConfigFileMax = std::uint64_t{1} << 20;
constexpr std::string_view kEnding = ".tar.gz";

/// emqx-export-YYYY-MM-DD-HH-MM-SS.mmm
std::string base_name(std::int64_t wall_ms) {
  // "2024-01-09T10:00:00.123+00:00"
  std::string time = rfc3339_ms(wall_ms).substr(0, 23);
  time[10] = time[13] = time[16] = '-';
  return "emqx-export-" + time;
}

/// The content of a file inside the data folder; nullopt: it lies elsewhere, or is not there.
std::optional<std::string> file_in(const std::string& data_dir, const std::string& path) {
  std::error_code error;
  constexpr std::string_view kHere = "${EMQX_DATA_DIR}";
  const std::string full = path.starts_with(kHere) ? data_dir + path.substr(kHere.size()) : path;
  const fs::path file = fs::weakly_canonical(full, error);
  if (error) return std::nullopt;
  const fs::path root = fs::weakly_canonical(data_dir, error);
  const auto inside = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
  if (error || inside.first != root.end() || !fs::is_regular_file(file, error)) return std::nullopt;
  auto content = read_regular_file(file.string(), kConfigFileMax);
  return content ? std::optional(*std::move(content)) : std::nullopt;
}

/// Certificates and rules that lie in the data folder: their content takes the place of the path, for another machine
/// has another folder.
void put_files_in(config::Value& value, const std::string& data_dir, std::string_view key, bool rules) {
  constexpr std::string_view kFiles[] = {"certfile", "keyfile", "cacertfile", "issuer_pem", "dhfile"};
  if (auto* fields = value.if_object()) {
    for (auto& [name, child] : *fields) put_files_in(child, data_dir, name, rules || name == "authorization");
  } else if (auto* list = value.if_array()) {
    for (config::Value& child : *list) put_files_in(child, data_dir, key, rules);
  } else if (const auto* text = value.if_string(); text && text->find('\n') == text->npos) {
    const bool file = std::find(std::begin(kFiles), std::end(kFiles), key) != std::end(kFiles);
    if (!file && !(rules && key == "path")) return;
    if (auto content = file_in(data_dir, *text)) value = config::Value(*std::move(content));
  }
}

/// The reverse for what is no certificate: rules of the source `file` stand in the configuration itself.
void take_rules(config::Value& roots) {
  config::Value* authorization = roots.find("authorization");
  config::Value* sources = authorization ? authorization->find("sources") : nullptr;
  if (!sources || !sources->is_array()) return;
  for (config::Value& source : *sources->if_array()) {
    config::Value* path = source.find("path");
    const std::string* text = path ? path->if_string() : nullptr;
    if (!text || text->find('\n') == text->npos) continue;
    config::Value rules(*text);
    source.if_object()->erase("path");
    source.if_object()->insert_or_assign("rules", std::move(rules));
  }
}

Backup::File describe(const std::string& path) {
  std::error_code ignored;
  Backup::File out;
  out.name = fs::path(path).filename().string();
  out.size = fs::file_size(path, ignored);
  const auto changed = std::chrono::file_clock::to_sys(fs::last_write_time(path, ignored));
  out.created_ms = std::chrono::duration_cast<Millis>(changed.time_since_epoch()).count();
  return out;
}

std::string jsonl(const std::vector<BackupRow>& rows) {
  std::string out;
  for (const BackupRow& row : rows) out += utf8_text(json::serialize(row)) + '\n';
  return out;
}

}  // namespace

struct Backup::Plan {
  std::string name;
  config::Value cluster;
  struct Table {
    BackupTable* table = nullptr;
    std::vector<BackupRow> rows;
    std::vector<BackupRow> before;  // rows of the same keys that are there
    std::vector<BackupRow> added;   // rows of keys that are not
  };
  std::vector<Table> tables;
  std::size_t begun = 0;  // tables that were put, the last one perhaps in part
  std::string cluster_before;
  Report report;
};

Backup::Backup(Options options, config::ConfigStore& config, const Clock& clock)
    : options_(std::move(options)), config_(config), clock_(clock) {
  last_ = load_report(folder());
}

BackupTable* Backup::table(std::string_view name) const {
  for (const auto& known : tables_)
    if (known->name() == name) return known.get();
  return nullptr;
}

Result<Backup::File> Backup::create(bool everything) {
  std::int64_t now_ms = clock_.wall_ms();
  std::string base = base_name(now_ms);
  while (path_of(base + std::string(kEnding))) base = base_name(++now_ms);  // several of one millisecond
  std::vector<ArchiveEntry> entries;
  entries.push_back(
      {base + "/META.hocon", fmt::format("version = \"{}\"\nedition = ee\nproduct = signalbox\n", options_.version)});
  config::Value cluster = config_.cluster();
  put_files_in(cluster, options_.data_dir, {}, false);
  entries.push_back({base + "/cluster.hocon", config::to_hocon(cluster, {.reveal = true})});
  for (const auto& known : tables_) {
    if (known->optional() && !everything) continue;
    SB_TRY(const auto rows, known->rows());
    entries.push_back({fmt::format("{}/tables/{}.jsonl", base, known->name()), jsonl(rows)});
  }
  const std::string name = base + std::string(kEnding);
  const std::string path = folder() + "/" + name;
  SB_CHECKED(write_tar_gz(path, entries, now_ms));
  return describe(path);
}

std::vector<Backup::File> Backup::list() const {
  std::vector<File> out;
  std::error_code error;
  for (fs::directory_iterator at(folder(), error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    const std::string name = at->path().filename().string();
    if (archive_name(name) && at->is_regular_file(ignored) && !at->is_symlink(ignored))
      out.push_back(describe(at->path().string()));
  }
  std::sort(out.begin(), out.end(), [](const File& a, const File& b) {
    return std::tie(b.created_ms, b.name) < std::tie(a.created_ms, a.name);
  });
  return out;
}

Result<std::string> Backup::path_of(std::string_view name) const {
  if (!archive_name(name)) return fail(Errc::Invalid, fmt::format("'{}' is not the name of a backup file", name));
  const std::string path = folder() + "/" + std::string(name);
  std::error_code error;
  if (!fs::is_regular_file(fs::symlink_status(path, error)) || error)
    return fail(Errc::NotFound, "backup file not found");
  return path;
}

Result<> Backup::remove(std::string_view name) {
  SB_TRY(const std::string path, path_of(name));
  std::error_code error;
  fs::remove(path, error);
  if (error) return fail(Errc::Io, fmt::format("{}: {}", path, error.message()));
  return {};
}

Result<> Backup::take(std::string_view name, std::string_view bytes) {
  SB_TRY(const Plan checked, plan(name, bytes));  // nothing of it is kept that could not be imported
  static_cast<void>(checked);
  if (path_of(name)) return fail(Errc::Exists, fmt::format("Backup file \"{}\" already exists", name));
  return config::write_private(folder() + "/" + std::string(name), bytes);
}

Result<Backup::Plan> Backup::plan(std::string_view name, std::string_view bytes) {
  SB_TRY(BackupArchive archive, read_archive(name, bytes, options_.version));
  Plan out;
  out.name = name;
  out.cluster = std::move(archive.cluster);
  take_rules(out.cluster);
  out.report.filename = name;
  out.report.at_ms = clock_.wall_ms();
  // The list of roots is closed. Those that nobody knows are left out; those of areas that are not there yet are kept.
  if (auto* roots = out.cluster.if_object())
    std::erase_if(*roots, [&](const auto& root) {
      const bool known = config_.known(root.first);
      if (!known || config_.unbuilt(root.first)) out.report.left_out.push_back("cluster.hocon: " + root.first);
      return !known;
    });
  if (const config::Problems problems = config_.problems_of_backup(out.cluster); !problems.empty()) {
    std::string text = "invalid backup archive content: cluster.hocon";
    for (config::Problem problem : problems) {
      if (problem.file != "cluster.hocon") problem.file.clear();  // one of the node's own files
      text += "\n" + config::to_string(problem);
    }
    return fail(Errc::Invalid, std::move(text));
  }
  for (auto& [table_name, rows] : archive.tables) {
    Plan::Table part;
    part.table = table(table_name);
    if (!part.table) {
      out.report.left_out.push_back(table_name);
      continue;
    }
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (const auto good = part.table->check(rows[i]); !good)
        return fail(Errc::Invalid, fmt::format("invalid backup archive content: {}, row {}: {}", table_name, i + 1,
                                               good.error().what));
    if (const std::size_t left = std::erase_if(rows, [&](const BackupRow& row) { return !part.table->takes(row); }))
      out.report.left_out.push_back(fmt::format("{}: {} rows", table_name, left));
    if (const auto good = part.table->check_together(rows); !good)
      return fail(Errc::Invalid, fmt::format("invalid backup archive content: {}: {}", table_name, good.error().what));
    part.rows = std::move(rows);
    out.tables.push_back(std::move(part));
  }
  return out;
}

Result<> Backup::apply(Plan& plan) {
  const auto changed = config_.take_backup(plan.cluster);
  if (!changed) return fail(Errc::Invalid, "cluster.hocon: " + changed.error().told());
  plan.report.roots = changed->roots;
  // Kept and without effect: named once, among what is left out.
  std::erase_if(plan.report.roots, [this](const std::string& root) { return config_.unbuilt(root); });
  for (Plan::Table& part : plan.tables) {
    ++plan.begun;
    if (auto put = part.table->put(part.rows); !put)
      return fail(put.error().code, fmt::format("{}: {}", part.table->name(), put.error().what));
    plan.report.tables.push_back({std::string(part.table->name()), part.rows.size(), part.before.size()});
  }
  return {};
}

Result<> Backup::undo(const Plan& plan) {
  Result<> out{};
  for (std::size_t i = plan.begun; i-- > 0;) {
    const Plan::Table& part = plan.tables[i];
    if (auto erased = part.table->erase(part.added); !erased && out) out = std::move(erased);
    if (auto put = part.table->put(part.before); !put && out) out = std::move(put);
  }
  if (const auto restored = config_.restore_text(plan.cluster_before); !restored && out)
    out = fail(Errc::Invalid, restored.error().message);
  return out;
}

Result<Backup::Report> Backup::restore(std::string_view name) {
  SB_TRY(const std::string path, path_of(name));
  SB_TRY(const std::string bytes, read_regular_file(path, kFileMax));
  SB_TRY(Plan plan, this->plan(name, bytes));
  // What is there now, so that it can come back.
  plan.cluster_before = config::to_hocon(config_.cluster(), {.reveal = true});
  for (Plan::Table& part : plan.tables) {
    SB_TRY(std::vector<BackupRow> here, part.table->rows());
    std::map<std::string, const BackupRow*> by_key;
    for (const BackupRow& row : here) by_key.emplace(part.table->key(row), &row);
    for (const BackupRow& row : part.rows) {
      const auto found = by_key.find(part.table->key(row));
      if (found == by_key.end()) {
        part.added.push_back(row);
      } else {
        part.before.push_back(*found->second);
      }
    }
  }
  BackupJournal journal(folder());
  BackupJournal::State state;
  state.archive_name = name;
  state.archive = bytes;
  state.cluster_before = plan.cluster_before;
  for (const Plan::Table& part : plan.tables) state.before.emplace(part.table->name(), part.before);
  SB_CHECKED(journal.write(state));
  const auto applied = apply(plan);
  if (!applied) {
    plan.report.reason = applied.error().what;
    if (const auto undone = undo(plan); !undone)
      SB_LOG(log::Level::Error, "backup_import_not_undone", kv("reason", undone.error().what));
  }
  journal.clear();
  plan.report.ok = applied.has_value();
  last_ = plan.report;
  keep_report();
  if (!applied) return tl::unexpected(applied.error());
  return plan.report;
}

Backup::Plan Backup::remains(std::string_view archive_name, std::string_view archive, const RowsByTable& before) const {
  constexpr const char* kAnyVersion = "999.0.0";  // a newer program may have begun it
  Plan out;
  const auto read = read_archive(archive_name, archive, kAnyVersion);
  for (const auto& [name, old] : before) {
    Plan::Table part;
    part.table = table(name);
    if (!part.table) continue;
    if (read)
      if (const auto rows = read->tables.find(name); rows != read->tables.end())
        for (const BackupRow& row : rows->second)
          if (part.table->takes(row) && part.table->check(row)) part.rows.push_back(row);
    out.tables.push_back(std::move(part));
  }
  return out;
}

void Backup::recover() {
  BackupJournal journal(folder());
  auto state = journal.read();
  if (!state) {
    if (state.error().code != Errc::NotFound)
      SB_LOG(log::Level::Error, "backup_journal_unreadable", kv("reason", state.error().what));
    journal.clear();  // one that is not whole was written before anything changed
    return;
  }
  SB_LOG(log::Level::Warning, "backup_import_goes_on", kv("filename", state->archive_name));
  Report report;
  report.filename = state->archive_name;
  report.at_ms = clock_.wall_ms();
  auto plan = this->plan(state->archive_name, state->archive);
  Result<> done = plan ? Result<>{} : tl::unexpected(plan.error());
  // An archive that does not hold any longer, as after a change of version: what is known of it is undone.
  Plan back = plan ? *std::move(plan) : remains(state->archive_name, state->archive, state->before);
  back.cluster_before = state->cluster_before;
  for (Plan::Table& part : back.tables) {
    part.before = state->before[std::string(part.table->name())];
    std::map<std::string, bool> old;
    for (const BackupRow& row : part.before) old[part.table->key(row)] = true;
    for (const BackupRow& row : part.rows)
      if (!old.contains(part.table->key(row))) part.added.push_back(row);
  }
  if (done) done = apply(back);
  back.begun = back.tables.size();  // nobody knows how far it was before the crash
  if (!done) {
    if (const auto undone = undo(back); !undone)
      SB_LOG(log::Level::Error, "backup_import_not_undone", kv("reason", undone.error().what));
  }
  if (back.report.at_ms != 0) report = back.report;
  report.recovered = true;
  report.ok = done.has_value();
  if (!done) report.reason = done.error().what;
  journal.clear();
  last_ = std::move(report);
  keep_report();
}

void Backup::keep_report() {
  if (const auto kept = save_report(folder(), *last_); !kept)
    SB_LOG(log::Level::Warning, "backup_report_not_kept", kv("reason", kept.error().what));
}

}  // namespace sb::management
