#include "plugins/module/log_trace/log_trace.h"

#include "broker/testing/module_fixture.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace sb::plugins::module::log_trace {
namespace {

using namespace module_fixture;

using namespace std::chrono_literals;

class LogTraceTest : public ModuleTest {
 protected:
  LogTraceTest() {
    char name[] = "/tmp/log_trace_test_XXXXXX";
    context.data_dir = mkdtemp(name);
    module = std::make_unique<LogTrace>(context);
    module->join(broker);
  }
  ~LogTraceTest() override {
    module.reset();
    std::filesystem::remove_all(context.data_dir);
  }
  void create(const std::string& name, Kind kind, const std::string& value) {
    const auto made = module->create({name, kind, value});
    ASSERT_TRUE(made) << made.error().what;
    turn();
  }
  std::string text(const std::string& name) {
    module->flush();
    for (const TraceInfo& info : module->list()) {
      if (info.trace.name != name) continue;
      std::ifstream in(info.file);
      std::stringstream out;
      out << in.rdbuf();
      return out.str();
    }
    return "no such trace";
  }
  void packet(const std::string& id, std::string_view peer, std::string_view what, std::string_view topic = {},
              std::optional<ByteView> payload = {}) {
    const auto who = identity(id);
    broker.hooks().packet.run(broker::PacketEvent{who.get(), peer, true, what, topic, payload});
  }
  std::unique_ptr<LogTrace> module;
};

TEST_F(LogTraceTest, CostsNothingUntilSomebodyTraces) {
  EXPECT_TRUE(broker.hooks().packet.empty());
  create("t1", Kind::ClientId, "c1");
  EXPECT_FALSE(broker.hooks().packet.empty());
  ASSERT_TRUE(module->stop_trace("t1"));
  turn();
  EXPECT_TRUE(broker.hooks().packet.empty());
  EXPECT_TRUE(broker.hooks().message_publish.empty());
}

TEST_F(LogTraceTest, FollowsAClientAnAddressAndATopic) {
  create("client", Kind::ClientId, "c1");
  create("address", Kind::IpAddress, "10.0.");
  create("topic", Kind::Topic, "a/+");
  packet("c1", "10.0.0.1:99", "PINGREQ(2 bytes)");
  packet("c2", "10.1.0.1:99", "PINGREQ(2 bytes)");
  const std::string payload = "hello";
  packet("c2", "10.1.0.1:99", "PUBLISH(Q0, R0, D0, Topic=a/b, PacketId=undefined)", "a/b", as_bytes(payload));
  EXPECT_NE(text("client").find(" [MQTT] c1@10.0.0.1:99 msg: mqtt_packet_received, packet: PINGREQ(2 bytes)\n"),
            std::string::npos)
      << text("client");
  EXPECT_EQ(text("client").find("c2"), std::string::npos);
  EXPECT_NE(text("address").find("c1@10.0.0.1:99"), std::string::npos);
  EXPECT_EQ(text("address").find("c2@"), std::string::npos);
  EXPECT_NE(text("topic").find("PacketId=undefined), payload: hello\n"), std::string::npos);
  EXPECT_EQ(text("topic").find("PINGREQ"), std::string::npos);
}

TEST_F(LogTraceTest, TellsPublishesAndFiltersButNotSys) {
  create("client", Kind::ClientId, "c1");
  Receiver sink;
  broker::Session& session = connect("c1", sink);
  subscribe(session, "$share/g/x/#");
  subscribe(session, "$SYS/#");
  publish("x/y", std::string(2000, 'z'), Qos::AtMostOnce, session.identity());
  broker.unsubscribe(session, "$share/g/x/#");
  const std::string lines = text("client");
  EXPECT_NE(lines.find("[SUBSCRIBE] c1@10.0.0.1 msg: subscribe, topic: $share/g/x/#\n"), std::string::npos) << lines;
  EXPECT_NE(lines.find("[PUBLISH] c1@10.0.0.1 msg: publish_to, topic: x/y, payload: " + std::string(100, 'z') +
                       "... (The total length of the payload is 2000 bytes)\n"),
            std::string::npos);
  EXPECT_NE(lines.find("[UNSUBSCRIBE] c1@"), std::string::npos);
  EXPECT_EQ(lines.find("$SYS"), std::string::npos);
}

TEST_F(LogTraceTest, WhatAClientSendsCannotForgeALine) {
  create("address", Kind::IpAddress, "10.0.");
  const std::string payload = "x\n2026-01-01 [MQTT] c@10.0.0.1 msg: forged\r\t\x1b[2J\xc2\x9b\xe2\x80\xa8 \xc3\xa9";
  packet("c\n1", "10.0.0.1:99", "PUBLISH(Topic=a\nb)", "a\nb", as_bytes(payload));
  const auto who = identity("c\n1");
  publish("a\nb", payload, Qos::AtMostOnce, who);
  const std::string lines = text("address");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 2) << lines;
  EXPECT_NE(lines.find("c\\n1@10.0.0.1:99 msg: mqtt_packet_received, packet: PUBLISH(Topic=a\\nb), payload: x\\n2026"),
            std::string::npos)
      << lines;
  EXPECT_NE(
      lines.find("topic: a\\nb, payload: x\\n2026-01-01 [MQTT] c@10.0.0.1 msg: forged\\r\\t\\x1B[2J\\u009B\\u2028 "
                 "\xc3\xa9\n"),
      std::string::npos)
      << lines;
}

