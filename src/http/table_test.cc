#include "http/table.h"

#include "http/refused_change.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <gtest/gtest.h>

namespace sb::http {
namespace {

class TableTest : public testing::Test {
 protected:
  TableTest() {
    table.add({Method::Get,
               "/things",
               "Things",
               Access::Viewer,
               "List",
               with_paging({query_parameter("kind", schema::choice({"a", "b"}), "Kind")}),
               {},
               false,
               {ok(page_of(schema::open_object()))},
               false,
               [](const Call& call, const Reply& reply) { reply(Response::of(call.parameters)); }});
    table.add({Method::Get,
               "/things/{id}",
               "Things",
               Access::Viewer,
               "One",
               {path_parameter("id", "Id")},
               {},
               false,
               {ok(schema::open_object()), fault(404, "None")},
               false,
               [](const Call& call, const Reply& reply) { reply(Response::text("one " + call.text("id"))); }});
    table.add({Method::Get,
               "/things/special",
               "Things",
               Access::Viewer,
               "The special one",
               {},
               {},
               false,
               {},
               true,
               [](const Call&, const Reply& reply) { reply(Response::text("special")); }});
    table.add({Method::Post,
               "/things",
               "Things",
               Access::Administrator,
               "Make",
               {},
               schema::object({{"topic", schema::string(1, 10), true, "Topic"},
                               {"qos", schema::integer(0, 2), false, "QoS", 1},
                               {"flag", schema::boolean()},
                               {"tags", schema::array(schema::string(1, 5), 3)}}),
               false,
               {ok(schema::open_object())},
               false,
               [](const Call& call, const Reply& reply) { reply(Response::of(call.body, 201)); }});
  }
  Response ask(std::string method, std::string path, std::string query = {}, std::string body = {},
               std::string content_type = "application/json") {
    Request request;
    request.content_type = std::move(content_type);
    request.method = std::move(method);
    request.path = std::move(path);
    request.query = std::move(query);
    request.body = std::move(body);
    Response out;
    int replies = 0;
    table.handle(std::move(request), [&](Response response) {
      out = std::move(response);
      ++replies;
    });
    EXPECT_EQ(replies, 1);
    return out;
  }
  static std::string header(const Response& response, std::string_view name) {
    std::string out;
    for (const auto& [known, value] : response.headers)
      if (known == name) out += value;
    return out;
  }
  /// The complaint objects inside a 400's message.
  json::value complaints(const Response& response) {
    EXPECT_EQ(response.status, 400U);
    const auto error = json::parse(response.body);
    EXPECT_EQ(error.at("code").as_string(), "BAD_REQUEST");
    return json::parse(std::string_view(error.at("message").as_string()));
  }
  ManualClock clock;
  Table table{clock};
};

TEST_F(TableTest, RoutesByPathAndPrefersLiterals) {
  EXPECT_EQ(ask("GET", "/things/special").body, "special");
  EXPECT_EQ(ask("GET", "/things/x%2Fy%20z").body, "one x/y z");
  EXPECT_EQ(ask("GET", "/things/a+b").body, "one a+b");  // a plus is a plus in a path
  EXPECT_EQ(ask("GET", "/nothing").status, 404U);
  EXPECT_EQ(ask("GET", "/things/").status, 404U);
  EXPECT_EQ(ask("GET", "/things/a/b").status, 404U);
  EXPECT_EQ(ask("GET", "").status, 404U);
}

TEST_F(TableTest, AnUnknownMethodIsToldWhatThereIs) {
  const Response response = ask("DELETE", "/things");
  EXPECT_EQ(response.status, 405U);
  EXPECT_EQ(header(response, "allow"), "GET, POST");
  EXPECT_EQ(ask("HEAD", "/things").status, 405U);
}

TEST_F(TableTest, AnswersAreNeitherKeptNorGuessedAt) {
  for (const Response& response : {ask("GET", "/things"), ask("GET", "/nothing"), ask("DELETE", "/things"),
                                   ask("GET", "/things", "limit=20000")}) {
    EXPECT_EQ(header(response, "cache-control"), "no-store");
    EXPECT_EQ(header(response, "x-content-type-options"), "nosniff");
  }
}

TEST_F(TableTest, AnEndpointMayTakeAnyMethod) {
  Endpoint any;
  any.path = "/any";
  any.any_method = true;
  any.handler = [](const Call&, const Reply& reply) { reply(Response::text("here")); };
  table.add(std::move(any));
  for (const char* method : {"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND"})
    EXPECT_EQ(ask(method, "/any").body, "here") << method;
}

TEST_F(TableTest, QueryParametersAreTypedAndHaveDefaults) {
  EXPECT_EQ(ask("GET", "/things").body, R"({"page":1,"limit":100})");
  EXPECT_EQ(ask("GET", "/things", "page=3&limit=7&limit=8&other=x&kind=b").body, R"({"page":3,"limit":8,"kind":"b"})");
}

TEST_F(TableTest, ABadParameterIsNamedWithValueAndExpectation) {
  const auto one = complaints(ask("GET", "/things", "limit=20000"));
  EXPECT_EQ(one.at("path").as_string(), "root.limit");
  EXPECT_EQ(one.at("reason").as_string(), "out_of_range");
  EXPECT_EQ(one.at("expected").as_string(), "integer 1..10000");
  EXPECT_EQ(one.at("value").as_string(), "20000");
  EXPECT_EQ(complaints(ask("GET", "/things", "page=0")).at("reason").as_string(), "out_of_range");
  EXPECT_EQ(complaints(ask("GET", "/things", "page=x")).at("reason").as_string(), "bad_type");
  EXPECT_EQ(complaints(ask("GET", "/things", "kind=c")).at("expected").as_string(), "one of: a, b");
  EXPECT_EQ(complaints(ask("GET", "/things", "kind=c&page=0")).as_array().size(), 2U);
  EXPECT_EQ(ask("GET", "/things", "kind=%zz").status, 400U);
  EXPECT_EQ(ask("GET", "/things/%0").status, 400U);
  EXPECT_EQ(ask("GET", "/things/%00").status, 400U);
}

TEST_F(TableTest, BodiesAreCheckedFilledInAndConverted) {
  EXPECT_EQ(ask("POST", "/things", {}, R"({"topic":"t","flag":"true","qos":"2"})").body,
            R"({"topic":"t","flag":true,"qos":2})");
  EXPECT_EQ(ask("POST", "/things", {}, R"({"topic":5})").body, R"({"topic":"5","qos":1})");
  EXPECT_EQ(ask("POST", "/things", {}, R"({"topic":"t","tags":null})").body, R"({"topic":"t","qos":1})");
}

TEST_F(TableTest, BadBodiesAreRefusedFieldByField) {
  struct Case {
    const char* body;
    const char* path;
    const char* reason;
  };
  const Case cases[] = {
      {"{}", "root.topic", "required_field"},
      {"", "root.topic", "required_field"},
      {R"({"topic":null})", "root.topic", "bad_type"},
      {R"({"topic":""})", "root.topic", "bad_length"},
      {R"({"topic":"12345678901"})", "root.topic", "bad_length"},
      {R"({"topic":"t","qos":3})", "root.qos", "out_of_range"},
      {R"({"topic":"t","qos":1.5})", "root.qos", "bad_type"},
      {R"({"topic":"t","qos":-1})", "root.qos", "out_of_range"},
      {R"({"topic":"t","qos":18446744073709551615})", "root.qos", "bad_type"},
      {R"({"topic":"t","flag":1})", "root.flag", "bad_type"},
      {R"({"topic":"t","tags":["a","b","c","d"]})", "root.tags", "bad_length"},
      {R"({"topic":"t","tags":["a",""]})", "root.tags.2", "bad_length"},
      {R"({"topic":"t","more":1})", "root.more", "unknown_fields"},
      {"[]", "root", "bad_value_for_struct"},
      {"7", "root", "bad_value_for_struct"},
  };
  for (const Case& one : cases) {
    const auto complaint = complaints(ask("POST", "/things", {}, one.body));
    ASSERT_TRUE(complaint.is_object()) << one.body;
    EXPECT_EQ(complaint.at("path").as_string(), one.path) << one.body;
    EXPECT_EQ(complaint.at("reason").as_string(), one.reason) << one.body;
  }
  EXPECT_NE(ask("POST", "/things", {}, "{\"topic\":").body.find("Invalid json"), std::string::npos);
  EXPECT_EQ(ask("POST", "/things", {}, std::string(1000, '[')).status, 400U);  // too deep
}

TEST(RefusedChange, MistakesAreToldFromTheBodyOn) {
  const auto message = [](const config::ConfigStore::Refusal& refusal, const RefusedBody& body, const char* code) {
    const Response answer = refused_change(refusal, body);
    const json::value error = json::parse(answer.body);
    EXPECT_EQ(answer.status, 400U);
    EXPECT_EQ(error.at("code").as_string(), code);
    return std::string(error.at("message").as_string());
  };
  config::ConfigStore::Refusal refusal{.code = "UPDATE_FAILED", .message = "no disk"};
  EXPECT_EQ(message(refusal, {.at = "retainer"}, "BAD_REQUEST"), "no disk");
  EXPECT_EQ(message(refusal, {.at = "retainer", .other = refusal.code}, "UPDATE_FAILED"), "no disk");
  const auto add = [&](std::string path, std::string value, std::string expected) {
    refusal.problems.add({.file = "/etc/emqx.conf",
                          .line = 7,
                          .path = std::move(path),
                          .reason = "bad",
                          .value = std::move(value),
                          .expected = std::move(expected)});
  };
  add("retainer.backend.type", "5", "text");
  EXPECT_EQ(message(refusal, {.at = "retainer", .other = refusal.code}, "BAD_REQUEST"),
            R"({"kind":"validation_error","path":"root.backend.type","reason":"bad","value":5,"expected":"text"})");
  EXPECT_EQ(json::parse(message(refusal, {.code = "UPDATE_FAILED"}, "UPDATE_FAILED")).at("path").as_string(),
            "root.retainer.backend.type");
  add("retainer", "******", "");
  add("retainer_more.a", R"("5")", "");
  add("mqtt.max_inflight", R"("cut...)", "");
  const json::value all = json::parse(message(refusal, {.at = "retainer"}, "BAD_REQUEST"));
  ASSERT_EQ(all.as_array().size(), 4U);
  EXPECT_EQ(json::serialize(all.at(1)), R"({"kind":"validation_error","path":"root","reason":"bad","value":"******"})");
  EXPECT_EQ(all.at(2).at("path").as_string(), "retainer_more.a") << "not of the body";
  EXPECT_EQ(all.at(2).at("value").as_string(), "5");
  EXPECT_EQ(all.at(3).at("path").as_string(), "mqtt.max_inflight");
  EXPECT_EQ(all.at(3).at("value").as_string(), R"("cut...)");
  add("retainer", "******", "");
  EXPECT_EQ(json::parse(message(refusal, {.at = "retainer"}, "BAD_REQUEST")).as_array().size(), 4U) << "told already";
  for (int i = 0; i < 30; ++i) add("retainer.x" + std::to_string(i), "", "");
  EXPECT_EQ(json::parse(message(refusal, {.at = "retainer"}, "BAD_REQUEST")).as_array().size(), kComplaintsMax);
}

TEST(RefusedChange, WhatCannotChangeIsNoMistake) {
  config::ConfigStore::Refusal refusal{.code = "UPDATE_FAILED", .message = ""};
  refusal.problems.add({.file = {},
                        .line = 0,
                        .path = "dashboard.i18n_lang",
                        .reason = "read_only",
                        .value = "zh",
                        .expected = "no change while the node runs"});
  const json::value error = json::parse(refused_change(refusal, {.at = "dashboard", .other = refusal.code}).body);
  EXPECT_EQ(error.at("code").as_string(), "UPDATE_FAILED");
  EXPECT_EQ(error.at("message").as_string(),
            "dashboard.i18n_lang = zh: expected no change while the node runs (read_only)");
}

TEST(Schema, ComplaintsShowNoSecret) {
  const Schema account =
      schema::object({{"user", schema::string(1, 5), true, ""}, {"password", schema::string(4, 8), true, ""}});
  for (const char* body : {R"({"user":"joe","password":"hush-hush"})", R"({"user":"joe","password":["hush"]})",
                           R"({"user":{"password":"hush"},"password":"1234"})", R"(["hush"])"}) {
    json::value value = json::parse(body);
    std::vector<Complaint> complaints;
    check(account, value, {}, complaints);
    const std::string said = refusal(complaints).body;
    EXPECT_EQ(said.find("hush"), std::string::npos) << said;
    EXPECT_NE(said.find("validation_error"), std::string::npos) << said;
  }
  json::value value = json::parse(R"({"user":"too long","password":"1234"})");
  std::vector<Complaint> complaints;
  check(account, value, {}, complaints);
  EXPECT_NE(refusal(complaints).body.find("too long"), std::string::npos) << "others are shown";
}

TEST_F(TableTest, ABodyMustSayThatItIsJson) {
  const std::string body = R"({"topic":"t"})";
  for (const char* type : {"application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"})
    EXPECT_EQ(ask("POST", "/things", {}, body, type).status, 201U) << type;
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                           "text/json", "application/jsonp"}) {
    const Response refused = ask("POST", "/things", {}, body, type);
    EXPECT_EQ(refused.status, 400U) << type;
    EXPECT_NE(refused.body.find("content-type"), std::string::npos) << type;
  }
}

