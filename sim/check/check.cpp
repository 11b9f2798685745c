#include "sim/check/check.h"

#include <algorithm>
#include <random>
#include <set>

#include "sim/check/interpreter.h"
#include "sim/check/kept_results.h"
#include "sim/check/legal_order.h"
#include "sim/check/program_check.h"
#include "sim/check/reference.h"

namespace tessera::sim {
namespace {

std::int64_t graph_macs(const workloads::Graph& graph) {
  std::int64_t macs = 0;
  for (const workloads::Phase& phase : graph.phases) {
    for (int op = phase.first_operator; op < phase.last_operator; ++op) {
      macs += phase.repeat * workloads::mac_count(graph.operators[static_cast<std::size_t>(op)]);
    }
  }
  return macs;
}

int accumulator_bits(const hw::HardwareConfig& hardware) {
  const int buffer = hw::buffer_of(hardware, hw::Role::kAccumulators);
  return hardware.buffers[static_cast<std::size_t>(buffer)].element_bits;
}

workloads::NumberKind kind_of(Numbers numbers) {
  return numbers == Numbers::kInteger ? workloads::NumberKind::kInteger
         : numbers == Numbers::kBf16  ? workloads::NumberKind::kBfloat
                                      : workloads::NumberKind::kFloat;
}

/// Why the values of this program cannot be computed; empty: they can.
std::string obstacle(const workloads::Graph& graph, const hw::HardwareConfig& hardware,
                     const CheckOptions& options) {
  if (!options.values) return "not asked for";
  const std::int64_t macs = graph_macs(graph);
  if (macs > options.max_macs) {
    return std::to_string(macs) + " MACs are more than --max-macs " +
           std::to_string(options.max_macs);
  }
  if (options.numbers != Numbers::kInteger && accumulator_bits(hardware) != 32) {
    return "BF16 and FP16 need accumulators of 32 bits";
  }
  for (const workloads::Tensor& tensor : graph.tensors) {
    const int bits = tensor.format.bits;
    if (bits < 2 || bits > 16) {
      return "tensor '" + tensor.name + "' has elements of " + std::to_string(bits) +
             " bits; 2 to 16 have numbers";
    }
    const bool stated = tensor.format.kind != workloads::NumberKind::kInteger;
    if (bits == 16 && stated && tensor.format.kind != kind_of(options.numbers)) {
      return "tensor '" + tensor.name + "' has 16-bit elements of another kind than others";
    }
  }
  return "";
}

void note_stand_ins(const workloads::Graph& graph, CheckResult& result) {
  std::set<std::string> unknown;
  for (const workloads::Operator& op : graph.operators) {
    for (const std::string& operation : operations_of(op)) {
      if (!operation.empty() && !has_formula(operation)) unknown.insert(operation);
    }
  }
  for (const std::string& operation : unknown) {
    result.notes.push_back("'" + operation +
                           "' has no formula here: a stand-in follows its data, not its meaning");
  }
}

/// Of online attention: how many keys it takes at once.
std::vector<std::int64_t> key_blocks_of(const Plan& plan) {
  std::vector<std::int64_t> blocks;
  for (const OperatorPlan& op : plan.operators) {
    blocks.push_back(op.is_attention && op.attention.online ? op.attention.keys : 0);
  }
  return blocks;
}

/// What 16-bit elements are, where the graph says so.
Numbers numbers_of(const workloads::Graph& graph, Numbers asked) {
  for (const workloads::Tensor& tensor : graph.tensors) {
    if (tensor.format.kind == workloads::NumberKind::kBfloat) return Numbers::kBf16;
    if (tensor.format.kind == workloads::NumberKind::kFloat) return Numbers::kFp16;
  }
  return asked;
}

void check_values(const workloads::Graph& graph, const Plan& plan,
                  const hw::HardwareConfig& hardware, const std::vector<hw::Command>& program,
                  const CheckOptions& options, CheckResult& result) {
  HappensBefore order(hardware);
  for (const hw::Command& command : program) order.add(command);
  Reference reference(graph, options.numbers, accumulator_bits(hardware), options.seed,
                      key_blocks_of(plan));
  reference.run();
  for (const std::string& op : reference.overflows()) {
    result.faults.add({FaultKind::kValues, hw::kNoCommand, hw::kNoCommand,
                       "sums of " + op + " do not fit its accumulators"});
  }
  note_stand_ins(graph, result);
  Interpreter machine(graph, plan, hardware, reference, options.numbers, order, result.faults);
  machine.note_repeats(program);
  std::mt19937_64 random(options.seed);
  for (int i = 0; i <= options.orders; ++i) {
    machine.reset(options.seed + static_cast<std::uint64_t>(i));
    const std::vector<hw::CommandId> sequence =
        i == 0 ? program_order(program) : random_legal_order(program, order, random);
    for (const hw::CommandId id : sequence) {
      const hw::Command& command = program[static_cast<std::size_t>(id)];
      machine.execute(command);
      for (const hw::Command& kept : kept_results(command, graph, plan)) machine.execute(kept);
    }
    ++result.orders;
    if (i == 0) result.values = machine.compared();
    if (!result.passed()) break;
  }
  result.values_checked = true;
}

}  // namespace

CheckResult check_program(const workloads::Graph& graph, const Plan& lowered,
                          const hw::HardwareConfig& hardware, hw::CommandSource& program,
                          const CheckOptions& asked) {
  const Plan plan = with_kept_addresses(lowered, hardware);
  CheckOptions options = asked;
  options.numbers = numbers_of(graph, asked.numbers);
  CheckResult result;
  result.faults = FaultLog(options.shown);
  result.why_not = obstacle(graph, hardware, options);
  ProgramCheck check(graph, plan, hardware, result.faults);
  std::vector<hw::Command> kept;  // for the values
  while (auto command = program.next()) {
    check.add(*command);
    ++result.commands;
    ++result.commands_of[static_cast<std::size_t>(command->kind)];
    if (result.why_not.empty()) kept.push_back(std::move(*command));
  }
  check.finish();
  result.pairs = check.pairs();
  result.macs = check.macs();
  if (result.why_not.empty() && !check.executable()) result.why_not = "the program is malformed";
  if (result.why_not.empty()) check_values(graph, plan, hardware, kept, options, result);
  return result;
}

}  // namespace tessera::sim
