// Templates of queries, and what a client puts into them. The first line of the input is the template, the rest is what
// the client calls itself. No value ever becomes part of a statement, another word of a command, or more than a value
// in a filter.
#include "access/authn/ldap_settings.h"
#include "access/authn/sql_template.h"
#include "access/authz/action_template.h"
#include "access/backend/redis_command.h"
#include "driver/ldap/text.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace {
using namespace sb;
using access::authn::SqlParameter;
using access::authn::SqlTemplate;
using access::authn::Template;

void require(bool condition) {
  if (!condition) std::abort();
}

void sql(std::string_view text, const access::Credentials& credentials) {
  for (const SqlParameter style : {SqlParameter::Dollar, SqlParameter::QuestionMark}) {
    const auto parsed = SqlTemplate::parse(text, style);
    if (!parsed) {
      require(!parsed.error().what.empty());
      continue;
    }
    require(parsed->statement().size() <= text.size());  // every placeholder is longer than its parameter
    const auto values = parsed->values(credentials);
    require(parsed->statement() == SqlTemplate::parse(text, style)->statement());
    for (std::size_t i = 1; style == SqlParameter::Dollar && i <= values.size(); ++i)
      require(parsed->statement().find("$" + std::to_string(i)) != std::string::npos);
    if (style == SqlParameter::QuestionMark)
      require(static_cast<std::size_t>(std::ranges::count(parsed->statement(), '?')) >= values.size());
    for (const auto& value : values) require(!value || *value == credentials.subject.username || value->size() < 16);
  }
}

void redis(std::string_view text, const access::Credentials& credentials) {
  const auto command = access::backend::RedisCommand::parse(text, {"HGET", "HMGET", "HGETALL"});
  if (!command) return;
  const std::string& name = command->name();
  require(name == "HGET" || name == "HMGET" || name == "HGETALL");
  require(!command->values(credentials).empty());
}

void directory(std::string_view text, const access::Credentials& credentials) {
  const Template filter(text);
  if (!access::authn::check_filter(filter)) return;
  // What a filter was accepted for holds for every name: it is a value and nothing else.
  require(driver::ldap::check_filter(filter.render(credentials, driver::ldap::escape_filter)).has_value());
}

void escapes(std::string_view value) {
  const std::string filter = driver::ldap::escape_filter(value);
  for (const char c : filter)
    require(c != '(' && c != ')' && c != '*' && c != '\0' && static_cast<unsigned char>(c) < 128);
  const std::string name = driver::ldap::escape_dn(value);
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '\\') {
      ++i;  // the next character is taken as it is, or is the first of two digits
      require(i < name.size());
    } else {
      require(std::string_view(",+\"<>;=").find(name[i]) == std::string_view::npos && name[i] != '\0');
    }
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t line = bytes.find('\n');
  const std::string_view text = bytes.substr(0, line);
  const std::string_view value = line == std::string_view::npos ? std::string_view{} : bytes.substr(line + 1);
  access::Credentials credentials;
  credentials.subject.username = value;
  credentials.subject.client_id = "c-1";
  credentials.subject.peer_host = "127.0.0.1";
  sql(text, credentials);
  redis(text, credentials);
  directory(text, credentials);
  escapes(value);
  const access::authz::ActionTemplate action(text);
  (void)action.render(credentials.subject, {access::ActionKind::Publish, value, Qos::AtLeastOnce, false},
                      access::authn::percent_encode);
  return 0;
}
