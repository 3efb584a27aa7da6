#include "management/accounts.h"

#include "management/password.h"

#include <gtest/gtest.h>

#include <fstream>

namespace sb::management {
namespace {

constexpr const char* kGood = "S3cret-enough";

class AccountsTest : public testing::Test {
 protected:
  AccountsTest() { open({}); }
  ~AccountsTest() override { accounts->stop(); }

  void open(AccountSettings settings) {
    if (accounts) accounts->stop();
    accounts = std::make_unique<Accounts>(loop);
    const auto opened = accounts->open(store.get(), std::move(settings));
    ASSERT_TRUE(opened) << opened.error().what;
  }
  template <class T>
  T wait(const std::function<void(std::function<void(T)>)>& ask) {
    std::optional<T> out;
    ask([&](T value) { out = std::move(value); });
    for (int i = 0; i < 1000 && !out; ++i) loop.turn(Nanos{10'000'000});
    EXPECT_TRUE(out);
    return out ? std::move(*out) : T{};
  }
  LoginOutcome login(const std::string& user, const std::string& password, Origin from = {"127.0.0.1", true}) {
    return wait<LoginOutcome>([&](auto done) { accounts->login(user, password, from, done); });
  }
  Result<> add(const std::string& user, const std::string& password, Role role = Role::Viewer) {
    return wait<Result<>>([&](auto done) { accounts->add_admin(user, password, role, "", done); });
  }
  Result<> change(const std::string& user, std::optional<std::string> old, const std::string& password) {
    return wait<Result<>>([&](auto done) {
      accounts->change_password(user, old, password, {"127.0.0.1", true}, done);
    });
  }
  Accounts::TokenState check(const std::string& token) {
    Accounts::Session session;
    return accounts->check_token(token, session);
  }

