// What only a store on a disk can show: the lock, formats, damage, kill -9 and a full disk.
#include "store/folder_lock.h"
#include "store/tables.h"
#include "store/testing/temp_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <mutex>
#include <random>
#include <thread>

namespace sb::store {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class RocksTest : public ::testing::Test {
 protected:
  testing::TempFolder temp;
  const std::string folder = temp.path() + "/store";

  Options options() const { return {.folder = folder}; }

  std::unique_ptr<KeyValue> must_open(Options with) const {
    auto store = open_rocksdb(std::move(with));
    EXPECT_TRUE(store) << store.error().what;
    return store ? std::move(*store) : nullptr;
  }
  std::unique_ptr<KeyValue> must_open() const { return must_open(options()); }

  static void write(KeyValue& store, MessageId first, MessageId last) {
    const std::string payload(200, 'p');
    Batch batch;
    for (MessageId id = first; id <= last; ++id) {
      put(batch, MessageRecord{.message = {.id = id, .topic = "t", .payload = as_bytes(payload)}});
      if (batch.count() == 64 || id == last) {
        const auto written = store.commit_wait(std::move(batch));
        ASSERT_TRUE(written) << written.error().what;
      }
    }
  }

  /// Reads everything, as a start does.
  static Result<std::uint64_t> count(const KeyValue& store) {
    std::uint64_t seen = 0;
    SB_CHECKED(scan<MessageRecord>(store, [&](const MessageRecord&) -> Result<> { return ++seen, Result<>{}; }));
    return seen;
  }

  /// A store as kill -9 leaves it: everything in the log, nothing in sorted files.
  void leave_in_log(MessageId messages) const {
    const std::string copy = temp.path() + "/killed";
    {
      const auto store = must_open();
      write(*store, 1, messages);
      ASSERT_TRUE(store->flush());
      fs::copy(folder, copy, fs::copy_options::recursive);
    }
    fs::remove_all(folder);
    fs::rename(copy, folder);
  }

  /// The largest file with this ending.
  fs::path file(std::string_view extension) const {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(folder + "/v1"))
      if (entry.path().extension() == extension && (found.empty() || entry.file_size() > fs::file_size(found)))
        found = entry.path();
    EXPECT_FALSE(found.empty()) << extension;
    return found;
  }

  static void flip(const fs::path& path, std::uintmax_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    ASSERT_NE(byte, EOF);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 0x40));
  }

  /// Opens and reads all; the first error of either.
  Result<std::uint64_t> open_and_read() const {
    SB_TRY(const auto store, open_rocksdb(options()));
    return count(*store);
  }
};

TEST_F(RocksTest, KeepsItsRecordsAcrossAnOrderlyStop) {
  { write(*must_open(), 1, 1000); }
  const auto store = must_open();
  EXPECT_EQ(count(*store).value(), 1000u);
}

TEST_F(RocksTest, IsReadableAfterCloseAndFreeAfterDestruction) {
  auto store = must_open();
  write(*store, 1, 10);
  ASSERT_TRUE(store->close());
  EXPECT_EQ(count(*store).value(), 10u);
  store.reset();
  EXPECT_TRUE(must_open());
}

TEST_F(RocksTest, RefusesASecondOpenerByName) {
  const auto store = must_open();
  const auto second = open_rocksdb(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::Busy);
  EXPECT_THAT(second.error().what, HasSubstr(folder));
  EXPECT_THAT(second.error().what, HasSubstr(std::to_string(::getpid())));
}

TEST_F(RocksTest, RefusesAFolderThatCannotBeMade) {
  const auto store = open_rocksdb({.folder = temp.path() + "/no/such/parent"});
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::Io);
}

TEST_F(RocksTest, ReportsBusyAtTheBoundAndKeepsTheBatch) {
  std::mutex mutex;
  std::condition_variable released;
  bool go = false;
  Options with = options();
  with.queue_batches_max = 4;
  const auto store = must_open(std::move(with));
  const auto hold = [&](Result<>, Batch) {
    std::unique_lock lock(mutex);
    released.wait(lock, [&] { return go; });
  };
  // The first holds the writer thread in its Done; the others fill the queue behind it.
  Batch batch;
  batch.put(Table::Sessions, "k", "v");
  store->commit(std::move(batch), hold);
  int accepted = 0;
  Result<> last;
  for (int i = 0; i < 1000 && last; ++i) {
    batch.clear();
    batch.put(Table::Sessions, "k" + std::to_string(i), "v");
    last = store->try_commit(std::move(batch), {});
    accepted += last ? 1 : 0;
  }
  EXPECT_EQ(last.error().code, Errc::Busy);
  EXPECT_LE(accepted, 5);
  EXPECT_EQ(batch.count(), 1u);
  EXPECT_GE(store->stats().refused_busy, 1u);
  {
    const std::lock_guard lock(mutex);
    go = true;
  }
  released.notify_all();
  ASSERT_TRUE(store->flush());
  EXPECT_TRUE(store->try_commit(std::move(batch), {}));
}

