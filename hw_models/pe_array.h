// The MAC array PE by PE and clock by clock, computing real integers: the reference that the closed
// forms of array_timing.h are held against. Slow: for tests and for single products.
#pragma once

#include <memory>
#include <systemc>
#include <vector>

#include "hw_models/array_timing.h"
#include "hw_models/hardware_config.h"

namespace tessera::hw {

/// One Gemm command of a chain. Matrices row by row.
struct PeJob {
  GemmShape shape;
  std::vector<std::int64_t> a;  // m x k
  std::vector<std::int64_t> b;  // k x n
  std::vector<std::int64_t> c;  // m x n, what the results are added to; empty: zero
  /// Continues the block of the job ahead, whose results it keeps in the PEs where they stay there.
  bool keeps_stationary = false;
  Cycles ready = 0;  // its operands are at hand from this cycle on
};

struct PeOutcome {
  std::vector<std::int64_t> results;  // m x n; empty where the next job keeps them in the PEs
  Cycles first_row = 0;               // the cycle in which the first row enters
  Cycles end = 0;                     // the cycle behind the last row
  Cycles completed = 0;               // the last result has left: the cycle behind
};

class PeSequence;

/// One elaboration runs any number of chains, each on an array of its own shape and options, from
/// reset. One MAC a PE and cycle; start-up and buffers are not in it.
class PeArray : public sc_core::sc_module {
 public:
  explicit PeArray(sc_core::sc_module_name name);
  ~PeArray() override;
  /// Runs `jobs` in order and returns once the array is empty. REQUIRES: called between processes
  /// (it advances the simulation), and that nothing else is going to happen.
  std::vector<PeOutcome> run(const ArrayConfig& array, Dataflow dataflow,
                             const std::vector<PeJob>& jobs);

 private:
  void clock_edge();

  sc_core::sc_event edge_;
  std::unique_ptr<PeSequence> sequence_;
};

}  // namespace tessera::hw
