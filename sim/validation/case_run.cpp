#include "sim/validation/case_run.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "sim/config/config.h"
#include "sim/gemm_run.h"
#include "sim/mapper/mapper.h"
#include "sim/mapper/pins.h"

namespace tessera::sim {
namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// Commands that are there from the start.
class Listed : public hw::CommandSource {
 public:
  explicit Listed(std::vector<hw::Command> commands) : commands_(std::move(commands)) {}
  std::optional<hw::Command> next() override {
    if (at_ == commands_.size()) return std::nullopt;
    return commands_[at_++];
  }

 private:
  std::vector<hw::Command> commands_;
  std::size_t at_ = 0;
};

/// Until all three operands would fit into any one of them.
void grow_buffers(hw::HardwareConfig& hardware, const hw::GemmShape& s) {
  constexpr hw::Bytes kWidest = 8;  // bytes of an element, at most
  const hw::Bytes needed = kWidest * (s.m * s.k + s.k * s.n + s.m * s.n);
  for (hw::BufferConfig& buffer : hardware.buffers) {
    while (buffer.capacity - 3 * buffer.width < needed) buffer.capacity *= 2;
  }
}

void set_precision(RunConfig& machine, const std::string& pair) {
  machine.precision_name = pair;
  const workloads::OperandTypes types = workloads::operand_types(pair);
  machine.precision = {types.weights, types.activations, types.activations};
}

CaseRun product_run(const ReferenceCase& reference, const EngineRule& rule, RunConfig machine) {
  GemmRequest request;
  request.machine = std::move(machine);
  request.shape = reference.shape;
  request.resident = rule.scenario == Scenario::kResident;
  request.accumulate = rule.accumulate;
  set_precision(request.machine, rule.precision);
  if (rule.unlimited_buffers) grow_buffers(request.machine.hardware, reference.shape);
  if (rule.pin) {
    request.machine.mapping.pins.push_back(rule.pin(reference));
  } else if (!reference.dataflow.empty()) {
    request.dataflow = parse_dataflow(dataflow_of(reference));
  }
  const auto gemm = std::make_shared<const PreparedGemm>(prepare_gemm(std::move(request)));
  CaseRun run;
  run.hardware = gemm->run.config.hardware;
  run.program = [gemm] { return gemm_program(*gemm); };
  return run;
}

CaseRun loads_run(const ReferenceCase& reference, const RunConfig& machine) {
  CaseRun run;
  run.hardware = machine.hardware;
  run.program = [commands = block_loads(run.hardware, reference.shape, reference.rows)] {
    return std::make_unique<Listed>(commands);
  };
  return run;
}

/// The hardware that the user names for the row; empty: none.
std::string named_hardware(const ReferenceCase& reference,
                           const std::vector<HardwareOverride>& overrides) {
  for (const HardwareOverride& each : overrides) {
    if (matches(each.pattern, reference.engine)) return each.hardware;
  }
  return "";
}

std::string way_to_name(const ReferenceCase& reference) {
  return fmt::format(" (--hardware {}=NAME runs it on NAME)", reference.engine);
}

/// The machine of the row's engine. Throws NotComparable that says how to name one.
const RunConfig& own_machine(const ReferenceCase& reference, const EngineRule& rule,
                             const std::vector<std::string>& sets, Machines& machines) {
  const std::vector<std::string> names = presets_of(rule, reference);
  if (names.empty()) throw NotComparable("this build has no machine" + way_to_name(reference));
  try {
    return machines.find(names, sets);
  } catch (const NotComparable& error) {
    throw NotComparable(error.what() + way_to_name(reference));
  }
}

/// Throws NotComparable for an engine that is neither known nor given a machine.
EngineRule required_rule(const ReferenceCase& reference, const std::string& hardware) {
  const EngineRule* known = rule_of(reference);
  if (known == nullptr && hardware.empty()) {
    throw NotComparable("the engine is not known" + way_to_name(reference));
  }
  const EngineRule rule = known == nullptr ? own_engine_rule(reference) : *known;
  if (reference.notes.integer("errors", 0) != 0) {
    throw NotComparable("the reference itself reports errors");
  }
  return rule;
}

/// Blocks of one matrix, appended to `commands`.
void append_loads(const hw::HardwareConfig& hardware, std::int64_t rows, std::int64_t cols,
                  std::int64_t side, std::int64_t address, hw::TrafficClass traffic,
                  std::vector<hw::Command>& commands) {
  const int index = hw::buffer_of(hardware, hw::Role::kActivations);
  const hw::BufferConfig& buffer = hardware.buffers[static_cast<std::size_t>(index)];
  const std::int64_t slots = std::max<std::int64_t>(1, buffer.capacity / (side * side));
  for (std::int64_t row = 0; row < rows; row += side) {
    for (std::int64_t col = 0; col < cols; col += side) {
      hw::Command command;
      command.id = static_cast<hw::CommandId>(commands.size());
      command.kind = hw::CommandKind::kLoad;
      command.op = 0;
      hw::StridedRange& dram = command.transfer.dram;
      dram.address = address + row * cols + col;
      dram.row_bytes = std::min(side, cols - col);
      dram.count[0] = std::min(side, rows - row);
      dram.stride[0] = cols;
      command.transfer.region = {index, command.id % slots * side * side,
                                 dram.count[0] * dram.row_bytes};
      command.transfer.traffic = traffic;
      commands.push_back(std::move(command));
    }
  }
}

}  // namespace

