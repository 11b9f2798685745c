#include "hw_models/dram_channel.h"

#include <algorithm>
#include <stdexcept>

namespace tessera::hw {

DramCommandCounts& DramCommandCounts::operator+=(const DramCommandCounts& other) {
  activates += other.activates;
  precharges += other.precharges;
  reads += other.reads;
  writes += other.writes;
  refreshes_all += other.refreshes_all;
  refreshes_bank += other.refreshes_bank;
  return *this;
}

DramChannel::DramChannel(const DramDevice& device, const DramPolicy& policy)
    : banks_(device),
      policy_(policy),
      banks_per_rank_(device.banks_per_rank()),
      split_activate_(device.t.split_activate),
      column_bus_(banks_.bus_of(DramCommand::kRead)),
      pace_(std::max(device.t.ccd_short, device.t.cas_clocks)),
      one_pace_(device.all_ranks() == 1 && device.t.ccd_long <= pace_),
      takes_turns_(device.all_ranks() == 1 && !one_pace_ && device.t.ccd_long <= 2 * pace_),
      refresh_interval_(policy.refresh == DramRefresh::kPerBank ? device.t.refresh_bank_interval
                                                                : device.t.refresh_interval),
      capacity_{policy.read_queue, policy.write_queue},
      slots_(index(policy.read_queue + policy.write_queue)),
      n_banks_(device.banks()),
      refresh_(index(device.all_ranks())) {
  if (device.banks() > kMaxBanks) throw std::invalid_argument("a DRAM channel of over 64 banks");
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].next = free_;
    free_ = static_cast<int>(i);
  }
  const auto all_ranks = static_cast<DramClock>(refresh_.size());
  const DramClock ranks = policy.stagger_refresh ? all_ranks : device.ranks;
  for (DramClock rank = 0; rank < all_ranks; ++rank) {
    Refresh& refresh = refresh_[static_cast<std::size_t>(rank)];
    const DramClock turn = rank % ranks + 1;
    if (policy.refresh != DramRefresh::kOff) refresh.due = refresh_interval_ * turn / ranks;
    refresh.remaining = low_bits(banks_per_rank_);
  }
  set_refresh_trigger();
}

void DramChannel::accept(const DramAccess& access, DramClock now) {
  now_ = std::max(now_, now);
  const int direction = access.is_write ? 1 : 0;
  const int slot = free_;
  Slot& entry = slots_[index(slot)];
  free_ = entry.next;
  entry.access = access;
  entry.age = next_age_;
  entry.accepted = now;
  entry.bursts_left = access.bursts;
  entry.activates = 0;
  entry.next = kNone;
  next_age_ += access.bursts;
  waiting_[index(direction)] += access.bursts;
  enqueue(slot);
  if (set_mode()) switched_at_ = now;
  stale_ = stale_ || next().clock < now_;
  if (access.is_write == writing_ || switched_at_ != kNeverClock) replan(access.bank);
}

void DramChannel::enqueue(int slot) {
  Slot& entry = slots_[index(slot)];
  const std::size_t direction = entry.access.is_write ? 1 : 0;
  Queue& queue = bank_[index(entry.access.bank)].queue[direction];
  (queue.tail == kNone ? queue.head : slots_[index(queue.tail)].next) = slot;
  queue.tail = slot;
  Queue& all = all_[direction];
  entry.older = all.tail;
  entry.younger = kNone;
  (all.tail == kNone ? all.head : slots_[index(all.tail)].younger) = slot;
  all.tail = slot;
}

/// Switches between reads and writes. True: the banks must be planned anew.
bool DramChannel::set_mode() {
  const bool write = writing_ ? waiting_[1] > policy_.drain_to || waiting_[0] == 0
                              : waiting_[1] > policy_.drain_above || waiting_[0] == 0;
  if (write == writing_) return false;
  writing_ = write;
  return true;
}

/// The oldest hit of the open row, else the oldest access of the bank.
int DramChannel::pick(int bank) const {
  const Queue& queue = bank_[index(bank)].queue[writing_ ? 1 : 0];
  if (queue.head == kNone || !banks_.is_open(bank)) return queue.head;
  const std::int64_t row = banks_.open_row(bank);
  for (int slot = queue.head; slot != kNone; slot = slots_[index(slot)].next) {
    if (slots_[index(slot)].access.row == row) return slot;
  }
  return queue.head;
}

