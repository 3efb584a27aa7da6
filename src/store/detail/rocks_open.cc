// The folder of a store:
//   LOCK            claimed while open
//   v<N>/           the RocksDB directory of format N
//   v<N>.partial/   being made or migrated; of no worth after a crash
//   backup-v<N>/    what was there before a migration; kept until somebody deletes it
// Every step ends in one rename, so that a crash leaves either the old state or the new one. The newest v<N> counts.
#include "base/log.h"
#include "store/detail/log_check.h"
#include "store/detail/rocks_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace sb::store {

namespace {

namespace fs = std::filesystem;
using detail::RocksStore;

/// In Meta: the format as decimal digits. Says the same as the directory's name, unless somebody renamed it.
constexpr std::string_view kFormatKey = "format";
constexpr std::string_view kPartial = ".partial";

tl::unexpected<Error> os_error(std::string_view doing, const std::error_code& error) {
  const bool full = error == std::errc::no_space_on_device;
  return fail(full ? Errc::Full : Errc::Io, fmt::format("{}: {}", doing, error.message()));
}

std::string directory_of(const std::string& folder, std::uint32_t format) {
  return fmt::format("{}/v{}", folder, format);
}

/// `v12` -> 12; 0 for any other name.
std::uint32_t format_of(std::string_view name) {
  std::uint32_t format = 0;
  if (name.size() < 2 || name[0] != 'v') return 0;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), format);
  return error == std::errc{} && end == name.data() + name.size() ? format : 0;
}

Result<> sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::fsync(fd) == 0;
  const int code = errno;
  if (fd >= 0) ::close(fd);
  if (!synced) return os_error(fmt::format("syncing {}", folder), {code, std::generic_category()});
  return {};
}

Result<> rename(const std::string& folder, const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return os_error(fmt::format("renaming {} to {}", from, to), error);
  return sync_folder(folder);
}

Result<> write_format(KeyValue& store, std::uint32_t format) {
  Batch batch;
  batch.put(Table::Meta, kFormatKey, std::to_string(format));
  SB_CHECKED(store.commit_wait(std::move(batch)));
  return store.flush();
}

/// Removes what a crash left half made, and returns the newest format; 0 when the folder holds no store.
Result<std::uint32_t> survey(const std::string& folder) {
  std::uint32_t newest = 0;
  bool backups = false;
  std::error_code error;
  std::vector<fs::path> partial;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    newest = std::max(newest, format_of(name));
    if (name.ends_with(kPartial)) partial.push_back(at->path());
    if (name.starts_with("backup-v")) backups = true;
  }
  for (const fs::path& path : partial)
    if (!error) fs::remove_all(path, error);
  if (error) return os_error(fmt::format("reading {}", folder), error);
  if (newest == 0 && backups)
    return fail(Errc::Corrupt,
                fmt::format("store {} holds a backup but no store: rename the backup to v<N>, or move it "
                            "away to begin with an empty store",
                            folder));
  return newest;
}

Result<> create(const Options& options) {
  const std::string final_path = directory_of(options.folder, options.format_version);
  const std::string partial = final_path + std::string(kPartial);
  {
    SB_TRY(const auto store, RocksStore::open(partial, RocksStore::Mode::Create, options));
    SB_CHECKED(write_format(*store, options.format_version));
    SB_CHECKED(store->close());
  }
  SB_CHECKED(rename(options.folder, partial, final_path));
  SB_LOG(log::Level::Info, "store_created", kv("folder", options.folder), kv("format", options.format_version));
  return {};
}

std::string free_backup_name(const std::string& folder, std::uint32_t format) {
  std::string name = fmt::format("{}/backup-v{}", folder, format);
  for (int i = 2; fs::exists(name); ++i) name = fmt::format("{}/backup-v{}-{}", folder, format, i);
  return name;
}

Result<> run_steps(KeyValue& store, const Options& options, std::uint32_t from) {
  for (std::uint32_t format = from; format < options.format_version; ++format) {
    const auto step = std::find_if(options.steps.begin(), options.steps.end(),
                                   [format](const Migration& migration) { return migration.from == format; });
    if (step == options.steps.end())
      return fail(Errc::Unsupported, fmt::format("store {} has format {}; this program cannot read it and knows no way "
                                                 "to format {}",
                                                 options.folder, format, options.format_version));
    if (Result<> done = step->run(store); !done)
      return fail(done.error().code, fmt::format("store {} cannot be brought from format {} to {}: {}; it is unchanged",
                                                 options.folder, format, format + 1, done.error().what));
  }
  return {};
}

Result<> migrate(const Options& options, std::uint32_t from) {
  const std::string old_path = directory_of(options.folder, from);
  const std::string new_path = directory_of(options.folder, options.format_version);
  const std::string partial = new_path + std::string(kPartial);
  SB_CHECKED(detail::check_logs(old_path));
  {
    SB_TRY(const auto old, RocksStore::open(old_path, RocksStore::Mode::Existing, options));
    SB_CHECKED(old->copy_to(partial));
  }
  {
    SB_TRY(const auto copy, RocksStore::open(partial, RocksStore::Mode::Existing, options));
    SB_CHECKED(run_steps(*copy, options, from));
    SB_CHECKED(write_format(*copy, options.format_version));
    SB_CHECKED(copy->close());
  }
  SB_CHECKED(rename(options.folder, partial, new_path));
  SB_LOG(log::Level::Notice, "store_migrated", kv("folder", options.folder), kv("from", from),
         kv("to", options.format_version));
  return {};
}

/// Older formats beside the current one are what migrations left; a crash may have come before their renaming.
Result<> set_aside_older(const Options& options) {
  for (std::uint32_t format = 1; format < options.format_version; ++format)
    if (const std::string path = directory_of(options.folder, format); fs::exists(path))
      SB_CHECKED(rename(options.folder, path, free_backup_name(options.folder, format)));
  return {};
}

Result<> check_format(const KeyValue& store, const Options& options) {
  const Result<std::string> written = store.get(Table::Meta, kFormatKey);
  if (written && *written == std::to_string(options.format_version)) return {};
  return fail(Errc::Corrupt,
              fmt::format("store {} says that its format is '{}', but its directory is that of format {}",
                          options.folder, written ? *written : written.error().what, options.format_version));
}

}  // namespace

Result<std::unique_ptr<KeyValue>> open_rocksdb(Options options) {
  std::error_code error;
  fs::create_directory(options.folder, error);
  if (error) return os_error(fmt::format("cannot make the folder {}", options.folder), error);
  SB_TRY(FolderLock lock, FolderLock::acquire(options.folder));
  SB_TRY(const std::uint32_t found, survey(options.folder));
  if (found > options.format_version)
    return fail(Errc::Unsupported,
                fmt::format("store {} has format {}, written by a newer program; this one reads up to {}",
                            options.folder, found, options.format_version));
  if (found == 0) SB_CHECKED(create(options));
  if (found != 0 && found < options.format_version) SB_CHECKED(migrate(options, found));
  SB_CHECKED(set_aside_older(options));

  const std::string path = directory_of(options.folder, options.format_version);
  SB_CHECKED(detail::check_logs(path));
  SB_TRY(std::unique_ptr<RocksStore> store, RocksStore::open(path, RocksStore::Mode::Existing, options));
  SB_CHECKED(check_format(*store, options));
  store->keep(std::move(lock));
  return store;
}

}  // namespace sb::store