TEST_F(TableTest, ComplaintsAreBounded) {
  std::string body = "{";
  for (int i = 0; i < 1000; ++i) body += fmt::format("\"f{}\":1,", i);
  body += "\"topic\":\"t\"}";
  EXPECT_EQ(complaints(ask("POST", "/things", {}, body)).as_array().size(), kComplaintsMax);
}

TEST_F(TableTest, TheGateComesBeforeTheBody) {
  table.set_gate([](Request&, const Endpoint& endpoint, const Table::Raw&) -> std::optional<Response> {
    if (endpoint.access == Access::Administrator) return Response::error(403, "UNAUTHORIZED_ROLE", "no");
    return std::nullopt;
  });
  EXPECT_EQ(ask("POST", "/things", {}, "nonsense").status, 403U);
  EXPECT_EQ(ask("GET", "/things").status, 200U);
  EXPECT_EQ(ask("DELETE", "/things").status, 405U);  // method first
}

TEST_F(TableTest, ChangesAreAuditedReadsAreNot) {
  std::vector<std::pair<std::string, unsigned>> seen;
  table.set_audit([&](const Audited& audited) { seen.emplace_back(audited.endpoint.path, audited.response.status); });
  ask("GET", "/things");
  ask("POST", "/things", {}, R"({"topic":"t"})");
  ask("POST", "/things", {}, "{}");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0], std::pair(std::string("/things"), 201U));
  EXPECT_EQ(seen[1].second, 400U);
}

