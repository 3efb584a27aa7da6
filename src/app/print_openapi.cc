// check: allow debug in this file: it prints, that is all it does
#include "app/print_openapi.h"

#include "app/catalogs.h"
#include "app/management.h"
#include "app/node.h"

#include <boost/json/serialize.hpp>

#include <cstdio>

namespace sb::app {

int print_openapi() {
  access::authn::Registry mechanisms;
  add_authn_plugins(mechanisms);
  config::LoadOptions load_options;
  load_options.built_authn = mechanisms.names();
  access::authz::Registry sources;
  add_authz_plugins(sources);
  load_options.built_authz = sources.names();
  config::Loaded loaded = config::load(load_options);
  std::string problems;
  if (config::report(loaded, problems) != 0) {
    std::fputs(problems.c_str(), stderr);
    return 1;
  }
  NodeOptions options;
  options.mechanisms = &mechanisms;
  options.sources = &sources;
  broker::ModuleRegistry modules;
  add_module_plugins(modules);
  Node node(std::move(options), modules);
  ManagementOptions management_options;
  management_options.data_dir = "data";  // named, never opened: with one there are backups
  management_options.loaded = std::move(loaded);
  management_options.load_options = load_options;
  const Management management(node, std::move(management_options));
  const std::string document = boost::json::serialize(management.table().openapi());
  std::printf("%s\n", document.c_str());
  return 0;
}

}  // namespace sb::app
