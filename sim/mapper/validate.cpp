// Checks of a plan that somebody wrote or changed.
#include <algorithm>
#include <map>
#include <set>

#include "sim/mapper/allocation.h"
#include "sim/mapper/attention_mapping.h"
#include "sim/mapper/gemm_search.h"
#include "sim/mapper/mapper.h"
#include "sim/mapper/placement.h"
#include "sim/mapper/residency.h"
#include "sim/mapper/vector_mapping.h"

namespace tessera::sim {
namespace {

using workloads::Graph;
using workloads::Operator;

void require(bool condition, const std::string& who, const std::string& what) {
  if (!condition) throw MappingError(who + ": " + what);
}

std::string number(std::int64_t value) { return std::to_string(value); }

void check_size(const std::string& who, const char* what, std::int64_t value, std::int64_t most) {
  require(value >= 1 && value <= most, who,
          std::string(what) + " = " + number(value) + " is not within 1 to " + number(most));
}

bool serves(const hw::BufferConfig& buffer, hw::Role role) {
  return std::find(buffer.roles.begin(), buffer.roles.end(), role) != buffer.roles.end();
}

/// One slot list: in a buffer of its role, large enough, inside the buffer.
void check_slots(const std::string& who, const char* what, const Slots& slots, hw::Role role,
                 Bytes needed, const hw::HardwareConfig& hardware) {
  const std::string prefix = std::string("slots of ") + what + ": ";
  require(slots.count >= 1, who, prefix + "there are none");
  require(slots.buffer >= 0 && slots.buffer < static_cast<int>(hardware.buffers.size()), who,
          prefix + "no buffer " + number(slots.buffer));
  const auto& buffer = hardware.buffers[static_cast<std::size_t>(slots.buffer)];
  require(serves(buffer, role), who,
          prefix + "buffer '" + buffer.name + "' does not serve " + hw::to_string(role));
  require(slots.bytes >= needed, who,
          prefix + "a slot has " + number(slots.bytes) + " bytes, a tile needs " + number(needed));
  require(slots.stride == 0 || slots.stride >= slots.bytes, who,
          prefix + "a stride of " + number(slots.stride) + " is less than a slot");
  const Bytes end = slots.end();
  require(slots.offset >= 0 && end <= buffer.capacity, who,
          prefix + "bytes " + number(slots.offset) + " to " + number(end) +
              " are not inside buffer '" + buffer.name + "' of " + number(buffer.capacity));
}

/// What is kept on chip is used where it lies.
void check_kept_operand(const std::string& who, const char* what, const Slots& slots) {
  require(slots.count == 0, who,
          std::string("slots of ") + what + ": its tensor is kept on chip and needs none");
}

void check_no_overlap(const std::string& who, const OperatorPlan& plan) {
  const std::vector<const Slots*> slots = slots_of(plan);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Slots &x = *slots[i], &y = *slots[j];
      require(x.buffer != y.buffer || apart(x, y), who,
              "two of its slot lists overlap in a buffer at byte " +
                  number(std::max(x.offset, y.offset)));
    }
  }
}

void check_grain(const std::string& who, const char* what, std::int64_t tile, std::int64_t size,
                 std::int64_t grain) {
  require(tile == size || tile % grain == 0, who,
          std::string(what) + " = " + number(tile) + " is no multiple of " + number(grain) +
              ": its tiles would not start on whole bytes");
}

void check_order(const std::string& who, const GemmMapping& gemm) {
  const std::set<LoopDim> dims(gemm.order.begin(), gemm.order.end());
  require(dims.size() == 3, who, "the loop order names a dimension twice");
}

void check_count(const std::string& who, const char* what, const Slots& slots, bool resident,
                 std::int64_t tiles) {
  const std::int64_t unit = resident ? tiles : 1;
  require(slots.count == unit || slots.count == 2 * unit, who,
          std::string("slots of ") + what + ": " + number(slots.count) + " is neither " +
              number(unit) + " nor " + number(2 * unit));
}

