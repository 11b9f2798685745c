#include "sim/check/accesses.h"

#include <algorithm>

namespace tessera::sim {
namespace {

using hw::Bytes;
using hw::TileOperand;

Bytes operand_row_bytes(const TileOperand& operand) {
  return hw::ceil_div(operand.cols * operand.bits, 8);
}

void append_operand(const TileOperand& operand, bool write, bool partial_sums,
                    std::vector<Access>& accesses) {
  if (operand.cols == 0) return;
  const Bytes row = operand_row_bytes(operand);
  const int space = operand.region.buffer;
  if (operand.pitch == row || operand.rows == 1) {
    const Bytes begin = operand.region.offset;
    accesses.push_back({space, begin, begin + row * operand.rows, write, partial_sums});
    return;
  }
  for (std::int64_t r = 0; r < operand.rows; ++r) {
    const Bytes begin = operand.region.offset + r * operand.pitch;
    accesses.push_back({space, begin, begin + row, write, partial_sums});
  }
}

void append_dram(const hw::StridedRange& dram, bool write, std::vector<Access>& accesses) {
  const hw::StridedRange range = hw::coalesced(dram);
  for (std::int64_t j = 0; j < range.count[1]; ++j) {
    for (std::int64_t i = 0; i < range.count[0]; ++i) {
      const std::int64_t begin = range.address + j * range.stride[1] + i * range.stride[0];
      accesses.push_back({kDramSpace, begin, begin + range.row_bytes, write, false});
    }
  }
}

void append_region(const hw::Region& region, bool write, std::vector<Access>& accesses) {
  accesses.push_back({region.buffer, region.offset, region.offset + region.bytes, write, false});
}

void append_gemm(const hw::GemmCommand& gemm, std::vector<Access>& accesses) {
  const bool kept = gemm.keeps_stationary;
  if (!kept || gemm.dataflow != hw::Dataflow::kInputStationary) {
    append_operand(gemm.a, false, false, accesses);
  }
  if (!kept || gemm.dataflow != hw::Dataflow::kWeightStationary) {
    append_operand(gemm.b, false, false, accesses);
  }
  if (gemm.accumulate) append_operand(gemm.c, false, true, accesses);
  append_operand(gemm.c, true, true, accesses);
  if (!gemm.epilogue) return;
  if (gemm.epilogue->adds_output) append_operand(gemm.epilogue->output, false, false, accesses);
  append_operand(gemm.epilogue->output, true, false, accesses);
}

std::string operand_mistake(const char* name, const TileOperand& operand, int buffers) {
  const std::string who = std::string(name) + ": ";
  if (operand.region.buffer < 0 || operand.region.buffer >= buffers) return who + "no such buffer";
  if (operand.rows < 1 || operand.cols < 1 || operand.bits < 1) return who + "no elements";
  const Bytes row = operand_row_bytes(operand);
  if (operand.rows > 1 && operand.pitch < row) return who + "rows overlap";
  const Bytes needed = (operand.rows - 1) * operand.pitch + row;
  if (operand.region.bytes < needed) {
    return who + std::to_string(operand.rows) + " x " + std::to_string(operand.cols) +
           " elements of " + std::to_string(operand.bits) + " bits take " + std::to_string(needed) +
           " bytes, its region has " + std::to_string(operand.region.bytes);
  }
  return "";
}

std::string shape_mistake(const char* name, const TileOperand& operand, std::int64_t rows,
                          std::int64_t cols) {
  const std::int64_t stored_rows = operand.transposed ? cols : rows;
  const std::int64_t stored_cols = operand.transposed ? rows : cols;
  if (operand.rows == stored_rows && operand.cols == stored_cols) return "";
  return std::string(name) + ": " + std::to_string(operand.rows) + " x " +
         std::to_string(operand.cols) + " elements where the Gemm needs " +
         std::to_string(stored_rows) + " x " + std::to_string(stored_cols);
}

std::string first_of(std::initializer_list<std::string> mistakes) {
  for (const std::string& mistake : mistakes) {
    if (!mistake.empty()) return mistake;
  }
  return "";
}

std::string gemm_mistake(const hw::GemmCommand& gemm, int buffers) {
  const std::string mistake = first_of(
      {operand_mistake("A", gemm.a, buffers), operand_mistake("B", gemm.b, buffers),
       operand_mistake("C", gemm.c, buffers), shape_mistake("A", gemm.a, gemm.m, gemm.k),
       shape_mistake("B", gemm.b, gemm.k, gemm.n), shape_mistake("C", gemm.c, gemm.m, gemm.n)});
  if (!mistake.empty() || !gemm.epilogue) return mistake;
  // Whether the epilogue may join columns two by two is for its operator to say.
  const hw::TileOperand& output = gemm.epilogue->output;
  const std::int64_t results = 2 * output.cols == gemm.n ? output.cols : gemm.n;
  return first_of({operand_mistake("output", output, buffers),
                   shape_mistake("output", output, gemm.m, results)});
}

std::string transfer_mistake(const hw::TransferCommand& transfer, int buffers) {
  const hw::StridedRange& dram = transfer.dram;
  if (transfer.region.buffer < 0 || transfer.region.buffer >= buffers) return "no such buffer";
  if (dram.row_bytes < 1 || dram.count[0] < 1 || dram.count[1] < 1) return "moves nothing";
  if (transfer.region.bytes == hw::useful_bytes(dram)) return "";
  return "its region has " + std::to_string(transfer.region.bytes) +
         " bytes, DRAM gives or takes " + std::to_string(hw::useful_bytes(dram));
}

std::string vector_mistake(const hw::VectorCommand& vector, int buffers) {
  if (vector.operations.empty()) return "no operation";
  if (vector.inputs.empty()) return "no input";
  for (const TileOperand& input : vector.inputs) {
    if (input.cols == 0) continue;  // a view that the command's columns do not touch
    const std::string mistake = operand_mistake("input", input, buffers);
    if (!mistake.empty()) return mistake;
  }
  for (const TileOperand& output : vector.outputs) {
    const std::string mistake = operand_mistake("output", output, buffers);
    if (!mistake.empty()) return mistake;
    if (output.rows != vector.rows) return "output: not as many rows as the command has";
  }
  return "";
}

}  // namespace

void append_accesses(const hw::Command& command, std::vector<Access>& accesses) {
  switch (command.kind) {
    case hw::CommandKind::kLoad:
      append_dram(command.transfer.dram, false, accesses);
      append_region(command.transfer.region, true, accesses);
      break;
    case hw::CommandKind::kStore:
      append_region(command.transfer.region, false, accesses);
      append_dram(command.transfer.dram, true, accesses);
      break;
    case hw::CommandKind::kGemm:
      append_gemm(command.gemm, accesses);
      break;
    case hw::CommandKind::kVector:
      for (const TileOperand& input : command.vector.inputs) {
        append_operand(input, false, false, accesses);
      }
      for (const TileOperand& output : command.vector.outputs) {
        append_operand(output, true, false, accesses);
      }
      break;
  }
}

std::string size_mistake(const hw::Command& command, int buffers) {
  switch (command.kind) {
    case hw::CommandKind::kGemm:
      return gemm_mistake(command.gemm, buffers);
    case hw::CommandKind::kVector:
      return vector_mistake(command.vector, buffers);
    case hw::CommandKind::kLoad:
    case hw::CommandKind::kStore:
      break;
  }
  return transfer_mistake(command.transfer, buffers);
}

const TileOperand& stationary_operand(const hw::GemmCommand& gemm) {
  switch (gemm.dataflow) {
    case hw::Dataflow::kWeightStationary:
      return gemm.b;
    case hw::Dataflow::kInputStationary:
      return gemm.a;
    case hw::Dataflow::kOutputStationary:
      break;
  }
  return gemm.c;
}

std::vector<TileOperand> blocks_of(const TileOperand& operand, std::int64_t block) {
  if (block <= 0) return {operand};
  std::vector<TileOperand> blocks;
  for (std::int64_t col = 0; col < operand.cols; col += block) {
    TileOperand part = operand;
    part.cols = std::min(block, operand.cols - col);
    part.pitch = hw::ceil_div(part.cols * part.bits, 8);
    part.region.offset += operand.rows * hw::ceil_div(col * part.bits, 8);
    part.region.bytes = part.rows * part.pitch;
    blocks.push_back(part);
  }
  return blocks;
}

}  // namespace tessera::sim
