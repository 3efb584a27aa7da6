#include "app/config_review.h"

#include "access/acl.h"
#include "app/catalogs.h"
#include "base/regular_file.h"
#include "broker/topic.h"
#include "driver/resource/tls.h"
#include "management/accounts.h"
#include "management/licence.h"
#include "net/psk_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <iterator>
#include <vector>

namespace sb::app {

namespace {

using config::Checker;
using config::Config;
using config::Value;

/// Runs `judge` with the object at a path, where the configuration has one.
template <class Judge>
void at(Checker& c, const Value& tree, std::initializer_list<std::string> path, Judge&& judge) {
  std::deque<Checker::Level> levels;
  std::string dotted;
  for (const std::string& part : path) {
    levels.emplace_back(c, part);
    dotted = config::join_path(dotted, part);
  }
  if (const Value* found = tree.at_path(dotted); found && found->is_object()) judge(*found);
}

void review_ciphers(Checker& c, const Value& tree, const config::Listener& listener) {
  const auto& names = listener.ssl_options.ciphers;
  if (!listener.enable || names.empty()) return;
  at(c, tree, {"listeners", std::string(to_string(listener.type)), listener.name, "ssl_options"}, [&](const Value& v) {
    std::vector<std::string> unknown;
    std::copy_if(names.begin(), names.end(), std::back_inserter(unknown),
                 [](const std::string& name) { return !driver::resource::check_ciphers({name}); });
    if (unknown.empty()) return;
    // What cannot be a name at all the schema has refused already.
    const auto odd = [](char x) { return std::isalnum(static_cast<unsigned char>(x)) == 0 && x != '-' && x != '_'; };
    if (std::any_of(unknown.begin(), unknown.end(), [&](const std::string& name) {
          return name.empty() || std::any_of(name.begin(), name.end(), odd);
        }))
      return;
    const std::string expected = fmt::format("OpenSSL names of cipher suites, not {}", fmt::join(unknown, ", "));
    // Files of EMQX list suites that OpenSSL has dropped since: they are passed over where others remain.
    if (unknown.size() == names.size()) return c.broken(v, "ciphers", "bad_ciphers", expected);
    const Checker::Level level(c, "ciphers");
    const Value* list = v.find("ciphers");
    c.warn(list ? *list : v, "bad_ciphers", expected + "; they are passed over");
  });
}

/// A filter with every placeholder filled in.
std::string filled(std::string text) {
  for (std::size_t from = text.find("${"); from != text.npos; from = text.find("${", from)) {
    const std::size_t end = text.find('}', from);
    if (end == text.npos) break;
    text.replace(from, end - from + 1, "x");
  }
  return text;
}

void review_auto_subscribe(Checker& c, const Value& tree, const Config& config) {
  std::size_t n = 0;
  for (const auto& topic : config.auto_subscribe.topics)
    at(c, tree, {"auto_subscribe", "topics", std::to_string(++n)}, [&](const Value& v) {
      if (!topic.topic.empty() && !broker::parse_filter(filled(topic.topic)))
        c.broken(v, "topic", "bad_topic_filter", "a topic filter: # only as the last level, + as a whole level");
    });
}

void review_authorization_cache(Checker& c, const Value& tree, const Config& config) {
  at(c, tree, {"authorization", "cache"}, [&](const Value& v) {
    for (const std::string& filter : config.authorization.cache.excludes)
      if (!broker::parse_filter(filter)) c.broken(v, "excludes", "bad_topic_filter", "topic filters");
  });
}

/// `field` of `v` names a file that must be there; false after it was told that it is not.
bool need_file(Checker& c, const Value& v, std::string_view field, const std::string& path, std::string_view what) {
  std::error_code error;
  if (path.empty() || std::filesystem::is_regular_file(path, error)) return true;
  c.broken(v, field, "file_not_found", fmt::format("the path of {} ({} is none)", what, path));
  return false;
}

void review_rules(Checker& c, const Value& v, const config::AuthzSource& source) {
  const bool inside = source.path.empty();
  const std::string_view field = inside ? "rules" : "path";
  if (!inside && !need_file(c, v, field, source.path, "a file of rules")) return;
  const Result<std::string> text = inside ? source.rules : read_regular_file(source.path, access::Acl::kTextMax);
  if (!text) return c.broken(v, field, "bad_file", fmt::format("a file of rules ({})", text.error().what));
  if (const auto acl = access::Acl::parse(*text); !acl)
    c.broken(v, field, "bad_rules", fmt::format("rules of clients ({})", acl.error().what));
}

void tell(Checker& c, const Value& v, const std::optional<access::authn::Unusable>& unusable) {
  if (unusable)
    c.broken(v, unusable->field, "unusable", fmt::format("what the node can start with ({})", unusable->why));
}

void review_sources(Checker& c, const Value& tree, const Config& config) {
  access::authz::Registry kinds;
  add_authz_plugins(kinds);
  std::size_t n = 0;
  for (const auto& source : config.authorization.sources)
    at(c, tree, {"authorization", "sources", std::to_string(++n)}, [&](const Value& v) {
      if (!source.enable) return;
      if (source.type == "file") return review_rules(c, v, source);
      const auto* kind = kinds.find(source.type);
      if (source.settings && kind && kind->review) tell(c, v, kind->review(source.settings.get()));
    });
}

/// What the mechanisms themselves would find at the start.
void review_authenticators(Checker& c, const Value& tree, const Config& config) {
  access::authn::Registry mechanisms;
  add_authn_plugins(mechanisms);
  const auto review = [&](const Value& v, const config::Authenticator& one) {
    const auto* mechanism = mechanisms.find(one.id);
    if (!one.enable || !one.settings || !mechanism || !mechanism->review) return;
    tell(c, v, mechanism->review(one.settings.get()));
  };
  std::size_t n = 0;
  for (const config::Authenticator& one : config.authn)
    at(c, tree, {"authentication", std::to_string(++n)}, [&](const Value& v) { review(v, one); });
  for (const auto& [listener, chain] : config.listener_authn) {
    const auto colon = listener.find(':');
    n = 0;
    for (const config::Authenticator& one : chain)
      at(c, tree,
         {"listeners", listener.substr(0, colon), listener.substr(colon + 1), "authentication", std::to_string(++n)},
         [&](const Value& v) { review(v, one); });
  }
}

void review_keys(Checker& c, const Value& tree, const Config& config) {
  const config::PskAuthentication& psk = config.psk_authentication;
  if (psk.enable)
    at(c, tree, {"psk_authentication"}, [&](const Value& v) {
      if (psk.init_file.empty() || !need_file(c, v, "init_file", psk.init_file, "a file of keys")) return;
      if (const auto read = net::PskTable().import_file(psk.init_file, psk.separator.front()); !read)
        c.broken(v, "init_file", "bad_file", fmt::format("a file of keys ({})", read.error().what));
    });
  const auto keys = [&](const char* root, const char* field, const std::string& path) {
    at(c, tree, {root}, [&](const Value& v) {
      std::vector<management::BootstrapKey> found;
      if (const auto read = management::read_api_keys(path, found); !read)
        c.broken(v, field, "bad_file", fmt::format("a file of API keys ({})", read.error().what));
    });
  };
  if (!config.api_key.bootstrap_file.empty())
    keys("api_key", "bootstrap_file", config.api_key.bootstrap_file);
  else if (!config.dashboard.bootstrap_users_file.empty())
    keys("dashboard", "bootstrap_users_file", config.dashboard.bootstrap_users_file);
}

/// Files that a listener reads at its start, where they were named. What stands in the configuration as text has no
/// file yet.
void review_certificates(Checker& c, const Value& tree, const Config& config, const config::Listener& listener) {
  if (!listener.enable) return;
  const std::string made = config.node.data_dir + "/certs/";
  config::ServerTls tls = listener.ssl_options;
  for (std::string* path : {&tls.certfile, &tls.keyfile, &tls.cacertfile})
    if (path->starts_with(made)) path->clear();
  at(c, tree, {"listeners", std::string(to_string(listener.type)), listener.name, "ssl_options"}, [&](const Value& v) {
    const auto named = [&v](const char* field) {
      const Value* value = v.find(field);
      return value && value->at.file;
    };
    if (named("certfile")) need_file(c, v, "certfile", tls.certfile, "a certificate");
    if (named("keyfile")) need_file(c, v, "keyfile", tls.keyfile, "its key");
    if (named("cacertfile")) need_file(c, v, "cacertfile", tls.cacertfile, "certificates that sign");
  });
}

}  // namespace

void review_values(Checker& c, const Value& tree, const Config& config) {
  for (const auto* listeners : {&config.listeners.ssl, &config.listeners.wss})
    for (const auto& [name, listener] : *listeners) review_ciphers(c, tree, listener);
  review_auto_subscribe(c, tree, config);
  review_authorization_cache(c, tree, config);
}

void review_all(Checker& c, const Value& tree, const Config& config) {
  review_values(c, tree, config);
  for (const auto* listeners : {&config.listeners.ssl, &config.listeners.wss})
    for (const auto& [name, listener] : *listeners) review_certificates(c, tree, config, listener);
  review_sources(c, tree, config);
  review_authenticators(c, tree, config);
  review_keys(c, tree, config);
  at(c, tree, {"license"}, [&](const Value& v) {
    const auto counts = management::Licence::check(config.license);
    if (counts) return;
    const Checker::Level level(c, "key");
    const Value* key = v.find("key");
    c.warn(key ? *key : v, "bad_license",
           fmt::format("a licence that counts ({}); the node will run on the trial", counts.error().what));
  });
}

}  // namespace sb::app
