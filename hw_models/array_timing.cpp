#include "hw_models/array_timing.h"

#include <algorithm>
#include <cmath>

namespace tessera::hw {
namespace {

/// A Gemm seen from the array: `row_blocks` x `col_blocks` folds of `rows_in` streamed rows.
struct Folding {
  std::int64_t row_blocks = 0;
  std::int64_t col_blocks = 0;
  std::int64_t streamed = 0;
};

Folding fold(const ArrayConfig& array, Dataflow dataflow, const GemmShape& s) {
  switch (dataflow) {
    case Dataflow::kWeightStationary:
      return {ceil_div(s.k, array.rows), ceil_div(s.n, array.cols), s.m};
    case Dataflow::kInputStationary:
      return {ceil_div(s.k, array.rows), ceil_div(s.m, array.cols), s.n};
    case Dataflow::kOutputStationary:
      break;
  }
  return {ceil_div(s.m, array.rows), ceil_div(s.n, array.cols), s.k};
}

Cycles stream_cycles(std::int64_t rows, double macs_per_pe) {
  return static_cast<Cycles>(std::ceil(static_cast<double>(rows) / macs_per_pe));
}

void count_elements(ArrayCost& cost, Dataflow dataflow, const GemmShape& s, const Folding& f,
                    bool accumulate) {
  const bool output_stationary = dataflow == Dataflow::kOutputStationary;
  const bool input_stationary = dataflow == Dataflow::kInputStationary;
  cost.a_reads = s.m * s.k * (input_stationary ? 1 : f.col_blocks);
  cost.b_reads = s.k * s.n *
                 (output_stationary  ? f.row_blocks
                  : input_stationary ? f.col_blocks
                                     : 1);
  const std::int64_t passes = output_stationary ? 1 : f.row_blocks;
  cost.result_writes = s.m * s.n * passes;
  cost.result_reads = s.m * s.n * (passes - 1 + (accumulate ? 1 : 0));
}

}  // namespace

ArrayCost array_cost(const ArrayConfig& array, Dataflow dataflow, const GemmShape& shape,
                     double macs_per_pe, bool accumulate) {
  const Folding f = fold(array, dataflow, shape);
  const bool output_stationary = dataflow == Dataflow::kOutputStationary;
  const Cycles rows = array.rows;
  const Cycles skew = array.rows + array.cols - 2;
  const Cycles streamed = stream_cycles(f.streamed, macs_per_pe);
  // Results of an output-stationary fold shift out through the rows; the others fall out at the
  // edge.
  const Cycles shift_out = output_stationary ? rows : 0;
  // The output-stationary block is loaded only to be accumulated upon.
  const Cycles block_load = output_stationary && !accumulate ? 0 : rows;

  Cycles exposed = 0;
  Cycles interval = streamed;
  if (array.preload == Overlap::kOverlapped) {
    interval = std::max(interval, block_load);
  } else {
    exposed += block_load;
  }
  if (array.drain == Overlap::kOverlapped) {
    interval = std::max(interval, shift_out);
  } else {
    exposed += skew + shift_out;
  }

  ArrayCost cost;
  cost.folds = f.row_blocks * f.col_blocks;
  cost.preload = block_load;
  cost.compute = cost.folds * streamed;
  // An exposed preload of the first fold is the command's own `preload`, the others stand between.
  const Cycles first_preload = array.preload == Overlap::kExposed ? block_load : 0;
  const Cycles last_drain = array.drain == Overlap::kExposed ? skew + shift_out : 0;
  cost.fold_wait = cost.folds * (interval - streamed + exposed) - first_preload;
  cost.successor_wait = interval - streamed + last_drain;
  cost.last_fold = streamed;
  cost.drain = skew + shift_out;
  const std::int64_t folds_to_result = output_stationary ? 1 : f.row_blocks;
  cost.first_result =
      (folds_to_result - 1) * (interval + exposed) + skew + (output_stationary ? streamed : 1);
  count_elements(cost, dataflow, shape, f, accumulate);
  return cost;
}

namespace {

/// Accesses for moving `elements` of `bits` each, `vector` elements per array cycle.
std::int64_t accesses(std::int64_t elements, std::int64_t vector, int bits, Bytes width) {
  const Bytes vector_bytes = ceil_div(vector * bits, 8);
  return ceil_div(elements, vector) * ceil_div(vector_bytes, width);
}

}  // namespace

ArrayAccesses array_accesses(const ArrayConfig& array, Dataflow dataflow, const GemmShape& shape,
                             const OperandWidths& widths, bool accumulate) {
  const ArrayCost cost = array_cost(array, dataflow, shape, 1.0, accumulate);
  // Elements that enter or leave the array edge in one cycle, never more than the tile has.
  const std::int64_t k_rows = std::min<std::int64_t>(array.rows, shape.k);
  const std::int64_t m_rows = std::min<std::int64_t>(array.rows, shape.m);
  const std::int64_t n_cols = std::min<std::int64_t>(array.cols, shape.n);
  const std::int64_t m_cols = std::min<std::int64_t>(array.cols, shape.m);
  const std::int64_t results = cost.result_reads + cost.result_writes;
  ArrayAccesses out;
  switch (dataflow) {
    case Dataflow::kWeightStationary:
      out.a = accesses(cost.a_reads, k_rows, widths.a_bits, widths.a);
      out.b = accesses(cost.b_reads, n_cols, widths.b_bits, widths.b);
      out.c = accesses(results, n_cols, widths.c_bits, widths.c);
      break;
    case Dataflow::kInputStationary:
      out.a = accesses(cost.a_reads, m_cols, widths.a_bits, widths.a);
      out.b = accesses(cost.b_reads, k_rows, widths.b_bits, widths.b);
      out.c = accesses(results, m_cols, widths.c_bits, widths.c);
      break;
    case Dataflow::kOutputStationary:
      out.a = accesses(cost.a_reads, m_rows, widths.a_bits, widths.a);
      out.b = accesses(cost.b_reads, n_cols, widths.b_bits, widths.b);
      out.c = accesses(results, n_cols, widths.c_bits, widths.c);
      break;
  }
  return out;
}

}  // namespace tessera::hw
