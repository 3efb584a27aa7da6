// Tables of EMQX 5.4, from Erlang records to rows. A record is a tuple: the name of its table, then the fields in the
// order that the table's description names.
#include "codec/erlang/term.h"
#include "management/backup_archive.h"
#include "management/text.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <map>

namespace sb::management {

namespace json = boost::json;

namespace {

using codec::erlang::Term;

tl::unexpected<Error> bad(std::string_view table, std::string_view what) {
  return fail(Errc::Invalid, fmt::format("invalid backup archive content: mnesia/{}: {}", table, what));
}

/// The fields of one record by name.
using Record = std::map<std::string, const Term*, std::less<>>;

const Term* field(const Record& record, std::string_view name) {
  const auto found = record.find(name);
  return found == record.end() ? nullptr : found->second;
}

/// Text of a binary, an atom, or a list of characters.
std::optional<std::string> text(const Term* term) {
  if (!term) return std::nullopt;
  if (const auto* bytes = term->bytes()) return *bytes;
  if (const auto* atom = term->atom()) return atom->name;
  if (const auto* list = term->list()) {
    std::string out;
    for (const Term& item : *list) {
      const auto* code = item.integer();
      if (!code || *code < 0 || *code > 255) return std::nullopt;
      out += static_cast<char>(*code);
    }
    return out;
  }
  return std::nullopt;
}

std::string text_or_empty(const Term* term) {
  auto out = text(term);
  return out && *out != "undefined" ? *std::move(out) : std::string();
}

/// 1.2.3.4 of {1,2,3,4}; eight numbers are an IPv6 address.
std::optional<std::string> address(const Term& term) {
  const auto* parts = term.tuple();
  if (!parts || (parts->size() != 4 && parts->size() != 8)) return text(&term);
  std::uint8_t bytes[16] = {};
  const bool v6 = parts->size() == 8;
  for (std::size_t i = 0; i < parts->size(); ++i) {
    const auto* number = (*parts)[i].integer();
    if (!number || *number < 0 || *number > (v6 ? 0xFFFF : 0xFF)) return std::nullopt;
    if (v6) {
      bytes[2 * i] = static_cast<std::uint8_t>(*number >> 8);
      bytes[2 * i + 1] = static_cast<std::uint8_t>(*number & 0xFF);
    } else {
      bytes[i] = static_cast<std::uint8_t>(*number);
    }
  }
  char out[INET6_ADDRSTRLEN] = {};
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes, out, sizeof out);
  return std::string(out);
}

/// nullopt: not such a record.
using Convert = std::optional<BackupRow> (*)(const Record&);

std::optional<BackupRow> banned(const Record& record) {
  const Term* who = field(record, "who");
  const auto* pair = who ? who->tuple() : nullptr;
  if (!pair || pair->size() != 2) return std::nullopt;
  const auto as = text(&pair->front());
  const auto value = address(pair->back());
  if (!as || !value) return std::nullopt;
  BackupRow out{{"as", *as},
                {"who", *value},
                {"by", text_or_empty(field(record, "by"))},
                {"reason", text_or_empty(field(record, "reason"))}};
  if (const Term* at = field(record, "at"); at && at->integer()) out["at"] = *at->integer();
  if (const Term* until = field(record, "until"); until && until->integer()) out["until"] = *until->integer();
  return out;
}

/// {'mqtt:global', <<"id">>}: the group of our tables is chain and authenticator.
bool take_user(const Record& record, std::string_view authenticator, BackupRow& out) {
  const Term* user = field(record, "user_id");
  const auto* pair = user ? user->tuple() : nullptr;
  if (!pair || pair->size() != 2) return false;
  const auto chain = text(&pair->front());
  const auto id = text(&pair->back());
  if (!chain || !id) return false;
  out["group"] = *chain + "/" + std::string(authenticator);
  out["user_id"] = *id;
  const Term* superuser = field(record, "is_superuser");
  out["is_superuser"] = superuser && superuser->is("true");
  out["salt"] = base64(text_or_empty(field(record, "salt")));
  return true;
}

std::optional<BackupRow> user(const Record& record) {
  BackupRow out;
  const auto hash = text(field(record, "password_hash"));
  if (!hash || !take_user(record, "password_based:built_in_database", out)) return std::nullopt;
  out["password_hash"] = base64(*hash);
  return out;
}

std::optional<BackupRow> scram_user(const Record& record) {
  BackupRow out;
  const auto stored = text(field(record, "stored_key"));
  const auto server = text(field(record, "server_key"));
  if (!stored || !server || !take_user(record, "scram:built_in_database", out)) return std::nullopt;
  out["stored_key"] = base64(*stored);
  out["server_key"] = base64(*server);
  return out;
}

std::optional<BackupRow> admin(const Record& record) {
  const Term* name = field(record, "username");
  const auto hash = text(field(record, "pwdhash"));
  if (!name || !hash) return std::nullopt;
  BackupRow out{{"pwdhash", base64(*hash)},
                {"description", text_or_empty(field(record, "description"))},
                {"role", text_or_empty(field(record, "role"))},
                {"backend", "local"}};
  if (const auto* pair = name->tuple(); pair && pair->size() == 2) {  // of single sign-on
    out["backend"] = text_or_empty(&pair->front());
    name = &pair->back();
  }
  const auto username = text(name);
  if (!username) return std::nullopt;
  out["username"] = *username;
  return out;
}

std::optional<BackupRow> app(const Record& record) {
  const auto name = text(field(record, "name"));
  const auto key = text(field(record, "api_key"));
  const auto hash = text(field(record, "api_secret_hash"));
  if (!name || !key || !hash) return std::nullopt;
  const Term* enable = field(record, "enable");
  BackupRow out{{"name", *name},
                {"api_key", *key},
                {"api_secret_hash", base64(*hash)},
                {"enable", enable && enable->is("true")},
                {"role", "administrator"},
                {"desc", ""}};
  // Before 5.4 the description stood in place of the map.
  const Term* extra = field(record, "extra");
  if (!extra) extra = field(record, "desc");
  if (extra && extra->map()) {
    out["desc"] = text_or_empty(extra->find("desc"));
    if (const std::string role = text_or_empty(extra->find("role")); !role.empty()) out["role"] = role;
  } else {
    out["desc"] = text_or_empty(extra);
  }
  for (const char* time : {"expired_at", "created_at"})
    if (const Term* at = field(record, time); at && at->integer()) out[time] = *at->integer();
  return out;
}

std::optional<BackupRow> psk(const Record& record) {
  const auto id = text(field(record, "psk_id"));
  const auto secret = text(field(record, "shared_secret"));
  if (!id || !secret) return std::nullopt;
  return BackupRow{{"psk_id", *id}, {"shared_secret", base64(*secret)}};
}

/// The conditions of an action, [{qos,[0,1]},{retain,true}] or a map. False: not understood, so that no rule opens more
/// than it did.
bool take_conditions(const Term& conditions, json::object& out) {
  const auto all = conditions.entries();
  if (!all) return false;
  for (const auto& [name, value] : *all) {
    if (name->is("qos") && value->list()) {
      json::array levels;
      for (const Term& level : *value->list()) {
        if (!level.integer() || *level.integer() < 0 || *level.integer() > 2) return false;
        levels.emplace_back(*level.integer());
      }
      out["qos"] = std::move(levels);
    } else if (name->is("retain") && (value->is("all") || value->is("true") || value->is("false"))) {
      out["retain"] = value->is("all") ? json::value("all") : json::value(value->is("true"));
    } else {
      return false;
    }
  }
  return true;
}

/// {Permission, Action, Topic}; the action alone, or with its conditions; the topic as text, or {eq, text}.
std::optional<json::object> acl_rule(const Term& term) {
  const auto* parts = term.tuple();
  if (!parts || parts->size() != 3) return std::nullopt;
  const auto permission = text(&parts->front());
  const Term& action = (*parts)[1];
  const Term* place = &(*parts)[2];
  const auto* literal = place->tuple();
  if (literal && (literal->size() != 2 || !literal->front().is("eq"))) return std::nullopt;
  if (literal) place = &literal->back();
  const auto topic = text(place);
  if (!permission || !topic) return std::nullopt;
  json::object out{{"permission", *permission}, {"topic", (literal ? "eq " : "") + *topic}};
  const auto* pair = action.tuple();
  if (pair && (pair->size() != 2 || !take_conditions(pair->back(), out))) return std::nullopt;
  out["action"] = text_or_empty(pair ? &pair->front() : &action);
  return out;
}

std::optional<BackupRow> acl(const Record& record) {
  const Term* who = field(record, "who");
  const Term* rules = field(record, "rules");
  if (!who || !rules || !rules->list()) return std::nullopt;
  BackupRow out;
  if (const auto* pair = who->tuple(); pair && pair->size() == 2 && pair->front().integer()) {
    const auto name = text(&pair->back());
    if (!name) return std::nullopt;
    out[*pair->front().integer() == 1 ? "username" : "clientid"] = *name;
  } else {
    out["all"] = true;
  }
  json::array list;
  for (const Term& rule : *rules->list()) {
    auto converted = acl_rule(rule);
    if (!converted) return std::nullopt;
    list.push_back(std::move(*converted));
  }
  out["rules"] = std::move(list);
  return out;
}

struct Table {
  std::string_view name;
  std::vector<std::string_view> fields;
  Convert convert;
};

const Table* table_of(std::string_view name) {
  static const Table kAll[] = {
      {"emqx_banned", {"who", "by", "reason", "at", "until"}, banned},
      {"emqx_authn_mnesia", {"user_id", "password_hash", "salt", "is_superuser"}, user},
      {"emqx_authn_scram_mnesia", {"user_id", "stored_key", "server_key", "salt", "is_superuser"}, scram_user},
      {"emqx_admin", {"username", "pwdhash", "description", "role", "extra"}, admin},
      {"emqx_app", {"name", "api_key", "api_secret_hash", "enable", "extra", "expired_at", "created_at"}, app},
      {"emqx_psk", {"psk_id", "shared_secret", "extra"}, psk},
      {"emqx_acl", {"who", "rules"}, acl}};
  for (const Table& table : kAll)
    if (table.name == name) return &table;
  return nullptr;
}

/// `attributes` of {schema, Table, CreateList}.
std::optional<std::vector<std::string>> attributes(const Term& item) {
  const auto* parts = item.tuple() ? item.tuple() : item.list();
  if (!parts || parts->size() != 3 || !parts->front().is("schema") || !parts->back().list()) return std::nullopt;
  for (const Term& option : *parts->back().list()) {
    const auto* pair = option.tuple();
    if (!pair || pair->size() != 2 || !pair->front().is("attributes") || !pair->back().list()) continue;
    std::vector<std::string> out;
    for (const Term& name : *pair->back().list()) {
      if (!name.atom()) return std::nullopt;
      out.push_back(name.atom()->name);
    }
    return out;
  }
  return std::nullopt;
}

Result<> take_record(const Table& table, const std::vector<std::string>& names, const Term& term,
                     std::vector<BackupRow>& out) {
  const auto* parts = term.tuple();
  if (!parts || parts->size() != names.size() + 1 || !parts->front().is(table.name))
    return bad(table.name, "a record that does not fit its description");
  Record record;
  for (std::size_t i = 0; i < names.size(); ++i) record.emplace(names[i], &(*parts)[i + 1]);
  auto row = table.convert(record);
  if (!row) return bad(table.name, "a record that cannot be read");
  out.push_back(std::move(*row));
  return {};
}

}  // namespace

Result<std::vector<BackupRow>> mnesia_rows(std::string_view name, std::string_view bytes) {
  const Table* table = table_of(name);
  if (!table) return bad(name, "not a table of a backup");
  const auto items = codec::erlang::read_backup_log(bytes);
  if (!items) return bad(name, items.error().what);
  if (items->size() < 2) return bad(name, "no description of the table");
  const auto names = attributes((*items)[1]);
  if (!names) return bad(name, "no description of the table");
  for (const std::string_view wanted : table->fields) {
    const bool there = std::find(names->begin(), names->end(), wanted) != names->end();
    // An API key of before 5.4 has `desc` where `extra` is now; what is extra elsewhere is not read.
    if (!there && wanted != "extra") return bad(name, fmt::format("no field {}", wanted));
  }
  std::vector<BackupRow> out;
  for (std::size_t i = 2; i < items->size(); ++i) {
    if (const auto* records = (*items)[i].list()) {
      for (const Term& record : *records) SB_CHECKED(take_record(*table, *names, record, out));
    } else {
      SB_CHECKED(take_record(*table, *names, (*items)[i], out));
    }
  }
  return out;
}

}  // namespace sb::management
