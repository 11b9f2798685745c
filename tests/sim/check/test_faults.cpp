// Programs written by hand, each with one known fault, or none.
#include <catch2/catch.hpp>

#include "tests/sim/check/check_fixtures.h"
#include "tests/support/loop_machine.h"
#include "tests/support/single_operator.h"

using namespace tessera;
using namespace tessera::test;
using hw::Command;
using hw::CommandKind;
using sim::FaultKind;

namespace {

/// C[m,k] B[k,n], row tiles of 8, everything else whole: B is loaded once.
Lowered row_tiles(std::int64_t m, std::int64_t k, std::int64_t n) {
  hw::HardwareConfig machine = tiny_machine();
  machine.array.dataflows = {hw::Dataflow::kWeightStationary};
  sim::MappingConfig mapping;
  sim::MappingPin pin;
  pin.pattern = "*";
  pin.tile_m = 8;
  pin.tile_k = k;
  pin.tile_n = n;
  pin.has_double_buffered = true;
  pin.double_buffered = {"a", "accumulators", "outputs"};
  mapping.pins = {pin};
  return lower_all(gemm_graph(m, k, n), machine, mapping);
}

std::vector<Command*> of_kind(Lowered& lowered, CommandKind kind) {
  std::vector<Command*> found;
  for (Command& command : lowered.program) {
    if (command.kind == kind) found.push_back(&command);
  }
  return found;
}

/// The only kind of fault is this one, and it names the command.
void check_fault(const Lowered& lowered, FaultKind kind, hw::CommandId command) {
  const sim::CheckResult result = check(lowered);
  INFO(faults_text(result));
  REQUIRE_FALSE(result.faults.first().empty());
  CHECK(result.faults.first()[0].kind == kind);
  CHECK(result.faults.first()[0].command == command);
}

/// Puts `made` in front of command `at`: ids move, waits follow.
void insert(Lowered& lowered, hw::CommandId at, const Command& made) {
  for (Command& command : lowered.program) {
    for (hw::Wait& wait : command.waits) wait.command += wait.command >= at ? 1 : 0;
  }
  lowered.program.insert(lowered.program.begin() + at, made);
  for (std::size_t i = 0; i < lowered.program.size(); ++i) {
    lowered.program[i].id = static_cast<hw::CommandId>(i);
  }
}

}  // namespace

TEST_CASE("a program of row tiles passes in every order") {
  const Lowered lowered = row_tiles(32, 8, 8);
  sim::CheckOptions options;
  options.orders = 30;
  const sim::CheckResult result = check(lowered, options);
  INFO(faults_text(result));
  CHECK(result.passed());
  CHECK(result.orders == 31);
  CHECK(result.values == 32 * 8);
  CHECK(result.macs == 32 * 8 * 8);
}

TEST_CASE("a Gemm may keep the stationary block that the one ahead of it loaded") {
  Lowered lowered = row_tiles(32, 8, 8);
  const auto gemms = of_kind(lowered, CommandKind::kGemm);
  REQUIRE(gemms.size() == 4);
  for (std::size_t i = 1; i < 4; ++i) gemms[i]->gemm.keeps_stationary = true;
  const sim::CheckResult result = check(lowered);
  INFO(faults_text(result));
  CHECK(result.passed());
}

TEST_CASE("the first Gemm cannot keep a stationary block") {
  Lowered lowered = row_tiles(32, 8, 8);
  Command& first = *of_kind(lowered, CommandKind::kGemm)[0];
  first.gemm.keeps_stationary = true;
  check_fault(lowered, FaultKind::kStationary, first.id);
}

TEST_CASE("a kept stationary block must be of the same region") {
  Lowered lowered = row_tiles(32, 8, 8);
  Command& second = *of_kind(lowered, CommandKind::kGemm)[1];
  second.gemm.keeps_stationary = true;
  second.gemm.b.region.offset += 64;
  check_fault(lowered, FaultKind::kStationary, second.id);
}

