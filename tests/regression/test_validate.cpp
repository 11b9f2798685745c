// `tessera validate` from outside, on figures and machines of its own.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/command_line.h"

using namespace tessera::test;
using Catch::Contains;
using Catch::StartsWith;
using nlohmann::json;

namespace {

constexpr const char* kHeader = "engine,rows,cols,dataflow,M,K,N,total_cycles,notes\n";

/// 8 x 8, nothing but preload, folds and drain: resident, weight stationary, M rows through 2 x 2
/// folds take 8 + 4 M + 14 cycles.
constexpr const char* kMachine =
    "# Which machine answers in closed form?\n"
    "array: {rows: 8, cols: 8, dataflows: [weight_stationary, output_stationary], startup: 0 "
    "cycles}\n"
    "buffers:\n"
    "  scratchpad: {capacity: 64 KiB, banks: 4, width: 32 B, latency: 0 cycles}\n"
    "  accumulators: {capacity: 16 KiB, banks: 2, ports: 2, width: 32 B, latency: 0 cycles}\n"
    "sequencer: {queue_depth: 8, dispatch: 0 cycles, operator_launch: 0 cycles}\n";

struct Bench {
  TemporaryFolder folder;
  explicit Bench(const std::string& rows) {
    write_text(folder / "bench_8x8.yaml", kMachine);
    write_text(folder / "own.csv", kHeader + rows);
  }
  Ran validate(const std::string& options = "") const {
    return run_tessera("validate --reference own.csv --hardware 'gemmini8_*=bench_8x8' " + options,
                       folder.path());
  }
};

std::string page_path() { return std::string(TESSERA_SOURCE_DIR) + "/docs/validation.md"; }

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) all.push_back(line);
  return all;
}

}  // namespace

TEST_CASE("own figures that are met hold their target") {
  const Bench bench(
      "gemmini8_array,8,8,WS,16,16,16,86,\"a, b; errors=0\"\n"
      "gemmini8_array,8,8,WS,24,16,16,118,\n");
  const Ran ran = bench.validate();
  CHECK(ran.exit_code == 0);
  CHECK(ran.err.empty());
  CHECK_THAT(ran.out, StartsWith("2 figures compared; every target holds"));
  CHECK_THAT(ran.out, Contains("gemmini8_array WS") && Contains("2 of 2 to the cycle"));
}

TEST_CASE("a missed target is exit code 1 and names the worst case") {
  const Bench bench(
      "gemmini8_array,8,8,WS,16,16,16,86,\n"
      "gemmini8_array,8,8,WS,24,16,16,100,\n");
  const Ran ran = bench.validate("--all");
  CHECK(ran.exit_code == 1);
  CHECK_THAT(ran.out, Contains("MISSED") && Contains("24x16x16 on 8x8") && Contains("+18.00"));
  const Ran as_json = bench.validate("--format json --all");
  CHECK(as_json.exit_code == 1);
  const json result = json::parse(as_json.out);
  CHECK(result.at("holds") == false);
  const json& engine = result.at("engines").at(0);
  CHECK(engine.at("count") == 2);
  CHECK(engine.at("worst_percent") == Approx(18));
  CHECK(engine.at("worst_case").at("m") == 24);
  CHECK(engine.at("cases").at(1).at("cycles") == 118);
  CHECK(engine.at("cases").at(1).at("line") == 3);
  CHECK_THAT(bench.validate("--format markdown").out,
             Contains("| gemmini8_array WS | 2 | 9.00 | 9.00 | 18.00 | MISSED |"));
}

TEST_CASE("every scenario of an engine runs") {
  const Bench bench(
      "gemmini8_array,8,8,OS,16,16,16,100,\n"
      "gemmini8_loop,8,8,WS,16,16,16,300,mem_lat=20; cycles_per_beat=1; tile=2x2x2\n"
      "gemmini8_loop,8,8,WS,32,32,32,900,mem_lat=20; cycles_per_beat=2; tile=2x4x3\n"
      "gemmini8_loop,8,8,WS,8,8,8,300,mem_lat=20; cycles_per_beat=1; tile=1x1x1\n"
      "gemmini8_dma,8,8,mvin,16,16,16,90,mem_lat=20; cycles_per_beat=1\n");
  const Ran ran = bench.validate("--format json --all");
  const json result = json::parse(ran.out);
  CHECK(result.at("compared") == 5);
  CHECK(result.at("not_comparable").empty());
  for (const json& engine : result.at("engines")) {
    for (const json& each : engine.at("cases")) CHECK(each.at("cycles") > 0);
  }
}

