// One connection to MongoDB: reads documents. Belongs to the thread that uses it; its library finds the members of a
// replica set by itself, over connections that we make.
#pragma once

#include "base/secret.h"
#include "config/value.h"
#include "driver/resource/connection.h"
#include "driver/resource/dial.h"
#include "driver/resource/tls.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

struct _mongoc_client_t;

namespace sb::driver::mongodb {

namespace detail {
class Streams;
}

constexpr std::uint16_t kDefaultPort = 27017;

struct Options {
  std::vector<resource::Server> servers;
  bool single = true;       // this server and no other
  bool srv_record = false;  // the one name stands for a record that lists them
  std::string replica_set{};
  bool secondaries = false;  // reads may go there
  std::string username{};
  Secret password{};
  std::string auth_source{};
  std::string database;
  resource::Tls tls{};
  Millis connect_timeout{5'000};
  Millis socket_timeout{5'000};
  Millis selection_timeout{5'000};
  Millis local_threshold{0};  // 0: the library's
  Millis heartbeat{0};
};

/// Texts of a document by field: one of a text, number or boolean, several of a list, none of anything else. A field
/// that is null is left out.
struct Document {
  struct Field {
    std::string name;
    std::vector<std::string> texts;
    bool string = false;  // a BSON string, not what only looks like one
  };
  std::vector<Field> fields;
  /// Null: there is none.
  const std::vector<std::string>* find(std::string_view name) const;
  /// Null: there is none, or a list of another length.
  const std::string* text(std::string_view name) const;
  /// Null: there is none, or it is no BSON string.
  const std::string* string(std::string_view name) const;
};

/// How many texts a filter has; their values come from outside, in the order of visit_texts().
template <class Visit>
void visit_texts(const config::Value& filter, const Visit& visit) {
  if (const auto* text = filter.if_string()) {
    visit(*text);
  } else if (const auto* object = filter.if_object()) {
    for (const auto& [name, member] : *object) visit_texts(member, visit);
  } else if (const auto* list = filter.if_array()) {
    for (const auto& member : *list) visit_texts(member, visit);
  }
}

class Connection final : public resource::Connection {
 public:
  /// Connected and logged in. Unavailable, Denied, Invalid, Timeout.
  [[nodiscard]] static Result<std::unique_ptr<resource::Connection>> open(const Options& options,
                                                                          const resource::Limit& limit);
  /// For open().
  Connection(struct _mongoc_client_t* client, std::unique_ptr<detail::Streams> streams, std::string database,
             bool secondaries);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// `filter` with `texts` in place of its texts: they are data, never operators. Invalid: the server refuses it.
  [[nodiscard]] Result<std::vector<Document>> find(const std::string& collection, const config::Value& filter,
                                                   std::span<const std::string> texts, unsigned most,
                                                   const resource::Limit& limit);
  [[nodiscard]] Result<> check(const resource::Limit& limit) override;
  bool usable() override { return !broken_; }

 private:
  const std::unique_ptr<detail::Streams> streams_;
  struct _mongoc_client_t* client_;
  const std::string database_;
  const bool secondaries_;
  bool broken_ = false;
};

}  // namespace sb::driver::mongodb
