// A node with its management plane, made from a configuration file in a folder of its own, as `signalbox start` makes
// it; it can be stopped and started again on the same folder. For tests only.
#pragma once

#include "app/catalogs.h"
#include "app/features.h"
#include "app/management.h"
#include "app/settings.h"
#include "app/testing/wire.h"
#include "cli/ctl.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace sb::app::testing {

class ConfiguredNode : public ::testing::Test {
 protected:
  ~ConfiguredNode() override { stop(); }

  /// Default listeners other than `tcp` are off, and that one takes a free port.
  void configure(const std::string& text = {}) {
    std::ofstream(folder.path().string() + "/main.conf") << R"(
      node { name = "n@127.0.0.1", data_dir = ")" << folder.path().string()
                                                         << R"(/data", shards = 2 }
      listeners.tcp.default.bind = "127.0.0.1:0"
      listeners.ssl.default.enable = false
      listeners.ws.default.enable = false
      listeners.wss.default.enable = false
      dashboard.listeners.http.bind = 0
      license.key = community
      log.console.enable = false
      log.file.default.enable = false
    )" << text;
  }
  void start(telemetry::LogControl* log = nullptr) {
    std::filesystem::create_directories(folder.path().string() + "/data");
    config::LoadOptions load;
    load.main_file = folder.path().string() + "/main.conf";
    if (mechanisms.all().empty()) add_authn_plugins(mechanisms);
    load.built_authn = mechanisms.names();
    if (sources.all().empty()) add_authz_plugins(sources);
    load.built_authz = sources.names();
    config::Loaded loaded = config::load(load);
    std::string problems;
    ASSERT_EQ(config::report(loaded, problems), 0) << problems;
    resources = std::make_unique<ListenerResources>(*loaded.config);
    auto options = node_options(*loaded.config, *resources);
    ASSERT_TRUE(options) << options.error().what;
    options->mechanisms = &mechanisms;
    options->sources = &sources;
    broker::ModuleRegistry registry;
    add_module_plugins(registry);
    node = std::make_unique<Node>(*std::move(options), registry);
    auto policy = access_policy(*loaded.config, node->authentication(), node->authorization());
    ASSERT_TRUE(policy) << policy.error().what;
    node->access().set_policy(*policy);
    ASSERT_TRUE(configure_modules(*node, *loaded.config));
    ManagementOptions how;
    how.data_dir = folder.path().string() + "/data";
    how.loaded = std::move(loaded);
    how.load_options = load;
    how.resources = resources.get();
    how.log = log;
    management = std::make_unique<Management>(*node, std::move(how));
    const auto started = node->start();
    ASSERT_TRUE(started) << started.error().what;
    ASSERT_TRUE(management->start());
  }
  void stop() {
    if (management) management->stop();
    if (node) node->stop();
    management.reset();
    node.reset();
    resources.reset();
  }
  void restart() {
    stop();
    start();
  }

  /// An answer of the endpoint table.
  cli::HttpAnswer ask(std::string_view method, const std::string& path, std::string_view body = {},
                      std::string_view type = "application/json") {
    cli::HttpClient client(Management::socket_path(folder.path().string() + "/data"));
    auto answer = client.ask(method, "/api/v5/" + path, body, type);
    EXPECT_TRUE(answer) << path;
    return answer ? *std::move(answer) : cli::HttpAnswer{};
  }
  int put(const std::string& hocon) { return ask("PUT", "configs", hocon, "text/plain").status; }
  /// What a command prints; its exit code in `code`.
  std::string ctl(std::vector<std::string> arguments) {
    cli::HttpClient client(Management::socket_path(folder.path().string() + "/data"));
    std::ostringstream out;
    std::ostringstream errors;
    code = cli::Ctl(client, "n@127.0.0.1", out, errors).run(std::move(arguments));
    return out.str() + errors.str();
  }
  std::uint16_t port(const std::string& id = "tcp:default") {
    const auto bound = node->listeners().bound(id);
    return bound ? bound->port() : std::uint16_t{0};
  }
  std::string persisted() const {
    std::ifstream file(folder.path().string() + "/data/configs/cluster.hocon");
    std::ostringstream all;
    all << file.rdbuf();
    return all.str();
  }
  /// A port that nobody uses now.
  static std::uint16_t free_port() {
    const auto found = net::Acceptor::probe(*net::Endpoint::parse("127.0.0.1:0"));
    return found ? found->port() : std::uint16_t{0};
  }

  Folder folder;
  access::authn::Registry mechanisms;
  access::authz::Registry sources;
  std::unique_ptr<ListenerResources> resources;
  std::unique_ptr<Node> node;
  std::unique_ptr<Management> management;
  int code = 0;
};

}  // namespace sb::app::testing