TEST_F(LogTraceTest, TellsSocketsAndWhatAccessControlSaid) {
  create("client", Kind::ClientId, "c1");
  create("topic", Kind::Topic, "a/+");
  const auto who = identity("c1");
  const auto tell = [&](std::string_view tag, std::string_view event, std::string_view details,
                        std::string_view topic = {}) {
    broker.hooks().trace.run({who.get(), "10.0.0.1:99", tag, event, details, topic});
  };
  tell("SOCKET", "socket_closed", "reason: normal");
  tell("AUTHN", "authentication_result", "result: success");
  tell("AUTHZ", "authorization_result", "action: subscribe, topic: a/#, result: deny", "a/#");
  tell("AUTHZ", "authorization_result", "action: subscribe, topic: $SYS/#, result: deny", "$SYS/#");
  EXPECT_NE(text("client").find(" [SOCKET] c1@10.0.0.1:99 msg: socket_closed, reason: normal\n"), std::string::npos);
  EXPECT_NE(text("client").find(" [AUTHN] c1@10.0.0.1:99 msg: authentication_result, result: success\n"),
            std::string::npos);
  EXPECT_EQ(text("client").find("$SYS"), std::string::npos);
  EXPECT_EQ(text("topic").find("SOCKET"), std::string::npos);
  packet("c1", "10.0.0.1:99", "x", "a/b");
  tell("AUTHZ", "authorization_result", "action: publish, topic: a/b, result: allow", "a/b");
  EXPECT_NE(text("topic").find(" [AUTHZ] c1@10.0.0.1:99 msg: authorization_result, action: publish, topic: a/b"),
            std::string::npos)
      << text("topic");
}

TEST_F(LogTraceTest, OutlivesTheNode) {
  create("runs", Kind::ClientId, "c1");
  create("was_stopped", Kind::Topic, "a/#");
  create("removed", Kind::IpAddress, "10.0.");
  Trace later{"later", Kind::ClientId, "c9"};
  later.start_ms = clock.wall_ms() + 60'000;
  ASSERT_TRUE(module->create(later));
  ASSERT_TRUE(module->stop_trace("was_stopped"));
  ASSERT_TRUE(module->remove("removed"));
  packet("c1", "p", "before");
  turn();
  module.reset();

  clock.advance(10s);
  module = std::make_unique<LogTrace>(context);
  module->join(broker);
  turn();
  std::map<std::string, Status> known;
  for (const TraceInfo& info : module->list()) known[info.trace.name] = info.status;
  const std::map<std::string, Status> wanted = {
      {"runs", Status::Running}, {"was_stopped", Status::Stopped}, {"later", Status::Waiting}};
  EXPECT_EQ(known, wanted);
  packet("c1", "p", "after");
  EXPECT_NE(text("runs").find("packet: before"), std::string::npos) << text("runs");
  EXPECT_NE(text("runs").find("packet: after"), std::string::npos) << text("runs");
}

TEST_F(LogTraceTest, ADamagedListIsNotTheEndOfTheNode) {
  module.reset();
  std::filesystem::create_directories(context.data_dir + "/trace");
  std::ofstream(context.data_dir + "/trace/traces.json")
      << "[ {name: \"../../evil\", type: clientid, value: c}, {name: t, type: colour}, 7, nonsense";
  module = std::make_unique<LogTrace>(context);
  module->join(broker);
  EXPECT_TRUE(module->list().empty());
  std::ofstream(context.data_dir + "/trace/traces.json")
      << "[ {name: \"../../evil\", type: clientid, value: c}, {name: t, type: colour}, 7 ]";
  module = std::make_unique<LogTrace>(context);
  module->join(broker);
  EXPECT_TRUE(module->list().empty());
}

TEST_F(LogTraceTest, StartsAndEndsByTheClock) {
  Trace later{"later", Kind::ClientId, "c1"};
  later.start_ms = clock.wall_ms() + 5000;
  later.end_ms = later.start_ms + 5000;
  ASSERT_TRUE(module->create(later));
  turn();
  EXPECT_EQ(module->list()[0].status, Status::Waiting);
  EXPECT_TRUE(broker.hooks().packet.empty());
  clock.step_wall(-1h);
  advance(6s);
  turn();
  EXPECT_EQ(module->list()[0].status, Status::Running);
  packet("c1", "p", "one");
  advance(6s);
  turn();
  EXPECT_EQ(module->list()[0].status, Status::Stopped);
  EXPECT_TRUE(broker.hooks().packet.empty());
  EXPECT_NE(text("later").find("packet: one"), std::string::npos);
}

