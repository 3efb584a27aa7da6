// What a shard owes to the disk (architecture: "State that must survive"). Sessions and the retained store add changes
// to one open batch. A batch that holds nothing but messages just sent to clients is staged at the end of its turn:
// most of them are acknowledged soon, and what was taken back before its batch is handed to the store need not be
// written at all. Other batches stay open a little, so that much goes together. Batches reach the store in their order.
// Whatever depends on a change waits for its ticket. Belongs to the shard.
//
// A ticket names a batch. It is kept when that batch is on disk, or when nothing of it is left to write, and the same
// is true for all before it. What the disk refuses counts as kept too, so that nobody waits for a disk that is full:
// refused() tells, until the batch, which is tried again, is written after all. Who may not go on before that, because
// a crash would undo what it tells, asks stored().
#pragma once

#include "broker/message.h"
#include "broker/receipt.h"
#include "runtime/loop.h"
#include "store/key_value.h"
#include "store/tables.h"

#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <deque>
#include <memory>

namespace sb::broker {

struct Owed;
class Session;

/// The message as the store's records want it.
store::MessageFields store_fields(const Message& message, store::MessageId id = 0);

class Journal;

/// Somebody who waits for commits; called after each until it stops waiting.
class CommitWaiter {
 public:
  /// Looks at what it waits for; true = it waits for nothing more.
  virtual bool on_commit(const Journal& journal) = 0;

 protected:
  CommitWaiter() = default;
  ~CommitWaiter() { unlink(); }
  CommitWaiter(const CommitWaiter&) = delete;
  CommitWaiter& operator=(const CommitWaiter&) = delete;

