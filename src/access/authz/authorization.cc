#include "access/authz/authorization.h"

#include "base/log.h"

#include <fmt/format.h>

#include <algorithm>

namespace sb::access::authz {

const SourceKind* Registry::find(std::string_view type) const {
  for (const SourceKind& one : all_)
    if (one.type == type) return &one;
  return nullptr;
}

std::vector<config::AuthzKind> Registry::names() const {
  std::vector<config::AuthzKind> out;
  for (const SourceKind& one : all_) out.emplace_back(one.type, one.schema);
  return out;
}

Result<> Authorization::start() {
  started_ = true;
  orphaned_ = !members_.contains("built_in_database");
  for (auto& [type, kept] : members_) {
    if (!kept.member.source) continue;
    if (auto begun = kept.member.source->start(); !begun)
      return fail(begun.error().code, fmt::format("authorization source {}: {}", type, begun.error().what));
  }
  return {};
}

void Authorization::stop() {
  for (const auto& made : made_)
    if (const auto source = made.lock()) source->stop();
}

/// The last to let a source go may be a shard, and a source may wait for its threads: it goes on a worker.
std::shared_ptr<Source> Authorization::buried_elsewhere(std::shared_ptr<Source> source) const {
  Source* const raw = source.get();
  return {raw, [&workers = services_.workers, own = std::move(source)](Source*) mutable {
            // Refused at the end of the node: then it goes here and now.
            (void)workers.try_run_later([gone = std::move(own)] {});
          }};
}

Result<std::vector<AuthorizerSource>> Authorization::apply(const config::Config& config, bool judge) {
  std::map<std::string, Kept, std::less<>> members;
  std::vector<AuthorizerSource> out;
  for (const config::AuthzSource& one : config.authorization.sources) {
    const SourceKind* kind = registry_.find(one.type);
    const auto old = members_.find(one.type);
    Kept kept;
    kept.value = one.raw;
    kept.member = {one.enable, nullptr, old == members_.end() ? nullptr : old->second.member.counts};
    if (!kept.member.counts) kept.member.counts = std::make_shared<SourceCounts>();
    // One that is made while the node runs has no rules yet, whatever an older one has left.
    if (one.type == "built_in_database" && std::exchange(orphaned_, false)) SB_CHECKED(services_.rules.clear());
    if (one.enable && (!kind || !one.settings))
      return fail(Errc::Unsupported, fmt::format("authorization source {} is not built", one.type));
    const bool same = old != members_.end() && old->second.value == one.raw && old->second.member.source;
    if (one.enable && !kind->reads_files && same) {
      kept.member.source = old->second.member.source;
    } else if (one.enable) {
      auto source = kind->make(services_, one.settings);
      if (!source && same && !judge) {
        SB_LOG(log::Level::Warning, "authorization_file_bad", kv("type", one.type), kv("reason", source.error().what));
        kept.member.source = old->second.member.source;
      } else if (!source) {
        return fail(source.error().code, fmt::format("authorization.sources: {}: {}", one.type, source.error().what));
      } else {
        kept.member.source = buried_elsewhere(*std::move(source));
        std::erase_if(made_, [](const auto& gone) { return gone.expired(); });
        made_.push_back(kept.member.source);
        if (started_) SB_CHECKED(kept.member.source->start());
      }
    }
    AuthorizerSource source;
    source.type = one.type;
    source.enable = one.enable;
    source.owner = kept.member.source;
    source.counts = kept.member.counts;
    if (one.enable)
      source.make = [made = kept.member.source.get()](const ShardEnvironment& shard) { return made->make(shard); };
    out.push_back(std::move(source));
    members.insert_or_assign(one.type, std::move(kept));
  }
  members_ = std::move(members);
  return out;
}

void Authorization::forget(const config::Config& before, const config::Config& after) {
  const auto built_in = [](const config::Config& config) {
    return std::any_of(config.authorization.sources.begin(), config.authorization.sources.end(),
                       [](const config::AuthzSource& source) { return source.type == "built_in_database"; });
  };
  if (!built_in(before) || built_in(after)) return;
  if (const auto cleared = services_.rules.clear(); !cleared)
    SB_LOG(log::Level::Error, "rules_not_removed", kv("reason", cleared.error().what));
}

const Authorization::Member* Authorization::find(std::string_view type) const {
  const auto found = members_.find(type);
  return found == members_.end() ? nullptr : &found->second.member;
}

}  // namespace sb::access::authz
