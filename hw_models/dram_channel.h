// One DRAM channel behind its scheduler: queues, FR-FCFS, write drain, refresh. Pure; the clock is
// an argument. Independent of every other channel.
#pragma once

#include <vector>

#include "hw_models/dram_address.h"
#include "hw_models/dram_banks.h"

namespace tessera::hw {

enum class DramRefresh { kOff, kAllBank, kPerBank };

/// The controller. Pages stay open until another row of the bank or a refresh needs them.
struct DramPolicy {
  int read_queue = 32, write_queue = 32;  // bursts that wait for their column command
  int drain_above = 26, drain_to = 6;     // writes in the queue that start and end a drain
  DramRefresh refresh = DramRefresh::kAllBank;
  bool full_queue_stops_both = false;  // one door for reads and writes
  bool stagger_refresh = false;  // pseudo channels in turn, too, and not only the ranks of each
};

/// `bursts` bursts of one row, in the order of their columns.
struct DramAccess {
  std::int64_t token = 0;  // the caller's name for it
  int bank = 0;
  std::int64_t row = 0;
  bool is_write = false;
  int bursts = 1;
};

struct DramCompletion {
  std::int64_t token = 0;
  bool is_write = false;
  DramClock accepted = 0;
  DramClock first_beats = 0;  // end of the first burst on the data bus
  DramClock last_beats = 0;   // end of the last
  int bursts = 0;
  int activates = 0;  // rows opened for it
};

struct DramCommandCounts {
  std::int64_t activates = 0, precharges = 0, reads = 0, writes = 0;
  std::int64_t refreshes_all = 0, refreshes_bank = 0;
  DramCommandCounts& operator+=(const DramCommandCounts& other);
};

/// Who waits in front of the queues: bursts of a read, of a write; 0: nobody.
struct DramRoom {
  int reads = 0, writes = 0;
};

/// A switch that an accept causes leaves the command of that clock as it was planned before.
/// Commands go to the bank whose next one may end first, at equal clocks to the oldest access;
/// each bank prefers the oldest hit of its open row, then the oldest access. Reads go first until
/// more than `drain_above` writes wait or no read does; then writes, down to `drain_to`.
/// An all-bank refresh stops its rank when it is due; a per-bank refresh takes a bank
/// without work when there is one.
class DramChannel {
 public:
  /// Throws std::invalid_argument for over 64 banks: pseudo channels x ranks x banks.
  DramChannel(const DramDevice& device, const DramPolicy& policy);
  DramChannel(DramChannel&&) = default;  // a copy would look at the original's rules
  DramChannel(const DramChannel&) = delete;

  bool has_space(bool is_write, int bursts = 1) const {
    const bool own = waiting_[is_write ? 1 : 0] + bursts <= capacity_[is_write ? 1 : 0];
    return own && (!policy_.full_queue_stops_both ||
                   waiting_[is_write ? 0 : 1] < capacity_[is_write ? 0 : 1]);
  }
  /// REQUIRES: has_space; `now` not before an earlier accept, and after all advanced clocks.
  void accept(const DramAccess& access, DramClock now);
  /// Issues every command up to and including clock `until`, and appends what they complete, in
  /// the order of their column commands. Stops with the clock of a command that makes wanted room.
  /// Returns the clock up to which no further command is issued.
  DramClock advance(DramClock until, std::vector<DramCompletion>& done,
                    const DramRoom& wanted = {});
  /// The clock of the next command if nothing more is accepted; kNeverClock without waiting
  /// accesses.
  DramClock next_command();

  bool is_idle() const { return waiting_[0] + waiting_[1] == 0; }
  const DramCommandCounts& counts() const { return counts_; }

 private:
  static constexpr int kNone = -1, kMaxBanks = 64;
  static constexpr std::size_t kBankCommands = 5;  // up to kActivateSecond
  static constexpr int kAgeBits = 42;              // 4e12 bursts
  static constexpr DramClock kFarAhead = (DramClock{1} << (63 - kAgeBits)) - 1;  // 2e6 clocks
  struct Slot {
    DramAccess access;
    std::int64_t age = 0;
    DramClock accepted = 0, first_beats = 0;
    int bursts_left = 0, activates = 0;
    int next = kNone;                    // of the same bank and direction
    int older = kNone, younger = kNone;  // of the same direction
  };
  struct Queue {  // oldest first
    int head = kNone, tail = kNone;
  };
  struct alignas(64) Bank {
    // What choosing reads, together: see first_to_end.
    DramClock earliest = 0;  // of the next command, by the bank's own rules
    std::int64_t age = 0;    // of its access
    const DramClock* group_rule = nullptr;
    const DramClock* rank_rule = nullptr;
    int clocks = 0;                            // on its bus
    DramCommand command = DramCommand::kNone;  // the next one
    int slot = kNone;                          // whose
    int pinned = kNone;                        // opened the row, which stays open for it
    std::array<Queue, 2> queue;                // reads, writes
    DramClock rule() const { return std::max(earliest, std::max(*group_rule, *rank_rule)); }
  };
  struct Refresh {  // of one rank
    DramClock due = kNeverClock;
    bool pending = false;
    int bank = kNone;             // per-bank: precharged and next in turn
    std::uint64_t remaining = 0;  // per-bank: banks without their refresh in this round
  };
  struct Bursts {  // of one access, by the clocks of their commands
    DramClock first, last;
    int n;
  };
  struct Choice {
    DramClock end = kNeverClock, clock = kNeverClock;
    std::int64_t age = 0;
    DramCommand command = DramCommand::kNone;
    int bank = kNone;  // of refreshes of all banks: the rank
  };

