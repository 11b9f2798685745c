// How long the MAC array takes: closed forms, no SystemC. Formulas: docs/timing_model.md.
#pragma once

#include "hw_models/hardware_config.h"

namespace tessera::hw {

struct GemmShape {
  std::int64_t m = 0, k = 0, n = 0;
};

/// What one Gemm command costs the array. A fold is one stationary block and what streams past it.
struct ArrayCost {
  Cycles preload = 0;    // load of the first stationary block; a chain hides it if overlapped
  Cycles compute = 0;    // cycles in which operand rows enter: folds x streamed rows
  Cycles fold_wait = 0;  // between folds: exposed preloads and drains, minimum intervals
  Cycles successor_wait =
      0;  // part of fold_wait after the last fold, paid only in front of a successor
  Cycles drain_hold = 0;  // after the last row before another command's first row, for the results
  Cycles last_fold = 0;   // rows of the last fold: what a successor's preload can hide behind
  Cycles drain = 0;       // from the last operand row to the last result in place
  Cycles first_result = 0;  // from the first operand row to the first final result
  std::int64_t folds = 0;
  std::int64_t a_reads = 0, b_reads = 0;             // elements read from the operand buffers
  std::int64_t result_reads = 0, result_writes = 0;  // partial sums, elements
  /// Array cycles of the command in a chain of commands.
  Cycles stream() const { return compute + fold_wait; }
};

/// Cost of C[m,n] (+)= A[m,k] B[k,n] on `array`; all three at least 1.
/// `macs_per_pe`: throughput of the precision pair; the streamed rows take 1 / macs_per_pe cycles.
/// Weight stationary (R rows hold K, C columns hold N, M streams): ceil(k/R) ceil(n/C) folds of m
/// rows. Output stationary (rows hold M, columns N): ceil(m/R) ceil(n/C) folds of k. Input
/// stationary (rows hold K, columns M): weight stationary of the transposed problem.
ArrayCost array_cost(const ArrayConfig& array, Dataflow dataflow, const GemmShape& shape,
                     double macs_per_pe, bool accumulate);

/// Bank accesses of one Gemm command by operand, `width` bytes each: every cycle that an operand
/// enters is at least one access.
struct ArrayAccesses {
  std::int64_t a = 0, b = 0, c = 0;
};
struct OperandWidths {
  Bytes a = 32, b = 32, c = 128;  // access width of the buffer that holds the operand
  int a_bits = 8, b_bits = 8, c_bits = 32;
};
/// Most accesses that the operands make in one cycle; results are read and written.
ArrayAccesses peak_accesses(const ArrayConfig& array, Dataflow dataflow,
                            const OperandWidths& widths);
ArrayAccesses array_accesses(const ArrayConfig& array, Dataflow dataflow, const GemmShape& shape,
                             const OperandWidths& widths, bool accumulate);

}  // namespace tessera::hw
