// Loads a broker, kills it at a random moment, starts it again on the same data folder and checks what it kept; many
// rounds in one process, which remembers the truth. Prints one line a round, exits with 1 at the first broken promise.
//   crash_client PROGRAM FOLDER ROUNDS SEED SHARDS DURABILITY     SHARDS: "1", "2" or "1,2" (changes between rounds)
#include "tests/crash/actors.h"
#include "tests/crash/process.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>

namespace sb::crash {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

struct Plan {
  std::string program, folder, durability;
  unsigned rounds = 20;
  std::uint64_t seed = 1;
  std::vector<unsigned> shards;
};

class Test {
 public:
  explicit Test(Plan plan) : plan_(std::move(plan)), process_(plan_.program, plan_.folder), random_(plan_.seed) {
    cast();
  }
  int run();

 private:
  static constexpr unsigned kPublishers = 4;
  struct Audience {
    std::string name;
    Arrivals arrivals;
    std::vector<Receiver*> members;
    bool stays_offline = false;  // under load
    bool ends_sessions = false;
  };

  void cast();
  Audience& audience(std::string name, Arrivals::Rules rules, std::string filter, unsigned members);
  bool start(unsigned round);
  bool connect_all();
  bool verify();
  bool verify_retained();
  bool verify_subscriptions();
  bool verify_wills();
  void load(milliseconds time);
  void mischief();
  std::uint64_t complete(std::string* what);
  void settle();
  bool until(const std::function<bool()>& done, milliseconds limit, const char* what);
  void turn(milliseconds time);
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  bool broken();