const RunConfig& Machines::find(const std::vector<std::string>& names,
                                const std::vector<std::string>& sets) {
  const std::string name = known(names);
  const std::string key = fmt::format("{}\n{}", name, fmt::join(sets, "\n"));
  if (const auto failed = failures_.find(key); failed != failures_.end()) {
    throw NotComparable(failed->second);
  }
  const auto found = machines_.find(key);
  if (found != machines_.end()) return found->second;
  try {
    return machines_.emplace(key, load_machine_run(name, sets)).first->second;
  } catch (const ConfigError& error) {
    std::string reason = first_line(error.what());
    const std::string mark = "error: ";
    const std::size_t at = reason.find(mark);
    // A place in a file or a --set means little without the machine's name.
    if (at != std::string::npos) {
      reason = (at > 0 ? name + ": " : "") + reason.substr(at + mark.size());
    }
    failures_[key] = reason;
    throw NotComparable(reason);
  }
}

/// The first of `names` that ships or lies on the search path; the only one as it is (it may be a
/// file).
std::string Machines::known(const std::vector<std::string>& names) {
  if (known_names_.empty()) {
    for (const ListEntry& entry : list_configs("hardware")) known_names_.push_back(entry.name);
  }
  for (const std::string& name : names) {
    for (const std::string& candidate : known_names_) {
      if (matches(name, candidate)) return candidate;
    }
  }
  if (names.size() == 1 && names[0].find('*') == std::string::npos) return names[0];
  throw NotComparable(fmt::format(
      "there is no hardware called '{}' (--hardware ENGINE=NAME names one)", names.back()));
}

std::vector<hw::Command> block_loads(const hw::HardwareConfig& hardware, const hw::GemmShape& shape,
                                     std::int64_t side) {
  std::vector<hw::Command> commands;
  append_loads(hardware, shape.m, shape.k, side, 0, hw::TrafficClass::kActivations, commands);
  append_loads(hardware, shape.k, shape.n, side, shape.m * shape.k, hw::TrafficClass::kWeights,
               commands);
  return commands;
}

CaseRun prepare_case(const ReferenceCase& reference, const std::vector<HardwareOverride>& overrides,
                     Machines& machines) {
  const std::string hardware = named_hardware(reference, overrides);
  const EngineRule rule = required_rule(reference, hardware);
  try {
    const std::vector<std::string> sets =
        rule.sets ? rule.sets(reference) : std::vector<std::string>{};
    const RunConfig& machine = hardware.empty() ? own_machine(reference, rule, sets, machines)
                                                : machines.find({hardware}, sets);
    CaseRun run = rule.scenario == Scenario::kLoads ? loads_run(reference, machine)
                                                    : product_run(reference, rule, machine);
    run.printed_less = rule.printed_less;
    return run;
  } catch (const GemmError& error) {
    throw NotComparable(first_line(error.what()));
  } catch (const MappingError& error) {
    throw NotComparable(first_line(error.what()));
  }
}

}  // namespace tessera::sim
