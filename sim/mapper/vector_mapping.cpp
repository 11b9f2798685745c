#include "sim/mapper/vector_mapping.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "hw_models/vector_cost.h"
#include "sim/mapper/gemm_search.h"
#include "sim/mapper/mapper.h"

namespace tessera::sim {
namespace {

using hw::ceil_div;

std::vector<VectorProblem::View> views_of(const workloads::Graph& graph,
                                          const std::vector<workloads::MatrixView>& views,
                                          const KeptTensors& kept) {
  std::vector<VectorProblem::View> result;
  for (const auto& view : views) result.push_back({operand_layout(graph, view, kept), view.cols});
  return result;
}

std::int64_t column_blocks(const VectorProblem& problem, const VectorChoice& choice) {
  return choice.cols >= problem.width ? 1 : ceil_div(problem.width, choice.cols);
}

std::int64_t passes_of(const VectorProblem& problem, const VectorChoice& choice) {
  return column_blocks(problem, choice) > 1 ? problem.passes : 1;
}

MatrixPass pass_over(const std::vector<VectorProblem::View>& views, const VectorProblem& problem,
                     const VectorChoice& choice, const Grains& grains) {
  MatrixPass sum;
  for (const auto& view : views) {
    const std::int64_t cols = std::min(choice.cols, view.cols);
    const MatrixPass pass =
        matrix_pass(view.layout, problem.m, view.cols, choice.rows, cols, grains);
    sum.useful += pass.useful;
    sum.bus += pass.bus;
    sum.transfers += pass.transfers;
    sum.requests += pass.requests;
  }
  return sum;
}

/// Vector cycles of all blocks, and of the last one in `last`.
Cycles vector_total(const VectorProblem& problem, const VectorChoice& choice,
                    const hw::VectorConfig& vector, Cycles& last) {
  last = 0;
  if (problem.operation.empty()) return 0;
  const std::int64_t blocks = column_blocks(problem, choice);
  const std::int64_t passes = passes_of(problem, choice);
  const std::int64_t cols = ceil_div(problem.n, blocks);
  const double share = 1.0 / static_cast<double>(passes);
  const auto cycles = [&](std::int64_t rows) {
    return hw::vector_cycles(vector, problem.operation, rows, cols, share);
  };
  const std::int64_t full = problem.m / choice.rows, edge = problem.m % choice.rows;
  Cycles total = full * cycles(choice.rows);
  if (edge > 0) total += cycles(edge);
  last = cycles(edge > 0 ? edge : choice.rows);
  return total * blocks * passes;
}

struct BufferUse {
  int inputs = 0, outputs = 0;
};

BufferUse buffers_of(const hw::HardwareConfig& hardware) {
  return {hw::buffer_of(hardware, hw::Role::kActivations),
          hw::buffer_of(hardware, hw::Role::kOutputs)};
}

Bytes parameter_slot(const VectorProblem& problem, const hw::HardwareConfig& hardware) {
  const auto index = static_cast<std::size_t>(buffers_of(hardware).inputs);
  return hw::round_up(problem.parameter_bytes, hardware.buffers[index].width);
}

/// Bytes needed in the input and in the output buffer.
std::pair<Bytes, Bytes> needs_of(const VectorProblem& problem, const VectorChoice& choice,
                                 const hw::HardwareConfig& hardware) {
  const BufferUse use = buffers_of(hardware);
  Bytes inputs = parameter_slot(problem, hardware), outputs = 0;
  for (const auto& view : problem.inputs) {
    inputs += choice.inputs * vector_slot_bytes(problem, view, choice, hardware, use.inputs);
  }
  if (!problem.operation.empty()) {
    for (const auto& view : problem.outputs) {
      outputs += choice.outputs * vector_slot_bytes(problem, view, choice, hardware, use.outputs);
    }
  }
  if (use.inputs == use.outputs) return {inputs + outputs, inputs + outputs};
  return {inputs, outputs};
}

bool fits(const VectorProblem& problem, const VectorChoice& choice,
          const hw::HardwareConfig& hardware) {
  const BufferUse use = buffers_of(hardware);
  const auto [inputs, outputs] = needs_of(problem, choice, hardware);
  return inputs <= hardware.buffers[static_cast<std::size_t>(use.inputs)].capacity &&
         outputs <= hardware.buffers[static_cast<std::size_t>(use.outputs)].capacity;
}

std::string no_fit_text(const VectorProblem& problem, const hw::HardwareConfig& hardware) {
  const VectorChoice least{1, 1, 1, 1};
  const BufferUse use = buffers_of(hardware);
  const auto [inputs, outputs] = needs_of(problem, least, hardware);
  const auto& in = hardware.buffers[static_cast<std::size_t>(use.inputs)];
  const auto& out = hardware.buffers[static_cast<std::size_t>(use.outputs)];
  const bool at_input = inputs > in.capacity;
  const auto& buffer = at_input ? in : out;
  const Bytes needs = at_input ? inputs : outputs;
  return problem.name + ": nothing fits: one element at a time needs " + std::to_string(needs) +
         " bytes of buffer '" + buffer.name + "' (" + std::to_string(problem.parameter_bytes) +
         " for parameters), which has " + std::to_string(buffer.capacity) + ": " +
         std::to_string(needs - buffer.capacity) + " bytes too many";
}

/// Tries the slot counts of one block shape; keeps the better of `best` and what fits.
struct VectorIncumbent {
  bool found = false;
  VectorChoice choice;
  MappingCost cost;
};

void try_block(const VectorProblem& problem, const hw::HardwareConfig& hardware, std::int64_t rows,
               std::int64_t cols, VectorIncumbent& best) {
  for (const auto& [inputs, outputs] :
       {std::pair{2, 2}, std::pair{2, 1}, std::pair{1, 2}, std::pair{1, 1}}) {
    const VectorChoice choice{rows, cols, inputs, outputs};
    if (!fits(problem, choice, hardware)) continue;
    const MappingCost cost = vector_cost(problem, choice, hardware);
    const auto rank = [](const VectorChoice& c, const MappingCost& m) {
      return std::make_tuple(m.dram_bytes, m.latency, m.bus_bytes, -c.rows, -c.cols);
    };
    if (best.found && rank(choice, cost) >= rank(best.choice, best.cost)) continue;
    best = {true, choice, cost};
  }
}

}  // namespace

VectorProblem vector_problem(const workloads::Graph& graph, const workloads::Operator& op,
                             const hw::HardwareConfig& hardware, const KeptTensors& kept) {
  VectorProblem problem;
  problem.name = qualified_name(op);
  problem.m = op.m;
  problem.n = op.n;
  problem.inputs = views_of(graph, op.inputs, kept);
  problem.outputs = views_of(graph, op.outputs, kept);
  for (const auto& view : problem.inputs) problem.width = std::max(problem.width, view.cols);
  for (const auto& view : problem.outputs) problem.width = std::max(problem.width, view.cols);
  for (const workloads::TensorId id : op.parameters) {
    problem.parameter_bytes +=
        workloads::stored_bytes(graph.tensors.at(static_cast<std::size_t>(id)));
    ++problem.parameter_loads;
  }
  problem.operation = op.operation;
  if (problem.operation.empty()) return problem;
  require_operation(hardware, problem.name, problem.operation);
  if (workloads::is_row_reduction(op)) {
    const double passes = hardware.vector.operations.at(problem.operation).passes;
    problem.passes = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(passes)));
  }
  return problem;
}

