#include "sim/check/kept_results.h"

#include "sim/mapper/allocation.h"

namespace tessera::sim {
namespace {

using hw::Command;
using hw::TileOperand;

/// The kept tensor among the outputs of `op` in whose region the operand lies; null: none.
const TensorAllocation* home_of(const TileOperand& operand, const workloads::Operator& op,
                                const Plan& plan) {
  for (const workloads::MatrixView& view : op.outputs) {
    const TensorAllocation& tensor = plan.tensors[static_cast<std::size_t>(view.tensor)];
    const bool inside = tensor.kept.count > 0 && operand.region.buffer == tensor.kept.buffer &&
                        operand.region.offset >= tensor.kept.offset &&
                        operand.region.offset < tensor.kept.end();
    if (inside) return &tensor;
  }
  return nullptr;
}

void append(const Command& command, const TileOperand& result, const TensorAllocation& home,
            std::vector<Command>& transfers) {
  const Bytes row = hw::ceil_div(result.cols * result.bits, 8);
  for (std::int64_t i = 0; i < result.rows; ++i) {
    Command moved;
    moved.id = command.id;
    moved.op = command.op;
    moved.transfer.region = {result.region.buffer, result.region.offset + i * result.pitch, row};
    moved.transfer.dram.address = home.address + moved.transfer.region.offset - home.kept.offset;
    moved.transfer.dram.row_bytes = row;
    moved.kind = hw::CommandKind::kStore;
    moved.transfer.traffic = hw::TrafficClass::kOutputs;
    transfers.push_back(moved);
    moved.kind = hw::CommandKind::kLoad;
    moved.transfer.traffic = hw::TrafficClass::kActivations;
    transfers.push_back(std::move(moved));
  }
}

}  // namespace

Plan with_kept_addresses(Plan plan, const hw::HardwareConfig& hardware) {
  std::int64_t next = end_of_memory(plan, hardware);
  for (TensorAllocation& tensor : plan.tensors) {
    if (tensor.kept.count == 0) continue;
    tensor.address = next;
    next += tensor.bytes;
  }
  return plan;
}

std::vector<Command> kept_results(const Command& command, const workloads::Graph& graph,
                                  const Plan& plan) {
  std::vector<Command> transfers;
  const workloads::Operator& op = graph.operators[static_cast<std::size_t>(command.op)];
  const auto note = [&](const TileOperand& result) {
    if (const TensorAllocation* home = home_of(result, op, plan)) {
      append(command, result, *home, transfers);
    }
  };
  if (command.kind == hw::CommandKind::kGemm && command.gemm.epilogue) {
    note(command.gemm.epilogue->output);
  }
  if (command.kind == hw::CommandKind::kVector) {
    for (const TileOperand& output : command.vector.outputs) note(output);
  }
  return transfers;
}

}  // namespace tessera::sim
