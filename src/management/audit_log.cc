#include "management/audit_log.h"

#include "base/log.h"
#include "store/tables.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

namespace sb::management {

namespace {

namespace json = boost::json;

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_string() ? std::string(std::string_view(value->get_string())) : std::string();
}
std::int64_t number_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value && value->is_int64() ? value->get_int64() : 0;
}

/// The entry that a record's JSON text belongs to.
std::optional<AuditEntry> entry_of(const store::AuditRecord& record) {
  json::error_code error;
  const json::value parsed = json::parse(record.entry, error);
  if (error || !parsed.is_object()) return std::nullopt;
  const json::object& object = parsed.get_object();
  AuditEntry out;
  out.created_us = record.created_us;
  out.sequence = record.sequence;
  out.from = text_of(object, "from");
  out.source = text_of(object, "source");
  out.source_ip = text_of(object, "source_ip");
  out.operation_id = text_of(object, "operation_id");
  out.operation_type = text_of(object, "operation_type");
  out.result = text_of(object, "operation_result");
  out.status = static_cast<unsigned>(number_of(object, "http_status_code"));
  out.method = text_of(object, "http_method");
  out.duration_ms = number_of(object, "duration_ms");
  return out;
}

template <class T>
bool equal(const std::optional<T>& wanted, const T& value) {
  return !wanted || *wanted == value;
}
bool within(const std::optional<std::int64_t>& from, const std::optional<std::int64_t>& to, std::int64_t value) {
  return (!from || value >= *from) && (!to || value <= *to);
}

}  // namespace

bool AuditQuery::matches(const AuditEntry& entry) const {
  return equal(from, entry.from) && equal(source, entry.source) && equal(source_ip, entry.source_ip) &&
         equal(operation_id, entry.operation_id) && equal(operation_type, entry.operation_type) &&
         equal(result, entry.result) && equal(method, entry.method) && equal(status, entry.status) &&
         within(created_from_us, created_to_us, entry.created_us) &&
         within(duration_from_ms, duration_to_ms, entry.duration_ms);
}

Result<> AuditLog::open(store::KeyValue* store, std::size_t max) {
  store_ = store;
  max_ = max;
  if (!store_) return {};
  SB_CHECKED(store::scan<store::AuditRecord>(*store_, [this](const store::AuditRecord& record) -> Result<> {
    auto entry = entry_of(record);
    if (!entry) {  // one line that cannot be shown is no reason not to serve
      SB_LOG(log::Level::Error, "audit_record_unreadable", kv("created_us", record.created_us));
      next_ = std::max(next_, record.sequence + 1);
      return {};
    }
    next_ = std::max(next_, entry->sequence + 1);
    entries_.push_back({std::move(*entry), {}});
    return {};
  }));
  set_max(max);
  return {};
}

void AuditLog::set_max(std::size_t max) {
  max_ = max;
  store::Batch batch;
  trim(batch);
  commit(std::move(batch));
}

void AuditLog::trim(store::Batch& batch) {
  while (entries_.size() > max_) {
    store::erase_audit(batch, entries_.front().entry.created_us, entries_.front().entry.sequence);
    entries_.pop_front();
  }
}

void AuditLog::commit(store::Batch&& batch) {
  if (!store_ || batch.empty()) return;
  if (const auto done = store_->commit_wait(std::move(batch)); !done)
    SB_LOG(log::Level::Error, "audit_not_stored", kv("reason", done.error().what));
}

void AuditLog::add(AuditEntry entry, std::string json) {
  // A clock that steps back must not put the new before the old.
  if (!entries_.empty()) entry.created_us = std::max(entry.created_us, entries_.back().entry.created_us);
  entry.sequence = next_++;
  store::Batch batch;
  store::put(batch, store::AuditRecord{entry.created_us, entry.sequence, json});
  entries_.push_back({std::move(entry), store_ ? std::string() : std::move(json)});
  trim(batch);
  commit(std::move(batch));
}

Result<std::string> AuditLog::load(const Row& row) const {
  if (!store_) return row.json;
  return store::load_audit(*store_, row.entry.created_us, row.entry.sequence);
}

Result<AuditLog::Page> AuditLog::list(const AuditQuery& query) const {
  Page out;
  for (auto row = entries_.rbegin(); row != entries_.rend(); ++row) {
    if (!query.matches(row->entry)) continue;
    if (out.count++ < query.skip) continue;
    if (out.rows.size() == query.limit) {
      out.more = true;
      continue;
    }
    auto json = load(*row);
    if (json)
      out.rows.push_back(std::move(*json));
    else if (json.error().code != Errc::NotFound)  // the store had refused it
      return tl::unexpected(std::move(json).error());
  }
  return out;
}

}  // namespace sb::management
