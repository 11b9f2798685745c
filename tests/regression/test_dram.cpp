// `tessera dram` from outside.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/command_line.h"

using namespace tessera::test;
using Catch::Contains;
using Catch::StartsWith;
using nlohmann::json;

namespace {

/// The memory of Ramulator's DDR4-3200 rows.
constexpr const char* kMachine =
    "# What does Ramulator's controller sustain?\n"
    "array: {rows: 8, cols: 8, startup: 0 cycles}\n"
    "buffers:\n"
    "  scratchpad: {capacity: 64 KiB, banks: 4, width: 32 B, latency: 0 cycles}\n"
    "  accumulators: {capacity: 16 KiB, banks: 2, ports: 2, width: 32 B, latency: 0 cycles}\n"
    "dram:\n"
    "  standard: DDR4-3200\n"
    "  model: timing\n"
    "  mapping: {order: ro-ba-bg-co, hash: none}\n"
    "  controller: {read_queue: 32, write_queue: 32, drain_above: 26, drain_to: 6,\n"
    "               refresh: all_bank}\n";

struct Bench {
  TemporaryFolder folder;
  Bench() { write_text(folder / "ddr4.yaml", kMachine); }
  Ran dram(const std::string& arguments) const {
    return run_tessera("dram " + arguments + " --hardware ddr4.yaml", folder.path());
  }
};

}  // namespace

TEST_CASE("a pattern on a configured memory is what validate runs for such a row") {
  const Bench bench;
  write_text(bench.folder / "row.csv",
             "tool,standard,channels,pattern,mapping,sustained_fraction,avg_read_latency_ns,"
             "p99_ns,notes\n"
             "ramulator2,ddr4-3200,1,mix_4096_393216_stagger,RoBaRaCoCh,0.8,100,100,R; "
             "ref+frfcfs\n");
  const json row = json::parse(
      run_tessera("validate --reference row.csv --all --format json", bench.folder.path()).out);
  const json figures = row.at("engines").at(0).at("cases").at(0).at("figures");
  const Ran ran = bench.dram("mix_4096_393216_stagger --format json");
  CHECK(ran.exit_code == 0);
  const json made = json::parse(ran.out);
  CHECK(made.at("schema") == "tessera-dram/1");
  CHECK(made.at("sustained_fraction") == figures.at("sustained_fraction").at("ours"));
  CHECK(made.at("mean_read_latency_ns") == figures.at("mean_read_latency_ns").at("ours"));
  CHECK(made.at("p99_read_latency_ns") == figures.at("p99_read_latency_ns").at("ours"));
}

TEST_CASE("bus bytes are whole bursts and useful bytes what was asked for") {
  const Bench bench;
  const json made = json::parse(bench.dram("tile_32_32_3072_98304 --format json").out);
  CHECK(made.at("useful_bytes") == 98304);
  CHECK(made.at("bus_bytes") == 2 * 98304);
  CHECK(made.at("commands").at("reads") == 3072);
  CHECK(made.at("useful_bytes_per_s").get<double>() ==
        Approx(made.at("bus_bytes_per_s").get<double>() / 2));
  CHECK(made.at("bus_bytes_per_s").get<double>() ==
        Approx(made.at("sustained_fraction").get<double>() * 25.6e9));
}

TEST_CASE("a memory is used as it is configured") {
  const Bench bench;
  const auto fraction = [&](const std::string& options) {
    const Ran ran = bench.dram("seq_rd_1048576 --format json " + options);
    REQUIRE(ran.exit_code == 0);
    return json::parse(ran.out).at("sustained_fraction").get<double>();
  };
  const double plain = fraction("");
  CHECK(plain < 0.7);  // rows are contiguous: one bank group at a time
  CHECK(fraction("--set hardware.dram.mapping.order=ro-cohi-ba-bg-co[1:0]") > 0.9);
  CHECK(fraction("--set hardware.dram.controller.refresh=off") > plain);
  CHECK(fraction("--set hardware.dram.channels=2") < 1.0);
  CHECK(fraction("--outstanding 1") < 0.25 * plain);
  CHECK(fraction("--offers 1") <= plain);
}

TEST_CASE("the text of a pattern keeps its width and says what was run") {
  const Bench bench;
  const Ran ran = bench.dram("seq_rd_1048576 --width 80");
  CHECK_THAT(ran.out, StartsWith("seq_rd_1048576   DDR4-3200 x 1   ddr4\n") &&
                          Contains(" % of the peak of 25.60 GB/s") &&
                          Contains(" reads       mean ") && Contains("16,384 reads") &&
                          Contains("refresh all_bank") &&
                          Contains("32 reads and 32 writes outstanding a channel"));
  CHECK_THAT(bench.dram("seq_wr_1048576").out, !Contains("p99"));
  CHECK(json::parse(bench.dram("seq_wr_65536 --format json").out)
            .at("mean_read_latency_ns")
            .is_null());
}

TEST_CASE("a pattern as CSV is a header and a row") {
  const Bench bench;
  const std::string csv = bench.dram("rand_65536 --format csv").out;
  CHECK_THAT(csv, StartsWith("tool,hardware,standard,channels,peak_gbps,pattern,mapping,hash,"));
  CHECK_THAT(csv,
             Contains("\ntessera,ddr4,DDR4-3200,1,25.6,rand_65536,ro-ba-bg-co,none,all_bank,"));
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 2);
}

TEST_CASE("what a pattern's run cannot be is one message and exit code 2") {
  const Bench bench;
  const auto check = [&](const std::string& arguments, const std::string& begin) {
    const Ran ran = run_tessera("dram " + arguments, bench.folder.path());
    INFO(arguments);
    CHECK(ran.exit_code == 2);
    CHECK(ran.out.empty());
    CHECK_THAT(ran.err, StartsWith("tessera: " + begin));
  };
  check("--hardware ddr4.yaml", "'tessera dram' needs a pattern, for example seq_rd_4194304");
  check("seq_rd_64", "'tessera dram' needs one --hardware: a name");
  check("seq_rd_64 --hardware tiny_8x8",
        "the DRAM of tiny_8x8 has model `bandwidth`, without banks and rows: --set "
        "hardware.dram.model=timing");
  check("seq_rd --hardware ddr4.yaml",
        "pattern 'seq_rd': not a known pattern of numbers from 1 to 268435456; patterns are\n"
        "  seq_rd_BYTES ");
  check("tile_1_1_1_268435456 --hardware ddr4.yaml",
        "pattern 'tile_1_1_1_268435456': more than 8388608 bursts");
  check("seq_rd_64 --hardware ddr4.yaml --outstanding 0",
        "--outstanding 0 is not allowed (1 .. 4096)");
  check("seq_rd_64 --hardware ddr4.yaml --offers -1", "--offers -1 is not allowed (1 .. 4096)");
  check("seq_rd_64 --hardware ddr4.yaml --offers 0", "--offers 0 is not allowed");
  check("seq_rd_64 --hardware nowhere", "there is no hardware called 'nowhere'");
}

TEST_CASE("the help of dram lists the patterns") {
  const Ran ran = run_tessera("dram --help");
  CHECK(ran.exit_code == 0);
  CHECK_THAT(ran.out, Contains("mix_CHUNK_BYTES_aligned|stagger") && Contains("--outstanding N"));
}
