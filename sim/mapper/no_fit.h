// Why a Gemm does not fit, in words.
#pragma once

#include "sim/mapper/gemm_search.h"

namespace tessera::sim {

/// The buffer that is too small for the slots, and by how much.
struct Overflow {
  int buffer = -1;
  Bytes needs = 0;
};

/// nullopt when all slots fit.
inline std::optional<Overflow> overflow(const GemmContext& context, const SlotPlan& slots,
                                        const std::array<int, 4>& counts) {
  for (std::size_t i = 0; i < 4; ++i) {
    Bytes needs = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      if (slots.buffer[j] == slots.buffer[i]) needs += slots.bytes[j] * counts[j];
    }
    if (needs > context.capacity(slots.buffer[i])) return Overflow{slots.buffer[i], needs};
  }
  return std::nullopt;
}

/// The least that the pins allow, the buffer it overflows and the nearest thing that would fit.
std::string no_fit_message(const GemmContext& context, const GemmPins& pins,
                           const std::string& who);

}  // namespace tessera::sim