  ManualClock clock;
  runtime::Loop loop{clock, {}};
  std::unique_ptr<store::KeyValue> store = store::make_memory();
  std::unique_ptr<Accounts> accounts;
};

using Kind = LoginOutcome::Kind;
using State = Accounts::TokenState;

TEST_F(AccountsTest, TheDefaultUserIsMadeOnce) {
  ASSERT_EQ(accounts->admins().size(), 1U);
  EXPECT_TRUE(accounts->find_admin("admin")->initial);
  const LoginOutcome outcome = login("admin", "public");
  EXPECT_EQ(outcome.kind, Kind::Ok);
  EXPECT_TRUE(outcome.must_change);
  ASSERT_TRUE(change("admin", "public", kGood));
  AccountSettings other;
  other.default_password = Secret("another1");
  open(other);
  EXPECT_EQ(login("admin", "another1").kind, Kind::Refused);
  EXPECT_EQ(login("admin", kGood).kind, Kind::Ok);
}

TEST_F(AccountsTest, ADefaultPasswordOfOnesOwnIsNoSecretOfTheWorld) {
  store = store::make_memory();
  AccountSettings settings;
  settings.default_password = Secret("another1");
  open(settings);
  EXPECT_FALSE(accounts->find_admin("admin")->initial);
  EXPECT_EQ(login("admin", "another1", {"10.0.0.1", false}).kind, Kind::Ok);
}

TEST_F(AccountsTest, TheWellKnownPasswordCountsOnThisMachineAlone) {
  EXPECT_EQ(login("admin", "public", {"10.0.0.1", false}).kind, Kind::LocalOnly);
  EXPECT_EQ(login("admin", "wrong", {"10.0.0.1", false}).kind, Kind::Refused);
  ASSERT_TRUE(change("admin", "public", kGood));
  EXPECT_EQ(login("admin", kGood, {"10.0.0.1", false}).kind, Kind::Ok);
}

TEST_F(AccountsTest, TokensSlideAndEnd) {
  const std::string token = login("admin", "public").token;
  EXPECT_EQ(check("x"), State::Unknown);
  EXPECT_EQ(check(token + "x"), State::Unknown);
  for (int i = 0; i < 3; ++i) {
    clock.advance(std::chrono::minutes(59));
    EXPECT_EQ(check(token), State::Good);
  }
  open({});  // a restart
  clock.advance(std::chrono::minutes(59));
  EXPECT_EQ(check(token), State::Good);
  clock.advance(std::chrono::minutes(61));
  EXPECT_EQ(check(token), State::Expired);
}

TEST_F(AccountsTest, WhatEndsALogIn) {
  ASSERT_TRUE(add("joe", kGood));
  const auto fresh = [&] { return login("joe", kGood).token; };
  std::string token = fresh();
  EXPECT_FALSE(accounts->logout(token, "admin"));
  EXPECT_TRUE(accounts->logout(token, "joe"));
  EXPECT_EQ(check(token), State::Unknown);
  token = fresh();
  ASSERT_TRUE(accounts->update_admin("joe", Role::Viewer, "new text"));
  EXPECT_EQ(check(token), State::Good);
  ASSERT_TRUE(accounts->update_admin("joe", Role::Administrator, ""));
  EXPECT_EQ(check(token), State::Unknown);
  token = fresh();
  ASSERT_TRUE(change("joe", kGood, "An0ther-one"));
  EXPECT_EQ(check(token), State::Unknown);
  token = login("joe", "An0ther-one").token;
  ASSERT_TRUE(accounts->remove_admin("joe"));
  EXPECT_EQ(check(token), State::Unknown);
  EXPECT_EQ(login("joe", "An0ther-one").kind, Kind::Refused);
}

TEST_F(AccountsTest, RulesOfNamesAndPasswords) {
  const auto code = [&](const Result<>& result) { return result ? -1 : static_cast<int>(result.error().code); };
  EXPECT_EQ(code(add("a b", kGood)), static_cast<int>(Errc::Invalid));
  EXPECT_EQ(code(add("", kGood)), static_cast<int>(Errc::Invalid));
  for (const char* bad : {"short1", "onlyletters", "12345678", "p\xc3\xa4ssword12"})
    EXPECT_EQ(code(add("joe", bad)), static_cast<int>(Errc::Invalid)) << bad;
  EXPECT_EQ(code(add("joe", std::string(65, 'a') + "1")), static_cast<int>(Errc::Invalid));
  EXPECT_EQ(code(add("joe", kGood)), -1);
  EXPECT_EQ(code(add("joe", kGood)), static_cast<int>(Errc::Exists));
  EXPECT_EQ(code(change("joe", "wrong", "An0ther-one")), static_cast<int>(Errc::Denied));
  EXPECT_EQ(code(change("joe", kGood, "weak")), static_cast<int>(Errc::Invalid));
  EXPECT_EQ(code(change("ann", kGood, kGood)), static_cast<int>(Errc::NotFound));
  EXPECT_EQ(code(change("joe", std::nullopt, "An0ther-one")), -1);  // from the command line
  EXPECT_EQ(login("joe", "An0ther-one").kind, Kind::Ok);
}

TEST_F(AccountsTest, GuessingLocksNameAndAddress) {
  const Origin far{"10.0.0.1", false};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(login("admin", "wrong", far).kind, Kind::Refused);
  EXPECT_EQ(login("admin", "wrong", far).retry_after_s, 300);
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(login("admin", "wrong", far).kind, Kind::Locked);
  EXPECT_EQ(login("admin", "wrong", far).retry_after_s, 240);
  EXPECT_EQ(login("ghost", "wrong", far).kind, Kind::Refused);  // another name
  EXPECT_EQ(login("admin", "public").kind, Kind::Ok);           // another address
  clock.advance(std::chrono::minutes(6));
  EXPECT_EQ(login("admin", "public", far).kind, Kind::LocalOnly);
  AccountSettings off;
  off.lockout = false;
  accounts->set_settings(off);
  for (int i = 0; i < 12; ++i) EXPECT_EQ(login("admin", "wrong", far).kind, Kind::Refused);
}

TEST_F(AccountsTest, ApiKeys) {
  ApiKey wanted;
  wanted.name = "ci";
  wanted.role = Role::Publisher;
  const auto secret = accounts->add_api_key(wanted);
  ASSERT_TRUE(secret) << secret.error().what;
  const ApiKey made = *accounts->find_api_key("ci");
  EXPECT_EQ(made.key.size(), 16U);
  EXPECT_EQ(made.secret.find(*secret), std::string::npos);
  EXPECT_EQ(accounts->add_api_key(wanted).error().code, Errc::Exists);
  open({});
  const ApiKey* const found = accounts->check_api_key(made.key, *secret);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->role, Role::Publisher);
  EXPECT_EQ(accounts->check_api_key(made.key, *secret + "x"), nullptr);
  EXPECT_EQ(accounts->check_api_key("x", *secret), nullptr);
  ApiKey changed = made;
  changed.expires_ms = clock.wall_ms() + 1000;
  changed.secret = "replaced";  // not by this way
  ASSERT_TRUE(accounts->update_api_key(changed));
  EXPECT_NE(accounts->check_api_key(made.key, *secret), nullptr);
  clock.advance(std::chrono::seconds(2));
  EXPECT_EQ(accounts->check_api_key(made.key, *secret), nullptr);
  changed.expires_ms = 0;
  changed.enable = false;
  ASSERT_TRUE(accounts->update_api_key(changed));
  EXPECT_EQ(accounts->check_api_key(made.key, *secret), nullptr);
  ASSERT_TRUE(accounts->remove_api_key("ci"));
  EXPECT_EQ(accounts->remove_api_key("ci").error().code, Errc::NotFound);
  for (const char* bad : {"", "1a", "a b", "_a"}) {
    wanted.name = bad;
    EXPECT_EQ(accounts->add_api_key(wanted).error().code, Errc::Invalid) << bad;
  }
}

TEST_F(AccountsTest, ABootstrapFileIsReadUpToItsFirstMistake) {
  const std::string file = testing::TempDir() + "bootstrap_keys";
  std::ofstream(file) << "one:s1\n\none:s2:viewer\r\ntwo:s3:publisher\nthree:s4:root\nfour:s5\n";
  const auto loaded = accounts->load_api_keys(file);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().what.find("line 5"), std::string::npos) << loaded.error().what;
  EXPECT_EQ(loaded.error().what.find("s4"), std::string::npos);
  EXPECT_EQ(accounts->check_api_key("one", "s1"), nullptr);
  ASSERT_NE(accounts->check_api_key("one", "s2"), nullptr);
  EXPECT_EQ(accounts->check_api_key("one", "s2")->role, Role::Viewer);
  EXPECT_NE(accounts->check_api_key("two", "s3"), nullptr);
  EXPECT_EQ(accounts->check_api_key("four", "s5"), nullptr);
  EXPECT_EQ(accounts->load_api_keys(file + "x").error().code, Errc::NotFound);
}

TEST(Password, TakesHashesOfOtherMakers) {
  EXPECT_TRUE(password_matches("ab12" + sha256("ab12public"), "public"));
  EXPECT_FALSE(password_matches("ab12" + sha256("ab12public"), "Public"));
  for (const char* bad :
       {"", "ab1", "pbkdf2-sha512:", "pbkdf2-sha512:0:a:b", "pbkdf2-sha512:10:a", "pbkdf2-sha512:x:a:b"})
    EXPECT_FALSE(password_matches(bad, "")) << bad;
}

TEST(Password, RandomTextIsLongAndDiffers) {
  const auto one = random_base62(32);
  const auto two = random_base62(32);
  ASSERT_TRUE(one && two);
  EXPECT_NE(*one, *two);
  EXPECT_GT(one->size(), 38U);
}

}  // namespace
}  // namespace sb::management
