#include "broker/retained.h"

#include "broker/topic.h"

namespace sb::broker {

void RetainedStore::put(MessageRef message) {
  const auto found = messages_.find(message->topic());
  if (found != messages_.end()) messages_.erase(found);
  messages_.insert(std::move(message));
}

bool RetainedStore::erase(std::string_view topic) {
  const auto found = messages_.find(topic);
  if (found == messages_.end()) return false;
  messages_.erase(found);
  return true;
}

MessageRef RetainedStore::find(std::string_view topic) const {
  const auto found = messages_.find(topic);
  return found == messages_.end() ? MessageRef{} : *found;
}

void RetainedStore::match(std::string_view filter, std::int64_t now_ms, std::vector<MessageRef>& out) const {
  if (filter.find_first_of("+#") == std::string_view::npos) {
    if (const auto found = messages_.find(filter); found != messages_.end() && !(*found)->expired(now_ms))
      out.push_back(*found);
    return;
  }
  for (const MessageRef& message : messages_)
    if (!message->expired(now_ms) && matches(filter, message->topic())) out.push_back(message);
}

}  // namespace sb::broker
