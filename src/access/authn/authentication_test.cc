#include "access/authn/authentication.h"

#include "runtime/loop.h"

#include <gtest/gtest.h>

#include <future>

namespace sb::access::authn {
namespace {

struct FakeSettings : config::AuthnCommon {
  std::string answer;
  static const config::Struct& schema() {
    static const config::Struct s = config::authn_schema<FakeSettings>("fake", false)
                                        .field("answer", &FakeSettings::answer, {.def = "yes", .doc = "What it says."})
                                        .build();
    return s;
  }
};

struct Life {
  int made = 0, started = 0, stopped = 0, inherited = 0, replaced = 0;
  std::promise<std::thread::id> buried;
};

class Fake final : public Provider {
 public:
  Fake(Life& life, std::string chain) : life_(life), chain_(std::move(chain)) { ++life_.made; }
  ~Fake() override {
    if (chain_ == "buried") life_.buried.set_value(std::this_thread::get_id());
  }
  Result<> start() override {
    ++life_.started;
    return {};
  }
  void stop() override { ++life_.stopped; }
  void inherit(Provider&) override { ++life_.inherited; }
  void replaced() override { ++life_.replaced; }
  std::unique_ptr<Authenticator> make(const ShardEnvironment&) override {
    struct Yes final : Authenticator {
      Result authenticate(const Credentials&, Reply) override { return {false, Authenticated{}}; }
    };
    return std::make_unique<Yes>();
  }

 private:
  Life& life_;
  std::string chain_;
};

class AuthenticationTest : public testing::Test {
 protected:
  AuthenticationTest() {
    registry.add({.id = "fake",
                  .description = "for tests",
                  .schema = &FakeSettings::schema(),
                  .make = [this](const Services&, const std::string& chain,
                                 std::shared_ptr<const void> settings) -> Result<std::shared_ptr<Provider>> {
                    if (std::static_pointer_cast<const FakeSettings>(settings)->answer == "fail")
                      return fail(Errc::Invalid, "as told");
                    return std::make_shared<Fake>(life, chain);
                  }});
  }
  config::Loaded load(const std::string& text) {
    config::LoadOptions options;
    options.main_file = "t.conf";
    options.built_authn = registry.names();
    options.read = [text](const std::string& path) { return path == "t.conf" ? std::optional(text) : std::nullopt; };
    auto loaded = config::load(options);
    EXPECT_TRUE(loaded.config);
    return loaded;
  }

