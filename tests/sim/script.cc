#include "tests/sim/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>

namespace sb::sim {

namespace {

constexpr std::array kTopics{"a", "a/b", "a/c", "b", "b/b", "a/b/c", "/a", "$d/x"};
constexpr std::array kFilters{"a", "a/b", "a/+", "a/#", "+/b", "#", "+", "+/+/c", "/+", "$d/#", "w/+", "b", "a/b/c"};
constexpr std::array kShared{"$share/g/a/b", "$share/g/a/+", "$share/h/a/b", "$queue/a/b", "$share/h/#", "$share/g/b"};
/// Below 40 s: Rig::kStep keeps timers of up to that apart.
constexpr std::array<std::uint32_t, 6> kExpiries{0, 2, 5, 11, 30, kNeverExpires};

class Maker {
 public:
  Maker(std::uint64_t seed, const Profile& profile) : random_(seed), profile_(profile) {}

  std::vector<Step> make() {
    std::vector<Step> out;
    while (out.size() < profile_.steps) {
      const unsigned dice = below(100);
      if (dice < 12)
        out.push_back(connect(client()));
      else if (dice < 16)
        out.push_back(disconnect(client()));
      else if (dice < 20)
        out.push_back(lose(client()));
      else if (dice < 33)
        out.push_back(subscribe(client()));
      else if (dice < 38)
        out.push_back(unsubscribe(client()));
      else if (dice < 78)
        publish_some(out);
      else if (dice < 88)
        out.push_back(acknowledge(client()));
      else if (dice < 93)
        out.push_back(release(client()));
      else if (dice < 96 && profile_.bursts)
        pipeline(out);
      else
        out.push_back(advance());
    }
    return out;
  }

 private:
  static std::uint32_t id_of(const std::string& filter) {
    std::uint32_t id = 1;
    for (const char* one : kFilters) {
      if (filter == one) return id;
      ++id;
    }
    for (const char* one : kShared) {
      if (filter == one) return id;
      ++id;
    }
    return id;
  }
  unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
  bool one_in(unsigned n) { return below(n) == 0; }
  unsigned client() { return below(profile_.clients); }
  Qos qos() { return static_cast<Qos>(below(3)); }
  template <class T, std::size_t N>
  const T& any(const std::array<T, N>& all) {
    return all[below(N)];
  }

  Step connect(unsigned who) {
    Step step;
    step.act = Act::Connect;
    step.client = who;
    // Copies that came through different groups must not look alike: which is given to whom later depends on it.
    step.version = profile_.shared ? ProtocolVersion::V5
                   : one_in(4)     ? ProtocolVersion::V311
                   : one_in(8)     ? ProtocolVersion::V31
                                   : ProtocolVersion::V5;
    step.clean = one_in(4);
    step.expiry_s = any(kExpiries);
    if (one_in(2)) step.receive_maximum = static_cast<std::uint16_t>(1 + below(4));
    if (one_in(3)) step.alias_maximum = static_cast<std::uint16_t>(1 + below(3));
    if (profile_.packet_maximum && one_in(3)) step.packet_maximum = 150;
    step.auto_acknowledge = !one_in(3);
    step.shard = below(profile_.shards);
    if (one_in(3)) step.will = WillPlan{qos(), one_in(3), one_in(2) ? 0 : 1 + below(12)};
    return step;
  }
  Step disconnect(unsigned who) {
    Step step;
    step.act = Act::Disconnect;
    step.client = who;
    if (one_in(4)) step.reason = ReasonCode::DisconnectWithWillMessage;
    if (one_in(4)) step.new_expiry_s = any(kExpiries);
    return step;
  }
  Step lose(unsigned who) {
    Step step;
    step.act = Act::Lose;
    step.client = who;
    return step;
  }
  Step subscribe(unsigned who) {
    Step step;
    step.act = Act::Subscribe;
    step.client = who;
    const std::uint32_t id = one_in(2) ? 1 + below(20) : 0;
    for (unsigned i = 0, count = profile_.shared ? 1 : 1 + below(3); i < count; ++i) {
      Wish wish;
      const bool shared = profile_.shared && one_in(2);
      wish.filter = shared ? any(kShared) : any(kFilters);
      if (std::any_of(step.wishes.begin(), step.wishes.end(), [&](const Wish& w) { return w.filter == wish.filter; }))
        continue;
      wish.options.qos = qos();
      wish.options.no_local = !shared && one_in(4);
      wish.options.retain_as_published = one_in(3);
      wish.options.retain_handling = static_cast<RetainHandling>(below(3));
      wish.options.subscription_id = profile_.shared ? id_of(wish.filter) : id;
      step.wishes.push_back(wish);
    }
    return step;
  }
  Step unsubscribe(unsigned who) {
    Step step;
    step.act = Act::Unsubscribe;
    step.client = who;
    for (unsigned i = 0, count = 1 + below(2); i < count; ++i)
      step.wishes.push_back({profile_.shared && one_in(2) ? any(kShared) : any(kFilters), {}});
    return step;
  }
  Step publish(unsigned who, bool may_retain) {
    Step step;
    step.act = Act::Publish;
    step.client = who;
    step.topic = any(kTopics);
    step.qos = qos();
    step.retain = may_retain && one_in(4);
    step.empty = step.retain && one_in(4);
    step.large = one_in(6);
    step.again = step.qos == Qos::ExactlyOnce && one_in(6);
    step.dup = step.again && one_in(2);
    if (one_in(6)) step.message_expiry_s = 1 + below(8);
    return step;
  }
  void publish_some(std::vector<Step>& out) {
    if (!profile_.bursts || one_in(2)) {
      out.push_back(publish(client(), true));
      return;
    }
    // Several publishers at once would make it a matter of luck which retained message is the last.
    const bool alone = one_in(2);
    const unsigned who = client();
    for (unsigned i = 0, count = 2 + below(12); i < count; ++i) {
      out.push_back(publish(alone ? who : client(), alone));
      out.back().settle = i + 1 == count;
    }
  }
  /// What a client sends behind its CONNECT without waiting.
  void pipeline(std::vector<Step>& out) {
    const unsigned who = client();
    out.push_back(connect(who));
    out.back().settle = false;
    out.push_back(subscribe(who));
    // While a SUBACK waits for the disk QoS 0 waits in the queue, and retained messages of other shards may come before
    // or after what is published now: what a bound of the queue then costs is a matter of luck.
    if (profile_.durable || profile_.queue != 0) return;
    out.back().settle = false;
    out.push_back(publish(who, true));
  }
  Step acknowledge(unsigned who) {
    Step step;
    step.act = Act::Acknowledge;
    step.client = who;
    step.count = 1 + below(6);
    step.backwards = one_in(3);
    step.refuse = one_in(8);
    return step;
  }
  Step release(unsigned who) {
    Step step;
    step.act = Act::Release;
    step.client = who;
    step.count = 1 + below(4);
    step.refuse = one_in(6);  // of an id that was never used
    return step;
  }
  Step advance() {
    Step step;
    step.act = Act::Advance;
    step.seconds = 1 + below(one_in(3) ? 12 : 3);
    return step;
  }

