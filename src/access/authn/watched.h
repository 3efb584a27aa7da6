// What every authenticator and source of authorization with a back end does with its Resource: names it, starts and
// stops it, makes an alarm and a health of its state. Base: authn::Provider or authz::Source.
#pragma once

#include "access/authn/resource_settings.h"
#include "driver/resource/resource.h"

#include <string>
#include <utility>

namespace sb::access::authn {

template <class Base>
class Watched : public Base {
 public:
  [[nodiscard]] Result<> start() override {
    resource_.start();
    return {};
  }
  void stop() override { resource_.stop(); }
  typename Base::State state() const override { return health_of(resource_.state()); }
  const driver::resource::Resource* resource() const override { return &resource_; }

 protected:
  /// `options` without `id` and `changed`, which are set here. Whoever derives stops it in his destructor: what is
  /// under way uses him.
  Watched(broker::AlarmSink& alarms, std::string id, driver::resource::Options options)
      : id_(std::move(id)), resource_(watched(alarms, id_, std::move(options))) {}

  const std::string id_;
  driver::resource::Resource resource_;
};

}  // namespace sb::access::authn
