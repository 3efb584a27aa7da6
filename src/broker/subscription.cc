// check: allow new in this file: the list is owned by its slot
#include "broker/subscription.h"

#include <vector>

namespace sb::broker {

namespace {
using List = std::vector<Subscription*>;
List* list_of(void* slot) {
  const auto word = reinterpret_cast<std::uintptr_t>(slot);
  return word & 1U ? reinterpret_cast<List*>(word & ~std::uintptr_t{1}) : nullptr;
}
void* tag(List* list) {
  return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(list) | 1U);
}
}  // namespace

void LocalSubscribers::add(Route& route, unsigned shard, Subscription& subscription) {
  void* slot = route.local(shard);
  if (!slot) {
    subscription.position = 0;
    route.set_local(shard, &subscription);
    return;
  }
  List* list = list_of(slot);
  if (!list) {
    list = new List{static_cast<Subscription*>(slot)};  // owned by the slot
    route.set_local(shard, tag(list));
  }
  subscription.position = static_cast<std::uint32_t>(list->size());
  list->push_back(&subscription);
}

bool LocalSubscribers::remove(Route& route, unsigned shard, Subscription& subscription) {
  List* list = list_of(route.local(shard));
  if (!list) {
    route.set_local(shard, nullptr);
    return true;
  }
  Subscription* last = list->back();
  (*list)[subscription.position] = last;
  last->position = subscription.position;
  list->pop_back();
  if (list->size() > 1) return false;
  route.set_local(shard, list->front());
  list->front()->position = 0;
  delete list;
  return false;
}

}  // namespace sb::broker
