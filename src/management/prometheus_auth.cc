#include "management/prometheus_auth.h"

#include "access/access_control.h"
#include "access/authz/authorization.h"
#include "management/prometheus_text.h"
#include "management/service.h"

#include <functional>
#include <vector>

namespace sb::management {

namespace {
/// One authenticator or source.
struct Row {
  std::string name;
  bool enable = true;
  bool connected = false;
  const access::SourceCounts* counts = nullptr;
};

struct Family {
  const char* name;
  const char* type;
  const char* help;
  std::uint64_t (*value)(const Row&);
};

std::uint64_t load(const std::atomic<std::uint64_t>& counter) {
  return counter.load(std::memory_order_relaxed);
}

constexpr Family kAuthn[] = {
    {"emqx_authn_enable", "gauge", "1: enabled", [](const Row& r) { return std::uint64_t{r.enable}; }},
    {"emqx_authn_status", "gauge", "1: ready to be asked", [](const Row& r) { return std::uint64_t{r.connected}; }},
    {"emqx_authn_total", "counter", "Times asked", [](const Row& r) { return load(r.counts->total); }},
    {"emqx_authn_nomatch", "counter", "Answers that left it to the next",
     [](const Row& r) { return load(r.counts->nomatch); }},
    {"emqx_authn_success", "counter", "Let in", [](const Row& r) { return load(r.counts->allow); }},
    {"emqx_authn_failed", "counter", "Refused", [](const Row& r) { return load(r.counts->deny); }}};

constexpr Family kAuthz[] = {
    {"emqx_authz_enable", "gauge", "1: enabled", [](const Row& r) { return std::uint64_t{r.enable}; }},
    {"emqx_authz_status", "gauge", "1: ready to be asked", [](const Row& r) { return std::uint64_t{r.connected}; }},
    {"emqx_authz_total", "counter", "Times asked", [](const Row& r) { return load(r.counts->total); }},
    {"emqx_authz_nomatch", "counter", "Answers that left it to the next",
     [](const Row& r) { return load(r.counts->nomatch); }},
    {"emqx_authz_allow", "counter", "Allowed", [](const Row& r) { return load(r.counts->allow); }},
    {"emqx_authz_deny", "counter", "Denied", [](const Row& r) { return load(r.counts->deny); }}};

template <std::size_t N>
void write(PrometheusText& out, const Family (&families)[N], const char* label, const std::vector<Row>& rows) {
  for (const Family& family : families) {
    if (rows.empty()) return;
    out.family(family.name, family.type, family.help);
    for (const Row& row : rows) out.sample({label, row.name}, family.value(row));
  }
}
}  // namespace

std::string prometheus_auth(const Service& service, std::string_view node) {
  const Environment& environment = service.environment();
  PrometheusText out(node);
  const auto config = environment.config ? environment.config->current() : nullptr;
  std::vector<Row> rows;
  if (config && environment.authentication) {
    for (const auto& one : config->authn) {
      const auto* member = environment.authentication->find(access::authn::kGlobalChain, one.id);
      if (!member) continue;
      const bool ready = member->provider && member->provider->state().health == access::authn::Health::Connected;
      rows.push_back({one.id, member->enable, ready, member->counts.get()});
    }
  }
  write(out, kAuthn, "id", rows);
  rows.clear();
  if (config && environment.authorization) {
    for (const auto& one : config->authorization.sources) {
      const auto* member = environment.authorization->find(one.type);
      if (!member) continue;
      const bool ready = member->source && member->source->state().health == access::authz::Health::Connected;
      rows.push_back({one.type, member->enable, ready, member->counts.get()});
    }
    out.family("emqx_authz_builtin_rules_count", "gauge", "Names with rules in the built-in database");
    out.sample(environment.authorization->rules().size());
  }
  write(out, kAuthz, "type", rows);
  if (environment.access) {
    out.family("emqx_banned_count", "gauge", "Bans");
    out.sample(environment.access->bans().list(0, 0).count);
  }
  return out.take();
}

}  // namespace sb::management