TEST_CASE("a kept stationary block must not have been written since it was loaded") {
  Lowered lowered = row_tiles(32, 8, 8);
  Command& second = *of_kind(lowered, CommandKind::kGemm)[1];
  second.gemm.keeps_stationary = true;
  Command again = *of_kind(lowered, CommandKind::kLoad)[0];
  REQUIRE(again.transfer.traffic == hw::TrafficClass::kWeights);
  const hw::CommandId first = of_kind(lowered, CommandKind::kGemm)[0]->id;
  again.waits = {{first, hw::Hazard::kWriteAfterRead, false}};
  again.launches = false;
  insert(lowered, first + 1, again);
  check_fault(lowered, FaultKind::kStationary, of_kind(lowered, CommandKind::kGemm)[1]->id);
}

namespace {

/// The only Gemm in two halves of k; A lies in two blocks of columns.
Lowered blocked() {
  Lowered lowered = row_tiles(8, 8, 8);
  for (Command* load : of_kind(lowered, CommandKind::kLoad)) {
    if (load->transfer.traffic != hw::TrafficClass::kActivations) continue;
    load->transfer.block_row_bytes = 4;
    // Rows as they are: joined ones would be cut as one.
    load->transfer.dram.row_bytes = 8;
    load->transfer.dram.count[0] = 8;
    load->transfer.dram.stride[0] = 8;
  }
  Command second = *of_kind(lowered, CommandKind::kGemm)[0];
  Command& first = *of_kind(lowered, CommandKind::kGemm)[0];
  first.gemm.k = first.gemm.a.cols = first.gemm.b.rows = 4;
  first.gemm.a.pitch = 4;
  first.gemm.a.region.bytes = first.gemm.b.region.bytes = 32;
  first.gemm.epilogue.reset();
  second.launches = false;
  second.gemm.k = second.gemm.a.cols = second.gemm.b.rows = 4;
  second.gemm.a.pitch = 4;
  second.gemm.a.region.offset += 32;
  second.gemm.b.region.offset += 32;
  second.gemm.a.region.bytes = second.gemm.b.region.bytes = 32;
  second.gemm.accumulate = true;
  insert(lowered, first.id + 1, second);
  // The store waits for the Gemm with the epilogue.
  for (Command* store : of_kind(lowered, CommandKind::kStore)) {
    for (hw::Wait& wait : store->waits) {
      if (lowered.program[static_cast<std::size_t>(wait.command)].kind == CommandKind::kGemm) {
        wait.command = of_kind(lowered, CommandKind::kGemm)[1]->id;
      }
    }
  }
  return lowered;
}

}  // namespace

TEST_CASE("a load may cut rows into blocks") {
  const sim::CheckResult result = check(blocked());
  INFO(faults_text(result));
  CHECK(result.passed());
  CHECK(result.values_checked);
}

TEST_CASE("blocks of another width are not the operand") {
  Lowered lowered = blocked();
  for (Command* load : of_kind(lowered, CommandKind::kLoad)) {
    if (load->transfer.block_row_bytes > 0) load->transfer.block_row_bytes = 2;
  }
  check_fault(lowered, FaultKind::kMacs, of_kind(lowered, CommandKind::kGemm)[0]->id);
}

TEST_CASE("products of the same k twice are found") {
  Lowered lowered = blocked();
  Command& second = *of_kind(lowered, CommandKind::kGemm)[1];
  const Command& first = *of_kind(lowered, CommandKind::kGemm)[0];
  second.gemm.a.region = first.gemm.a.region;
  second.gemm.b.region = first.gemm.b.region;
  check_fault(lowered, FaultKind::kMacs, second.id);
}

TEST_CASE("a product that is never formed is found") {
  Lowered lowered = blocked();
  Command& second = *of_kind(lowered, CommandKind::kGemm)[1];
  second.gemm.accumulate = false;
  check_fault(lowered, FaultKind::kMacs, second.id);
}

TEST_CASE("a region outside its buffer is found") {
  Lowered lowered = row_tiles(16, 8, 8);
  Command& store = *of_kind(lowered, CommandKind::kStore)[0];
  store.transfer.region.offset = 65536 - 8;
  check_fault(lowered, FaultKind::kOutside, store.id);
}

TEST_CASE("a store outside the operator's output is found") {
  Lowered lowered = row_tiles(16, 8, 8);
  Command& store = *of_kind(lowered, CommandKind::kStore)[1];
  store.transfer.dram.address += 4096;
  check_fault(lowered, FaultKind::kOutside, store.id);
}

