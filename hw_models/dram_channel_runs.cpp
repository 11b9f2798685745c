// Column commands of a DRAM channel, booked together where nothing can come between them.
#include <algorithm>

#include "hw_models/dram_channel.h"

namespace tessera::hw {

/// Issues next_, a column command, and those that follow it as long as nothing else can come first.
void DramChannel::issue_columns(DramClock clock, int bank, std::vector<DramCompletion>& done) {
  const bool alone = switched_at_ != kNeverClock || refresh_may_move();
  if (alone) run_end_ = clock;
  while (issue_column(bank, clock, done) && !alone && !has_wanted_room()) {
    const DramClock floor = columns_floor();
    if (floor > run_end_ && several_rows()) return;
    const DramClock last = columns_first_until();
    if (floor > last) return;
    const Choice column = first_column(floor);
    if (column.bank == kNone || column.clock > last) return;
    if (column.clock > run_end_) return keep(column);
    clock = column.clock;
    bank = column.bank;
  }
}

/// Whether a refresh that is due has not settled on a closed bank. Only one that has just waits.
bool DramChannel::refresh_may_move() const {
  if (refreshes_pending_ == 0) return false;
  return std::any_of(refresh_.begin(), refresh_.end(), [](const Refresh& refresh) {
    return refresh.pending && refresh.bank == kNone;
  });
}

/// Whether any bank's next command is not a column command of this direction.
bool DramChannel::rows_wait() const {
  return ready_ != next_is_[writing_ ? index(DramCommand::kWrite) : index(DramCommand::kRead)];
}

/// Up to this clock, a column command that may start does so before any other command.
DramClock DramChannel::columns_first_until() {
  const DramDelays& delays = banks_.delays();
  const DramCommand column = writing_ ? DramCommand::kWrite : DramCommand::kRead;
  // A row that a read opened is read once even while writes go.
  if (next_is_[index(writing_ ? DramCommand::kRead : DramCommand::kWrite)] != 0) return 0;
  if (!rows_wait() && refreshes_pending_ == 0) return kNeverClock;
  const bool one_bus = banks_.bus_of(column) == 0;  // whose commands go by their ends
  DramClock first = kNeverClock;
  for (const Kind kind : {kOpening, kOther}) {
    const Choice& row = first_of(kind);
    first = std::min(first, one_bus ? row.end : row.clock);
  }
  if (refreshes_pending_ > 0) first = std::min(first, first_bank_refresh());
  return first - (one_bus ? delays.command_clocks[index(column)] : 0) - 1;
}

/// No refresh of a bank that was settled on may start before. REQUIRES: no other is pending.
DramClock DramChannel::first_bank_refresh() const {
  DramClock first = kNeverClock;
  for (const Refresh& refresh : refresh_) {
    if (refresh.pending) first = std::min(first, banks_.earliest_refresh_bank(refresh.bank));
  }
  return first;
}

/// With several row commands waiting, choosing anew is cheaper than looking ahead.
bool DramChannel::several_rows() const {
  const std::uint64_t columns =
      next_is_[index(writing_ ? DramCommand::kWrite : DramCommand::kRead)];
  const std::uint64_t rows = ready_ & ~columns;
  return (rows & (rows - 1)) != 0;
}

/// No column command of this direction may start before.
DramClock DramChannel::columns_floor() const {
  const DramCommand command = writing_ ? DramCommand::kWrite : DramCommand::kRead;
  if (next_is_[index(command)] == 0) return kNeverClock;
  const DramClock free = std::max(now_, banks_.bus_free(banks_.bus_of(command)));
  return std::max(banks_.rank_floor(command), free);
}

/// The column command that may start first, the oldest at a tie.
DramChannel::Choice DramChannel::first_column(DramClock floor) const {
  const DramCommand command = writing_ ? DramCommand::kWrite : DramCommand::kRead;
  std::uint64_t banks = next_is_[index(command)];
  Choice first;
  for (int slot = all_[writing_ ? 1 : 0].head; banks != 0; slot = slots_[index(slot)].younger) {
    const int bank = slots_[index(slot)].access.bank;
    const Bank& own = bank_[index(bank)];
    if ((banks & bit(bank)) == 0 || own.slot != slot) continue;
    banks &= ~bit(bank);
    const DramClock clock = std::max(own.rule(), floor);
    if (clock >= first.clock) continue;
    first.clock = clock;
    first.age = own.age;
    first.bank = bank;
    if (clock == floor) break;
  }
  first.command = command;
  first.end = first.clock + banks_.delays().command_clocks[index(command)];
  return first;
}

/// Takes this column command as the next. REQUIRES: no row command comes before.
void DramChannel::keep(const Choice& column) {
  choices_[kColumn] = column;
  known_[kColumn] = true;
  best_ = {kColumn, kNoChoice};
  if (banks_.bus_of(column.command) != 0) {
    const bool opens = is_before(first_of(kOpening), first_of(kOther));
    best_ = {opens ? kOpening : kOther, kColumn};
    choose_refreshes();
  }
  choose_best();
}

/// Issues a burst, and those that come next in any case, up to clock `run_end_`. False: the
/// direction has changed.
bool DramChannel::issue_column(int bank, DramClock clock, std::vector<DramCompletion>& done) {
  if (!issue_in_turn(bank, clock, done)) {
    const int more = bursts_that_follow(bank, clock);
    now_ = clock + more * banks_.delays().hit_to_hit;
    book(bank, {clock, now_, 1 + more}, done);
  }
  if (!set_mode()) return true;
  plan_all();
  return false;
}

/// Books bursts of the bank's access, and its end.
void DramChannel::book(int bank, const Bursts& bursts, std::vector<DramCompletion>& done) {
  Bank& own = bank_[index(bank)];
  Slot& entry = slots_[index(own.slot)];
  const bool is_write = entry.access.is_write;
  const DramDelays& delays = banks_.delays();
  const DramClock latency = is_write ? delays.write_to_last_beat : delays.read_to_last_beat;
  if (entry.bursts_left == entry.access.bursts) entry.first_beats = bursts.first + latency;
  is_write ? banks_.write(bank, bursts.last) : banks_.read(bank, bursts.last);
  (is_write ? counts_.writes : counts_.reads) += bursts.n;
  own.pinned = kNone;
  waiting_[is_write ? 1 : 0] -= bursts.n;
  entry.age += bursts.n;
  entry.bursts_left -= bursts.n;
  own.age = entry.age;
  if (entry.bursts_left > 0 && is_write == writing_) return;  // the same access goes on
  if (entry.bursts_left == 0) {
    DramCompletion& end = done.emplace_back();  // field by field: a copy would wait for its parts
    end.token = entry.access.token;
    end.is_write = is_write;
    end.accepted = entry.accepted;
    end.first_beats = entry.first_beats;
    end.last_beats = bursts.last + latency;
    end.bursts = entry.access.bursts;
    end.activates = entry.activates;
    remove(bank, own.slot);
  }
  plan(bank);
}

/// Books bursts of the two oldest accesses in turn, where the pace inside a bank group leaves room
/// for one of another group: until one of them ends, the other is the only one that may come next.
/// False: this is not the case.
bool DramChannel::issue_in_turn(int bank, DramClock clock, std::vector<DramCompletion>& done) {
  if (!takes_turns_ || clock + pace_ > run_end_) return false;
  const Bank& own = bank_[index(bank)];
  if (own.slot != all_[writing_ ? 1 : 0].head) return false;
  const int other = oldest_of_other_groups(own);
  if (other == kNone || bank_[index(other)].rule() > clock + pace_) return false;
  const int own_left = slots_[index(own.slot)].bursts_left;
  const int other_left = slots_[index(bank_[index(other)].slot)].bursts_left;
  const int n = std::min({bursts_by(std::min(run_end_, columns_first_until()), clock, pace_),
                          2 * own_left - 1, 2 * other_left, bursts_of_mode()});
  if (n < 2) return false;
  now_ = clock + (n - 1) * pace_;
  const bool own_last = n % 2 != 0;
  const Bursts of_own{clock, own_last ? now_ : now_ - pace_, (n + 1) / 2};
  const Bursts of_other{clock + pace_, own_last ? now_ - pace_ : now_, n / 2};
  // The one that may end comes last, as its commands do.
  book(own_last ? other : bank, own_last ? of_other : of_own, done);
  book(own_last ? bank : other, own_last ? of_own : of_other, done);
  return true;
}

/// The bank of the oldest access with a column command outside the group of `own`, the oldest.
int DramChannel::oldest_of_other_groups(const Bank& own) const {
  const std::uint64_t columns =
      next_is_[index(writing_ ? DramCommand::kWrite : DramCommand::kRead)];
  for (int slot = slots_[index(own.slot)].younger; slot != kNone;
       slot = slots_[index(slot)].younger) {
    const int bank = slots_[index(slot)].access.bank;
    const Bank& other = bank_[index(bank)];
    const bool is_candidate = (columns & bit(bank)) != 0 && other.slot == slot;
    if (is_candidate && other.group_rule != own.group_rule) return bank;
  }
  return kNone;
}

/// Column commands from `clock` up to `last`, one every `pace` clocks.
int DramChannel::bursts_by(DramClock last, DramClock clock, DramClock pace) const {
  if (last < clock) return 1;
  const DramClock clocks = std::min(last - clock, kFarAhead);
  return 1 + static_cast<int>(static_cast<unsigned>(clocks) / static_cast<unsigned>(pace));
}

/// Bursts that may go before the direction changes, which reads do with the last of them, or wanted
/// room is made.
int DramChannel::bursts_of_mode() const {
  const int waiting = waiting_[writing_ ? 1 : 0];
  const int wanted = writing_ ? wanted_.writes : wanted_.reads;
  const int to_room = waiting + wanted - capacity_[writing_ ? 1 : 0];
  const int to_switch = writing_ && waiting_[0] > 0 ? waiting - policy_.drain_to : waiting;
  return wanted > 0 && to_room > 0 ? std::min(to_room, to_switch) : to_switch;
}

/// Whether the bank's column command stays the first one: no other waits, or it is the oldest and
/// never slower than another's.
bool DramChannel::comes_again(int bank) const {
  const std::uint64_t columns = next_is_[index(bank_[index(bank)].command)];
  if (columns == bit(bank)) return true;
  return one_pace_ && bank_[index(bank)].slot == all_[writing_ ? 1 : 0].head;
}

/// Bursts of the same access that nothing can come between: no other column command, as
/// comes_again says, no row command, no switch, and nothing is accepted up to `run_end_`. They
/// follow at the pace of one bank's hits.
int DramChannel::bursts_that_follow(int bank, DramClock clock) {
  const Slot& entry = slots_[index(bank_[index(bank)].slot)];
  const DramClock pace = banks_.delays().hit_to_hit;
  if (entry.bursts_left == 1 || clock + pace > run_end_) return 0;
  if (entry.access.is_write != writing_ || !comes_again(bank)) return 0;
  const DramClock last = std::min(run_end_, columns_first_until());
  return std::max(
      0, std::min({bursts_by(last, clock, pace), entry.bursts_left, bursts_of_mode()}) - 1);
}

}  // namespace tessera::hw
