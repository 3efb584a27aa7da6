#include "store/key_value.h"

#include <future>

namespace sb::store {

Result<> KeyValue::commit_wait(Batch&& batch) {
  // Shared, because the waiter may be gone while the writer thread still leaves set_value().
  auto outcome = std::make_shared<std::promise<Result<>>>();
  std::future<Result<>> answer = outcome->get_future();
  commit(std::move(batch), [&batch, outcome](Result<> result, Batch spent) {
    batch = std::move(spent);
    outcome->set_value(std::move(result));
  });
  return answer.get();
}

std::vector<Migration> migrations() {
  return {};
}

}  // namespace sb::store