void check_gemm(const GemmContext& context, const std::string& who, const GemmMapping& gemm) {
  const GemmProblem& p = context.problem;
  const hw::HardwareConfig& hardware = context.hardware;
  const auto& dataflows = hardware.array.dataflows;
  require(std::find(dataflows.begin(), dataflows.end(), gemm.dataflow) != dataflows.end(), who,
          std::string("the array has no dataflow ") + hw::to_string(gemm.dataflow));
  check_size(who, "tile m", gemm.tile.m, p.m);
  check_size(who, "tile k", gemm.tile.k, p.k);
  check_size(who, "tile n", gemm.tile.n, p.n);
  const std::array<std::int64_t, 3> grains = tile_grains(p);
  check_grain(who, "tile m", gemm.tile.m, p.m, grains[0]);
  check_grain(who, "tile k", gemm.tile.k, p.k, grains[1]);
  check_grain(who, "tile n", gemm.tile.n, p.n, grains[2]);
  check_order(who, gemm);
  const std::string refused = loop_refusal(hardware, gemm.order, gemm.resident_a, gemm.resident_b);
  require(refused.empty(), who, refused);
  const TileShape counts = tile_counts(p, gemm.tile);
  if (!p.a.on_chip) check_count(who, "a", gemm.a, gemm.resident_a, counts.m * counts.k);
  check_count(who, "b", gemm.b, gemm.resident_b, counts.k * counts.n);
  check_count(who, "accumulators", gemm.accumulators, false, 1);
  const SlotPlan needs = slot_plan(context, gemm.dataflow, gemm.tile);
  const bool a_stays = gemm.dataflow == hw::Dataflow::kInputStationary;
  const hw::Role stationary = hw::Role::kStationary, streamed = hw::Role::kActivations;
  if (p.a.on_chip) {
    require(!a_stays, who, "its left operand is kept on chip, where the array cannot hold it");
    check_kept_operand(who, "a", gemm.a);
  } else {
    check_slots(who, "a", gemm.a, a_stays ? stationary : streamed, needs.bytes[0], hardware);
  }
  check_slots(who, "b", gemm.b, a_stays ? streamed : stationary, needs.bytes[1], hardware);
  check_slots(who, "accumulators", gemm.accumulators, hw::Role::kAccumulators, needs.bytes[2],
              hardware);
  if (p.out.on_chip) return check_kept_operand(who, "outputs", gemm.outputs);
  if (gemm.outputs.count == 0) {
    require(context.in_place, who,
            "slots of outputs: there are none, and results do not fit the accumulators' width");
    return;
  }
  check_count(who, "outputs", gemm.outputs, false, 1);
  check_slots(who, "outputs", gemm.outputs, hw::Role::kOutputs, needs.bytes[3], hardware);
}

/// What fusion.softmax asks for, where blocks of keys make a difference.
void require_softmax(const AttentionProblem& problem, const AttentionMapping& mapping) {
  const bool several = mapping.keys < problem.scores.n;
  const bool asked = mapping.online ? problem.kind != workloads::Softmax::kThreePass
                                    : problem.kind != workloads::Softmax::kOnline || !several;
  require(asked && (several || !mapping.online), problem.name,
          std::string("online: ") + (mapping.online ? "true" : "false") + " with blocks of " +
              number(mapping.keys) + " of " + number(problem.scores.n) +
              " keys is not what fusion.softmax asks for");
}

void check_attention(const AttentionProblem& problem, const AttentionMapping& mapping,
                     const hw::HardwareConfig& hardware) {
  const std::string& who = problem.name;
  const auto& dataflows = hardware.array.dataflows;
  require(std::find(dataflows.begin(), dataflows.end(), mapping.dataflow) != dataflows.end(), who,
          std::string("the array has no dataflow ") + hw::to_string(mapping.dataflow));
  check_size(who, "rows", mapping.rows, problem.scores.m);
  check_size(who, "keys", mapping.keys, problem.scores.n);
  check_size(who, "softmax_rows", mapping.softmax_rows, mapping.rows);
  const std::int64_t blocks = hw::ceil_div(problem.scores.n, mapping.keys);
  check_count(who, "k", mapping.k, mapping.resident, blocks);
  check_count(who, "v", mapping.v, mapping.resident, blocks);
  const AttentionSlots needed = attention_slots(problem, choice_of(problem, mapping), hardware);
  const bool a_stays = mapping.dataflow == hw::Dataflow::kInputStationary;
  const hw::Role left = a_stays ? hw::Role::kStationary : hw::Role::kActivations;
  const hw::Role right = a_stays ? hw::Role::kActivations : hw::Role::kStationary;
  require(!(problem.scores.a.on_chip && a_stays), who,
          "its queries are kept on chip, where the array cannot hold them");
  const auto is_held = [&](const Slots& slots) {
    return (&slots == &mapping.q && problem.scores.a.on_chip) ||
           (&slots == &mapping.outputs && problem.context.out.on_chip);
  };
  const auto check = [&](const char* what, const Slots& slots, hw::Role role, std::size_t index) {
    if (is_held(slots)) return check_kept_operand(who, what, slots);
    check_slots(who, what, slots, role, needed[index].bytes, hardware);
  };
  check("q", mapping.q, left, 0);
  check("k", mapping.k, right, 1);
  check("v", mapping.v, right, 2);
  check("scores", mapping.scores, left, 3);
  check("score_sums", mapping.score_sums, hw::Role::kAccumulators, 4);
  check("sums", mapping.sums, hw::Role::kAccumulators, 5);
  check("outputs", mapping.outputs, hw::Role::kOutputs, 6);
  if (mapping.online) {
    check("statistics", mapping.statistics, hw::Role::kOutputs, 7);
    check_count(who, "statistics", mapping.statistics, false, 1);
  }
  require_softmax(problem, mapping);
  for (const auto& [what, slots] : {std::pair{"q", &mapping.q},
                                    {"scores", &mapping.scores},
                                    {"score_sums", &mapping.score_sums},
                                    {"sums", &mapping.sums},
                                    {"outputs", &mapping.outputs}}) {
    if (!is_held(*slots)) check_count(who, what, *slots, false, 1);
  }
}

