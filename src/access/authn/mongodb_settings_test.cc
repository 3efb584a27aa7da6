#include "access/authn/mongodb_settings.h"

#include "config/hocon.h"
#include "config/roots/authentication.h"

#include <gtest/gtest.h>

namespace sb::access::authn {
namespace {

struct Settings : config::AuthnCommon, MongoSettings {
  static const config::Struct& schema() {
    static const config::Struct s = [] {
      auto schema = config::authn_schema<Settings>("mongodb", true);
      return add_mongo_fields(schema)
          .finish([](config::Checker& c, const config::Value& v, Settings& read) { check_mongo_settings(c, v, read); })
          .build();
    }();
    return s;
  }
};

/// What is wrong with a filter; "" if nothing is.
std::string trouble(const std::string& filter) {
  const auto value = config::parse_value(
      R"({"mechanism":"password_based","backend":"mongodb","mongo_type":"single","server":"h","database":"d",)"
      R"("collection":"c","filter":)" +
          filter + "}",
      "settings");
  EXPECT_TRUE(value) << filter;
  config::Value tree = *value;
  config::Problems errors, warnings;
  const std::map<std::string, std::string> env;
  config::Checker checker(errors, warnings, env);
  Settings out;
  checker.read_object(Settings::schema(), tree, &out);
  std::string told;
  for (const auto& one : errors) told += to_string(one) + "\n";
  return told;
}

TEST(MongoFilter, APlaceholderIsDataAndNeverCodeOrAPattern) {
  for (const char* good :
       {R"({"username":"${username}"})", R"({"$or":[{"u":"${username}"},{"u":{"$in":["${clientid}","x"]}}]})",
        R"({"u":{"$regex":"^a"},"v":"${username}"})", R"({"$where":"this.a == 1"})",
        R"({"$expr":{"$eq":["$pin",{"$toInt":"${password}"}]}})",
        R"({"$expr":{"$regexMatch":{"input":"${username}","regex":"^a"}}})", R"({"u":{"$regex":"^${$}"}})"})
    EXPECT_EQ(trouble(good), "") << good;
  for (const auto& [bad, key] :
       {std::pair{R"({"$where":"this.u == '${username}'"})", "$where"},
        {R"({"username":{"$regex":"^${username}$"}})", "$regex"},
        {R"({"$and":[{"u":{"$not":{"$regex":"${clientid}"}}}]})", "$regex"},
        {R"({"$expr":{"$function":{"body":"function(a) { return a }","args":["${username}"],"lang":"js"}}})",
         "$function"},
        {R"({"$expr":{"$accumulator":{"init":"${username}"}}})", "$accumulator"},
        {R"({"$expr":{"$regexMatch":{"input":"$u","regex":"${username}"}}})", "$regexMatch"}}) {
    const std::string told = trouble(bad);
    EXPECT_NE(told.find("filter"), std::string::npos) << bad;
    EXPECT_NE(told.find(std::string("no placeholder below ") + key), std::string::npos) << told;
    EXPECT_NE(told.find("${"), std::string::npos) << told;
  }
}

}  // namespace
}  // namespace sb::access::authn
