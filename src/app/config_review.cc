#include "app/config_review.h"

#include "access/acl.h"
#include "app/catalogs.h"
#include "app/listener_options.h"
#include "base/regular_file.h"
#include "broker/topic.h"
#include "driver/resource/tls.h"
#include "management/accounts.h"
#include "management/licence.h"
#include "net/psk_table.h"
#include "plugins/module/rewrite/rewrite.h"

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

/// As Checker::broken(), of a key some levels below `top`, at the nearest place that a file has.
void broken_below(Checker& c, const Value& top, std::string_view dotted, std::string_view rule, std::string expected) {
  std::deque<Checker::Level> levels;
  const Value* place = &top;
  const Value* here = &top;
  for (std::size_t dot = dotted.find('.'); dot != dotted.npos; dot = dotted.find('.')) {
    const std::string part(dotted.substr(0, dot));
    levels.emplace_back(c, part);
    if (here) here = here->find(part);
    if (here && here->at.file) place = here;
    dotted.remove_prefix(dot + 1);
  }
  const Value* leaf = here ? here->find(dotted) : nullptr;
  if (leaf && leaf->at.file) return c.broken(*here, dotted, rule, std::move(expected));
  const Checker::Level level(c, std::string(dotted));
  c.error(*place, "integrity_validation_failure: " + std::string(rule), std::move(expected),
          leaf ? c.shown_here(*leaf) : "");
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

void review_rewrite(Checker& c, const Value& tree, const Config& config) {
  std::size_t n = 0;
  for (const config::RewriteRule& rule : config.rewrite)
    at(c, tree, {"rewrite", std::to_string(++n)}, [&](const Value& v) {
      if (!rule.source_topic.empty() && !broker::check_topic_filter(rule.source_topic))
        c.broken(v, "source_topic", "bad_topic_filter", "a topic filter: # only as the last level, + as a whole level");
    });
}

/// A file may hold a rule that does not compile.
void review_expressions(Checker& c, const Value& tree, const Config& config) {
  std::size_t n = 0;
  for (const config::RewriteRule& rule : config.rewrite)
    at(c, tree, {"rewrite", std::to_string(++n)}, [&](const Value& v) {
      const auto good = plugins::module::rewrite::check_expression(rule.re);
      if (good) return;
      const Checker::Level level(c, "re");
      const Value* re = v.find("re");
      c.warn(re ? *re : v, "bad_regular_expression",
             fmt::format("a regular expression ({}); the rule is passed over", good.error().what));
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
    broken_below(c, v, unusable->field, "unusable", fmt::format("what the node can start with ({})", unusable->why));
}

/// Files that are written at the start, from text in the configuration.
bool made_of_text(const Config& config, const std::string& path) {
  return path.starts_with(config.node.data_dir + "/certs/");
}

/// Files that the TLS of a back end names, for whatever kind it is.
void review_client_tls(Checker& c, const Value& v, const Config& config) {
  const Value* ssl = v.find("ssl");
  if (!ssl || !ssl->is_object()) return;
  config::Problems told;
  Checker reader(told, told, c.env());
  Value copy = *ssl;
  config::ClientTls tls;
  reader.read_object(config::ClientTls::schema(), copy, &tls);
  if (!told.empty() || !tls.enable) return;
  const Checker::Level level(c, "ssl");
  const std::pair<const char*, const std::string&> files[] = {
      {"cacertfile", tls.cacertfile}, {"certfile", tls.certfile}, {"keyfile", tls.keyfile}};
  for (const auto& [key, path] : files) {
    std::error_code error;
    if (path.empty() || made_of_text(config, path) || std::filesystem::is_regular_file(path, error)) continue;
    const Checker::Level last(c, key);
    const Value* named = ssl->find(key);
    c.warn(named && named->at.file ? *named : v, "file_not_found",
           fmt::format("the path of a file ({} is none); nothing connects without it", path));
  }
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
      const std::size_t before = c.error_count();
      if (source.settings && kind && kind->review) tell(c, v, kind->review(source.settings.get()));
      if (source.settings && c.error_count() == before) review_client_tls(c, v, config);
    });
}

/// What the mechanisms themselves would find at the start.
void review_authenticators(Checker& c, const Value& tree, const Config& config) {
  access::authn::Registry mechanisms;
  add_authn_plugins(mechanisms);
  const auto review = [&](const Value& v, const config::Authenticator& one) {
    const auto* mechanism = mechanisms.find(one.id);
    if (!one.enable || !one.settings || !mechanism) return;
    const std::size_t before = c.error_count();
    if (mechanism->review) tell(c, v, mechanism->review(one.settings.get()));
    if (c.error_count() == before) review_client_tls(c, v, config);
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

/// Files that a listener reads at its start: those that were named, then all of them as TLS takes them.
void review_certificates(Checker& c, const Value& v, const Config& config, config::ServerTls tls, bool psk) {
  // What stands in the configuration as text has no file yet.
  bool all_there = true;
  for (std::string* path : {&tls.certfile, &tls.keyfile, &tls.cacertfile, &tls.dhfile, &tls.ocsp.issuer_pem}) {
    std::error_code error;
    if (!made_of_text(config, *path) || std::filesystem::is_regular_file(*path, error)) continue;
    path->clear();
    all_there = false;
  }
  const std::size_t before = c.error_count();
  if (const Value* options = v.find("ssl_options")) {
    const Checker::Level level(c, "ssl_options");
    const auto named = [&](const char* field) {
      const Value* value = options->find(field);
      return value && value->at.file;
    };
    if (named("certfile")) need_file(c, *options, "certfile", tls.certfile, "a certificate");
    if (named("keyfile")) need_file(c, *options, "keyfile", tls.keyfile, "its key");
    if (named("cacertfile")) need_file(c, *options, "cacertfile", tls.cacertfile, "certificates that sign");
  }
  if (!all_there || c.error_count() != before) return;
  // What a value alone tells has been told.
  tls.ciphers.clear();
  if (tls.versions.empty()) tls.versions = {config::TlsVersion::V12};
  tls.fail_if_no_peer_cert = tls.fail_if_no_peer_cert && tls.verify == config::TlsVerify::Peer;
  if (const auto problem = review_tls(tls, psk))
    broken_below(c, v, "ssl_options" + (problem->key.empty() ? "" : "." + problem->key), "unusable",
                 fmt::format("what TLS can use ({})", problem->why));
}

void review_dashboard(Checker& c, const Value& tree, const Config& config) {
  const config::Dashboard& dashboard = config.dashboard;
  if (dashboard.listeners.https.bind.port != 0)
    at(c, tree, {"dashboard", "listeners", "https"},
       [&](const Value& v) { review_certificates(c, v, config, dashboard.listeners.https.ssl_options, false); });
  at(c, tree, {"dashboard"}, [&](const Value& v) {
    if (const auto read = config::resolve_secret(dashboard.default_password); !read)
      c.broken(v, "default_password", "bad_file",
               fmt::format("a password, or file:// and the path of one ({})", read.error().what));
  });
}

}  // namespace

void review_values(Checker& c, const Value& tree, const Config& config) {
  for (const auto* listeners : {&config.listeners.ssl, &config.listeners.wss})
    for (const auto& [name, listener] : *listeners) review_ciphers(c, tree, listener);
  review_auto_subscribe(c, tree, config);
  review_rewrite(c, tree, config);
  review_authorization_cache(c, tree, config);
}

void review_all(Checker& c, const Value& tree, const Config& config) {
  review_values(c, tree, config);
  for (const auto* listeners : {&config.listeners.ssl, &config.listeners.wss})
    for (const auto& [name, listener] : *listeners)
      if (listener.enable && !left_out(listener))
        at(c, tree, {"listeners", std::string(to_string(listener.type)), name}, [&](const Value& v) {
          review_certificates(c, v, config, listener.ssl_options, config.psk_authentication.enable);
        });
  review_dashboard(c, tree, config);
  review_expressions(c, tree, config);
  review_sources(c, tree, config);
  review_authenticators(c, tree, config);
  review_keys(c, tree, config);
  at(c, tree, {"license"}, [&](const Value& v) {
    const auto counts = management::Licence::check(config.license);
    if (counts) return;
    // The reason begins with the key that it is about, where that is not `key`.
    constexpr std::string_view kPublicKey = "license.public_key: ";
    std::string_view why = counts.error().what;
    const bool of_public_key = why.starts_with(kPublicKey);
    if (of_public_key) why.remove_prefix(kPublicKey.size());
    const char* const name = of_public_key ? "public_key" : "key";
    const Checker::Level level(c, name);
    const Value* key = v.find(name);
    c.warn(key && key->at.file ? *key : v, "bad_license",
           fmt::format("{} ({}); the node will run on the trial",
                       of_public_key ? "a key that licences are signed by" : "a licence that counts", why));
  });
}

}  // namespace sb::app