void check_view_slots(const VectorProblem& problem, const VectorChoice& choice, const char* what,
                      const std::vector<VectorProblem::View>& views,
                      const std::vector<Slots>& slots, hw::Role role,
                      const hw::HardwareConfig& hardware) {
  require(slots.size() == views.size(), problem.name,
          std::string(what) + ": " + number(static_cast<std::int64_t>(slots.size())) +
              " slot lists for " + number(static_cast<std::int64_t>(views.size())) + " views");
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (views[i].layout.on_chip) {
      check_kept_operand(problem.name, what, slots[i]);
      continue;
    }
    check_count(problem.name, what, slots[i], false, 1);
    const Bytes needed = std::min(choice.rows, problem.m) *
                         row_bytes(std::min(choice.cols, views[i].cols), views[i].layout);
    check_slots(problem.name, what, slots[i], role, needed, hardware);
  }
}

void check_vector(const VectorProblem& problem, const VectorMapping& mapping,
                  const hw::HardwareConfig& hardware) {
  check_size(problem.name, "rows", mapping.rows, problem.m);
  check_size(problem.name, "cols", mapping.cols, problem.n);
  VectorChoice choice;
  choice.rows = mapping.rows;
  choice.cols = mapping.cols;
  check_view_slots(problem, choice, "inputs", problem.inputs, mapping.inputs,
                   hw::Role::kActivations, hardware);
  if (problem.operation.empty()) {
    require(mapping.outputs.empty(), problem.name, "a copy has no output slots");
  } else {
    check_view_slots(problem, choice, "outputs", problem.outputs, mapping.outputs,
                     hw::Role::kOutputs, hardware);
  }
  if (problem.parameter_bytes > 0) {
    check_slots(problem.name, "parameters", mapping.parameters, hw::Role::kActivations,
                problem.parameter_bytes, hardware);
  }
}

bool alive_together(const TensorAllocation& x, const TensorAllocation& y) {
  return x.first_use <= y.last_use && y.first_use <= x.last_use;
}

/// Sizes and places of tensors; a sweep over addresses finds overlaps.
bool is_power_of_two(std::int64_t n) { return n > 0 && (n & (n - 1)) == 0; }

void check_tensors(const Plan& plan, const Plan& reference) {
  std::vector<const TensorAllocation*> placed;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    const TensorAllocation& tensor = plan.tensors[i];
    const TensorAllocation& needed = reference.tensors[i];
    if (needed.address < 0) continue;
    require(tensor.address >= 0, tensor.name, "has no place in DRAM, but is used");
    require(tensor.pitch >= needed.pitch && tensor.bytes >= needed.bytes, tensor.name,
            "needs " + number(needed.bytes) + " bytes in rows of " + number(needed.pitch));
    const bool tiled = tensor.layout == Layout::kTiled;
    require(!tiled || (tensor.block_rows > 0 && is_power_of_two(tensor.block_width) &&
                       tensor.pitch % tensor.block_width == 0),
            tensor.name, "is tiled: block_width is a power of two that divides the pitch");
    require(tensor.first_use <= needed.first_use && tensor.last_use >= needed.last_use, tensor.name,
            "is used outside its lifetime");
    placed.push_back(&tensor);
  }
  std::sort(placed.begin(), placed.end(),
            [](const auto* x, const auto* y) { return x->address < y->address; });
  for (std::size_t i = 0; i < placed.size(); ++i) {
    const std::int64_t end = placed[i]->address + placed[i]->bytes;
    for (std::size_t j = i + 1; j < placed.size() && placed[j]->address < end; ++j) {
      require(!alive_together(*placed[i], *placed[j]), placed[j]->name,
              "overlaps " + placed[i]->name + " in DRAM while both are alive");
    }
  }
}

