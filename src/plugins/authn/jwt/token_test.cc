#include "plugins/authn/jwt/detail/token.h"

#include "access/authn/base64.h"

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

namespace sb::plugins::authn::jwt::detail {
namespace {

// RFC 7515 A.1: HS256 with its key; A.3: ES256; RFC 8037 A.4: EdDSA.
constexpr const char* kHmacToken =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
constexpr const char* kHmacKeys =
    R"({"keys":[{"kty":"oct","kid":"h","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]})";
constexpr const char* kEcToken =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
constexpr const char* kEcKeys =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]})";
constexpr const char* kRsaToken =
    "eyJhbGciOiJSUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1"
    "dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzD"
    "wusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77"
    "Rw";
constexpr const char* kRsaKeys =
    R"({"keys":[{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}]})";
constexpr const char* kEdToken =
    "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
    "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
constexpr const char* kEdKeys =
    R"({"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})";

KeySet keys(const char* text) {
  auto out = read_key_set(text);
  EXPECT_TRUE(out);
  return *out;
}

TEST(Tokens, OfTheRfcsAreVerified) {
  for (const auto& [token, set] : {std::pair{kHmacToken, kHmacKeys}, {kEcToken, kEcKeys}, {kRsaToken, kRsaKeys}}) {
    const auto parsed = parse_token(token);
    ASSERT_TRUE(parsed) << token;
    EXPECT_TRUE(verify_token(*parsed, keys(set))) << token;
    EXPECT_EQ(time_claim(parsed->claims, "exp"), 1300819380);
  }
  // Its payload is no object, so the signature is checked beside the parser.
  const std::string_view text(kEdToken);
  const auto last = text.rfind('.');
  EXPECT_TRUE(keys(kEdKeys)[0].verifies(*find_algorithm("EdDSA"), text.substr(0, last),
                                        *access::authn::decode_base64url(text.substr(last + 1))));
}

TEST(Tokens, ThatWereChangedAreNot) {
  for (const auto& [token, set] : {std::pair{kHmacToken, kHmacKeys}, {kEcToken, kEcKeys}, {kRsaToken, kRsaKeys}}) {
    const std::string good(token);
    std::string forged = good;
    forged[good.rfind('.') + 5] = good[good.rfind('.') + 5] == 'A' ? 'B' : 'A';
    const auto parsed = parse_token(forged);
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(verify_token(*parsed, keys(set)));
    const std::string unsigned_text = good.substr(0, good.rfind('.') + 1);  // an empty signature
    const auto cut = parse_token(unsigned_text);
    ASSERT_TRUE(cut);
    EXPECT_FALSE(verify_token(*cut, keys(set)));
  }
}

std::string url(std::string text) {
  std::string out = access::authn::base64(text);
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  while (out.ends_with('=')) out.pop_back();
  return out;
}

TEST(Tokens, AreNotVerifiedByAKeyOfAnotherType) {
  // alg "none", an HMAC over a public key's text, and algorithms that are for other keys.
  for (const char* algorithm : {"none", "None", "", "HS256", "ES256", "PS256", "EdDSA", "RS1"}) {
    const std::string token = url(std::string(R"({"alg":")") + algorithm + R"("})") + "." + url("{}") + ".";
    const std::string with_signature = token + url("x");  // a token holds views of its text
    const auto parsed = parse_token(with_signature);
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(verify_token(*parsed, keys(kRsaKeys))) << algorithm;
    const auto bare = parse_token(token);
    ASSERT_TRUE(bare);
    EXPECT_FALSE(verify_token(*bare, keys(kHmacKeys))) << algorithm;
    EXPECT_FALSE(verify_token(*bare, keys(kEcKeys))) << algorithm;
  }
  const auto parsed = parse_token(kEcToken);
  EXPECT_FALSE(verify_token(*parsed, keys(kRsaKeys)));
  EXPECT_FALSE(verify_token(*parsed, keys(kHmacKeys)));
  EXPECT_FALSE(verify_token(*parsed, {}));
}

TEST(Tokens, ThatAreNoneAreRecognised) {
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"), std::string("password"),
        url("{}") + "." + url("{}"), url("[]") + "." + url("{}") + ".", url("{}") + "." + url("5") + ".",
        url("{}") + "." + url("{}") + "." + ".", url("{") + "." + url("{}") + ".", url("{}") + ".!!.",
        url(R"({"alg":"HS256","crit":["exp"]})") + "." + url("{}") + "."})
    EXPECT_FALSE(parse_token(bad)) << bad;
}