 private:
  friend class Journal;
  void unlink();
  CommitWaiter* next_ = nullptr;
  CommitWaiter* previous_ = nullptr;
  Journal* list_ = nullptr;
};

class Journal {
 public:
  /// A batch waits this long for more before it commits.
  static constexpr Nanos kLinger{200'000};
  /// A staged batch waits at most this long for acknowledgements; not at all where they take longer.
  static constexpr Nanos kHope{4'000'000};
  /// Batches that wait are committed when they hold this much.
  static constexpr std::size_t kBatchBytes = 4U << 20;
  /// While the disk takes nothing QoS 1 and 2 are refused, but retained QoS 0 messages, wills, acknowledgements and
  /// ends of sessions go on and collect here. Above it no publisher is read until the disk takes writes again.
  static constexpr std::size_t kWaitingBytesMax = 64U << 20;

  Journal(store::KeyValue& store, runtime::Loop& loop, unsigned shard);
  ~Journal();

  // --- changes
  /// A message owed to a session: writes the message once per shard and a row for the session. Sets owed.durable.
  void add(std::uint64_t session, Owed& owed, store::QueueState state, PacketId packet_id);
  /// The state of a row that exists.
  void update(std::uint64_t session, Owed& owed, store::QueueState state, PacketId packet_id);
  enum class Removal : std::uint8_t {
    Done,   // costs nothing on disk if its batch has not gone yet
    Moved,  // the message is owed to somebody else now, by a row of the open batch: may not go before that is there
  };
  void remove(std::uint64_t session, Owed& owed, Removal removal = Removal::Done);
  /// Known from a stored row (start-up).
  void adopt(const MessageRef& message, store::MessageId id);
  /// Direct access for rows without history: sessions, subscriptions, retained, ...
  store::Batch& batch() {
    touch();
    ++changes_;
    open_.urgent = true;
    return open_.rows;
  }
  /// Grows with every change: tells whether something in between made one.
  std::size_t changes() const { return changes_; }

  // --- joint commits (receipt.h)
  /// While it lives, rows of messages owed anew collect in a part instead of the open batch; without a shard's part
  /// (`apart` false) the reverse: for what is published from within such a publication.
  class Scope {
   public:
    explicit Scope(Journal& journal, bool apart = true);
    ~Scope() { journal_.part_ = outer_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    /// The part, null if nothing was owed. The shard's current ticket now waits for it.
    PartRef close();

   private:
    Journal& journal_;
    Part* outer_;
    PartRef part_;
  };
  bool apart() const { return part_ != nullptr; }
  /// At the origin: the rows go with the open batch; told through PartSettled when that is kept or refused.
  void carry(PartRef part);
  /// At the shard whose part it is: refused (it will be told again) or on disk.
  void settle_part(std::uint32_t serial, bool kept);
  using PartSettled = std::function<void(const Part&, bool kept)>;
  void set_part_settled(PartSettled settled) { part_settled_ = std::move(settled); }

  // --- waiting
  /// What a change made now has to wait for.
  Ticket ticket() const { return open_.ticket; }
  /// Kept when everything changed so far is.
  Ticket barrier() const { return touched_ ? open_.ticket : open_.ticket - 1; }
  bool kept(Ticket ticket) const { return ticket == 0 || static_cast<std::int32_t>(ticket - kept_) <= 0; }
  /// The disk refused the batch of this ticket, and has not taken it since.
  bool refused(Ticket ticket) const;
  /// Kept, and nothing up to it is still owed to the disk.
  bool stored(Ticket ticket) const {
    return kept(ticket) && (!owing_ || ticket == 0 || static_cast<std::int32_t>(ticket - stored_) <= 0);
  }
  /// Something that was refused is not on disk yet.
  bool owing() const { return owing_; }
  void wait(CommitWaiter& waiter);
  void notify_waiters();
  /// Tells the receipt's origin when the current batch is kept.
  void attach(ReceiptRef receipt);
  using ReceiptDone = std::function<void(const ReceiptRef&)>;
  void set_receipt_done(ReceiptDone done) { receipt_done_ = std::move(done); }

  /// Once a turn: commits what is due. Returns how long the loop may sleep.
  Nanos after_turn();
  /// Before the shard runs: writes what is open and waits for it.
  [[nodiscard]] Result<> commit_now();
  /// Writes fail at present (disk full): nothing more can be promised.
  bool trouble() const { return !retry_.empty() || retrying_; }
  /// More is under way than the disk takes, or more waits for a disk that takes nothing: publishers should pause.
  bool congested() const { return in_flight_ > kInFlightMax || (trouble() && open_.rows.bytes() > kWaitingBytesMax); }

  void set_message_floor(std::uint64_t floor) { messages_ = std::max(messages_, floor); }

 private:
  friend class CommitWaiter;
  static constexpr unsigned kInFlightMax = 64;
  static constexpr Nanos kRetry{1'000'000'000};

  struct Row {
    store::MessageId id = 0;
    std::uint32_t references = 0;
    Ticket ticket = 0;  // of the batch that holds the put
    store::Batch::Mark mark = 0;
    std::uint32_t part = 0;  // the newest part that holds a put, 0 = none
    bool spread = false;     // put more than once: never cancelled
  };
  /// A batch from its opening to the day everything before it and it itself is known to be kept.
  struct Going {
    Ticket ticket = 0;
    std::vector<ReceiptRef> receipts{};
    std::vector<PartRef> carried{};
    unsigned parts = 0;  // of this shard, under way with others' batches
    bool committed = false;
    bool ok = true;
  };
  using Carried = std::vector<PartRef>;
  /// A batch that has not gone to the store.
  struct Lot {
    store::Batch rows{};
    Ticket ticket = 1;
    Nanos opened{0};
    std::uint32_t hopes = 0;  // rows that an acknowledgement may take back
    bool urgent = false;      // holds others, and somebody waits for them
  };
  struct Refused {
    Ticket ticket;
    store::Batch batch;
    Carried carried;
  };

  void touch();
  Part* undecided(std::uint32_t serial) const;
  void write_message(store::Batch& to, Row& row, const Message& message);
  Lot* not_gone(Ticket ticket);
  Nanos due(const Lot& lot) const { return lot.opened + (lot.urgent ? kLinger : hope_); }
  void commit_staged(std::size_t count);
  void probe(const Lot& lot);
  void probed(Nanos took);
  void recycle(store::Batch batch);
  void close_open();
  void hand_over(Ticket ticket, store::Batch batch, Carried carried);
  void committed(Ticket ticket, bool ok, store::Batch spent, Carried carried);
  Going* find_going(Ticket ticket);
  void written(Going& going, bool ok);
  bool settle();
  void begin_owing();
  void end_owing();

  store::KeyValue& store_;
  runtime::Loop& loop_;
  unsigned shard_;
  Lot open_;
  Ticket kept_ = 0;
  std::size_t changes_ = 0;
  bool touched_ = false;  // the open batch had something in it, though all may be cancelled
  std::deque<Lot> staged_;
  Nanos hope_ = kLinger;
  /// How long acknowledgements take, by one batch after the other.
  struct Probe {
    Ticket ticket = 0;  // 0 = none under way
    Nanos opened{0};
    std::uint32_t left = 0;  // acknowledgements until most of the batch has them
    Nanos usual{0};
  } probe_;
  Going opening_;            // of the open batch
  std::deque<Going> going_;  // in order of tickets
  std::deque<Refused> retry_;
  std::shared_ptr<store::Lane> lane_ = std::make_shared<store::Lane>();
  std::deque<Ticket> refused_;  // while owing
  Nanos retry_at_{0};
  bool retrying_ = false;  // a refused batch is under way again: nothing else is
  bool owing_ = false;
  Ticket stored_ = 0;                // while owing: everything up to it is on disk
  std::uint32_t refused_parts_ = 0;  // not on disk yet
  unsigned in_flight_ = 0;
  std::vector<store::Batch> spare_;
  boost::unordered_flat_map<const Message*, Row> rows_;
  std::uint64_t messages_ = 0;
  Part* part_ = nullptr;  // where rows of messages go now; null = the open batch
  std::uint32_t part_serials_ = 0;
  boost::unordered_flat_map<std::uint32_t, PartRef> parts_;  // not on disk yet
  PartSettled part_settled_;
  CommitWaiter* first_ = nullptr;
  CommitWaiter* last_ = nullptr;
  CommitWaiter* next_told_ = nullptr;  // kept right by unlink()
  ReceiptDone receipt_done_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace sb::broker
