// A small machine and programs written by hand, for module and simulation tests.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "hw_models/hardware_config.h"
#include "hw_models/tile_program.h"

namespace tessera::test {

/// 8x8, 1 GHz; DRAM 16 B/cycle with 100 cycles latency and an interconnect that costs nothing.
/// Buffers: 0 activations 64 KiB, 1 weights 64 KiB, 2 accumulators 16 KiB (two ports). No
/// overheads.
inline hw::HardwareConfig tiny_machine() {
  hw::HardwareConfig m;
  m.name = "tiny";
  m.array.rows = m.array.cols = 8;
  m.array.dataflows = {hw::Dataflow::kWeightStationary, hw::Dataflow::kOutputStationary,
                       hw::Dataflow::kInputStationary};
  m.vector.lanes = 8;
  m.vector.operations = hw::default_vector_operations();
  m.buffers.resize(3);
  m.buffers[0] = {"activations",
                  65536,
                  8,
                  1,
                  32,
                  0,
                  hw::BankMapping::kBlocked,
                  0,
                  hw::BankPolicy::kDmaFirst,
                  32,
                  {hw::Role::kActivations, hw::Role::kOutputs}};
  m.buffers[1] = {"weights",
                  65536,
                  8,
                  1,
                  32,
                  0,
                  hw::BankMapping::kBlocked,
                  0,
                  hw::BankPolicy::kDmaFirst,
                  32,
                  {hw::Role::kStationary}};
  m.buffers[2] = {"accumulators",
                  16384,
                  2,
                  2,
                  32,
                  0,
                  hw::BankMapping::kBlocked,
                  0,
                  hw::BankPolicy::kDmaFirst,
                  32,
                  {hw::Role::kAccumulators}};
  m.dma.descriptor = 0;
  m.interconnect.latency = 0;
  m.interconnect.width = 1024;
  m.dram.peak_bytes_per_second = 16e9;
  m.dram.latency_fs = 100'000'000;
  m.dram.burst = 16;
  m.sequencer.dispatch = 0;
  m.sequencer.operator_launch = 0;
  return m;
}

/// A program that is there from the start.
class ListedProgram : public hw::CommandSource {
 public:
  explicit ListedProgram(std::vector<hw::Command> commands) : commands_(std::move(commands)) {}
  std::optional<hw::Command> next() override {
    if (at_ == commands_.size()) return std::nullopt;
    return commands_[at_++];
  }

 private:
  std::vector<hw::Command> commands_;
  std::size_t at_ = 0;
};

/// Writes commands; every call returns the command's id for later waits.
class ProgramWriter {
 public:
  using Waits = std::vector<hw::Wait>;
  static hw::Wait raw(hw::CommandId id) { return {id, hw::Hazard::kReadAfterWrite, false}; }
  static hw::Wait war(hw::CommandId id) { return {id, hw::Hazard::kWriteAfterRead, false}; }
  static hw::Wait full(hw::CommandId id) { return {id, hw::Hazard::kWriteAfterRead, true}; }

  hw::CommandId load(int op, int queue, hw::Region region, hw::TrafficClass traffic,
                     Waits waits = {}) {
    hw::Command& command = add(hw::CommandKind::kLoad, op, queue, std::move(waits));
    command.transfer = {contiguous(region.bytes), region, traffic};
    return command.id;
  }
  hw::CommandId store(int op, hw::Region region, Waits waits = {}) {
    hw::Command& command = add(hw::CommandKind::kStore, op, 0, std::move(waits));
    command.transfer = {contiguous(region.bytes), region, hw::TrafficClass::kOutputs};
    return command.id;
  }
  /// A in buffer 0 at 0, B in buffer 1 at 0, C in buffer 2 at `c_offset`.
  hw::CommandId gemm(int op, std::int64_t m, std::int64_t k, std::int64_t n, Waits waits = {},
                     bool epilogue = false, hw::Bytes c_offset = 0) {
    hw::Command& command = add(hw::CommandKind::kGemm, op, 0, std::move(waits));
    hw::GemmCommand& gemm = command.gemm;
    gemm.m = m;
    gemm.k = k;
    gemm.n = n;
    gemm.a = {{0, 0, m * k}, m, k, k, 8, hw::TrafficClass::kActivations, false};
    gemm.b = {{1, 0, k * n}, k, n, n, 8, hw::TrafficClass::kWeights, false};
    gemm.c = {{2, c_offset, m * n * 4}, m, n, n * 4, 32, hw::TrafficClass::kPartialSums, false};
    if (epilogue) {
      gemm.epilogue = hw::Epilogue{
          {"requantise"}, {{0, 32768, m * n}, m, n, n, 8, hw::TrafficClass::kOutputs, false}};
    }
    return command.id;
  }
  hw::CommandId vector(int op, const std::string& operation, std::int64_t rows, std::int64_t cols,
                       Waits waits = {}) {
    hw::Command& command = add(hw::CommandKind::kVector, op, 0, std::move(waits));
    command.vector.operations = {operation};
    command.vector.rows = rows;
    command.vector.cols = cols;
    command.vector.inputs = {
        {{0, 0, rows * cols}, rows, cols, cols, 8, hw::TrafficClass::kActivations, false}};
    command.vector.outputs = {
        {{0, 32768, rows * cols}, rows, cols, cols, 8, hw::TrafficClass::kOutputs, false}};
    return command.id;
  }
  hw::Command& at(hw::CommandId id) { return commands_[static_cast<std::size_t>(id)]; }
  std::vector<hw::Command> take() { return std::move(commands_); }

 private:
  static hw::StridedRange contiguous(hw::Bytes bytes) {
    hw::StridedRange range;
    range.row_bytes = bytes;
    return range;
  }
  hw::Command& add(hw::CommandKind kind, int op, int queue, Waits waits) {
    hw::Command command;
    command.id = static_cast<hw::CommandId>(commands_.size());
    command.kind = kind;
    command.op = op;
    command.queue = queue;
    command.waits = std::move(waits);
    commands_.push_back(std::move(command));
    return commands_.back();
  }
  std::vector<hw::Command> commands_;
};

}  // namespace tessera::test
