#include "sim/lowering/loop_lowering.h"

#include <algorithm>
#include <utility>

#include "sim/mapper/gemm_problem.h"

namespace tessera::sim {
namespace {

Bytes bytes_of(std::int64_t elements, int bits) { return hw::ceil_div(elements * bits, 8); }

/// Column blocks that a command of `row` bytes moves, at least one.
std::int64_t blocks_in(Bytes row, std::int64_t block, int bits) {
  return std::max<std::int64_t>(1, row / bytes_of(block, bits));
}

}  // namespace

LoopLowering::LoopLowering(CommandWriter& writer, const OperatorSite& site)
    : writer_(writer),
      site_(site),
      mapping_(site.plan.gemm),
      a_stays_(mapping_.dataflow == hw::Dataflow::kInputStationary),
      instances_(site.op.instances / site.op.group) {
  const hw::HardwareLoop& loop = writer.hardware().sequencer.loop;
  m_ = {site.op.m * site.op.group, mapping_.tile.m, loop.m};
  k_ = {site.op.k, mapping_.tile.k, loop.k};
  n_ = {site.op.n, mapping_.tile.n, loop.n};
  const auto& tensors = writer.graph().tensors;
  const auto set_up = [&](Operand& operand, std::size_t input, const Slots& slots, Dim& rows,
                          Dim& cols, bool stays) {
    operand.view = &site.op.inputs[input];
    operand.slots = slots;
    operand.bits = tensors[static_cast<std::size_t>(operand.view->tensor)].format.bits;
    operand.rows = operand.view->transposed ? &cols : &rows;
    operand.cols = operand.view->transposed ? &rows : &cols;
    operand.wide = blocks_in(loop.row, operand.cols->block, operand.bits);
    operand.queue = stays ? CommandWriter::kStationaryQueue : writer.streamed_queue();
    operand.traffic = writer.load_class(operand.view->tensor);
  };
  set_up(a_, 0, mapping_.a, m_, k_, a_stays_);
  set_up(b_, 1, mapping_.b, k_, n_, !a_stays_);
  result_bits_ = writer.accumulator_bits();
  output_bits_ = tensors[static_cast<std::size_t>(site.op.outputs[0].tensor)].format.bits;
  precision_ = precision_of(writer.graph(), site.op);
}

bool LoopLowering::emit() {
  if (!advance()) return false;
  const bool first_k = k_.at == 0;
  if (first_k) ++results_;
  a_.loaded = b_.loaded = 0;
  stationary_ = {};
  walk_tile();
  if (k_.at == k_.tiles() - 1) store_results();
  stored_.push_back(writer_.last_id());
  return true;
}

bool LoopLowering::advance() {
  if (++tile_ == 0) return true;
  if (++k_.at < k_.tiles()) return true;
  k_.at = 0;
  if (++n_.at < n_.tiles()) return true;
  n_.at = 0;
  if (++m_.at < m_.tiles()) return true;
  m_.at = 0;
  return ++instance_ < instances_;
}

void LoopLowering::walk_tile() {
  for (std::int64_t k = 0; k < k_.blocks(); ++k) {
    for (std::int64_t n = 0; n < n_.blocks(); ++n) {
      for (std::int64_t m = 0; m < m_.blocks(); ++m) {
        load_for({m, k, n});
        write_gemm({m, k, n});
      }
    }
  }
}

/// Loads until both blocks of a Gemm are under way.
void LoopLowering::load_for(const Block& gemm) {
  while (!is_loaded(a_, gemm) || !is_loaded(b_, gemm)) {
    Operand& streamed = a_stays_ ? b_ : a_;
    Operand& stationary = a_stays_ ? a_ : b_;
    write_load(streamed_goes_first() ? streamed : stationary);
  }
}

bool LoopLowering::streamed_goes_first() const {
  const Operand& streamed = a_stays_ ? b_ : a_;
  const Operand& stationary = a_stays_ ? a_ : b_;
  if (stationary.loaded == 0) return false;
  if (stationary.loaded == loads_of(stationary)) return true;
  if (streamed.loaded == loads_of(streamed)) return false;
  return k_of(streamed, streamed.loaded) <= k_of(stationary, stationary.loaded);
}

std::int64_t LoopLowering::loads_of(const Operand& operand) const {
  return operand.rows->blocks() * hw::ceil_div(operand.cols->blocks(), operand.wide);
}

/// Loads run over k outside, over the other dimension inside.
LoopLowering::BlockLoad LoopLowering::load_at(const Operand& operand, std::int64_t index) const {
  const std::int64_t rows = operand.rows->blocks();
  const std::int64_t across = hw::ceil_div(operand.cols->blocks(), operand.wide);
  const bool k_in_rows = operand.rows == &k_;
  BlockLoad load;
  load.row = k_in_rows ? index / across : index % rows;
  load.col = (k_in_rows ? index % across : index / rows) * operand.wide;
  load.cols = std::min(operand.wide, operand.cols->blocks() - load.col);
  return load;
}

/// The first k block of a load.
std::int64_t LoopLowering::k_of(const Operand& operand, std::int64_t index) const {
  const BlockLoad load = load_at(operand, index);
  return operand.rows == &k_ ? load.row : load.col;
}

bool LoopLowering::is_loaded(const Operand& operand, const Block& gemm) const {
  const auto block = [&](const Dim* dim) {
    return dim == &m_ ? gemm.m : dim == &k_ ? gemm.k : gemm.n;
  };
  const std::int64_t rows = operand.rows->blocks();
  const std::int64_t across = hw::ceil_div(operand.cols->blocks(), operand.wide);
  const std::int64_t row = block(operand.rows), col = block(operand.cols) / operand.wide;
  return (operand.rows == &k_ ? row * across + col : col * rows + row) < operand.loaded;
}

/// Blocks of one row of blocks lie side by side, rows of blocks one behind the other, none padded.
hw::Region LoopLowering::block_region(const Operand& operand, std::int64_t row, std::int64_t col,
                                      std::int64_t cols) const {
  const Dim& across = *operand.cols;
  const std::int64_t rows = operand.rows->block_size(row);
  const std::int64_t first = col * across.block;
  const std::int64_t last = std::min(across.size(), (col + cols) * across.block);
  const Bytes line = bytes_of(across.size(), operand.bits);
  const Bytes slot = operand.slots.at(tile_ % operand.slots.count);
  return {operand.slots.buffer,
          slot + row * operand.rows->block * line + rows * bytes_of(first, operand.bits),
          rows * bytes_of(last - first, operand.bits)};
}

/// Of two operands on one queue the first load waits for both.
void LoopLowering::wait_for_room(const Operand& operand) {
  const Operand& other = &operand == &a_ ? b_ : a_;
  const int ahead = writer_.hardware().sequencer.loop.tiles_in_flight;
  if (tile_ < ahead || operand.loaded > 0) return;
  if (other.loaded > 0 && other.queue == operand.queue) return;
  writer_.wait_also(stored_[static_cast<std::size_t>(tile_ - ahead)]);
}

void LoopLowering::write_load(Operand& operand) {
  wait_for_room(operand);
  const BlockLoad load = load_at(operand, operand.loaded++);
  TileWindow window;
  window.batch = instance_;
  window.row = operand.rows->first() + load.row * operand.rows->block;
  window.rows = operand.rows->block_size(load.row);
  const Bytes block_row = bytes_of(operand.cols->block, operand.bits);
  const auto load_columns = [&](std::int64_t col, std::int64_t cols) {
    const std::int64_t first = col * operand.cols->block;
    window.col = operand.cols->first() + first;
    window.cols = std::min(operand.cols->size() - first, cols * operand.cols->block);
    writer_.load_blocks(*operand.view, window, block_region(operand, load.row, col, cols),
                        block_row, operand.queue);
  };
  // Rows that lie apart in DRAM (grouped heads) come block by block: a part of the rows of several
  // blocks is no region.
  if (operand.view->group.count <= 1) return load_columns(load.col, load.cols);
  for (std::int64_t i = 0; i < load.cols; ++i) load_columns(load.col + i, 1);
}

hw::TileOperand LoopLowering::operand_at(const Operand& operand, std::int64_t row,
                                         std::int64_t col) const {
  hw::TileOperand tile;
  tile.region = block_region(operand, row, col, 1);
  tile.rows = operand.rows->block_size(row);
  tile.cols = operand.cols->block_size(col);
  tile.bits = operand.bits;
  tile.pitch = bytes_of(tile.cols, operand.bits);
  tile.transposed = operand.view->transposed;
  tile.traffic = operand.traffic;
  return tile;
}

/// Blocks m, n and the ones behind it, `columns` wide in all, as they lie in the accumulators.
hw::TileOperand LoopLowering::result_at(std::int64_t m, std::int64_t n,
                                        std::int64_t columns) const {
  const Slots& slots = mapping_.accumulators;
  hw::TileOperand tile;
  tile.rows = m_.block_size(m);
  tile.cols = columns;
  tile.bits = result_bits_;
  tile.pitch = bytes_of(columns, result_bits_);
  tile.traffic = hw::TrafficClass::kPartialSums;
  tile.region = {slots.buffer,
                 slots.at(results_ % slots.count) +
                     m * m_.block * bytes_of(n_.size(), result_bits_) +
                     tile.rows * bytes_of(n * n_.block, result_bits_),
                 tile.rows * tile.pitch};
  return tile;
}

void LoopLowering::write_gemm(const Block& at) {
  hw::GemmCommand gemm;
  gemm.m = m_.block_size(at.m);
  gemm.k = k_.block_size(at.k);
  gemm.n = n_.block_size(at.n);
  gemm.dataflow = mapping_.dataflow;
  gemm.a = a_.rows == &m_ ? operand_at(a_, at.m, at.k) : operand_at(a_, at.k, at.m);
  gemm.b = b_.rows == &k_ ? operand_at(b_, at.k, at.n) : operand_at(b_, at.n, at.k);
  gemm.c = result_at(at.m, at.n, gemm.n);
  gemm.precision = precision_;
  gemm.accumulate = k_.at > 0 || at.k > 0;
  gemm.keeps_stationary = keeps(gemm);
  writer_.gemm(std::move(gemm));
}

/// The whole stationary block of the Gemm ahead is this one's, and still in the array.
bool LoopLowering::keeps(const hw::GemmCommand& gemm) {
  if (mapping_.dataflow == hw::Dataflow::kOutputStationary) return false;
  const hw::ArrayConfig& array = writer_.hardware().array;
  const bool one_fold =
      gemm.k <= array.rows && (a_stays_ ? gemm.m : gemm.n) <= hw::block_cols(array);
  const hw::Region& stays = a_stays_ ? gemm.a.region : gemm.b.region;
  const hw::Region ahead = std::exchange(stationary_, stays);
  return one_fold && stays.bytes == ahead.bytes && stays.offset == ahead.offset &&
         stays.buffer == ahead.buffer;
}

void LoopLowering::store_results() {
  const std::int64_t wide =
      blocks_in(writer_.hardware().sequencer.loop.row, n_.block, output_bits_);
  for (std::int64_t n = 0; n < n_.blocks(); n += wide) {
    for (std::int64_t m = 0; m < m_.blocks(); ++m) {
      store_block(m, n, std::min(wide, n_.blocks() - n));
    }
  }
}

void LoopLowering::store_block(std::int64_t m, std::int64_t n, std::int64_t wide) {
  const std::int64_t first = n * n_.block;
  const std::int64_t columns = std::min(n_.size() - first, wide * n_.block);
  hw::VectorCommand convert;
  for (const auto& step : site_.op.epilogue) convert.operations.push_back(step.operation);
  convert.rows = m_.block_size(m);
  convert.cols = columns;
  convert.inputs = {result_at(m, n, columns)};
  hw::TileOperand staged = convert.inputs[0];
  staged.bits = output_bits_;
  staged.pitch = bytes_of(columns, output_bits_);
  staged.traffic = hw::TrafficClass::kOutputs;
  const Slots& slots = mapping_.outputs;
  staged.region = {slots.buffer, slots.at(stores_++ % slots.count), staged.rows * staged.pitch};
  convert.outputs = {staged};
  writer_.vector(std::move(convert));
  // Rows that lie apart in DRAM (grouped heads) leave block by block, as they are loaded.
  const std::int64_t step = site_.op.outputs[0].group.count > 1 ? n_.block : columns;
  for (std::int64_t at = 0; at < columns; at += step) {
    hw::TileOperand part = staged;
    part.cols = std::min(step, columns - at);
    part.region.offset += part.rows * bytes_of(at, output_bits_);
    part.region.bytes = part.rows * bytes_of(part.cols, output_bits_);
    write_store(part, m, first + at);
  }
}

/// Rows of block m, columns of the tile from `first` on, as they lie in a staging slot.
void LoopLowering::write_store(const hw::TileOperand& staged, std::int64_t m, std::int64_t first) {
  TileWindow window;
  window.batch = instance_;
  window.row = m_.first() + m * m_.block;
  window.rows = staged.rows;
  window.col = n_.first() + first;
  window.cols = staged.cols;
  writer_.store_blocks(site_.op.outputs[0], window, staged.region,
                       bytes_of(n_.block, output_bits_));
}

}  // namespace tessera::sim
