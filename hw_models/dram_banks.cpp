#include "hw_models/dram_banks.h"

#include <algorithm>

namespace tessera::hw {

/// A delay of `n` clocks between last clocks is n + first's - second's clocks between starts.
DramDelays::DramDelays(const DramTimings& t) {
  const int act = t.act_clocks, cas = t.cas_clocks, pre = t.pre_clocks, ref = t.ref_clocks;
  act_to_read = t.rcd_read + act - cas;
  act_to_write = t.rcd_write + act - cas;
  act_to_pre = t.ras + act - pre;
  act_to_act = t.rc;
  rrd_short = t.rrd_short;
  rrd_long = t.rrd_long;
  faw = t.faw;
  pre_to_act = t.rp + pre - act;
  pre_all_to_act = t.rp_all + pre - act;
  read_to_pre = t.read_to_precharge + cas - pre;
  const int write_data = t.write_latency + t.write_strobe + t.burst;
  write_to_pre = write_data + t.write_recovery + cas - pre;
  ccd_short = t.ccd_short;
  ccd_long = t.ccd_long;
  read_to_write = t.read_to_write;
  wtr_short = write_data + t.wtr_short;
  wtr_long = write_data + t.wtr_long;
  burst_to_burst_switch = t.burst + t.rank_switch;
  const int write_start = t.write_latency + t.write_strobe;
  read_to_write_switch = t.read_latency + burst_to_burst_switch - write_start;
  write_to_read_switch = write_start + burst_to_burst_switch - t.read_latency;
  refresh_all_to_act = t.refresh_all + ref - act;
  refresh_bank_to_act = t.refresh_bank + ref - act;
  refresh_bank_to_other_act = t.refresh_bank_to_act + ref - act;
  refresh_bank_to_next = t.refresh_bank_to_next;
  hit_to_hit = std::max({t.ccd_short, t.ccd_long, cas});
  read_to_last_beat = cas - 1 + t.read_latency + t.burst;
  write_to_last_beat = cas - 1 + write_data;
  command_clocks = {act, pre, cas, cas, act, pre, ref, ref, 0};
}

DramBanks::DramBanks(const DramDevice& device)
    : delays_(device.t),
      ranks_(device.all_ranks()),
      ranks_per_bus_(device.ranks),
      banks_per_rank_(device.banks_per_rank()),
      split_bus_(device.t.split_command_bus),
      split_activate_(device.t.split_activate),
      pre_to_pre_(device.t.pre_to_pre),
      bank_(index(device.banks())),
      group_(index(device.all_ranks() * device.bank_groups)),
      rank_(index(device.all_ranks())),
      open_row_(index(device.banks()), kClosed),
      open_banks_(index(device.all_ranks()), 0),
      last_activates_(index(device.all_ranks())),
      next_bank_refresh_(index(device.all_ranks()), 0) {
  for (int bank = 0; bank < device.banks(); ++bank) {
    group_of_.push_back(bank / device.banks_per_group);
    rank_of_.push_back(bank / device.banks_per_rank());
  }
}

DramClock DramBanks::earliest_precharge_all(int rank) const {
  DramClock clock = bus_free_[bus_of(DramCommand::kPrechargeAll)];
  for (int bank = rank * banks_per_rank_; bank < (rank + 1) * banks_per_rank_; ++bank) {
    if (!is_open(bank)) continue;
    clock =
        std::max(clock, bank_[index(bank)].at[static_cast<std::size_t>(DramCommand::kPrecharge)]);
  }
  return clock;
}

/// A refresh may start when its last clock lies where that of an activate may.
DramClock DramBanks::earliest_refresh_all(int rank) const {
  DramClock clock = bus_free_[bus_of(DramCommand::kRefreshAll)];
  const DramClock shift =
      delays_.command_clocks[static_cast<std::size_t>(DramCommand::kActivate)] -
      delays_.command_clocks[static_cast<std::size_t>(DramCommand::kRefreshAll)];
  for (int bank = rank * banks_per_rank_; bank < (rank + 1) * banks_per_rank_; ++bank) {
    clock = std::max(clock, bank_[index(bank)].at[0] + shift);
  }
  return clock;
}

DramClock DramBanks::earliest_refresh_bank(int bank) const {
  const int rank = rank_of(bank);
  const DramClock shift =
      delays_.command_clocks[static_cast<std::size_t>(DramCommand::kActivate)] -
      delays_.command_clocks[static_cast<std::size_t>(DramCommand::kRefreshAll)];
  DramClock clock = bus_free_[bus_of(DramCommand::kRefreshBank)];
  clock = std::max(clock, bank_[index(bank)].at[0] + shift);
  clock = std::max(clock, rank_[index(rank)].at[0] + shift);
  return std::max(clock, next_bank_refresh_[index(rank)]);
}

/// The fifth activate waits for the first of the last four.
void DramBanks::note_activate(int rank, DramClock clock) {
  Activates& last = last_activates_[index(rank)];
  last.at[last.oldest] = clock;
  last.oldest = (last.oldest + 1) % last.at.size();
  rank_[index(rank)].push(DramCommand::kActivate, last.at[last.oldest] + delays_.faw);
}

void DramBanks::activate(int bank, std::int64_t row, DramClock clock) {
  take_bus(DramCommand::kActivate, clock);
  const int rank = rank_of(bank);
  open_row_[index(bank)] = row;
  ++open_banks_[index(rank)];
  DramEarliest& own = bank_[index(bank)];
  own.push(DramCommand::kActivate, clock + delays_.act_to_act);
  if (split_activate_) {
    own.push(DramCommand::kActivateSecond, clock + 1);
    own.push(DramCommand::kPrecharge, kNeverClock);
  } else {
    open_from(bank, clock);
  }
  group_[index(group_of_[index(bank)])].push(DramCommand::kActivate, clock + delays_.rrd_long);
  rank_[index(rank)].push(DramCommand::kActivate, clock + delays_.rrd_short);
  note_activate(rank, clock);
}

void DramBanks::open_from(int bank, DramClock clock) {
  DramEarliest& own = bank_[index(bank)];
  own.at[static_cast<std::size_t>(DramCommand::kPrecharge)] = clock + delays_.act_to_pre;
  own.push(DramCommand::kRead, clock + delays_.act_to_read);
  own.push(DramCommand::kWrite, clock + delays_.act_to_write);
}

void DramBanks::activate_second(int bank, DramClock clock) {
  take_bus(DramCommand::kActivateSecond, clock);
  open_from(bank, clock);
}

void DramBanks::close(int bank) {
  open_row_[index(bank)] = kClosed;
  --open_banks_[index(rank_of(bank))];
}

void DramBanks::precharge(int bank, DramClock clock) {
  take_bus(DramCommand::kPrecharge, clock);
  close(bank);
  bank_[index(bank)].push(DramCommand::kActivate, clock + delays_.pre_to_act);
  rank_[index(rank_of(bank))].push(DramCommand::kPrecharge, clock + pre_to_pre_);
}

void DramBanks::read(int bank, DramClock clock) {
  take_bus(DramCommand::kRead, clock);
  bank_[index(bank)].push(DramCommand::kPrecharge, clock + delays_.read_to_pre);
  group_[index(group_of_[index(bank)])].push(DramCommand::kRead, clock + delays_.ccd_long);
  DramEarliest& rank = rank_[index(rank_of(bank))];
  rank.push(DramCommand::kRead, clock + delays_.ccd_short);
  rank.push(DramCommand::kWrite, clock + delays_.read_to_write);
  if (ranks_per_bus_ > 1) {
    delay_other_ranks(rank_of(bank), clock + delays_.burst_to_burst_switch,
                      clock + delays_.read_to_write_switch);
  }
}

void DramBanks::write(int bank, DramClock clock) {
  take_bus(DramCommand::kWrite, clock);
  bank_[index(bank)].push(DramCommand::kPrecharge, clock + delays_.write_to_pre);
  DramEarliest& group = group_[index(group_of_[index(bank)])];
  group.push(DramCommand::kWrite, clock + delays_.ccd_long);
  group.push(DramCommand::kRead, clock + delays_.wtr_long);
  DramEarliest& rank = rank_[index(rank_of(bank))];
  rank.push(DramCommand::kWrite, clock + delays_.ccd_short);
  rank.push(DramCommand::kRead, clock + delays_.wtr_short);
  if (ranks_per_bus_ > 1) {
    delay_other_ranks(rank_of(bank), clock + delays_.write_to_read_switch,
                      clock + delays_.burst_to_burst_switch);
  }
}

/// The data bus changes hands.
void DramBanks::delay_other_ranks(int rank, DramClock next_read, DramClock next_write) {
  const int first = rank - rank % ranks_per_bus_;
  for (int other = first; other < first + ranks_per_bus_; ++other) {
    if (other == rank) continue;
    rank_[index(other)].push(DramCommand::kRead, next_read);
    rank_[index(other)].push(DramCommand::kWrite, next_write);
  }
}

void DramBanks::precharge_all(int rank, DramClock clock) {
  take_bus(DramCommand::kPrechargeAll, clock);
  for (int bank = rank * banks_per_rank_; bank < (rank + 1) * banks_per_rank_; ++bank) {
    if (is_open(bank)) close(bank);
    bank_[index(bank)].push(DramCommand::kActivate, clock + delays_.pre_all_to_act);
  }
}

void DramBanks::refresh_all(int rank, DramClock clock) {
  take_bus(DramCommand::kRefreshAll, clock);
  for (int bank = rank * banks_per_rank_; bank < (rank + 1) * banks_per_rank_; ++bank) {
    bank_[index(bank)].push(DramCommand::kActivate, clock + delays_.refresh_all_to_act);
  }
}

/// Counts as an activate of its rank.
void DramBanks::refresh_bank(int bank, DramClock clock) {
  take_bus(DramCommand::kRefreshBank, clock);
  const int rank = rank_of(bank);
  bank_[index(bank)].push(DramCommand::kActivate, clock + delays_.refresh_bank_to_act);
  rank_[index(rank)].push(DramCommand::kActivate, clock + delays_.refresh_bank_to_other_act);
  next_bank_refresh_[index(rank)] = clock + delays_.refresh_bank_to_next;
  note_activate(rank, clock);
}

}  // namespace tessera::hw
