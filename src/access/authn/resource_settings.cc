#include "access/authn/resource_settings.h"

#include "base/json_text.h"

namespace sb::access::authn {

Result<driver::resource::Tls> resource_tls(const config::ClientTls& from) {
  driver::resource::Tls out;
  out.enable = from.enable;
  if (!from.enable) return out;
  out.verify = from.verify == config::TlsVerify::Peer;
  out.server_name = from.server_name_indication;
  out.ca_file = from.cacertfile;
  out.certificate_file = from.certfile;
  out.key_file = from.keyfile;
  SB_TRY(out.key_password, config::resolve_secret(from.password));
  return out;
}

driver::resource::Options watched(broker::AlarmSink& alarms, std::string id, driver::resource::Options options) {
  options.id = id;
  options.changed = [&alarms, id = std::move(id)](const driver::resource::State& state) {
    if (state.status != driver::resource::Status::Disconnected) {
      alarms.deactivate(id);
      return;
    }
    alarms.activate(id, "resource down: " + state.reason,
                    {{"resource_id", json_quoted(id)}, {"reason", "\"resource_down\""}});
  };
  return options;
}

Provider::State health_of(const driver::resource::State& state) {
  switch (state.status) {
    case driver::resource::Status::Connected:
      return {Health::Connected, ""};
    case driver::resource::Status::Connecting:
      return {Health::Connecting, ""};
    default:
      return {Health::Disconnected, state.reason};
  }
}

}  // namespace sb::access::authn
