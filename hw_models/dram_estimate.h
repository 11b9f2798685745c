// How a machine uses the DRAM of the timing model, and what that sustains. Pure.
#pragma once

#include "hw_models/hardware_config.h"

namespace tessera::hw {

/// Bytes of a row that enter a queue together: aligned, at most a quarter of it.
Bytes dram_piece_bytes(const DramConfig& dram, const DramAddressMap& map);

/// Share of the peak that one channel sustains under what tiles mostly are: two streams of reads
/// and one of writes, in turns of 4 KiB. What prices expect of the timing model.
/// REQUIRES: a finished configuration of the timing model.
double estimate_sustained_fraction(const DramConfig& dram);

}  // namespace tessera::hw
