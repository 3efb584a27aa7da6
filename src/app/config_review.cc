#include "app/config_review.h"

#include "broker/topic.h"
#include "driver/resource/tls.h"
#include "management/licence.h"

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

/// `field` of `v` names a file that must be there.
void need_file(Checker& c, const Value& v, std::string_view field, const std::string& path, std::string_view what) {
  std::error_code error;
  if (path.empty() || std::filesystem::is_regular_file(path, error)) return;
  c.broken(v, field, "file_not_found", fmt::format("the path of {} ({} is none)", what, path));
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
  std::size_t n = 0;
  for (const auto& source : config.authorization.sources)
    at(c, tree, {"authorization", "sources", std::to_string(++n)}, [&](const Value& v) {
      if (source.type == "file" && source.enable) need_file(c, v, "path", source.path, "a file of rules");
    });
  if (config.psk_authentication.enable)
    at(c, tree, {"psk_authentication"},
       [&](const Value& v) { need_file(c, v, "init_file", config.psk_authentication.init_file, "a file of keys"); });
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
