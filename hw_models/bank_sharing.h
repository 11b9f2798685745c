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

/// Who uses a bank.
enum class BankUser { kArray, kVector, kDma };

/// What one user asks of one bank: `rate` at full speed, of which it takes `rate` x `pace` at most
/// because something else holds it up.
struct BankDemand {
  BankUser user = BankUser::kDma;
  Rate rate = 0;
  Rate pace = kFullRate;
};

/// Speed (at most kFullRate) that the bank gives each of `demands`: what it asks at full speed
/// against what the others take. Where they ask for more than `ports` accesses a cycle the policy
/// decides who is served first; users of one priority take turns: each gets what it asks for up to
/// a common level. Those behind the array keep 1/64 of the accesses under `array_first`, so that
/// nobody starves: a DMA ends, an array may go on and on. The accesses granted never exceed the
/// ports.
std::vector<Rate> share_bank(const std::vector<BankDemand>& demands, int ports, BankPolicy policy);

}  // namespace tessera::hw
