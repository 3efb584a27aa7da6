#include "access/authn/ldap_settings.h"

#include <gtest/gtest.h>

namespace sb::access::authn {
namespace {

TEST(LdapFilter, TakesPlaceholdersInValues) {
  for (const char* text : {"(uid=${username})", "(&(objectClass=mqttUser)(|(uid=${username})(cn=x-${clientid}*)))",
                           "(uid:caseIgnoreMatch:=${username})", "(uid=\\28${username}\\29)", "(uid=*)"})
    EXPECT_TRUE(check_filter(Template(text))) << text;
}

// A name such as a=b would add a comparison, or choose the attribute that is compared.
TEST(LdapFilter, TakesNoPlaceholdersElsewhere) {
  for (const char* text : {"(${username}=x)", "(uid${username}=x)", "(uid:${clientid}:=x)", "(uid=\\4${username})"}) {
    const auto checked = check_filter(Template(text));
    ASSERT_FALSE(checked) << text;
    EXPECT_FALSE(checked.error().what.empty()) << text;
  }
  EXPECT_EQ(check_filter(Template("(uid${username}=x)")).error().what,
            "placeholders within values only, as in (uid=${username})");
}

TEST(LdapFilter, IsOneWithoutPlaceholdersToo) {
  for (const char* text : {"", "uid=${username}", "((uid=${username}))", "(uid=${username}"})
    EXPECT_FALSE(check_filter(Template(text))) << text;
}

}  // namespace
}  // namespace sb::access::authn