  Life life;
  Registry registry;
  SystemClock clock;
  UserTable users;
  runtime::Workers workers{{.name = "t", .threads = 1}};
  broker::NoAlarms alarms;
  Authentication authentication{registry, Services{clock, users, workers, alarms}};
};

TEST_F(AuthenticationTest, MakesTheChainsOfTheConfiguration) {
  const auto loaded = load(
      "authentication = [{mechanism = fake}, {mechanism = other, enable = false}]\n"
      "listeners.tcp.default.authentication = {mechanism = fake, enable = false}");
  const auto chains = authentication.apply(*loaded.config);
  ASSERT_TRUE(chains) << chains.error().what;
  ASSERT_EQ(chains->size(), 2U);
  const AuthenticatorChain& global = chains->at("");
  ASSERT_EQ(global.size(), 2U);
  EXPECT_EQ(global[0].id, "fake");
  EXPECT_TRUE(global[0].enable && global[0].make && global[0].owner);
  EXPECT_FALSE(global[1].enable);
  EXPECT_FALSE(chains->at("tcp:default")[0].enable);
  EXPECT_TRUE(authentication.find("mqtt:global", "fake"));
  EXPECT_TRUE(authentication.find("tcp:default", "fake"));
  EXPECT_FALSE(authentication.find("tcp:other", "fake"));
  EXPECT_EQ(life.started, 0);
  ASSERT_TRUE(authentication.start());
  EXPECT_EQ(life.started, 1) << "one that is disabled asks nobody";
  authentication.stop();
  EXPECT_EQ(life.stopped, 2);
}

TEST_F(AuthenticationTest, KeepsWhatDidNotChangeAndTheCountersOfWhatDid) {
  ASSERT_TRUE(authentication.apply(*load("authentication = [{mechanism = fake}]").config));
  ASSERT_TRUE(authentication.start());
  const auto provider = authentication.find("mqtt:global", "fake")->provider;
  const auto counts = authentication.find("mqtt:global", "fake")->counts;
  ASSERT_TRUE(authentication.apply(*load("mqtt.max_qos_allowed = 1, authentication = [{mechanism = fake}]").config));
  EXPECT_EQ(authentication.find("mqtt:global", "fake")->provider, provider);
  ASSERT_TRUE(authentication.apply(*load("authentication = [{mechanism = fake, answer = no}]").config));
  EXPECT_NE(authentication.find("mqtt:global", "fake")->provider, provider);
  EXPECT_EQ(authentication.find("mqtt:global", "fake")->counts, counts);
  EXPECT_EQ(life.made, 2);
  EXPECT_EQ(life.started, 2) << "once started, a new provider starts at once";
}

TEST_F(AuthenticationTest, ChangesNothingWhenAProviderCannotBeMade) {
  ASSERT_TRUE(authentication.apply(*load("authentication = [{mechanism = fake}]").config));
  const auto before = authentication.find("mqtt:global", "fake")->provider;
  const auto failed = authentication.apply(*load("authentication = [{mechanism = fake, answer = fail}]").config);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().what.find("fake of mqtt:global: as told"), std::string::npos);
  EXPECT_EQ(authentication.find("mqtt:global", "fake")->provider, before);
}

TEST_F(AuthenticationTest, ADisabledOneMayBeUnusable) {
  ASSERT_TRUE(
      authentication.apply(*load("authentication = [{mechanism = fake, answer = fail, enable = false}]").config));
  EXPECT_FALSE(authentication.find("mqtt:global", "fake")->provider);
  EXPECT_FALSE(authentication.apply(*load("authentication = [{mechanism = fake, answer = fail}]").config));
}

TEST_F(AuthenticationTest, AReplacedOneHandsOver) {
  ASSERT_TRUE(authentication.apply(*load("authentication = [{mechanism = fake}]").config));
  EXPECT_EQ(life.inherited, 0);
  ASSERT_TRUE(authentication.apply(*load("authentication = [{mechanism = fake, answer = no}]").config));
  EXPECT_EQ(life.inherited, 1);
  EXPECT_EQ(life.replaced, 1);
}

TEST_F(AuthenticationTest, WhoHasLostItsPlaceIsTold) {
  ASSERT_TRUE(authentication.apply(*load("authentication = [{mechanism = fake}]").config));
  ASSERT_TRUE(authentication.apply(*load("authentication = [{mechanism = fake}]").config));
  EXPECT_FALSE(authentication.apply(*load("authentication = [{mechanism = fake, answer = fail}]").config));
  EXPECT_EQ(life.replaced, 0) << "it has its place still";
  ASSERT_TRUE(authentication.apply(*load("").config));
  EXPECT_EQ(life.replaced, 1);
}

TEST_F(AuthenticationTest, UsersGoWithTheirAuthenticatorAndOnlyWithIt) {
  const auto both =
      load("authentication = [{mechanism = fake}]\nlisteners.tcp.default.authentication = [{mechanism = fake}]");
  const auto disabled = load("authentication = [{mechanism = fake, enable = false}]");
  for (const char* group : {"mqtt:global/fake", "tcp:default/fake", "tcp:other/fake"})
    ASSERT_TRUE(users.create(group, User{.id = "joe", .hash = "h", .salt = ""}));
  authentication.forget(*both.config, *disabled.config);
  EXPECT_EQ(users.size("mqtt:global/fake"), 1U) << "it is disabled, not gone";
  EXPECT_EQ(users.size("tcp:default/fake"), 0U);
  EXPECT_EQ(users.size("tcp:other/fake"), 1U) << "it was not this change's";
  authentication.forget(*disabled.config, *load("").config);
  EXPECT_EQ(users.size("mqtt:global/fake"), 0U);
}

TEST_F(AuthenticationTest, AListenerThatIsDisabledKeepsItsChain) {
  const char* chain = "listeners.tcp.default { enable = %s, authentication = [{mechanism = fake}] }";
  const auto of = [&](const char* enable) {
    return load(std::string(chain).replace(std::string(chain).find("%s"), 2, enable));
  };
  ASSERT_TRUE(users.create("tcp:default/fake", User{.id = "joe", .hash = "h", .salt = ""}));
  ASSERT_TRUE(authentication.apply(*of("true").config));
  ASSERT_TRUE(authentication.start());
  ASSERT_TRUE(authentication.apply(*of("false").config));
  authentication.forget(*of("true").config, *of("false").config);
  ASSERT_TRUE(authentication.apply(*of("true").config));
  EXPECT_EQ(users.size("tcp:default/fake"), 1U);
  EXPECT_TRUE(authentication.find("tcp:default", "fake"));
}

TEST_F(AuthenticationTest, OneThatIsMadeWhileTheNodeRunsHasNoUsers) {
  for (const char* group : {"mqtt:global/fake", "tcp:default/fake"})
    ASSERT_TRUE(users.create(group, User{.id = "joe", .hash = "h", .salt = ""}));
  const auto global = load("authentication = [{mechanism = fake}]");
  const auto both =
      load("authentication = [{mechanism = fake}]\nlisteners.tcp.default.authentication = [{mechanism = fake}]");
  ASSERT_TRUE(authentication.apply(*global.config));
  ASSERT_TRUE(authentication.start());
  EXPECT_EQ(users.size("mqtt:global/fake"), 1U) << "it is there from the start";
  ASSERT_TRUE(authentication.apply(*load("").config));
  ASSERT_TRUE(authentication.apply(*global.config));
  EXPECT_EQ(users.size("mqtt:global/fake"), 1U) << "a change that was taken back";
  EXPECT_EQ(users.size("tcp:default/fake"), 1U);
  ASSERT_TRUE(authentication.apply(*both.config));
  EXPECT_EQ(users.size("tcp:default/fake"), 0U) << "whatever an older one has left";
}

TEST_F(AuthenticationTest, BuriesAProviderOnAWorker) {
  config::Config config;
  config::Authenticator one;
  one.id = "fake";
  one.settings = std::make_shared<const FakeSettings>();
  config.listener_authn["buried"] = {one};
  ASSERT_TRUE(authentication.apply(config));
  config.listener_authn.clear();
  auto buried = life.buried.get_future();
  ASSERT_TRUE(authentication.apply(config));
  EXPECT_NE(buried.get(), std::this_thread::get_id());
}

}  // namespace
}  // namespace sb::access::authn
