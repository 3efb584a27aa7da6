#include "broker/session_set.h"

#include "broker/testing/module_fixture.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace sb::broker {
namespace {

class SessionSetTest : public module_fixture::ModuleTest {};

TEST_F(SessionSetTest, KeepsPlacesWithoutHolesAsSessionsComeAndGo) {
  std::mt19937 random(7);
  module_fixture::Receiver sink;
  std::set<std::string> expected;
  for (int step = 0; step < 4000; ++step) {
    const std::string id = "c" + std::to_string(random() % 200);
    if (random() % 3 == 0 && expected.erase(id)) {
      EXPECT_TRUE(broker.kick(id, EndReason::Kicked));
    } else {
      connect(id, sink);
      expected.insert(id);
    }
    ASSERT_EQ(broker.session_count(), expected.size());
    std::set<std::string> seen;
    for (const Session* session : broker.sessions()) {
      EXPECT_EQ(broker.find(session->client_id()), session);
      seen.emplace(session->client_id());
    }
    ASSERT_EQ(seen, expected);
  }
  EXPECT_EQ(broker.find("nobody"), nullptr);
}

}  // namespace
}  // namespace sb::broker
