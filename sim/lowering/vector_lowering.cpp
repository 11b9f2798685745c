#include "sim/lowering/vector_lowering.h"

#include <algorithm>
#include <cmath>

namespace tessera::sim {

using workloads::MatrixView;
using workloads::Tensor;

VectorLowering::VectorLowering(CommandWriter& writer, const OperatorSite& site)
    : writer_(writer), site_(site), mapping_(site.plan.vector) {
  if (site.op.operation.empty() || mapping_.cols >= site.op.n) return;
  const hw::VectorOperation& operation = writer.hardware().vector.operations.at(site.op.operation);
  if (workloads::is_row_reduction(site.op))
    passes_ = std::max<std::int64_t>(1, std::llround(std::ceil(operation.passes)));
}

bool VectorLowering::emit() {
  if (!started_) load_parameters();
  if (!advance()) return false;
  const std::vector<Columns> columns = columns_of(site_.op.inputs);
  std::vector<hw::TileOperand> inputs;
  for (std::size_t i = 0; i < site_.op.inputs.size(); ++i) {
    const MatrixView& view = site_.op.inputs[i];
    inputs.push_back(operand(view, mapping_.inputs[i], columns[i], false));
    if (columns[i].count == 0 || writer_.kept(view.tensor) != nullptr) continue;
    writer_.load(view, window(columns[i]), inputs.back().region, writer_.streamed_queue());
  }
  if (site_.op.operation.empty()) {
    emit_copy(inputs, columns);
  } else {
    emit_vector(std::move(inputs));
  }
  ++block_;
  return true;
}

bool VectorLowering::advance() {
  if (!started_) {
    started_ = true;
    return true;
  }
  col_ += mapping_.cols;
  if (col_ < site_.op.n) return true;
  col_ = 0;
  if (++pass_ < passes_) return true;
  pass_ = 0;
  row_ += mapping_.rows;
  return row_ < site_.op.m;
}

void VectorLowering::load_parameters() {
  if (mapping_.parameters.count == 0) return;
  Bytes offset = mapping_.parameters.offset;
  for (const workloads::TensorId id : site_.op.parameters) {
    const Bytes bytes =
        workloads::stored_bytes(writer_.graph().tensors[static_cast<std::size_t>(id)]);
    writer_.load_tensor(id, {mapping_.parameters.buffer, offset, bytes},
                        CommandWriter::kStationaryQueue);
    offset += bytes;
  }
  parameters_.region = {mapping_.parameters.buffer, mapping_.parameters.offset,
                        offset - mapping_.parameters.offset};
  parameters_.rows = 1;
  parameters_.cols = parameters_.region.bytes;
  parameters_.pitch = parameters_.region.bytes;
  parameters_.traffic = hw::TrafficClass::kWeights;
}

std::vector<VectorLowering::Columns> VectorLowering::columns_of(
    const std::vector<MatrixView>& views) const {
  const std::int64_t end = std::min(col_ + mapping_.cols, site_.op.n);
  std::vector<Columns> all;
  std::int64_t begin = 0;  // views narrower than the operator lie side by side
  for (const MatrixView& view : views) {
    if (view.cols == site_.op.n) {
      all.push_back({col_, end - col_});
      continue;
    }
    const std::int64_t first = std::max(col_, begin);
    const std::int64_t last = std::min(end, begin + view.cols);
    all.push_back(
        {std::max<std::int64_t>(0, first - begin), std::max<std::int64_t>(0, last - first)});
    begin += view.cols;
  }
  return all;
}

TileWindow VectorLowering::window(const Columns& columns) const {
  TileWindow window;
  window.all_matrices = true;
  window.row = row_;
  window.rows = std::min(mapping_.rows, site_.op.m - row_);
  window.col = columns.first;
  window.cols = columns.count;
  return window;
}

hw::TileOperand VectorLowering::operand(const MatrixView& view, const Slots& slots,
                                        const Columns& columns, bool written) const {
  const Tensor& tensor = writer_.graph().tensors[static_cast<std::size_t>(view.tensor)];
  const Slots* kept = writer_.kept(view.tensor);
  hw::TileOperand operand;
  if (kept != nullptr && columns.count > 0) {
    operand = kept_tile(view, tensor, *kept, window(columns));
    operand.traffic = written ? hw::TrafficClass::kOutputs : writer_.load_class(view.tensor);
    return operand;
  }
  operand.rows = std::min(mapping_.rows, site_.op.m - row_);
  operand.cols = columns.count;
  operand.bits = tensor.format.bits;
  operand.group = tensor.format.group;
  operand.scale_bits = tensor.format.scale_bits;
  operand.pitch = workloads::stored_bytes(tensor, 1, columns.count);
  operand.traffic = written ? hw::TrafficClass::kOutputs : writer_.load_class(view.tensor);
  const Bytes offset = kept != nullptr ? kept->offset : slots.at(block_ % slots.count);
  operand.region = {kept != nullptr ? kept->buffer : slots.buffer, offset,
                    operand.pitch * operand.rows};
  return operand;
}

void VectorLowering::emit_copy(const std::vector<hw::TileOperand>& inputs,
                               const std::vector<Columns>& columns) {
  for (std::size_t i = 0; i < site_.op.outputs.size(); ++i) {
    if (columns[i].count == 0) continue;
    writer_.store(site_.op.outputs[i], window(columns[i]), inputs[i].region, false);
  }
}

void VectorLowering::emit_vector(std::vector<hw::TileOperand> inputs) {
  hw::VectorCommand command;
  command.operations = {site_.op.operation};
  command.rows = std::min(mapping_.rows, site_.op.m - row_);
  command.cols = std::min(mapping_.cols, site_.op.n - col_);
  command.pass_share = 1.0 / static_cast<double>(passes_);
  command.inputs = std::move(inputs);
  if (parameters_.region.bytes > 0) command.inputs.push_back(parameters_);
  const std::vector<Columns> columns = columns_of(site_.op.outputs);
  const bool writes = pass_ == passes_ - 1;
  for (std::size_t i = 0; writes && i < site_.op.outputs.size(); ++i) {
    if (columns[i].count == 0) continue;
    command.outputs.push_back(operand(site_.op.outputs[i], mapping_.outputs[i], columns[i], true));
  }
  const std::vector<hw::TileOperand> results = command.outputs;
  writer_.vector(std::move(command));
  std::size_t next = 0;
  for (std::size_t i = 0; writes && i < site_.op.outputs.size(); ++i) {
    if (columns[i].count == 0) continue;
    const hw::Region& result = results[next++].region;
    if (writer_.kept(site_.op.outputs[i].tensor) != nullptr) continue;
    writer_.store(site_.op.outputs[i], window(columns[i]), result, false);
  }
}

}  // namespace tessera::sim
