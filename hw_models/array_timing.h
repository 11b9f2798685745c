// How long the MAC array takes: closed forms, no SystemC. Formulas: docs/timing_model.md.
#pragma once

#include "hw_models/hardware_config.h"

namespace tessera::hw {

struct GemmShape {
  std::int64_t m = 0, k = 0, n = 0;
};

/// One fold (a stationary block and what streams past it), in cycles. A later result, row or block
/// may come while these pass: what overlaps is decided by `next_stream`.
struct FoldTiming {
  Cycles load = 0;    // of a stationary block in front of a successor
  Cycles rows = 0;    // operand rows enter
  Cycles alone = 0;   // at least: as the last of a chain, or in front of one that keeps the block
  Cycles padded = 0;  // at least: in front of another block
  Cycles last_block = 0;  // of `alone`, the part that streams its last row block (at most R rows)
  Cycles skew = 0;        // from the last row's entry to its results in the farthest PE
  Cycles latency = 0;     // the pipeline of the PEs
  Cycles shift_out = 0;   // output stationary: results leave the PEs
};

/// What one Gemm command costs the array.
struct ArrayCost {
  Cycles preload = 0;    // load of the first stationary block; a chain hides it if overlapped
  Cycles compute = 0;    // cycles in which operand rows enter: folds x streamed rows
  Cycles fold_wait = 0;  // between folds: preloads, padding, skew and results that are not hidden
  Cycles fill_wait = 0;  // part of fold_wait up to the last fold: the array empties
  Cycles successor_wait =
      0;             // part of fold_wait after the last fold, paid only in front of a successor
  Cycles drain = 0;  // from the last operand row to the last result in place
  Cycles first_result = 0;  // from the first operand row to the first final result
  FoldTiming fold;
  std::int64_t folds = 0;
  std::int64_t a_reads = 0, b_reads = 0;             // elements read from the operand buffers
  std::int64_t result_reads = 0, result_writes = 0;  // partial sums, elements
  /// Array cycles of the command in a chain of commands like itself.
  Cycles stream() const { return compute + fold_wait; }
};

/// Cost of C[m,n] (+)= A[m,k] B[k,n] on `array`; all three at least 1.
/// `rate`: of the precision pair; the streamed rows take 1 / macs_per_pe cycles, and rows and
/// blocks of the right operand wait for their elements to be dequantised. `keeps_stationary`: the
/// first block is in the PEs already. Weight stationary (R rows hold K, C columns hold N, M
/// streams): ceil(k/R) ceil(n/C) folds of m rows. Output stationary (rows hold M, columns N):
/// ceil(m/R) ceil(n/C) folds of k. Input stationary (rows hold K, columns M): weight stationary of
/// the transposed problem. Semi-systolic delivery is output stationary with C x stages result
/// columns.
ArrayCost array_cost(const ArrayConfig& array, Dataflow dataflow, const GemmShape& shape,
                     const PairRate& rate, bool accumulate, bool keeps_stationary = false);

/// The stream in front: its last fold, and the cycle behind its last row, however long banks made
/// it.
struct StreamAhead {
  FoldTiming fold;
  Cycles end = 0;
};
/// The stream behind it. `load` is 0 and no block is waited for where it `keeps` the one ahead.
struct StreamNext {
  Cycles ready = 0;  // block and rows are at hand from here on
  Cycles load = 0;
  Cycles rows = 0;  // of its first fold, until its results are complete
  bool keeps = false;
};
/// The first cycle in which the first row of `next` may enter: of a fold behind a fold, and of a
/// command behind a command.
Cycles next_stream(const ArrayConfig& array, const StreamAhead& ahead, const StreamNext& next);

/// The commands of one array in order: when the next one may stream.
class ArrayChain {
 public:
  explicit ArrayChain(const ArrayConfig& array) : array_(&array) {}
  /// First cycle in which the first row of a command may enter that is `ready` (started up, block
  /// and rows at hand). REQUIRES: the commands before it have `ended`.
  Cycles earliest_stream(const ArrayCost& next, Cycles ready, bool keeps_stationary) const;
  /// The last row of a command has entered in the cycle before `end`; banks may have held it up.
  void ended(const ArrayCost& cost, Cycles end);

 private:
  const ArrayConfig* array_;
  StreamAhead ahead_;
  bool first_ = true;
};

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
/// Semi-systolic delivery: a row of A in pieces of a result row's length, every row of the array
/// and every step of the padded K at its turn, used or not; without the last tile's results, which
/// leave behind the stream.
ArrayAccesses array_accesses(const ArrayConfig& array, Dataflow dataflow, const GemmShape& shape,
                             const OperandWidths& widths, bool accumulate);

}  // namespace tessera::hw