MappingCost vector_cost(const VectorProblem& problem, const VectorChoice& choice,
                        const hw::HardwareConfig& hardware) {
  const MachineRates rates = machine_rates(hardware);
  const std::int64_t passes = passes_of(problem, choice);
  const std::int64_t row_blocks = ceil_div(problem.m, choice.rows);
  const std::int64_t blocks = row_blocks * column_blocks(problem, choice) * passes;
  const MatrixPass in = pass_over(problem.inputs, problem, choice, rates.grains);
  const MatrixPass out = pass_over(problem.outputs, problem, choice, rates.grains);
  const Bytes parameters = hw::round_up(problem.parameter_bytes, rates.grains.burst);
  const bool copy = problem.operation.empty();

  MappingCost cost;
  Cycles last = 0;
  cost.vector_cycles = vector_total(problem, choice, hardware.vector, last);
  cost.dram_bytes = passes * in.useful + out.useful + problem.parameter_bytes;
  cost.bus_bytes = passes * in.bus + out.bus + parameters;
  cost.dram_cycles = rates.dram.cycles(cost.bus_bytes);

  const Cycles step = cost.vector_cycles / blocks;
  const Cycles load =
      rates.transfer(ceil_div(passes * in.bus, blocks), ceil_div(passes * in.requests, blocks));
  const Cycles result =
      rates.transfer(ceil_div(passes * out.bus, blocks), ceil_div(passes * out.requests, blocks));
  const Cycles store = out.transfers == 0 ? 0 : rates.store_latency + result;
  // Loads and stores of neighbouring blocks share the DRAM: each may wait for the other.
  const Cycles latency = in.transfers == 0 ? 0 : rates.load_latency;
  const Cycles held = latency + load + result + step + (copy ? store : 0);
  const Cycles kept = step + store + load;
  // What stays on chip has no ring of slots to wait for.
  const Cycles input_wait = in.transfers == 0 ? 0 : ring_wait(held, choice.inputs, step);
  const Cycles output_wait =
      copy || out.transfers == 0 ? 0 : ring_wait(kept, choice.outputs, step * passes);
  const Cycles bubble = std::max(input_wait, output_wait);
  const Cycles busy = rates.load_latency + rates.dram.cycles(parameters) + load +
                      cost.vector_cycles + (blocks - 1) * bubble;
  const Cycles windows =
      rates.windows({}, {passes * in.bus, passes * in.requests}, {out.bus, out.requests});
  const Cycles dram = rates.load_latency + std::max(cost.dram_cycles, windows) - result + last;
  const std::int64_t loads = passes * in.transfers + problem.parameter_loads;
  const std::int64_t commands = loads + out.transfers + (copy ? 0 : blocks);
  const Cycles issue =
      std::max(commands * rates.dispatch, std::max(loads, out.transfers) * rates.descriptor);
  cost.latency = rates.launch + 2 * rates.dispatch + std::max({busy, dram, issue}) + store;
  return cost;
}