TEST_CASE("slower memory makes loads slower") {
  const Bench bench(
      "gemmini8_dma,8,8,mvin,64,64,64,1000,mem_lat=10; cycles_per_beat=1\n"
      "gemmini8_dma,8,8,mvin,64,64,64,1000,mem_lat=200; cycles_per_beat=1\n"
      "gemmini8_dma,8,8,mvin,64,64,64,1000,mem_lat=10; cycles_per_beat=8\n");
  const json result = json::parse(bench.validate("--format json --all").out);
  const json& cases = result.at("engines").at(0).at("cases");
  CHECK(cases.at(1).at("cycles") > cases.at(0).at("cycles"));
  CHECK(cases.at(2).at("cycles") >= 8192);  // 8 KiB at a byte a cycle
}

TEST_CASE("an unknown engine is listed with its reason and decides nothing") {
  const Bench bench(
      "eyeriss,12,14,RS,16,16,16,100,\n"
      "gemmini8_array,8,8,WS,16,16,16,86,\n"
      "gemmini8_array,8,8,WS,16,16,16,86,errors=4\n");
  const Ran ran = bench.validate();
  CHECK(ran.exit_code == 0);
  CHECK_THAT(ran.out, Contains("eyeriss, 1 row: the engine is not known (--hardware eyeriss=NAME"));
  CHECK_THAT(ran.out, Contains("gemmini8_array, 1 row: the reference itself reports errors"));
}

TEST_CASE("an own engine is compared on its machine and judged by nobody") {
  const Bench bench(
      "my_npu,8,8,WS,16,16,16,300,\n"
      "my_npu_array,8,8,WS,16,16,16,86,\n");
  const Ran ran = bench.validate("--hardware 'my_npu*=bench_8x8' --format json --all");
  CHECK(ran.exit_code == 2);  // gemmini8_* matches nothing here
  const Ran own =
      run_tessera("validate --reference own.csv --hardware 'my_npu*=bench_8x8' --format json --all",
                  bench.folder.path());
  CHECK(own.exit_code == 0);
  const json result = json::parse(own.out);
  CHECK(result.at("engines").at(0).at("holds").is_null());
  CHECK(result.at("engines").at(1).at("cases").at(0).at("cycles") == 86);
}

TEST_CASE("a build of Gemmini that has no machine says how to name one") {
  const Bench bench(
      "gemmini16_fp16_loop,16,16,WS,16,16,16,300,\n"
      "gemmini16s_array,16,16,WS,16,16,16,86,\n"
      "gemmini4s_array,4,4,WS,16,16,16,86,\n");
  const Ran ran =
      run_tessera("validate --reference own.csv --all --width 160", bench.folder.path());
  CHECK_THAT(ran.out, Contains("1 figure compared") &&
                          Contains("gemmini16_fp16_loop, 1 row: this build has no machine "
                                   "(--hardware gemmini16_fp16_loop=NAME") &&
                          Contains("there is no hardware called 'gemmini_4x4_small' (--hardware "
                                   "gemmini4s_array=NAME"));
  const Ran named = run_tessera(
      "validate --reference own.csv --hardware 'gemmini16_fp16_*=bench_8x8' "
      "--engine 'gemmini16_fp16_*' --format json",
      bench.folder.path());
  CHECK(json::parse(named.out).at("compared") == 1);
}

TEST_CASE("only the engines that match are run") {
  const Bench bench(
      "gemmini8_array,8,8,WS,16,16,16,1,\n"
      "gemmini8_dma,8,8,mvin,16,16,16,90,mem_lat=20\n");
  const Ran ran = bench.validate("--engine '*_dma'");
  CHECK(ran.exit_code == 0);
  CHECK_THAT(ran.out, !Contains("gemmini8_array"));
}