  /// Commands that delay each other by more than the bus. Those of other kinds go on as planned.
  enum Kind : std::size_t { kOpening, kColumn, kOther, kKinds };
  static Kind kind_of(DramCommand command) {
    if (command == DramCommand::kActivate) return kOpening;
    return command == DramCommand::kRead || command == DramCommand::kWrite ? kColumn : kOther;
  }
  static bool is_before(const Choice& one, const Choice& other) {
    return one.end < other.end || (one.end == other.end && one.age < other.age);
  }
  static std::size_t index(DramCommand command) { return static_cast<std::size_t>(command); }
  static std::size_t index(int i) { return static_cast<std::size_t>(i); }
  static std::uint64_t bit(int bank) { return std::uint64_t{1} << bank; }
  static std::uint64_t low_bits(int n) { return ~std::uint64_t{0} >> (64 - n); }

  // What each bank does next.
  bool set_mode();
  int pick(int bank) const;
  void plan(int bank);
  void replan(int bank);
  void plan_all();
  void set_command(int bank, DramCommand command);
  void set_none(int bank);

  // What the channel does next.
  const Choice& next() const { return choices_[next_]; }
  void settle();
  void choose();
  void scan_banks();
  /// The first command of the kind, worked out again where it may have changed.
  const Choice& first_of(Kind kind) {
    const Choice& first = choices_[kind];
    return known_[kind] && first.clock >= floor_of(kind) ? first : find_first(kind);
  }
  const Choice& find_first(Kind kind);
  int first_to_end(std::uint64_t banks, DramClock floor) const;
  std::uint64_t banks_of(Kind kind) const;
  /// From here on the bus of the kind's commands is free.
  DramClock floor_of(Kind kind) const {
    return std::max(now_, banks_.bus_free(kind == kColumn ? column_bus_ : 0));
  }
  void enter(int bank);
  void leave(int bank);
  void consider(DramCommand command, int bank, std::int64_t age, DramClock clock);
  void choose_best();

  // Refreshes.
  void set_refresh_trigger();
  void start_refreshes(DramClock now);
  void skip_idle_refreshes(DramClock until);
  void choose_refreshes();
  void choose_refresh(int rank);
  int refresh_candidate(const Refresh& refresh, int rank) const;

  // Commands.
  void issue(std::vector<DramCompletion>& done);
  void issue_refresh(const Choice& choice);
  void issue_precharge(int bank, DramClock clock);
  void issue_precharge_all(int rank, DramClock clock);
  void issue_refresh_all(int rank, DramClock clock);
  void issue_refresh_bank(int bank, DramClock clock);

  // Runs of column commands (dram_channel_runs.cpp).
  void issue_columns(DramClock clock, int bank, std::vector<DramCompletion>& done);
  bool issue_column(int bank, DramClock clock, std::vector<DramCompletion>& done);
  bool issue_in_turn(int bank, DramClock clock, std::vector<DramCompletion>& done);
  void book(int bank, const Bursts& bursts, std::vector<DramCompletion>& done);
  DramClock columns_first_until();
  DramClock columns_floor() const;
  DramClock first_bank_refresh() const;
  Choice first_column(DramClock floor) const;
  void keep(const Choice& column);
  bool refresh_may_move() const;
  bool rows_wait() const;
  bool several_rows() const;
  bool comes_again(int bank) const;
  int bursts_that_follow(int bank, DramClock clock);
  int oldest_of_other_groups(const Bank& own) const;
  int bursts_by(DramClock last, DramClock clock, DramClock pace) const;
  int bursts_of_mode() const;
  bool has_wanted_room() const;

  // Queues.
  void enqueue(int slot);
  void remove(int bank, int slot);
  void unlink(int slot);

  DramBanks banks_;
  DramPolicy policy_;
  int banks_per_rank_;
  bool split_activate_;
  std::size_t column_bus_;  // rows' is bus 0
  DramClock pace_;          // of column commands of different groups
  bool one_pace_;           // and of those of one
  bool takes_turns_;        // two groups in turn keep that pace
  DramClock refresh_interval_;
  std::array<int, 2> capacity_, waiting_{0, 0};
  std::vector<Slot> slots_;
  int free_ = kNone;
  std::array<Queue, 2> all_;  // waiting reads, writes
  int n_banks_;
  std::array<Bank, kMaxBanks> bank_;                    // without a pointer in the way
  std::uint64_t ready_ = 0;                             // banks with a next command
  std::uint64_t blocked_ = 0;                           // by a refresh
  std::array<std::uint64_t, kBankCommands> next_is_{};  // ready banks by next command
  std::uint64_t half_open_ = 0;                         // between two activate commands
  std::vector<Refresh> refresh_;
  int refreshes_pending_ = 0;
  DramClock refresh_trigger_ = kNeverClock;  // the earliest that is not pending
  std::int64_t next_age_ = 1;                // 0: refreshes
  bool writing_ = false;
  DramClock switched_at_ = kNeverClock;  // by an accept; the banks are not yet planned anew
  bool stale_ = true;                    // next_ must be chosen again
  /// Of each kind the bank command that may end first, which is up to date where `known_` and not
  /// before the bus is free: time and commands of other kinds only delay. Then what else was best
  /// on each bus, and nothing.
  static constexpr std::size_t kExtra = kKinds, kNoChoice = kKinds + 2;
  std::array<Choice, kKinds + 3> choices_;
  std::array<bool, kKinds> known_{};
  std::array<std::size_t, 2> best_{kNoChoice, kNoChoice};  // choices by command bus
  std::size_t next_ = kNoChoice;
  DramClock run_end_ = 0;  // up to it, only what is planned can happen
  DramRoom wanted_;        // while advancing
  DramClock now_ = 0;      // no command is issued before it
  DramCommandCounts counts_;
};

}  // namespace tessera::hw
