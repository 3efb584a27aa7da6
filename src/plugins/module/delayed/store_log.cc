#include "plugins/module/delayed/store_log.h"

#include "broker/journal.h"
#include "store/tables.h"

namespace sb::plugins::module::delayed {

void StoreLog::append(unsigned shard, const Record& record) {
  store::put(core_.shard(shard).journal()->batch(),
             store::DelayedRecord{record.due_wall_ms, broker::store_fields(*record.message, record.number)});
}

void StoreLog::erase(unsigned shard, const Record& record) {
  store::erase_delayed(core_.shard(shard).journal()->batch(), record.due_wall_ms, record.number);
}

Result<> StoreLog::load(const std::function<void(Record)>& each) {
  return store::scan<store::DelayedRecord>(store_, [&](const store::DelayedRecord& row) -> Result<> {
    const store::MessageFields& fields = row.message;
    broker::IdentityRef from;
    if (!fields.client_id.empty())
      from = std::make_shared<const broker::Identity>(
          broker::Identity{std::string(fields.client_id), std::string(fields.username), std::string(fields.peer_host)});
    broker::Publication p;
    p.topic = fields.topic;
    p.payload = fields.payload;
    p.properties = fields.properties;
    p.qos = fields.qos;
    p.retain = fields.retain;
    p.expiry_s = fields.expiry_s;
    p.published_ms = fields.published_ms;
    p.from = &from;
    Record record;
    record.number = fields.id;
    record.due_wall_ms = row.due_ms;
    record.interval_s = (row.due_ms - fields.published_ms) / 1000;
    record.message = broker::MessageRef::adopt(broker::Message::make(p));
    each(std::move(record));
    return {};
  });
}

}  // namespace sb::plugins::module::delayed
