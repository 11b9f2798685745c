// Programs whose activations stay on chip compute what the plain reference computes.
#include <catch2/catch.hpp>

#include <algorithm>

#include "tests/sim/check/check_fixtures.h"

using namespace tessera;
using namespace tessera::test;

namespace {

namespace zoo = workloads::zoo;

std::int64_t kept_count(const sim::Plan& plan) {
  return std::count_if(plan.tensors.begin(), plan.tensors.end(),
                       [](const auto& tensor) { return tensor.kept.count > 0; });
}

workloads::Graph passed(const workloads::PhaseRequest& request, Dice& dice,
                        const workloads::Precision& precision) {
  workloads::Fusion fusion;
  fusion.epilogue = dice.coin();
  fusion.attention = dice.coin() ? workloads::FusionSwitch::kOn : workloads::FusionSwitch::kOff;
  return workloads::fuse(workloads::apply_precision(workloads::build_graph({request}), precision),
                         fusion);
}

/// Beside small and large activations, and without, in machines that can keep them.
Lowered resident(Dice& dice, workloads::PhaseRequest request,
                 const workloads::Precision& precision) {
  request.batch = dice.pick(1, 2);
  const workloads::Family family = request.model.family;
  const bool one_phase = family == workloads::Family::kVit || family == workloads::Family::kDecoder;
  if (one_phase) request.repeat = static_cast<int>(dice.pick(1, 2));
  const workloads::Graph graph = passed(request, dice, precision);
  while (true) {
    hw::HardwareConfig machine = random_machine(dice, false);
    machine.sequencer.loop = {};
    auto& activations =
        machine.buffers[static_cast<std::size_t>(hw::buffer_of(machine, hw::Role::kActivations))];
    activations.capacity = dice.pick(1, 3) * (1 << dice.pick(9, 12));
    sim::MappingConfig mapping;
    if (dice.coin()) mapping.objective = sim::fixtures::least_bytes_first();
    mapping.residency = sim::ResidencyChoice::kAuto;
    try {
      return lower_all(graph, machine, mapping);
    } catch (const sim::MappingError&) {
      // Too small a machine: another one.
    }
  }
}

Lowered kept_vit() {
  workloads::PhaseRequest request = zoo::request(zoo::tiny_vit());
  request.repeat = 2;
  sim::MappingConfig mapping;
  mapping.residency = sim::ResidencyChoice::kAuto;
  return lower_all(workloads::fuse(workloads::build_graph({request}), {}), tiny_machine(), mapping);
}

}  // namespace

TEST_CASE("models of every family compute the reference with their activations on chip") {
  Dice dice(81);
  for (const auto& [family, request] : families()) {
    std::int64_t kept = 0;
    for (const workloads::Precision& precision :
         {workloads::Precision{8, 8, 8}, workloads::Precision{4, 8, 8},
          workloads::Precision{4, 4, 4}, workloads::Precision{16, 16, 16}}) {
      for (int i = 0; i < 3; ++i) {
        const Lowered program = resident(dice, request, precision);
        const sim::CheckResult result = check(program);
        INFO(family << " w" << precision.weights.bits << " machine " << i << "\n"
                    << faults_text(result));
        CHECK(result.passed());
        CHECK(result.values_checked);
        kept += kept_count(program.plan);
      }
    }
    INFO(family);
    CHECK(kept > 0);
  }
}

TEST_CASE("kept tensors are neither stored nor loaded") {
  const Lowered lowered = kept_vit();
  REQUIRE(kept_count(lowered.plan) > 0);
  for (std::size_t i = 0; i < lowered.plan.tensors.size(); ++i) {
    const sim::TensorAllocation& tensor = lowered.plan.tensors[i];
    if (tensor.kept.count == 0) continue;
    INFO(tensor.name);
    CHECK(tensor.address == -1);
    for (const hw::Command& command : lowered.program) {
      const bool moves =
          command.kind == hw::CommandKind::kLoad || command.kind == hw::CommandKind::kStore;
      if (!moves || command.op < tensor.first_use || command.op > tensor.last_use) continue;
      const hw::Region& region = command.transfer.region;
      const bool apart = region.buffer != tensor.kept.buffer ||
                         region.offset + region.bytes <= tensor.kept.offset ||
                         region.offset >= tensor.kept.end();
      CHECK(apart);
    }
  }
}

TEST_CASE("every wait of a program with kept tensors is needed or implied, and none is missing") {
  const Lowered sound = kept_vit();
  REQUIRE(check(sound).passed());
  // Without its waits, a command that touches a kept tensor races with its producer or readers.
  int found = 0, tried = 0;
  for (std::size_t id = 0; id < sound.program.size(); ++id) {
    const hw::Command& command = sound.program[id];
    if (command.kind != hw::CommandKind::kVector || command.waits.empty()) continue;
    Lowered broken = sound;
    broken.program[id].waits.clear();
    ++tried;
    sim::CheckOptions options;
    options.values = false;
    if (!check(broken, options).passed()) ++found;
  }
  REQUIRE(tried > 0);
  CHECK(found == tried);
}

TEST_CASE("two tensors that live together in one region are found") {
  Lowered lowered = kept_vit();
  auto& tensors = lowered.plan.tensors;
  sim::TensorAllocation* first = nullptr;
  for (sim::TensorAllocation& tensor : tensors) {
    if (tensor.kept.count == 0) continue;
    if (first == nullptr) first = &tensor;
    if (&tensor == first || tensor.first_use > first->last_use) continue;
    tensor.kept.offset = first->kept.offset;
    break;
  }
  lowered.program.clear();
  const auto source = sim::lower(lowered.graph, lowered.plan, lowered.hardware);
  while (auto command = source->next()) lowered.program.push_back(std::move(*command));
  CHECK_FALSE(check(lowered).passed());
}
