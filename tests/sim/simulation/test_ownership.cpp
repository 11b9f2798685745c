// Who owns a cycle: small programs with a known culprit.
#include <catch2/catch.hpp>

#include "hw_models/array_timing.h"
#include "hw_models/vector_cost.h"
#include "sim/simulation/simulate.h"
#include "tests/support/tiny_machine.h"

using namespace tessera;
using hw::Cause;
using hw::TrafficClass;
using test::ProgramWriter;

namespace {

hw::Counters run(ProgramWriter& program, int operators, const hw::HardwareConfig& machine) {
  test::ListedProgram source(program.take());
  return sim::simulate(machine, source, operators);
}

hw::Cycles owned(const hw::Counters& counters, int op, Cause cause) {
  return counters.operators[static_cast<std::size_t>(op)]
      .attribution[static_cast<std::size_t>(cause)];
}

hw::Cycles sum(const hw::Counters& counters) {
  hw::Cycles total = 0;
  for (const hw::OperatorCounters& op : counters.operators) {
    for (hw::Cycles cycles : op.attribution) total += cycles;
  }
  return total;
}

const hw::Region kA{0, 0, 512};
const hw::Region kB{1, 0, 64};

}  // namespace

TEST_CASE("a lone load takes latency plus bytes over bandwidth") {
  ProgramWriter program;
  program.load(0, 0, {1, 0, 1600}, TrafficClass::kWeights);
  const hw::Counters counters = run(program, 1, test::tiny_machine());
  CHECK(counters.total == 100 + 1600 / 16);
  CHECK(owned(counters, 0, Cause::kWaitWeights) == 200);
  CHECK(counters.operators[0].dram[static_cast<int>(TrafficClass::kWeights)].read == 1600);
}

TEST_CASE("a lone Gemm owns preload compute and drain") {
  ProgramWriter program;
  program.gemm(0, 64, 8, 8);
  const hw::HardwareConfig machine = test::tiny_machine();
  const hw::Counters counters = run(program, 1, machine);
  CHECK(owned(counters, 0, Cause::kPreload) == 8);
  CHECK(owned(counters, 0, Cause::kCompute) == 64);
  CHECK(owned(counters, 0, Cause::kFillDrain) == 8 + 8 - 2);
  CHECK(counters.total == 8 + 64 + 14);
}

TEST_CASE("a chain of Gemms fills once") {
  ProgramWriter program;
  for (int i = 0; i < 10; ++i) program.gemm(0, 64, 8, 8);
  const hw::Counters counters = run(program, 1, test::tiny_machine());
  CHECK(counters.total == 8 + 10 * 64 + 14);
  CHECK(owned(counters, 0, Cause::kCompute) == 640);
}

TEST_CASE("a chained Gemm of few rows lasts as long as the next block takes to load") {
  ProgramWriter program;
  for (int i = 0; i < 10; ++i) program.gemm(0, 3, 8, 8);
  const hw::Counters counters = run(program, 1, test::tiny_machine());
  CHECK(counters.total == 8 + 9 * 8 + 3 + 14);
  CHECK(owned(counters, 0, Cause::kCompute) == 30);
}

TEST_CASE("a softmax in front of a Gemm owns the wait not the load behind it") {
  // Operator 0: softmax of what was loaded, stored; operator 1 loads it back and multiplies.
  ProgramWriter program;
  const auto a = program.load(0, 1, {0, 0, 4096}, TrafficClass::kActivations);
  const auto softmax = program.vector(0, "softmax", 64, 64, {ProgramWriter::raw(a)});
  const auto stored = program.store(0, {0, 32768, 4096}, {ProgramWriter::raw(softmax)});
  const auto b = program.load(1, 0, kB, TrafficClass::kWeights);
  const auto back =
      program.load(1, 1, kA, TrafficClass::kActivations, {ProgramWriter::raw(stored)});
  program.gemm(1, 64, 8, 8, {ProgramWriter::raw(b), ProgramWriter::raw(back)});
  const hw::HardwareConfig machine = test::tiny_machine();
  const hw::Counters counters = run(program, 2, machine);
  const hw::Cycles softmax_cycles = hw::vector_cycles(machine.vector, "softmax", 64, 64);
  CHECK(owned(counters, 0, Cause::kWaitVector) == softmax_cycles);
  CHECK(owned(counters, 0, Cause::kWaitActivations) == 100 + 4096 / 16);
  CHECK(owned(counters, 0, Cause::kWaitStore) == 100 + 4096 / 16);
  CHECK(owned(counters, 1, Cause::kWaitActivations) == 100 + 512 / 16);
  CHECK(sum(counters) == counters.total);
}

TEST_CASE("a late weight load is a wait for weights of its operator") {
  ProgramWriter program;
  const auto a = program.load(0, 1, kA, TrafficClass::kActivations);
  const auto b = program.load(0, 0, {1, 0, 8192}, TrafficClass::kWeights);
  program.gemm(0, 64, 8, 8, {ProgramWriter::raw(a), ProgramWriter::raw(b)});
  const hw::Counters counters = run(program, 1, test::tiny_machine());
  CHECK(owned(counters, 0, Cause::kWaitWeights) > 500);
  CHECK(owned(counters, 0, Cause::kWaitActivations) == 0);
  CHECK(sum(counters) == counters.total);
}

