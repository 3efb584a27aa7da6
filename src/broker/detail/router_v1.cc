// Schema v1: a table of all filters and, beside it, an index that counts the prefixes of wildcard filters.
//
// An index row per wildcard filter and per proper prefix of it, each with a count. With compaction only prefixes that
// end in a wildcard have a row. Matching builds candidate filters level by level, goes on with `+` (and, without
// compaction, with the word) where a prefix is counted, and looks every candidate up: up to 2^levels look-ups. It is
// the baseline that v2 is measured against; the guarantees to readers are the same.
#include "base/check.h"
#include "base/hash.h"
#include "broker/detail/router_base.h"

#include <cstring>
#include <new>
#include <string>

namespace sb::broker::detail {

namespace {

// A prefix "a/+/" is kept without its last slash; so "" (one empty level) and the root differ by never storing the
// root.
struct Row {
  std::atomic<std::uint32_t> prefixes{0};  // filters that go on behind this text
  std::atomic<std::uint32_t> filters{0};   // 1 when the text is itself a filter
  std::uint32_t size = 0;

  char* text() { return reinterpret_cast<char*>(this + 1); }
  std::string_view view() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  static std::size_t bytes_of(std::size_t size) { return sizeof(Row) + size; }
};

void destroy_row(void* row) {
  ::operator delete(row);
}

void change(std::atomic<std::uint32_t>& count, std::uint32_t by) {
  count.store(count.load(std::memory_order_relaxed) + by, std::memory_order_release);
}

class RouterV1 final : public RouterBase {
 public:
  RouterV1(const RouterOptions& options, runtime::Reclaimer& reclaimer)
      : RouterBase(options.shards, reclaimer), compact_(options.trie_compaction), index_(reclaimer) {}

  ~RouterV1() override {
    for (unsigned i = 0; i < PointerTable::kSegments; ++i)
      index_.visit_segment(i, [](std::uint64_t entry) { destroy_row(reinterpret_cast<void*>(entry)); });
  }

  void match(std::string_view topic, RouteList& out) const override {
    MatchScratch scratch(topic, out);
    if (Route* exact = find(topic)) scratch.found(exact);
    if (index_.size() == 0) return;
    std::string candidate;
    candidate.reserve(topic.size() + 2);
    walk(scratch, candidate);
  }

 protected:
  void link_wildcard(Route& route) override {
    each_prefix(route.filter(), [this](std::string_view prefix) { change(row(prefix).prefixes, 1); });
    change(row(route.filter()).filters, 1);
  }

  void unlink_wildcard(Route& route) override {
    const auto minus_one = static_cast<std::uint32_t>(-1);
    each_prefix(route.filter(), [&](std::string_view prefix) {
      Row& counted = row(prefix);
      change(counted.prefixes, minus_one);
      drop_if_unused(counted);
    });
    Row& own = row(route.filter());
    change(own.filters, minus_one);
    drop_if_unused(own);
  }

  MemoryUse index_memory() const override {
    return {.routes = 0, .nodes = row_bytes_.load(std::memory_order_relaxed), .tables = index_.bytes()};
  }

 private:
  // "a/b/+/c/#": compacted "a/b/+"; else "a", "a/b", "a/b/+", "a/b/+/c".
  template <class Visitor>
  void each_prefix(std::string_view filter, Visitor&& visitor) const {
    std::size_t begin = 0;
    for (std::size_t end = filter.find('/'); end != std::string_view::npos; end = filter.find('/', begin)) {
      if (!compact_ || filter.substr(begin, end - begin) == "+") visitor(filter.substr(0, end));
      begin = end + 1;
    }
  }

  const Row* find_row(std::string_view text) const {
    return reinterpret_cast<const Row*>(index_.find(
        hash_text(text), [&](std::uint64_t entry) { return reinterpret_cast<const Row*>(entry)->view() == text; }));
  }

  Row& row(std::string_view text) {
    if (const Row* known = find_row(text)) return *const_cast<Row*>(known);
    Row* made = new (::operator new(Row::bytes_of(text.size()))) Row{};
    made->size = static_cast<std::uint32_t>(text.size());
    if (!text.empty()) std::memcpy(made->text(), text.data(), text.size());
    index_.insert(hash_text(text), reinterpret_cast<std::uint64_t>(made));
    row_bytes_.store(row_bytes_.load(std::memory_order_relaxed) + Row::bytes_of(text.size()),
                     std::memory_order_relaxed);
    return *made;
  }

  void drop_if_unused(Row& unused) {
    if (unused.prefixes.load(std::memory_order_relaxed) != 0 || unused.filters.load(std::memory_order_relaxed) != 0)
      return;
    index_.erase(hash_text(unused.view()), reinterpret_cast<std::uint64_t>(&unused));
    row_bytes_.store(row_bytes_.load(std::memory_order_relaxed) - Row::bytes_of(unused.size),
                     std::memory_order_relaxed);
    reclaimer_.retire(&unused, destroy_row);
  }

  // `candidate` holds the levels before `level` joined by slashes. Where `+` is counted the walk goes there first and
  // keeps the way along the topic's own word for later: the text up to the fork is still in `candidate` then.
  void walk(MatchScratch& scratch, std::string& candidate) const {
    const bool hidden = scratch.topic().starts_with('$');  // from wildcards at the root. [MQTT-4.7.2-1]
    std::size_t level = 0;
    const void* fork = nullptr;
    bool taken_up = false;
    do {
      if (taken_up) candidate.resize(reinterpret_cast<std::size_t>(fork));
      for (bool plus_done = taken_up;; ++level, plus_done = false) {
        if (!plus_done) {
          const bool skip_wildcards = hidden && level == 0;
          if (!skip_wildcards) look_up(scratch, candidate, level, "#");
          if (!scratch.has_level(level)) {
            look_up_whole(scratch, candidate);
            break;
          }
          if (!skip_wildcards && take_plus(scratch, candidate, level)) continue;
        }
        append(candidate, level, scratch.word(level));
        if (!compact_ && find_row(candidate) == nullptr) break;
      }
      taken_up = true;
    } while (scratch.pop(fork, level));
  }

  bool take_plus(MatchScratch& scratch, std::string& candidate, std::size_t level) const {
    const std::size_t before = candidate.size();
    append(candidate, level, "+");
    if (find_row(candidate) == nullptr) {
      candidate.resize(before);
      return false;
    }
    scratch.push(reinterpret_cast<const void*>(before), level);
    return true;
  }

  static void append(std::string& candidate, std::size_t level, std::string_view word) {
    if (level > 0) candidate.push_back('/');
    candidate.append(word);
  }

  void look_up(MatchScratch& scratch, std::string& candidate, std::size_t level, std::string_view word) const {
    const std::size_t size = candidate.size();
    append(candidate, level, word);
    look_up_whole(scratch, candidate);
    candidate.resize(size);
  }

  // The topic's own text was looked up before; only rows that are wildcard filters lead to the table.
  void look_up_whole(MatchScratch& scratch, std::string_view candidate) const {
    const Row* counted = find_row(candidate);
    if (counted == nullptr || counted->filters.load(std::memory_order_acquire) == 0) return;
    if (Route* route = find(candidate)) scratch.found(route);
  }

  const bool compact_;
  PointerTable index_;
  std::atomic<std::size_t> row_bytes_{0};
};

}  // namespace

std::unique_ptr<Router> make_router_v1(const RouterOptions& options, runtime::Reclaimer& reclaimer) {
  return std::make_unique<RouterV1>(options, reclaimer);
}

}  // namespace sb::broker::detail
