// Roots of the modules at the core's hooks, of authorization and PSK.
#pragma once

#include "config/schema.h"

#include <optional>
#include <string>
#include <vector>

namespace sb::config {

struct Delayed {
  bool enable = true;
  std::uint64_t max_delayed_messages = 0;  // 0 = unlimited
  static const Struct& schema();
};

enum class RewriteAction : std::uint8_t { Subscribe, Publish, All };
template <>
struct EnumNames<RewriteAction> {
  static constexpr std::string_view names[] = {"subscribe", "publish", "all"};
};
struct RewriteRule {
  RewriteAction action = RewriteAction::All;
  std::string source_topic, dest_topic, re;
  static const Struct& schema();
};

struct TopicMetric {
  std::string topic;
  static const Struct& schema();
};

struct AutoSubscribeTopic {
  std::string topic;  // may hold ${clientid}, ${username}, ${host}, ${port}
  std::uint8_t qos = 0, rh = 0, rap = 0, nl = 0;
  static const Struct& schema();
};
struct AutoSubscribe {
  std::vector<AutoSubscribeTopic> topics;
  static const Struct& schema();
};

enum class SlowStats : std::uint8_t { Whole, Internal, Response };
template <>
struct EnumNames<SlowStats> {
  static constexpr std::string_view names[] = {"whole", "internal", "response"};
};
struct SlowSubs {
  bool enable = false;
  milliseconds threshold{}, expire_interval{};
  std::uint32_t top_k_num = 10;
  SlowStats stats_type = SlowStats::Whole;
  static const Struct& schema();
};

struct PskAuthentication {
  bool enable = false;
  std::string init_file;  // "" = none
  std::string separator;
  std::uint32_t chunk_size = 50;
  static const Struct& schema();
};

enum class NoMatch : std::uint8_t { Allow, Deny };
template <>
struct EnumNames<NoMatch> {
  static constexpr std::string_view names[] = {"allow", "deny"};
};
enum class DenyAction : std::uint8_t { Ignore, Disconnect };
template <>
struct EnumNames<DenyAction> {
  static constexpr std::string_view names[] = {"ignore", "disconnect"};
};
struct AuthzCache {
  bool enable = true;
  std::uint32_t max_size = 32;
  milliseconds ttl{};
  std::vector<std::string> excludes;  // topic filters whose decisions are not kept
  static const Struct& schema();
};
/// A kind of source that is built. Without a schema it is taken as it is written (tests).
struct AuthzKind {
  AuthzKind(const char* name) : type(name) {}  // NOLINT: lists of names are written down as literals
  AuthzKind(std::string name, const Struct* keys) : type(std::move(name)), schema(keys) {}
  std::string type;  // "file", "http"
  const Struct* schema = nullptr;
};
/// Keys that every source has. The settings of a source derive from it and begin their schema with authz_schema().
struct AuthzCommon {
  std::string type;
  bool enable = true;
};
template <class T>
Schema<T> authz_schema(std::string_view name) {
  Schema<T> s(name, Hot::Y);
  s.field("type", static_cast<std::string T::*>(&T::type), {.doc = "Kind of source."});
  s.field("enable", static_cast<bool T::*>(&T::enable), {.def = "true", .doc = "Whether it is asked."});
  return s;
}
/// One source. The file source is typed here, since it is the default; the others are read by their own schema.
struct AuthzSource {
  std::string type;
  bool enable = true;
  std::string path;                      // file: "" when inline
  std::string rules;                     // file: inline text
  Value raw;                             // checked, defaults filled, secrets marked
  std::shared_ptr<const void> settings;  // what the kind's schema filled; null where there is none
  static const Struct& schema();
};
/// Those of the acl.conf that is shipped: in force where no source is named and the default file is not there.
std::string_view shipped_rules();

struct Authorization {
  NoMatch no_match = NoMatch::Allow;
  DenyAction deny_action = DenyAction::Ignore;
  AuthzCache cache;
  std::vector<AuthzSource> sources;
  static const Struct& schema();
};

}  // namespace sb::config
