#include "sim/mapper/mapper.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <sstream>

#include "sim/mapper/allocation.h"
#include "sim/mapper/attention_mapping.h"
#include "sim/mapper/gemm_search.h"
#include "sim/mapper/pins.h"
#include "sim/mapper/placement.h"
#include "sim/mapper/residency.h"
#include "sim/mapper/vector_mapping.h"

namespace tessera::sim {
namespace {

using workloads::Graph;
using workloads::Operator;

/// Equal keys have equal mappings.
std::string key_of(const GemmProblem& problem, const std::vector<int>& pins) {
  std::string key = shape_key(problem) + ';';
  for (const int pin : pins) key += std::to_string(pin) + ' ';
  return key;
}

std::string key_of(const VectorProblem& problem) {
  std::ostringstream key;
  key << "vector " << problem.m << ' ' << problem.n << ' ' << problem.operation << ' '
      << problem.passes << ' ' << problem.parameter_bytes << ' ' << problem.parameter_loads << ';';
  for (const auto* views : {&problem.inputs, &problem.outputs}) {
    for (const auto& view : *views) {
      key << view.cols << ' ' << shape_key(view.layout);
    }
    key << '|';
  }
  return key.str();
}

GemmMapping gemm_mapping(const GemmContext& context, const GemmChoice& choice) {
  const SlotPlan slots = slot_plan(context, choice.dataflow, choice.tile);
  const auto counts = slot_counts(tile_counts(context.problem, choice.tile), choice);
  const auto at = [&](std::size_t i) {
    return counts[i] == 0 || slots.bytes[i] == 0
               ? Slots{}
               : Slots{slots.buffer[i], 0, slots.bytes[i], counts[i]};
  };
  GemmMapping mapping;
  mapping.dataflow = choice.dataflow;
  mapping.tile = choice.tile;
  mapping.order = choice.order;
  mapping.resident_a = choice.resident_a;
  mapping.resident_b = choice.resident_b;
  mapping.a = at(0);
  mapping.b = at(1);
  mapping.accumulators = at(2);
  mapping.outputs = at(3);
  return mapping;
}

/// The choice behind a mapping: slots counted in sets again.
GemmChoice choice_of(const GemmContext& context, const GemmMapping& mapping) {
  const TileShape counts = tile_counts(context.problem, mapping.tile);
  GemmChoice choice;
  choice.dataflow = mapping.dataflow;
  choice.tile = mapping.tile;
  choice.order = mapping.order;
  choice.resident_a = mapping.resident_a;
  choice.resident_b = mapping.resident_b;
  const auto sets = [](int count, bool resident, std::int64_t tiles) {
    return static_cast<int>(resident ? count / tiles : count);
  };
  choice.a = sets(mapping.a.count, mapping.resident_a, counts.m * counts.k);
  choice.b = sets(mapping.b.count, mapping.resident_b, counts.k * counts.n);
  choice.accumulators = mapping.accumulators.count;
  choice.outputs = mapping.outputs.count;
  return choice;
}

class GraphMapper {
 public:
  /// `known`: mappings by shape, of this hardware and configuration.
  GraphMapper(const Graph& graph, const hw::HardwareConfig& hardware, const MappingConfig& config,
              std::map<std::string, OperatorPlan>& known)
      : graph_(graph), hardware_(hardware), config_(config), known_(known) {}

  OperatorPlan map(const Operator& op, const KeptTensors& kept = {}) {
    kept_ = &kept;
    const bool attention = op.kind == workloads::OperatorKind::kAttention;
    OperatorPlan plan = workloads::is_gemm(op) ? map_gemm(op)
                        : attention            ? map_attention(op)
                                               : map_vector(op);
    plan.name = qualified_name(op);
    return plan;
  }

