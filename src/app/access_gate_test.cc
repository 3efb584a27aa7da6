// Every operation of the real table with every role and without credentials; what each may do is said here by the rules
// of management-api 3.1, not by the table.
#include "app/access_gate.h"

#include "access/authn/base64.h"
#include "app/audit_trail.h"
#include "app/testing/configured_node.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <future>

namespace sb::app {
namespace {

using management::Role;

class AccessGateTest : public testing::ConfiguredNode {
 protected:
  template <class Work>
  auto on_loop(Work work) {
    std::promise<decltype(work())> out;
    management->service().loop().post([&] { out.set_value(work()); });
    return out.get_future().get();
  }
  management::Accounts& accounts() { return management->service().accounts(); }
  std::string new_key(const std::string& name, Role role) {
    return on_loop([&] {
      management::ApiKey key;
      key.name = name;
      key.role = role;
      const auto secret = accounts().add_api_key(key);
      EXPECT_TRUE(secret);
      return "Basic " + access::authn::base64(accounts().find_api_key(name)->key + ":" + secret.value_or(""));
    });
  }
  std::string new_token(const std::string& name, Role role) {
    std::promise<std::string> token;
    management->service().loop().post([&] {
      accounts().add_admin(name, "S3cret-enough", role, "", [&, name](const Result<>& added) {
        EXPECT_TRUE(added);
        accounts().login(name, "S3cret-enough", {"127.0.0.1", true},
                         [&](const management::LoginOutcome& outcome) { token.set_value("Bearer " + outcome.token); });
      });
    });
    return token.get_future().get();
  }
  /// 0: let through.
  unsigned gate_says(const http::Endpoint& endpoint, const std::string& authorization,
                     const std::string& parameter = "x") {
    return on_loop([&] {
      AccessGate gate(accounts(), [] { return true; });
      http::Request request;
      request.authorization = authorization;
      request.peer = "127.0.0.1";
      request.peer_is_loopback = true;
      const auto refused = gate.check(request, endpoint, {{"name", parameter}});
      return refused ? refused->status : 0U;
    });
  }
};

TEST_F(AccessGateTest, EveryOperationWithEveryRole) {
  configure();
  start();
  struct Who {
    std::string authorization;
    Role role;
    bool key;
  };
  const std::vector<Who> all = {{new_token("boss", Role::Administrator), Role::Administrator, false},
                                {new_token("eve", Role::Viewer), Role::Viewer, false},
                                {new_key("a", Role::Administrator), Role::Administrator, true},
                                {new_key("v", Role::Viewer), Role::Viewer, true},
                                {new_key("p", Role::Publisher), Role::Publisher, true}};
  std::size_t open = 0;
  for (const auto& endpoint : management->table().endpoints()) {
    const std::string_view path = endpoint->path;
    const std::string name = fmt::format("{} {}", http::to_string(endpoint->method), path);
    const bool needs_nobody = path == "/api/v5/login" || path.starts_with("/api/v5/error_codes") ||
                              path.starts_with("/api/v5/schemas/") || path.ends_with("/status") ||
                              path == "/api/v5/load_rebalance/availability_check" || path == "/api/v5/sso/running" ||
                              path.starts_with("/api/v5/sso/login/") || path.starts_with("/api/v5/sso/saml/") ||
                              path.starts_with("/api-docs");
    if (endpoint->access == http::Access::Open) {
      EXPECT_TRUE(needs_nobody) << name;
      ++open;
      continue;
    }
    EXPECT_EQ(gate_says(*endpoint, ""), 401U) << name;
    EXPECT_EQ(gate_says(*endpoint, "Bearer forged"), 401U) << name;
    EXPECT_EQ(gate_says(*endpoint, "Basic " + access::authn::base64("admin:public")), 401U) << name;
    const bool logged_in_only = path.starts_with("/api/v5/users") || path.starts_with("/api/v5/api_key") ||
                                path.starts_with("/api/v5/logout") || path.starts_with("/api/v5/local/users");
    const bool publishes =
        endpoint->method == http::Method::Post && (path == "/api/v5/publish" || path == "/api/v5/publish/bulk");
    const bool reads = endpoint->method == http::Method::Get || path == "/api/v5/logout";
    for (const Who& who : all) {
      unsigned expected = 403;
      if (who.key && logged_in_only)
        expected = 401;
      else if (who.role == Role::Administrator || (who.role == Role::Viewer && reads) ||
               (who.role == Role::Publisher && publishes))
        expected = 0;
      EXPECT_EQ(gate_says(*endpoint, who.authorization), expected)
          << name << " as " << management::to_string(who.role) << (who.key ? " key" : "");
    }
    if (path == "/api/v5/users/{username}/change_pwd") {
      EXPECT_EQ(gate_says(*endpoint, all[1].authorization, "eve"), 0U);
      EXPECT_EQ(gate_says(*endpoint, all[1].authorization, "Eve"), 403U);
    }
  }
  EXPECT_GT(open, 2U);
}

TEST_F(AccessGateTest, TheLocalSocketIsForItsOwner) {
  configure();
  start();
  EXPECT_EQ(ctl({"admins", "add", "joe", "weak"}).find("Error: "), 0U);
  EXPECT_EQ(ctl({"admins", "add", "joe", "S3cret-enough", "text", "viewer"}), "ok\n");
  EXPECT_NE(ctl({"admins", "list"}).find("Admin(joe, role=viewer, description=text, backend=local)\n"),
            std::string::npos);
  EXPECT_EQ(ctl({"admins", "passwd", "joe", "An0ther-one"}), "ok\n");
  EXPECT_EQ(ctl({"admins", "passwd", "nobody", "An0ther-one"}), "Error: username_not_found\n");
  EXPECT_EQ(code, 1);
  EXPECT_EQ(ctl({"admins", "del", "joe"}), "ok\n");
  EXPECT_EQ(ctl({"admins", "del", "joe"}), "Error: username_not_found\n");
  const std::string made = ctl({"api_keys", "add", "ci", "--role", "publisher"});
  EXPECT_EQ(made.find("key: "), 0U);
  EXPECT_NE(made.find("secret: "), std::string::npos);
  EXPECT_NE(ctl({"api_keys", "list"}).find("ApiKey(ci, key="), std::string::npos);
  EXPECT_NE(ctl({"api_keys", "show", "ci"}).find("role=publisher"), std::string::npos);
  EXPECT_EQ(ctl({"api_keys", "del", "ci"}), "ok\n");
  EXPECT_EQ(ctl({"api_keys", "list"}), "No API keys.\n");
}

TEST_F(AccessGateTest, CommandsAreAuditedWithoutTheirSecrets) {
  configure("log.audit { enable = true, path = \"" + folder.path().string() + "/audit.log\" }");
  start();
  ctl({"admins", "add", "joe", "S3cret-enough"});
  ctl({"api_keys", "add", "ci"});
  ctl({"clients", "list"});
  const auto answer = ask("GET", "audit?from=cli");
  ASSERT_EQ(answer.status, 200U) << answer.body;
  EXPECT_EQ(answer.body.find("cret-enough"), std::string::npos);
  const auto rows = answer.parsed().at("data").as_array();
  ASSERT_EQ(rows.size(), 4U) << answer.body;
  EXPECT_EQ(rows[0].at("operation_type"), "clients");
  EXPECT_EQ(rows[0].at("args"), (http::json::array{"list"}));
  EXPECT_EQ(rows[1].at("operation_type"), "api_keys");
  EXPECT_EQ(rows[2].at("operation_type"), "admins");
  EXPECT_EQ(rows[2].at("args"), (http::json::array{"add", "joe", "******"}));
  EXPECT_EQ(rows[2].at("http_request").at("body").at("password"), "******");
  EXPECT_EQ(rows[3].at("args"), (http::json::array{"start"}));
}

TEST(AuditTrail, MasksSecretsOfTheQueryAndOfUrls) {
  EXPECT_EQ(AuditTrail::masked_query("a=1&token=hidden&x%2Dapi-key=hidden&b"), "a=1&token=******&x%2Dapi-key=******&b");
  EXPECT_EQ(AuditTrail::masked_query("%zz=hidden&&PASSWORD=hidden"), "%zz=******&&PASSWORD=******");
  EXPECT_EQ(AuditTrail::masked_query(""), "");
  http::json::value value = http::json::object{{"url", "http://joe:hidden@host/"},
                                               {"api_key", http::json::object{{"bootstrap_file", "/etc/keys"}}}};
  AuditTrail::mask(value);
  EXPECT_EQ(value.at("url"), "http://joe:******@host/");
  EXPECT_EQ(value.at("api_key").at("bootstrap_file"), "/etc/keys");
}

TEST(AuditTrail, MasksSecretsAtAnyDepth) {
  http::json::value value = http::json::object{
      {"Password", "p"},
      {"list", http::json::array{http::json::object{{"new_pwd", 5}, {"Authorization", "Basic x"}, {"topic", "t"}}}},
      {"token", http::json::object{{"a", 1}}},
      {"secret", nullptr},
      {"token_expired_time", "1h"},
      {"keyfile", "-----BEGIN PRIVATE KEY-----\nx"}};
  AuditTrail::mask(value);
  EXPECT_EQ(value.at("Password"), "******");
  EXPECT_EQ(value.at("list").at(0).at("new_pwd"), "******");
  EXPECT_EQ(value.at("list").at(0).at("Authorization"), "******");
  EXPECT_EQ(value.at("list").at(0).at("topic"), "t");
  EXPECT_EQ(value.at("token"), "******");
  EXPECT_TRUE(value.at("secret").is_null());
  EXPECT_EQ(value.at("token_expired_time"), "1h");
  EXPECT_EQ(value.at("keyfile"), "******");
}

}  // namespace
}  // namespace sb::app
