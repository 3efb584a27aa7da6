#include "access/authn/template.h"

#include "access/authn/base64.h"

#include <gtest/gtest.h>

namespace sb::access::authn {
namespace {

Credentials someone() {
  Credentials out;
  out.subject.username = "joe";
  out.subject.client_id = "c/1";
  out.subject.peer_host = "10.0.0.1";
  out.subject.common_name = "cn";
  out.subject.subject_dn = "CN=cn";
  out.password = as_bytes("p w");
  return out;
}

TEST(Templates, PutTheClientIn) {
  EXPECT_EQ(
      Template("${username}:${clientid}@${peerhost}/${cert_common_name}/${cert_subject}?${password}").render(someone()),
      "joe:c/1@10.0.0.1/cn/CN=cn?p w");
  EXPECT_EQ(Template("u/${clientid}/x y").render(someone(), percent_encode), "u/c%2F1/x y");
  EXPECT_EQ(Template("").render(someone()), "");
}

TEST(Templates, LeaveWhatTheyDoNotKnow) {
  const Template text("a${nothing}b${$}{c}${unclosed");
  EXPECT_EQ(text.render(someone()), "a${nothing}b${c}${unclosed");
  EXPECT_EQ(text.unknown(), std::vector<std::string>{"nothing"});
  EXPECT_FALSE(text.has_placeholders());
  EXPECT_TRUE(Template("${username}").has_placeholders());
}

TEST(Templates, AreNotExpandedTwice) {
  Credentials evil = someone();
  evil.subject.username = "${password}";
  EXPECT_EQ(Template("${username}").render(evil), "${password}");
}

TEST(Templates, OfWhatIsAbsentAreEmpty) {
  EXPECT_EQ(Template("<${username}${password}>").render({}), "<>");
}

TEST(Base64, AgreesWithTheRfc) {  // RFC 4648 section 10
  for (const auto& [plain, coded] : {std::pair{"", ""},
                                     {"f", "Zg=="},
                                     {"fo", "Zm8="},
                                     {"foo", "Zm9v"},
                                     {"foob", "Zm9vYg=="},
                                     {"fooba", "Zm9vYmE="},
                                     {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(base64(plain), coded);
    EXPECT_EQ(decode_base64(coded), plain);
    EXPECT_EQ(decode_base64url(coded), plain);
  }
  EXPECT_EQ(decode_base64url("-_8"), "\xFB\xFF");
  EXPECT_EQ(decode_base64("+/8="), "\xFB\xFF");
  for (const char* bad : {"Z", "Zg", "Zg=", "Zm9v!", "Zh==", "-_8=", "Zm 9v", "===="})
    EXPECT_FALSE(decode_base64(bad)) << bad;
  for (const char* bad : {"Z", "+/8", "Zh", "a.b"}) EXPECT_FALSE(decode_base64url(bad)) << bad;
}

}  // namespace
}  // namespace sb::access::authn