TEST(KeySets, LeaveOutWhatIsOfNoUse) {
  EXPECT_FALSE(read_key_set("[]"));
  EXPECT_FALSE(read_key_set("not json"));
  EXPECT_TRUE(keys(R"({"keys":[]})").empty());
  const std::string useless =
      R"(5,{"kty":"XYZ"},{"kty":"RSA","n":"!!","e":"AQAB"},{"kty":"EC","crv":"P-999","x":"AA","y":"AA"},
         {"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"oct"},{"kty":"oct","use":"enc","k":"AAAA"})";
  EXPECT_FALSE(read_key_set(R"({"keys":[)" + useless + "]}"));
  const auto set_with_one = R"({"keys":[)" + useless + R"(,{"kty":"oct","kid":"a","alg":"HS512","k":"AAAA"}]})";
  const KeySet set = keys(set_with_one.c_str());
  ASSERT_EQ(set.size(), 1U);
  EXPECT_EQ(set[0].id, "a");
  EXPECT_EQ(set[0].only, "HS512");
}

TEST(KeySets, TakeTheNamedKeyFirstAndThenTheOthers) {
  auto token = parse_token(kHmacToken);
  const KeySet set = keys(kHmacKeys);
  token->key_id = "h";
  EXPECT_TRUE(verify_token(*token, set));
  EXPECT_TRUE(names_known_key(*token, set));
  token->key_id = "unknown";
  EXPECT_TRUE(verify_token(*token, set));
  EXPECT_FALSE(names_known_key(*token, set));
}

TEST(PublicKeys, AreReadFromPem) {
  EXPECT_FALSE(Key::of_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"));
  EXPECT_FALSE(Key::of_pem(""));
}

// ---------------------------------------------------------------- claims

boost::json::object claims(const char* text) {
  return boost::json::parse(text).as_object();
}
access::Subject subject() {
  access::Subject out;
  out.client_id = "c1";
  out.username = "joe";
  return out;
}

TEST(Claims, OfTimeAreExact) {
  constexpr std::int64_t kNow = 1000;
  EXPECT_TRUE(claims_hold(claims("{}"), {}, subject(), kNow));
  EXPECT_TRUE(claims_hold(claims(R"({"exp":1001,"nbf":1000,"iat":1000})"), {}, subject(), kNow));
  EXPECT_TRUE(claims_hold(claims(R"({"exp":"1001","iat":999.5})"), {}, subject(), kNow));
  for (const char* bad : {R"({"exp":1000})", R"({"exp":"999"})", R"({"exp":1000.9})", R"({"nbf":1001})",
                          R"({"iat":1001})", R"({"exp":"soon"})", R"({"exp":null})", R"({"exp":true})",
                          R"({"exp":[2000]})", R"({"exp":""})", R"({"exp":"2000x"})"})
    EXPECT_FALSE(claims_hold(claims(bad), {}, subject(), kNow)) << bad;
}

TEST(Claims, ThatAreRequiredMustBeThereAndEqual) {
  const Required who = {{"sub", "${username}"}, {"dev", "${clientid}"}, {"iss", "me"}};
  EXPECT_TRUE(claims_hold(claims(R"({"sub":"joe","dev":"c1","iss":"me"})"), who, subject(), 0));
  for (const char* bad : {R"({"sub":"joe","dev":"c1"})", R"({"sub":"joe","dev":"c2","iss":"me"})",
                          R"({"sub":"Joe","dev":"c1","iss":"me"})", R"({"sub":["joe"],"dev":"c1","iss":"me"})",
                          R"({"sub":null,"dev":"c1","iss":"me"})"})
    EXPECT_FALSE(claims_hold(claims(bad), who, subject(), 0)) << bad;
  access::Subject nameless = subject();
  nameless.username = {};
  EXPECT_FALSE(claims_hold(claims(R"({"sub":""})"), {{"sub", "${username}"}}, nameless, 0));
  EXPECT_TRUE(claims_hold(claims(R"({"level":5})"), {{"level", "5"}}, subject(), 0));
  EXPECT_FALSE(claims_hold(claims(R"({"d":1.5})"), {{"d", ""}}, subject(), 0));
  EXPECT_TRUE(claims_hold(claims(R"({"d":1.5})"), {{"d", "1.5"}}, subject(), 0));
}

TEST(Claims, OfSuperusersAreTrueWhenTheySaySo) {
  for (const char* yes : {R"({"s":true})", R"({"s":"true"})", R"({"s":1})", R"({"s":"1"})", R"({"s":2})"})
    EXPECT_TRUE(truth_claim(claims(yes), "s")) << yes;
  for (const char* no : {"{}", R"({"s":false})", R"({"s":0})", R"({"s":"yes"})", R"({"s":null})", R"({"s":[1]})",
                         R"({"s":""})", R"({"s":-1})"})
    EXPECT_FALSE(truth_claim(claims(no), "s")) << no;
}

// ---------------------------------------------------------------- rules

using Opinion = access::ClientRules::Opinion;
Opinion ask(const char* text, access::ActionKind kind, std::string_view topic, Qos qos = Qos::AtMostOnce,
            bool retain = false) {
  const auto rules = rules_of(claims(text), "acl");
  EXPECT_TRUE(rules) << text;
  return rules ? rules->decide(subject(), {kind, topic, qos, retain}) : Opinion::None;
}
constexpr auto kPublish = access::ActionKind::Publish;
constexpr auto kSubscribe = access::ActionKind::Subscribe;

TEST(AclClaims, OfTheMapAllowWhatTheyNameAndNothingElse) {
  const char* map = R"({"acl":{"pub":["p/+","d/${clientid}"],"sub":["s/#","eq lit/+"],"all":["a/${username}/#"]}})";
  EXPECT_EQ(ask(map, kPublish, "p/1"), Opinion::Allow);
  EXPECT_EQ(ask(map, kPublish, "p/1/2"), Opinion::Deny);
  EXPECT_EQ(ask(map, kPublish, "d/c1"), Opinion::Allow);
  EXPECT_EQ(ask(map, kPublish, "d/c2"), Opinion::Deny);
  EXPECT_EQ(ask(map, kPublish, "s/1"), Opinion::Deny);
  EXPECT_EQ(ask(map, kSubscribe, "s/+/x"), Opinion::Allow);
  EXPECT_EQ(ask(map, kSubscribe, "p/1"), Opinion::Deny);
  EXPECT_EQ(ask(map, kSubscribe, "lit/+"), Opinion::Allow);
  EXPECT_EQ(ask(map, kSubscribe, "lit/x"), Opinion::Deny);
  EXPECT_EQ(ask(map, kSubscribe, "#"), Opinion::Deny);
  EXPECT_EQ(ask(map, kPublish, "a/joe/x"), Opinion::Allow);
  EXPECT_EQ(ask(map, kSubscribe, "a/joe/#"), Opinion::Allow);
  EXPECT_EQ(ask(map, kSubscribe, "a/+/#"), Opinion::Deny);
  EXPECT_EQ(ask(R"({"acl":{}})", kPublish, "x"), Opinion::Deny);
  EXPECT_EQ(ask(R"({"acl":{"pub":"one"}})", kPublish, "one"), Opinion::Allow);
  EXPECT_EQ(ask(R"({"acl":{"pub":[5]}})", kPublish, "5"), Opinion::Deny);
}

TEST(AclClaims, WhoseEndIsNoIntegerOpenNothing) {
  for (const char* end : {"\"4102444800\"", "4102444800.5", "1e20", "null"}) {
    const std::string exp = std::string("{\"exp\":") + end + ",";
    EXPECT_EQ(ask((exp + R"("acl":{"pub":["x"]}})").c_str(), kPublish, "x"), Opinion::Deny) << end;
    EXPECT_EQ(ask((exp + R"("acl":[{"permission":"allow","action":"all","topic":"x"}]})").c_str(), kPublish, "x"),
              Opinion::Deny)
        << end;
  }
  EXPECT_EQ(ask(R"({"exp":4102444800,"acl":{"pub":["x"]}})", kPublish, "x"), Opinion::Allow);
}

TEST(AclClaims, CannotBreakOutOfTheirTopic) {
  EXPECT_EQ(ask(R"({"acl":{"pub":["x\"]}.\n{allow, all}.%"]}})", kPublish, "other"), Opinion::Deny);
  EXPECT_EQ(ask(R"({"acl":{"pub":["x\\"]}})", kPublish, "x\\"), Opinion::Allow);
  EXPECT_EQ(ask(R"({"acl":{"pub":["x\\\"y"]}})", kPublish, "x\\\"y"), Opinion::Allow);
}

