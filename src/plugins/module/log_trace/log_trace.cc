#include "plugins/module/log_trace/log_trace.h"

#include "base/json_text.h"
#include "base/log.h"
#include "base/time_text.h"
#include "broker/topic.h"
#include "config/store.h"
#include "runtime/timer_wheel.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace sb::plugins::module::log_trace {

namespace {
constexpr std::size_t kPayloadShown = 1024;
constexpr std::size_t kPayloadHead = 100;
constexpr Nanos kTick{1'000'000'000};

constexpr std::size_t kPayloadForms = 3;

std::string encoded(ByteView payload, PayloadForm form) {
  if (form == PayloadForm::Text) return std::string(as_text(payload));
  std::string out;
  out.reserve(payload.size() * 2);
  for (const auto byte : payload) out += fmt::format("{:02X}", static_cast<unsigned>(byte));
  return out;
}

std::string payload_text(ByteView payload, PayloadForm form) {
  if (form == PayloadForm::Hidden) return "******";
  if (payload.size() <= kPayloadShown) return encoded(payload, form);
  return fmt::format("{}... (The total length of the payload is {} bytes)", encoded(payload.first(kPayloadHead), form),
                     payload.size());
}

/// What clients send cannot begin a line of its own or steer a terminal: control characters and the line separators of
/// Unicode become \n, \r, \t, \xHH or \uHHHH.
std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(text[i]);
    const auto next = [&](std::size_t n) {
      return i + n < text.size() ? static_cast<std::uint8_t>(text[i + n]) : std::uint8_t{0};
    };
    if (byte == '\n') {
      out += "\\n";
    } else if (byte == '\r') {
      out += "\\r";
    } else if (byte == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\x{:02X}", static_cast<unsigned>(byte));
    } else if (byte == 0xC2 && next(1) >= 0x80 && next(1) < 0xA0) {
      out += fmt::format("\\u00{:02X}", static_cast<unsigned>(next(1)));
      ++i;
    } else if (byte == 0xE2 && next(1) == 0x80 && (next(2) == 0xA8 || next(2) == 0xA9)) {
      out += next(2) == 0xA8 ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// Of a file, too. An older version let a name begin with a digit.
bool good_name(std::string_view name) {
  if (name.empty() || name.size() > 256) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-'; });
}
}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::ClientId:
      return "clientid";
    case Kind::Topic:
      return "topic";
    case Kind::IpAddress:
      return "ip_address";
  }
  return "clientid";
}

std::optional<Kind> trace_kind(std::string_view name) {
  for (const Kind kind : {Kind::ClientId, Kind::Topic, Kind::IpAddress})
    if (to_string(kind) == name) return kind;
  return std::nullopt;
}

std::string_view to_string(PayloadForm form) {
  switch (form) {
    case PayloadForm::Text:
      return "text";
    case PayloadForm::Hex:
      return "hex";
    case PayloadForm::Hidden:
      return "hidden";
  }
  return "text";
}

std::optional<PayloadForm> payload_form(std::string_view name) {
  for (const PayloadForm form : {PayloadForm::Text, PayloadForm::Hex, PayloadForm::Hidden})
    if (to_string(form) == name) return form;
  return std::nullopt;
}

class LogTrace::Shard final : private runtime::Timer {
 public:
  Shard(LogTrace& module, broker::Broker& broker) : module_(module), broker_(broker) {
    if (broker_.shard() == 0) arm();
  }
  ~Shard() { set(nullptr); }
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  broker::Broker& broker() { return broker_; }

  void set(ActiveRef active) {
    active_ = std::move(active);
    broker::Hooks& hooks = broker_.hooks();
    const bool wanted = active_ && !active_->empty();
    if (wanted && packet_ == 0) {
      packet_ = hooks.packet.add(kPriority, [this](const broker::PacketEvent& e) { on_packet(e); });
      trace_ = hooks.trace.add(kPriority, [this](const broker::TraceEvent& e) { on_trace(e); });
      publish_ = hooks.message_publish.add(kPriority, [this](broker::Publication& p) {
        on_publish(p);
        return broker::PublishVerdict::Continue;
      });
      subscribed_ =
          hooks.session_subscribed.add(kPriority, [this](broker::Session& s, const broker::Subscription& sub, bool) {
            on_filter("subscribe", "SUBSCRIBE", s, sub.filter());
          });
      unsubscribed_ = hooks.session_unsubscribed.add(kPriority, [this](broker::Session& s, std::string_view filter) {
        on_filter("unsubscribe", "UNSUBSCRIBE", s, filter);
      });
    }
    if (!wanted && packet_ != 0) {
      hooks.packet.remove(std::exchange(packet_, 0));
      hooks.trace.remove(std::exchange(trace_, 0));
      hooks.message_publish.remove(std::exchange(publish_, 0));
      hooks.session_subscribed.remove(std::exchange(subscribed_, 0));
      hooks.session_unsubscribed.remove(std::exchange(unsubscribed_, 0));
    }
  }

