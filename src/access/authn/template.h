// Texts with placeholders of the client (access-control 2.4): ${username}, ${clientid}, ${password}, ${peerhost},
// ${cert_subject}, ${cert_common_name}; ${$} is a dollar. Others stay as they are written. Immutable, any thread.
#pragma once

#include "access/gate.h"
#include "base/result.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace sb::access::authn {

class Template {
 public:
  Template() = default;
  explicit Template(std::string_view text);

  /// What is undefined is empty. `encode` is given each value, not the text around it.
  using Encode = std::function<std::string(std::string_view)>;
  std::string render(const Credentials& credentials, const Encode& encode = nullptr) const;
  bool has_placeholders() const;
  /// Those that are not known, for a warning.
  const std::vector<std::string>& unknown() const { return unknown_; }

  enum class Field : std::uint8_t { None, Username, ClientId, Password, PeerHost, Subject, CommonName };
  /// None: not a placeholder.
  static Field field_of(std::string_view name);
  /// What is undefined is empty. Lives as long as the credentials.
  static std::string_view value_of(Field field, const Credentials& credentials);

 private:
  struct Part {
    std::string text;  // literal, in front of
    Field field = Field::None;
  };
  std::vector<Part> parts_;
  std::vector<std::string> unknown_;
};

/// For a path or a query, RFC 3986: all but unreserved characters.
std::string percent_encode(std::string_view text);

/// `text`, or what the file holds that it names with file://, which is no template.
[[nodiscard]] Result<std::string> secret_template(const std::string& text);

}  // namespace sb::access::authn
