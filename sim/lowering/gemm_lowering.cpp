#include "sim/lowering/gemm_lowering.h"

#include <algorithm>

#include "sim/mapper/gemm_problem.h"

namespace tessera::sim {
namespace {

using workloads::Tensor;

Bytes pitch_of(std::int64_t cols, int bits) { return hw::ceil_div(cols * bits, 8); }

}  // namespace

GemmLowering::GemmLowering(CommandWriter& writer, const OperatorSite& site)
    : writer_(writer),
      site_(site),
      mapping_(site.plan.gemm),
      total_m_(site.op.m * site.op.group),
      total_k_(site.op.k),
      total_n_(site.op.n),
      instances_(site.op.instances / site.op.group),
      tiles_{hw::ceil_div(total_m_, mapping_.tile.m), hw::ceil_div(total_k_, mapping_.tile.k),
             hw::ceil_div(total_n_, mapping_.tile.n)} {
  const auto& tensors = writer.graph().tensors;
  const bool a_stays = mapping_.dataflow == hw::Dataflow::kInputStationary;
  a_.view = &site.op.inputs[0];
  a_.ring.slots = mapping_.a;
  a_.resident = mapping_.resident_a;
  a_.stays = a_stays;
  b_.view = &site.op.inputs[1];
  b_.ring.slots = mapping_.b;
  b_.resident = mapping_.resident_b;
  b_.stays = !a_stays;
  results_.slots = mapping_.accumulators;
  outputs_.slots = mapping_.outputs;
  result_bits_ = writer.accumulator_bits();
  const workloads::TensorId output = site.op.outputs[0].tensor;
  columns_per_result_ = workloads::columns_per_result(site.op);
  output_bits_ = tensors[static_cast<std::size_t>(output)].format.bits;
  precision_ = precision_of(writer.graph(), site.op);
}

bool GemmLowering::emit() {
  if (!advance()) return false;
  const bool new_a = fresh_ || at_.m != before_.m || at_.k != before_.k;
  const bool new_b = fresh_ || at_.k != before_.k || at_.n != before_.n;
  const bool new_result = fresh_ || at_.m != before_.m || at_.n != before_.n;
  if (new_result && !fresh_) leave_result();
  load_b(new_b);
  load_a(new_a);
  if (new_result) enter_result();
  if (last_k() && workloads::adds_residual(site_.op)) load_residual();
  hw::GemmCommand gemm = command();
  const bool finished = gemm.epilogue.has_value();
  writer_.gemm(std::move(gemm));
  ++k_done_[static_cast<std::size_t>(at_.m * tiles_.n + at_.n)];
  if (finished) store_result();
  before_ = at_;
  fresh_ = false;
  return true;
}

bool GemmLowering::advance() {
  if (!started_) {
    started_ = true;
    begin_instance();
    at_ = index();
    return true;
  }
  for (int level = 2; level >= 0; --level) {
    const LoopDim dim = mapping_.order[static_cast<std::size_t>(level)];
    const std::int64_t count = dim == LoopDim::kM   ? tiles_.m
                               : dim == LoopDim::kK ? tiles_.k
                                                    : tiles_.n;
    if (++loop_[level] < count) {
      at_ = index();
      return true;
    }
    loop_[level] = 0;
  }
  if (++instance_ == instances_) return false;
  begin_instance();
  at_ = index();
  return true;
}

void GemmLowering::begin_instance() {
  fresh_ = true;
  k_done_.assign(static_cast<std::size_t>(tiles_.m * tiles_.n), 0);
  a_.loaded.assign(static_cast<std::size_t>(tiles_.m * tiles_.k), false);
  b_.loaded.assign(static_cast<std::size_t>(tiles_.k * tiles_.n), false);
}

GemmLowering::Index GemmLowering::index() const {
  Index index;
  for (std::size_t level = 0; level < 3; ++level) {
    switch (mapping_.order[level]) {
      case LoopDim::kM:
        index.m = loop_[level];
        break;
      case LoopDim::kK:
        index.k = loop_[level];
        break;
      case LoopDim::kN:
        index.n = loop_[level];
        break;
    }
  }
  return index;
}

std::int64_t GemmLowering::at(LoopDim dim) const {
  return dim == LoopDim::kM ? at_.m : dim == LoopDim::kK ? at_.k : at_.n;
}

std::int64_t GemmLowering::first(LoopDim dim) const {
  const TileShape& tile = mapping_.tile;
  return at(dim) * (dim == LoopDim::kM ? tile.m : dim == LoopDim::kK ? tile.k : tile.n);
}

std::int64_t GemmLowering::size(LoopDim dim, std::int64_t at) const {
  switch (dim) {
    case LoopDim::kM:
      return std::min(mapping_.tile.m, total_m_ - at * mapping_.tile.m);
    case LoopDim::kK:
      return std::min(mapping_.tile.k, total_k_ - at * mapping_.tile.k);
    case LoopDim::kN:
      break;
  }
  return std::min(mapping_.tile.n, total_n_ - at * mapping_.tile.n);
}

hw::Region GemmLowering::Ring::at(std::int64_t slot, Bytes bytes) const {
  return {slots.buffer, slots.at(slot), bytes};
}

void GemmLowering::load_operand(Operand& operand, const TileWindow& stored, std::int64_t tile,
                                std::int64_t tiles, bool changed) {
  const auto tensor_id = static_cast<std::size_t>(operand.view->tensor);
  const Tensor& tensor = writer_.graph().tensors[tensor_id];
  if (const Slots* kept = writer_.kept(operand.view->tensor)) {
    operand.tile = kept_tile(*operand.view, tensor, *kept, stored);
    operand.tile.traffic = writer_.load_class(operand.view->tensor);
    return;
  }
  operand.tile.rows = stored.rows;
  operand.tile.cols = stored.cols;
  operand.tile.bits = tensor.format.bits;
  operand.tile.group = tensor.format.group;
  operand.tile.scale_bits = tensor.format.scale_bits;
  operand.tile.pitch = workloads::stored_bytes(tensor, 1, stored.cols);
  operand.tile.transposed = operand.view->transposed;
  operand.tile.traffic = writer_.load_class(operand.view->tensor);
  const Bytes bytes = operand.tile.pitch * stored.rows;
  bool load = changed;
  if (operand.resident) {
    const std::int64_t sets = std::max<std::int64_t>(1, operand.ring.slots.count / tiles);
    operand.tile.region = operand.ring.at(instance_ % sets * tiles + tile, bytes);
    load = !operand.loaded[static_cast<std::size_t>(tile)];
    operand.loaded[static_cast<std::size_t>(tile)] = true;
  } else if (changed) {
    ++operand.ring.turn;
    operand.tile.region = operand.ring.current(bytes);
  }
  if (!load) return;
  const int queue = operand.stays ? CommandWriter::kStationaryQueue : writer_.streamed_queue();
  writer_.load(*operand.view, stored, operand.tile.region, queue);
}

TileWindow GemmLowering::window(LoopDim rows, LoopDim cols) const {
  TileWindow stored;
  stored.batch = instance_;
  stored.row = first(rows);
  stored.rows = size(rows, at(rows));
  stored.col = first(cols);
  stored.cols = size(cols, at(cols));
  return stored;
}

void GemmLowering::load_a(bool changed) {
  load_operand(a_, window(LoopDim::kM, LoopDim::kK), at_.m * tiles_.k + at_.k, tiles_.m * tiles_.k,
               changed);
}

void GemmLowering::load_b(bool changed) {
  const TileWindow stored =
      b_.view->transposed ? window(LoopDim::kN, LoopDim::kK) : window(LoopDim::kK, LoopDim::kN);
  load_operand(b_, stored, at_.k * tiles_.n + at_.n, tiles_.k * tiles_.n, changed);
}

bool GemmLowering::last_k() const {
  return k_done_[static_cast<std::size_t>(at_.m * tiles_.n + at_.n)] == tiles_.k - 1;
}

TensorBox GemmLowering::result_box() const {
  const std::int64_t row = instance_ * total_m_ + at_.m * mapping_.tile.m;
  const std::int64_t col = at_.n * mapping_.tile.n;
  return {row, row + size(LoopDim::kM, at_.m), col, col + size(LoopDim::kN, at_.n)};
}

void GemmLowering::enter_result() {
  ++results_.turn;
  if (k_done_[static_cast<std::size_t>(at_.m * tiles_.n + at_.n)] == 0) return;
  const TensorBox box = result_box();
  const Bytes bytes =
      (box.row_end - box.row_begin) * pitch_of(box.col_end - box.col_begin, result_bits_);
  writer_.load_partial(box, total_n_, results_.current(bytes));
}

/// The result tile of the previous iteration goes; unfinished ones are spilled.
void GemmLowering::leave_result() {
  std::swap(at_, before_);
  if (k_done_[static_cast<std::size_t>(at_.m * tiles_.n + at_.n)] < tiles_.k) {
    const TensorBox box = result_box();
    const Bytes bytes =
        (box.row_end - box.row_begin) * pitch_of(box.col_end - box.col_begin, result_bits_);
    writer_.store_partial(box, total_n_, results_.current(bytes));
  }
  std::swap(at_, before_);
}

hw::GemmCommand GemmLowering::command() const {
  hw::GemmCommand gemm;
  gemm.m = size(LoopDim::kM, at_.m);
  gemm.k = size(LoopDim::kK, at_.k);
  gemm.n = size(LoopDim::kN, at_.n);
  gemm.dataflow = mapping_.dataflow;
  gemm.precision = precision_;
  gemm.a = a_.tile;
  gemm.b = b_.tile;
  gemm.c.rows = gemm.m;
  gemm.c.cols = gemm.n;
  gemm.c.bits = result_bits_;
  gemm.c.pitch = pitch_of(gemm.n, result_bits_);
  gemm.c.traffic = hw::TrafficClass::kPartialSums;
  gemm.c.region = results_.current(gemm.c.pitch * gemm.m);
  gemm.accumulate = k_done_[static_cast<std::size_t>(at_.m * tiles_.n + at_.n)] > 0;
  if (!last_k()) return gemm;
  hw::Epilogue epilogue;
  for (const auto& step : site_.op.epilogue) epilogue.operations.push_back(step.operation);
  epilogue.output = gemm.c;
  epilogue.output.cols = gemm.n / columns_per_result_;
  epilogue.output.bits = output_bits_;
  epilogue.output.pitch = pitch_of(epilogue.output.cols, output_bits_);
  epilogue.output.traffic = hw::TrafficClass::kOutputs;
  epilogue.output.region.bytes = epilogue.output.pitch * gemm.m;
  const workloads::MatrixView& view = site_.op.outputs[0];
  if (const Slots* kept = writer_.kept(view.tensor)) {
    const auto tensor = static_cast<std::size_t>(view.tensor);
    epilogue.output = kept_tile(view, writer_.graph().tensors[tensor], *kept, result_window());
    epilogue.output.traffic = hw::TrafficClass::kOutputs;
  } else if (outputs_.slots.count > 0) {
    epilogue.output.region = next_output(epilogue.output.region.bytes);
  }
  epilogue.adds_output = workloads::adds_residual(site_.op);
  gemm.epilogue = std::move(epilogue);
  return gemm;
}

/// The slot of the next results: store_result() takes the turn.
hw::Region GemmLowering::next_output(Bytes bytes) const {
  return outputs_.at((outputs_.turn + 1) % outputs_.slots.count, bytes);
}

/// What the epilogue adds lies where its results will.
void GemmLowering::load_residual() {
  const TileWindow stored = window(LoopDim::kM, LoopDim::kN);
  const Bytes bytes = stored.rows * pitch_of(stored.cols, output_bits_);
  writer_.load(site_.op.inputs[2], stored, next_output(bytes), writer_.streamed_queue());
}

/// The present tile of the results, of which joined columns are fewer.
TileWindow GemmLowering::result_window() const {
  TileWindow stored = window(LoopDim::kM, LoopDim::kN);
  stored.col /= columns_per_result_;
  stored.cols /= columns_per_result_;
  return stored;
}

void GemmLowering::store_result() {
  if (writer_.kept(site_.op.outputs[0].tensor) != nullptr) return;
  const TileWindow stored = result_window();
  const Bytes bytes = stored.rows * pitch_of(stored.cols, output_bits_);
  const bool in_place = outputs_.slots.count == 0;
  if (!in_place) ++outputs_.turn;
  const hw::Region region = in_place ? results_.current(bytes) : outputs_.current(bytes);
  writer_.store(site_.op.outputs[0], stored, region, in_place);
}

}  // namespace tessera::sim
