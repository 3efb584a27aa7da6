#include "access/authz/action_template.h"

namespace sb::access::authz {

ActionTemplate::Field ActionTemplate::field_of(std::string_view name) {
  if (name == "topic") return Field::Topic;
  if (name == "action") return Field::Action;
  if (name == "access") return Field::Access;
  if (name == "qos") return Field::Qos;
  if (name == "retain") return Field::Retain;
  if (name == "proto_name") return Field::Protocol;
  if (name == "mountpoint") return Field::Mountpoint;
  return Field::None;
}

std::string_view ActionTemplate::value_of(Field field, const Subject& subject, const access::Action& action) {
  const bool publish = action.kind == ActionKind::Publish;
  switch (field) {
    case Field::None:
      return {};
    case Field::Topic:
      return action.topic;
    case Field::Action:
      return publish ? "publish" : "subscribe";
    case Field::Access:
      return publish ? "2" : "1";
    case Field::Qos:
      return action.qos == Qos::AtMostOnce ? "0" : action.qos == Qos::AtLeastOnce ? "1" : "2";
    case Field::Retain:
      return action.retain ? "true" : "false";
    case Field::Protocol:
      return subject.protocol_name;
    case Field::Mountpoint:
      return subject.mountpoint;
  }
  return {};
}

ActionTemplate::ActionTemplate(std::string_view text) {
  const auto add = [this](std::string_view before, Field field) {
    parts_.push_back({authn::Template(before), field});
    for (const std::string& name : parts_.back().text.unknown()) unknown_.push_back(name);
  };
  std::size_t from = 0;
  while (true) {
    const auto at = text.find("${", from);
    const auto end = at == std::string_view::npos ? at : text.find('}', at);
    if (end == std::string_view::npos) break;
    const Field field = field_of(text.substr(at + 2, end - at - 2));
    if (field == Field::None) {  // the inner template's
      from = end + 1;
      continue;
    }
    add(text.substr(0, at), field);
    text.remove_prefix(end + 1);
    from = 0;
  }
  if (!text.empty()) add(text, Field::None);
}

std::string ActionTemplate::render(const Subject& subject, const Action& action, const Encode& encode) const {
  const Credentials nobody{subject, {}, {}, {}};
  std::string out;
  for (const Part& part : parts_) {
    out += part.text.render(nobody, encode);
    if (part.field == Field::None) continue;
    const std::string_view value = value_of(part.field, subject, action);
    if (encode)
      out += encode(value);
    else
      out += value;
  }
  return out;
}

}  // namespace sb::access::authz
