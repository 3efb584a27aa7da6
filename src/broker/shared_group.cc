#include "broker/shared_group.h"

#include "base/hash.h"

namespace sb::broker {

PublisherState::Choice& PublisherState::choice(std::uint64_t group, std::uint32_t first_turn) {
  for (Choice& choice : choices_)
    if (choice.group == group) return choice;
  if (choices_.size() < kMax) return choices_.emplace_back(Choice{group, 0, first_turn});
  Choice& oldest = choices_[next_++ % kMax];
  oldest = Choice{group, 0, first_turn};
  return oldest;
}

namespace {

constexpr std::uint64_t kHashSeed = 0x5167'6E61'6C62'6F78;

bool usable(const SharedMember& member, std::uint64_t excluded, bool online_only) {
  if (member.session_number == excluded) return false;
  return !online_only || member.online.load(std::memory_order_relaxed);
}

/// The member at or after `start` that may be used.
SharedMember* from(const SharedGroup::Members& members, std::size_t start, std::uint64_t excluded) {
  for (const bool online_only : {true, false})
    for (std::size_t i = 0; i < members.size(); ++i) {
      SharedMember* member = members[(start + i) % members.size()];
      if (usable(*member, excluded, online_only)) return member;
    }
  return nullptr;
}

SharedMember* pick_local(const SharedGroup::Members& members, const PickContext& c) {
  const std::size_t start = c.random % members.size();
  for (std::size_t i = 0; i < members.size(); ++i) {
    SharedMember* member = members[(start + i) % members.size()];
    if (member->shard == c.shard && usable(*member, c.excluded_session, true)) return member;
  }
  return from(members, start, c.excluded_session);
}

SharedMember* pick_sticky(const SharedGroup& group, const SharedGroup::Members& members, const PickContext& c) {
  if (!c.state) return from(members, c.random % members.size(), c.excluded_session);
  auto& choice = c.state->choice(group.number(), 0);
  for (SharedMember* member : members)
    if (member->session_number == choice.member_session && usable(*member, c.excluded_session, true)) return member;
  SharedMember* member = from(members, c.random % members.size(), c.excluded_session);
  if (member) choice.member_session = member->session_number;
  return member;
}

}  // namespace

SharedMember* pick(const SharedGroup& group, const PickContext& c) {
  const SharedGroup::Members* members = group.members();
  if (!members || members->empty()) return nullptr;
  const std::size_t n = members->size();
  if (n == 1) return usable(*members->front(), c.excluded_session, false) ? members->front() : nullptr;
  switch (c.strategy) {
    case SharedStrategy::Random:
      return from(*members, c.random % n, c.excluded_session);
    case SharedStrategy::RoundRobin:
      if (c.state) {
        auto& choice = c.state->choice(group.number(), static_cast<std::uint32_t>(c.random));
        return from(*members, choice.turn++ % n, c.excluded_session);
      }
      return from(*members, group.next_turn() % n, c.excluded_session);
    case SharedStrategy::RoundRobinPerGroup:
      return from(*members, group.next_turn() % n, c.excluded_session);
    case SharedStrategy::Sticky:
      return pick_sticky(group, *members, c);
    case SharedStrategy::Local:
      return pick_local(*members, c);
    case SharedStrategy::HashClientId:
      return from(*members, hash_stable(c.client_id, kHashSeed) % n, c.excluded_session);
    case SharedStrategy::HashTopic:
      return from(*members, hash_stable(c.topic, kHashSeed) % n, c.excluded_session);
  }
  return nullptr;
}

}  // namespace sb::broker