TEST(AclClaims, OfTheListAllowDenyOrLeaveIt) {
  const char* list = R"({"acl":[
    {"permission":"deny","action":"pub","topic":"p/secret"},
    {"permission":"allow","action":"publish","topics":["p/#"],"qos":[0,1],"retain":false},
    {"permission":"allow","action":"subscribe","topic":"s/${clientid}"},
    {"permission":"allow","action":"all","topic":"b"}]})";
  EXPECT_EQ(ask(list, kPublish, "p/secret"), Opinion::Deny);
  EXPECT_EQ(ask(list, kPublish, "p/1"), Opinion::Allow);
  EXPECT_EQ(ask(list, kPublish, "p/1", Qos::ExactlyOnce), Opinion::None);
  EXPECT_EQ(ask(list, kPublish, "p/1", Qos::AtMostOnce, true), Opinion::None);
  EXPECT_EQ(ask(list, kSubscribe, "s/c1"), Opinion::Allow);
  EXPECT_EQ(ask(list, kSubscribe, "s/c2"), Opinion::None);
  EXPECT_EQ(ask(list, kPublish, "b"), Opinion::Allow);
  EXPECT_EQ(ask(list, kSubscribe, "b"), Opinion::Allow);
}

TEST(AclClaims, ThatAreMalformedOpenNothing) {
  for (const char* bad : {R"({"acl":[5]})", R"({"acl":[{"permission":"allow"}]})",
                          R"({"acl":[{"permission":"maybe","action":"pub","topic":"t"}]})",
                          R"({"acl":[{"permission":"allow","action":"fly","topic":"t"}]})",
                          R"({"acl":[{"permission":"allow","action":"pub","topic":"t","qos":7}]})",
                          R"({"acl":[{"permission":"allow","action":"pub","topic":"t","retain":"x"}]})"})
    EXPECT_EQ(ask(bad, kPublish, "t"), Opinion::Deny) << bad;
  EXPECT_FALSE(rules_of(claims("{}"), "acl"));
  EXPECT_FALSE(rules_of(claims(R"({"acl":"text"})"), "acl"));
  EXPECT_TRUE(rules_of(claims(R"({"rights":{}})"), "rights"));
}

}  // namespace
}  // namespace sb::plugins::authn::jwt::detail