 private:
  OperatorPlan map_gemm(const Operator& op) {
    const GemmProblem problem = gemm_problem(graph_, op, hardware_, *kept_);
    const std::vector<int> indices = matching_pins(config_.pins, op);
    const std::string key = key_of(problem, indices);
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    const GemmContext context(problem, hardware_);
    const GemmPins pins = gemm_pins(config_.pins, indices, problem, hardware_);
    const GemmResult result = search_gemm(context, config_.objective, pins, qualified_name(op));
    OperatorPlan plan;
    plan.gemm = gemm_mapping(context, result.choice);
    plan.cost = result.cost;
    plan.least_dram_bytes = result.least_dram_bytes;
    plan.lower_bound_bytes = lower_bound_bytes(context);
    plan.pinned = !indices.empty();
    return known_.emplace(key, std::move(plan)).first->second;
  }

  OperatorPlan map_attention(const Operator& op) {
    const AttentionProblem problem = attention_problem(graph_, op, hardware_, *kept_);
    const std::string key = shape_key(problem);
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    const AttentionResult result = search_attention(problem, config_.objective, hardware_);
    OperatorPlan plan;
    plan.is_gemm = false;
    plan.is_attention = true;
    plan.attention = attention_mapping(problem, result.choice, hardware_);
    plan.cost = result.cost;
    plan.least_dram_bytes = result.least_dram_bytes;
    plan.lower_bound_bytes = compulsory_bytes(problem);
    return known_.emplace(key, std::move(plan)).first->second;
  }

  OperatorPlan map_vector(const Operator& op) {
    const VectorProblem problem = vector_problem(graph_, op, hardware_, *kept_);
    const std::string key = key_of(problem);
    const auto known = known_.find(key);
    if (known != known_.end()) return known->second;
    const VectorChoice choice = search_vector(problem, hardware_);
    OperatorPlan plan;
    plan.is_gemm = false;
    plan.vector = vector_mapping(problem, choice, hardware_);
    plan.cost = vector_cost(problem, choice, hardware_);
    plan.least_dram_bytes = plan.cost.dram_bytes;
    plan.lower_bound_bytes = compulsory_bytes(problem);
    return known_.emplace(key, std::move(plan)).first->second;
  }

  const Graph& graph_;
  const hw::HardwareConfig& hardware_;
  const MappingConfig& config_;
  const KeptTensors* kept_ = nullptr;  // of the operator being mapped
  std::map<std::string, OperatorPlan>& known_;
};

/// Maps operators beside what is kept: into the part of the buffer of activations below it.
class MapperBesideKept {
 public:
  MapperBesideKept(const Graph& graph, const hw::HardwareConfig& hardware,
                   const MappingConfig& config)
      : graph_(graph), hardware_(hardware), config_(config) {}

  /// Nullopt: it does not fit.
  std::optional<OperatorPlan> map(const Operator& op, const KeptTensors& kept, Bytes room) {
    auto found = machines_.find(room);
    if (found == machines_.end()) found = machines_.emplace(room, machine(room)).first;
    try {
      return found->second->mapper.map(op, kept);
    } catch (const MappingError&) {
      return std::nullopt;
    }
  }

 private:
  struct Machine {
    Machine(const Graph& graph, hw::HardwareConfig smaller, const MappingConfig& config)
        : hardware(std::move(smaller)), mapper(graph, hardware, config, known) {}
    hw::HardwareConfig hardware;
    std::map<std::string, OperatorPlan> known;
    GraphMapper mapper;
  };

  std::unique_ptr<Machine> machine(Bytes room) const {
    hw::HardwareConfig smaller = hardware_;
    const int buffer = hw::buffer_of(hardware_, hw::Role::kActivations);
    smaller.buffers[static_cast<std::size_t>(buffer)].capacity = room;
    return std::make_unique<Machine>(graph_, std::move(smaller), config_);
  }

