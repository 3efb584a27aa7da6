// check: allow debug in this file: the start tells the person at the terminal what runs, progress included
#include "app/start.h"

#include "app/catalogs.h"
#include "app/config_review.h"
#include "app/features.h"
#include "app/management.h"
#include "app/node.h"
#include "app/settings.h"
#include "base/log.h"
#include "config/config.h"
#include "config/store.h"
#include "telemetry/logger.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <map>

namespace sb::app {

namespace {

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text(*entry);
    if (const auto equals = text.find('='); equals != std::string_view::npos)
      out.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return out;
}

/// A fleet needs descriptors: take what the system allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 1024)
    std::fprintf(stderr,
                 "WARNING: only %llu open files are allowed (ulimit -n); connections will be refused above that\n",
                 static_cast<unsigned long long>(limit.rlim_cur));
}

int refuse(const std::string& what) {
  std::fprintf(stderr, "signalbox: cannot start: %s\n", what.c_str());
  return 1;
}

/// Where people log in, and how for the first time.
void print_dashboard(Management& management) {
  for (std::string address : management.addresses()) {
    if (const auto any = address.find("0.0.0.0"); any != std::string::npos) address.replace(any, 7, "localhost");
    std::printf("Dashboard: %s\n", address.c_str());
  }
  if (management.addresses().empty())
    std::printf("Dashboard: none is listening (dashboard.listeners)\n");
  else if (!management.first_user().empty())
    std::printf("First log-in: user %s, password public, from this machine only until you change it\n",
                management.first_user().c_str());
}

}  // namespace

int start(const std::string& config_file, const http::AssetSource* dashboard) {
  ::umask(::umask(0) | 0027);  // what the node stores and logs is not for everybody on the machine
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  struct sigaction at_hang_up {};
  sigaction(SIGHUP, nullptr, &at_hang_up);
  // The terminal went away: an orderly stop as the others, but under nohup.
  if (at_hang_up.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();

  config::LoadOptions load_options;
  load_options.main_file = config_file;
  load_options.env = environment();
  // In the foreground somebody watches: the console too, unless told otherwise.
  bool told = false;
  for (const char* name :
       {"EMQX_DEFAULT_LOG_HANDLER", "SIGNALBOX_DEFAULT_LOG_HANDLER", "EMQX_LOG__TO", "SIGNALBOX_LOG__TO"})
    told = told || load_options.env.contains(name);
  if (!told) load_options.env["SIGNALBOX_DEFAULT_LOG_HANDLER"] = "both";
  access::authn::Registry mechanisms;
  add_authn_plugins(mechanisms);
  load_options.built_authn = mechanisms.names();
  access::authz::Registry sources;
  add_authz_plugins(sources);
  load_options.built_authz = sources.names();
  load_options.review = review_all;
  config::Loaded loaded = config::load(load_options);
  std::string problems;
  if (config::report(loaded, problems) != 0) {
    std::fputs(problems.c_str(), stderr);
    return 1;
  }
  for (const config::PemFile& pem : loaded.pems)
    if (const auto written = config::write_private(pem.path, pem.content); !written)
      return refuse(written.error().what);
  // To whoever starts it, however the log is set.
  std::fputs(config::told_warnings(loaded).c_str(), stderr);
  telemetry::Logger logger(loaded.config->log);
  for (const auto& warning : loaded.warnings)
    SB_LOG(log::Level::Warning, "config_warning", kv("what", to_string(warning)));
  if (!loaded.config->rules_missing.empty())
    SB_LOG(log::Level::Warning, "authorization_file_missing", kv("path", loaded.config->rules_missing),
           kv("in_force", "the rules that are shipped"));

  ListenerResources resources(*loaded.config);
  auto options = node_options(*loaded.config, resources);
  for (const std::string& id : resources.left_out)
    SB_LOG(log::Level::Warning, "default_listener_left_out", kv("listener", id), kv("reason", "no certificate file"));
  if (!options) return refuse(options.error().what);
  options->progress = [](std::string_view table, std::uint64_t records) {
    std::printf("\rreading %.*s: %llu records ", static_cast<int>(table.size()), table.data(),
                static_cast<unsigned long long>(records));
    std::fflush(stdout);
  };
  std::error_code made;
  std::filesystem::create_directories(options->data_dir, made);
  if (made) return refuse(fmt::format("node.data_dir '{}': {}", options->data_dir, made.message()));

  const std::string data_dir = options->data_dir;
  const auto listeners = options->listeners;
  broker::ModuleRegistry modules;
  add_module_plugins(modules);
  options->mechanisms = &mechanisms;
  options->sources = &sources;
  Node node(std::move(*options), modules);
  auto policy = access_policy(*loaded.config, node.authentication(), node.authorization());
  if (!policy) return refuse(policy.error().what);
  node.access().set_policy(std::move(*policy));
  if (const auto configured = configure_modules(node, *loaded.config); !configured)
    return refuse(configured.error().what);
  ManagementOptions management_options;
  management_options.data_dir = data_dir;
  management_options.loaded = std::move(loaded);
  // Files that were read at the start may be gone since.
  load_options.review = review_values;
  management_options.load_options = load_options;
  management_options.log = &logger;
  management_options.resources = &resources;
  management_options.assets = dashboard;
  // The same way out as a signal from outside.
  management_options.stop = [] { kill(getpid(), SIGTERM); };
  Management management(node, std::move(management_options));
  if (const auto started = node.start(); !started) {
    node.stop();
    return refuse(started.error().what);
  }
  if (const auto started = management.start(); !started) {
    management.stop();
    node.stop();
    return refuse(started.error().what);
  }
  for (std::size_t i = 0; i < listeners.size(); ++i)
    if (listeners[i].enable)
      std::printf("Listener %s on %s started.\n", listeners[i].settings.id.c_str(),
                  node.bound()[i].to_string().c_str());
  print_dashboard(management);
  std::printf("Data folder: %s\n", std::filesystem::absolute(data_dir).c_str());
  for (const telemetry::HandlerInfo& handler : logger.handlers())
    if (handler.id != "console")
      std::printf(handler.open ? "Logs: %s\n" : "Logs: none, %s cannot be opened\n",
                  std::filesystem::absolute(handler.destination).c_str());
  if (const std::string banner = management.licence().banner(); !banner.empty()) std::printf("%s\n", banner.c_str());
  std::printf("Signalbox %s is started successfully!\n", SB_VERSION);
  std::fflush(stdout);

  int got = 0;
  sigwait(&signals, &got);
  management.stop();
  node.stop();
  return 0;
}

}  // namespace sb::app
