// Who gets how much of a bank: pure arithmetic on fixed-point rates. Formulas:
// docs/timing_model.md.
#pragma once

#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/tile_program.h"

namespace tessera::hw {

/// Fixed point: accesses per cycle, and speeds, in units of 2^-16.
using Rate = std::int64_t;
constexpr Rate kFullRate = 1 << 16;

/// Bytes of a region by bank.
struct BankShare {
  int bank = 0;
  Bytes bytes = 0;
};
/// Bytes of `region` in each bank it touches, by the buffer's bank mapping; replaces `shares`.
void bank_shares(const BufferConfig& buffer, const Region& region, std::vector<BankShare>& shares);
std::vector<BankShare> bank_shares(const BufferConfig& buffer, const Region& region);

/// Accesses per cycle on one bank.
struct BankRate {
  int bank = 0;
  Rate rate = 0;
};
/// Spreads `accesses` over the banks of `region` during `cycles`, and adds them to `rates` (one
/// entry a bank).
void add_rates(std::vector<BankRate>& rates, const BufferConfig& buffer, const Region& region,
               std::int64_t accesses, Cycles cycles);

/// Speed (at most kFullRate) of each of several users of one bank. Where their rates exceed
/// `capacity` all slow down alike; with `first` >= 0 that user is served first and the others share
/// the rest (at least 1/64 of their rate, so that nobody starves for ever).
std::vector<Rate> share_bank(const std::vector<Rate>& rates, Rate capacity, int first);

/// What a DMA piece of `accesses` to one bank during `cycles` costs when streams use the bank at
/// `stream_rate`: cycles that the streams lose and cycles that the piece arrives late.
struct DmaConflict {
  Cycles stream_stall = 0;
  Cycles dma_delay = 0;
};
DmaConflict dma_conflict(std::int64_t accesses, Cycles cycles, Rate stream_rate, int ports,
                         BankPolicy policy);

}  // namespace tessera::hw