TEST_CASE("a bare name is looked up in the folders of the configuration path") {
  const TemporaryFolder folder, elsewhere;
  std::filesystem::create_directories(folder / "reference");
  std::filesystem::create_directories(folder / "hardware");
  write_text(folder / "reference/mine.csv",
             std::string(kHeader) + "gemmini8_array,8,8,WS,16,16,16,86,\n");
  write_text(folder / "hardware/gemmini_8x8.yaml", kMachine);
  const Ran ran = run_shell("TESSERA_CONFIG_PATH='" + folder.path().string() +
                                "' '" TESSERA_PROGRAM "' validate --reference mine.csv",
                            elsewhere.path());
  CHECK(ran.exit_code == 0);
  CHECK_THAT(ran.out, StartsWith("1 figure compared; every target holds"));
}

TEST_CASE("no line of validate is wider than asked") {
  const Bench bench(
      "gemmini8_array,8,8,WS,16,16,16,86,\n"
      "gemmini8_loop,8,8,WS,16,16,16,300,mem_lat=20; cycles_per_beat=4; tile=2x2x2\n"
      "gemmini8_loop,8,8,WS,1024,1024,1024,300,mem_lat=20; tile=128x128x128\n"
      "eyeriss,12,14,RS,16,16,16,100,\n");
  for (const int width : {80, 100, 160}) {
    const Ran ran = bench.validate("--all --width " + std::to_string(width));
    std::istringstream lines(ran.out);
    for (std::string line; std::getline(lines, line);) {
      const auto columns =
          std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
      INFO(line);
      CHECK(columns <= width);
    }
  }
}

constexpr const char* kMemoryHeader =
    "tool,standard,channels,pattern,mapping,queue_depth,sustained_fraction,avg_read_latency_ns,"
    "p99_ns,notes\n";

TEST_CASE("memories are compared by bandwidth and read latency") {
  const TemporaryFolder folder;
  write_text(folder / "memories.csv",
             std::string(kMemoryHeader) +
                 "DRAMSys,ddr4-3200,1,seq_rd_1048576,ro-ba-bg-co(-ch/pc),32,0.5,100,200,X; ref+wm\n"
                 "dramsys,ddr4-3200,1,seq_wr_1048576,ro-ba-bg-co(-ch/pc),32,0.9,,,X; ref+wm\n"
                 "dramsys,ddr5-6400,1,seq_rd_1048576,ro-ba-bg-co(-ch/pc),32,0.9,,,X; ref+wm\n"
                 "gem5,ddr4-3200,1,seq_rd_1048576,ro-ba-bg-co,32,0.9,,,X; ref+wm\n");
  const Ran ran = run_tessera("validate --reference memories.csv --all --width 160", folder.path());
  CHECK(ran.exit_code == 1);
  CHECK_THAT(ran.out, StartsWith("2 figures compared; a target is MISSED") &&
                          Contains("dramsys ddr4-3200 seq_rd_1048576 ro-ba-bg-co(-ch/pc) ref+wm: "
                                   "bandwidth ") &&
                          Contains("dramsys, 1 row: the standard 'ddr5-6400' is not known") &&
                          Contains("gem5, 1 row: the simulator is not known"));
  const Ran as_json =
      run_tessera("validate --reference memories.csv --all --format json", folder.path());
  const json cases = json::parse(as_json.out).at("engines").at(0).at("cases");
  CHECK(cases.at(0).at("figures").at("mean_read_latency_ns").at("reference") == 100);
  CHECK(cases.at(0).at("misses").size() >= 3);
  CHECK(cases.at(1).at("figures").at("p99_read_latency_ns").is_null());
  CHECK(cases.at(1).at("envelope").at("tolerance") == 0.08);
}

TEST_CASE("a number of a memory row that is none is one message") {
  const TemporaryFolder folder;
  write_text(folder / "wrong.csv", std::string(kMemoryHeader) +
                                       "dramsys,ddr4-3200,1,rand_64,MOP4CLXOR,32,much,,,X; ref\n");
  const Ran ran = run_tessera("validate --reference wrong.csv", folder.path());
  CHECK(ran.exit_code == 2);
  CHECK(ran.err ==
        "wrong.csv:2: error: sustained_fraction: 'much' is not allowed (a number from 1e-06)\n");
}

TEST_CASE("ONNXim's figures are met on its machine") {
  const Ran ran = run_tessera("validate --engine onnxim --format json");
  CHECK(ran.exit_code == 0);
  const json result = json::parse(ran.out);
  CHECK(result.at("compared") == 6);
  CHECK(result.at("engines").at(0).at("worst_percent") <= 7);
}