TEST_F(RocksTest, MergesBatchesThatWait) {
  const auto store = must_open();
  for (int i = 0; i < 5000; ++i) {
    Batch batch;
    batch.put(Table::Sessions, std::to_string(i), "v");
    store->commit(std::move(batch), {});
  }
  ASSERT_TRUE(store->flush());
  const Stats stats = store->stats();
  EXPECT_EQ(stats.batches, 5000u);
  EXPECT_LT(stats.writes, 4000u);
  EXPECT_GT(stats.log_bytes, 0u);
}

// ---- Formats ----

TEST_F(RocksTest, RefusesANewerFormatAndLeavesItAlone) {
  Options newer = options();
  newer.format_version = 2;
  { write(*must_open(newer), 1, 10); }
  const auto refused = open_rocksdb(options());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Unsupported);
  EXPECT_THAT(refused.error().what, HasSubstr("newer"));
  EXPECT_EQ(count(*must_open(newer)).value(), 10u);
}

Options with_steps(Options options, std::function<Result<>(KeyValue&)> first,
                   std::function<Result<>(KeyValue&)> second) {
  options.format_version = 3;
  options.steps = {{.from = 1, .run = std::move(first)}, {.from = 2, .run = std::move(second)}};
  return options;
}

Result<> add_session(KeyValue& store, std::string_view key) {
  Batch batch;
  batch.put(Table::Sessions, key, "");
  return store.commit_wait(std::move(batch));
}

TEST_F(RocksTest, MigratesStepByStepAndKeepsABackup) {
  { write(*must_open(), 1, 100); }
  const Options newer = with_steps(
      options(), [](KeyValue& store) { return add_session(store, "by step 1"); },
      [](KeyValue& store) -> Result<> {
        SB_TRY(const std::string value, store.get(Table::Sessions, "by step 1"));
        return add_session(store, "by step 2");
      });
  {
    const auto store = must_open(newer);
    EXPECT_EQ(count(*store).value(), 100u);
    EXPECT_TRUE(store->get(Table::Sessions, "by step 2"));
  }
  EXPECT_FALSE(fs::exists(folder + "/v1"));
  ASSERT_TRUE(fs::exists(folder + "/backup-v1"));
  EXPECT_TRUE(must_open(newer));  // and does not migrate again

  // The backup is a whole store of its format.
  fs::remove_all(folder + "/v3");
  EXPECT_THAT(open_rocksdb(options()).error().what, HasSubstr("backup"));
  fs::rename(folder + "/backup-v1", folder + "/v1");
  const auto old = must_open();
  EXPECT_EQ(count(*old).value(), 100u);
  EXPECT_EQ(old->get(Table::Sessions, "by step 1").error().code, Errc::NotFound);
}

TEST_F(RocksTest, IsUnchangedWhenAMigrationFails) {
  { write(*must_open(), 1, 100); }
  const auto refused = open_rocksdb(with_steps(
      options(), [](KeyValue& store) { return add_session(store, "half"); },
      [](KeyValue&) -> Result<> { return fail(Errc::Invalid, "cannot do it"); }));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().what, HasSubstr("cannot do it"));
  const auto store = must_open();
  EXPECT_EQ(count(*store).value(), 100u);
  EXPECT_EQ(store->get(Table::Sessions, "half").error().code, Errc::NotFound);
  EXPECT_FALSE(fs::exists(folder + "/v3.partial"));
}

TEST_F(RocksTest, RefusesAnOlderFormatThatNoStepLeadsFrom) {
  { write(*must_open(), 1, 10); }
  Options newer = options();
  newer.format_version = 2;
  EXPECT_EQ(open_rocksdb(newer).error().code, Errc::Unsupported);
  EXPECT_EQ(count(*must_open()).value(), 10u);
}