TEST_F(TableTest, AChangeIsAnsweredWhenItIsKept) {
  unsigned status = 204;
  table.add(kept({Method::Delete,
                  "/kept",
                  "Things",
                  Access::Administrator,
                  "Delete",
                  {},
                  {},
                  false,
                  {no_content()},
                  false,
                  [&](const Call&, const Reply& reply) { reply(Response::empty(status)); }}));
  EXPECT_EQ(ask("DELETE", "/kept").status, 204U) << "nothing keeps";
  std::function<void(bool)> waiting;
  table.set_keeper([&](std::function<void(bool)> then) { waiting = std::move(then); });
  unsigned answered = 0;
  const auto go = [&] {
    Request request;
    request.method = "DELETE";
    request.path = "/kept";
    answered = 0;
    table.handle(std::move(request), [&](const Response& response) { answered = response.status; });
  };
  go();
  EXPECT_EQ(answered, 0U);
  waiting(true);
  EXPECT_EQ(answered, 204U);
  go();
  waiting(false);
  EXPECT_EQ(answered, 503U) << "the disk takes nothing";
  status = 404;
  go();
  EXPECT_EQ(answered, 404U) << "nothing was changed";
  bool documented = false;
  const json::value document = table.openapi();
  for (const auto& [code, answer] : document.at("paths").at("/kept").at("delete").at("responses").as_object())
    documented = documented || code == "503";
  EXPECT_TRUE(documented);
}

