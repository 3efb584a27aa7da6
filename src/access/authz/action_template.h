// Texts with placeholders of the client and of what it wants to do (access-control 7.1): those of authn/template.h but
// the password, and ${topic}, ${action}, ${qos}, ${retain}, ${access}, ${proto_name}, ${mountpoint}. Immutable, any
// thread.
#pragma once

#include "access/authn/template.h"
#include "access/gate.h"

#include <string>
#include <string_view>
#include <vector>

namespace sb::access::authz {

class ActionTemplate {
 public:
  ActionTemplate() = default;
  explicit ActionTemplate(std::string_view text);

  /// What is undefined is empty. `encode` is given each value, not the text around it.
  using Encode = authn::Template::Encode;
  std::string render(const Subject& subject, const Action& action, const Encode& encode = nullptr) const;
  /// Those that are not known, for a warning.
  const std::vector<std::string>& unknown() const { return unknown_; }

 private:
  enum class Field : std::uint8_t { None, Topic, Action, Access, Qos, Retain, Protocol, Mountpoint };
  static Field field_of(std::string_view name);
  static std::string_view value_of(Field field, const Subject& subject, const access::Action& action);
  struct Part {
    authn::Template text;  // in front of
    Field field = Field::None;
  };
  std::vector<Part> parts_;
  std::vector<std::string> unknown_;
};

}  // namespace sb::access::authz