namespace {

/// Columns begin on whole bytes of every width, and with groups of weights.
std::int64_t column_grain(const VectorProblem& problem) {
  std::int64_t grain = 8;
  for (const VectorProblem::View& view : problem.inputs) {
    if (view.layout.group > 0) grain = std::lcm(grain, row_grain(view.layout));
  }
  return grain;
}

}  // namespace

VectorChoice search_vector(const VectorProblem& problem, const hw::HardwareConfig& hardware) {
  VectorIncumbent best;
  for (const std::int64_t rows : tile_sizes(problem.m, {}, 1)) {
    try_block(problem, hardware, rows, problem.n, best);
  }
  if (best.found) return best.choice;
  for (const std::int64_t cols :
       tile_sizes(problem.width, {hardware.vector.lanes}, column_grain(problem))) {
    if (cols < problem.width) try_block(problem, hardware, 1, cols, best);
  }
  if (!best.found) throw MappingError(no_fit_text(problem, hardware));
  return best.choice;
}

Bytes vector_slot_bytes(const VectorProblem& problem, const VectorProblem::View& view,
                        const VectorChoice& choice, const hw::HardwareConfig& hardware,
                        int buffer) {
  if (view.layout.on_chip) return 0;
  const std::int64_t cols = std::min(choice.cols, view.cols);
  const std::int64_t rows = std::min(choice.rows, problem.m);
  const Bytes width = hardware.buffers[static_cast<std::size_t>(buffer)].width;
  return hw::round_up(rows * row_bytes(cols, view.layout), width);
}

VectorMapping vector_mapping(const VectorProblem& problem, const VectorChoice& choice,
                             const hw::HardwareConfig& hardware) {
  const BufferUse use = buffers_of(hardware);
  VectorMapping mapping;
  mapping.rows = choice.rows;
  mapping.cols = choice.cols;
  for (const auto& view : problem.inputs) {
    const Bytes bytes = vector_slot_bytes(problem, view, choice, hardware, use.inputs);
    mapping.inputs.push_back(bytes == 0 ? Slots{} : Slots{use.inputs, 0, bytes, choice.inputs});
  }
  if (!problem.operation.empty()) {
    for (const auto& view : problem.outputs) {
      const Bytes bytes = vector_slot_bytes(problem, view, choice, hardware, use.outputs);
      mapping.outputs.push_back(bytes == 0 ? Slots{}
                                           : Slots{use.outputs, 0, bytes, choice.outputs});
    }
  }
  if (problem.parameter_bytes > 0) {
    mapping.parameters = {use.inputs, 0, parameter_slot(problem, hardware), 1};
  }
  return mapping;
}

Bytes compulsory_bytes(const VectorProblem& problem) {
  Bytes bytes = problem.parameter_bytes;
  for (const auto& view : problem.inputs) {
    if (view.layout.on_chip) continue;
    bytes += problem.m * row_bytes(view.cols, view.layout);
  }
  for (const auto& view : problem.outputs) {
    if (view.layout.on_chip) continue;
    bytes += problem.m * row_bytes(view.cols, view.layout);
  }
  return bytes;
}

}  // namespace tessera::sim
