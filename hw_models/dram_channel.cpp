#include "hw_models/dram_channel.h"

#include <algorithm>

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
      one_bus_(!device.t.split_command_bus),
      refresh_interval_(policy.refresh == DramRefresh::kPerBank ? device.t.refresh_bank_interval
                                                                : device.t.refresh_interval),
      capacity_{policy.read_queue, policy.write_queue},
      slots_(index(policy.read_queue + policy.write_queue)),
      bank_(index(device.banks())),
      refresh_(index(device.pseudo_channels)) {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slots_[i].next = free_;
    free_ = static_cast<int>(i);
  }
  const auto ranks = static_cast<DramClock>(refresh_.size());
  DramClock turn = 1;
  for (Refresh& refresh : refresh_) {
    const DramClock part = policy.stagger_refresh ? turn++ : ranks;
    if (policy.refresh != DramRefresh::kOff) refresh.due = refresh_interval_ * part / ranks;
    refresh.remaining = low_bits(banks_per_rank_);
  }
  note_refreshes();
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
  Queue& queue = bank_[index(access.bank)].queue[index(direction)];
  if (queue.tail == kNone) {
    queue.head = slot;
  } else {
    slots_[index(queue.tail)].next = slot;
  }
  queue.tail = slot;
  if (set_mode()) switched_at_ = now;
  stale_ = stale_ || next_.clock < now_;
  if (access.is_write == writing_ || switched_at_ != kNeverClock) replan(access.bank);
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
  own.command = command;
  own.earliest = banks_.bank_earliest(command, bank);
  own.group_rule = banks_.group_rule(command, bank);
  own.rank_rule = banks_.rank_rule(command, bank);
  second_bus_ = banks_.bus_of(command) == 0 ? second_bus_ & ~bit(bank) : second_bus_ | bit(bank);
  own.clocks = banks_.delays().command_clocks[static_cast<std::size_t>(command)];
  const bool column = command == (writing_ ? DramCommand::kWrite : DramCommand::kRead);
  columns_ = column ? columns_ | bit(bank) : columns_ & ~bit(bank);
}

/// Works out the next command of a bank. REQUIRES: called after every change of the bank.
void DramChannel::plan(int bank) {
  stale_ = true;
  if ((half_open_ & bit(bank)) != 0) return;  // its second activate comes first
  Bank& own = bank_[index(bank)];
  int slot = pick(bank);
  if (slot == kNone) {
    own.command = DramCommand::kNone;
    ready_ &= ~bit(bank);
    return;
  }
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
  ready_ |= bit(bank);
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
  stale_ = refresh_pending_;  // its bank is chosen by who has work
  if (stale_ || (ready_ & bit(bank)) == 0) return;
  consider(own.command, bank, own.age, banks_.earliest(own.command, bank));
  choose_best();
}

void DramChannel::plan_all() {
  switched_at_ = kNeverClock;
  for (int bank = 0; bank < static_cast<int>(bank_.size()); ++bank) plan(bank);
}

/// Chooses the next command, and plans the banks anew once the clock of a switch is over.
void DramChannel::settle() {
  if (stale_) choose();
  if (switched_at_ == kNeverClock || next_.clock <= switched_at_) return;
  plan_all();
  choose();
}

void DramChannel::consider(DramCommand command, int bank, std::int64_t age, DramClock clock) {
  clock = std::max(clock, now_);
  const DramClock end = clock + banks_.delays().command_clocks[static_cast<std::size_t>(command)];
  Choice& best = best_[banks_.bus_of(command)];
  if (end < best.end || (end == best.end && age < best.age)) {
    best = {end, clock, age, command, bank};
  }
}

/// Of `banks`, the one whose command may end first, at a tie the one of the oldest access; kNone
/// without banks. The end, seen from now, and the age share one word, so that the smallest is found
/// without a branch.
int DramChannel::first_to_end(std::uint64_t banks, DramClock bus_free) const {
  std::uint64_t smallest = ~std::uint64_t{0};
  int first = kNone;
  const DramClock now = now_;
  const DramClock free = std::max(bus_free, now);
  for (; banks != 0; banks &= banks - 1) {
    const int bank = __builtin_ctzll(banks);
    const Bank& own = bank_[index(bank)];
    const DramClock rules =
        std::max(std::max(own.earliest, *own.group_rule), std::max(*own.rank_rule, free));
    const DramClock end = std::min(rules - now + own.clocks, kFarAhead);
    const std::uint64_t key =
        static_cast<std::uint64_t>(end) << kAgeBits | static_cast<std::uint64_t>(own.age);
    first = key < smallest ? bank : first;
    smallest = std::min(smallest, key);
  }
  return first;
}

