#include "app/config_review.h"

#include "app/catalogs.h"
#include "app/testing/wire.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace sb::app {
namespace {

using ::testing::HasSubstr;

/// What `check_config` says about a file, and its code.
class ConfigReview : public ::testing::Test {
 protected:
  ConfigReview() {
    char name[] = "/tmp/config_review_test_XXXXXX";
    folder_ = mkdtemp(name);
  }
  ~ConfigReview() override { std::filesystem::remove_all(folder_); }

  int check(const std::string& text) {
    std::ofstream(folder_ + "/signalbox.conf") << text;
    config::LoadOptions options;
    options.main_file = folder_ + "/signalbox.conf";
    options.review = review_all;
    access::authn::Registry mechanisms;
    add_authn_plugins(mechanisms);
    options.built_authn = mechanisms.names();
    access::authz::Registry sources;
    add_authz_plugins(sources);
    options.built_authz = sources.names();
    said_.clear();
    return config::check_config(options, said_);
  }
  /// The problem stands at `place` ("line: key path") and names what is expected.
  void refused(const std::string& text, const std::string& place, const std::string& expected) {
    EXPECT_EQ(check(text), 1) << text;
    EXPECT_THAT(said_, HasSubstr("signalbox.conf:" + place));
    EXPECT_THAT(said_, HasSubstr(expected));
  }
  /// `{ ... }` of a listener that can start, with more of ssl_options.
  std::string secure(const std::string& more = "") {
    return fmt::format("{{ bind = 1, ssl_options {{ certfile = \"{}\", keyfile = \"{}\"\n{} }} }}",
                       files_.certificate_file, files_.key_file, more);
  }
  std::string folder_;
  std::string said_;
  testing::Pki pki_;
  const net::TlsOptions files_ = pki_.tls();
};

TEST_F(ConfigReview, RefusesCipherSuitesThatNobodyKnows) {
  refused("listeners.ssl.default.ssl_options.ciphers = [\"NOPE\"]",
          "1: listeners.ssl.default.ssl_options.ciphers = [\"NOPE\"]", "not NOPE");
  refused("listeners.wss.default.ssl_options.ciphers = [\"TLS_NOPE\"]", "1: listeners.wss.default.ssl_options.ciphers",
          "not TLS_NOPE");
  EXPECT_EQ(check("listeners.ssl.x " + secure("ciphers = [\"A B\"]")), 1);
  EXPECT_THAT(said_, HasSubstr("1 problem(s)"));
  EXPECT_THAT(said_, HasSubstr("'A B' is none"));
  EXPECT_EQ(check("listeners.ssl.x " + secure("ciphers = \"TLS_AES_128_GCM_SHA256,AES128-SHA\"")), 0) << said_;
  EXPECT_EQ(said_, "");
}

TEST_F(ConfigReview, PassesOverSuitesThatWereDroppedAndSaysSo) {
  EXPECT_EQ(check("listeners.ssl.x " + secure("ciphers = [\"ECDH-ECDSA-AES256-SHA384\", \"AES128-SHA\"]")), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("WARNING: "));
  EXPECT_THAT(said_, HasSubstr("not ECDH-ECDSA-AES256-SHA384"));
}

TEST_F(ConfigReview, RefusesFiltersAndTopicsThatAreNone) {
  refused("auto_subscribe.topics = [\n {topic = \"a/${clientid}/+\"}\n {topic = \"a/#/b\"}]",
          "3: auto_subscribe.topics.2.topic = \"a/#/b\"", "a topic filter");
  refused("authorization.cache.excludes = [\"a/#\", \"a+\"]", "1: authorization.cache.excludes", "topic filters");
  EXPECT_EQ(check("authorization.cache.excludes = [\"a/#\", \"+/a\"]"), 0) << said_;
  refused("topic_metrics = [{topic = \"a/+\"}]", "1: topic_metrics.1.topic = \"a/+\"", "a topic without + and #");
}

TEST_F(ConfigReview, LooksIntoRulesOfRewrite) {
  const auto rule = [](const char* source, const char* re) {
    return fmt::format("{{action = publish, source_topic = \"{}\", dest_topic = z, re = \"{}\"}}", source, re);
  };
  refused("rewrite = [\n" + rule("a/#", "^a") + "\n" + rule("a/#/b", "^a") + "]",
          "3: rewrite.2.source_topic = \"a/#/b\"", "expected a topic filter");
  // As when the node runs: the rule is passed over.
  EXPECT_EQ(check("rewrite = [\n" + rule("a/#", "^(a") + "]"), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("WARNING: "));
  EXPECT_THAT(said_, HasSubstr("signalbox.conf:2: rewrite.1.re"));
  EXPECT_EQ(check("rewrite = [" + rule("a/+", "^a") + "]"), 0);
  EXPECT_EQ(said_, "");
}

TEST_F(ConfigReview, RefusesWhatTlsCannotUse) {
  const std::string path = "listeners.ssl.x.ssl_options.";
  const auto needs = [&](const std::string& more, const std::string& key) {
    refused("listeners.ssl.x " + secure(more), "2: " + path + key, "what TLS can use");
    EXPECT_THAT(said_, HasSubstr("1 problem(s)"));
  };
  EXPECT_EQ(check("listeners.ssl.x " + secure()), 0) << said_;
  EXPECT_EQ(said_, "");
  EXPECT_EQ(check("listeners.wss.x " + secure("versions = [\"tlsv1.2\", \"tlsv1.1\"]")), 0) << said_;
  EXPECT_EQ(said_, "");
  const std::string empty = "\"" + pki_.folder.write("empty.pem", "nothing") + "\"";
  const std::string other =
      "\"" + pki_.folder.write("other.pem", net::testing::to_pem(*net::testing::make_identity({}).key)) + "\"";
  needs("certfile = " + empty, "certfile");
  needs("keyfile = " + other, "keyfile");
  needs("verify = verify_peer, cacertfile = " + empty, "cacertfile");
  needs("dhfile = \"/no/dh\"", "dhfile");
  needs("password = \"file:///no/secret\"", "password");
  EXPECT_THAT(said_, HasSubstr("/no/secret"));
  needs("ocsp { enable_ocsp_stapling = true, responder_url = \"http://h/\", issuer_pem = \"/no/issuer\" }",
        "ocsp.issuer_pem");
  // Who checks nobody needs no authorities.
  EXPECT_EQ(check("listeners.ssl.x " + secure("cacertfile = " + empty)), 0) << said_;
  // Nothing is named: the place is that of the listener.
  refused("\nlisteners.ssl.x { bind = 1 }", "2: " + path + "certfile", "what TLS can use");
  EXPECT_EQ(check("listeners.ssl.x { bind = 1, enable = false }"), 0) << said_;
  EXPECT_EQ(check("psk_authentication.enable = true\nlisteners.ssl.x { bind = 1, ssl_options.certfile = \"\" }"), 0)
      << said_;
}

TEST_F(ConfigReview, RefusesWhatTheDashboardCannotStartWith) {
  const std::string path = "dashboard.listeners.https.ssl_options.";
  refused("dashboard.default_password = \"file:///no/secret\"", "1: dashboard.default_password", "/no/secret");
  refused("dashboard.listeners.https {\n bind = 1\n certfile = \"/no/cert\" }", "3: " + path + "certfile",
          "a certificate");
  refused("\ndashboard.listeners.https { bind = 1 }", "2: " + path + "certfile", "what TLS can use");
  EXPECT_EQ(check("dashboard.listeners.https { certfile = \"/no/cert\" }"), 0) << said_ << "it is off";
  EXPECT_EQ(check("dashboard.listeners.https " + secure()), 0) << said_;
}

TEST_F(ConfigReview, FilesOfABackEndsTlsMayComeLater) {
  const auto authenticator = [](const std::string& ssl) {
    return "authentication = [{mechanism = password_based, backend = http, method = get, url = \"https://h/\"\n ssl { "
           "enable = true, " +
           ssl + " } }]";
  };
  EXPECT_EQ(check(authenticator("cacertfile = \"/no/ca\"")), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("WARNING: "));
  EXPECT_THAT(said_, HasSubstr("signalbox.conf:2: authentication.1.ssl.cacertfile"));
  EXPECT_EQ(check("authorization.sources = [{type = http, method = get, url = \"https://h/\", ssl { enable = true, "
                  "certfile = \"/no/cert\" } }]"),
            0)
      << said_;
  EXPECT_THAT(said_, HasSubstr("signalbox.conf:1: authorization.sources.1.ssl.certfile"));
  EXPECT_EQ(check(authenticator("cacertfile = \"" + files_.ca_file + "\"")), 0);
  EXPECT_EQ(said_, "");
  // With these the node does not start.
  refused(authenticator("cacertfile = \"/tmp\""), "2: authentication.1.ssl.cacertfile = \"/tmp\"", "no");
  refused(authenticator("password = \"file:///no/secret\""), "2: authentication.1.ssl.password", "/no/secret");
  refused(
      "authentication = [{mechanism = jwt, use_jwks = true, endpoint = \"https://h/\", ssl { enable = true, "
      "password = \"file:///no/secret\" } }]",
      "1: authentication.1.ssl.password", "/no/secret");
}

TEST_F(ConfigReview, SentencesReadRight) {
  const auto says = [&](const std::string& rest, const std::string& sentence) {
    EXPECT_EQ(check("authentication = [{mechanism = password_based, " + rest + "}]"), 1);
    EXPECT_THAT(said_, HasSubstr(sentence));
    EXPECT_THAT(said_, HasSubstr("1 problem(s)"));
  };
  const std::string postgresql = "backend = postgresql, database = d, username = u, query = \"SELECT 1\", server = ";
  says(postgresql + "h, ssl { enable = true, ciphers = [x] }",
       "authentication.1.ssl.ciphers = [\"x\"]: expected no list: the client library of PostgreSQL knows no other");
  says(postgresql + "\" \"", "expected host or host:port (no host)");
  says(postgresql + "\"h:0\"", "expected host or host:port (a port is a number from 1 to 65535)");
  says(postgresql + "\"[::1]x\"", "expected host or host:port (no ':' behind ']')");
  says("backend = redis, server = h, cmd = \"HMGET k password_hash y\"",
       "expected password_hash, password, salt and is_superuser, not the unknown field y");
  says("backend = redis, server = h, cmd = \"HMGET ${y} password_hash\"",
       "expected a key without the unknown placeholder ${y}");
  says("backend = redis, server = h, cmd = \"HMGET k password_hash\", ssl { enable = true, ciphers = [NOPE] }",
       "authentication.1.ssl.ciphers = [\"NOPE\"]: expected OpenSSL names of cipher suites (");
  EXPECT_EQ(check("authorization.sources = [{type = built_in_database, enable = maybe}]"), 1);
  EXPECT_THAT(said_, HasSubstr("1 problem(s)")) << "it is read twice, and told once";
}

TEST_F(ConfigReview, RefusesFilesThatAreMissing) {
  refused("authorization.sources = [{type = file, path = \"/no/acl.conf\"}]",
          "1: authorization.sources.1.path = \"/no/acl.conf\"", "a file of rules");
  refused("psk_authentication { enable = true\n init_file = \"/no/keys\" }",
          "2: psk_authentication.init_file = \"/no/keys\"", "a file of keys");
  EXPECT_EQ(check("psk_authentication { enable = false, init_file = \"/no/keys\" }"), 0) << said_;
  refused("listeners.ssl.x {\n bind = 1\n ssl_options.certfile = \"/no/cert.pem\" }",
          "3: listeners.ssl.x.ssl_options.certfile = \"/no/cert.pem\"", "a certificate");
  refused("listeners.wss.x { bind = 1, ssl_options { certfile = \"/etc/passwd\", keyfile = \"/no/key\" } }",
          "1: listeners.wss.x.ssl_options.keyfile", "its key");
  EXPECT_EQ(check("listeners.ssl.x { bind = 1, enable = false, ssl_options.certfile = \"/no/cert.pem\" }"), 0) << said_;
  EXPECT_EQ(check("listeners.ssl.x { bind = 1, ssl_options.certfile = \"-----BEGIN CERTIFICATE-----\\n\" }"), 0)
      << said_ << "written to a file at the start";
  std::ofstream(folder_ + "/mine.conf") << "{allow, all}.\n";
  EXPECT_EQ(check("authorization.sources = [{type = file, path = \"" + folder_ + "/mine.conf\"}]"), 0) << said_;
}

TEST_F(ConfigReview, RefusesFilesThatDoNotHoldWhatTheStartNeeds) {
  const auto file = [&](const char* name, const char* text) {
    std::ofstream(folder_ + "/" + name) << text;
    return "\"" + folder_ + "/" + name + "\"";
  };
  refused("authorization.sources = [\n{type = file, path = " +
              file("rules.conf", "{allow, all}.\n\n{deny, bob, all, [\"#\"]}.\n") + "}]",
          "2: authorization.sources.1.path", "line 3");
  refused("authorization.sources = [{type = file, rules = \"{allow, nobody}.\"}]", "1: authorization.sources.1.rules",
          "line 1");
  const std::string built_in = "{mechanism = password_based, backend = built_in_database, bootstrap_file = ";
  refused("authentication = [\n" + built_in + file("users.csv", "user_id,password\njoe\n") + "}]",
          "2: authentication.1.bootstrap_file", "line 2: 1 fields, 2 columns");
  refused("listeners.tcp.x { bind = 1, authentication = [" + built_in + "\"/no/users.csv\"}] }",
          "1: listeners.tcp.x.authentication.1.bootstrap_file", "cannot read '/no/users.csv'");
  const std::string jwt = "{mechanism = jwt, use_jwks = false, algorithm = ";
  refused("authentication = [" + jwt + "public-key, public_key = " + file("key.pem", "no key") + "}]",
          "1: authentication.1.public_key", "public_key: ");
  refused("authentication = [" + jwt + "hmac-based, secret = \"file:///no/secret\"}]", "1: authentication.1.secret",
          "/no/secret");
  for (const char* field : {"headers", "body"}) {
    const std::string http =
        fmt::format("method = get, url = \"http://h/\", {} {{ a = \"file:///no/secret\" }} }}]", field);
    refused("authentication = [{mechanism = password_based, backend = http, " + http,
            fmt::format("1: authentication.1.{}", field), "/no/secret");
    refused("authorization.sources = [{type = http, " + http, fmt::format("1: authorization.sources.1.{}", field),
            "/no/secret");
  }
  refused("psk_authentication { enable = true, init_file = " + file("keys.psk", "a:1\nb\n") + " }",
          "1: psk_authentication.init_file", "line 2 is not identity:secret");
  refused("api_key.bootstrap_file = " + file("api.keys", "a:secret\nb\n"), "1: api_key.bootstrap_file",
          "line 2: expected key:secret");
  EXPECT_EQ(check("authentication = [" + jwt + "public-key, public_key = \"/no/key\", enable = false}]"), 0) << said_;
  EXPECT_EQ(check("authentication = [" + built_in + file("users.csv", "user_id,password\njoe,p\n") + "}]\n" +
                  "api_key.bootstrap_file = " + file("api.keys", "a:secret:viewer\n")),
            0)
      << said_;
}

TEST_F(ConfigReview, TellsAllOfThemBesideOtherMistakes) {
  EXPECT_EQ(check("mqtt.max_inflight = 0\nauto_subscribe.topics = [{topic = \"a/#/b\"}]\n"), 1);
  EXPECT_THAT(said_, HasSubstr("mqtt.max_inflight"));
  EXPECT_THAT(said_, HasSubstr("auto_subscribe.topics.1.topic"));
}

TEST_F(ConfigReview, ALicenceThatDoesNotCountIsAWarning) {
  EXPECT_EQ(check("license.key = garbage"), 0);
  EXPECT_THAT(said_, HasSubstr("signalbox.conf:1: license.key"));
  EXPECT_THAT(said_, HasSubstr("the node will run on the trial"));
  for (const char* bad : {"garbage", "\"file:///no/key\""}) {
    EXPECT_EQ(check(std::string("license { key = garbage\n public_key = ") + bad + " }"), 0);
    EXPECT_THAT(said_, HasSubstr("signalbox.conf:2: license.public_key: expected a key that licences are signed by"));
  }
  EXPECT_EQ(check("license.key = garbage"), 0);
  EXPECT_THAT(said_, Not(HasSubstr("garbage"))) << "a key is a secret";
  EXPECT_EQ(check("license.key = community"), 0);
  EXPECT_EQ(said_, "");
}

}  // namespace
}  // namespace sb::app
