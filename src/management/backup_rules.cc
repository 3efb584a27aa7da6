#include "management/backup_rules.h"

#include "access/authz/rule_json.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace sb::management {

namespace json = boost::json;

namespace {

using access::authz::Holder;
using access::authz::RuleTable;

class Rules final : public BackupTable {
 public:
  explicit Rules(RuleTable& rules) : rules_(rules) {}
  std::string_view name() const override { return "emqx_acl"; }
  Result<std::vector<BackupRow>> rows() override {
    std::vector<BackupRow> out;
    for (const Holder holder : {Holder::ClientId, Holder::Username, Holder::All})
      for (const auto& set : rules_.list(holder, 0, SIZE_MAX, std::nullopt).rows) {
        BackupRow row;
        if (holder == Holder::All)
          row["all"] = true;
        else
          row[to_string(holder)] = set->who;
        row["rules"] = json::parse(access::authz::rules_to_json(set->texts));
        out.push_back(std::move(row));
      }
    return out;
  }
  Result<> check(const BackupRow& row) const override {
    SB_TRY(const Row read, this->read(row));
    // Topics and actions are checked by a table of its own.
    RuleTable trial;
    return trial.put(read.holder, read.who, read.rules);
  }
  Result<> put(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      SB_TRY(Row read, this->read(row));
      SB_CHECKED(rules_.put(read.holder, read.who, std::move(read.rules)));
    }
    return {};
  }
  Result<> erase(const std::vector<BackupRow>& rows) override {
    for (const BackupRow& row : rows) {
      SB_TRY(const Row read, this->read(row));
      if (auto gone = rules_.erase(read.holder, read.who); !gone && gone.error().code != Errc::NotFound) return gone;
    }
    return {};
  }
  std::string key(const BackupRow& row) const override {
    const auto read = this->read(row);
    return read ? fmt::format("{}/{}", to_string(read->holder), read->who) : std::string();
  }

 private:
  struct Row {
    Holder holder = Holder::All;
    std::string who;
    std::vector<access::authz::RuleText> rules;
  };
  Result<Row> read(const BackupRow& row) const {
    Row out;
    const auto is_given = [&](const char* member) { return row.contains(member) ? 1 : 0; };
    if (is_given("clientid") + is_given("username") + is_given("all") != 1 ||
        (is_given("all") && !row_flag(row, "all")))
      return fail(Errc::Invalid, "whose rules: expected one of clientid, username and all = true");
    for (const Holder holder : {Holder::ClientId, Holder::Username}) {
      const std::string_view member = to_string(holder);
      if (!row.if_contains(member)) continue;
      out.holder = holder;
      SB_TRY(out.who, row_text(row, member));
      if (out.who.empty()) return fail(Errc::Invalid, fmt::format("{}: a name is expected", member));
    }
    const auto* rules = row.if_contains("rules");
    if (!rules || !rules->is_array()) return fail(Errc::Invalid, "rules: a list is expected");
    SB_TRY(out.rules, access::authz::rules_from_json(json::serialize(*rules)));
    return out;
  }
  RuleTable& rules_;
};

}  // namespace

std::unique_ptr<BackupTable> rules_backup(RuleTable& rules) {
  return std::make_unique<Rules>(rules);
}

}  // namespace sb::management
