#include "access/authz/authorization.h"

#include "access/authz/action_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sb::access::authz {
namespace {

using testing::ElementsAre;

struct FakeSettings : config::AuthzCommon {
  std::string text;
  static const config::Struct& schema() {
    static const config::Struct s =
        config::authz_schema<FakeSettings>("fake").field("text", &FakeSettings::text, {.required = true}).build();
    return s;
  }
};

struct Seen {
  int made = 0, started = 0, stopped = 0;
};

class FakeSource final : public Source {
 public:
  explicit FakeSource(Seen& seen) : seen_(seen) { ++seen_.made; }
  Result<> start() override {
    ++seen_.started;
    return {};
  }
  void stop() override { ++seen_.stopped; }
  std::unique_ptr<Authorizer> make(const ShardEnvironment&) override { return nullptr; }

 private:
  Seen& seen_;
};

class Sources : public testing::Test {
 protected:
  Sources() {
    for (const bool files : {false, true})
      registry_.add(
          {.type = files ? "files" : "fake",
           .description = "",
           .schema = &FakeSettings::schema(),
           .make = [this](const Services&, std::shared_ptr<const void> from) -> Result<std::shared_ptr<Source>> {
             if (std::static_pointer_cast<const FakeSettings>(from)->text == "bad")
               return fail(Errc::Invalid, "not this");
             return std::make_shared<FakeSource>(seen_);
           },
           .reads_files = files});
  }
  std::shared_ptr<const config::Config> configured(const std::string& sources) {
    config::LoadOptions options;
    options.main_file = "x.conf";
    options.read = [&](const std::string& path) {
      return path == "x.conf" ? std::optional("authorization.sources = [" + sources + "]") : std::nullopt;
    };
    options.built_authz = registry_.names();
    const auto loaded = config::load(options);
    std::string problems;
    EXPECT_EQ(config::report(loaded, problems), 0) << problems;
    return loaded.config;
  }
  Seen seen_;
  Registry registry_;
  SystemClock clock_;
  RuleTable rules_;
  runtime::Workers workers_{{.name = "t", .threads = 1, .queue_max = 8}};
  broker::NoAlarms alarms_;
  Authorization authorization_{registry_, Services{clock_, rules_, workers_, alarms_}};
};

TEST_F(Sources, AreKeptWhileTheirKeysStayTheSame) {
  auto first = authorization_.apply(*configured("{type = fake, text = a}"));
  ASSERT_TRUE(first);
  ASSERT_TRUE(authorization_.start());
  EXPECT_EQ(seen_.started, 1);
  const auto again = authorization_.apply(*configured("{type = fake, text = a}"));
  EXPECT_EQ(seen_.made, 1);
  EXPECT_EQ(again->front().counts, first->front().counts);
  const auto other = authorization_.apply(*configured("{type = fake, text = b}"));
  EXPECT_EQ(seen_.made, 2);
  EXPECT_EQ(seen_.started, 2);
  EXPECT_EQ(other->front().counts, first->front().counts);  // of the place, not of the settings
}

TEST_F(Sources, ThatReadFilesAreMadeAnew) {
  ASSERT_TRUE(authorization_.apply(*configured("{type = files, text = a}")));
  ASSERT_TRUE(authorization_.apply(*configured("{type = files, text = a}")));
  EXPECT_EQ(seen_.made, 2);
}

TEST_F(Sources, ThatAreDisabledAreNotMade) {
  const auto out = authorization_.apply(*configured("{type = fake, text = a, enable = false}"));
  ASSERT_TRUE(out);
  EXPECT_EQ(seen_.made, 0);
  EXPECT_FALSE(out->front().enable);
  ASSERT_TRUE(authorization_.find("fake"));
  EXPECT_FALSE(authorization_.find("fake")->source);
}

TEST_F(Sources, ThatCannotBeMadeChangeNothing) {
  ASSERT_TRUE(authorization_.apply(*configured("{type = fake, text = a}")));
  const auto refused = authorization_.apply(*configured("{type = files, text = a}, {type = fake, text = bad}"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, "authorization.sources: fake: not this");
  EXPECT_FALSE(authorization_.find("files"));
  EXPECT_TRUE(authorization_.find("fake"));
}

TEST_F(Sources, StandInTheOrderOfTheConfiguration) {
  const auto out = authorization_.apply(*configured("{type = files, text = a}, {type = fake, text = a}"));
  ASSERT_TRUE(out);
  EXPECT_EQ(out->at(0).type, "files");
  EXPECT_EQ(out->at(1).type, "fake");
}

TEST(ActionTemplate, KnowsTheClientAndWhatItWants) {
  const ActionTemplate text(
      "${action}:${topic}:${qos}:${retain}:${access}:${clientid}:${proto_name}:${mountpoint}:${$}{x}");
  Subject subject;
  subject.client_id = "c";
  subject.protocol_name = "MQTT";
  subject.mountpoint = "m/";
  EXPECT_EQ(text.render(subject, {ActionKind::Publish, "a/b", Qos::AtLeastOnce, true}),
            "publish:a/b:1:true:2:c:MQTT:m/:${x}");
  EXPECT_EQ(text.render(subject, {ActionKind::Subscribe, "#", Qos::ExactlyOnce, false}),
            "subscribe:#:2:false:1:c:MQTT:m/:${x}");
  EXPECT_EQ(text.render(subject, {ActionKind::Publish, "a b", Qos::AtMostOnce, false},
                        [](std::string_view value) { return "<" + std::string(value) + ">"; }),
            "<publish>:<a b>:<0>:<false>:<2>:<c>:<MQTT>:<m/>:${x}");
  EXPECT_TRUE(text.unknown().empty());
}

TEST(ActionTemplate, LeavesWhatItDoesNotKnowAndTellsIt) {
  const ActionTemplate text("a${topi}b${topic}c${passwort}d${");
  EXPECT_EQ(text.render({}, {ActionKind::Publish, "T", Qos::AtMostOnce, false}), "a${topi}bTc${passwort}d${");
  EXPECT_THAT(text.unknown(), ElementsAre("topi", "passwort"));
  // The password is no business of authorization.
  EXPECT_EQ(ActionTemplate("x${password}").render({}, {}), "x");
}

}  // namespace
}  // namespace sb::access::authz
