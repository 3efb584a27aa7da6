#include "access/authn/stored_password.h"

#include <gtest/gtest.h>

namespace sb::access::authn {
namespace {

TEST(StoredPassword, OnlyWhatClearlyMeansASuperuserIsOne) {
  for (const char* yes : {"true", "1", "2", "10"}) EXPECT_TRUE(means_superuser(yes)) << yes;
  for (const char* no : {"", "false", "0", "-1", "TRUE", "t", "yes", "1x", " 1", "1.0", "99999999999999999999"})
    EXPECT_FALSE(means_superuser(no)) << no;
}

TEST(StoredPassword, ARecordIsReadByName) {
  const std::optional<std::string> hash = "h", other = "o", salt = "s", one = "1", none;
  StoredRecord record = record_of({{"password", &other}, {"password_hash", &hash}, {"salt", &salt}, {"x", &one}});
  EXPECT_EQ(record.password_hash, "h") << "goes before password, in whatever order";
  EXPECT_EQ(record.salt, "s");
  EXPECT_FALSE(record.superuser);
  record = record_of({{"password", &other}, {"password_hash", &none}, {"is_superuser", &one}});
  EXPECT_EQ(record.password_hash, "o");
  EXPECT_TRUE(record.superuser);
  EXPECT_FALSE(record_of({{"password_hash", &none}}).password_hash);
}

TEST(StoredPassword, OnlyTheFirstRowCounts) {
  driver::sql::Rows rows;
  rows.columns = {"password_hash", "is_superuser"};
  EXPECT_FALSE(record_of(rows));
  rows.rows = {{"a", "0"}, {"b", "1"}};
  EXPECT_EQ(record_of(rows)->password_hash, "a");
  EXPECT_FALSE(record_of(rows)->superuser);
}

TEST(StoredPassword, AVerdictIsAYesOnlyForTheRightPassword) {
  PasswordHash plain;
  plain.name = HashName::Plain;
  plain.salt_position = SaltPosition::Disable;
  EXPECT_EQ(verdict(plain, "pw", {.password_hash = "pw", .superuser = true}).code, ReasonCode::Success);
  EXPECT_TRUE(verdict(plain, "pw", {.password_hash = "pw", .superuser = true}).superuser);
  const Authenticated wrong = verdict(plain, "px", {.password_hash = "pw", .superuser = true});
  EXPECT_EQ(wrong.code, ReasonCode::BadUserNameOrPassword);
  EXPECT_FALSE(wrong.superuser);
  EXPECT_EQ(verdict(plain, "", {}).code, ReasonCode::NotAuthorized) << "no hash is no empty password";
  EXPECT_EQ(verdict(plain, "", {.password_hash = "", .readable = false}).code, ReasonCode::BadUserNameOrPassword)
      << "nor is one that is no text";
}

TEST(Questions, AnErrorIsAnAlarmUntilTheNextSuccess) {
  struct Alarms final : broker::AlarmSink {
    bool activate(std::string_view name, std::string_view message, broker::AlarmDetails) override {
      lines.push_back(fmt::format("+{} {}", name, message));
      return true;
    }
    bool deactivate(std::string_view name) override {
      lines.push_back(fmt::format("-{}", name));
      return true;
    }
    std::vector<std::string> lines;
  } alarms;
  Questions questions(alarms, "r");
  const Error bad{Errc::Invalid, "no such column"}, away{Errc::Unavailable, "away"}, slow{Errc::Timeout, "slow"};
  for (const Error* error : {static_cast<const Error*>(nullptr), &away, &slow, &bad, &bad, &away})
    questions.told(error);
  EXPECT_EQ(alarms.lines, (std::vector<std::string>{"+r:query questions fail: no such column"}));
  EXPECT_EQ(questions.into({}).reason, "questions fail: no such column");
  EXPECT_EQ(questions.into({Health::Disconnected, "refused"}).reason, "refused") << "nobody is there to ask";
  questions.told(nullptr);
  EXPECT_EQ(alarms.lines.back(), "-r:query");
  EXPECT_EQ(questions.into({}).reason, "");
}

}  // namespace
}  // namespace sb::access::authn