 private:
  /// Sees what others left of a message, before it may be consumed.
  static constexpr int kPriority = broker::Hooks::kRules + 1;

  template <class MakeLine>
  void write(std::string_view client_id, std::string_view address, std::string_view topic, bool topic_is_filter,
             MakeLine&& make) {
    std::string lines[kPayloadForms];  // each made when the first trace wants it
    for (const Active& trace : *active_) {
      bool hit = false;
      switch (trace.kind) {
        case Kind::ClientId:
          hit = client_id == trace.value;
          break;
        case Kind::IpAddress:
          hit = address.starts_with(trace.value);
          break;
        case Kind::Topic:
          hit = !topic.empty() &&
                (topic_is_filter ? broker::levels_match(trace.value, topic) : broker::matches(trace.value, topic));
          break;
      }
      if (!hit) continue;
      std::string& line = lines[static_cast<std::size_t>(trace.payload)];
      if (line.empty()) line = one_line(make(trace.payload)) + '\n';
      module_.writer_.append(trace.file, line);
    }
  }
  std::string head(std::string_view tag, std::string_view client_id, std::string_view peer,
                   std::string_view event) const {
    return fmt::format("{} [{}] {}@{} msg: {}", rfc3339(broker_.loop().wall_ms(), 6), tag, client_id, peer, event);
  }

  void on_packet(const broker::PacketEvent& e) {
    if (e.topic.starts_with("$SYS/")) return;
    const std::string_view client_id = e.identity ? std::string_view(e.identity->client_id) : std::string_view{};
    write(client_id, e.peer_name, e.topic, false, [&](PayloadForm form) {
      std::string line = head("MQTT", client_id, e.peer_name, e.received ? "mqtt_packet_received" : "mqtt_packet_sent");
      line += fmt::format(", packet: {}", e.packet);
      if (e.payload) line += ", payload: " + payload_text(*e.payload, form);
      return line;
    });
  }
  void on_trace(const broker::TraceEvent& e) {
    if (e.topic.starts_with("$SYS/")) return;
    const std::string_view client_id = e.identity ? std::string_view(e.identity->client_id) : std::string_view{};
    const auto parsed = broker::parse_filter(e.topic);
    write(client_id, e.peer_name, parsed ? parsed->filter : e.topic, broker::has_wildcard(e.topic),
          [&](PayloadForm) { return fmt::format("{}, {}", head(e.tag, client_id, e.peer_name, e.event), e.details); });
  }
  void on_publish(const broker::Publication& p) {
    if (p.system || p.topic.starts_with("$SYS/")) return;
    const broker::Identity* from = p.from && *p.from ? p.from->get() : nullptr;
    const std::string_view client_id = from ? std::string_view(from->client_id) : std::string_view{};
    const std::string_view address = from ? std::string_view(from->peer_host) : std::string_view{};
    write(client_id, address, p.topic, false, [&](PayloadForm form) {
      return head("PUBLISH", client_id, address, "publish_to") +
             fmt::format(", topic: {}, payload: {}", p.topic, payload_text(p.payload, form));
    });
  }
  void on_filter(std::string_view event, std::string_view tag, const broker::Session& session,
                 std::string_view filter) {
    if (filter.starts_with("$SYS/")) return;
    const auto parsed = broker::parse_filter(filter);
    write(session.client_id(), session.identity()->peer_host, parsed ? parsed->filter : filter, true, [&](PayloadForm) {
      return head(tag, session.client_id(), session.identity()->peer_host, event) + fmt::format(", topic: {}", filter);
    });
  }

  void arm() { broker_.loop().timers().arm(*this, broker_.loop().now(), kTick); }
  void on_timer() override {
    arm();
    module_.tick();
  }

  LogTrace& module_;
  broker::Broker& broker_;
  ActiveRef active_;
  std::uint32_t packet_ = 0, trace_ = 0, publish_ = 0, subscribed_ = 0, unsubscribed_ = 0;
};

LogTrace::LogTrace(broker::ModuleContext& context)
    : context_(context), writer_(kFileBytesMax), shards_(context.core.shards()) {
  restore();
}
LogTrace::~LogTrace() = default;

