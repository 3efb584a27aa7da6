#include "management/licence.h"

#include <gtest/gtest.h>

#include <set>

namespace sb::management {
namespace {

class Alarms final : public broker::AlarmSink {
 public:
  bool activate(std::string_view name, std::string_view, broker::AlarmDetails) override {
    return active.emplace(name).second;
  }
  bool deactivate(std::string_view name) override { return active.erase(std::string(name)) > 0; }
  std::set<std::string, std::less<>> active;
};

class LicenceTest : public ::testing::Test {
 protected:
  LicenceTest() {
    settings.key = Secret("default");
    settings.public_key = Secret(pair.public_key);
    settings.connection_low_watermark = {0.75};
    settings.connection_high_watermark = {0.8};
  }
  std::string key(codec::license::Customer customer, codec::license::Type type, std::int64_t days) {
    codec::license::Terms terms;
    terms.type = type;
    terms.customer_type = customer;
    terms.customer = "Acme";
    terms.email = "a@b";
    terms.start_day = *codec::license::parse_day("20231101");
    terms.days = days;
    terms.max_connections = 10;
    return *codec::license::issue(terms, pair.private_key);
  }
  void use(std::string text) {
    settings.key = Secret(std::move(text));
    ASSERT_TRUE(licence.apply(settings));
  }
  bool refused() { return quota.refuses(clock.wall_ms()); }

  codec::license::KeyPair pair = *codec::license::make_key_pair();
  ManualClock clock;  // 2023-11-14
  access::ConnectionQuota quota{2};
  Alarms alarms;
  config::License settings;
  Licence licence{clock, quota, &alarms};
};

TEST_F(LicenceTest, TheTrialRefusesAboveElevenTenths) {
  licence.begin(settings);
  quota.tell(0, 20);
  quota.tell(1, 7);
  EXPECT_FALSE(refused());
  quota.tell(1, 8);
  EXPECT_TRUE(refused());
  EXPECT_EQ(quota.refused(), 1u);
}

TEST_F(LicenceTest, ItsEndOnlyRaisesAnAlarm) {
  clock.advance(std::chrono::hours(24 * 365 * 6));
  licence.begin(settings);
  licence.look();
  EXPECT_TRUE(licence.view().expired);
  EXPECT_TRUE(alarms.active.contains("license_expiry"));
  EXPECT_FALSE(refused());
}

TEST_F(LicenceTest, CommunityHasNoLimit) {
  licence.begin(settings);
  quota.tell(0, 1'000'000);
  EXPECT_TRUE(refused());
  use("community");
  EXPECT_FALSE(refused());
  EXPECT_TRUE(licence.banner().empty());
  EXPECT_TRUE(alarms.active.empty());
}

TEST_F(LicenceTest, WatermarksRaiseAndEndTheAlarm) {
  licence.begin(settings);
  quota.tell(0, 21);
  licence.look();
  EXPECT_TRUE(alarms.active.contains("license_quota"));
  quota.tell(0, 19);
  licence.look();
  EXPECT_TRUE(alarms.active.contains("license_quota")) << "between the marks it stays";
  quota.tell(0, 18);
  licence.look();
  EXPECT_FALSE(alarms.active.contains("license_quota"));
}

TEST_F(LicenceTest, ASignedTrialEndsAtOnceASmallCustomerLaterOthersNever) {
  using codec::license::Customer;
  using codec::license::Type;
  use(key(Customer::Large, Type::Trial, 5));
  EXPECT_TRUE(refused());
  use(key(Customer::Small, Type::Official, 5));
  EXPECT_FALSE(refused());
  clock.advance(std::chrono::hours(24 * 95));
  use(key(Customer::Small, Type::Official, 5));
  EXPECT_TRUE(refused());
  use(key(Customer::Medium, Type::Official, 5));
  EXPECT_FALSE(refused());
}

TEST_F(LicenceTest, TheLastDayIsWithin) {
  using codec::license::Customer;
  using codec::license::Type;
  use(key(Customer::Large, Type::Trial, 13));  // until today
  EXPECT_FALSE(refused());
  EXPECT_FALSE(licence.view().expired);
  use(key(Customer::Large, Type::Trial, 12));
  EXPECT_TRUE(refused());
  clock.advance(std::chrono::hours(24 * 90));
  use(key(Customer::Small, Type::Official, 13));
  EXPECT_FALSE(refused()) << "90 days past its end";
  use(key(Customer::Small, Type::Official, 12));
  EXPECT_TRUE(refused());
}

TEST_F(LicenceTest, AKeyThatDoesNotCountLeavesTheOneInForce) {
  licence.begin(settings);
  settings.key = Secret("nonsense");
  EXPECT_FALSE(licence.apply(settings));
  EXPECT_EQ(licence.view().terms.max_connections, 25u);
  EXPECT_FALSE(Licence::check(settings));
}

TEST_F(LicenceTest, AtTheStartItMeansTheTrialAndAnAlarm) {
  settings.key = Secret(*codec::license::issue(trial_terms(), codec::license::make_key_pair()->private_key));
  licence.begin(settings);
  EXPECT_EQ(licence.view().kind, Licence::Kind::Trial);
  EXPECT_EQ(licence.view().trouble, "Bad license key");
  EXPECT_TRUE(alarms.active.contains("license_key"));
  settings.key = Secret("community");
  EXPECT_TRUE(licence.apply(settings));
  EXPECT_FALSE(alarms.active.contains("license_key"));
}

}  // namespace
}  // namespace sb::management