void DramChannel::scan_banks() {
  const std::uint64_t banks = ready_ & (~blocked_ | half_open_);
  for (std::size_t bus = 0; bus < 2; ++bus) {
    const int bank =
        first_to_end(bus == 0 ? banks & ~second_bus_ : banks & second_bus_, banks_.bus_free(bus));
    if (bank == kNone) continue;
    const Bank& own = bank_[index(bank)];
    consider(own.command, bank, own.age, banks_.earliest(own.command, bank));
  }
}

/// The same as choose() where nothing but the banks' own commands competes.
void DramChannel::choose_of_one_bus() {
  const int bank = first_to_end(ready_, banks_.bus_free(0));
  if (bank != kNone) {
    const Bank& own = bank_[index(bank)];
    const DramClock clock = std::max(banks_.earliest(own.command, bank), now_);
    best_[0] = {clock + own.clocks, clock, own.age, own.command, bank};
  }
  next_ = best_[0];
  stale_ = false;
}

/// Per bus the command that ends first, the oldest at a tie; of the two the first to start.
void DramChannel::choose() {
  best_ = {};
  if (one_bus_ && !refresh_pending_) return choose_of_one_bus();
  scan_banks();
  for (int rank = 0; rank < static_cast<int>(refresh_.size()); ++rank) {
    if (refresh_[index(rank)].pending) choose_refresh(rank);
  }
  choose_best();
}

