// The closed list of tables. Numbers are part of the storage format: never reuse or renumber one.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace sb::store {

enum class Table : std::uint8_t {
  Meta = 0,
  Sessions = 1,
  Subscriptions = 2,
  Messages = 3,
  Queues = 4,
  AwaitingRel = 5,
  Retained = 6,
  Delayed = 7,
  Wills = 8,
  Banned = 9,
  Exclusive = 10,
  Alarms = 11,
  Users = 12,
  ApiKeys = 13,
  Audit = 14,
  Monitor = 15,
  Admins = 16,
  LoginTokens = 17,
  AuthzRules = 18,
  PskIdentities = 19,
};

constexpr std::size_t kTableCount = 20;

/// Names of the column families, by number.
constexpr std::array<std::string_view, kTableCount> kTableNames = {
    "meta",    "sessions", "subscriptions", "messages",     "queues",      "awaiting_rel",   "retained",
    "delayed", "wills",    "banned",        "exclusive",    "alarms",      "users",          "api_keys",
    "audit",   "monitor",  "admins",        "login_tokens", "authz_rules", "psk_identities",
};

constexpr std::size_t index_of(Table table) {
  return static_cast<std::size_t>(table);
}
constexpr std::string_view to_string(Table table) {
  return kTableNames[index_of(table)];
}

}  // namespace sb::store
