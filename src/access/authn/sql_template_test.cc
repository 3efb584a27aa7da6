#include "access/authn/sql_template.h"

#include <gtest/gtest.h>

namespace sb::access::authn {
namespace {

std::string statement(std::string_view text, SqlParameter style = SqlParameter::Dollar) {
  auto parsed = SqlTemplate::parse(text, style);
  return parsed ? parsed->statement() : "error: " + parsed.error().what;
}

TEST(SqlTemplate, TurnsPlaceholdersIntoParameters) {
  constexpr std::string_view kText =
      "SELECT a FROM t WHERE u = ${username} AND c=\"${clientid}\" AND p IN('${peerhost}')";
  EXPECT_EQ(statement(kText), "SELECT a FROM t WHERE u = $1 AND c=$2 AND p IN($3)");
  EXPECT_EQ(statement(kText, SqlParameter::QuestionMark), "SELECT a FROM t WHERE u = ? AND c=? AND p IN(?)");
  EXPECT_EQ(statement("select 1;  \n"), "select 1  \n");
  EXPECT_EQ(statement("WITH x AS (SELECT 1) SELECT * FROM x"), "WITH x AS (SELECT 1) SELECT * FROM x");
  EXPECT_EQ(statement("SELECT 'it''s', \"co\"\"l\", $$a;b$$ -- c ; d\n FROM t"),
            "SELECT 'it''s', \"co\"\"l\", $$a;b$$ -- c ; d\n FROM t");
  EXPECT_EQ(statement("SELECT `a` FROM t # x", SqlParameter::QuestionMark), "SELECT `a` FROM t # x");
}

TEST(SqlTemplate, GivesValuesInOrderOfTheParameters) {
  const auto parsed =
      SqlTemplate::parse("SELECT ${clientid}, ${username}, ${clientid}, ${password}", SqlParameter::Dollar);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->uses_password());
  Credentials credentials;
  credentials.subject.client_id = "c' OR 1=1";
  credentials.subject.username = "u";
  const auto values = parsed->values(credentials);
  ASSERT_EQ(values.size(), 4u);
  EXPECT_EQ(values[0], "c' OR 1=1");
  EXPECT_EQ(values[1], "u");
  EXPECT_EQ(values[2], "c' OR 1=1");
  EXPECT_EQ(values[3], "") << "no password";
}

TEST(SqlTemplate, RefusesWhatIsNotOnePreparedSelect) {
  constexpr std::string_view kBad[] = {
      "",
      "   ",
      "DELETE FROM t",
      "UPDATE t SET a = ${username}",
      "SELECT 1; DROP TABLE t",
      "SELECT ${nobody}",
      "SELECT ${username",
      "SELECT 'x${username}'",
      "SELECT '%${username}%'",
      "SELECT \"a${username}\"",
      "SELECT 1 -- ${username}",
      "SELECT 1 /* ${username} */",
      "SELECT 1 /* open",
      "SELECT 'open",
      "SELECT \"open",
  };
  for (const auto style : {SqlParameter::Dollar, SqlParameter::QuestionMark})
    for (const std::string_view bad : kBad) EXPECT_FALSE(SqlTemplate::parse(bad, style)) << bad;
  EXPECT_FALSE(SqlTemplate::parse("SELECT $1", SqlParameter::Dollar));
  EXPECT_FALSE(SqlTemplate::parse("SELECT $$ ${username} $$", SqlParameter::Dollar));
  EXPECT_FALSE(SqlTemplate::parse("SELECT $a$ open", SqlParameter::Dollar));
  EXPECT_FALSE(SqlTemplate::parse("SELECT ?", SqlParameter::QuestionMark));
  EXPECT_FALSE(SqlTemplate::parse("SELECT `${username}`", SqlParameter::QuestionMark));
  EXPECT_FALSE(SqlTemplate::parse("/*!50000 DELETE */ SELECT 1", SqlParameter::QuestionMark));
  EXPECT_FALSE(SqlTemplate::parse("SELECT 'a\\' , ${username}", SqlParameter::QuestionMark));
}

TEST(SqlTemplate, TellsWhatIsWrong) {
  EXPECT_EQ(statement("SELECT ${nobody}"), "error: unknown placeholder ${nobody}");
  EXPECT_EQ(statement("INSERT INTO t VALUES (1)"), "error: not a SELECT");
  EXPECT_NE(statement("SELECT '%${username}%'").find("a placeholder inside '...'"), std::string::npos);
}

}  // namespace
}  // namespace sb::access::authn
