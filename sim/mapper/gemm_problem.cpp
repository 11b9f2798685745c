#include "sim/mapper/gemm_problem.h"

#include <array>
#include <numeric>
#include <sstream>

#include "sim/mapper/gemm_search.h"
#include "sim/mapper/mapper.h"

namespace tessera::sim {
namespace {

Bytes element_offset_bytes(std::int64_t elements, int bits) { return elements * bits / 8; }

int accumulator_bits(const hw::HardwareConfig& hardware) {
  const int buffer = hw::buffer_of(hardware, hw::Role::kAccumulators);
  return hardware.buffers[static_cast<std::size_t>(buffer)].element_bits;
}

/// Matrices of elements narrower than a byte may begin inside one: no transfer can fetch those.
void require_whole_bytes(const workloads::Tensor& tensor, const workloads::MatrixView& view) {
  const auto inside = [&](std::int64_t elements) {
    return elements % workloads::row_length(tensor) * tensor.format.bits % 8 != 0;
  };
  bool split = inside(view.offset) || inside(view.repeat_stride) ||
               (view.rows > 1 && inside(view.row_stride)) ||
               (view.group.count > 1 && inside(view.group.stride));
  for (const workloads::Dim& dim : view.batch)
    split = split || (dim.count > 1 && inside(dim.stride));
  if (!split) return;
  throw MappingError("tensor '" + tensor.name + "': its matrices of " + std::to_string(view.cols) +
                     " columns of " + std::to_string(tensor.format.bits) +
                     " bits do not begin on whole bytes");
}

double throughput_of(const hw::HardwareConfig& hardware, const std::string& who,
                     const std::string& pair) {
  const auto& table = hardware.array.throughput;
  const auto found = table.find(pair);
  if (found != table.end() && found->second > 0) return found->second;
  std::string known;
  for (const auto& entry : table) known += (known.empty() ? "" : ", ") + entry.first;
  throw MappingError(who + ": the array cannot run " + pair + "; it runs " + known);
}

/// Blocks of a hardware loop lie one behind the other: each begins on a whole byte.
void require_whole_blocks(const GemmProblem& problem, const hw::HardwareLoop& loop,
                          const std::string& who) {
  if (!loop.exists()) return;
  const std::array<std::int64_t, 3> grains = tile_grains(problem);
  const std::array<std::int64_t, 3> blocks{loop.m, loop.k, loop.n};
  for (std::size_t i = 0; i < 3; ++i) {
    if (blocks[i] % grains[i] == 0) continue;
    throw MappingError(who + ": sequencer.loop." + "mkn"[i] + " = " + std::to_string(blocks[i]) +
                       " is no multiple of " + std::to_string(grains[i]) +
                       ": its blocks would not start on whole bytes");
  }
}

}  // namespace

OperandLayout operand_layout(const workloads::Graph& graph, const workloads::MatrixView& view,
                             const KeptTensors& kept) {
  OperandLayout layout;
  layout.on_chip = is_kept(kept, view.tensor);
  const auto& tensor = graph.tensors.at(static_cast<std::size_t>(view.tensor));
  require_whole_bytes(tensor, view);
  layout.bits = tensor.format.bits;
  layout.transposed = view.transposed;
  layout.gathered = tensor.is_table;
  layout.pitch = row_bytes(view.row_stride, layout.bits);
  layout.grain = std::gcd(element_offset_bytes(view.offset, layout.bits),
                          element_offset_bytes(view.repeat_stride, layout.bits));
  for (const auto& dim : view.batch) {
    if (dim.count > 1) {
      layout.grain = std::gcd(layout.grain, element_offset_bytes(dim.stride, layout.bits));
    }
  }
  if (view.group.count > 1) {
    layout.grain = std::gcd(layout.grain, element_offset_bytes(view.group.stride, layout.bits));
  }
  return layout;
}

void require_operation(const hw::HardwareConfig& hardware, const std::string& who,
                       const std::string& operation) {
  const auto& table = hardware.vector.operations;
  if (table.count(operation) != 0) return;
  std::string known;
  for (const auto& entry : table) known += (known.empty() ? "" : ", ") + entry.first;
  throw MappingError(who + ": the vector unit has no operation '" + operation + "'; it has " +
                     (known.empty() ? "none" : known));
}

GemmProblem gemm_problem(const workloads::Graph& graph, const workloads::Operator& op,
                         const hw::HardwareConfig& hardware, const KeptTensors& kept) {
  GemmProblem problem;
  problem.m = op.m * op.group;
  problem.k = op.k;
  problem.n = op.n;
  problem.instances = op.instances / op.group;
  problem.a = operand_layout(graph, op.inputs.at(0), kept);
  problem.b = operand_layout(graph, op.inputs.at(1), kept);
  problem.out = operand_layout(graph, op.outputs.at(0), kept);
  problem.partial.bits = accumulator_bits(hardware);
  problem.partial.pitch = row_bytes(problem.n, problem.partial.bits);
  problem.precision = hw::precision_pair(problem.b.bits, problem.a.bits);
  problem.macs_per_pe = throughput_of(hardware, qualified_name(op), problem.precision);
  for (const auto& step : op.epilogue) {
    require_operation(hardware, qualified_name(op), step.operation);
    problem.epilogue.push_back(step.operation);
  }
  require_whole_blocks(problem, hardware.sequencer.loop, qualified_name(op));
  return problem;
}

std::string shape_key(const OperandLayout& layout) {
  std::ostringstream key;
  key << layout.bits << ' ' << layout.transposed << ' ' << layout.pitch << ' ' << layout.grain
      << ' ' << layout.gathered << layout.on_chip << ';';
  return key.str();
}

std::string shape_key(const GemmProblem& problem) {
  std::ostringstream key;
  key << "gemm " << problem.m << ' ' << problem.k << ' ' << problem.n << ' ' << problem.instances
      << ';' << shape_key(problem.a) << shape_key(problem.b) << shape_key(problem.out);
  for (const std::string& operation : problem.epilogue) key << operation << ' ';
  return key.str();
}

}  // namespace tessera::sim