void DramChannel::set_command(int bank, DramCommand command) {
  Bank& own = bank_[index(bank)];
  own.earliest = banks_.bank_earliest(command, bank);
  if (command == own.command) {
    leave(bank);
    return enter(bank);
  }
  set_none(bank);
  own.command = command;
  own.group_rule = banks_.group_rule(command, bank);
  own.rank_rule = banks_.rank_rule(command, bank);
  own.clocks = static_cast<int>(banks_.delays().command_clocks[index(command)]);
  next_is_[index(command)] |= bit(bank);
  ready_ |= bit(bank);
  enter(bank);
}

void DramChannel::set_none(int bank) {
  Bank& own = bank_[index(bank)];
  if (own.command == DramCommand::kNone) return;
  leave(bank);
  next_is_[index(own.command)] &= ~bit(bank);
  own.command = DramCommand::kNone;
  ready_ &= ~bit(bank);
}

/// Works out the next command of a bank. REQUIRES: called after every change of the bank.
void DramChannel::plan(int bank) {
  stale_ = true;
  if ((half_open_ & bit(bank)) != 0) return;  // its second activate comes first
  Bank& own = bank_[index(bank)];
  int slot = pick(bank);
  if (slot == kNone) return set_none(bank);
  if (own.pinned != kNone && slots_[index(slot)].access.row != banks_.open_row(bank)) {
    slot = own.pinned;
  }
  const Slot& entry = slots_[index(slot)];
  own.slot = slot;
  own.age = entry.age;
  if (!banks_.is_open(bank)) {
    set_command(bank, DramCommand::kActivate);
  } else if (entry.access.row != banks_.open_row(bank)) {
    set_command(bank, DramCommand::kPrecharge);
  } else {
    set_command(bank, entry.access.is_write ? DramCommand::kWrite : DramCommand::kRead);
  }
}

/// After an accept: as plan, but keeps the choice where the bank's command does not change or only
/// competes with it.
void DramChannel::replan(int bank) {
  const Bank& own = bank_[index(bank)];
  const bool stale = stale_, was_ready = (ready_ & bit(bank)) != 0;
  const DramCommand command = own.command;
  const int slot = own.slot;
  plan(bank);
  if (stale) return;
  if (was_ready) {
    stale_ = (ready_ & bit(bank)) == 0 || own.command != command || own.slot != slot;
    return;
  }
  stale_ = refreshes_pending_ > 0;  // its bank is chosen by who has work
  if (stale_ || (ready_ & bit(bank)) == 0) return;
  consider(own.command, bank, own.age, banks_.earliest(own.command, bank));
  choose_best();
}

void DramChannel::plan_all() {
  switched_at_ = kNeverClock;
  for (int bank = 0; bank < n_banks_; ++bank) plan(bank);
}

/// Chooses the next command, and plans the banks anew once the clock of a switch is over.
void DramChannel::settle() {
  if (stale_) choose();
  if (switched_at_ == kNeverClock || next().clock <= switched_at_) return;
  plan_all();
  choose();
}

void DramChannel::consider(DramCommand command, int bank, std::int64_t age, DramClock clock) {
  clock = std::max(clock, now_);
  const DramClock end = clock + banks_.delays().command_clocks[index(command)];
  const std::size_t bus = banks_.bus_of(command);
  const Choice& best = choices_[best_[bus]];
  if (end > best.end || (end == best.end && age >= best.age)) return;
  best_[bus] = kExtra + bus;
  choices_[best_[bus]] = {end, clock, age, command, bank};
}

/// The ready banks with a command of the kind that no refresh forbids.
std::uint64_t DramChannel::banks_of(Kind kind) const {
  const auto next_is = [this](DramCommand command) { return next_is_[index(command)]; };
  const std::uint64_t free = ~blocked_ | half_open_;
  if (kind == kOpening) return next_is(DramCommand::kActivate) & free;
  if (kind == kColumn) return (next_is(DramCommand::kRead) | next_is(DramCommand::kWrite)) & free;
  return (next_is(DramCommand::kPrecharge) | next_is(DramCommand::kActivateSecond)) & free;
}

