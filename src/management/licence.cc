#include "management/licence.h"

#include "base/log.h"

#include <fmt/format.h>

#include <limits>

namespace sb::management {

namespace {

constexpr Nanos kTick{5'000'000'000};
constexpr std::int64_t kFileMs = 120'000;
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kNoticeDays = 30;
constexpr std::int64_t kGraceDays = 90;  // of a small customer
constexpr const char* kQuotaAlarm = "license_quota";
constexpr const char* kExpiryAlarm = "license_expiry";
constexpr const char* kKeyAlarm = "license_key";

codec::license::Terms community_terms() {
  codec::license::Terms out = trial_terms();
  out.customer = "Community";
  out.deployment = "community";
  out.days = *codec::license::parse_day("99991231") - out.start_day;
  out.max_connections = 0;
  return out;
}

constexpr std::string_view kOfPublicKey = "license.public_key: ";

Result<std::vector<std::string>> trusted(const config::License& settings) {
  std::vector<std::string> out = {codec::license::kBuiltInPublicKey};
  if (settings.public_key.empty()) return out;
  const auto pem = config::resolve_secret(settings.public_key);
  const auto good = pem ? codec::license::check_public_key(pem->reveal()) : tl::unexpected(pem.error());
  if (!good) return fail(Errc::Invalid, std::string(kOfPublicKey) + good.error().what);
  out.emplace_back(pem->reveal());
  return out;
}

}  // namespace

codec::license::Terms trial_terms() {
  constexpr std::int64_t kDays = 1825;
  codec::license::Terms out;
  out.type = codec::license::Type::Trial;
  out.customer_type = codec::license::Customer::Evaluation;
  out.customer = "Evaluation";
  out.email = "evaluation@localhost";
  out.deployment = "trial";
  out.start_day = *codec::license::parse_day("20231208");
  out.days = kDays;
  out.max_connections = 25;
  return out;
}

Result<Licence::State> Licence::read(const config::License& settings) {
  SB_TRY(const auto keys, trusted(settings));
  const std::string_view written = settings.key.reveal();
  if (written == "default" || written.empty()) return State{Kind::Trial, trial_terms(), {}};
  if (written == "community") return State{Kind::Community, community_terms(), {}};
  SB_TRY(const Secret key, config::resolve_secret(settings.key));
  if (key.reveal() == "community") return State{Kind::Community, community_terms(), {}};
  SB_TRY(codec::license::Terms terms, codec::license::verify(key.reveal(), keys));
  return State{Kind::Signed, std::move(terms), {}};
}

Result<> Licence::check(const config::License& settings) {
  SB_TRY(const State ignored, read(settings));
  static_cast<void>(ignored);
  return {};
}

void Licence::begin(const config::License& settings) {
  auto state = read(settings);
  settings_ = settings;
  read_ms_ = clock_.wall_ms();
  if (state) {
    state_ = *std::move(state);
  } else {
    state_ = {Kind::Trial, trial_terms(), state.error().what};
    SB_LOG(log::Level::Error, "license_key_not_used", kv("reason", state.error().what),
           kv("in_force", "the trial of 25 connections"), kv("to_lift_it", access::kLiftTheLimit));
    if (alarms_)
      alarms_->activate(kKeyAlarm,
                        (state.error().what.starts_with("license.") ? "" : "license.key: ") + state.error().what +
                            "; the trial is in force",
                        {});
  }
  enforce();
}

Result<> Licence::apply(const config::License& settings) {
  SB_TRY(State state, read(settings));
  settings_ = settings;
  state_ = std::move(state);
  read_ms_ = clock_.wall_ms();
  if (alarms_) alarms_->deactivate(kKeyAlarm);
  enforce();
  look();
  return {};
}

void Licence::watch(runtime::Loop& loop) {
  loop_ = &loop;
  loop.timers().arm(ticker_, loop.now(), kTick);
  look();
}

void Licence::tick() {
  loop_->timers().arm(ticker_, loop_->now(), kTick);
  if (settings_.key.reveal().starts_with("file://") && clock_.wall_ms() - read_ms_ >= kFileMs) {
    read_ms_ = clock_.wall_ms();
    if (auto state = read(settings_))
      state_ = *std::move(state);
    else  // the one in force stays
      SB_LOG(log::Level::Warning, "license_file_not_read", kv("reason", state.error().what));
  }
  enforce();
  look();
}

void Licence::enforce() {
  access::ConnectionQuota::Limit limit;
  if (state_.kind == Kind::Community) {
    quota_.set(limit);
    return;
  }
  // Refused when live connections exceed 1.1 times the number.
  const std::uint64_t most = std::min<std::uint64_t>(state_.terms.max_connections, std::uint64_t{1} << 40);
  limit.refused_above = most * 11 / 10;
  if (state_.kind == Kind::Signed) {
    using codec::license::Customer;
    using codec::license::Type;
    const bool trial_over = state_.terms.type != Type::Official && expired();
    const bool small_over = state_.terms.type == Type::Official && state_.terms.customer_type == Customer::Small &&
                            today() > state_.terms.expiry_day() + kGraceDays;
    limit.refuse_all = trial_over || small_over;
  }
  quota_.set(limit);
}

void Licence::look() {
  if (!alarms_) return;
  if (state_.kind == Kind::Community) {
    alarms_->deactivate(kQuotaAlarm);
    alarms_->deactivate(kExpiryAlarm);
    return;
  }
  const double share = static_cast<double>(quota_.live()) / static_cast<double>(state_.terms.max_connections);
  if (share > settings_.connection_high_watermark.value)
    alarms_->activate(kQuotaAlarm,
                      fmt::format("License: the number of connections exceeds {:.0f}% of {}; {}",
                                  settings_.connection_high_watermark.value * 100, state_.terms.max_connections,
                                  access::kLiftTheLimit),
                      {});
  if (share < settings_.connection_low_watermark.value) alarms_->deactivate(kQuotaAlarm);
  if (state_.terms.expiry_day() - today() < kNoticeDays)
    alarms_->activate(kExpiryAlarm,
                      fmt::format("License expires on {}", codec::license::day_text(state_.terms.expiry_day())), {});
  else
    alarms_->deactivate(kExpiryAlarm);
}

std::int64_t Licence::today() const {
  return clock_.wall_ms() / kDayMs;
}

Licence::View Licence::view() const {
  return {state_.kind,   state_.terms,     state_.kind != Kind::Community && expired(),
          quota_.live(), quota_.refused(), state_.trouble};
}

std::string Licence::banner() const {
  if (state_.kind != Kind::Trial) return {};
  return fmt::format("License: trial of {} connections. To lift the limit of this node, {}.",
                     state_.terms.max_connections, access::kLiftTheLimit);
}

}  // namespace sb::management
