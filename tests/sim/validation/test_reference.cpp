// Figures of the four kinds of files, and the notes beside them.
#include <algorithm>
#include <catch2/catch.hpp>

#include "sim/config/config.h"
#include "sim/validation/reference.h"

using namespace tessera::sim;
using Catch::Contains;
using Catch::StartsWith;

namespace {

const std::string kRtl = "engine,rows,cols,dataflow,M,K,N,total_cycles,notes\n";

std::string message_of(const std::string& text) {
  try {
    parse_reference(text, "figures.csv");
  } catch (const ReferenceError& error) {
    return error.what();
  }
  return "no error";
}

std::size_t count_of(const std::vector<ReferenceCase>& cases, const std::string& engine) {
  return static_cast<std::size_t>(std::count_if(
      cases.begin(), cases.end(), [&](const auto& each) { return each.engine == engine; }));
}

}  // namespace

TEST_CASE("notes are keys with values and bare words between semicolons") {
  const Notes notes("operands resident; loop k;j;i; first_row=10; errors=0; tile=4x6x16;");
  CHECK(notes.has("operands resident"));
  CHECK(notes.value("operands resident").empty());
  CHECK(notes.integer("first_row", -1) == 10);
  CHECK(notes.value("tile") == "4x6x16");
  CHECK(notes.integer("tile", 7) == 7);  // no integer
  CHECK(notes.integer("mem_lat", 20) == 20);
  CHECK_FALSE(notes.has("mem_lat"));
}

TEST_CASE("an item whose every word is a key with a value is several") {
  const Notes notes("W=12 H=4 P=3; op=GEMM(Z=XW+Z); X/W/Y reads=16/8/24; Z writes=12");
  CHECK(notes.integer("W", 0) == 12);
  CHECK(notes.integer("H", 0) == 4);
  CHECK(notes.integer("P", 0) == 3);
  CHECK(notes.value("op") == "GEMM(Z=XW+Z)");
  CHECK(notes.value("X/W/Y reads") == "16/8/24");
  CHECK(notes.integer("Z writes", 0) == 12);
}

TEST_CASE("empty notes have nothing") {
  CHECK_FALSE(Notes("").has(""));
  CHECK_FALSE(Notes(" ; ;").has(""));
}

TEST_CASE("the header tells the kind of file") {
  const auto rtl = parse_reference(kRtl + "axis_sa,16,4,OS,8,16,32,106,LM=1; LA=1\n", "x");
  REQUIRE(rtl.size() == 1);
  CHECK(rtl[0].kind == ReferenceKind::kRtl);
  CHECK(rtl[0].engine == "axis_sa");
  CHECK((rtl[0].rows == 16 && rtl[0].cols == 4));
  CHECK((rtl[0].shape.m == 8 && rtl[0].shape.k == 16 && rtl[0].shape.n == 32));
  CHECK(rtl[0].cycles == 106);
  CHECK(rtl[0].line == 2);
  CHECK(rtl[0].notes.integer("LA", 0) == 1);

  const auto scale_sim = parse_reference(
      "tool,version,array_rows,array_cols,dataflow,M,K,N,compute_cycles\n"
      "scale-sim,v3,32,16,is,50,960,320,24839\n",
      "x");
  CHECK(scale_sim.at(0).kind == ReferenceKind::kScaleSim);
  CHECK(scale_sim[0].dataflow == "is");
  CHECK((scale_sim[0].rows == 32 && scale_sim[0].cols == 16));

  const auto onnxim =
      parse_reference("tool,config,M,K,N,total_cycles,notes\nONNXim,tpuv4,1,2,3,4,\"a, b\"\n", "x");
  CHECK(onnxim.at(0).kind == ReferenceKind::kOnnxim);
  CHECK(onnxim[0].engine == "onnxim");
  CHECK(onnxim[0].rows == 0);

  const auto dram = parse_reference(
      "tool,standard,pattern,mapping,sustained_fraction\ndramsim3,ddr4,seq,ro,0.9\n", "x");
  CHECK(dram.at(0).kind == ReferenceKind::kDram);
  CHECK(dram[0].engine == "dramsim3");
}

TEST_CASE("a wrong figure names file line column value and what is allowed") {
  CHECK(message_of(kRtl + "axis_sa,16,4,OS,8,16,32,106,\naxis_sa,16,4,OS,8,0,32,106,\n") ==
        "figures.csv:3: error: K: '0' is not allowed (1 .. 1048576)");
  CHECK(message_of(kRtl + "axis_sa,16,4,OS,8,16,32,,\n") ==
        "figures.csv:2: error: total_cycles: '' is not allowed (1 .. 1000000000000)");
  CHECK(message_of(kRtl + "axis_sa,-1,4,OS,8,16,32,1,\n") ==
        "figures.csv:2: error: rows: '-1' is not allowed (1 .. 4096)");
  CHECK(message_of(kRtl + "axis_sa,1.5,4,OS,8,16,32,1,\n") ==
        "figures.csv:2: error: rows: '1.5' is not allowed (1 .. 4096)");
  CHECK(message_of(kRtl + ",16,4,OS,8,16,32,1,\n") ==
        "figures.csv:2: error: engine: the name is missing");
  CHECK_THAT(message_of("a,b\n1,2\n"),
             StartsWith("figures.csv:1: error: the header is of no known kind of reference") &&
                 Contains("RTL: engine,rows,cols,dataflow,M,K,N,total_cycles"));
}

TEST_CASE("the shipped files hold the figures of the shared facts") {
  const auto files = shipped_references();
  REQUIRE(files.size() == 4);
  std::vector<ReferenceCase> all;
  for (const std::string& file : files) {
    for (const ReferenceCase& each : read_reference(file)) all.push_back(each);
  }
  CHECK(all.size() == 386 + 6 + 448 + 28);
  CHECK(count_of(all, "gemmini16_array") == 75);
  CHECK(count_of(all, "gemmini8_array") == 48);
  CHECK(count_of(all, "gemmini16_loop") == 85);
  CHECK(count_of(all, "gemmini8_loop") == 53);
  CHECK(count_of(all, "gemmini16_dma") == 8);
  CHECK(count_of(all, "gemmini8_dma") == 3);
  CHECK(count_of(all, "axis_sa") == 125);
  CHECK(count_of(all, "redmule") == 51);
  CHECK(count_of(all, "scale-sim") == 28);
  CHECK(count_of(all, "onnxim") == 6);
}

TEST_CASE("a file that is not there says so") {
  CHECK_THROWS_WITH(read_reference("/none.csv"), "/none.csv:1: error: the file cannot be read");
}