/// After a bank got its next command.
void DramChannel::enter(int bank) {
  const Bank& own = bank_[index(bank)];
  const Kind kind = kind_of(own.command);
  Choice& first = choices_[kind];
  if (!known_[kind] || (blocked_ & ~half_open_ & bit(bank)) != 0) return;
  const DramClock floor = floor_of(kind);
  known_[kind] = first.clock >= floor;
  const DramClock clock = std::max(own.rule(), floor);
  const DramClock end = clock + own.clocks;
  if (end > first.end || (end == first.end && own.age >= first.age)) return;
  first = {end, clock, own.age, own.command, bank};
}

/// Before a bank loses its next command.
void DramChannel::leave(int bank) {
  const Kind kind = kind_of(bank_[index(bank)].command);
  if (choices_[kind].bank == bank) known_[kind] = false;
}

const DramChannel::Choice& DramChannel::find_first(Kind kind) {
  Choice& first = choices_[kind];
  known_[kind] = true;
  const DramClock floor = floor_of(kind);
  const int bank = first_to_end(banks_of(kind), floor);
  if (bank == kNone) return first = Choice();
  const Bank& own = bank_[index(bank)];
  const DramClock clock = std::max(own.rule(), floor);
  return first = {clock + own.clocks, clock, own.age, own.command, bank};
}

/// Of `banks`, the one whose command may end first, at a tie the one of the oldest access. The end,
/// seen from now, and the age share one word, so that the smallest is found without a branch.
int DramChannel::first_to_end(std::uint64_t banks, DramClock floor) const {
  std::uint64_t smallest = ~std::uint64_t{0};
  int first = kNone;
  const DramClock now = now_;
  for (; banks != 0; banks &= banks - 1) {
    const int bank = __builtin_ctzll(banks);
    const Bank& own = bank_[index(bank)];
    const DramClock end = std::min(std::max(own.rule(), floor) - now + own.clocks, kFarAhead);
    const std::uint64_t key =
        static_cast<std::uint64_t>(end) << kAgeBits | static_cast<std::uint64_t>(own.age);
    first = key < smallest ? bank : first;
    smallest = std::min(smallest, key);
  }
  return first;
}

/// Activates come last: mostly the rules of the rank (tRRD, tFAW) keep them from being the first.
void DramChannel::scan_banks() {
  const Choice& other = first_of(kOther);
  const Choice& column = first_of(kColumn);
  best_[1] = kColumn;
  const bool one_bus = column_bus_ == 0;
  best_[0] = one_bus && is_before(column, other) ? kColumn : kOther;
  if (one_bus) best_[1] = kNoChoice;
  const DramClock end = banks_.rank_floor(DramCommand::kActivate) +
                        banks_.delays().command_clocks[index(DramCommand::kActivate)];
  if (end > choices_[best_[0]].end) return;
  if (is_before(first_of(kOpening), choices_[best_[0]])) best_[0] = kOpening;
}

/// Per bus the command that ends first, the oldest at a tie; of the two the first to start.
void DramChannel::choose() {
  scan_banks();
  choose_refreshes();
  choose_best();
}

void DramChannel::choose_refreshes() {
  if (refreshes_pending_ == 0) return;
  for (int rank = 0; rank < static_cast<int>(refresh_.size()); ++rank) {
    if (refresh_[index(rank)].pending) choose_refresh(rank);
  }
}

void DramChannel::choose_best() {
  const Choice& rows = choices_[best_[0]];
  const Choice& columns = choices_[best_[1]];
  const bool row_first =
      rows.clock < columns.clock || (rows.clock == columns.clock && rows.age < columns.age);
  next_ = row_first ? best_[0] : best_[1];
  stale_ = false;
}