TEST_CASE("a full accumulator owns the wait until its epilogue has drained it") {
  // Second Gemm overwrites the accumulators that the first one's epilogue still reads.
  hw::HardwareConfig machine = test::tiny_machine();
  machine.vector.operations["requantise"].per_element = 50;
  ProgramWriter program;
  const auto first = program.gemm(0, 64, 8, 8, {}, true);
  program.gemm(1, 64, 8, 8, {ProgramWriter::full(first)});
  const hw::Counters counters = run(program, 2, machine);
  const hw::Cycles epilogue = hw::epilogue_cycles(machine.vector, {"requantise"}, 64, 8);
  CHECK(owned(counters, 0, Cause::kWaitAccumulator) > epilogue * 8 / 10);
  CHECK(owned(counters, 0, Cause::kWaitVector) == 0);
  CHECK(owned(counters, 1, Cause::kWaitAccumulator) == 0);
  CHECK(sum(counters) == counters.total);
}

TEST_CASE("a slow store owns the wait for its outputs slot") {
  ProgramWriter program;
  const auto first = program.gemm(0, 64, 8, 8, {}, true);
  const auto stored = program.store(0, {0, 32768, 16000}, {ProgramWriter::raw(first)});
  program.gemm(1, 64, 8, 8, {ProgramWriter::war(stored)}, true, 8192);
  const hw::Counters counters = run(program, 2, test::tiny_machine());
  CHECK(owned(counters, 0, Cause::kWaitStore) == 100 + 1000);
  CHECK(owned(counters, 1, Cause::kWaitStore) == 0);
  CHECK(sum(counters) == counters.total);
}

TEST_CASE("more loads in front of a Gemm than the queue is deep belong to the loads") {
  hw::HardwareConfig machine = test::tiny_machine();
  machine.sequencer.queue_depth = 4;
  ProgramWriter program;
  ProgramWriter::Waits waits;
  hw::CommandId last = 0;
  for (int i = 0; i < 12; ++i) {
    last = program.load(0, 0, {1, i * 2048, 2048}, TrafficClass::kWeights);
  }
  waits.push_back(ProgramWriter::raw(last));
  program.gemm(0, 64, 8, 8, waits);
  const hw::Counters counters = run(program, 1, machine);
  CHECK(owned(counters, 0, Cause::kWaitWeights) == 100 + 12 * 128);
  CHECK(owned(counters, 0, Cause::kWaitDispatch) == 0);
  CHECK(sum(counters) == counters.total);
}

TEST_CASE("a Gemm stuck behind loads it does not need belongs to those loads") {
  hw::HardwareConfig machine = test::tiny_machine();
  machine.sequencer.queue_depth = 2;
  ProgramWriter program;
  for (int i = 0; i < 8; ++i) {
    program.load(0, 0, {1, i * 4096, 4096}, TrafficClass::kWeights);
  }
  program.gemm(1, 64, 8, 8);
  const hw::Counters counters = run(program, 2, machine);
  // The Gemm enters once the sequencer has placed the last load: a wait for weights, and the tail
  // of the loads behind it.
  CHECK(owned(counters, 0, Cause::kWaitWeights) > 900);
  CHECK(owned(counters, 1, Cause::kWaitDispatch) == 0);
  CHECK(sum(counters) == counters.total);
}

TEST_CASE("dispatch owns a wait only where it was the last condition") {
  hw::HardwareConfig machine = test::tiny_machine();
  machine.sequencer.dispatch = 7;
  machine.sequencer.operator_launch = 50;
  ProgramWriter program;
  program.gemm(0, 64, 8, 8);
  program.at(0).launches = true;
  const hw::Counters counters = run(program, 1, machine);
  CHECK(owned(counters, 0, Cause::kWaitDispatch) == 57);
  CHECK(sum(counters) == counters.total);
}

TEST_CASE("a store that nothing waits for is the tail") {
  ProgramWriter program;
  const auto gemm = program.gemm(0, 64, 8, 8, {}, true);
  program.store(0, {0, 32768, 512}, {ProgramWriter::raw(gemm)});
  const hw::Counters counters = run(program, 1, test::tiny_machine());
  CHECK(owned(counters, 0, Cause::kTail) == 100 + 512 / 16);
  CHECK(owned(counters, 0, Cause::kWaitStore) == 0);
  CHECK(sum(counters) == counters.total);
}

TEST_CASE("a token that never fires is a deadlock that names who waits") {
  ProgramWriter program;
  program.gemm(0, 64, 8, 8, {ProgramWriter::raw(1)});
  program.load(0, 0, kB, TrafficClass::kWeights, {ProgramWriter::raw(0)});
  test::ListedProgram source(program.take());
  CHECK_THROWS_WITH(
      sim::simulate(test::tiny_machine(), source, 1),
      Catch::Contains("deadlock") && Catch::Contains("gemm 0") && Catch::Contains("waits for 1"));
}

TEST_CASE("a second simulation in one process is refused") {
  ProgramWriter program;
  program.gemm(0, 8, 8, 8);
  run(program, 1, test::tiny_machine());
  ProgramWriter again;
  again.gemm(0, 8, 8, 8);
  test::ListedProgram source(again.take());
  CHECK_THROWS_AS(sim::simulate(test::tiny_machine(), source, 1), std::logic_error);
}