TEST_CASE("a result that is stored twice leaves another one owed") {
  Lowered lowered = row_tiles(16, 8, 8);
  const auto stores = of_kind(lowered, CommandKind::kStore);
  stores[1]->transfer.dram.address = stores[0]->transfer.dram.address;
  stores[1]->waits.push_back({stores[0]->id, hw::Hazard::kWriteAfterWrite, false});
  check_fault(lowered, FaultKind::kOutputs, stores[1]->id);
}

TEST_CASE("a missing wait is named with both commands and what would be needed") {
  Lowered lowered = row_tiles(16, 8, 8);
  Command& gemm = *of_kind(lowered, CommandKind::kGemm)[0];
  const hw::CommandId dropped = gemm.waits.back().command;
  gemm.waits.pop_back();
  const sim::CheckResult result = check(lowered);
  REQUIRE(result.faults.of(FaultKind::kUnordered) > 0);
  const sim::Fault& fault = result.faults.first()[0];
  CHECK(fault.command == gemm.id);
  CHECK(fault.other == dropped);
  CHECK(fault.text.find("test.Gemm (array)") != std::string::npos);
  CHECK(fault.text.find("of buffer '") != std::string::npos);
  CHECK(fault.text.find("needs a wait for command " + std::to_string(dropped)) !=
        std::string::npos);
}

TEST_CASE("values above the limit are not checked and the verdict says why") {
  const Lowered lowered = row_tiles(16, 8, 8);
  sim::CheckOptions options;
  options.max_macs = 16 * 8 * 8 - 1;
  const sim::CheckResult result = check(lowered, options);
  CHECK(result.passed());
  CHECK_FALSE(result.values_checked);
  CHECK(result.why_not == "1024 MACs are more than --max-macs 1023");
}

TEST_CASE("a vector command may do several operations in one pass") {
  workloads::Graph graph = gemm_graph(8, 8, 8);
  workloads::Operator add = graph.operators[0];
  add.name = "Add";
  add.kind = workloads::OperatorKind::kAdd;
  add.operation = "add";
  add.k = 0;
  add.inputs = {add.inputs[0], add.inputs[0]};
  add.epilogue = {{"", "silu"}, {"", "layernorm"}};
  graph.operators = {add};
  Lowered lowered = lower_all(graph, tiny_machine());
  for (Command* command : of_kind(lowered, CommandKind::kVector)) {
    command->vector.operations = {"add", "silu", "layernorm"};
  }
  const sim::CheckResult result = check(lowered);
  INFO(faults_text(result));
  CHECK(result.passed());
  for (Command* command : of_kind(lowered, CommandKind::kVector)) {
    command->vector.operations.pop_back();
  }
  check_fault(lowered, FaultKind::kOutputs, of_kind(lowered, CommandKind::kVector)[0]->id);
}

TEST_CASE("an operation without a formula is followed by a stand in that is named") {
  workloads::Graph graph = gemm_graph(8, 8, 8);
  graph.operators[0].epilogue = {{"", "mystery"}, {"", "requantise"}};
  hw::HardwareConfig machine = tiny_machine();
  machine.vector.operations["mystery"] = {};
  const sim::CheckResult result = check(lower_all(graph, machine));
  INFO(faults_text(result));
  CHECK(result.passed());
  REQUIRE(result.notes.size() == 1);
  CHECK(result.notes[0].find("'mystery'") != std::string::npos);
}

TEST_CASE("an epilogue that is a command of its own finishes whole results in their place") {
  const Lowered right = lower_all(gemm_graph(8, 8, 8), loop_machine(4));
  CHECK(check(right).passed());
  Lowered other_operation = right;
  Command* first = of_kind(other_operation, CommandKind::kVector)[0];
  first->vector.operations.emplace_back("gelu");
  check_fault(other_operation, FaultKind::kOutputs, first->id);

  Lowered other_block = right;
  const auto conversions = of_kind(other_block, CommandKind::kVector);
  conversions.back()->vector.inputs = conversions[0]->vector.inputs;
  check_fault(other_block, FaultKind::kOutputs, conversions.back()->id + 1);  // its store

  Lowered lost_products = right;
  for (Command* command : of_kind(lost_products, CommandKind::kGemm)) {
    command->gemm.accumulate = false;
  }
  check_fault(lost_products, FaultKind::kMacs, of_kind(lost_products, CommandKind::kVector)[0]->id);
}
