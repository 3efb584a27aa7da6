// Long random runs of the broker against the reference model. SB_SIM_SEEDS=n plays n seeds of each profile instead of a
// few, SB_SIM_FROM=s begins with seed s. What fails is told with its seed and with as few steps as show it.
#include "base/log.h"
#include "tests/sim/runner.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace sb::sim {

namespace {

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class Simulation : public testing::TestWithParam<Profile> {
 protected:
  Simulation() { log::set_threshold(log::Level::Alert); }
};

TEST_P(Simulation, DeliversWhatTheModelSays) {
  const Profile& profile = GetParam();
  const std::uint64_t first = from_environment("SB_SIM_FROM", 1);
  const std::uint64_t seeds = from_environment("SB_SIM_SEEDS", 6);
  std::uint64_t messages = 0;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    const std::vector<Step> steps = make_script(seed, profile);
    const Outcome outcome = run(profile, steps);
    messages += outcome.messages;
    if (outcome.wrong.empty()) continue;
    const std::vector<Step> fewer = shrink(profile, steps);
    std::string text;
    for (std::size_t i = 0; i < fewer.size(); ++i) text += fmt::format("  {:3} {}\n", i + 1, to_string(fewer[i]));
    FAIL() << profile.name << ", seed " << seed << ", step " << outcome.step << ": " << outcome.wrong << "\nshrunk to "
           << fewer.size() << " steps: " << run(profile, fewer).wrong << "\n"
           << text;
  }
  EXPECT_GT(messages, 100 * seeds) << "the steps exercise nothing";
}

std::vector<Profile> profiles() {
  std::vector<Profile> out;
  for (const unsigned shards : {1U, 3U}) {
    Profile plain{shards == 1 ? "Plain1" : "Plain3", shards};
    out.push_back(plain);
    Profile bounded{shards == 1 ? "BoundedQueue1" : "BoundedQueue3", shards};
    bounded.queue = 8;
    bounded.store_qos0 = false;
    out.push_back(bounded);
    Profile shared{shards == 1 ? "Shared1" : "Shared3", shards};
    shared.shared = true;
    shared.bursts = true;
    out.push_back(shared);
    Profile durable{shards == 1 ? "Durable1" : "Durable3", shards};
    durable.durable = true;
    durable.shared = true;
    durable.strategy = broker::SharedStrategy::HashTopic;
    durable.bursts = true;
    out.push_back(durable);
    Profile large{shards == 1 ? "PacketMaximum1" : "PacketMaximum3", shards};
    large.packet_maximum = true;
    large.shared = true;
    large.strategy = broker::SharedStrategy::HashClientId;
    large.bursts = true;
    out.push_back(large);
  }
  return out;
}

INSTANTIATE_TEST_SUITE_P(All, Simulation, testing::ValuesIn(profiles()),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace

}  // namespace sb::sim
