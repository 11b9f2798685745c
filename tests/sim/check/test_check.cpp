// Programs of the lowering compute what the plain reference computes.
#include <catch2/catch.hpp>

#include "tests/sim/check/check_fixtures.h"

using namespace tessera;
using namespace tessera::test;

namespace {

/// What the random programs exercise: how many of them do.
struct Census {
  int spills = 0, cut_reductions = 0, in_place = 0, resident = 0, doubled = 0, repeats = 0,
      activations_fused = 0, converting_copies = 0, loops = 0, dataflows[3] = {0, 0, 0};

  void add(const Lowered& lowered) {
    loops += lowered.hardware.sequencer.loop.exists();
    bool spilled = false, cut = false, at_home = false, stays = false, twice = false;
    for (const sim::OperatorPlan& op : lowered.plan.operators) {
      if (!op.is_gemm) continue;
      spilled = spilled || op.gemm.spill_address >= 0;
      at_home = at_home || op.gemm.outputs.count == 0;
      stays = stays || op.gemm.resident_a || op.gemm.resident_b;
      twice = twice || op.gemm.accumulators.count == 2;
      ++dataflows[static_cast<int>(op.gemm.dataflow)];
    }
    for (const hw::Command& command : lowered.program) {
      cut = cut || (command.kind == hw::CommandKind::kVector && command.vector.pass_share < 1);
    }
    bool fused = false, converts = false, repeated = false;
    for (const workloads::Operator& op : lowered.graph.operators) {
      fused = fused || op.members.size() > 1;
      const bool copies = op.kind == workloads::OperatorKind::kCopy ||
                          op.kind == workloads::OperatorKind::kEmbedding;
      converts = converts || (copies && !op.operation.empty());
    }
    for (const workloads::Phase& phase : lowered.graph.phases) {
      repeated = repeated || phase.repeat > 1;
    }
    spills += spilled;
    cut_reductions += cut;
    in_place += at_home;
    resident += stays;
    doubled += twice;
    repeats += repeated;
    activations_fused += fused;
    converting_copies += converts;
  }
};

}  // namespace

TEST_CASE("random programs of every integer precision compute the reference exactly") {
  Dice dice(20240601);
  Census census;
  for (int i = 0; i < 240; ++i) {
    const auto& precision = precisions()[static_cast<std::size_t>(i) % precisions().size()];
    const Lowered lowered = random_program(dice, precision);
    census.add(lowered);
    const sim::CheckResult result = check(lowered);
    INFO("case " << i << ": w" << precision.weights.bits << "a" << precision.activations.bits
                 << "\n"
                 << faults_text(result));
    CHECK(result.passed());
    CHECK(result.values_checked);
    CHECK(result.values > 0);
  }
  const std::vector<std::pair<std::string, int>> features{
      {"spills", census.spills},
      {"cut reductions", census.cut_reductions},
      {"results in place", census.in_place},
      {"resident operands", census.resident},
      {"two result slots", census.doubled},
      {"repeats", census.repeats},
      {"fused activations", census.activations_fused},
      {"copies between widths", census.converting_copies},
      {"hardware loops", census.loops},
      {"weight stationary", census.dataflows[0]},
      {"output stationary", census.dataflows[1]},
      {"input stationary", census.dataflows[2]}};
  for (const auto& [feature, seen] : features) {
    INFO(feature << ": " << seen << " programs");
    CHECK(seen >= 5);
  }
}

TEST_CASE("random programs of BF16 and FP16 elements compute the reference bit for bit") {
  Dice dice(16);
  for (int i = 0; i < 60; ++i) {
    sim::CheckOptions options;
    options.numbers = i % 2 == 0 ? sim::Numbers::kBf16 : sim::Numbers::kFp16;
    const workloads::Precision precision =
        dice.of<workloads::Precision>({{16, 16, 16}, {8, 16, 16}, {4, 16, 16}});
    const Lowered lowered = random_program(dice, precision, false);
    const sim::CheckResult result = check(lowered, options);
    INFO("case " << i << ": w" << precision.weights.bits << ", " << sim::to_string(options.numbers)
                 << "\n"
                 << faults_text(result));
    CHECK(result.passed());
    CHECK(result.values_checked);
  }
}

