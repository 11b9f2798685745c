#include "sim/lowering/command_writer.h"

#include <algorithm>
#include <map>

namespace tessera::sim {
namespace {

using hw::Command;
using hw::CommandKind;
using hw::Region;
using workloads::MatrixView;
using workloads::Tensor;
using workloads::TensorId;

hw::TrafficClass class_of(const Tensor& tensor, hw::TrafficClass activations) {
  switch (tensor.cls) {
    case workloads::TensorClass::kWeights:
      return hw::TrafficClass::kWeights;
    case workloads::TensorClass::kKvCache:
      return hw::TrafficClass::kKvCache;
    case workloads::TensorClass::kActivations:
      break;
  }
  return activations;
}

/// Rows of a result of partial sums, roughly: sets how finely its spills are sorted.
constexpr std::int64_t kSpilledRows = 4096;

/// The rows of a piece inside the tile's region.
Region part_of(const Region& region, const TilePiece& piece, std::int64_t tile_rows) {
  const Bytes pitch = region.bytes / tile_rows;
  return {region.buffer, region.offset + piece.first_row * pitch, piece.rows * pitch};
}

}  // namespace

CommandWriter::CommandWriter(const workloads::Graph& graph, const Plan& plan,
                             const hw::HardwareConfig& hardware)
    : graph_(graph),
      plan_(plan),
      hardware_(hardware),
      buffers_(hardware.buffers.size()),
      first_writer_(graph.tensors.size(), -1),
      partial_sums_(kSpilledRows),
      scratch_users_(graph.operators.size()) {
  for (const Tensor& tensor : graph.tensors) tensors_.emplace_back(workloads::row_count(tensor));
  for (std::size_t op = graph.operators.size(); op-- > 0;) {
    for (const MatrixView& view : graph.operators[op].outputs) {
      first_writer_[static_cast<std::size_t>(view.tensor)] = static_cast<int>(op);
    }
  }
}

void CommandWriter::begin_operator(int index, int repeat, hw::Femtoseconds not_before) {
  op_ = index;
  launch_ = true;
  not_before_ = not_before;
  find_kept(graph_.operators[static_cast<std::size_t>(index)]);
  renew_outputs(index, repeat);
  renew_scratch(index);
}

/// Who accessed these addresses so far, whatever lay there.
LatestByQueue CommandWriter::earlier_users(std::int64_t address, Bytes bytes) const {
  LatestByQueue earlier;
  const auto shares = [&](std::int64_t begin, Bytes size) {
    return begin >= 0 && begin < address + bytes && address < begin + size;
  };
  for (std::size_t i = 0; i < plan_.tensors.size(); ++i) {
    const TensorAllocation& theirs = plan_.tensors[i];
    if (shares(theirs.address, theirs.bytes)) earlier.merge(tensors_[i].accesses());
  }
  for (std::size_t i = 0; i < plan_.operators.size(); ++i) {
    const GemmMapping& theirs = plan_.operators[i].gemm;
    if (shares(theirs.spill_address, theirs.spill_bytes)) earlier.merge(scratch_users_[i]);
  }
  return earlier;
}

/// The outputs' addresses may have belonged to other tensors, or to an earlier repeat: whoever
/// accessed them must be done before they are written again.
void CommandWriter::renew_outputs(int index, int repeat) {
  std::map<TensorId, bool> outputs;  // does it start a new generation?
  for (const MatrixView& view : graph_.operators[static_cast<std::size_t>(index)].outputs) {
    outputs[view.tensor] = starts_generation(index, repeat, view);
  }
  for (const auto& [id, starts] : outputs) {
    const TensorAllocation& mine = plan_.tensors[static_cast<std::size_t>(id)];
    if (starts && mine.kept.count > 0) {
      const Region region{mine.kept.buffer, mine.kept.offset, mine.kept.bytes};
      tracker(id).renew(regions(region).claim(region));
    } else if (starts) {
      tracker(id).renew(earlier_users(mine.address, mine.bytes));
    } else {
      tracker(id).rewrite();
    }
  }
}

/// Several operators, or repeats, may write parts of one tensor: only the first starts a new
/// generation. State has one that never ends.
bool CommandWriter::starts_generation(int index, int repeat, const MatrixView& output) const {
  const auto id = static_cast<std::size_t>(output.tensor);
  const bool adds = repeat > 0 && output.repeat_stride != 0;
  return first_writer_[id] == index && !adds && !graph_.tensors[id].is_state;
}

void CommandWriter::renew_scratch(int index) {
  const GemmMapping& gemm = plan_.operators[static_cast<std::size_t>(index)].gemm;
  if (gemm.spill_address < 0) return;
  partial_sums_.renew(earlier_users(gemm.spill_address, gemm.spill_bytes));
}

const Slots* CommandWriter::kept(TensorId tensor) const {
  const Slots& region = plan_.tensors[static_cast<std::size_t>(tensor)].kept;
  return region.count > 0 ? &region : nullptr;
}

void CommandWriter::find_kept(const workloads::Operator& op) {
  kept_.clear();
  for (const auto* views : {&op.inputs, &op.outputs}) {
    for (const MatrixView& view : *views) {
      const Slots* held = kept(view.tensor);
      if (held == nullptr) continue;
      const TensorAllocation& place = plan_.tensors[static_cast<std::size_t>(view.tensor)];
      kept_.push_back({view.tensor, {held->buffer, held->offset, held->bytes}, place.pitch});
    }
  }
}

const CommandWriter::KeptTensor* CommandWriter::kept_at(const hw::TileOperand& operand) const {
  for (const KeptTensor& each : kept_) {
    const Bytes begin = operand.region.offset - each.region.offset;
    if (operand.region.buffer == each.region.buffer && begin >= 0 && begin < each.region.bytes) {
      return &each;
    }
  }
  return nullptr;
}

/// Rows of the tensor by its bytes. Tiles whose rows are no whole rows apart take all columns.
TensorBox CommandWriter::box_in(const KeptTensor& kept, const hw::TileOperand& operand) {
  const Bytes begin = operand.region.offset - kept.region.offset;
  const Bytes last = begin + (operand.rows - 1) * operand.pitch;
  const Bytes row = hw::ceil_div(operand.cols * operand.bits, 8);
  const Bytes col = begin % kept.pitch;
  TensorBox box{begin / kept.pitch, (last + row - 1) / kept.pitch + 1, 0, kept.pitch};
  const bool straight = operand.rows == 1 || operand.pitch % kept.pitch == 0;
  if (straight && col + row <= kept.pitch) {
    box.col_begin = col;
    box.col_end = col + row;
  }
  return box;
}

void CommandWriter::read_operand(const hw::TileOperand& operand, int queue, hw::CommandId id,
                                 WaitList& waits) {
  const KeptTensor* held = kept_at(operand);
  if (held == nullptr) return regions(operand.region).read(operand.region, queue, id, false, waits);
  tracker(held->id).load(box_in(*held, operand), queue, id, waits);
  regions(held->region).occupy(held->region, queue, id);
}

void CommandWriter::write_operand(const hw::TileOperand& operand, int queue, hw::CommandId id,
                                  WaitList& waits) {
  const KeptTensor* held = kept_at(operand);
  if (held == nullptr) {
    return regions(operand.region).write(operand.region, queue, id, false, -1, waits);
  }
  tracker(held->id).store(box_in(*held, operand), queue, id, waits);
  regions(held->region).occupy(held->region, queue, id);
}

TensorTracker& CommandWriter::tracker(TensorId tensor) {
  return tensors_[static_cast<std::size_t>(tensor)];
}

RegionTracker& CommandWriter::regions(const Region& region) {
  return buffers_[static_cast<std::size_t>(region.buffer)];
}

hw::TrafficClass CommandWriter::load_class(TensorId tensor) const {
  return class_of(graph_.tensors[static_cast<std::size_t>(tensor)], hw::TrafficClass::kActivations);
}

int CommandWriter::accumulator_bits() const {
  const int buffer = hw::buffer_of(hardware_, hw::Role::kAccumulators);
  return hardware_.buffers[static_cast<std::size_t>(buffer)].element_bits;
}

int CommandWriter::streamed_queue() {
  const int streamed = hardware_.dma.load_queues - 1;
  return streamed == 0 ? kStationaryQueue : 1 + load_turn_++ % streamed;
}

int CommandWriter::store_queue() { return store_turn_++ % hardware_.dma.store_queues; }

Command CommandWriter::make(CommandKind kind, int queue) {
  Command command;
  command.id = next_id_++;
  command.kind = kind;
  command.queue = queue;
  command.op = op_;
  command.launches = launch_;
  command.not_before = not_before_;
  launch_ = false;
  return command;
}

void CommandWriter::push(Command command, const WaitList& waits) {
  command.waits = waits.take();
  const bool known = std::any_of(command.waits.begin(), command.waits.end(),
                                 [&](const hw::Wait& wait) { return wait.command == also_; });
  if (also_ != hw::kNoCommand && !known) {
    command.waits.push_back({also_, hw::Hazard::kWriteAfterRead, false});
  }
  also_ = hw::kNoCommand;
  ready_.push_back(std::move(command));
}

void CommandWriter::load(const MatrixView& view, const TileWindow& window, const Region& region,
                         int queue) {
  load_pieces(view, window, region, 0, queue);
}

void CommandWriter::load_blocks(const MatrixView& view, const TileWindow& window,
                                const Region& region, Bytes block_row, int queue) {
  load_pieces(view, window, region, block_row, queue);
}

void CommandWriter::store(const MatrixView& view, const TileWindow& window, const Region& region,
                          bool from_accumulators) {
  store_pieces(view, window, region, 0, from_accumulators);
}

void CommandWriter::store_blocks(const MatrixView& view, const TileWindow& window,
                                 const Region& region, Bytes block_row) {
  store_pieces(view, window, region, block_row, false);
}

void CommandWriter::load_pieces(const MatrixView& view, const TileWindow& window,
                                const Region& region, Bytes block_row, int queue) {
  const Tensor& tensor = graph_.tensors[static_cast<std::size_t>(view.tensor)];
  const TensorAllocation& place = plan_.tensors[static_cast<std::size_t>(view.tensor)];
  const TensorBox box = tile_box(view, tensor, window);
  for (const TilePiece& piece : tile_pieces(view, tensor, place, window, block_row > 0)) {
    Command command = make(CommandKind::kLoad, queue);
    const int number = queue_number(command, hardware_);
    command.transfer = {piece.dram, part_of(region, piece, window.rows), load_class(view.tensor),
                        block_row};
    WaitList waits;
    tracker(view.tensor).load(box, number, command.id, waits);
    regions(region).write(command.transfer.region, number, command.id, false, -1, waits);
    push(std::move(command), waits);
  }
}

void CommandWriter::store_pieces(const MatrixView& view, const TileWindow& window,
                                 const Region& region, Bytes block_row, bool from_accumulators) {
  const Tensor& tensor = graph_.tensors[static_cast<std::size_t>(view.tensor)];
  const TensorAllocation& place = plan_.tensors[static_cast<std::size_t>(view.tensor)];
  const TensorBox box = tile_box(view, tensor, window);
  for (const TilePiece& piece : tile_pieces(view, tensor, place, window, block_row > 0)) {
    Command command = make(CommandKind::kStore, store_queue());
    const int number = queue_number(command, hardware_);
    command.transfer = {piece.dram, part_of(region, piece, window.rows),
                        class_of(tensor, hw::TrafficClass::kOutputs), block_row};
    WaitList waits;
    regions(region).read(command.transfer.region, number, command.id, from_accumulators, waits);
    tracker(view.tensor).store(box, number, command.id, waits);
    push(std::move(command), waits);
  }
}

void CommandWriter::load_tensor(TensorId id, const Region& region, int queue) {
  const Tensor& tensor = graph_.tensors[static_cast<std::size_t>(id)];
  MatrixView view;
  view.tensor = id;
  view.rows = workloads::row_count(tensor);
  view.cols = workloads::row_length(tensor);
  view.row_stride = view.cols;
  TileWindow window;
  window.rows = view.rows;
  window.cols = view.cols;
  load(view, window, region, queue);
}

hw::StridedRange CommandWriter::spilled(const TensorBox& tile, std::int64_t result_cols) const {
  const int bits = accumulator_bits();
  const Bytes pitch = hw::ceil_div(result_cols * bits, 8);
  hw::StridedRange range;
  range.address = plan_.operators[static_cast<std::size_t>(op_)].gemm.spill_address +
                  tile.row_begin * pitch + tile.col_begin * bits / 8;
  range.row_bytes = hw::ceil_div((tile.col_end - tile.col_begin) * bits, 8);
  range.count[0] = tile.row_end - tile.row_begin;
  range.stride[0] = pitch;
  return hw::coalesced(range);
}

void CommandWriter::load_partial(const TensorBox& tile, std::int64_t result_cols,
                                 const Region& region) {
  Command command = make(CommandKind::kLoad, streamed_queue());
  const int number = queue_number(command, hardware_);
  command.transfer = {spilled(tile, result_cols), region, hw::TrafficClass::kPartialSums};
  WaitList waits;
  partial_sums_.load(tile, number, command.id, waits);
  scratch_users_[static_cast<std::size_t>(op_)].note(number, command.id);
  regions(region).write(region, number, command.id, true, -1, waits);
  push(std::move(command), waits);
}

void CommandWriter::store_partial(const TensorBox& tile, std::int64_t result_cols,
                                  const Region& region) {
  Command command = make(CommandKind::kStore, store_queue());
  const int number = queue_number(command, hardware_);
  command.transfer = {spilled(tile, result_cols), region, hw::TrafficClass::kPartialSums};
  WaitList waits;
  regions(region).read(region, number, command.id, true, waits);
  partial_sums_.store(tile, number, command.id, waits);
  scratch_users_[static_cast<std::size_t>(op_)].note(number, command.id);
  push(std::move(command), waits);
}

void CommandWriter::gemm(hw::GemmCommand gemm) {
  Command command = make(CommandKind::kGemm, 0);
  const int array = queue_number(command, hardware_);
  WaitList waits;
  read_operand(gemm.a, array, command.id, waits);
  read_operand(gemm.b, array, command.id, waits);
  RegionTracker& results = regions(gemm.c.region);
  if (gemm.accumulate) results.accumulate(gemm.c.region, array, waits);
  results.write(gemm.c.region, array, command.id, true, array, waits);
  if (gemm.epilogue) {
    const Region& output = gemm.epilogue->output.region;
    results.read(gemm.c.region, array, command.id, true, waits);
    if (gemm.epilogue->adds_output) {
      regions(output).read(output, array, command.id, false, waits);
    }
    const bool in_place =
        output.buffer == gemm.c.region.buffer && output.offset == gemm.c.region.offset;
    if (!in_place) write_operand(gemm.epilogue->output, array, command.id, waits);
  }
  command.gemm = std::move(gemm);
  push(std::move(command), waits);
}

void CommandWriter::vector(hw::VectorCommand vector) {
  Command command = make(CommandKind::kVector, 0);
  const int number = queue_number(command, hardware_);
  WaitList waits;
  for (const hw::TileOperand& input : vector.inputs) {
    read_operand(input, number, command.id, waits);
  }
  for (const hw::TileOperand& output : vector.outputs) {
    write_operand(output, number, command.id, waits);
  }
  command.vector = std::move(vector);
  push(std::move(command), waits);
}

}  // namespace tessera::sim