TEST_F(TableTest, OfTwoChangesMadeFromTheSameStateOneHolds) {
  int value = 1;
  std::deque<Reply> asked;  // the state is read elsewhere: answers come later
  table.add({Method::Get,
             "/late",
             "Things",
             Access::Viewer,
             "Read",
             {},
             {},
             false,
             {ok(schema::open_object())},
             false,
             [&](const Call&, const Reply& reply) { asked.push_back(reply); }});
  table.add({Method::Put,
             "/late",
             "Things",
             Access::Administrator,
             "Write",
             {},
             {},
             false,
             {ok(schema::open_object())},
             false,
             [&](const Call&, const Reply& reply) {
               reply(Response::of(json::object{{"value", ++value}}));
             }});
  const auto answer_one = [&] {
    const Reply reply = asked.front();
    asked.pop_front();
    reply(Response::of(json::object{{"value", value}}));
  };
  std::string etag;
  Request get;
  get.method = "GET";
  get.path = "/late";
  table.handle(get, [&](const Response& response) {
    for (const auto& [name, text] : response.headers)
      if (name == "etag") etag = text;
  });
  answer_one();
  ASSERT_FALSE(etag.empty());
  std::vector<unsigned> answers;
  for (int i = 0; i < 3; ++i) {
    Request put;
    put.method = "PUT";
    put.path = "/late";
    put.headers.emplace_back("if-match", etag);
    table.handle(put, [&](const Response& response) { answers.push_back(response.status); });
  }
  while (!asked.empty()) answer_one();
  EXPECT_EQ(answers, (std::vector<unsigned>{200, 412, 412}));
  EXPECT_EQ(value, 2);
}

