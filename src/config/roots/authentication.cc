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

/// A list, whatever form it was written in; false after a problem was told.
bool make_list(Checker& c, Value& chain) {
  if (chain.is_array()) return true;
  if (chain.is_object() && !chain.find("1")) {
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

AuthnChain read_authn_chain(Checker& c, Value& chain, const std::vector<AuthnMechanism>& built) {
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
    const auto known =
        std::find_if(built.begin(), built.end(), [&](const AuthnMechanism& m) { return m.id == one.id; });
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
