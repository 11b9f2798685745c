// DRAM standards as data: the geometry of one channel and its timings in clocks. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hw_models/units.h"

namespace tessera::hw {

using DramClock = std::int64_t;  // of the DRAM's command clock

/// Clocks between commands, as data sheets count them: from the last clock of a command to the
/// last clock of the next. Commands that take several clocks on the bus are told below.
struct DramTimings {
  int burst = 4;  // on the data bus
  int rcd_read = 22, rcd_write = 22;
  int rp = 22, rp_all = 22;  // precharge of one bank, of all
  int ras = 52, rc = 74;
  int read_latency = 22;   // to the first beat (LPDDR4: DQSCK included)
  int write_latency = 16;  // to the first beat
  int write_strobe = 0;    // LPDDR4: a clock between WL and the data (tDQSS)
  int ccd_short = 4, ccd_long = 8;
  int rrd_short = 4, rrd_long = 8, faw = 34;
  int write_recovery = 24, read_to_precharge = 12;
  int wtr_short = 4, wtr_long = 12;
  int read_to_write = 12;  // command to command
  int rank_switch = 2;     // data bus idle between bursts of two ranks (tRTRS)
  int refresh_interval = 12480, refresh_all = 576;
  int refresh_bank_interval = 0, refresh_bank = 0;  // per-bank refresh; 0: has none
  int refresh_bank_to_act = 0;                      // of another bank
  int refresh_bank_to_next = 0;                     // to the per-bank refresh of another bank
  int pre_to_pre = 1;                               // tPPD
  int act_clocks = 1, cas_clocks = 1, pre_clocks = 1, ref_clocks = 1;  // on the command bus
  bool split_activate = false;     // ACT-1 and ACT-2, other commands may come between (LPDDR5)
  bool split_command_bus = false;  // row and column commands on buses of their own (HBM2)
};

using Femtojoules = std::int64_t;
using Microwatts = std::int64_t;

/// What the commands of a channel cost, all devices behind it together: one command of one pseudo
/// channel, and the power that flows all the time.
struct DramCommandEnergy {
  Femtojoules activate = 0;  // its precharge included where `precharge` is 0
  Femtojoules precharge = 0;
  Femtojoules read = 0, write = 0;  // one burst
  Femtojoules refresh_all = 0, refresh_bank = 0;
  Microwatts background = 0;  // of the whole channel, one rank
};

/// By command, or by bit on the data bus, or unknown; never both.
struct DramEnergy {
  std::optional<DramCommandEnergy> commands;
  std::optional<Femtojoules> per_bit;  // everything included
  std::string source;
};

/// One channel of a standard. Pseudo channels share the command bus and the queues, and have ranks
/// and data buses of their own. The ranks of a pseudo channel share its data bus; each has its own
/// banks, activate windows (tRRD, tFAW) and refresh.
struct DramDevice {
  std::string name;
  std::int64_t clock_fs = 625'000;  // tCK
  Bytes burst_bytes = 64;
  int pseudo_channels = 1;
  int ranks = 1;             // of each pseudo channel
  int bank_groups = 4;       // 1: none
  int banks_per_group = 4;   // all, without groups
  int bursts_per_row = 128;  // page / burst
  int rows = 65536;
  DramTimings t;
  DramEnergy energy;

  int banks_per_rank() const { return bank_groups * banks_per_group; }
  int all_ranks() const { return pseudo_channels * ranks; }
  int banks() const { return all_ranks() * banks_per_rank(); }
  /// Bursts a clock times bytes: the peak in bytes per second.
  double peak_bytes_per_second() const;
  /// Row conflict on an idle channel, command to last beat: tRP + tRCD + RL + burst.
  int unloaded_read_clocks() const;
};

const std::vector<DramDevice>& dram_devices();
/// nullptr for unknown names.
const DramDevice* find_dram_device(const std::string& name);

}  // namespace tessera::hw
