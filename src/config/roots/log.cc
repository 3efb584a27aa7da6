#include "config/roots/log.h"

#include "config/roots/log_files.h"

namespace sb::config {
namespace {

/// Which handlers are on is told by the environment unless the file says it.
bool default_enable(const Checker& c, std::string_view handler) {
  std::string wanted;
  for (const char* name :
       {"EMQX_DEFAULT_LOG_HANDLER", "SIGNALBOX_DEFAULT_LOG_HANDLER", "EMQX_LOG__TO", "SIGNALBOX_LOG__TO"}) {
    const auto it = c.env().find(name);
    if (it != c.env().end() && !it->second.empty()) wanted = it->second;
  }
  if (handler == "console") return wanted == "console" || wanted == "both";
  return wanted != "console";
}

void set_enable(Value& handler, bool on) {
  if (auto* fields = handler.if_object(); fields && !fields->contains("enable") && !fields->contains("enabled")) {
    fields->emplace("enable", Value(on));
  }
}

/// What in `file` is an option of a handler goes to the handler `default`; the rest are handlers by name.
void name_file(Value& file) {
  auto* members = file.if_object();
  if (!members) return;
  const Struct& handler = LogHandler::schema(LogHandler::Kind::File);
  Value::Object options;
  for (auto it = members->begin(); it != members->end();) {
    const Key* option = handler.find(it->first);
    if (!option && (it->second.is_object() || it->second.is_null())) {
      ++it;
      continue;
    }
    // An old name must not be hidden by the present one below `default`; an object has a form of its own (`rotation`).
    if (option && option->name != it->first && !it->second.is_object())
      options.try_emplace(std::string(option->name), std::move(it->second));
    else
      options.insert_or_assign(it->first, std::move(it->second));
    it = members->erase(it);
  }
  if (options.empty()) return;
  Value beside(std::move(options));
  beside.at = file.at;
  Value& named = members->try_emplace("default").first->second;
  Problems ignored;
  if (named.is_object())
    merge(named, std::move(beside), ignored);
  else
    named = std::move(beside);
}

void name_files(Value& log) {
  auto* fields = log.if_object();
  if (!fields) return;
  const auto file = fields->find("file");
  if (file != fields->end()) name_file(file->second);
  const auto old = fields->find("file_handlers");
  if (old == fields->end()) return;
  Value handlers = std::move(old->second);
  fields->erase(old);
  name_file(handlers);
  Value& present = fields->try_emplace("file").first->second;
  Problems ignored;
  if (present.is_object() && handlers.is_object())
    merge(present, std::move(handlers), ignored);
  else
    present = std::move(handlers);
}

void prepare_log(Checker& c, Value& log) {
  name_files(log);
  if (!c.defaults()) return;
  auto* handlers = log.if_object()->try_emplace("file", Value(Value::Object{})).first->second.if_object();
  if (!handlers) return;
  if (handlers->empty()) handlers->emplace("default", Value(Value::Object{}));
  for (auto& [name, entry] : *handlers) set_enable(entry, default_enable(c, "file"));
}

bool valid_offset(const std::string& text) {
  if (text == "system" || text == "utc") return true;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
  for (const std::size_t i : {1u, 2u, 4u, 5u}) {
    if (text[i] < '0' || text[i] > '9') return false;
  }
  return text.substr(1, 2) <= "14" && text.substr(4) <= "59";
}

Struct make_handler(LogHandler::Kind kind) {
  using S = LogHandler;
  using K = LogHandler::Kind;
  Schema<S> s(kind == K::Console ? "console" : kind == K::File ? "file" : "audit", Hot::Y);
  s.field("enable", &S::enable, {.def = "false", .aliases = "enabled", .doc = "Whether lines go here."})
      .field("level", &S::level, {.def = kind == K::Audit ? "info" : "warning", .doc = "Least severe level written."})
      .field("formatter", &S::formatter,
             {.def = kind == K::Audit ? "json" : "text", .aliases = "format", .doc = "text or json."})
      .field("time_offset", &S::time_offset, {.def = "system", .doc = "Time zone of the lines: system, utc or +hh:mm."})
      .field("drop_mode_qlen", &S::drop_mode_qlen,
             {.def = "3000", .min = 1, .doc = "Waiting lines from which new ones are dropped.", .hidden = true})
      .field("burst_limit", &S::burst_limit, {.doc = "Most lines in a window.", .hidden = true})
      .accept<std::uint32_t>("chars_limit", {.def = "unlimited", .min = 100, .words = "unlimited"})
      .accept<bool>("single_line", {.def = "true"})
      .accept<std::uint32_t>("sync_mode_qlen", {.def = "100"})
      .accept<std::uint32_t>("flush_qlen", {.def = "8000"})
      .accept<LogOverloadKill>("overload_kill", {})
      .accept<std::string>("supervisor_reports", {.def = "error"})
      .accept<std::uint32_t>("max_depth", {.def = "100", .words = "unlimited"});
  if (kind != K::Console) {
    s.field("path", &S::path,
            {.def = kind == K::File ? "\"${EMQX_LOG_DIR}/emqx.log\"" : "\"${EMQX_LOG_DIR}/audit.log\"",
             .min = 1,
             .aliases = "file to",
             .doc = "File; rotated ones get .1, .2 and so on.",
             .path = true})
        .field("rotation_count", &S::rotation_count,
               {.def = "10", .min = 1, .max = 128, .aliases = "rotation", .doc = "Files kept."})
        .field("rotation_size", &S::rotation_size,
               {.def = "50MB",
                .min = 1,
                .words = "infinity",
                .aliases = "max_size",
                .doc = "Size at which a file is rotated.",
                .size = true});
  } else {
    s.drop("to");
  }
  if (kind == K::Audit) {
    s.field("max_filter_size", &S::max_filter_size,
            {.def = "5000", .min = 10, .max = 30000, .doc = "Records kept for the audit page."})
        .field("ignore_high_frequency_request", &S::ignore_high_frequency_request,
               {.def = "true", .doc = "Skip frequent requests."});
  }
  s.prepare([kind](Checker& c, Value& v) {
    if (kind == K::Console && c.defaults()) set_enable(v, default_enable(c, "console"));
    // `rotation { enable, count }` was the old shape.
    Value* rotation = v.find("rotation");
    if (!rotation || !rotation->is_object()) return;
    const Value* count = rotation->find("count");
    const Value moved = count ? *count : Value();
    v.if_object()->erase("rotation");
    if (!moved.is_null()) v.if_object()->try_emplace("rotation_count", moved);
  });
  s.finish([](Checker& c, const Value& v, S& handler) {
    if (!valid_offset(handler.time_offset))
      c.broken(v, "time_offset", "bad_time_offset", "system, utc or an offset like +08:00");
  });
  return s.build();
}

}  // namespace

log::Level to_level(LogLevel level) {
  return level == LogLevel::All ? log::Level::Debug : static_cast<log::Level>(static_cast<std::uint8_t>(level));
}

void name_log_files(Value& root) {
  if (Value* log = root.find("log")) name_files(*log);
}

const Struct& LogBurst::schema() {
  using S = LogBurst;
  static const Struct s =
      Schema<S>("burst_limit", Hot::Y)
          .field("enable", &S::enable, {.def = "true", .doc = "Whether bursts are cut."})
          .field("max_count", &S::max_count, {.def = "10000", .min = 1, .doc = "Most lines in a window."})
          .field("window_time", &S::window_time, {.def = "1s", .doc = "The window."})
          .build();
  return s;
}

const Struct& LogOverloadKill::schema() {
  using S = LogOverloadKill;
  static const Struct s = Schema<S>("overload_kill", Hot::Y)
                              .field("enable", &S::enable, {.def = "true", .hidden = true})
                              .accept<std::uint64_t>("mem_size", {.def = "30MB", .size = true})
                              .accept<std::uint32_t>("qlen", {.def = "20000"})
                              .accept<milliseconds>("restart_after", {.def = "5s", .words = "infinity"})
                              .build();
  return s;
}

const Struct& LogHandler::schema(Kind kind) {
  static const Struct schemas[] = {make_handler(Kind::Console), make_handler(Kind::File), make_handler(Kind::Audit)};
  return schemas[static_cast<std::size_t>(kind)];
}

const Struct& Log::Throttling::schema() {
  static const Struct s =
      Schema<Throttling>("throttling", Hot::Y)
          .field("time_window", &Throttling::time_window,
                 {.def = "1m", .doc = "Equal events within this time are told once with their number.", .since = "5.6"})
          .accept<std::vector<std::string>>("msgs", {})
          .build();
  return s;
}

const Struct& Log::schema() {
  using K = LogHandler::Kind;
  static const Struct s =
      Schema<Log>("log", Hot::Y)
          .doc("Log lines.")
          .field("console", &Log::console, {.aliases = "console_handler", .doc = "Standard output."},
                 &LogHandler::schema(K::Console))
          .field("file", &Log::file, {.doc = "Files: one, or several by name."}, &LogHandler::schema(K::File))
          .field("audit", &Log::audit, {.doc = "Record of management calls."}, &LogHandler::schema(K::Audit))
          .field("throttling", &Log::throttling, {.doc = "Repeated events.", .hidden = true})
          .prepare(prepare_log)
          .build();
  return s;
}

}  // namespace sb::config
