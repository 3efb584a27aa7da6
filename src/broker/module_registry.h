// The family `module`: features that listen at the core's hooks. Each is one object a node with whatever it needs per
// shard; the core knows none of them. A folder under plugins/module/ adds its descriptor, app/ makes the modules.
#pragma once

#include "broker/alarm_sink.h"
#include "broker/broker.h"
#include "broker/stats.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sb::broker {

/// What a module gets; outlives it.
struct ModuleContext {
  Core& core;
  const Clock& clock;
  AlarmSink& alarms;
  Stats& stats;
  std::string node = "signalbox@127.0.0.1";
  std::string data_dir;
  std::string version = "5.4.0";  // compatibility version, as $SYS tells it
  std::string description = "Signalbox";
  /// Whether a publisher is banned now; may be empty.
  std::function<bool(const Identity&)> banned;
};

class Module {
 public:
  virtual ~Module() = default;
  /// Once per shard, before it runs. Destroyed after the shards' threads ended and before their loops.
  virtual void join(Broker& broker) = 0;
  /// The shards run: timers, files, threads may begin.
  virtual void start() {}
  /// The shards still run.
  virtual void stop() {}
};

struct ModuleDescriptor {
  std::string_view name;
  std::string_view description;
  std::function<std::unique_ptr<Module>(ModuleContext&)> make;
};

class ModuleRegistry {
 public:
  void add(ModuleDescriptor descriptor) { all_.push_back(std::move(descriptor)); }
  const std::vector<ModuleDescriptor>& all() const { return all_; }

 private:
  std::vector<ModuleDescriptor> all_;
};

/// The modules of a node.
class Modules {
 public:
  void make(const ModuleRegistry& registry, ModuleContext& context) {
    for (const ModuleDescriptor& one : registry.all()) made_.emplace_back(one.name, one.make(context));
  }
  void join(Broker& broker) {
    for (auto& [name, module] : made_) module->join(broker);
  }
  void start() {
    for (auto& [name, module] : made_) module->start();
  }
  void stop() {
    for (auto& [name, module] : made_) module->stop();
  }
  Module* find(std::string_view name) const {
    for (const auto& [known, module] : made_)
      if (known == name) return module.get();
    return nullptr;
  }
  /// The module under its own type, for management and for the configuration.
  template <class T>
  T* find_as(std::string_view name) const {
    return dynamic_cast<T*>(find(name));
  }

 private:
  std::vector<std::pair<std::string_view, std::unique_ptr<Module>>> made_;
};

}  // namespace sb::broker
