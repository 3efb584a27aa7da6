// What every authenticator and source of authorization with a back end does with its Resource: names it, starts and
// stops it, makes an alarm and a health of its state. Base: authn::Provider or authz::Source.
#pragma once

#include "access/authn/provider.h"
#include "access/authn/resource_settings.h"
#include "driver/resource/resource.h"

#include <atomic>
#include <mutex>
#include <string>
#include <utility>

namespace sb::access::authn {

/// Whether the back end, though it is there, answers questions with errors: a column that does not exist, a right that
/// is missing. The first one raises an alarm, the next success ends it. Any thread.
class Questions {
 public:
  Questions(broker::AlarmSink& alarms, const std::string& id) : alarms_(alarms), id_(id), alarm_(id + ":query") {}
  /// Null: one was answered. What is only unavailable or slow is the resource's to tell.
  void told(const Error* error);
  Provider::State into(Provider::State state) const;

 private:
  broker::AlarmSink& alarms_;
  const std::string id_, alarm_;
  std::atomic<bool> failing_{false};  // a success need not look further
  mutable std::mutex mutex_;          // guards trouble_
  std::string trouble_;
};

template <class Base>
class Watched : public Base {
 public:
  [[nodiscard]] Result<> start() override {
    resource_.start();
    return {};
  }
  void stop() override {
    resource_.stop();
    questions_.told(nullptr);
  }
  typename Base::State state() const override { return questions_.into(health_of(resource_.state())); }
  const driver::resource::Resource* resource() const override { return &resource_; }

 protected:
  /// `options` without `id` and `changed`, which are set here. Whoever derives stops it in his destructor: what is
  /// under way uses him.
  Watched(broker::AlarmSink& alarms, std::string id, driver::resource::Options options)
      : id_(std::move(id)), questions_(alarms, id_), resource_(watched(alarms, id_, std::move(options))) {}

  const std::string id_;
  Questions questions_;
  driver::resource::Resource resource_;
};

}  // namespace sb::access::authn
