// The delayed messages of a node in its store. A change joins the open batch of its shard's journal: the
// acknowledgement of the publisher waits for it, and what a release queues commits together with the end of the delayed
// row.
#pragma once

#include "broker/broker.h"
#include "plugins/module/delayed/log.h"
#include "store/key_value.h"

namespace sb::plugins::module::delayed {

class StoreLog final : public Log {
 public:
  /// Both outlive the log; every shard has a journal.
  StoreLog(broker::Core& core, store::KeyValue& store) : core_(core), store_(store) {}
  void append(unsigned shard, const Record& record) override;
  void erase(unsigned shard, const Record& record) override;
  [[nodiscard]] Result<> load(const std::function<void(Record)>& each) override;

 private:
  broker::Core& core_;
  store::KeyValue& store_;
};

}  // namespace sb::plugins::module::delayed
