// How long the MAC array takes: closed forms, no SystemC. Formulas: docs/timing_model.md.
#pragma once

#include "hw_models/hardware_config.h"

namespace tessera::hw {

struct GemmShape {
  std::int64_t m = 0, k = 0, n = 0;
};

/// What one Gemm command costs the array when it follows another without a gap.
struct ArrayCost {
  Cycles preload = 0;        // load of the first stationary block (hidden in a chain if overlapped)
  Cycles compute = 0;        // cycles in which operand rows enter
  Cycles fold_wait = 0;      // cycles between folds: exposed preloads, drains, minimum intervals
  Cycles drain = 0;          // from the last operand row to the last result in place
  Cycles first_result = 0;   // from the first operand row to the first final result
  std::int64_t folds = 0;
  /// Bytes the array moves: stationary operand in, streamed operand in, results read and written.
  std::int64_t stationary_elements = 0, streamed_elements = 0;
  std::int64_t result_reads = 0, result_writes = 0;
  Cycles stream() const { return compute + fold_wait; }
};

/// Cost of C[m,n] (+)= A[m,k] B[k,n] on `array`.
/// `macs_per_pe` = throughput of the precision pair; the streamed dimension's cycles divide by it.
ArrayCost array_cost(const ArrayConfig& array, Dataflow dataflow, const GemmShape& shape,
                     double macs_per_pe, bool accumulate);

/// Vector unit: cycles of one command over rows x cols elements.
Cycles vector_cycles(const VectorConfig& vector, const std::string& operation, std::int64_t rows,
                     std::int64_t cols, double pass_share = 1.0);

/// Cycles a streaming epilogue of `operations` takes for rows x cols results.
Cycles epilogue_cycles(const VectorConfig& vector, const std::vector<std::string>& operations,
                       std::int64_t rows, std::int64_t cols);

}  // namespace tessera::hw