class OperatorChecker {
 public:
  OperatorChecker(const Graph& graph, const hw::HardwareConfig& hardware, KeptTensors kept)
      : graph_(graph), hardware_(hardware), kept_(std::move(kept)) {}

  /// Checks one operator's mapping and prices it.
  void check(OperatorPlan& plan, const Operator& op) {
    const std::string who = qualified_name(op);
    require(plan.name == who, who, "the plan has '" + plan.name + "' in its place");
    require(plan.is_gemm == workloads::is_gemm(op), who, "the plan has another kind of operator");
    if (plan.is_gemm) {
      check_and_bound_gemm(plan, op, who);
    } else if (plan.is_attention) {
      const AttentionProblem problem = attention_problem(graph_, op, hardware_, kept_);
      check_attention(problem, plan.attention, hardware_);
      plan.lower_bound_bytes = compulsory_bytes(problem);
    } else {
      const VectorProblem problem = vector_problem(graph_, op, hardware_, kept_);
      check_vector(problem, plan.vector, hardware_);
      plan.lower_bound_bytes = compulsory_bytes(problem);
    }
    check_no_overlap(who, plan);
    plan.cost = price(graph_, op, plan, hardware_, kept_);
    const bool bounded = plan.is_gemm && plan.least_dram_bytes >= 0;
    plan.least_dram_bytes =
        bounded ? std::min(plan.least_dram_bytes, plan.cost.dram_bytes) : plan.cost.dram_bytes;
  }

 private:
  void check_and_bound_gemm(OperatorPlan& plan, const Operator& op, const std::string& who) {
    const GemmProblem problem = gemm_problem(graph_, op, hardware_, kept_);
    const GemmContext context(problem, hardware_);
    check_gemm(context, who, plan.gemm);
    plan.lower_bound_bytes = lower_bound_bytes(context);
    const auto [at, is_new] = least_.try_emplace(shape_key(problem), 0);
    if (is_new) at->second = least_dram_bytes(context);
    plan.least_dram_bytes = at->second;
  }

  const Graph& graph_;
  const hw::HardwareConfig& hardware_;
  const KeptTensors kept_;
  std::map<std::string, Bytes> least_;
};

/// Scratch for partial sums behind everything else where the plan gives none or too little.
void add_scratch(Plan& plan, const Graph& graph, const hw::HardwareConfig& hardware) {
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    OperatorPlan& op = plan.operators[i];
    if (!op.is_gemm) continue;
    const Bytes needed = spill_bytes_needed(graph.operators[i], op.gemm, hardware);
    if (needed == 0) {
      op.gemm.spill_address = -1;
      op.gemm.spill_bytes = 0;
    } else if (op.gemm.spill_address < 0 || op.gemm.spill_bytes < needed) {
      op.gemm.spill_address = end_of_memory(plan, hardware);
      op.gemm.spill_bytes = needed;
    }
  }
}

}  // namespace

void validate_plan(Plan& plan, const Graph& graph, const hw::HardwareConfig& hardware) {
  require(plan.operators.size() == graph.operators.size(), "plan",
          number(static_cast<std::int64_t>(plan.operators.size())) + " operators, the graph has " +
              number(static_cast<std::int64_t>(graph.operators.size())));
  require(plan.tensors.size() == graph.tensors.size(), "plan",
          number(static_cast<std::int64_t>(plan.tensors.size())) + " tensors, the graph has " +
              number(static_cast<std::int64_t>(graph.tensors.size())));
  check_kept(plan, graph, hardware);
  const KeptTensors kept = kept_tensors(plan);
  OperatorChecker checker(graph, hardware, kept);
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    checker.check(plan.operators[i], graph.operators[i]);
  }
  Plan reference;
  reference.operators = plan.operators;
  reference.tensors = allocate_tensors(graph, hardware, {}, reference.operators, kept);
  check_tensors(plan, reference);
  add_scratch(plan, graph, hardware);
}

}  // namespace tessera::sim