  std::mt19937_64 random_;
  const Profile& profile_;
};

std::string expiry_text(std::uint32_t expiry_s) {
  return expiry_s == kNeverExpires ? "never" : std::to_string(expiry_s) + "s";
}

std::string describe_connect(const Step& step) {
  std::string out = fmt::format("connect v{} clean={} expiry={} shard={}", static_cast<int>(step.version), step.clean,
                                expiry_text(step.expiry_s), step.shard);
  if (step.receive_maximum != 65535) out += fmt::format(" receive_maximum={}", step.receive_maximum);
  if (step.alias_maximum != 0) out += fmt::format(" alias_maximum={}", step.alias_maximum);
  if (step.packet_maximum != 0) out += fmt::format(" packet_maximum={}", step.packet_maximum);
  if (!step.auto_acknowledge) out += " acknowledges=no";
  if (step.will)
    out += fmt::format(" will(qos={}{} delay={}s)", to_int(step.will->qos), step.will->retain ? " retain" : "",
                       step.will->delay_s);
  return out;
}

std::string describe(const Step& step) {
  std::string out;
  switch (step.act) {
    case Act::Connect:
      return describe_connect(step);
    case Act::Disconnect:
      out = fmt::format("disconnect {:02X}", static_cast<unsigned>(step.reason));
      return step.new_expiry_s ? out + " expiry=" + expiry_text(*step.new_expiry_s) : out;
    case Act::Lose:
      return "lose";
    case Act::Subscribe:
      out = "subscribe";
      for (const Wish& wish : step.wishes)
        out += fmt::format(" {}(qos={} nl={:d} rap={:d} rh={} id={})", wish.filter, to_int(wish.options.qos),
                           wish.options.no_local, wish.options.retain_as_published,
                           static_cast<int>(wish.options.retain_handling), wish.options.subscription_id);
      return out;
    case Act::Unsubscribe:
      out = "unsubscribe";
      for (const Wish& wish : step.wishes) out += " " + wish.filter;
      return out;
    case Act::Publish:
      out = fmt::format("publish {} qos={}", step.topic, to_int(step.qos));
      if (step.retain) out += " retain";
      if (step.empty) out += " empty";
      if (step.large) out += " large";
      if (step.again) out += step.dup ? " again dup" : " again";
      if (step.message_expiry_s != kNeverExpires) out += " expiry=" + expiry_text(step.message_expiry_s);
      return out;
    case Act::Acknowledge:
      return fmt::format("acknowledge {}{}{}", step.count, step.backwards ? " backwards" : "",
                         step.refuse ? " refuse" : "");
    case Act::Release:
      return fmt::format("release {}{}", step.count, step.refuse ? " unknown" : "");
    case Act::Advance:
      return fmt::format("advance {}s", step.seconds);
  }
  return "?";
}

}  // namespace

std::vector<Step> make_script(std::uint64_t seed, const Profile& profile) {
  return Maker(seed, profile).make();
}

std::string to_string(const Step& step) {
  const std::string who = step.act == Act::Advance ? std::string("--") : client_name(step.client);
  return who + " " + describe(step) + (step.settle ? "" : " ...");
}

std::string client_name(unsigned client) {
  return "c" + std::to_string(client);
}

std::string will_topic(unsigned client) {
  return "w/" + client_name(client);
}

}  // namespace sb::sim
