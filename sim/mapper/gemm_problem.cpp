#include "sim/mapper/gemm_problem.h"

#include <array>
#include <numeric>
#include <optional>
#include <sstream>

#include "sim/mapper/gemm_search.h"
#include "sim/mapper/mapper.h"
#include "workloads/passes/operator_pattern.h"
#include "workloads/passes/passes.h"

namespace tessera::sim {
namespace {

Bytes element_offset_bytes(std::int64_t elements, const workloads::Tensor& tensor) {
  const std::int64_t length = workloads::row_length(tensor);
  return elements / length * workloads::stored_bytes(tensor, 1, length) +
         workloads::bytes_before(tensor.format, elements % length);
}

int accumulator_bits(const hw::HardwareConfig& hardware) {
  const int buffer = hw::buffer_of(hardware, hw::Role::kAccumulators);
  return hardware.buffers[static_cast<std::size_t>(buffer)].element_bits;
}

/// Matrices of elements narrower than a byte may begin inside one, or inside a group with one
/// scale: no transfer can fetch those.
void require_whole_bytes(const workloads::Tensor& tensor, const workloads::MatrixView& view) {
  const auto inside = [&](std::int64_t elements) {
    const std::int64_t col = elements % workloads::row_length(tensor);
    const int group = tensor.format.group;
    return workloads::bits_before(tensor.format, col) % 8 != 0 || (group > 0 && col % group != 0);
  };
  bool split = inside(view.offset) || inside(view.repeat_stride) ||
               (view.rows > 1 && inside(view.row_stride)) ||
               (view.group.count > 1 && inside(view.group.stride));
  for (const workloads::Dim& dim : view.batch)
    split = split || (dim.count > 1 && inside(dim.stride));
  if (!split) return;
  throw MappingError("tensor '" + tensor.name + "': its matrices of " + std::to_string(view.cols) +
                     " columns of " + std::to_string(tensor.format.bits) +
                     " bits do not begin on whole bytes" +
                     (tensor.format.group > 0 ? " and groups" : ""));
}

hw::PairRate rate_of(const hw::HardwareConfig& hardware, const std::string& who,
                     const std::string& pair) {
  const std::optional<hw::PairRate> rate = hw::pair_rate(hardware.array, pair);
  if (rate) return *rate;
  std::string known;
  for (const auto& entry : hardware.array.throughput) {
    known += (known.empty() ? "" : ", ") + entry.first;
  }
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

/// The store commands of a hardware loop convert results one by one.
void require_plain_results(const GemmProblem& problem, const std::string& who) {
  if (problem.columns_per_result > 1) {
    throw MappingError(who +
                       ": a hardware loop cannot join gate and up on their way out; set "
                       "'fusion.gate_up: false'");
  }
  if (problem.residual) {
    throw MappingError(who +
                       ": a hardware loop cannot add a residual on the way out; set "
                       "'fusion.residual: false'");
  }
}

void require_no_scales(const GemmProblem& problem, const std::string& who) {
  if (problem.a.group + problem.b.group == 0) return;
  throw MappingError(who +
                     ": a hardware loop cannot take groups with scales; leave out "
                     "precision.groups");
}

}  // namespace

std::int64_t row_grain(const OperandLayout& layout) {
  if (layout.group == 0) return 8 / std::gcd(layout.bits, 8);
  return std::int64_t{layout.group} *
         (8 / std::gcd(layout.group * layout.bits + layout.scale_bits, 8));
}

std::string precision_of(const workloads::Graph& graph, const workloads::Operator& op) {
  const auto type = [&](std::size_t i) {
    return graph.tensors.at(static_cast<std::size_t>(op.inputs.at(i).tensor)).format.type();
  };
  return workloads::pair_name({type(1), type(0)});
}

OperandLayout operand_layout(const workloads::Graph& graph, const workloads::MatrixView& view,
                             const KeptTensors& kept) {
  OperandLayout layout;
  layout.on_chip = is_kept(kept, view.tensor);
  const auto& tensor = graph.tensors.at(static_cast<std::size_t>(view.tensor));
  require_whole_bytes(tensor, view);
  layout.bits = tensor.format.bits;
  layout.group = tensor.format.group;
  layout.scale_bits = tensor.format.scale_bits;
  layout.transposed = view.transposed;
  layout.gathered = tensor.is_table;
  const auto offset = [&](std::int64_t elements) { return element_offset_bytes(elements, tensor); };
  layout.pitch = offset(view.row_stride);
  layout.grain = std::gcd(offset(view.offset), offset(view.repeat_stride));
  for (const auto& dim : view.batch) {
    if (dim.count > 1) {
      layout.grain = std::gcd(layout.grain, offset(dim.stride));
    }
  }
  if (view.group.count > 1) {
    layout.grain = std::gcd(layout.grain, offset(view.group.stride));
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
  problem.columns_per_result = static_cast<int>(workloads::columns_per_result(op));
  problem.out.bits /= problem.columns_per_result;
  problem.partial.bits = accumulator_bits(hardware);
  problem.partial.pitch = row_bytes(problem.n, problem.partial.bits);
  problem.precision = precision_of(graph, op);
  problem.rate = rate_of(hardware, qualified_name(op), problem.precision);
  for (const auto& step : op.epilogue) {
    require_operation(hardware, qualified_name(op), step.operation);
    problem.epilogue.push_back(step.operation);
  }
  problem.residual = workloads::adds_residual(op);
  if (hardware.sequencer.loop.exists()) {
    require_plain_results(problem, qualified_name(op));
    require_no_scales(problem, qualified_name(op));
  }
  require_whole_blocks(problem, hardware.sequencer.loop, qualified_name(op));
  return problem;
}

std::string shape_key(const OperandLayout& layout) {
  std::ostringstream key;
  key << layout.bits << ' ' << layout.group << ' ' << layout.scale_bits << ' ' << layout.transposed
      << ' ' << layout.pitch << ' ' << layout.grain << ' ' << layout.gathered << layout.on_chip
      << ';';
  return key.str();
}

std::string shape_key(const GemmProblem& problem) {
  std::ostringstream key;
  key << "gemm " << problem.m << ' ' << problem.k << ' ' << problem.n << ' ' << problem.instances
      << ';' << shape_key(problem.a) << shape_key(problem.b) << shape_key(problem.out)
      << problem.columns_per_result << ' ' << problem.residual << ' ' << problem.precision << ' ';
  for (const std::string& operation : problem.epilogue) key << operation << ' ';
  return key.str();
}

}  // namespace tessera::sim