void DramChannel::choose_refresh(int rank) {
  if (policy_.refresh == DramRefresh::kAllBank) {
    if (banks_.open_banks(rank) > 0) {
      consider(DramCommand::kPrechargeAll, rank, 0, banks_.earliest_precharge_all(rank));
    } else {
      consider(DramCommand::kRefreshAll, rank, 0, banks_.earliest_refresh_all(rank));
    }
    return;
  }
  Refresh& refresh = refresh_[index(rank)];
  const int bank = refresh.bank != kNone ? refresh.bank : refresh_candidate(refresh, rank);
  if (banks_.is_open(bank)) {
    consider(DramCommand::kPrecharge, bank, 0, banks_.earliest(DramCommand::kPrecharge, bank));
    return;
  }
  refresh.bank = bank;
  leave(bank);
  blocked_ |= bit(bank);
  if (choices_[best_[0]].bank == bank) choose();  // its activate no longer counts
  consider(DramCommand::kRefreshBank, bank, 0, banks_.earliest_refresh_bank(bank));
}

/// The first bank of the round without work, else the first.
int DramChannel::refresh_candidate(const Refresh& refresh, int rank) const {
  const int first = rank * banks_per_rank_;
  for (std::uint64_t left = refresh.remaining; left != 0; left &= left - 1) {
    const int bank = first + __builtin_ctzll(left);
    if ((ready_ & bit(bank)) == 0) return bank;
  }
  return first + __builtin_ctzll(refresh.remaining);
}

void DramChannel::set_refresh_trigger() {
  refreshes_pending_ = 0;
  refresh_trigger_ = kNeverClock;
  for (const Refresh& refresh : refresh_) {
    if (refresh.pending)
      ++refreshes_pending_;
    else
      refresh_trigger_ = std::min(refresh_trigger_, refresh.due);
  }
}

void DramChannel::start_refreshes(DramClock now) {
  for (int rank = 0; rank < static_cast<int>(refresh_.size()); ++rank) {
    Refresh& refresh = refresh_[index(rank)];
    if (refresh.pending || refresh.due > now) continue;
    refresh.pending = true;
    if (policy_.refresh == DramRefresh::kAllBank) {
      blocked_ |= low_bits(banks_per_rank_) << (rank * banks_per_rank_);
    }
  }
  set_refresh_trigger();
  known_ = {};
  now_ = std::max(now_, now);
  stale_ = true;
}

/// Whole rounds of refreshes of closed banks change nothing but the count.
void DramChannel::skip_idle_refreshes(DramClock until) {
  for (int rank = 0; rank < static_cast<int>(refresh_.size()); ++rank) {
    Refresh& refresh = refresh_[index(rank)];
    if (refresh.pending || banks_.open_banks(rank) > 0) continue;
    const bool per_bank = policy_.refresh == DramRefresh::kPerBank;
    const DramClock round = refresh_interval_ * (per_bank ? banks_per_rank_ : 1);
    const DramClock rounds = (until - refresh.due) / round - 1;
    if (rounds <= 0) continue;
    refresh.due += rounds * round;
    (per_bank ? counts_.refreshes_bank : counts_.refreshes_all) +=
        rounds * (per_bank ? banks_per_rank_ : 1);
  }
  set_refresh_trigger();
}

DramClock DramChannel::advance(DramClock until, std::vector<DramCompletion>& done,
                               const DramRoom& wanted) {
  wanted_ = wanted;
  while (true) {
    if (is_idle() && policy_.refresh != DramRefresh::kOff) skip_idle_refreshes(until);
    settle();
    const DramClock trigger = refresh_trigger_;
    if (trigger <= until && trigger <= next().clock) {
      start_refreshes(trigger);
      continue;
    }
    if (next().clock > until) break;
    run_end_ = std::min(until, trigger - 1);
    issue(done);
    if (switched_at_ != kNeverClock) plan_all();
    if (has_wanted_room()) until = std::min(until, now_);
  }
  now_ = std::max(now_, until + 1);
  stale_ = stale_ || next().clock < now_;
  return until;
}

bool DramChannel::has_wanted_room() const {
  return (wanted_.reads > 0 && has_space(false, wanted_.reads)) ||
         (wanted_.writes > 0 && has_space(true, wanted_.writes));
}

DramClock DramChannel::next_command() {
  if (is_idle()) return kNeverClock;
  settle();
  return std::min(next().clock, std::max(refresh_trigger_, now_));
}