TEST_F(LogTraceTest, AStartThatHasPassedIsNow) {  // management-api 2.16
  create("t", Kind::ClientId, "c");
  advance(3s);
  Trace early{"u", Kind::ClientId, "c"};
  early.start_ms = module->list()[0].trace.start_ms;  // of the other: only a start now would be the same
  ASSERT_TRUE(module->create(early));
  std::map<std::string, std::int64_t> starts;
  for (const TraceInfo& info : module->list()) starts[info.trace.name] = info.trace.start_ms;
  EXPECT_EQ(starts["u"], clock.wall_ms());
  EXPECT_EQ(module->create({"v", Kind::ClientId, "c"}).error().what, "DUPLICATE_CONDITION");
}

TEST_F(LogTraceTest, RefusesDuplicatesTooManyAndNonsense) {
  create("t", Kind::ClientId, "c");
  EXPECT_EQ(module->create({"t", Kind::ClientId, "d"}).error().what, "ALREADY_EXISTS");
  EXPECT_EQ(module->create({"u", Kind::ClientId, "c"}).error().what, "DUPLICATE_CONDITION");
  EXPECT_EQ(module->create({"../u", Kind::ClientId, "x"}).error().code, Errc::Invalid);
  for (const char* name : {"1x", "-x", "_x", ""})
    EXPECT_EQ(module->create({name, Kind::ClientId, "x"}).error().code, Errc::Invalid) << name;
  EXPECT_EQ(module->create({"u", Kind::Topic, "a/#/b"}).error().code, Errc::Invalid);
  Trace past{"past", Kind::ClientId, "x"};
  past.end_ms = clock.wall_ms() - 1;
  EXPECT_EQ(module->create(past).error().code, Errc::Invalid);
  for (int i = 1; i < 30; ++i)
    ASSERT_TRUE(module->create({"n" + std::to_string(i), Kind::ClientId, std::to_string(i)}));
  EXPECT_EQ(module->create({"more", Kind::ClientId, "more"}).error().what, "EXCEED_LIMIT");
  EXPECT_EQ(module->stop_trace("none").error().code, Errc::NotFound);
}

TEST_F(LogTraceTest, RemovingTakesTheFileAlong) {
  create("t", Kind::ClientId, "c");
  packet("c", "p", "one");
  module->flush();
  const std::string file = module->list()[0].file;
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_EQ(std::filesystem::path(file).filename().string().substr(0, 8), "trace_t_");
  EXPECT_GT(module->list()[0].bytes, 0U);
  ASSERT_TRUE(module->remove("t"));
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_TRUE(module->list().empty());
}

TEST(TraceWriter, StopsAtTheSizeOfTheFileAndCounts) {
  char name[] = "/tmp/trace_writer_test_XXXXXX";
  const int fd = mkstemp(name);
  ASSERT_GE(fd, 0);
  TraceWriter writer(10);
  auto file = writer.open(name);
  ASSERT_TRUE(file);
  writer.append(*file, "12345678\n");
  writer.append(*file, "next\n");
  writer.flush();
  EXPECT_EQ(writer.dropped(), 1U);
  EXPECT_EQ(std::filesystem::file_size(name), 9U);
  EXPECT_FALSE(writer.open("/nonexistent/folder/file"));
  std::filesystem::remove(name);
}

TEST_F(LogTraceTest, WritesIntoAFileOfTheUsersChoiceAndLeavesIt) {
  const std::string file = context.data_dir + "/mine.log";
  Trace trace{"t1", Kind::ClientId, "c1"};
  trace.file = file;
  ASSERT_TRUE(module->create(trace));
  turn();
  packet("c1", "10.0.0.1:99", "PINGREQ(2 bytes)");
  EXPECT_NE(text("t1").find("PINGREQ"), std::string::npos);
  EXPECT_EQ(module->list().front().file, file);
  // A node that starts anew goes on in the same file.
  module.reset();
  module = std::make_unique<LogTrace>(context);
  EXPECT_EQ(module->list().front().file, file);
  ASSERT_TRUE(module->remove("t1"));
  EXPECT_TRUE(std::filesystem::exists(file));
  trace.file = "mine.log";
  EXPECT_FALSE(module->create(trace));  // relative to what?
  trace.file = "/no/such/folder/mine.log";
  EXPECT_FALSE(module->create(trace));
}

}  // namespace
}  // namespace sb::plugins::module::log_trace
