// The list of authorization sources as it stands in the configuration, changed through the store of configurations.
// Belongs to the management thread.
#pragma once

#include "config/store.h"
#include "http/message.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sb::plugins::api::authorization {

class Sources {
 public:
  /// `refresh` brings access control into force anew where only a file has changed.
  Sources(config::ConfigStore& store, std::function<Result<>()> refresh)
      : store_(store), refresh_(std::move(refresh)) {}

  config::Value::Array all() const;
  std::optional<config::Value> find(std::string_view type) const;
  /// nullopt: done; else why not. Rules that a source of type `file` brings along go to <data_dir>/authz/acl.conf; they
  /// are checked first, and the old ones stay where the change is refused. Those that shown() gave stay where they are.
  /// `sent`: which of them the body was.
  std::optional<http::Response> replace(config::Value::Array sources, std::optional<std::size_t> sent = {});
  /// Everything but the sources. nullopt: done.
  std::optional<http::Response> set_settings(config::Value settings);

  /// A source as it is shown; that of a file with its rules, where it can be read and holds nothing else.
  http::json::value shown(const config::Value& source) const;
  http::json::value settings() const;

 private:
  std::optional<http::Response> update(config::Value authorization, const std::string& sent);
  std::string acl_file() const;
  /// Of the source `file`, with what placeholders stand for; "": it has none.
  std::string path_in_force() const;
  /// Takes the place of rules that are sent back as they were shown.
  bool put_back(config::Value& source) const;

  config::ConfigStore& store_;
  std::function<Result<>()> refresh_;
};

std::string type_of(const config::Value& source);

}  // namespace sb::plugins::api::authorization
