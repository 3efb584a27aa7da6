// A Subject and an Action that own their text: for questions that are answered later.
#pragma once

#include "access/gate.h"

#include <string>

namespace sb::access {

struct OwnedSubject {
  explicit OwnedSubject(const Subject& s)
      : client_id(s.client_id),
        username(s.username),
        peer_host(s.peer_host),
        zone(s.zone),
        listener(s.listener),
        common_name(s.common_name),
        subject_dn(s.subject_dn),
        protocol_name(s.protocol_name),
        mountpoint(s.mountpoint),
        superuser(s.superuser) {}
  Subject view() const {
    return {client_id,   username,   peer_host, zone,          listener,
            common_name, subject_dn, superuser, protocol_name, mountpoint};
  }
  std::string client_id, username, peer_host, zone, listener, common_name, subject_dn, protocol_name, mountpoint;
  bool superuser;
};

struct OwnedAction {
  explicit OwnedAction(const Action& a) : topic(a.topic), kind(a.kind), qos(a.qos), retain(a.retain) {}
  Action view() const { return {kind, topic, qos, retain}; }
  std::string topic;
  ActionKind kind;
  Qos qos;
  bool retain;
};

}  // namespace sb::access