void LogTrace::join(broker::Broker& broker) {
  const std::lock_guard guard(mutex_);
  shards_[broker.shard()] = std::make_unique<Shard>(*this, broker);
  shards_[broker.shard()]->set(active_);
}

std::string LogTrace::list_path() const {
  return (std::filesystem::path(context_.data_dir) / "trace" / "traces.json").string();
}

std::string LogTrace::path_of(const Trace& trace) const {
  if (!trace.file.empty()) return trace.file;
  const std::string day = rfc3339(trace.start_ms, 0).substr(0, 10);
  return (std::filesystem::path(context_.data_dir) / "trace" / fmt::format("trace_{}_{}.log", trace.name, day))
      .string();
}

void LogTrace::keep() const {
  if (context_.data_dir.empty()) return;
  std::string text = "[";
  for (const Known& known : known_) {
    JsonObject one;
    one.text("name", known.trace.name).text("type", to_string(known.trace.kind)).text("value", known.trace.value);
    one.number("start_ms", known.trace.start_ms).number("end_ms", known.trace.end_ms);
    one.boolean("stopped", known.trace.stopped).text("payload_encode", to_string(known.trace.payload));
    if (!known.trace.file.empty()) one.text("file", known.trace.file);
    text += (text.size() > 1 ? ",\n " : "\n ") + one.done();
  }
  text += "\n]\n";
  const std::string path = list_path();
  std::error_code error;
  if (auto written = config::write_private(path + ".new", text); !written)
    SB_LOG(log::Level::Error, "traces_not_kept", kv("file", path), kv("reason", written.error().what));
  else if (std::filesystem::rename(path + ".new", path, error); error)
    SB_LOG(log::Level::Error, "traces_not_kept", kv("file", path), kv("reason", error.message()));
}

void LogTrace::restore() {
  if (context_.data_dir.empty()) return;
  std::ifstream in(list_path());
  if (!in) return;
  std::ostringstream text;
  text << in.rdbuf();
  const auto list = config::parse_value(text.str(), list_path());
  const auto* rows = list ? list->if_array() : nullptr;
  if (!rows) {
    SB_LOG(log::Level::Error, "traces_not_restored", kv("file", list_path()));
    return;
  }
  const std::int64_t wall = context_.clock.wall_ms();
  for (const config::Value& row : *rows) {
    const auto word = [&row](std::string_view key) {
      const config::Value* value = row.find(key);
      return value ? value->text() : std::string();
    };
    const auto number = [&row](std::string_view key) {
      const config::Value* value = row.find(key);
      const std::int64_t* found = value ? value->if_int() : nullptr;
      return found ? *found : std::int64_t{0};
    };
    const auto kind = trace_kind(word("type"));
    if (!kind || !good_name(word("name")) || known_.size() >= kTracesMax) continue;
    Known known;
    known.trace = {word("name"),
                   *kind,
                   word("value"),
                   number("start_ms"),
                   number("end_ms"),
                   word("stopped") == "true",
                   payload_form(word("payload_encode")).value_or(PayloadForm::Text),
                   word("file")};
    known.path = path_of(known.trace);
    known.starts = now_ms() + (known.trace.start_ms - wall);
    known.ends = now_ms() + (known.trace.end_ms - wall);
    if (status(known, now_ms()) != Status::Stopped) {
      auto file = writer_.open(known.path);
      if (!file) {
        SB_LOG(log::Level::Error, "trace_not_restored", kv("name", known.trace.name), kv("reason", file.error().what));
        continue;
      }
      known.file = *std::move(file);
    }
    known_.push_back(std::move(known));
  }
  const std::lock_guard guard(mutex_);
  refresh();
}

Status LogTrace::status(const Known& known, std::int64_t now) const {
  if (known.trace.stopped || now >= known.ends) return Status::Stopped;
  return now < known.starts ? Status::Waiting : Status::Running;
}