  Plan plan_;
  Process process_;
  std::mt19937_64 random_;
  Reactor reactor_;
  Streams streams_;
  std::vector<std::unique_ptr<Publisher>> publishers_;
  std::vector<std::unique_ptr<Receiver>> receivers_;
  std::vector<std::unique_ptr<Audience>> audiences_;
  std::unique_ptr<Watcher> will_watcher_;
  std::unique_ptr<Fickle> fickle_;
  std::vector<std::unique_ptr<Peer>> mortals_;
  std::set<std::string> wills_owed_, wills_forbidden_;
  std::vector<std::pair<std::string, Clock::time_point>> goodbyes_;
  unsigned lives_ = 0;
  std::uint64_t probes_ = 0;
};

void Test::cast() {
  for (unsigned p = 0; p < kPublishers; ++p) {
    const Qos qos = p % 2 == 0 ? Qos::AtLeastOnce : Qos::ExactlyOnce;
    std::vector<std::uint32_t> own;
    for (unsigned t = 0; t < 2; ++t) {
      own.push_back(static_cast<std::uint32_t>(streams_.size()));
      streams_.push_back({"d/" + std::to_string(p) + "/" + std::to_string(t), qos, false, 0, 0, {}});
    }
    own.push_back(static_cast<std::uint32_t>(streams_.size()));
    streams_.push_back({"r/" + std::to_string(p), qos, true, 0, 0, {}});
    Peer::Options options{"publisher" + std::to_string(p), p < 2 ? ProtocolVersion::V5 : ProtocolVersion::V311};
    publishers_.push_back(std::make_unique<Publisher>(reactor_, options, streams_, own, 20));
  }
  audience("q2", {Qos::ExactlyOnce, true}, "d/#", 1);
  audience("q2-plus", {Qos::ExactlyOnce, true}, "d/+/+", 1);
  audience("q1", {Qos::AtLeastOnce, true}, "d/#", 1);
  audience("offline-q2", {Qos::ExactlyOnce, true}, "d/#", 1).stays_offline = true;
  audience("offline-q1", {Qos::AtLeastOnce, true}, "d/#", 1).stays_offline = true;
  audience("shared-q2", {Qos::ExactlyOnce, false}, "$share/two/d/#", 3);
  audience("shared-q1", {Qos::AtLeastOnce, false}, "$share/one/d/#", 3).ends_sessions = true;
  will_watcher_ = std::make_unique<Watcher>(reactor_, Peer::Options{"watcher"}, "w/#");
  fickle_ = std::make_unique<Fickle>(reactor_, Peer::Options{"fickle", ProtocolVersion::V311});
}

Test::Audience& Test::audience(std::string name, Arrivals::Rules rules, std::string filter, unsigned members) {
  audiences_.push_back(std::make_unique<Audience>(Audience{name, Arrivals(streams_, rules), {}}));
  Audience& added = *audiences_.back();
  for (unsigned i = 0; i < members; ++i) {
    Peer::Options options{name + "-" + std::to_string(i),
                          (receivers_.size() + i) % 2 == 0 ? ProtocolVersion::V5 : ProtocolVersion::V311};
    if (name == "shared-q1") options.version = ProtocolVersion::V5;  // they end their sessions by DISCONNECT
    receivers_.push_back(std::make_unique<Receiver>(reactor_, options, filter, rules.qos, added.arrivals));
    added.members.push_back(receivers_.back().get());
  }
  return added;
}

bool Test::broken() {
  if (Peer::faults().empty()) return false;
  for (std::size_t i = 0; i < Peer::faults().size() && i < 10; ++i)
    std::printf("FAULT %s\n", Peer::faults()[i].c_str());
  std::printf("FAULTS %zu\n", Peer::faults().size());
  return true;
}

void Test::turn(milliseconds time) {
  const auto end = Clock::now() + time;
  do reactor_.turn(1);
  while (Clock::now() < end);
}

bool Test::until(const std::function<bool()>& done, milliseconds limit, const char* what) {
  const auto end = Clock::now() + limit;
  while (!done()) {
    reactor_.turn(2);
    if (!Peer::faults().empty()) return false;
    if (Clock::now() > end || !process_.running()) {
      Peer::faults().push_back(std::string(what) + (process_.running() ? ": not in time" : ": the broker ended"));
      return false;
    }
  }
  return true;
}

bool Test::start(unsigned round) {
  if (process_.start(plan_.shards[round % plan_.shards.size()], plan_.durability)) return true;
  Peer::faults().push_back("the broker does not start");
  return false;
}

bool Test::connect_all() {
  const std::uint16_t port = process_.port();
  bool good = will_watcher_->connect(port) && fickle_->connect(port);
  for (auto& one : receivers_) good = good && one->connect(port);
  for (auto& one : publishers_) good = good && one->connect(port);
  return good;
}

std::uint64_t Test::complete(std::string* what) {
  std::uint64_t missing = 0;
  for (auto& one : audiences_)
    for (std::uint32_t stream = 0; stream < streams_.size(); ++stream) {
      if (streams_[stream].retain) continue;
      std::uint32_t first = 0;
      const std::uint32_t here = one->arrivals.missing(stream, first);
      if (here > 0 && what)
        *what += "\n  " + one->name + " lacks " + std::to_string(here) + " of " + streams_[stream].topic + " from " +
                 std::to_string(first) + " of (" + std::to_string(streams_[stream].base) + ", " +
                 std::to_string(streams_[stream].last) + "]";
      missing += here;
    }
  return missing;
}

bool Test::verify() {
  for (auto& one : publishers_) one->run(false);
  const auto ready = [this] {
    bool all = will_watcher_->ready() && fickle_->online();
    for (auto& one : receivers_) all = all && one->ready();
    for (auto& one : publishers_) all = all && one->online() && one->drained();
    return all;
  };
  if (!until(ready, milliseconds(20000), "sessions resumed and publishers drained")) return false;
  auto news = Clock::now();
  std::uint64_t before = 0;
  // Gone is what does not come within two quiet seconds.
  while (complete(nullptr) > 0) {
    turn(milliseconds(10));
    std::uint64_t count = 0;
    for (auto& one : audiences_) count += one->arrivals.count();
    if (count != before) news = Clock::now();
    before = count;
    if (Clock::now() - news > milliseconds(2000) || !process_.running()) {
      std::string what = "lost:";
      complete(&what);
      Peer::faults().push_back(what);
      return false;
    }
    if (!Peer::faults().empty()) return false;
  }
  turn(milliseconds(30));  // what comes twice comes now
  return Peer::faults().empty() && verify_retained() && verify_subscriptions() && verify_wills();
}

bool Test::verify_retained() {
  Watcher fresh(reactor_, Peer::Options{"fresh", ProtocolVersion::V5, 0}, "r/#");
  fresh.connect(process_.port());
  if (!until([&] { return fresh.ready(); }, milliseconds(10000), "retained messages subscribed")) return false;
  std::size_t expected = 0;
  for (const Stream& stream : streams_) expected += stream.retain && stream.last != 0 && stream.last % 8 != 7;
  const auto end = Clock::now() + milliseconds(3000);
  while (fresh.got.size() < expected && Clock::now() < end) turn(milliseconds(2));
  turn(milliseconds(10));
  for (std::uint32_t i = 0; i < streams_.size(); ++i) {
    const Stream& stream = streams_[i];
    if (!stream.retain) continue;
    const bool none = stream.last == 0 || stream.last % 8 == 7;
    const auto got = fresh.got.find(stream.topic);
    std::string have = "nothing";
    Stamp stamp;
    if (got != fresh.got.end() && read_stamp(as_bytes(*got->second.begin()), stamp))
      have = std::to_string(stamp.number);
    if (have != (none ? "nothing" : std::to_string(stream.last)))
      Peer::faults().push_back("retained on " + stream.topic + " is " + have + ", last acknowledged is " +
                               std::to_string(stream.last));
  }
  fresh.disconnect();
  return Peer::faults().empty();
}

bool Test::verify_subscriptions() {
  Prober prober(reactor_, Peer::Options{"prober", ProtocolVersion::V5, 0});
  prober.connect(process_.port());
  if (!until([&] { return prober.online(); }, milliseconds(10000), "prober")) return false;
  const std::string probe = "probe" + std::to_string(++probes_);
  for (unsigned i = 0; i < Fickle::kTopics; ++i) {
    codec::mqtt::PublishHead head;
    const std::string topic = Fickle::topic_of(i);
    head.topic = topic;
    head.qos = Qos::AtLeastOnce;
    head.packet_id = static_cast<PacketId>(i + 1);
    head.payload_size = probe.size();
    prober.publish(head, as_bytes(probe));
  }
  if (!until([&] { return prober.acknowledged == Fickle::kTopics; }, milliseconds(10000), "probes")) return false;
  const auto arrived = [&] {
    bool all = true;
    for (unsigned i = 0; i < Fickle::kTopics; ++i)
      all = all && (fickle_->state[i] != Fickle::Is::On || fickle_->got[i].contains(probe));
    return all;
  };
  if (!until(arrived, milliseconds(3000), "a subscription is gone")) return false;
  turn(milliseconds(10));
  for (unsigned i = 0; i < Fickle::kTopics; ++i) {
    const bool got = fickle_->got[i].contains(probe);
    if (fickle_->state[i] == Fickle::Is::Off && got)
      Peer::faults().push_back("a subscription came back: " + Fickle::topic_of(i));
    fickle_->state[i] = got ? Fickle::Is::On : Fickle::Is::Off;
    fickle_->got[i].clear();
  }
  prober.disconnect();
  return Peer::faults().empty();
}

bool Test::verify_wills() {
  const auto& got = will_watcher_->got["w"];
  const auto all = [&] {
    for (const std::string& will : wills_owed_)
      if (!got.contains(will)) return false;
    return true;
  };
  if (!until(all, milliseconds(3000), "a will is missing")) {
    for (const std::string& will : wills_owed_)
      if (!got.contains(will)) Peer::faults().push_back("the will of " + will + " is missing");
    return false;
  }
  for (const std::string& will : wills_forbidden_)
    if (got.contains(will)) Peer::faults().push_back("a will although " + will + " said goodbye");
  wills_owed_.clear();
  wills_forbidden_.clear();
  will_watcher_->got.clear();
  return Peer::faults().empty();
}

void Test::settle() {
  for (Stream& stream : streams_) stream.base = stream.last;
  for (auto& one : audiences_) one->arrivals.settle();
}

void Test::mischief() {
  switch (below(12)) {
    case 0:
    case 1:
    case 2:
    case 3:
      fickle_->toggle(below(Fickle::kTopics));
      return;
    case 4:
    case 5: {  // a client with a will
      const std::string name = "mortal" + std::to_string(++lives_);
      codec::mqtt::WillView will;
      will.topic = "w";
      will.payload = as_bytes(name);
      will.qos = lives_ % 3 == 0 ? Qos::ExactlyOnce : Qos::AtLeastOnce;
      Peer::Options options{name, lives_ % 2 == 0 ? ProtocolVersion::V5 : ProtocolVersion::V311, 0};
      mortals_.push_back(std::make_unique<Peer>(reactor_, options));
      Peer& mortal = *mortals_.back();
      will.payload = as_bytes(mortal.id());
      mortal.options().will = will;
      mortal.connect(process_.port());
      return;
    }
    case 6: {
      if (mortals_.empty()) return;
      Peer& mortal = *mortals_[below(static_cast<unsigned>(mortals_.size()))];
      if (!mortal.online() || below(2) == 0) return;
      goodbyes_.emplace_back(mortal.id(), Clock::now());
      mortal.disconnect();
      return;
    }
    case 7: {  // a publisher loses its connection, or is taken over by itself
      Publisher& one = *publishers_[below(kPublishers)];
      if (below(2) == 0) one.lose();
      one.connect(process_.port());
      return;
    }
    case 8: {
      Audience& one = *audiences_.at(6);
      Receiver& member = *one.members[below(static_cast<unsigned>(one.members.size()))];
      if (!member.ready()) return;
      member.forget();
      member.disconnect(0U);
      member.connect(process_.port());
      return;
    }
    default: {
      Audience& one = *audiences_[below(static_cast<unsigned>(audiences_.size()))];
      if (one.stays_offline) return;
      Receiver& member = *one.members[below(static_cast<unsigned>(one.members.size()))];
      switch (below(3)) {
        case 0:
          member.lose();
          break;
        case 1:
          member.disconnect();
          break;
        default:
          break;
      }
      member.connect(process_.port());
    }
  }
}

void Test::load(milliseconds time) {
  for (auto& one : audiences_)
    if (one->stays_offline)
      for (Receiver* member : one->members) {
        if (below(2) == 0)
          member->lose();
        else
          member->disconnect();
      }
  for (auto& one : publishers_) one->run(true);
  const auto end = Clock::now() + time;
  while (Clock::now() < end) {
    turn(milliseconds(1 + below(8)));
    mischief();
  }
}

int Test::run() {
  std::uint64_t total = 0;
  for (unsigned round = 0; round < plan_.rounds; ++round) {
    const auto began = Clock::now();
    if (!start(round) || !connect_all()) return broken(), 1;
    const auto up = Clock::now();
    const bool early = round > 0 && below(4) == 0;  // killed while it resumes
    std::uint64_t sent = 0;
    if (early) {
      const auto end = Clock::now() + milliseconds(below(150));
      for (auto& one : publishers_) one->run(true);
      while (Clock::now() < end) turn(milliseconds(1));
    } else {
      if (!verify())
        return std::printf("round %u, %u shards\n", round, plan_.shards[round % plan_.shards.size()]), broken(), 1;
      settle();
      load(milliseconds(50 + below(700)));
    }
    const auto verified = Clock::now();
    process_.kill();
    const auto closed = [this] {
      bool all = !will_watcher_->socket_open() && !fickle_->socket_open();
      for (auto& one : receivers_) all = all && !one->socket_open();
      for (auto& one : publishers_) all = all && !one->socket_open();
      return all;
    };
    // Who was online when the broker died is owed its will; who left properly, and so long ago that the broker must
    // know, is not. The rest is undecided.
    for (auto& one : mortals_)
      if (one->online()) wills_owed_.insert(one->id());
    for (const auto& [name, when] : goodbyes_)
      if (Clock::now() - when > milliseconds(300)) wills_forbidden_.insert(name);
    goodbyes_.clear();
    mortals_.clear();
    for (int i = 0; i < 2000 && !closed(); ++i) reactor_.turn(1);
    for (const Stream& stream : streams_) sent += stream.last - stream.base;
    total += sent;
    if (broken()) return 1;
    const auto ms = [](auto a, auto b) {
      return static_cast<long>(std::chrono::duration_cast<milliseconds>(b - a).count());
    };
    std::printf("round %u: %u shards%s, up %ld ms, ran %ld ms, %llu messages unsettled\n", round,
                plan_.shards[round % plan_.shards.size()], early ? ", early" : "", ms(began, up), ms(up, verified),
                static_cast<unsigned long long>(sent));
    std::fflush(stdout);
  }
  if (!start(plan_.rounds) || !connect_all() || !verify()) return broken(), 1;
  std::printf("OK %u rounds, %llu messages\n", plan_.rounds, static_cast<unsigned long long>(total));
  return 0;
}

}  // namespace
}  // namespace sb::crash

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: crash_client PROGRAM FOLDER ROUNDS SEED SHARDS DURABILITY\n");
    return 2;
  }
  sb::crash::Plan plan;
  plan.program = argv[1];
  plan.folder = argv[2];
  plan.rounds = static_cast<unsigned>(std::atoi(argv[3]));
  plan.seed = std::strtoull(argv[4], nullptr, 10);
  for (const char* at = argv[5]; *at; ++at)
    if (*at >= '1' && *at <= '9') plan.shards.push_back(static_cast<unsigned>(*at - '0'));
  plan.durability = argv[6];
  sb::crash::Test test(std::move(plan));
  return test.run();
}
