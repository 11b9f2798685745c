// What a run costs at the DRAM: energies of commands from published currents, or by bit. Pure.
#pragma once

#include <optional>
#include <vector>

#include "hw_models/dram_channel.h"

namespace tessera::hw {

/// A supply of one device and the currents that data sheets state for it, in mA.
struct DramRail {
  double volts = 0;
  double idd0 = 0;              // one bank activates and precharges every tRC
  double idd2n = 0, idd3n = 0;  // standby: all banks precharged, a row open
  double idd4r = 0, idd4w = 0;  // bursts without a gap
  double idd5 = 0;              // all-bank refreshes without a gap
};

struct DramCurrents {
  std::vector<DramRail> rails;
  int devices = 1;            // that answer a command together
  Femtoseconds burst_fs = 0;  // at the data rate of idd4r and idd4w
};

/// The usual power model: a command costs what its current adds to standby. A pseudo channel has
/// its share of the currents. Standby counts as if a row were always open.
DramCommandEnergy command_energy(const DramCurrents& currents, const DramDevice& device);

/// Refresh takes the same power by bank as by all banks; 0 where there is none by bank.
Femtojoules refresh_bank_energy(Femtojoules refresh_all, const DramTimings& timings);

/// Of a standard that needs no file; empty where no figure is published.
DramEnergy published_energy(const DramDevice& device);

/// What a run asked of all channels together.
struct DramActivity {
  DramCommandCounts counts;  // without rows: reads and writes alone
  bool has_rows = false;     // activates, precharges and refreshes were counted
  double channels = 1;       // HBM2: pairs of pseudo channels
  int ranks = 1;             // of a channel: each in standby all the time
  double seconds = 0;
};

/// Joules of a run; nullopt: no figure stands behind the part.
struct DramJoules {
  std::optional<double> activate;  // with precharges
  double read = 0, write = 0;
  std::optional<double> refresh, background;
  double total() const;
};

/// nullopt: the device states no energy.
std::optional<DramJoules> energy_of(const DramActivity& activity, const DramDevice& device);

}  // namespace tessera::hw