namespace {

/// What the programs of hardware loops exercise: how many operators do.
struct LoopCensus {
  int split_k = 0, edges = 0, transposed = 0, grouped = 0, narrow = 0, keeps = 0, one_buffer = 0,
      dataflows[3] = {0, 0, 0};

  void add(const Lowered& lowered) {
    const hw::HardwareLoop& loop = lowered.hardware.sequencer.loop;
    for (std::size_t i = 0; i < lowered.graph.operators.size(); ++i) {
      const workloads::Operator& op = lowered.graph.operators[i];
      if (!workloads::is_gemm(op)) continue;
      const sim::GemmMapping& gemm = lowered.plan.operators[i].gemm;
      split_k += gemm.tile.k < op.k;
      edges += op.k % loop.k != 0 && op.n % loop.n != 0 && op.m * op.group % loop.m != 0;
      transposed += op.inputs[1].transposed;
      grouped += op.group > 1 && op.outputs[0].group.count > 1;
      const auto& tensor = lowered.graph.tensors[static_cast<std::size_t>(op.inputs[1].tensor)];
      narrow += tensor.format.bits == 4;
      one_buffer += gemm.a.buffer == gemm.outputs.buffer;
      ++dataflows[static_cast<int>(gemm.dataflow)];
    }
    for (const hw::Command& command : lowered.program) {
      keeps += command.kind == hw::CommandKind::kGemm && command.gemm.keeps_stationary;
    }
  }
};

/// On a machine with a hardware loop; small ones split K.
Lowered random_loop_program(Dice& dice, const workloads::Precision& precision) {
  while (true) {
    const workloads::Graph graph = random_graph(dice, precision);
    hw::HardwareConfig machine = random_machine(dice, dice.pick(0, 3) == 0);
    add_loop(dice, machine);
    if (dice.coin()) {
      // As Gemmini's: operands in one buffer, results staged in another.
      machine.buffers[0].roles = {hw::Role::kStationary, hw::Role::kActivations};
      machine.buffers.resize(1);
      machine.buffers.push_back(sim::fixtures::buffer("accumulators", dice.pick(100, 2000), 4,
                                                      {hw::Role::kAccumulators}));
      machine.buffers.push_back(
          sim::fixtures::buffer("staging", dice.pick(100, 1000), 1, {hw::Role::kOutputs}));
    }
    try {
      return lower_all(graph, machine, random_mapping(dice, machine));
    } catch (const sim::MappingError&) {
      // The machine is too small, or the pins do not fit: another one.
    }
  }
}

}  // namespace

TEST_CASE("random programs of hardware loops compute the reference exactly") {
  Dice dice(16161616);
  LoopCensus census;
  for (int i = 0; i < 200; ++i) {
    const auto& precision = precisions()[static_cast<std::size_t>(i) % precisions().size()];
    const Lowered lowered = random_loop_program(dice, precision);
    census.add(lowered);
    const sim::CheckResult result = check(lowered);
    INFO("case " << i << ": w" << precision.weights.bits << "a" << precision.activations.bits
                 << "\n"
                 << faults_text(result));
    CHECK(result.passed());
    CHECK(result.values_checked);
    CHECK(result.values > 0);
  }
  const std::vector<std::pair<std::string, int>> features{
      {"K split over tiles", census.split_k},
      {"edges in every dimension", census.edges},
      {"transposed B", census.transposed},
      {"grouped heads", census.grouped},
      {"4-bit weights", census.narrow},
      {"blocks that stay", census.keeps},
      {"operands and staging in one buffer", census.one_buffer},
      {"weight stationary", census.dataflows[0]},
      {"output stationary", census.dataflows[1]},
      {"input stationary", census.dataflows[2]}};
  for (const auto& [feature, seen] : features) {
    INFO(feature << ": " << seen);
    CHECK(seen >= 20);
  }
}