TEST_CASE("validate prints the same whenever it runs") {
  const Bench bench(
      "gemmini8_array,8,8,WS,16,16,16,86,\n"
      "gemmini8_loop,8,8,WS,16,16,16,300,mem_lat=20; tile=2x2x2\n"
      "gemmini8_dma,8,8,mvin,16,16,16,90,mem_lat=20\n");
  const std::string first = bench.validate("--format json --all").out;
  CHECK(first == bench.validate("--format json --all").out);
}

TEST_CASE("a wrong file or option of validate is one message and exit code 2") {
  const TemporaryFolder folder;
  write_text(folder / "short.csv", std::string(kHeader) + "axis_sa,8,8,OS,8,8,8,32,\naxis_sa,8\n");
  write_text(folder / "zero.csv", std::string(kHeader) + "axis_sa,8,8,OS,8,0,8,32,\n");
  write_text(folder / "open.csv", std::string(kHeader) + "axis_sa,8,8,OS,8,8,8,32,\"LM=1\n");
  const auto check = [&](const std::string& arguments, const std::string& message) {
    INFO(arguments);
    const Ran ran = run_tessera("validate " + arguments, folder.path());
    CHECK(ran.exit_code == 2);
    CHECK(ran.out.empty());
    CHECK(ran.err == message + "\n");
  };
  check("--reference short.csv", "short.csv:3: error: 2 cells, but the header has 9 columns");
  check("--reference zero.csv", "zero.csv:2: error: K: '0' is not allowed (1 .. 1048576)");
  check("--reference open.csv", "open.csv:2: error: a quote is not closed");
  check("--reference none.csv", "tessera: the file 'none.csv' does not exist");
  check("--engine nope*",
        "tessera: --engine 'nope*' matches no engine; there are dramsim3, dramsys, ramulator2, "
        "onnxim, gemmini16_array, gemmini8_array, gemmini16_loop, gemmini8_loop, gemmini16_dma, "
        "gemmini8_dma, axis_sa, redmule, scale-sim");
  check("--hardware tiny_8x8",
        "tessera: --hardware 'tiny_8x8': 'validate' takes ENGINE=NAME, for example "
        "'gemmini16_*=my_gemmini'");
  check("--hardware dramsys=edge_32x32",  // a row names its memory itself
        "tessera: --hardware 'dramsys' matches no engine; there are onnxim, gemmini16_array, "
        "gemmini8_array, gemmini16_loop, gemmini8_loop, gemmini16_dma, gemmini8_dma, axis_sa, "
        "redmule, scale-sim");
  check("extra", "tessera: 'tessera validate' takes no subject: what is 'extra'?");
  CHECK_THAT(run_tessera("validate --hardware axis_sa=nope", folder.path()).err,
             StartsWith("tessera: there is no hardware called 'nope'"));
}

// All figures that ship: some 17 s of the processor.
TEST_CASE("the validation page is what validate prints and says which targets are missed") {
  const Ran ran = run_tessera("validate --format markdown");
  CHECK(ran.exit_code == 1);
  CHECK(ran.err.empty());
  const std::vector<std::string> page = lines_of(read_text(page_path()));
  const std::vector<std::string> printed = lines_of(ran.out);
  for (const std::string& line : printed) {
    INFO(line);  // else: test_regression "[.update]"
    CHECK(std::find(page.begin(), page.end(), line) != page.end());
  }
  CHECK(page.size() == printed.size());
  std::vector<std::string> missed;
  for (const std::string& line : printed) {
    const bool is_engine = line.find("| MISSED |") != std::string::npos;
    if (is_engine) missed.push_back(line.substr(2, line.find(" |", 2) - 2));
  }
  CHECK(missed == std::vector<std::string>{"dramsim3 ddr4-3200", "ramulator2 ddr4-3200",
                                           "dramsim3 hbm2-2000", "ramulator2 hbm2-2000",
                                           "dramsim3 lpddr4-3200", "dramsys lpddr4-3200",
                                           "ramulator2 lpddr5-6400"});
}

TEST_CASE("write the validation page", "[.update]") {
  const Ran ran = run_tessera("validate --format markdown");
  REQUIRE(ran.err.empty());
  write_text(page_path(), ran.out);
}
