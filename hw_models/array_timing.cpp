#include "hw_models/array_timing.h"

#include <algorithm>
#include <cmath>

namespace tessera::hw {
namespace {

/// A Gemm seen from the array: `row_blocks` x `col_blocks` folds of `streamed` rows.
struct Folding {
  std::int64_t row_blocks = 0;
  std::int64_t col_blocks = 0;
  std::int64_t streamed = 0;
};

Folding fold(const ArrayConfig& array, Dataflow dataflow, const GemmShape& s) {
  const std::int64_t cols = block_cols(array);
  switch (dataflow) {
    case Dataflow::kWeightStationary:
      return {ceil_div(s.k, array.rows), ceil_div(s.n, cols), s.m};
    case Dataflow::kInputStationary:
      return {ceil_div(s.k, array.rows), ceil_div(s.m, cols), s.n};
    case Dataflow::kOutputStationary:
      break;
  }
  return {ceil_div(s.m, array.rows), ceil_div(s.n, cols), s.k};
}

Cycles stream_cycles(std::int64_t rows, double macs_per_pe) {
  return static_cast<Cycles>(std::ceil(static_cast<double>(rows) / macs_per_pe));
}

/// Rows of a stream's last row block: a block is as many rows as the array has.
std::int64_t last_block_rows(const ArrayConfig& array, std::int64_t rows) {
  return (rows - 1) % array.rows + 1;
}

std::int64_t with_minimum(const ArrayConfig& array, std::int64_t rows) {
  const std::int64_t last = last_block_rows(array, rows);
  return rows - last + std::max<std::int64_t>(last, array.stream_minimum);
}

/// MACs per PE and cycle while rows of the right operand, if any, stream in as they are
/// dequantised.
double streamed_rate(const ArrayConfig& array, Dataflow dataflow, const PairRate& rate) {
  if (rate.right_per_cycle == 0 || dataflow == Dataflow::kWeightStationary) return rate.macs_per_pe;
  const std::int64_t row = dataflow == Dataflow::kInputStationary ? array.rows : block_cols(array);
  return std::min(rate.macs_per_pe, static_cast<double>(rate.right_per_cycle) / row);
}

/// A block of weights enters row by row, as it is dequantised.
Cycles block_load(const ArrayConfig& array, Dataflow dataflow, const PairRate& rate) {
  if (rate.right_per_cycle == 0 || dataflow != Dataflow::kWeightStationary) return array.rows;
  const std::int64_t block = std::int64_t{array.rows} * array.cols;
  return std::max<Cycles>(array.rows, ceil_div(block, rate.right_per_cycle));
}

bool loads_block(const ArrayConfig& array, Dataflow dataflow, bool accumulate) {
  if (dataflow != Dataflow::kOutputStationary) return true;
  return accumulate || array.result_preload == ResultPreload::kAlways;
}

Cycles shift_out_cycles(const ArrayConfig& array, Dataflow dataflow) {
  if (dataflow != Dataflow::kOutputStationary || array.drain == Drain::kOmitted) return 0;
  return array.result_side == ResultSide::kRows ? array.rows : array.cols;
}

/// Operands that hop from PE to PE, or that reach all PEs of a row or column at once.
FoldTiming grid_fold(const ArrayConfig& array, Dataflow dataflow, const Folding& f,
                     const PairRate& rate, bool accumulate) {
  const double macs_per_pe = streamed_rate(array, dataflow, rate);
  const bool output_stationary = dataflow == Dataflow::kOutputStationary;
  // Padding of K is rows of zeros; padding of a free dimension is a gap.
  const std::int64_t alone = output_stationary
                                 ? round_up(with_minimum(array, f.streamed), array.stream_multiple)
                                 : with_minimum(array, f.streamed);
  const std::int64_t rows = output_stationary ? alone : f.streamed;
  const std::int64_t padded = std::max(alone, round_up(rows, array.stream_multiple));
  FoldTiming fold;
  fold.load = loads_block(array, dataflow, accumulate) ? block_load(array, dataflow, rate) : 0;
  fold.rows = stream_cycles(rows, macs_per_pe);
  fold.alone = stream_cycles(alone, macs_per_pe);
  fold.padded = stream_cycles(padded, macs_per_pe);
  fold.last_block = fold.alone - stream_cycles(rows - last_block_rows(array, rows), macs_per_pe);
  fold.skew = array.delivery == OperandDelivery::kSystolic ? array.rows + array.cols - 2 : 0;
  fold.latency = array.pe_latency;
  fold.shift_out = shift_out_cycles(array, dataflow);
  return fold;
}

/// Partial sums go round in rings of cols x stages registers, one ring a row: K enters in groups of
/// `cols`, each group once for every result of the ring.
FoldTiming ring_fold(const ArrayConfig& array, const Folding& f, double macs_per_pe,
                     bool accumulate) {
  const std::int64_t steps = round_up(f.streamed, array.cols) * array.stages;
  FoldTiming fold;
  fold.load = array.rows + (loads_block(array, Dataflow::kOutputStationary, accumulate)
                                ? array.rows
                                : 0);  // a row of A, a row of results a cycle
  fold.rows = fold.alone = fold.padded = fold.last_block = stream_cycles(steps, macs_per_pe);
  fold.skew = block_cols(array) - 1;
  fold.latency = array.pe_latency;
  fold.shift_out = array.drain == Drain::kOmitted ? 0 : array.rows;
  return fold;
}

FoldTiming fold_timing(const ArrayConfig& array, Dataflow dataflow, const Folding& f,
                       const PairRate& rate, bool accumulate) {
  if (array.delivery == OperandDelivery::kSemiSystolic) {
    return ring_fold(array, f, streamed_rate(array, Dataflow::kOutputStationary, rate), accumulate);
  }
  return grid_fold(array, dataflow, f, rate, accumulate);
}

/// Load in front of a command's first row. Rings fill only the rows of A there are, and both sets
/// of double result registers.
Cycles first_load(const ArrayConfig& array, const GemmShape& shape, const FoldTiming& fold) {
  if (array.delivery != OperandDelivery::kSemiSystolic) return fold.load;
  const Cycles unused = array.rows - std::min<std::int64_t>(shape.m, array.rows);
  const Cycles results = fold.load - array.rows;
  const Cycles second = array.result_registers == ResultRegisters::kDouble ? results : 0;
  return fold.load - unused + second;
}

/// From the last row of a command to its last result; of a ring, the results there are. They leave
/// behind those of the ring `interval` cycles ahead, which may have been longer.
Cycles drain_cycles(const ArrayConfig& array, std::int64_t n, const FoldTiming& fold,
                    Cycles interval) {
  Cycles drain = fold.skew + fold.latency + fold.shift_out;
  if (array.delivery != OperandDelivery::kSemiSystolic) return drain;
  const std::int64_t ring = block_cols(array);
  const Cycles unused = ring - ((n - 1) % ring + 1);
  drain -= unused;
  if (n <= ring || fold.shift_out == 0) return drain;
  return drain + std::max<Cycles>(0, unused + fold.shift_out - interval);
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

/// The fold ahead is done, and its results are out of the way of `next`.
Cycles array_free(const ArrayConfig& array, const StreamAhead& ahead, const StreamNext& next) {
  const FoldTiming& fold = ahead.fold;
  Cycles free = ahead.end;
  if (array.fill == Fill::kPerFold) free += fold.skew + fold.latency;
  if (array.drain == Drain::kExposed) return free + fold.shift_out;
  if (fold.shift_out == 0) return free;
  // Results of two folds leave one after the other, whatever the rows in between.
  const Cycles interval =
      fold.shift_out + (array.result_registers == ResultRegisters::kSingle ? fold.skew : 0);
  return std::max(free, ahead.end + interval - next.rows);
}

/// The same, and the padding in front of another block is over.
Cycles free_for_block(const ArrayConfig& array, const StreamAhead& ahead, const StreamNext& next) {
  const Cycles padded = ahead.end + ahead.fold.padded - ahead.fold.alone;
  return std::max(array_free(array, ahead, next), padded);
}

/// The block loads only beside a row block of the stream ahead: its last one, or none.
Cycles behind_paired(const ArrayConfig& array, const StreamAhead& ahead, const StreamNext& next) {
  const Cycles last_block = ahead.end - ahead.fold.last_block;
  if (next.ready <= last_block) {
    return std::max(free_for_block(array, ahead, next), last_block + next.load);
  }
  const Cycles loaded = std::max(next.ready, ahead.end) + next.load;
  return std::max(array_free(array, ahead, next), loaded);
}

}  // namespace

Cycles next_stream(const ArrayConfig& array, const StreamAhead& ahead, const StreamNext& next) {
  if (next.keeps) {
    const Cycles settle = array.fill == Fill::kPerFold ? ahead.fold.skew + ahead.fold.latency : 0;
    return std::max(next.ready, ahead.end + settle);
  }
  if (array.preload == Preload::kPaired) return behind_paired(array, ahead, next);
  const Cycles free = free_for_block(array, ahead, next);
  if (array.preload == Preload::kExposed) return std::max(next.ready, free) + next.load;
  const Cycles started = ahead.end - ahead.fold.alone;
  return std::max(free, std::max(next.ready, started) + next.load);
}

Cycles ArrayChain::earliest_stream(const ArrayCost& next, Cycles ready,
                                   bool keeps_stationary) const {
  if (first_) return ready + next.preload;
  return next_stream(*array_, ahead_, {ready, next.preload, next.fold.rows, keeps_stationary});
}

void ArrayChain::ended(const ArrayCost& cost, Cycles end) {
  ahead_ = {cost.fold, end};
  first_ = false;
}

ArrayCost array_cost(const ArrayConfig& array, Dataflow dataflow, const GemmShape& shape,
                     const PairRate& rate, bool accumulate, bool keeps_stationary) {
  const Folding f = fold(array, dataflow, shape);
  ArrayCost cost;
  cost.fold = fold_timing(array, dataflow, f, rate, accumulate);
  const FoldTiming& t = cost.fold;
  // From the first row of one fold to the first row of the next, whose operands are at hand.
  const Cycles interval = next_stream(array, {t, t.alone}, {0, t.load, t.rows, false});
  // An exposed preload of the first fold is the command's own `preload`, the others stand between.
  const Cycles exposed_load = array.preload == Preload::kExposed ? t.load : 0;
  cost.folds = f.row_blocks * f.col_blocks;
  cost.preload = keeps_stationary ? 0 : first_load(array, shape, t);
  cost.compute = cost.folds * t.rows;
  cost.successor_wait = interval - exposed_load - t.alone;
  cost.fold_wait = cost.folds * interval - exposed_load - cost.compute;
  if (array.fill == Fill::kPerFold) cost.fill_wait = (cost.folds - 1) * (t.skew + t.latency);
  cost.drain = drain_cycles(array, shape.n, t, interval);
  const bool output_stationary = dataflow == Dataflow::kOutputStationary;
  const std::int64_t folds_to_result = output_stationary ? 1 : f.row_blocks;
  const Cycles skew = array.delivery == OperandDelivery::kSemiSystolic ? 0 : t.skew;
  cost.first_result =
      (folds_to_result - 1) * interval + skew + t.latency + (output_stationary ? t.rows : 1);
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

/// Rings take A by rows of the array in pieces of a ring's length, B and the results by rows of a
/// ring's length. The last results leave behind the stream, with the drain.
ArrayAccesses ring_accesses(const ArrayConfig& array, const GemmShape& s,
                            const OperandWidths& widths, std::int64_t moves) {
  const std::int64_t ring = block_cols(array);
  const std::int64_t rows = round_up(s.m, array.rows);
  const std::int64_t steps = round_up(s.k, array.cols) * ceil_div(s.m, array.rows);
  ArrayAccesses out;
  out.a = accesses(rows * ceil_div(s.n, ring), s.k, ring, widths.a_bits, widths.a);
  out.b = accesses(steps, s.n, ring, widths.b_bits, widths.b);
  out.c = accesses(rows * moves, s.n, ring, widths.c_bits, widths.c) -
          accesses(array.rows, (s.n - 1) % ring + 1, ring, widths.c_bits, widths.c);
  return out;
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
  if (array.delivery == OperandDelivery::kSemiSystolic)
    return ring_accesses(array, shape, widths, moves);
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
  const std::int64_t b_vector = input_stationary ? array.rows : block_cols(array);
  if (array.delivery == OperandDelivery::kSemiSystolic) {
    return {accesses(1, b_vector, b_vector, widths.a_bits, widths.a),
            accesses(1, b_vector, b_vector, widths.b_bits, widths.b),
            accesses(2, b_vector, b_vector, widths.c_bits, widths.c)};
  }
  return {accesses(1, a_vector, a_vector, widths.a_bits, widths.a),
          accesses(1, b_vector, b_vector, widths.b_bits, widths.b),
          accesses(2, array.cols, array.cols, widths.c_bits, widths.c)};
}

}  // namespace tessera::hw