TEST_F(TableTest, TheOpenApiDocumentSaysWhatTheTableChecks) {
  const json::value document = json::parse(json::serialize(table.openapi()));
  EXPECT_EQ(document.at("openapi").as_string(), "3.0.3");
  const auto& paths = document.at("paths").as_object();
  ASSERT_EQ(paths.size(), 2U);  // the hidden one is not there
  const auto& list = paths.at("/things").at("get");
  EXPECT_EQ(list.at("parameters").at(1).at("name").as_string(), "limit");
  EXPECT_EQ(list.at("parameters").at(1).at("schema").at("maximum").as_int64(), 10000);
  EXPECT_EQ(list.at("parameters").at(1).at("schema").at("default").as_int64(), 100);
  const auto& one = paths.at("/things/{id}").at("get");
  EXPECT_EQ(one.at("parameters").at(0).at("in").as_string(), "path");
  EXPECT_TRUE(one.at("parameters").at(0).at("required").as_bool());
  const auto& body = paths.at("/things").at("post").at("requestBody").at("content").at("application/json").at("schema");
  EXPECT_EQ(body.at("required").at(0).as_string(), "topic");
  EXPECT_EQ(body.at("properties").at("qos").at("maximum").as_int64(), 2);
  EXPECT_FALSE(body.at("additionalProperties").as_bool());
  // Every operation has responses, and every path parameter is declared (OpenAPI 3.0.3, 4.7.9 and 4.7.10).
  for (const auto& [path, operations] : paths)
    for (const auto& [method, operation] : operations.as_object())
      EXPECT_FALSE(operation.at("responses").as_object().empty());
  // What the table itself answers is there as well.
  const auto& answers = paths.at("/things").at("post").at("responses").as_object();
  for (const char* status : {"400", "401", "403", "413", "431"}) {
    ASSERT_TRUE(answers.contains(status)) << status;
    const auto name =
        answers.at(status).at("$ref").as_string().subview(std::string_view("#/components/responses/").size());
    EXPECT_TRUE(document.at("components").at("responses").as_object().contains(name)) << name;
  }
}

}  // namespace
}  // namespace sb::http
