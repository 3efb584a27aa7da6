// Rules as Erlang-like terms and as JSON: an error names a line or a rule, and what is accepted can be asked about
// everything. A rule for one client's own topics is never one for others'.
#include "access/acl.h"
#include "access/authz/rule_json.h"

#include <cstdlib>
#include <string>

namespace {
using namespace sb;

void require(bool condition) {
  if (!condition) std::abort();
}

void terms(std::string_view text) {
  const auto acl = access::Acl::parse(text);
  if (!acl) {
    require(acl.error().what.starts_with("line "));
    return;
  }
  access::Subject subject;
  subject.client_id = "c-1";
  subject.username = "joe";
  subject.peer_host = "10.1.2.3";
  for (const std::string_view topic : {"a/b", "a/+/c", "a/#", "#", "$SYS/x", "up/c-1", ""}) {
    for (const auto kind : {access::ActionKind::Publish, access::ActionKind::Subscribe}) {
      for (const bool retain : {false, true}) {
        const access::Action action{kind, topic, Qos::ExactlyOnce, retain};
        const auto answer = (*acl)->match(subject, action);
        require(answer == (*acl)->match(subject, action));
        if (kind != access::ActionKind::Publish) continue;
        if ((*acl)->allows_every_publish()) require(answer == access::Answer::Allow);
        if ((*acl)->never_denies_publish()) require(answer != access::Answer::Deny);
      }
    }
  }
}

void json(std::string_view text) {
  const auto rules = access::authz::rules_from_json(text);
  if (!rules) {
    require(!rules.error().what.empty());
    return;
  }
  const std::string printed = access::authz::rules_to_json(*rules);
  const auto again = access::authz::rules_from_json(printed);
  require(again && access::authz::rules_to_json(*again) == printed);
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 8192) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  terms(text);
  json(text);
  return 0;
}
