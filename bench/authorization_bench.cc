// What authorization costs a PUBLISH: a verdict that the connection has kept, and one that the sources are asked for.
// The budget of a kept one is 10 ns (docs/performance.md).
#include "access/access_control.h"
#include "access/acl.h"
#include "client/client.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace {

using namespace sb;

struct Node {
  explicit Node(std::size_t topics) : reclaimer(1), core(broker::make_router({}, reclaimer), reclaimer, 1) {
    core.join(broker);
    access::Policy policy;
    std::string rules;
    for (int i = 0; i < 20; ++i) rules += fmt::format("{{deny, {{clientid, \"c{}\"}}, all, [\"no/{}/#\"]}}.\n", i, i);
    rules += "{allow, all, all, [\"bench/#\"]}.\n";
    policy.allow_no_match = false;
    policy.sources.push_back(access::file_source(*access::Acl::parse(rules)));
    control.set_policy(std::make_shared<const access::Policy>(policy));
    gate = std::make_unique<access::NodeGate>(control.bans(), failures, broker, control.policy());
    context = std::make_unique<client::ShardContext>(broker, io, *gate);
    auto listener = std::make_shared<client::ListenerSettings>();
    listener->zone = std::make_shared<const client::ZoneSettings>();
    one = std::make_unique<client::Client>(*context, listener, net::Endpoint{});
    client::ConnectInfo info;
    info.client_id = "device-0042";
    info.username = "joe";
    one->set_info(std::move(info));
    for (std::size_t i = 0; i < topics; ++i) names.push_back(fmt::format("bench/device/0042/state/{}", i));
  }

  SystemClock clock;
  runtime::Reclaimer reclaimer;
  broker::Core core;
  runtime::Loop loop{clock, runtime::Loop::Options{}};
  net::ShardIo io{loop};
  broker::Broker broker{core, 0, loop, std::make_shared<const broker::CoreSettings>()};
  access::FailureLimiter failures;
  access::AccessControl control{core, clock, std::make_shared<const access::Policy>()};
  std::unique_ptr<access::NodeGate> gate;
  std::unique_ptr<client::ShardContext> context;
  std::unique_ptr<client::Client> one;
  std::vector<std::string> names;
};

/// As mqtt::Channel asks for a PUBLISH.
access::Verdict ask(client::Client& client, const access::Action& action, const std::function<void()>& resume) {
  if (const auto kept = client.kept_verdict(action); kept != access::Verdict::Pending) return kept;
  return client.authorize(action, resume);
}

void ask(Node& node, benchmark::State& state, bool forget) {
  const std::function<void()> resume = [] {};
  std::size_t next = 0;
  for (auto _ : state) {
    if (forget) node.gate->clear_cache();
    const std::string& topic = node.names[next];
    next = next + 1 == node.names.size() ? 0 : next + 1;
    const auto verdict = ask(*node.one, {access::ActionKind::Publish, topic, Qos::AtLeastOnce, false}, resume);
    if (verdict != access::Verdict::Allow) state.SkipWithError("denied");
  }
}

/// So many topics by turns; the cache holds 32.
void AuthorizeKept(benchmark::State& state) {
  Node node(static_cast<std::size_t>(state.range(0)));
  ask(node, state, false);
}
BENCHMARK(AuthorizeKept)->Arg(1)->Arg(4)->Arg(32);

/// Through 20 rules of a file to the one that fits.
void AuthorizeAsked(benchmark::State& state) {
  Node node(1);
  ask(node, state, true);
}
BENCHMARK(AuthorizeAsked);

}  // namespace

BENCHMARK_MAIN();
