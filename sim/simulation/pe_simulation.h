// One product on the array PE by PE and clock by clock (hw_models/pe_array.h).
#pragma once

#include "hw_models/hardware_config.h"
#include "sim/simulation/product.h"

namespace tessera::sim {

/// In cycles of the array alone, from reset on, its operands at hand: no start-up, no buffers.
struct PeProduct {
  Matrix results;            // m x n
  hw::Cycles first_row = 0;  // the cycle in which the first row enters
  hw::Cycles rows_end = 0;   // the cycle behind the last row
  hw::Cycles completed = 0;  // the last result has left: the cycle behind
};

/// Once per process, and not beside simulate(): a second call throws std::logic_error.
PeProduct simulate_pes(const hw::ArrayConfig& array, hw::Dataflow dataflow, const Product& product);

}  // namespace tessera::sim
