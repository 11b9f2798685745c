// Why a Gemm does not fit, in words.
#pragma once

#include "sim/mapper/gemm_search.h"

namespace tessera::sim {

/// The buffer that is too small for the slots, and by how much.
struct Overflow {
  int buffer = -1;
  Bytes needs = 0;
};

/// The buffer that lacks most bytes; nullopt when all slots fit.
std::optional<Overflow> worst_overflow(const GemmContext& context, const SlotPlan& slots,
                                       const std::array<int, 4>& counts);

/// The least that the pins allow, the buffer it overflows and the nearest thing that would fit.
std::string no_fit_message(const GemmContext& context, const GemmPins& pins,
                           const std::string& who);

}  // namespace tessera::sim