Result<> LogTrace::create(Trace trace) {
  if (!good_name(trace.name) || !is_letter(trace.name.front()))
    return fail(Errc::Invalid, "a trace's name is a letter, then letters, digits, '_' and '-'");
  if (trace.value.empty()) return fail(Errc::Invalid, "a trace names what it follows");
  if (!trace.file.empty() && !std::filesystem::path(trace.file).is_absolute())
    return fail(Errc::Invalid, "a trace's file needs an absolute path");
  if (trace.kind == Kind::Topic && !broker::check_topic_filter(trace.value))
    return fail(Errc::Invalid, "bad topic filter: " + trace.value);
  const std::int64_t wall = context_.clock.wall_ms();
  trace.start_ms = std::max(trace.start_ms, wall);  // 2.16: what has passed is now
  if (trace.end_ms == 0) trace.end_ms = trace.start_ms + kDefaultDurationMs;
  if (trace.end_ms <= wall) return fail(Errc::Invalid, "end_at time has already passed");
  if (trace.end_ms <= trace.start_ms) return fail(Errc::Invalid, "a trace ends after it starts");

  const std::lock_guard guard(mutex_);
  for (const Known& known : known_) {
    if (known.trace.name == trace.name) return fail(Errc::Exists, "ALREADY_EXISTS");
    // Times are given and shown in seconds.
    if (known.trace.kind == trace.kind && known.trace.value == trace.value &&
        known.trace.start_ms / 1000 == trace.start_ms / 1000)
      return fail(Errc::Exists, "DUPLICATE_CONDITION");
  }
  if (known_.size() >= kTracesMax) return fail(Errc::Full, "EXCEED_LIMIT");
  std::error_code error;
  const std::filesystem::path folder = std::filesystem::path(context_.data_dir) / "trace";
  std::filesystem::create_directories(folder, error);
  if (error) return fail(Errc::Io, folder.string() + ": " + error.message());
  Known known;
  known.path = path_of(trace);
  known.starts = now_ms() + (trace.start_ms - wall);
  known.ends = now_ms() + (trace.end_ms - wall);
  known.trace = std::move(trace);
  SB_TRY(known.file, writer_.open(known.path));
  known_.push_back(std::move(known));
  keep();
  refresh();
  return {};
}

Result<> LogTrace::stop_trace(std::string_view name) {
  const std::lock_guard guard(mutex_);
  for (Known& known : known_) {
    if (known.trace.name != name) continue;
    known.trace.stopped = true;
    keep();
    refresh();
    return {};
  }
  return fail(Errc::NotFound, "NOT_FOUND");
}

Result<> LogTrace::remove(std::string_view name) {
  const std::lock_guard guard(mutex_);
  const auto found = std::find_if(known_.begin(), known_.end(), [&](const Known& k) { return k.trace.name == name; });
  if (found == known_.end()) return fail(Errc::NotFound, "NOT_FOUND");
  std::error_code error;
  if (found->trace.file.empty()) std::filesystem::remove(found->path, error);
  known_.erase(found);
  keep();
  refresh();
  if (error) return fail(Errc::Io, error.message());
  return {};
}

void LogTrace::clear() {
  const std::lock_guard guard(mutex_);
  for (const Known& known : known_) {
    std::error_code error;
    if (known.trace.file.empty()) std::filesystem::remove(known.path, error);  // one that is gone already is fine
  }
  known_.clear();
  keep();
  refresh();
}

std::vector<TraceInfo> LogTrace::list() const {
  const std::lock_guard guard(mutex_);
  std::vector<TraceInfo> out;
  for (const Known& known : known_) {
    struct stat about {};
    const std::uint64_t bytes = ::stat(known.path.c_str(), &about) == 0 ? static_cast<std::uint64_t>(about.st_size) : 0;
    out.push_back({known.trace, status(known, now_ms()), known.path, bytes});
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const TraceInfo& a, const TraceInfo& b) { return a.trace.start_ms > b.trace.start_ms; });
  return out;
}

void LogTrace::refresh() {
  auto active = std::make_shared<std::vector<Active>>();
  for (Known& known : known_) {
    const Status now = status(known, now_ms());
    if (now == Status::Stopped) known.file.reset();  // closed when the last line in the queue is written
    if (now == Status::Running && known.file)
      active->push_back({known.trace.kind, known.trace.value, known.trace.payload, known.file});
  }
  active_ = std::move(active);
  for (const auto& shard : shards_)
    if (shard) shard->broker().loop().post([s = shard.get(), current = active_] { s->set(current); });
}

void LogTrace::tick() {
  const std::lock_guard guard(mutex_);
  std::size_t running = 0;
  for (const Known& known : known_)
    if (status(known, now_ms()) == Status::Running) ++running;
  if (running != (active_ ? active_->size() : 0)) refresh();
}

void add_to(broker::ModuleRegistry& registry) {
  registry.add({"log_trace", "Traces clients, topics and addresses to files",
                [](broker::ModuleContext& context) { return std::make_unique<LogTrace>(context); }});
}

}  // namespace sb::plugins::module::log_trace
