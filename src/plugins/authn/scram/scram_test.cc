#include "plugins/authn/scram/scram.h"

#include "access/authn/base64.h"
#include "plugins/authn/scram/detail/exchange.h"
#include "runtime/loop.h"

#include <gtest/gtest.h>

namespace sb::plugins::authn::scram {

void add_to(access::authn::Registry& registry);

namespace {

using access::authn::base64;
using access::authn::decode_base64;
using detail::Hash;

// RFC 7677, section 3.
TEST(ScramExchange, AgreesWithTheVectorOfTheRfc) {
  const auto salt = decode_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
  ASSERT_TRUE(salt);
  const auto verifier = detail::make_verifier(Hash::Sha256, "pencil", *salt, 4096);
  ASSERT_TRUE(verifier);
  const auto first = detail::parse_client_first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->user, "user");
  const std::string server = detail::server_first(*first, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", *verifier);
  EXPECT_EQ(server, "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  const auto final = detail::finish(
      Hash::Sha256, *first, server,
      "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
      *verifier);
  ASSERT_TRUE(final);
  EXPECT_EQ(*final, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST(ScramExchange, RefusesWhatDiffersInOnePlace) {
  const auto verifier = detail::make_verifier(Hash::Sha256, "pencil", *decode_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
  const auto first = detail::parse_client_first("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
  const std::string server = detail::server_first(*first, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", *verifier);
  for (const char* final :
       {"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=eHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k1,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "c=eSws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndV=",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "", "c=,r=,p="})
    EXPECT_FALSE(detail::finish(Hash::Sha256, *first, server, final, *verifier)) << final;
}

TEST(ScramExchange, TakesNoMessageThatTheRfcForbids) {
  EXPECT_TRUE(detail::parse_client_first("y,,n=u,r=abc"));
  EXPECT_EQ(detail::parse_client_first("n,,n=a=2Cb=3Dc,r=abc")->user, "a,b=c");
  EXPECT_TRUE(detail::parse_client_first("n,,n=u,r=abc,x=ext"));
  for (const char* bad : {"p=tls-unique,,n=u,r=abc", "n,a=admin,n=u,r=abc", "n,,m=ext,n=u,r=abc", "n,,n=,r=abc",
                          "n,,n=u,r=", "n,,n=u", "n,,n=a=b,r=abc", "n,,n=a=2,r=abc", "n,,r=abc,n=u", "n,,n=u,r=a b", "",
                          "n", "n,,", "n=u,r=abc", "n,,n=\x01,r=abc", "n,,n=\xC3,r=abc", "n,,n=\xEE\x80\x80,r=abc"})
    EXPECT_FALSE(detail::parse_client_first(bad)) << bad;
}

/// The client's side.
struct ScramClient {
  Hash hash;
  std::string password;
  std::string bare;

  std::string first(const std::string& user) {
    bare = "n=" + user + ",r=clientnonce";
    return "n,," + bare;
  }
  std::string final(const std::string& server_first) const {
    const auto s = server_first.find(",s=");
    const auto i = server_first.find(",i=");
    const std::string salt = *decode_base64(server_first.substr(s + 3, i - s - 3));
    const auto iterations = static_cast<std::uint32_t>(std::stoul(server_first.substr(i + 3)));
    const auto made = detail::make_verifier(hash, password, salt, iterations);
    const std::string without = "c=biws," + server_first.substr(0, s);
    // ClientKey comes from SaltedPassword, which a verifier does not keep: computed here as a client does.
    const std::string key = client_key(salt, iterations);
    const std::string signature = detail::hmac(hash, made->stored_key, bare + "," + server_first + "," + without);
    std::string proof = key;
    for (std::size_t k = 0; k < proof.size(); ++k) proof[k] = static_cast<char>(proof[k] ^ signature[k]);
    return without + ",p=" + base64(proof);
  }
  std::string client_key(const std::string& salt, std::uint32_t iterations) const {
    // Hi() of RFC 5802 2.2, written out.
    std::string u = detail::hmac(hash, password, salt + std::string("\0\0\0\1", 4));
    std::string salted = u;
    for (std::uint32_t n = 1; n < iterations; ++n) {
      u = detail::hmac(hash, password, u);
      for (std::size_t k = 0; k < salted.size(); ++k) salted[k] = static_cast<char>(salted[k] ^ u[k]);
    }
    return detail::hmac(hash, salted, "Client Key");
  }
};

class ScramTest : public testing::Test {
 protected:
  std::shared_ptr<access::authn::Provider> make(AlgorithmName algorithm) {
    access::authn::Registry registry;
    add_to(registry);
    auto settings = std::make_shared<Settings>();
    settings->algorithm = algorithm;
    settings->iteration_count = settings_iterations;
    auto made = registry.find("scram:built_in_database")->make(services, "mqtt:global", settings);
    EXPECT_TRUE(made);
    EXPECT_TRUE((*made)->start());
    return *made;
  }
  access::AuthenticatorAnswer ask(access::Authenticator& on_shard, const std::string& method, const std::string& data,
                                  std::shared_ptr<access::Conversation> conversation = nullptr) {
    access::Credentials credentials;
    credentials.method = method;
    credentials.data = as_bytes(data);
    credentials.conversation = std::move(conversation);
    auto result = on_shard.authenticate(credentials, {});
    EXPECT_FALSE(result.pending);
    return result.answer;
  }

  std::uint32_t settings_iterations = 4096;
  SystemClock clock;
  access::authn::UserTable table;
  runtime::Workers workers{{.name = "t", .threads = 1}};
  broker::NoAlarms alarms;
  access::authn::Services services{clock, table, workers, alarms};
  runtime::Loop loop{clock, {}};
};

TEST_F(ScramTest, LetsInWhoKnowsThePassword) {
  for (const auto& [algorithm, hash, method] : {std::tuple{AlgorithmName::Sha256, Hash::Sha256, "SCRAM-SHA-256"},
                                                {AlgorithmName::Sha512, Hash::Sha512, "SCRAM-SHA-512"}}) {
    ASSERT_TRUE(table.clear("mqtt:global/scram:built_in_database"));
    const auto provider = make(algorithm);
    ASSERT_TRUE(provider->users()->add("joe", "secret", true));
    const auto on_shard = provider->make({0, loop});
    ScramClient client{hash, "secret", {}};
    const auto step = ask(*on_shard, method, client.first("joe"));
    ASSERT_TRUE(step);
    ASSERT_EQ(step->code, ReasonCode::ContinueAuthentication);
    const std::string final = client.final(step->data);
    const auto done = ask(*on_shard, method, final, step->conversation);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->code, ReasonCode::Success);
    EXPECT_TRUE(done->superuser);
    EXPECT_TRUE(done->data.starts_with("v="));
    EXPECT_EQ(ask(*on_shard, method, final, step->conversation)->code, ReasonCode::NotAuthorized)
        << "a round is used once";
  }
}

TEST_F(ScramTest, RefusesAWrongPasswordAndANameThatNobodyHasAlike) {
  const auto provider = make(AlgorithmName::Sha256);
  ASSERT_TRUE(provider->users()->add("joe", "secret", false));
  const auto on_shard = provider->make({0, loop});
  for (const char* name : {"joe", "nobody"}) {
    ScramClient client{Hash::Sha256, "guess", {}};
    const auto step = ask(*on_shard, "SCRAM-SHA-256", client.first(name));
    ASSERT_TRUE(step);
    ASSERT_EQ(step->code, ReasonCode::ContinueAuthentication) << name;
    const auto done = ask(*on_shard, "SCRAM-SHA-256", client.final(step->data), step->conversation);
    ASSERT_TRUE(done);
    EXPECT_EQ(done->code, ReasonCode::NotAuthorized) << name;
  }
  // The salt of a name is always the same, or it would tell that nobody has it.
  ScramClient client{Hash::Sha256, "guess", {}};
  const std::string once = ask(*on_shard, "SCRAM-SHA-256", client.first("nobody"))->data;
  const std::string twice = ask(*on_shard, "SCRAM-SHA-256", client.first("nobody"))->data;
  EXPECT_NE(once, twice);
  EXPECT_EQ(once.substr(once.find(",s=")), twice.substr(twice.find(",s=")));
}

TEST_F(ScramTest, CountsWhatTheUserIsAtTheEndOfTheRound) {
  const auto provider = make(AlgorithmName::Sha256);
  const auto on_shard = provider->make({0, loop});
  auto& users = *provider->users();
  ASSERT_TRUE(users.add("joe", "secret", true));
  const auto log_in = [&](const std::function<void()>& between) {
    ScramClient client{Hash::Sha256, "secret", {}};
    const auto step = ask(*on_shard, "SCRAM-SHA-256", client.first("joe"));
    between();
    return ask(*on_shard, "SCRAM-SHA-256", client.final(step->data), step->conversation);
  };
  const auto demoted = log_in([&] { ASSERT_TRUE(users.update("joe", std::nullopt, false)); });
  EXPECT_EQ(demoted->code, ReasonCode::Success);
  EXPECT_FALSE(demoted->superuser);
  EXPECT_EQ(log_in([&] { ASSERT_TRUE(users.update("joe", "another", std::nullopt)); })->code,
            ReasonCode::NotAuthorized);
  ASSERT_TRUE(users.update("joe", "secret", std::nullopt));
  EXPECT_EQ(log_in([&] { ASSERT_TRUE(users.erase("joe")); })->code, ReasonCode::NotAuthorized);
}

TEST_F(ScramTest, ANameThatNobodyHasLooksLikeOneThatSomebodyHas) {
  // Added when the configuration wanted more rounds than now.
  settings_iterations = 6000;
  ASSERT_TRUE(make(AlgorithmName::Sha256)->users()->add("joe", "secret", false));
  settings_iterations = 4096;
  const auto salt_of = [](const std::string& server_first) { return server_first.substr(server_first.find(",s=")); };
  ScramClient client{Hash::Sha256, "guess", {}};
  std::string first_salt;
  for (int restart = 0; restart < 2; ++restart) {
    const auto provider = make(AlgorithmName::Sha256);
    const auto on_shard = provider->make({0, loop});
    const std::string known = salt_of(ask(*on_shard, "SCRAM-SHA-256", client.first("joe"))->data);
    const std::string unknown = salt_of(ask(*on_shard, "SCRAM-SHA-256", client.first("nobody"))->data);
    EXPECT_NE(known, unknown);
    EXPECT_EQ(known.size(), unknown.size());
    EXPECT_EQ(known.substr(known.find(",i=")), unknown.substr(unknown.find(",i=")));
    const auto salt = access::authn::decode_base64(unknown.substr(3, unknown.find(",i=") - 3));
    ASSERT_TRUE(salt);
    EXPECT_EQ(salt->find_first_not_of("0123456789abcdef"), std::string::npos);
    if (restart == 0) first_salt = unknown;
    EXPECT_EQ(unknown, first_salt);
  }
}

TEST_F(ScramTest, ProvesTheNameOfTheConnectAndNoOther) {
  const auto provider = make(AlgorithmName::Sha256);
  ASSERT_TRUE(provider->users()->add("joe", "secret", false));
  const auto on_shard = provider->make({0, loop});
  ScramClient client{Hash::Sha256, "secret", {}};
  const std::string data = client.first("joe");
  access::Credentials credentials;
  credentials.method = "SCRAM-SHA-256";
  credentials.data = as_bytes(data);
  credentials.subject.username = "admin";
  EXPECT_EQ(on_shard->authenticate(credentials, {}).answer->code, ReasonCode::BadUserNameOrPassword);
  credentials.subject.username = "joe";
  EXPECT_EQ(on_shard->authenticate(credentials, {}).answer->code, ReasonCode::ContinueAuthentication);
}

TEST_F(ScramTest, LeavesOtherMethodsToOthers) {
  const auto provider = make(AlgorithmName::Sha256);
  const auto on_shard = provider->make({0, loop});
  EXPECT_FALSE(ask(*on_shard, "SCRAM-SHA-512", "n,,n=u,r=abc"));
  EXPECT_FALSE(ask(*on_shard, "GS2-KRB5", "x"));
  access::Credentials plain;
  plain.password = as_bytes("x");
  EXPECT_FALSE(on_shard->authenticate(plain, {}).answer);
}

TEST_F(ScramTest, KeepsUsersOfOldIterationCountsAndNotOfAnotherHash) {
  const auto provider = make(AlgorithmName::Sha256);
  ASSERT_TRUE(provider->users()->add("joe", "secret", false));
  EXPECT_EQ(table.find("mqtt:global/scram:built_in_database", "joe")->iterations, 4096U);
  const auto other = make(AlgorithmName::Sha512);
  const auto on_shard = other->make({0, loop});
  ScramClient client{Hash::Sha512, "secret", {}};
  const auto step = ask(*on_shard, "SCRAM-SHA-512", client.first("joe"));
  EXPECT_EQ(ask(*on_shard, "SCRAM-SHA-512", client.final(step->data), step->conversation)->code,
            ReasonCode::NotAuthorized);
}

TEST_F(ScramTest, TakesPlainFilesOnly) {
  const auto provider = make(AlgorithmName::Sha256);
  EXPECT_FALSE(provider->users()->import("u.csv", "user_id,password_hash\njoe,h\n", false));
  auto import = provider->users()->import("u.csv", "user_id,password,is_superuser\njoe,secret,true\n", true);
  ASSERT_TRUE(import);
  EXPECT_EQ(*import->step(), 1U);
  EXPECT_TRUE(provider->users()->find("joe")->superuser);
  EXPECT_FALSE(provider->users()->add("ctl\x01", "secret", false));
  EXPECT_FALSE(provider->users()->add("ok", "se\x01cret", false));
  EXPECT_FALSE(provider->users()->update("joe", std::nullopt, false)->superuser);
}

}  // namespace
}  // namespace sb::plugins::authn::scram
