// What waits for a client: its queue, and what it has not acknowledged.
#include "management/gather.h"
#include "management/service.h"

namespace sb::management {

namespace {

using Place = broker::MessageQueue::Place;

/// Messages that are looked at before others on the shard get their turn.
constexpr std::size_t kSlice = 256;

/// The next rows behind `after`, at most `most`.
void append(const broker::Session& session, const WaitingQuery& query, const std::optional<Place>& after,
            std::size_t most, std::vector<WaitingMessages::Row>& out) {
  if (!query.inflight)
    return session.queue().look(after, most, [&out](const Place& place, const broker::Owed& owed) {
      out.push_back({owed.message, owed.qos, place});
    });
  for (const broker::Owed* owed : session.unacknowledged(after ? after->sequence : 0, most))
    out.push_back({owed->message, owed->qos, {0, owed->sequence}});
}

}  // namespace

/// Touched by one thread at a time.
struct Service::WaitingList {
  WaitingQuery query;
  WaitingMessages found;
  bool begun = false;
  std::function<void(std::optional<WaitingMessages>)> done;
};

void Service::wait_on(std::shared_ptr<WaitingList> list) {
  enum class Step : std::uint8_t { Gone, Done, Again };
  at_home<Step>(
      list->query.client_id,
      [list](broker::Broker&, broker::Session* session) {
        if (!session) return list->begun ? Step::Done : Step::Gone;
        WaitingMessages& found = list->found;
        if (!std::exchange(list->begun, true)) {
          std::vector<WaitingMessages::Row> first;
          append(*session, list->query, std::nullopt, 1, first);
          if (!first.empty()) found.first = first[0].place;
        }
        const std::size_t wanted = list->query.limit + 1;  // one more tells whether there are more
        const std::size_t before = found.rows.size();
        const std::size_t most = std::min(kSlice, wanted - before);
        append(*session, list->query, before == 0 ? list->query.after : std::optional(found.rows.back().place), most,
               found.rows);
        return found.rows.size() - before == most && found.rows.size() < wanted ? Step::Again : Step::Done;
      },
      [this, list](Step step) {
        if (step == Step::Again) return wait_on(list);
        if (step == Step::Gone) return list->done(std::nullopt);
        WaitingMessages& found = list->found;
        found.more = found.rows.size() > list->query.limit;
        if (found.more) found.rows.pop_back();
        list->done(std::move(found));
      });
}

void Service::waiting(WaitingQuery query, std::function<void(std::optional<WaitingMessages>)> done) {
  auto list = std::make_shared<WaitingList>();
  list->query = std::move(query);
  list->done = std::move(done);
  wait_on(std::move(list));
}

}  // namespace sb::management