  const Graph& graph_;
  const hw::HardwareConfig& hardware_;
  const MappingConfig& config_;
  std::map<Bytes, std::unique_ptr<Machine>> machines_;
};

MappingCost operator+(const MappingCost& a, const MappingCost& b) {
  return {a.latency + b.latency,
          a.array_cycles + b.array_cycles,
          a.vector_cycles + b.vector_cycles,
          a.dram_cycles + b.dram_cycles,
          a.dram_bytes + b.dram_bytes,
          a.bus_bytes + b.bus_bytes};
}

/// At most as costly: within the tolerance of the first objective the second one decides.
bool no_worse(const MappingCost& a, const MappingCost& b, const ObjectiveConfig& objective) {
  const auto first = static_cast<double>(value_of(objective.minimize, a));
  const auto other = static_cast<double>(value_of(objective.minimize, b));
  const double most = std::min(first, other) * (1 + objective.within);
  if (first > most || other > most) return first <= most;
  return value_of(objective.then, a) <= value_of(objective.then, b);
}

VectorChoice choice_of(const VectorMapping& mapping) {
  VectorChoice choice;
  choice.rows = mapping.rows;
  choice.cols = mapping.cols;
  // Views that are kept have no slots.
  choice.inputs = choice.outputs = 1;
  for (const Slots& slots : mapping.inputs) choice.inputs = std::max(choice.inputs, slots.count);
  for (const Slots& slots : mapping.outputs) choice.outputs = std::max(choice.outputs, slots.count);
  return choice;
}

}  // namespace

Plan map_graph(const Graph& graph, const hw::HardwareConfig& hardware,
               const MappingConfig& config) {
  require_pins_match(config.pins, graph);
  std::map<std::string, OperatorPlan> known;
  GraphMapper mapper(graph, hardware, config, known);
  Plan plan;
  for (const Operator& op : graph.operators) plan.operators.push_back(mapper.map(op));
  Residency residency;
  if (config.residency == ResidencyChoice::kAuto) {
    MapperBesideKept beside(graph, hardware, config);
    const auto map = [&](const Operator& op, const KeptTensors& kept, Bytes room) {
      return beside.map(op, kept, room);
    };
    residency = choose_residency(graph, hardware, config.objective, map, plan.operators);
  }
  place_slots(plan.operators, hardware, residency.room);
  plan.tensors = allocate_tensors(graph, hardware, config.layout, plan.operators, residency.kept);
  return plan;
}

workloads::FusionPays fusion_judge(const hw::HardwareConfig& hardware,
                                   const ObjectiveConfig& objective) {
  MappingConfig config;
  config.objective = objective;
  const auto known = std::make_shared<std::map<std::string, OperatorPlan>>();
  return [hardware, config, known](const Graph& graph, const std::vector<Operator>& apart,
                                   const std::vector<Operator>& fused) {
    GraphMapper mapper(graph, hardware, config, *known);
    const auto price_of = [&](const std::vector<Operator>& operators) {
      MappingCost sum;
      for (const Operator& op : operators) sum = sum + mapper.map(op).cost;
      return sum;
    };
    const MappingCost unfused = price_of(apart);
    try {
      return no_worse(price_of(fused), unfused, config.objective);
    } catch (const MappingError&) {
      return false;
    }
  };
}

MappingCost price(const Graph& graph, const Operator& op, const OperatorPlan& mapping,
                  const hw::HardwareConfig& hardware, const KeptTensors& kept) {
  if (op.kind == workloads::OperatorKind::kAttention) {
    const AttentionProblem problem = attention_problem(graph, op, hardware, kept);
    return attention_cost(problem, choice_of(problem, mapping.attention), hardware);
  }
  if (!workloads::is_gemm(op)) {
    const VectorProblem problem = vector_problem(graph, op, hardware, kept);
    return vector_cost(problem, choice_of(mapping.vector), hardware);
  }
  const GemmProblem problem = gemm_problem(graph, op, hardware, kept);
  const GemmContext context(problem, hardware);
  return gemm_cost(context, choice_of(context, mapping.gemm));
}

}  // namespace tessera::sim