void DramChannel::choose_best() {
  const Choice& rows = best_[0];
  const Choice& columns = best_[1];
  const bool row_first =
      rows.clock < columns.clock || (rows.clock == columns.clock && rows.age < columns.age);
  next_ = row_first ? rows : columns;
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
  blocked_ |= bit(bank);
  if (best_[0].bank == bank) choose();  // its activate no longer counts
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

/// After every change of `refresh_`.
void DramChannel::note_refreshes() {
  refresh_pending_ = false;
  refresh_trigger_ = kNeverClock;
  for (const Refresh& refresh : refresh_) {
    refresh_pending_ = refresh_pending_ || refresh.pending;
    if (!refresh.pending) refresh_trigger_ = std::min(refresh_trigger_, refresh.due);
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
  note_refreshes();
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
  note_refreshes();
}

DramClock DramChannel::advance(DramClock until, std::vector<DramCompletion>& done,
                               const DramRoom& wanted) {
  while (true) {
    if (is_idle() && policy_.refresh != DramRefresh::kOff) skip_idle_refreshes(until);
    settle();
    const DramClock trigger = refresh_trigger_;
    if (trigger <= until && trigger <= next_.clock) {
      start_refreshes(trigger);
      continue;
    }
    if (next_.clock > until) break;
    run_end_ = std::min(until, trigger - 1);
    const bool column = next_.command == DramCommand::kRead || next_.command == DramCommand::kWrite;
    issue(next_, done);
    if (column && !has_wanted_room(wanted) && may_follow()) follow_hits(wanted, done);
    if (switched_at_ != kNeverClock) plan_all();
    if (column && has_wanted_room(wanted)) until = now_;
  }
  now_ = std::max(now_, until + 1);
  stale_ = stale_ || next_.clock < now_;
  return until;
}

bool DramChannel::has_wanted_room(const DramRoom& wanted) const {
  return (wanted.reads > 0 && has_space(false, wanted.reads)) ||
         (wanted.writes > 0 && has_space(true, wanted.writes));
}

/// No switch and no refresh is on its way, and every bank's next command is a column of this
/// direction.
bool DramChannel::may_follow() const {
  return switched_at_ == kNeverClock && !refresh_pending_ && (ready_ & ~columns_) == 0;
}

/// Column commands one after the other while all banks have hits: the choices of choose(), from the
/// few figures that hits change.
void DramChannel::follow_hits(const DramRoom& wanted, std::vector<DramCompletion>& done) {
  collect_hits();
  const std::size_t bus = one_bus_ ? 0 : 1;
  const std::size_t direction = writing_ ? 1 : 0;
  const int least = writing_ && waiting_[0] > 0 ? policy_.drain_to : 0;
  while (!hits_.empty() && waiting_[direction] > least) {
    DramClock clock = 0;
    Hit& hit = hits_[first_hit(banks_.bus_free(bus), clock)];
    if (clock > run_end_) break;
    if (!take_burst(hit, clock, done) && !next_hit(hit)) {
      const bool has_other = (ready_ & bit(hit.bank)) != 0;
      hit = hits_.back();
      hits_.pop_back();
      if (has_other) break;
    }
    if (has_wanted_room(wanted)) break;
  }
  for (const Hit& hit : hits_) {
    bank_[index(hit.bank)].slot = hit.slot;
    bank_[index(hit.bank)].age = hit.age;
  }
  stale_ = true;
  if (set_mode()) plan_all();
}

void DramChannel::collect_hits() {
  hits_.clear();
  for (std::uint64_t banks = ready_; banks != 0; banks &= banks - 1) {
    const int bank = __builtin_ctzll(banks);
    const Bank& own = bank_[index(bank)];
    hits_.push_back({own.group_rule, own.rank_rule, own.earliest, own.age, bank, own.slot});
  }
}

/// The hit that may start first, the oldest at a tie. REQUIRES: there is one.
std::size_t DramChannel::first_hit(DramClock bus_free, DramClock& clock) const {
  const DramClock free = std::max(bus_free, now_);
  std::size_t first = 0;
  std::int64_t age = 0;
  clock = kNeverClock;
  for (std::size_t i = 0; i < hits_.size(); ++i) {
    const Hit& hit = hits_[i];
    const DramClock start =
        std::max(std::max(hit.earliest, *hit.group_rule), std::max(*hit.rank_rule, free));
    if (start < clock || (start == clock && hit.age < age)) {
      first = i;
      clock = start;
      age = hit.age;
    }
  }
  return first;
}

DramClock DramChannel::next_command() {
  if (is_idle()) return kNeverClock;
  settle();
  return std::min(next_.clock, std::max(refresh_trigger_, now_));
}

void DramChannel::issue(const Choice& choice, std::vector<DramCompletion>& done) {
  const DramClock clock = choice.clock;
  now_ = clock;
  stale_ = true;
  Bank& own = bank_[index(choice.bank)];
  switch (choice.command) {
    case DramCommand::kActivate:
      banks_.activate(choice.bank, slots_[index(own.slot)].access.row, clock);
      own.pinned = own.slot;
      ++slots_[index(own.slot)].activates;
      ++counts_.activates;
      if (!split_activate_) return plan(choice.bank);
      half_open_ |= bit(choice.bank);
      set_command(choice.bank, DramCommand::kActivateSecond);
      return;
    case DramCommand::kActivateSecond:
      banks_.activate_second(choice.bank, clock);
      half_open_ &= ~bit(choice.bank);
      return plan(choice.bank);
    case DramCommand::kPrecharge:
      banks_.precharge(choice.bank, clock);
      own.pinned = kNone;
      ++counts_.precharges;
      return plan(choice.bank);
    case DramCommand::kRead:
    case DramCommand::kWrite:
      return issue_column(choice.bank, clock, done);
    case DramCommand::kPrechargeAll:
      return issue_precharge_all(choice.bank, clock);
    case DramCommand::kRefreshAll:
      return issue_refresh_all(choice.bank, clock);
    case DramCommand::kRefreshBank:
      return issue_refresh_bank(choice.bank, clock);
    case DramCommand::kNone:
      return;
  }
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
  note_refreshes();
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
  note_refreshes();
  refresh.bank = kNone;
  refresh.remaining &= ~bit(bank - rank * banks_per_rank_);
  if (refresh.remaining == 0) refresh.remaining = low_bits(banks_per_rank_);
  blocked_ &= ~bit(bank);
  plan(bank);
}

void DramChannel::issue_column(int bank, DramClock clock, std::vector<DramCompletion>& done) {
  const Bank& own = bank_[index(bank)];
  Hit hit{nullptr, nullptr, 0, own.age, bank, own.slot};
  take_burst(hit, clock, done);
  plan(bank);
  if (set_mode()) plan_all();
}

/// Issues the command; returns the end of the burst on the data bus.
DramClock DramChannel::column(int bank, bool is_write, DramClock clock) {
  if (is_write) {
    banks_.write(bank, clock);
    ++counts_.writes;
    return clock + banks_.delays().write_to_last_beat;
  }
  banks_.read(bank, clock);
  ++counts_.reads;
  return clock + banks_.delays().read_to_last_beat;
}

/// One burst of an access. False: it was its last.
bool DramChannel::take_burst(Hit& hit, DramClock clock, std::vector<DramCompletion>& done) {
  Slot& entry = slots_[index(hit.slot)];
  const DramClock end = column(hit.bank, entry.access.is_write, clock);
  bank_[index(hit.bank)].pinned = kNone;
  now_ = clock;
  --waiting_[entry.access.is_write ? 1 : 0];
  if (entry.bursts_left == entry.access.bursts) entry.first_beats = end;
  hit.age = ++entry.age;
  if (--entry.bursts_left > 0) return true;
  done.push_back({entry.access.token, entry.access.is_write, entry.accepted, entry.first_beats, end,
                  entry.access.bursts, entry.activates});
  remove(hit.bank, hit.slot);
  return false;
}

/// Goes on with the bank's next access where it is a hit too; else plans the bank anew.
bool DramChannel::next_hit(Hit& hit) {
  const int slot = pick(hit.bank);
  if (slot == kNone || slots_[index(slot)].access.row != banks_.open_row(hit.bank)) {
    plan(hit.bank);
    return false;
  }
  hit.slot = slot;
  hit.age = slots_[index(slot)].age;
  return true;
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
  gone.next = free_;
  free_ = slot;
}

}  // namespace tessera::hw
