// How rows become programs.
#include <catch2/catch.hpp>

#include "sim/validation/case_run.h"
#include "tests/support/tiny_machine.h"

using namespace tessera;
using namespace tessera::sim;
using Catch::Contains;

namespace {

ReferenceCase row(const std::string& engine, const std::string& notes = "") {
  ReferenceCase out;
  out.engine = engine;
  out.rows = out.cols = 8;
  out.dataflow = "WS";
  out.shape = {16, 24, 8};
  out.cycles = 100;
  out.notes = Notes(notes);
  return out;
}

std::string reason(const ReferenceCase& reference, const std::string& hardware) {
  Machines machines;
  std::vector<HardwareOverride> overrides;
  if (!hardware.empty()) overrides.push_back({"*", hardware});
  try {
    prepare_case(reference, overrides, machines);
  } catch (const NotComparable& error) {
    return error.what();
  }
  return "comparable";
}

}  // namespace

TEST_CASE("loads of blocks go through A row by row and then through B") {
  const auto commands = block_loads(test::tiny_machine(), {16, 24, 12}, 8);
  REQUIRE(commands.size() == 2 * 3 + 3 * 2);
  const auto& second = commands[1].transfer;
  CHECK(second.dram.address == 8);
  CHECK(second.dram.row_bytes == 8);
  CHECK(second.dram.count[0] == 8);
  CHECK(second.dram.stride[0] == 24);
  CHECK(second.region.offset == 64);
  CHECK(commands[3].transfer.dram.address == 8 * 24);
  const auto& last = commands.back().transfer;  // K rows 16 .. 23, columns 8 .. 11 of B
  CHECK(last.dram.address == 16 * 24 + 16 * 12 + 8);
  CHECK(last.dram.row_bytes == 4);
  CHECK(last.region.bytes == 8 * 4);
  CHECK(last.traffic == hw::TrafficClass::kWeights);
  for (const auto& command : commands) CHECK((command.queue == 0 && command.waits.empty()));
}

TEST_CASE("a row that cannot be run says why") {
  CHECK(reason(row("eyeriss"), "") ==
        "the engine is not known (--hardware eyeriss=NAME runs it on NAME)");
  CHECK(reason(row("gemmini8_array", "errors=3"), "tiny_8x8") ==
        "the reference itself reports errors");
  CHECK(reason(row("gemmini8_array"), "tiny_8x8") == "comparable");
  CHECK(reason(row("gemmini8_array"), "no_such_machine") ==
        "there is no hardware called 'no_such_machine'");
  ReferenceCase stationary = row("redmule");
  stationary.dataflow = "OS-semi";
  CHECK_THAT(reason(stationary, "onnxim_tpuv4"), Contains("no dataflow output_stationary"));
  ReferenceCase large = row("gemmini8_array");
  large.shape = {1024, 1024, 1024};
  CHECK_THAT(reason(large, "tiny_8x8"), Contains("--resident does not fit"));
}

TEST_CASE("a build that has no machine says how to name one") {
  CHECK(reason(row("gemmini8_fp16_loop"), "") ==
        "this build has no machine (--hardware gemmini8_fp16_loop=NAME runs it on NAME)");
  CHECK(reason(row("gemmini8s_array"), "") ==
        "there is no hardware called 'gemmini_8x8_small' (--hardware gemmini8s_array=NAME runs it "
        "on NAME)");
  CHECK(reason(row("gemmini8s_array"), "tiny_8x8") == "comparable");
  CHECK(reason(row("gemmini8_fp16_array"), "tiny_8x8") == "comparable");
}

TEST_CASE("an engine of the user's own runs on the machine that the user names") {
  CHECK(reason(row("my_npu"), "tiny_8x8") == "comparable");
  ReferenceCase free = row("my_npu");
  free.dataflow.clear();
  CHECK(reason(free, "tiny_8x8") == "comparable");
  CHECK(own_engine_rule(row("my_npu")).scenario == Scenario::kMemoryToMemory);
  CHECK(own_engine_rule(row("my_npu_array")).scenario == Scenario::kResident);
  CHECK(own_engine_rule(row("my_npu_dma")).scenario == Scenario::kLoads);
  CHECK(own_engine_rule(row("my_npu")).precision == "w8a8");
  ReferenceCase half = row("my_npu");
  half.dtype = "fp16";
  CHECK(own_engine_rule(half).precision == "w16a16");
  ReferenceCase other = row("my_npu");
  other.dataflow = "RS";
  CHECK_THAT(reason(other, "tiny_8x8"), Contains("'rs' is not a dataflow"));
}

TEST_CASE("rows of one machine read it once and changes are kept apart") {
  Machines machines;
  const RunConfig& plain = machines.find({"tiny_8x8"}, {});
  CHECK(&plain == &machines.find({"tiny_8x8"}, {}));
  CHECK(machines.find({"none", "tiny_*"}, {"hardware.array.rows=4"}).hardware.array.rows == 4);
  CHECK(plain.hardware.array.rows == 8);
  CHECK_THROWS_WITH(machines.find({"tiny_8x8"}, {"hardware.array.rowz=4"}),
                    Contains("tiny_8x8: hardware.array.rowz: unknown key"));
}
