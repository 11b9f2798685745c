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
  cost.drain_hold = last_drain > 0 ? last_drain : std::max<Cycles>(0, shift_out - streamed);
  cost.last_fold = streamed;
  cost.drain = skew + shift_out;
  const std::int64_t folds_to_result = output_stationary ? 1 : f.row_blocks;
  cost.first_result =
      (folds_to_result - 1) * (interval + exposed) + skew + (output_stationary ? streamed : 1);
  count_elements(cost, dataflow, shape, f, accumulate);
  return cost;
}

namespace {

/// Accesses for moving `vectors` times `length` elements of `bits` each, cut to the side of the
/// array: every piece takes whole accesses of its own.
std::int64_t accesses(std::int64_t vectors, std::int64_t length, std::int64_t side, int bits,
                      Bytes width) {
  const auto of_piece = [&](std::int64_t elements) {
    return ceil_div(ceil_div(elements * bits, 8), width);
  };
  return vectors * (length / side * of_piece(side) + of_piece(length % side));
}

}  // namespace

ArrayAccesses array_accesses(const ArrayConfig& array, Dataflow dataflow, const GemmShape& shape,
                             const OperandWidths& widths, bool accumulate) {
  const Folding f = fold(array, dataflow, shape);
  const std::int64_t rows = array.rows, cols = array.cols;
  // Result rows or columns: written once a pass over K, read in all passes but an overwriting
  // first.
  const std::int64_t passes = dataflow == Dataflow::kOutputStationary ? 1 : f.row_blocks;
  const std::int64_t moves = 2 * passes - (accumulate ? 0 : 1);
  ArrayAccesses out;
  switch (dataflow) {
    case Dataflow::kWeightStationary:
      out.a = accesses(shape.m * f.col_blocks, shape.k, rows, widths.a_bits, widths.a);
      out.b = accesses(shape.k, shape.n, cols, widths.b_bits, widths.b);
      out.c = accesses(shape.m * moves, shape.n, cols, widths.c_bits, widths.c);
      break;
    case Dataflow::kInputStationary:
      out.a = accesses(shape.k, shape.m, cols, widths.a_bits, widths.a);
      out.b = accesses(shape.n * f.col_blocks, shape.k, rows, widths.b_bits, widths.b);
      out.c = accesses(shape.n * moves, shape.m, cols, widths.c_bits, widths.c);
      break;
    case Dataflow::kOutputStationary:
      out.a = accesses(shape.k * f.col_blocks, shape.m, rows, widths.a_bits, widths.a);
      out.b = accesses(shape.k * f.row_blocks, shape.n, cols, widths.b_bits, widths.b);
      out.c = accesses(shape.m * moves, shape.n, cols, widths.c_bits, widths.c);
      break;
  }
  return out;
}

ArrayAccesses peak_accesses(const ArrayConfig& array, Dataflow dataflow,
                            const OperandWidths& widths) {
  const bool input_stationary = dataflow == Dataflow::kInputStationary;
  const std::int64_t a_vector = input_stationary ? array.cols : array.rows;
  const std::int64_t b_vector = input_stationary ? array.rows : array.cols;
  return {accesses(1, a_vector, a_vector, widths.a_bits, widths.a),
          accesses(1, b_vector, b_vector, widths.b_bits, widths.b),
          accesses(2, array.cols, array.cols, widths.c_bits, widths.c)};
}

}  // namespace tessera::hw
