// What tests of access control share: clients, what they want to do, and rules as text.
#pragma once

#include "access/acl.h"

#include <gtest/gtest.h>

namespace sb::access::rules_fixture {

inline Subject client(std::string_view id, std::string_view user = {}, std::string_view host = "10.1.2.3") {
  Subject subject;
  subject.client_id = id;
  subject.username = user;
  subject.peer_host = host;
  return subject;
}
inline Action publish(std::string_view topic, Qos qos = Qos::AtMostOnce, bool retain = false) {
  return {ActionKind::Publish, topic, qos, retain};
}
inline Action subscribe(std::string_view filter, Qos qos = Qos::AtMostOnce) {
  return {ActionKind::Subscribe, filter, qos, false};
}

inline AclRef acl(std::string_view text) {
  auto parsed = Acl::parse(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().what);
  return parsed ? *parsed : nullptr;
}

// access-control 7.2
inline constexpr std::string_view kReferenceRules =
    "{allow, {username, {re, \"^dashboard$\"}}, subscribe, [\"$SYS/#\"]}.\n"
    "{allow, {ipaddr, \"127.0.0.1\"}, all, [\"$SYS/#\", \"#\"]}.\n"
    "{deny, all, subscribe, [\"$SYS/#\", {eq, \"#\"}]}.\n"
    "{allow, all}.\n";

}  // namespace sb::access::rules_fixture
