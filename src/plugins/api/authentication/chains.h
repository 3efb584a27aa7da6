// One chain of authenticators as it stands in the configuration, changed through the store of configurations. Belongs
// to the management thread.
#pragma once

#include "access/authn/authentication.h"
#include "config/store.h"
#include "http/message.h"

#include <optional>
#include <string>
#include <string_view>

namespace sb::plugins::api::authentication {

class Chain {
 public:
  /// `listener`: "tcp:default", or empty for the global chain.
  Chain(config::ConfigStore& store, std::string_view listener);

  /// The id that providers know it by.
  const std::string& id() const { return id_; }
  /// False: there is no such listener.
  bool exists() const;
  config::Value::Array members() const;
  std::optional<config::Value> find(std::string_view id) const;
  /// nullopt: done; else why not. `sent`: which of them the body was.
  std::optional<http::Response> replace(config::Value::Array members, std::optional<std::size_t> sent = {});

 private:
  config::ConfigStore& store_;
  std::string id_;
  std::string path_;
  std::string listener_path_;  // "" = global
};

/// The file part of a form, RFC 7578: the part named `filename`.
struct FormFile {
  std::string name;
  std::string content;
};
std::optional<FormFile> form_file(std::string_view content_type, std::string_view body);

}  // namespace sb::plugins::api::authentication
