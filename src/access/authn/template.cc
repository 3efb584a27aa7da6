#include "access/authn/template.h"

#include "config/units.h"

namespace sb::access::authn {

Template::Field Template::field_of(std::string_view name) {
  if (name == "username") return Field::Username;
  if (name == "clientid") return Field::ClientId;
  if (name == "password") return Field::Password;
  if (name == "peerhost") return Field::PeerHost;
  if (name == "cert_subject") return Field::Subject;
  if (name == "cert_common_name") return Field::CommonName;
  return Field::None;
}

Template::Template(std::string_view text) {
  std::string literal;
  while (!text.empty()) {
    const auto at = text.find("${");
    literal += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at);
    const auto end = text.find('}');
    if (end == std::string_view::npos) {
      literal += text;
      break;
    }
    const std::string_view name = text.substr(2, end - 2);
    const Field field = field_of(name);
    if (name == "$") {
      literal += '$';
    } else if (field == Field::None) {
      literal += text.substr(0, end + 1);
      unknown_.emplace_back(name);
    } else {
      parts_.push_back({std::move(literal), field});
      literal.clear();
    }
    text.remove_prefix(end + 1);
  }
  if (!literal.empty()) parts_.push_back({std::move(literal), Field::None});
}

bool Template::has_placeholders() const {
  for (const Part& part : parts_)
    if (part.field != Field::None) return true;
  return false;
}

std::string_view Template::value_of(Field field, const Credentials& credentials) {
  switch (field) {
    case Field::None:
      return {};
    case Field::Username:
      return credentials.subject.username;
    case Field::ClientId:
      return credentials.subject.client_id;
    case Field::Password:
      return credentials.password ? as_text(*credentials.password) : std::string_view{};
    case Field::PeerHost:
      return credentials.subject.peer_host;
    case Field::Subject:
      return credentials.subject.subject_dn;
    case Field::CommonName:
      return credentials.subject.common_name;
  }
  return {};
}

std::string Template::render(const Credentials& credentials, const Encode& encode) const {
  std::string out;
  for (const Part& part : parts_) {
    out += part.text;
    if (part.field == Field::None) continue;
    const std::string_view value = value_of(part.field, credentials);
    out += encode ? encode(value) : std::string(value);
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    out += '%';
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

Result<std::string> secret_template(const std::string& text) {
  if (!text.starts_with("file://")) return text;
  SB_TRY(const Secret read, config::resolve_secret(Secret(text)));
  std::string out;
  for (const char c : std::string_view(read.reveal())) {
    if (c == '$')
      out += "${$}";
    else
      out += c;
  }
  return out;
}

}  // namespace sb::access::authn