void DramChannel::issue(std::vector<DramCompletion>& done) {
  const Choice& choice = next();
  const DramClock clock = choice.clock;
  const int bank = choice.bank;
  now_ = clock;
  stale_ = true;
  if (choice.age == 0) return issue_refresh(choice);
  const DramCommand command = choice.command;
  known_[kind_of(command)] = false;
  Bank& own = bank_[index(bank)];
  switch (command) {
    case DramCommand::kActivate:
      banks_.activate(bank, slots_[index(own.slot)].access.row, clock);
      own.pinned = own.slot;
      ++slots_[index(own.slot)].activates;
      ++counts_.activates;
      if (!split_activate_) return plan(bank);
      half_open_ |= bit(bank);
      return set_command(bank, DramCommand::kActivateSecond);
    case DramCommand::kActivateSecond:
      banks_.activate_second(bank, clock);
      half_open_ &= ~bit(bank);
      return plan(bank);
    case DramCommand::kPrecharge:
      return issue_precharge(bank, clock);
    default:
      return issue_columns(clock, bank, done);
  }
}

/// A refresh, or a precharge for one.
void DramChannel::issue_refresh(const Choice& choice) {
  known_ = {};
  switch (choice.command) {
    case DramCommand::kPrecharge:
      return issue_precharge(choice.bank, choice.clock);
    case DramCommand::kPrechargeAll:
      return issue_precharge_all(choice.bank, choice.clock);
    case DramCommand::kRefreshAll:
      return issue_refresh_all(choice.bank, choice.clock);
    default:
      return issue_refresh_bank(choice.bank, choice.clock);
  }
}

void DramChannel::issue_precharge(int bank, DramClock clock) {
  banks_.precharge(bank, clock);
  bank_[index(bank)].pinned = kNone;
  ++counts_.precharges;
  plan(bank);
}

void DramChannel::issue_precharge_all(int rank, DramClock clock) {
  counts_.precharges += banks_.open_banks(rank);
  banks_.precharge_all(rank, clock);
  for (int bank = rank * banks_per_rank_; bank < (rank + 1) * banks_per_rank_; ++bank) {
    bank_[index(bank)].pinned = kNone;
  }
}

void DramChannel::issue_refresh_all(int rank, DramClock clock) {
  banks_.refresh_all(rank, clock);
  ++counts_.refreshes_all;
  Refresh& refresh = refresh_[index(rank)];
  refresh.pending = false;
  refresh.due += refresh_interval_;
  set_refresh_trigger();
  blocked_ &= ~(low_bits(banks_per_rank_) << (rank * banks_per_rank_));
  for (int bank = rank * banks_per_rank_; bank < (rank + 1) * banks_per_rank_; ++bank) plan(bank);
}

void DramChannel::issue_refresh_bank(int bank, DramClock clock) {
  banks_.refresh_bank(bank, clock);
  ++counts_.refreshes_bank;
  const int rank = banks_.rank_of(bank);
  Refresh& refresh = refresh_[index(rank)];
  refresh.pending = false;
  refresh.due += refresh_interval_;
  set_refresh_trigger();
  refresh.bank = kNone;
  refresh.remaining &= ~bit(bank - rank * banks_per_rank_);
  if (refresh.remaining == 0) refresh.remaining = low_bits(banks_per_rank_);
  blocked_ &= ~bit(bank);
  plan(bank);
}

void DramChannel::remove(int bank, int slot) {
  Slot& gone = slots_[index(slot)];
  Queue& queue = bank_[index(bank)].queue[gone.access.is_write ? 1 : 0];
  if (queue.head == slot) {
    queue.head = gone.next;
    if (queue.head == kNone) queue.tail = kNone;
  } else {
    int before = queue.head;
    while (slots_[index(before)].next != slot) before = slots_[index(before)].next;
    slots_[index(before)].next = gone.next;
    if (queue.tail == slot) queue.tail = before;
  }
  unlink(slot);
  gone.next = free_;
  free_ = slot;
}

/// From the accesses of its direction.
void DramChannel::unlink(int slot) {
  const Slot& gone = slots_[index(slot)];
  Queue& all = all_[gone.access.is_write ? 1 : 0];
  (gone.older == kNone ? all.head : slots_[index(gone.older)].younger) = gone.younger;
  (gone.younger == kNone ? all.tail : slots_[index(gone.younger)].older) = gone.older;
}

}  // namespace tessera::hw
