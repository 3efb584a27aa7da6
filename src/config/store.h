// The configuration of a running node: holds the current snapshot and changes it as REST and ctl ask. A change is
// checked as a whole, offered to the subscribers, kept in cluster.hocon, and either all of it holds or nothing. Belongs
// to one thread (the management thread); shards get snapshots posted by a subscriber.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sb::config {

using Snapshot = std::shared_ptr<const Config>;

class ConfigStore {
 public:
  enum class Mode : std::uint8_t {
    Merge,
    Replace,
    Shallow,  // members of the object at the path replace those of the same name, the others stay
  };

  struct Change {
    Snapshot config;                              // in force now
    std::vector<std::string> roots = {};          // that differ from before
    std::vector<std::string> after_restart = {};  // of these, what takes effect only then (Hot::B)
  };
  /// Why an update was refused; EMQX's code is in `code`.
  struct Refusal {
    std::string
        code;  // UPDATE_FAILED, update_readonly_keys_prohibited, remove_root_is_forbidden, NO_DEFAULT_VALUE, NOT_FOUND
    std::string message;
    Problems problems = {};

    /// Every problem on a line of its own, else the message, else the code.
    std::string told() const;
    /// The same with file and line: for who may read the node's files.
    std::string told_with_places() const;
  };
  template <class T>
  using Outcome = tl::expected<T, Refusal>;

  /// Told of each change before it is kept. An error undoes the change for all; those told before are told again, with
  /// the snapshots in the other order.
  using Subscriber =
      std::function<Result<void>(const Config& before, const Config& after, const std::vector<std::string>& roots)>;

  /// Told when a change is in force and written down: what cannot be taken back.
  using Follower = std::function<void(const Config& before, const Config& after)>;

  /// `loaded` must hold a config. The clock names backups.
  ConfigStore(Loaded loaded, LoadOptions options, const Clock& clock);

  const Snapshot& current() const { return current_; }

  /// Returns what removes the subscriber again.
  std::uint64_t subscribe(Subscriber subscriber);
  void unsubscribe(std::uint64_t id);
  void follow(Follower follower) { followers_.push_back(std::move(follower)); }

  /// Sets the value at a dotted path ("" = several roots at once). In `value`, ****** keeps the secret that is there;
  /// PEM text in place of a certificate's path goes to a file below <data_dir>/certs. Merging joins lists of
  /// authenticators and of authorization sources by identity; other lists are replaced.
  [[nodiscard]] Outcome<Change> update(std::string_view path, Value value, Mode mode);
  /// The same from JSON or HOCON text.
  [[nodiscard]] Outcome<Change> update_text(std::string_view path, std::string_view text, Mode mode);
  /// Takes a key away. A default listener is marked for deletion instead.
  [[nodiscard]] Outcome<Change> remove(std::string_view path);
  /// Back to the default, within a root.
  [[nodiscard]] Outcome<Change> reset(std::string_view path);
  /// Reads the main file again and applies it without keeping it; read-only roots are left out.
  [[nodiscard]] Outcome<Change> reload(Mode mode);

  /// What is kept of changes at run time, secrets included: for a backup.
  const Value& cluster() const { return cluster_; }
  /// Takes over what a backup kept, as one change. Generic roots take the backup's members, named objects are merged by
  /// name, authenticators and sources by identity; read-only roots, the licence and the management interface stay.
  [[nodiscard]] Outcome<Change> take_backup(Value roots);
  /// What would be wrong with it at present. Changes nothing.
  [[nodiscard]] Problems problems_of_backup(Value roots) const;
  /// A root of this version, or one that it accepts.
  bool known(std::string_view root) const;
  /// A root that is kept and has no effect, for its area is not there.
  bool unbuilt(std::string_view root) const;
  /// Everything as it was, to undo a change.
  struct Layers {
    Value all, cluster;
  };
  Layers layers() const { return {all_, cluster_}; }
  [[nodiscard]] Outcome<Change> restore(Layers layers) {
    return apply(std::move(layers.all), std::move(layers.cluster), true);
  }
  /// The same with only the text of cluster.hocon at hand.
  [[nodiscard]] Outcome<Change> restore_text(std::string_view cluster);

 private:
  struct Merged {
    Layers layers;
    std::vector<PemFile> pems;
  };
  tl::expected<Merged, Refusal> merged(Value roots) const;
  Outcome<Change> apply(Value all, Value cluster, bool keep, const std::vector<PemFile>& pems = {});
  void undo(std::size_t told, const Config& refused, const std::vector<std::string>& roots,
            const std::vector<std::string>& made);
  std::vector<std::string> differing(const Value& a, const Value& b) const;

  LoadOptions options_;
  const Clock& clock_;
  Snapshot current_;
  Value all_;      // every layer, as written
  Value cluster_;  // what cluster.hocon holds
  struct Entry {
    std::uint64_t id;
    Subscriber fn;
  };
  std::vector<Entry> subscribers_;
  std::vector<Follower> followers_;
  std::uint64_t next_id_ = 1;
};

/// A file for the owner alone, synced; folders are made.
[[nodiscard]] Result<void> write_private(const std::string& path, std::string_view content);
/// Writes by way of a temporary file and a rename; the old content becomes <path>.YYYY.MM.DD.HH.MM.SS.mmm.bak, of which
/// the newest ten stay.
[[nodiscard]] Result<void> write_rotating(const std::string& path, std::string_view content, std::int64_t wall_ms);

}  // namespace sb::config
