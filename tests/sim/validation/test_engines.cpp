// Which machine stands for a row, and how it is run.
#include <catch2/catch.hpp>

#include "sim/validation/engines.h"

using namespace tessera::sim;
using Names = std::vector<std::string>;

namespace {

ReferenceCase row(const std::string& engine, int rows, int cols, const std::string& dataflow = "WS",
                  const std::string& notes = "") {
  ReferenceCase out;
  out.engine = engine;
  out.rows = rows;
  out.cols = cols;
  out.dataflow = dataflow;
  out.shape = {64, 256, 96};
  out.cycles = 1000;
  out.notes = Notes(notes);
  return out;
}

const EngineRule& rule(const ReferenceCase& reference) {
  const EngineRule* found = rule_of(reference);
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("every engine of the shared facts has its scenario and its machine") {
  const auto gemmini = row("gemmini8_array", 8, 8);
  CHECK(rule(gemmini).scenario == Scenario::kResident);
  CHECK(presets_of(rule(gemmini), gemmini) == Names{"gemmini_8x8"});
  const auto loop = row("gemmini16_loop", 16, 16);
  CHECK(rule(loop).scenario == Scenario::kMemoryToMemory);
  CHECK(presets_of(rule(loop), loop) == Names{"gemmini_16x16"});
  CHECK(rule(row("gemmini16_dma", 16, 16, "mvin")).scenario == Scenario::kLoads);
  const auto redmule = row("redmule", 6, 2, "OS-semi", "W=6 H=2 P=3");
  CHECK(presets_of(rule(redmule), redmule) == Names{"redmule_w6_h2", "redmule_w12_h4"});
  CHECK(rule(redmule).accumulate);
  CHECK(rule(redmule).precision == "w16a16");
  const auto scale_sim = row("scale-sim", 32, 32, "is");
  CHECK(presets_of(rule(scale_sim), scale_sim) ==
        Names{"scalesim_is", "scalesim_32x32", "scalesim_*"});
  CHECK(rule(scale_sim).printed_less == 1);
  CHECK(rule_of(row("eyeriss", 12, 14)) == nullptr);
}

TEST_CASE("a row that names the small build of Gemmini runs on its machine") {
  for (const char* engine :
       {"gemmini16_small_loop", "gemmini16b64_array", "gemmini16_64KiB_loop", "gemmini16s_loop",
        "gemmini16_64k_array", "gemminiC_array", "gemmini16_64K_dma"}) {
    INFO(engine);
    const auto reference = row(engine, 16, 16);
    CHECK(presets_of(rule(reference), reference) == Names{"gemmini_16x16_small"});
  }
  for (const char* notes : {"startup=14; tile=1x1x1", "build=small", "spad 64KiB", "spad=64KiB",
                            "errors=0; spad=64KiB; startup=14"}) {
    INFO(notes);
    const auto reference = row("gemmini16_loop", 16, 16, "WS", notes);
    CHECK(presets_of(rule(reference), reference) == Names{"gemmini_16x16_small"});
  }
  const auto scenario = [](const char* engine) { return rule(row(engine, 16, 16)).scenario; };
  CHECK(scenario("gemmini16s_loop") == Scenario::kMemoryToMemory);
  CHECK(scenario("gemminiC_array") == Scenario::kResident);
  CHECK(scenario("gemmini16_64k_dma") == Scenario::kLoads);
}

TEST_CASE("a row of the default build may say so and another word is no known build") {
  for (const char* notes : {"startup=13; tile=1x1x1", "build=default", "spad=256KiB"}) {
    INFO(notes);
    const auto reference = row("gemmini16_loop", 16, 16, "WS", notes);
    CHECK(presets_of(rule(reference), reference) == Names{"gemmini_16x16"});
  }
  const auto named = row("gemmini16_fp16_loop", 16, 16);
  CHECK(presets_of(rule(named), named).empty());
  const auto noted = row("gemmini16_loop", 16, 16, "WS", "build=fp16");
  CHECK(presets_of(rule(noted), noted).empty());
}

TEST_CASE("the notes of a Gemmini loop set its memory and its tile") {
  const auto reference =
      row("gemmini16_loop", 16, 16, "WS", "mem_lat=50; cycles_per_beat=4; tile=4x6x16");
  CHECK(rule(reference).sets(reference) == Names{"hardware.dram.standard=custom",
                                                 "hardware.dram.latency=57 ns",
                                                 "hardware.dram.peak=4000000000 B/s"});
  const MappingPin pin = rule(reference).pin(reference);
  CHECK((pin.tile_m == 64 && pin.tile_n == 96 && pin.tile_k == 256));  // I, J, K blocks of 16
  CHECK(pin.loop_order == "mnk");
  CHECK(pin.double_buffered.size() == 4);
  CHECK((pin.has_resident && pin.resident.empty()));
  const MappingPin free = rule(reference).pin(row("gemmini16_loop", 16, 16));
  CHECK((free.tile_m == 0 && free.loop_order.empty() && !free.has_double_buffered));
}

TEST_CASE("the notes of an array set its pipelines") {
  const auto axis = row("axis_sa", 16, 4, "OS", "LM=2; LA=3; errors=0");
  CHECK(rule(axis).sets(axis) == Names{"hardware.array.rows=16", "hardware.array.cols=4",
                                       "hardware.array.pe_latency=5 cycles"});
  const auto redmule = row("redmule", 12, 4, "OS-semi", "W=12 H=4 P=3");
  CHECK(rule(redmule).sets(redmule) ==
        Names{"hardware.array.rows=12", "hardware.array.cols=4", "hardware.array.stages=4",
              "hardware.buffers.scratchpad.width=32 B"});  // 4 x 4 columns of 2 B
  CHECK(dataflow_of(redmule) == "os");
  CHECK(dataflow_of(row("onnxim", 0, 0, "")) == "ws");
}

TEST_CASE("ONNXim loads a tile's whole K") {
  const auto reference = row("onnxim", 0, 0, "");
  const MappingPin pin = rule(reference).pin(reference);
  CHECK(pin.tile_k == 256);
  CHECK((pin.tile_m == 0 && pin.tile_n == 0));
}
