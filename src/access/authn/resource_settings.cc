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

std::function<void(const driver::resource::State&)> resource_alarm(broker::AlarmSink& alarms, std::string id) {
  return [&alarms, id = std::move(id)](const driver::resource::State& state) {
    if (state.status != driver::resource::Status::Disconnected) {
      alarms.deactivate(id);
      return;
    }
    alarms.activate(id, "resource down: " + state.reason,
                    {{"resource_id", json_quoted(id)}, {"reason", "\"resource_down\""}});
  };
}

}  // namespace sb::access::authn
