#include "codec/license/license.h"

#include <gtest/gtest.h>

namespace sb::codec::license {
namespace {

Terms terms() {
  Terms out;
  out.type = Type::Official;
  out.customer_type = Customer::Medium;
  out.customer = "Acme";
  out.email = "ops@acme.example";
  out.deployment = "prod";
  out.start_day = *parse_day("20240101");
  out.days = 366;
  out.max_connections = 100'000;
  return out;
}

class LicenseKey : public ::testing::Test {
 protected:
  KeyPair pair = *make_key_pair();
};

TEST_F(LicenseKey, HoldsItsTerms) {
  const auto key = issue(terms(), pair.private_key);
  ASSERT_TRUE(key) << key.error().what;
  const auto read = verify(*key, {pair.public_key});
  ASSERT_TRUE(read) << read.error().what;
  EXPECT_EQ(read->customer, "Acme");
  EXPECT_EQ(read->email, "ops@acme.example");
  EXPECT_EQ(read->deployment, "prod");
  EXPECT_EQ(read->max_connections, 100'000u);
  EXPECT_EQ(day_text(read->start_day), "2024-01-01");
  EXPECT_EQ(day_text(read->expiry_day()), "2025-01-01");
}

TEST_F(LicenseKey, MayBeBrokenIntoLines) {
  std::string key = *issue(terms(), pair.private_key);
  for (std::size_t at = 20; at < key.size(); at += 21) key.insert(at, "\n");
  EXPECT_TRUE(verify(" " + key + " \r\n", {pair.public_key}));
}

TEST_F(LicenseKey, OfSomebodyElseIsRefused) {
  const std::string key = *issue(terms(), pair.private_key);
  const auto refused = verify(key, {kBuiltInPublicKey, make_key_pair()->public_key});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Denied);
  EXPECT_TRUE(verify(key, {kBuiltInPublicKey, pair.public_key}));
}

TEST_F(LicenseKey, ThatWasChangedAnywhereIsRefused) {
  const std::string key = *issue(terms(), pair.private_key);
  for (std::size_t at = 0; at + 4 < key.size(); ++at) {
    std::string changed = key;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify(changed, {pair.public_key})) << at;
    EXPECT_FALSE(verify(key.substr(0, at), {pair.public_key})) << at;
  }
}

TEST_F(LicenseKey, NeedsAKeyOfTheRightCurve) {
  EXPECT_FALSE(issue(terms(), pair.public_key));
  EXPECT_FALSE(issue(terms(), "text"));
  EXPECT_TRUE(check_public_key(kBuiltInPublicKey));
  EXPECT_FALSE(check_public_key(pair.private_key));
  EXPECT_FALSE(check_public_key(""));
}

TEST(LicensePayload, IsRefusedWithAnyLineWrong) {
  const std::string good = *make_payload(terms());
  EXPECT_EQ(good, "220111\n1\n1\nAcme\nops@acme.example\nprod\n20240101\n366\n100000");
  EXPECT_TRUE(parse_payload(good));
  for (const char* bad :
       {"", "220111", "220112\n1\n1\nAcme\no@a\nprod\n20240101\n366\n100000",
        "220111\n2\n1\nAcme\no@a\nprod\n20240101\n366\n100000", "220111\n1\n3\nAcme\no@a\nprod\n20240101\n366\n1",
        "220111\n1\n1\n\no@a\nprod\n20240101\n366\n1", "220111\n1\n1\nAcme\n\nprod\n20240101\n366\n1",
        "220111\n1\n1\nAcme\no@a\nprod\n20211031\n366\n1", "220111\n1\n1\nAcme\no@a\nprod\n20240231\n366\n1",
        "220111\n1\n1\nAcme\no@a\nprod\n20240101\n0\n1", "220111\n1\n1\nAcme\no@a\nprod\n20240101\n366\n0",
        "220111\n1\n1\nAcme\no@a\nprod\n20240101\n366\n-5", "220111\n1\n1\nAcme\no@a\nprod\n20240101\n366\n1\n"})
    EXPECT_FALSE(parse_payload(bad)) << bad;
  EXPECT_EQ(parse_payload("220111\n0\n10\nAcme\no@a\n\n20240101\n366\n1,000,000")->max_connections, 1'000'000u);
}

TEST(LicensePayload, CannotBeMadeOfWhatItCannotHold) {
  Terms broken = terms();
  broken.customer = "two\nlines";
  EXPECT_FALSE(make_payload(broken));
  broken = terms();
  broken.days = 0;
  EXPECT_FALSE(make_payload(broken));
}

TEST(LicenseDay, KnowsTheCalendar) {
  EXPECT_EQ(day_text(0), "1970-01-01");
  EXPECT_EQ(day_text(*parse_day("20240229")), "2024-02-29");
  EXPECT_FALSE(parse_day("20230229"));
  EXPECT_FALSE(parse_day("2024010"));
  EXPECT_EQ(day_text(*parse_day("20231208") + 1825), "2028-12-06");
}

}  // namespace
}  // namespace sb::codec::license