TEST_F(RocksTest, FinishesAMigrationThatACrashCutShort) {
  { write(*must_open(), 1, 10); }
  const Options newer = with_steps(
      options(), [](KeyValue& store) { return add_session(store, "1"); },
      [](KeyValue& store) { return add_session(store, "2"); });
  // Before the new directory had its name: it begins anew.
  fs::create_directory(folder + "/v3.partial");
  std::ofstream(folder + "/v3.partial/CURRENT") << "rubbish";
  EXPECT_TRUE(must_open(newer)->get(Table::Sessions, "2"));
  // After that, before the old one was set aside.
  fs::rename(folder + "/backup-v1", folder + "/v1");
  EXPECT_TRUE(must_open(newer)->get(Table::Sessions, "2"));
  EXPECT_TRUE(fs::exists(folder + "/backup-v1"));
  EXPECT_FALSE(fs::exists(folder + "/v1"));
}

TEST_F(RocksTest, RefusesADirectoryUnderAnotherFormatsName) {
  { write(*must_open(), 1, 10); }
  fs::rename(folder + "/v1", folder + "/v2");
  Options newer = options();
  newer.format_version = 2;
  EXPECT_EQ(open_rocksdb(newer).error().code, Errc::Corrupt);
}

// ---- Damage ----

TEST_F(RocksTest, ToleratesALogThatEndsInTheMiddleOfARecord) {
  leave_in_log(1000);
  const fs::path log = file(".log");
  for (const std::uintmax_t cut : {1u, 100u, 5000u}) {
    fs::resize_file(log, fs::file_size(log) - cut);
    const std::string copy = temp.path() + "/copy";
    fs::copy(folder, copy, fs::copy_options::recursive);
    auto store = open_rocksdb({.folder = copy});
    ASSERT_TRUE(store) << store.error().what;
    const auto records = count(**store);
    ASSERT_TRUE(records);
    EXPECT_LT(*records, 1000u);
    EXPECT_GT(*records, 900u);
    EXPECT_EQ(*records % 64, 0u);  // whole batches only
    (*store).reset();
    fs::remove_all(copy);
  }
}

