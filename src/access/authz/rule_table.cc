#include "access/authz/rule_table.h"

#include <fmt/format.h>

namespace sb::access::authz {

namespace {
std::size_t at(Holder holder) {
  return static_cast<std::size_t>(holder);
}

std::string qos_text(std::uint8_t mask) {
  std::string out;
  for (int qos = 0; qos < 3; ++qos)
    if ((mask & (1U << qos)) != 0) out += (out.empty() ? "" : ",") + std::to_string(qos);
  return out;
}
}  // namespace

Result<RuleSetRef> RuleTable::make(std::string_view who, std::vector<RuleText> rules) {
  if (rules.size() > kRulesMax) return fail(Errc::Invalid, fmt::format("more than {} rules", kRulesMax));
  if (who.size() > kNameMax || who.find('\0') != std::string_view::npos) return fail(Errc::Invalid, "not a name");
  auto set = std::make_shared<RuleSet>();
  set->who = who;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const RuleText& text = rules[i];
    if ((text.qos & 7) == 0) return fail(Errc::Invalid, fmt::format("rule {}: qos names none of 0, 1, 2", i + 1));
    const std::string qos = qos_text(text.qos);
    auto rule = Rule::parse({text.allow ? "allow" : "deny", text.action, text.topic, qos,
                             !text.retain   ? "all"
                             : *text.retain ? "true"
                                            : "false"});
    if (!rule) return fail(Errc::Invalid, fmt::format("rule {}: {}", i + 1, rule.error().what));
    set->rules.push_back(*std::move(rule));
  }
  set->texts = std::move(rules);
  return RuleSetRef(std::move(set));
}

void RuleTable::open(std::vector<Stored> stored, RuleLog* log) {
  const std::lock_guard writer(writers_);
  const std::unique_lock guard(mutex_);
  log_ = log;
  for (Stored& one : stored)
    if (auto set = make(one.who, std::move(one.rules))) rows_[at(one.holder)].insert_or_assign(one.who, *set);
}

Answer RuleTable::decide(const Subject& subject, const Action& action) const {
  const std::shared_lock guard(mutex_);
  const auto ask = [&](Holder holder, std::string_view who) {
    const Rows& rows = rows_[at(holder)];
    const auto found = rows.find(who);
    return found == rows.end() ? Answer::NoMatch : first_match(found->second->rules, subject, action);
  };
  if (const Answer answer = ask(Holder::ClientId, subject.client_id); answer != Answer::NoMatch) return answer;
  if (!subject.username.empty())
    if (const Answer answer = ask(Holder::Username, subject.username); answer != Answer::NoMatch) return answer;
  return ask(Holder::All, "");
}

RuleSetRef RuleTable::find(Holder holder, std::string_view who) const {
  const std::shared_lock guard(mutex_);
  const auto found = rows_[at(holder)].find(who);
  return found == rows_[at(holder)].end() ? nullptr : found->second;
}

Result<> RuleTable::write(Holder holder, std::span<const RuleSetRef> sets) {
  std::vector<RuleLog::Row> rows;
  for (const RuleSetRef& set : sets) rows.push_back({holder, set->who, set->texts});
  if (log_) SB_CHECKED(log_->put(rows));
  {
    const std::unique_lock guard(mutex_);
    for (const RuleSetRef& set : sets) rows_[at(holder)].insert_or_assign(set->who, set);
  }
  changed();
  return {};
}

void RuleTable::changed() const {
  if (changed_) changed_();
}

Result<> RuleTable::check(Epoch asked) const {
  if (!asked || *asked == epoch()) return {};
  return fail(Errc::NotFound, "the source is gone");
}

Result<> RuleTable::put(Holder holder, std::string_view who, std::vector<RuleText> rules, Epoch asked) {
  SB_TRY(const RuleSetRef set, make(who, std::move(rules)));
  const std::lock_guard writer(writers_);
  SB_CHECKED(check(asked));
  return write(holder, {&set, 1});
}

Result<> RuleTable::add(Holder holder, std::vector<Stored> rows, Epoch asked) {
  std::vector<RuleSetRef> sets;
  for (Stored& row : rows) {
    auto set = make(row.who, std::move(row.rules));
    if (!set) return fail(set.error().code, fmt::format("'{}': {}", row.who, set.error().what));
    sets.push_back(*std::move(set));
  }
  const std::lock_guard writer(writers_);
  SB_CHECKED(check(asked));
  std::string taken;
  for (const RuleSetRef& set : sets)
    if (find(holder, set->who)) taken += (taken.empty() ? "" : ",") + set->who;
  if (!taken.empty()) return fail(Errc::Exists, taken);
  return write(holder, sets);
}

Result<> RuleTable::erase(Holder holder, std::string_view who) {
  const std::lock_guard writer(writers_);
  if (!find(holder, who)) return fail(Errc::NotFound, "no rules");
  const RuleLog::Row row{holder, who, {}};
  if (log_) SB_CHECKED(log_->erase({&row, 1}));
  {
    const std::unique_lock guard(mutex_);
    Rows& rows = rows_[at(holder)];
    rows.erase(rows.find(who));
  }
  changed();
  return {};
}

Result<> RuleTable::clear() {
  const std::lock_guard writer(writers_);
  ++epoch_;
  std::vector<RuleLog::Row> all;
  std::array<Rows, kHolders> before;
  {
    const std::shared_lock guard(mutex_);
    before = rows_;
  }
  for (std::size_t holder = 0; holder < kHolders; ++holder)
    for (const auto& [who, set] : before[holder]) all.push_back({static_cast<Holder>(holder), who, {}});
  if (log_ && !all.empty()) SB_CHECKED(log_->erase(all));
  {
    const std::unique_lock guard(mutex_);
    for (Rows& rows : rows_) rows.clear();
  }
  changed();
  return {};
}

RuleTable::Page RuleTable::list(Holder holder, std::size_t skip, std::size_t limit,
                                const std::optional<std::string>& like) const {
  Page page;
  const std::shared_lock guard(mutex_);
  for (const auto& [who, set] : rows_[at(holder)]) {
    if (like && who.find(*like) == std::string::npos) continue;
    if (page.count++ >= skip && page.rows.size() < limit) page.rows.push_back(set);
  }
  return page;
}

std::size_t RuleTable::size() const {
  const std::shared_lock guard(mutex_);
  std::size_t out = 0;
  for (const Rows& rows : rows_) out += rows.size();
  return out;
}

}  // namespace sb::access::authz
