#include "http/connections.h"

#include "http/detail/connection.h"

namespace sb::http {

Connections::Connections(runtime::Loop& loop, Handler handler, PlanBody plan)
    : loop_(loop), handler_(std::move(handler)), plan_(std::move(plan)), self_(std::make_shared<Connections*>(this)) {}

Connections::~Connections() {
  *self_ = nullptr;
  close();
}

void Connections::add(Accepted accepted) {
  const std::uint64_t id = next_id_++;
  auto connection = std::make_unique<detail::Connection>(*this, loop_, std::move(accepted), id);
  if (connection->start())
    connections_.emplace(id, std::move(connection));
  else
    connection->retire();
}

void Connections::finish() {
  std::vector<std::uint64_t> ids;
  for (const auto& [id, connection] : connections_) ids.push_back(id);
  for (const std::uint64_t id : ids)
    if (const auto found = connections_.find(id); found != connections_.end()) found->second->finish();
}

void Connections::close() {
  for (auto& [id, connection] : connections_) {
    connection->retire();
    loop_.destroy_later(std::move(connection));
  }
  connections_.clear();
}

bool Connections::drop_longest_waiting() {
  const auto before = [](const detail::Connection& a, const detail::Connection& b) {
    return std::pair(a.has_part(), a.waiting_since()) < std::pair(b.has_part(), b.waiting_since());
  };
  auto chosen = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it)
    if (it->second->waiting() && (chosen == connections_.end() || before(*it->second, *chosen->second))) chosen = it;
  if (chosen == connections_.end()) return false;
  chosen->second->retire();
  remove(chosen->first);
  return true;
}

void Connections::remove(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  loop_.destroy_later(std::move(found->second));
  connections_.erase(found);
}

void Connections::later(std::uint64_t id) {
  loop_.post([self = self_, id] {
    if (!*self) return;
    const auto found = (*self)->connections_.find(id);
    if (found != (*self)->connections_.end()) found->second->go_on();
  });
}

}  // namespace sb::http
