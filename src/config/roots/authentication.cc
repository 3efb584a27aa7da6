#include "config/roots/authentication.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::config {

namespace {

/// Whether a value that protects something is in force: not disabled.
bool enabled(const Value& entry) {
  const Value* enable = entry.find("enable");
  if (!enable) return true;
  const bool* flag = enable->if_bool();
  return flag ? *flag : enable->text() != "false";
}

/// A text of the entry; "" where it is absent.
std::string text_of(const Value& entry, std::string_view key) {
  const Value* found = entry.find(key);
  return found && found->is_scalar() && !found->is_null() ? found->text() : std::string();
}

/// Whether the entry says what it is; tells what is missing, with the choices there are.
bool names_itself(Checker& c, const Value& entry, const std::vector<AuthnMechanism>& built) {
  const std::string mechanism = text_of(entry, "mechanism");
  std::vector<std::string> mechanisms, backends;
  bool alone = false;  // it has no back ends
  for (const AuthnMechanism& one : built) {
    const std::string id = one.id.substr(0, one.id.find(':'));
    if (std::find(mechanisms.begin(), mechanisms.end(), id) == mechanisms.end()) mechanisms.push_back(id);
    if (id != mechanism) continue;
    alone = alone || id == one.id;
    if (id != one.id) backends.push_back(one.id.substr(id.size() + 1));
  }
  const auto missing = [&](std::string_view key, const std::vector<std::string>& choices) {
    const Checker::Level level(c, std::string(key));
    c.error(entry, "required_field", fmt::format("one of {}", fmt::join(choices, ", ")), "");
    return false;
  };
  if (mechanism.empty()) return missing("mechanism", mechanisms);
  if (!alone && !backends.empty() && text_of(entry, "backend").empty()) return missing("backend", backends);
  return true;
}

/// A list, whatever form it was written in; false after a problem was told.
bool make_list(Checker& c, Value& chain) {
  if (chain.is_array()) return true;
  const auto* numbered = chain.if_object();
  const bool single = numbered && std::none_of(numbered->begin(), numbered->end(), [](const auto& member) {
                        return member.first.find_first_not_of("0123456789") == member.first.npos;
                      });
  if (single) {
    Value list(chain.if_object()->empty() ? Value::Array{} : Value::Array{chain});
    list.at = chain.at;
    chain = std::move(list);
    return true;
  }
  Key key;
  key.name = "authentication";
  return c.read_elements(key, chain, false);
}

}  // namespace

std::string authn_id(const Value& authenticator) {
  const Value* mechanism = authenticator.find("mechanism");
  const Value* backend = authenticator.find("backend");
  std::string out = mechanism ? mechanism->text() : "authentication";
  if (backend) out += ":" + backend->text();
  return out;
}

AuthnChain read_authn_chain(Checker& c, Value& chain, const std::vector<AuthnMechanism>& built, bool in_use) {
  AuthnChain out;
  const bool single = chain.is_object() && !chain.find("1");
  if (!make_list(c, chain)) return out;
  std::size_t n = 0;
  for (Value& value : *chain.if_array()) {
    ++n;
    std::optional<Checker::Level> level;
    if (!single) level.emplace(c, std::to_string(n));
    if (!value.is_object()) {
      c.error(value, "bad_value_for_struct", "an object { mechanism = ... }", "");
      continue;
    }
    Authenticator one;
    one.id = authn_id(value);
    one.enable = enabled(value);
    if (std::any_of(out.begin(), out.end(), [&](const Authenticator& a) { return a.id == one.id; })) {
      c.error(value, "already_exists", fmt::format("at most one authenticator {} in a chain", one.id), "");
      continue;
    }
    if (!names_itself(c, value, built)) continue;
    const auto known =
        std::find_if(built.begin(), built.end(), [&](const AuthnMechanism& m) { return m.id == one.id; });
    if (known == built.end() && one.enable && !in_use) {
      mask_by_name(value);
      continue;
    }
    if (known == built.end() && one.enable) {
      c.error(value, "not_built",
              fmt::format("this version cannot authenticate by {}; remove it or set enable = false", one.id), "");
      continue;
    }
    if (known != built.end() && known->schema) {
      const std::size_t before = c.error_count();
      std::shared_ptr<void> settings = known->schema->make();
      c.read_object(*known->schema, value, settings.get());
      if (c.error_count() != before) continue;
      one.settings = std::move(settings);
    } else {
      mask_by_name(value);
    }
    one.value = value;
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace sb::config
