#include "driver/ldap/text.h"

#include <gtest/gtest.h>

namespace sb::driver::ldap {

TEST(LdapText, FilterValuesAreEscaped) {  // RFC 4515 3
  EXPECT_EQ(escape_filter("joe"), "joe");
  EXPECT_EQ(escape_filter("u*)(uid=*"), "u\\2a\\29\\28uid=\\2a");
  EXPECT_EQ(escape_filter("a\\b"), "a\\5cb");
  EXPECT_EQ(escape_filter(std::string_view("a\0b", 3)), "a\\00b");
  EXPECT_EQ(escape_filter("Lu\xc4\x8di\xc4\x87"), "Lu\\c4\\8di\\c4\\87");
}

TEST(LdapText, NamesAreEscaped) {  // RFC 4514 2.4
  EXPECT_EQ(escape_dn("joe"), "joe");
  EXPECT_EQ(escape_dn("joe,dc=evil"), "joe\\,dc\\=evil");
  EXPECT_EQ(escape_dn("#x y "), "\\#x y\\ ");
  EXPECT_EQ(escape_dn(" "), "\\ ");
  EXPECT_EQ(escape_dn("a+\"\\<>;"), "a\\+\\\"\\\\\\<\\>\\;");
  EXPECT_EQ(escape_dn(std::string_view("a\0b\n", 4)), "a\\00b\\0a");
}

TEST(LdapText, FiltersOfTheGrammarAreTaken) {
  for (const char* text :
       {"(objectClass=mqttUser)", "(&(a=b)(|(c>=1)(d<=2))(!(e~=f)))", "(uid=*)", "(cn=a*b*c)", "(cn:caseExactMatch:=x)",
        "(:dn:2.4.8.10:=Dino)", "(& (objectClass=person) (uid=x))", "(cn=\\28x\\29)", "(&)", "(cn=)"})
    EXPECT_TRUE(check_filter(text)) << text;
}

TEST(LdapText, OthersAreRefusedByPlace) {
  for (const char* text : {"", "uid=x", "(uid=x", "(uid=x))", "(uid)", "(=x)", "(uid=(x)", "(uid=\\zz)", "(uid=\\2)",
                           "(!(a=b)(c=d))", "(a=b)(c=d)"})
    EXPECT_FALSE(check_filter(text)) << text;
  EXPECT_EQ(check_filter("(uid)").error().what, "filter, at character 5: expected a comparison: = ~= >= <= :=");
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "(!";
  EXPECT_FALSE(check_filter(deep));
}

}  // namespace sb::driver::ldap