TEST_F(RocksTest, RefusesALogThatIsDamagedBeforeItsEnd) {
  leave_in_log(1000);
  const fs::path log = file(".log");
  const std::uintmax_t size = fs::file_size(log);
  for (const std::uintmax_t at : {size / 10, size / 2, size - 20'000}) {
    flip(log, at);
    const auto store = open_and_read();
    ASSERT_FALSE(store) << "byte " << at << " of " << size;
    EXPECT_EQ(store.error().code, Errc::Corrupt) << store.error().what;
    flip(log, at);
  }
  EXPECT_EQ(open_and_read().value(), 1000u);
}

/// Where the records of a log's last block begin. Each batch of the tests is smaller than a block.
std::vector<std::size_t> records_of_last_block(const std::string& log) {
  std::vector<std::size_t> found;
  for (std::size_t at = log.size() / 32'768 * 32'768; at + 7 <= log.size();) {
    found.push_back(at);
    at += 7 + static_cast<std::uint8_t>(log[at + 4]) + 256u * static_cast<std::uint8_t>(log[at + 5]);
  }
  return found;
}

TEST_F(RocksTest, RefusesAWrongLengthOrTypeThatLooksLikeTheEndOfTheLog) {
  leave_in_log(1000);
  const fs::path log = file(".log");
  std::ifstream in(log, std::ios::binary);
  const std::string good((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto records = records_of_last_block(good);
  ASSERT_GE(records.size(), 2u);
  ASSERT_GT(records.front(), 0u);
  // The length of a record, its type, and with a second wrong bit; in the middle of the block and in the last record.
  struct Case {
    std::size_t at;
    int xored;
  };
  std::vector<Case> cases;
  for (const std::size_t record : {records.front(), records[1], records.back()})
    for (const auto& [offset, bit] : {std::pair{std::size_t{5}, 0x40}, {std::size_t{6}, 0x04}})
      cases.push_back({record + offset, bit});
  cases.push_back({records.front() + 5, 0x60});
  for (const Case& damage : cases) {
    std::string bad = good;
    bad[damage.at] = static_cast<char>(bad[damage.at] ^ damage.xored);
    std::ofstream(log, std::ios::binary | std::ios::trunc) << bad;
    const auto store = open_and_read();
    ASSERT_FALSE(store) << "byte " << damage.at << " of " << good.size() << ": read " << *store;
    EXPECT_EQ(store.error().code, Errc::Corrupt) << store.error().what;
    EXPECT_THAT(store.error().what, HasSubstr(log.filename().string()));
    const std::size_t start = *std::prev(std::upper_bound(records.begin(), records.end(), damage.at));
    EXPECT_THAT(store.error().what, HasSubstr(fmt::format("in the record at byte {}:", start)));
  }
  std::ofstream(log, std::ios::binary | std::ios::trunc) << good;
  EXPECT_EQ(open_and_read().value(), 1000u);
}

TEST_F(RocksTest, RefusesALogWithAHoleOfZeros) {
  leave_in_log(1000);
  const fs::path log = file(".log");
  const auto size = static_cast<std::streamoff>(fs::file_size(log));
  {
    std::fstream hole(log, std::ios::in | std::ios::out | std::ios::binary);
    std::string block(static_cast<std::size_t>(size), '\0');
    hole.read(block.data(), size);
    hole.seekp(static_cast<std::streamoff>(records_of_last_block(block).at(1)));
    hole << std::string(512, '\0');
  }
  const auto store = open_and_read();
  ASSERT_FALSE(store) << *store;
  EXPECT_EQ(store.error().code, Errc::Corrupt) << store.error().what;
}

TEST_F(RocksTest, ToleratesZerosBehindTheEndOfTheLog) {
  leave_in_log(1000);
  const fs::path log = file(".log");
  fs::resize_file(log, fs::file_size(log) + 100'000);
  EXPECT_EQ(open_and_read().value(), 1000u);
}

TEST_F(RocksTest, ToleratesATornRecordWhosePayloadLooksLikeOne) {
  std::string whole;
  {
    leave_in_log(64);
    std::ifstream in(file(".log"), std::ios::binary);
    whole.assign((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    fs::remove_all(folder);
  }
  const std::string copy = temp.path() + "/killed";
  {
    const auto store = must_open();
    write(*store, 1, 640);
    Batch batch;
    const std::string payload = whole + std::string(100, 'p');
    put(batch, MessageRecord{.message = {.id = 641, .topic = "t", .payload = as_bytes(payload)}});
    ASSERT_TRUE(store->commit_wait(std::move(batch)));
    ASSERT_TRUE(store->flush());
    fs::copy(folder, copy, fs::copy_options::recursive);
  }
  fs::remove_all(folder);
  fs::rename(copy, folder);
  const fs::path log = file(".log");
  fs::resize_file(log, fs::file_size(log) - 50);
  EXPECT_EQ(open_and_read().value(), 640u);
}

TEST_F(RocksTest, RefusesWithoutItsLogs) {
  leave_in_log(1000);
  std::vector<fs::path> logs;
  for (const auto& entry : fs::directory_iterator(folder + "/v1"))
    if (entry.path().extension() == ".log") logs.push_back(entry.path());
  for (const fs::path& log : logs) fs::remove(log);
  const auto store = open_and_read();
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::Corrupt) << store.error().what;
}

TEST_F(RocksTest, RefusesADamagedSortedFile) {
  { write(*must_open(), 1, 5000); }
  const fs::path sorted = file(".sst");
  const std::uintmax_t size = fs::file_size(sorted);
  for (const std::uintmax_t at : {std::uintmax_t{10}, size / 3, size / 2, size - 10}) {
    flip(sorted, at);
    const auto store = open_and_read();
    ASSERT_FALSE(store) << "byte " << at << " of " << size;
    EXPECT_EQ(store.error().code, Errc::Corrupt) << store.error().what;
    flip(sorted, at);
  }
  EXPECT_EQ(open_and_read().value(), 5000u);
}

TEST_F(RocksTest, RefusesAStoreThatLostAFileAndNeverBeginsAnew) {
  { write(*must_open(), 1, 5000); }
  const std::string saved = temp.path() + "/saved";
  fs::copy(folder, saved, fs::copy_options::recursive);
  std::vector<fs::path> lose = {"CURRENT", file(".sst").filename()};
  for (const auto& entry : fs::directory_iterator(folder + "/v1"))
    if (entry.path().filename().string().starts_with("MANIFEST")) lose.push_back(entry.path().filename());
  for (const fs::path& name : lose) {
    fs::remove(folder / fs::path("v1") / name);
    const auto store = open_and_read();
    ASSERT_FALSE(store) << name;
    EXPECT_EQ(store.error().code, Errc::Corrupt) << name << ": " << store.error().what;
    fs::remove_all(folder);
    fs::copy(saved, folder, fs::copy_options::recursive);
  }
  EXPECT_EQ(open_and_read().value(), 5000u);
}

TEST_F(RocksTest, RefusesADamagedListOfFiles) {
  { write(*must_open(), 1, 100); }
  fs::path manifest;
  for (const auto& entry : fs::directory_iterator(folder + "/v1"))
    if (entry.path().filename().string().starts_with("MANIFEST")) manifest = entry.path();
  flip(manifest, fs::file_size(manifest) / 2);
  EXPECT_EQ(open_and_read().error().code, Errc::Corrupt);
}

// ---- kill -9 ----

class CrashTest : public RocksTest {
 protected:
  /// Runs the writer, kills it after `life`, and returns the highest number it was told to be safe and when.
  struct Acknowledged {
    std::uint64_t last = 0;
    std::uint64_t before_interval = 0;  // the highest one older than `interval` at the kill
  };
  Acknowledged run_and_kill(const char* mode, Millis life, Millis interval) const {
    using Steady = std::chrono::steady_clock;
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    const std::string interval_ms = std::to_string(interval.count());
    const pid_t child = ::fork();
    if (child == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      ::execl(SB_CRASH_WRITER, SB_CRASH_WRITER, folder.c_str(), mode, interval_ms.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    std::vector<std::pair<Steady::time_point, std::uint64_t>> heard;
    std::thread killer;
    std::uint64_t number = 0;
    Steady::time_point killed{};
    while (::read(ends[0], &number, sizeof number) == sizeof number) {
      heard.emplace_back(Steady::now(), number);
      // Its life begins with its first acknowledgement.
      if (!killer.joinable())
        killer = std::thread([&] {
          std::this_thread::sleep_for(life);
          killed = Steady::now();
          ::kill(child, SIGKILL);
        });
    }
    if (killer.joinable()) killer.join();
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << "the writer ended by itself: " << status;
    Acknowledged result;
    for (const auto& [when, what] : heard) {
      result.last = what;
      if (when + interval < killed) result.before_interval = what;
    }
    return result;
  }

  /// The numbers 1.. without a gap; the highest.
  static std::uint64_t contiguous(const KeyValue& store) {
    std::uint64_t messages = 0;
    std::uint64_t queued = 0;
    EXPECT_TRUE(scan<MessageRecord>(store, [&](const MessageRecord& record) -> Result<> {
      EXPECT_EQ(record.message.id, ++messages);
      return {};
    }));
    EXPECT_TRUE(scan<QueueRecord>(store, [&](const QueueRecord& record) -> Result<> {
      EXPECT_EQ(record.message, ++queued);
      return {};
    }));
    EXPECT_EQ(messages, queued);  // a batch is there as a whole
    EXPECT_EQ(messages % 16, 0u);
    return messages;
  }
};

TEST_F(CrashTest, LosesNothingAcknowledgedInProcessMode) {
  std::mt19937 random(4711);  // NOLINT: a fixed seed
  for (int round = 0; round < 8; ++round) {
    fs::remove_all(folder);
    const Acknowledged acknowledged =
        run_and_kill("process", Millis(std::uniform_int_distribution<int>(1, 400)(random)), Millis(0));
    ASSERT_GT(acknowledged.last, 0u);
    EXPECT_GE(contiguous(*must_open()), acknowledged.last) << "round " << round;
  }
}

TEST_F(CrashTest, LosesNothingAcknowledgedInPowerMode) {
  const Acknowledged acknowledged = run_and_kill("power", Millis(200), Millis(0));
  ASSERT_GT(acknowledged.last, 0u);
  EXPECT_GE(contiguous(*must_open()), acknowledged.last);
}

TEST_F(CrashTest, LosesAtMostTheIntervalInRelaxedMode) {
  // Twice the interval: the timer runs from the first write after a flush, and the machine may be busy.
  const Acknowledged acknowledged = run_and_kill("relaxed", Millis(1500), Millis(400));
  ASSERT_GT(acknowledged.before_interval, 0u);
  EXPECT_GE(contiguous(*must_open()), acknowledged.before_interval);
}

// ---- A full disk ----

/// A file system of a few megabytes. Needs the right to mount: root, or a user namespace of our own.
class SmallDisk {
 public:
  explicit SmallDisk(const std::string& path) : path_(path) {
    fs::create_directory(path_);
    mounted_ = mount();
    if (!mounted_ && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) mounted_ = mount();
  }
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }

 private:
  bool mount() { return ::mount("none", path_.c_str(), "tmpfs", 0, "size=24m") == 0; }
  std::string path_;
  bool mounted_ = false;
};

TEST_F(RocksTest, RefusesOnAFullDiskGoesOnReadingAndRecovers) {
  const SmallDisk disk(temp.path() + "/disk");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount a small file system";
  std::mutex mutex;
  std::vector<std::optional<Error>> troubles;
  Options with{.folder = temp.path() + "/disk/store"};
  with.retry_interval = Millis(20);
  with.write_buffer_bytes = std::size_t{1} << 20;
  with.on_trouble = [&](const std::optional<Error>& trouble) {
    const std::lock_guard lock(mutex);
    troubles.push_back(trouble);
  };
  MessageId kept = 0;
  {
    const auto store = must_open(with);
    const std::string ballast_path = temp.path() + "/disk/ballast";
    std::ofstream(ballast_path) << std::string(std::size_t{12} << 20, 'b');

    // Random payloads, so that compression does not make room.
    std::mt19937_64 random(1);  // NOLINT: a fixed seed
    std::string payload(4096, '\0');
    Result<> result;
    Batch batch;
    while (result && kept < 100'000) {
      for (char& c : payload) c = static_cast<char>(random());
      put(batch, MessageRecord{.message = {.id = kept + 1, .topic = "t", .payload = as_bytes(payload)}});
      result = store->commit_wait(std::move(batch));
      if (result) ++kept;
    }
    ASSERT_FALSE(result) << "the disk did not fill";
    EXPECT_EQ(result.error().code, Errc::Full) << result.error().what;
    EXPECT_EQ(batch.count(), 1u);
    ASSERT_TRUE(store->stats().trouble);
    EXPECT_EQ(store->stats().trouble->code, Errc::Full);
    ASSERT_TRUE(store->trouble());
    EXPECT_EQ(store->trouble()->code, Errc::Full);
    EXPECT_EQ(count(*store).value(), kept);

    // Recovering empties logs into sorted files, which makes room: something else takes it. In the end the disk is
    // still full, and the store still refuses after each attempt to recover, and still answers.
    const std::string more_path = temp.path() + "/disk/more";
    const auto take_room = [&] {
      std::ofstream more(more_path, std::ios::app);
      while (more << payload << std::flush) {
      }
    };
    take_room();
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (int refusals = 0; refusals < 5 && std::chrono::steady_clock::now() < patience;) {
      std::this_thread::sleep_for(Millis(30));
      if (batch.empty()) put(batch, MessageRecord{.message = {.id = kept + 1, .payload = as_bytes(payload)}});
      result = store->commit_wait(std::move(batch));
      refusals = result ? 0 : refusals + 1;
      if (!result) continue;
      ++kept;
      take_room();
    }
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::Full);
    EXPECT_EQ(count(*store).value(), kept);

    fs::remove(ballast_path);
    fs::remove(more_path);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    do {
      std::this_thread::sleep_for(Millis(20));
      result = store->commit_wait(std::move(batch));
    } while (!result && std::chrono::steady_clock::now() < deadline);
    ASSERT_TRUE(result) << result.error().what;
    ++kept;
    EXPECT_FALSE(store->stats().trouble);
    EXPECT_FALSE(store->trouble());
    EXPECT_EQ(store->stats().last_error->code, Errc::Full) << store->stats().last_error->what;
    write(*store, kept + 1, kept + 1000);
    kept += 1000;
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(troubles.front());
    EXPECT_FALSE(troubles.back());
    EXPECT_TRUE(std::any_of(troubles.begin(), troubles.end(), [](const std::optional<Error>& trouble) {
      return trouble && trouble->what.find("bytes are free where") != std::string::npos;
    })) << "how much room it wants";
  }
  EXPECT_EQ(count(*must_open(with)).value(), kept);
}

TEST_F(RocksTest, RefusesToStartOnAFullDiskAndLeavesNothingHalfMade) {
  const SmallDisk disk(temp.path() + "/disk");
  if (!disk.mounted()) GTEST_SKIP() << "no right to mount a small file system";
  const std::string ballast_path = temp.path() + "/disk/ballast";
  const Options with{.folder = temp.path() + "/disk/store"};
  std::ofstream(ballast_path) << std::string(std::size_t{25} << 20, 'b');
  const auto refused = open_rocksdb(with);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Full) << refused.error().what;
  fs::remove(ballast_path);
  EXPECT_TRUE(must_open(with));
}

}  // namespace
}  // namespace sb::store
