// One product without a workload file: values in, values out, and the command line.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "sim/config/config.h"
#include "sim/gemm_run.h"
#include "sim/simulation/product.h"
#include "tests/support/command_line.h"
#include "tests/support/tiny_machine.h"

using namespace tessera;
using namespace tessera::sim;
using namespace tessera::test;
using Catch::Contains;
using Catch::StartsWith;
using nlohmann::json;

namespace {

GemmRequest resident_request(hw::GemmShape shape, hw::Dataflow dataflow) {
  GemmRequest request;
  request.machine.hardware = tiny_machine();
  request.shape = shape;
  request.dataflow = dataflow;
  request.resident = true;
  return request;
}

hw::Counters counters_of(const GemmRequest& request) {
  const PreparedGemm gemm = prepare_gemm(request);
  return start_gemm(gemm).wait();
}

std::string refusal(const std::string& shape) {
  try {
    parse_gemm_shape(shape);
  } catch (const GemmError& error) {
    return error.what();
  }
  return "no error";
}

void check_refused(const std::string& arguments, const std::string& message) {
  INFO("tessera gemm " << arguments);
  const Ran ran = run_tessera("gemm " + arguments);
  CHECK(ran.exit_code == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err == message + "\n");
}

json gemm_json(const std::string& arguments) {
  const Ran ran = run_tessera("gemm " + arguments + " --format json");
  INFO(arguments << ": " << ran.err);
  REQUIRE(ran.exit_code == 0);
  return json::parse(ran.out);
}

}  // namespace

// ------------------------------------------------------------------------------------- the words

TEST_CASE("a product is three sizes") {
  const hw::GemmShape shape = parse_gemm_shape("64x256x96");
  CHECK((shape.m == 64 && shape.k == 256 && shape.n == 96));
  CHECK(shape_text(shape) == "64x256x96");
  CHECK(parse_gemm_shape("1048576x1x1").m == 1 << 20);
  CHECK_THAT(refusal("64x256"), StartsWith("'64x256' is not a product: it has 2 sizes; write"));
  CHECK_THAT(refusal("1x2x3x4"), Contains("it has 4 sizes"));
  CHECK_THAT(refusal("64xx96"), Contains("a size is missing"));
  CHECK_THAT(refusal("64x0x96"), Contains("a size is 0"));
  CHECK_THAT(refusal("64x-1x96"), Contains("'-1' is no size"));
  CHECK_THAT(refusal("64x1.5x96"), Contains("'1.5' is no size"));
  CHECK_THAT(refusal("64X256X96"), Contains("it has 1 sizes"));
  CHECK_THAT(refusal("1048577x1x1"), Contains("1048577 is too large"));
  CHECK_THAT(refusal("99999999999999999999x1x1"), Contains("is too large"));
  CHECK_THAT(refusal("1048576x1048576x1048576"), Contains("more than 10000000000000 MACs"));
}

TEST_CASE("a dataflow has a long and a short name") {
  for (const char* word : {"os", "output_stationary"}) {
    CHECK(parse_dataflow(word) == hw::Dataflow::kOutputStationary);
  }
  CHECK(parse_dataflow("ws") == hw::Dataflow::kWeightStationary);
  CHECK(parse_dataflow("is") == hw::Dataflow::kInputStationary);
  CHECK_THROWS_WITH(parse_dataflow("rs"), Contains("weight_stationary (ws)"));
}

// -------------------------------------------------------------------------------------- resident

TEST_CASE("a resident product takes its preload its folds and its drain and moves nothing") {
  // 8 x 8, weight stationary: 2 x 2 folds of 16 rows behind 8 rows of weights; the last result
  // leaves 8 + 8 - 2 cycles behind its operand row.
  const hw::Counters counters =
      counters_of(resident_request({16, 16, 16}, hw::Dataflow::kWeightStationary));
  CHECK(counters.total == 8 + 4 * 16 + 14);
  const hw::OperatorCounters& op = counters.operators.at(0);
  CHECK(op.macs == 16 * 16 * 16);
  CHECK(op.executions == 0);  // no launch
  CHECK(op.commands == 1);
  for (const hw::ReadWrite& traffic : op.dram) CHECK(traffic.read + traffic.write == 0);
}

TEST_CASE("a resident product that adds to the accumulators loads them first") {
  GemmRequest request = resident_request({8, 16, 8}, hw::Dataflow::kOutputStationary);
  const hw::Cycles overwriting = counters_of(request).total;
  request.accumulate = true;
  CHECK(counters_of(request).total == overwriting + 8);  // one row of C a cycle
}

TEST_CASE("resident operands lie in the buffers of their roles and A and B far apart") {
  const PreparedGemm gemm =
      prepare_gemm(resident_request({16, 24, 8}, hw::Dataflow::kWeightStationary));
  const hw::GemmCommand& command = gemm.resident->gemm;
  const hw::HardwareConfig& hardware = gemm.run.config.hardware;
  CHECK(command.a.region.buffer == hw::buffer_of(hardware, hw::Role::kActivations));
  CHECK(command.b.region.buffer == hw::buffer_of(hardware, hw::Role::kStationary));
  CHECK(command.c.region.buffer == hw::buffer_of(hardware, hw::Role::kAccumulators));
  CHECK(command.a.region.offset == 0);
  CHECK(command.a.region.bytes == 16 * 24);
  CHECK(command.b.region.offset + command.b.region.bytes == 65536);  // up to its top
  CHECK(command.c.region.bytes == 16 * 8 * 4);
  CHECK_FALSE(command.epilogue.has_value());
  CHECK_FALSE(gemm.resident->launches);
}

TEST_CASE("the analytical figure of a resident product is the simulated one without conflicts") {
  for (const hw::Dataflow dataflow : tiny_machine().array.dataflows) {
    const PreparedGemm gemm = prepare_gemm(resident_request({20, 24, 9}, dataflow));
    INFO(hw::to_string(dataflow));
    CHECK(analytical_gemm(gemm).totals.cycles == start_gemm(gemm).wait().total);
  }
}

TEST_CASE("one byte too many does not fit and the message counts it") {
  const hw::GemmShape fits{64, 8, 64};  // C: 64 x 64 x 4 bytes = the accumulators
  CHECK_NOTHROW(prepare_gemm(resident_request(fits, hw::Dataflow::kWeightStationary)));
  CHECK_THROWS_WITH(
      prepare_gemm(resident_request({65, 8, 64}, hw::Dataflow::kWeightStationary)),
      "--resident does not fit: C needs 16640 bytes of buffer 'accumulators', which has 16384: "
      "256 bytes too many");
}

TEST_CASE("a PE by PE run is refused above a billion MACs with an estimate of its time") {
  const hw::ArrayConfig array = tiny_machine().array;
  const auto flow = hw::Dataflow::kWeightStationary;
  CHECK_NOTHROW(check_pe_size(array, flow, {1000, 1000, 1000}));
  CHECK_THROWS_WITH(check_pe_size(array, flow, {1001, 1000, 1000}),
                    Contains("1001x1000x1000 has 1001000000 of them, more than 1000000000") &&
                        Contains("it would take about"));
}

// ------------------------------------------------------------------------------------ PE by PE

TEST_CASE("one wrong number of a product is found and named") {
  Product product = random_product({3, 5, 4}, {8, 8, 16}, true, 7);
  Matrix results = plain_product(product);
  CHECK_NOTHROW(check_product(product, results));
  const std::int64_t right = results[6];
  results[6] += 1;
  results[9] = -results[9] - 1;
  CHECK_THROWS_WITH(check_product(product, results),
                    "2 of 12 results of the array are wrong: the first, C[1][2], is " +
                        std::to_string(right + 1) + ", the product has " + std::to_string(right));
  results.pop_back();
  CHECK_THROWS_AS(check_product(product, results), WrongProduct);
}

TEST_CASE("a plain product is rows times columns plus what was there") {
  CHECK(plain_product({{2, 2, 1}, {1, 2, 3, 4}, {5, 6}, {100, 200}}) ==
        Matrix{100 + 5 + 12, 200 + 15 + 24});
  const Product product = random_product({40, 40, 40}, {4, 8, 16}, false, 1);
  CHECK(*std::min_element(product.a.begin(), product.a.end()) == -8);
  CHECK(*std::max_element(product.a.begin(), product.a.end()) == 7);
  CHECK(*std::min_element(product.b.begin(), product.b.end()) == -128);
  CHECK(product.c.empty());
}

TEST_CASE("the PEs the machine and the closed form take the same cycles for a resident product") {
  struct Engine {
    const char* hardware;
    std::vector<const char*> dataflows;
  };
  const std::vector<Engine> engines{{"gemmini_16x16", {"ws", "os"}},
                                    {"gemmini_8x8", {"ws", "os"}},
                                    {"axis_sa", {"os"}},
                                    {"edge_32x32", {"ws", "os"}},
                                    {"tiny_8x8", {"ws", "os", "is"}}};
  for (const Engine& engine : engines) {
    for (const char* dataflow : engine.dataflows) {
      for (const char* shape : {"1x1x1", "16x16x16", "33x40x17"}) {
        for (const char* accumulate : {"", " --accumulate"}) {
          const std::string product = std::string(shape) + " --hardware " + engine.hardware +
                                      " --dataflow " + dataflow + " --resident" + accumulate;
          INFO(product);
          const auto cycles = [&](const std::string& fidelity) {
            return gemm_json(product + " --fidelity " + fidelity)
                .at("operators")
                .at(0)
                .at("cycles")
                .get<std::int64_t>();
          };
          const std::int64_t pes = cycles("pe");
          CHECK(pes == cycles("transaction"));
          CHECK(pes == cycles("analytical"));
        }
      }
    }
  }
}

TEST_CASE("a product PE by PE is resident and says that its numbers are right") {
  const json known = gemm_json("16x16x16 --hardware tiny_8x8 --dataflow ws --fidelity pe");
  CHECK(known.at("schema") == "tessera-gemm/1");
  CHECK(known.at("fidelity") == "pe");
  CHECK(known.at("config").at("gemm").at("resident") == true);
  CHECK_FALSE(known.at("operators").at(0).contains("attribution"));
  const json& product = known.at("product");
  CHECK(product.at("results") == 16 * 16);
  CHECK(product.at("wrong") == 0);
  // 8 rows of weights, 2 x 2 folds of 16 rows, 8 + 8 - 2 cycles of skew.
  CHECK(product.at("first_row") == 8);
  CHECK(product.at("rows_end") == 8 + 4 * 16);
  CHECK(product.at("completed") == 8 + 4 * 16 + 14);
  const Ran text = run_tessera("gemm 16x16x16 --hardware tiny_8x8 --fidelity pe --width 80");
  CHECK(text.exit_code == 0);
  CHECK_THAT(text.out, Contains("tiny_8x8, pe") && Contains("operands resident") &&
                           Contains("last result is out after 86") &&
                           Contains("256 results of random operands (seed 1)") &&
                           Contains("all equal a plain matrix product") && !Contains("MODEL"));
  CHECK_FALSE(gemm_json("8x8x8 --hardware tiny_8x8 --fidelity analytical").contains("product"));
}

TEST_CASE("what the PEs cannot run is said before they start") {
  check_refused("16x16x16 --hardware edge_32x32 --fidelity pe --precision w4a4",
                "tessera: --fidelity pe computes one MAC a PE and cycle; the array of edge_32x32 "
                "makes 2 of w4a4 (allowed: w4a8, w8a8)");
  CHECK_THAT(run_tessera("gemm 1024x1024x1024 --hardware edge_32x32 --fidelity pe").err,
             StartsWith("tessera: --fidelity pe computes every MAC: 1024x1024x1024 has 1073741824 "
                        "of them, more than 1000000000; it would take about "));
  CHECK_THAT(run_tessera("gemm 512x512x512 --hardware edge_32x32 --fidelity pe").err,
             StartsWith("tessera: --resident does not fit: "));
}

// ---------------------------------------------------------------------------------- command line

TEST_CASE("a product from memory to memory is a run of one operator") {
  const json report = gemm_json("64x96x128 --hardware edge_32x32");
  CHECK(report.at("schema") == "tessera-report/1");
  CHECK(report.at("hardware") == "edge_32x32");
  REQUIRE(report.at("operators").size() == 1);
  const json& row = report.at("operators").at(0);
  CHECK((row.at("m") == 64 && row.at("k") == 96 && row.at("n") == 128));
  CHECK(row.at("macs") == 64 * 96 * 128);
  const json& dram = row.at("traffic").at("dram");
  CHECK(dram.at("activations").at("read_bytes") >= 64 * 96);
  CHECK(dram.at("weights").at("read_bytes") >= 96 * 128);
  CHECK(dram.at("outputs").at("write_bytes") == 64 * 128);
  std::int64_t sum = 0;
  for (const auto& [cause, cycles] : report.at("totals").at("attribution").items()) {
    sum += cycles.get<std::int64_t>();
  }
  CHECK(report.at("totals").at("cycles") == sum);
  CHECK(report.at("config").at("gemm").at("resident") == false);
}

TEST_CASE("options of a product reach the machine") {
  const json resident =
      gemm_json("32x64x32 --hardware edge_32x32 --resident --dataflow os --precision w4a4");
  CHECK(resident.at("precision") == "w4a4");
  CHECK(resident.at("operators").at(0).at("mapping").at("dataflow") == "output_stationary");
  CHECK(resident.at("dram").at("bursts") == 0);
  CHECK(resident.at("totals").at("roofline").is_null());
  const json pinned = gemm_json(
      "64x96x128 --hardware edge_32x32 --set mapping.pin.Gemm.tile.n=32 "
      "--set hardware.vector.lanes=64 --dataflow output_stationary");
  CHECK(pinned.at("operators").at(0).at("mapping").at("tile").at("n") == 32);
  CHECK(pinned.at("operators").at(0).at("mapping").at("dataflow") == "output_stationary");
  CHECK(pinned.at("hardware") == "edge_32x32 (changed)");
  const json by_set = gemm_json("8x8x8 --hardware edge_32x32 --set precision.default=w4a8");
  CHECK(by_set.at("precision") == "w4a8");
}

TEST_CASE("an analytical product is the subset of the report that a closed form knows") {
  const json known = gemm_json("64x96x128 --hardware edge_32x32 --fidelity analytical");
  CHECK(known.at("schema") == "tessera-gemm/1");
  CHECK(known.at("fidelity") == "analytical");
  const json& row = known.at("operators").at(0);
  CHECK_FALSE(row.contains("attribution"));
  CHECK(row.at("cycles") == row.at("mapping").at("analytical_cycles"));
  const json simulated = gemm_json("64x96x128 --hardware edge_32x32");
  CHECK(row.at("mapping") == simulated.at("operators").at(0).at("mapping"));
}

TEST_CASE("the text of a product is a short answer that keeps its width") {
  const Ran ran = run_tessera("gemm 64x96x128 --hardware edge_32x32 --width 80");
  CHECK(ran.exit_code == 0);
  CHECK_THAT(ran.out, StartsWith("(64,96)x(96,128)") && Contains(" cycles") &&
                          Contains(" bounds ") && Contains(" mapping ") && Contains(" DRAM "));
  const Ran resident = run_tessera("gemm 64x96x128 --hardware edge_32x32 --resident");
  CHECK_THAT(resident.out, Contains("operands resident") && !Contains(" DRAM "));
}

TEST_CASE("a product that cannot run is one message and exit code 2") {
  const std::string hardware = " --hardware tiny_8x8";
  check_refused("", "tessera: 'tessera gemm' needs a product: MxKxN, for example 64x256x96");
  check_refused("8x8x8",
                "tessera: 'tessera gemm' needs one --hardware: a name (tessera list "
                "hardware) or a file");
  check_refused("8x8" + hardware,
                "tessera: '8x8' is not a product: it has 2 sizes; write MxKxN, each 1 .. 1048576, "
                "for example 64x256x96");
  check_refused("8x8x0" + hardware,
                "tessera: '8x8x0' is not a product: a size is 0; write MxKxN, each 1 .. 1048576, "
                "for example 64x256x96");
  check_refused("8x8x8" + hardware + " --precision w8a7",
                "tessera: --precision 'w8a7': the array of tiny_8x8 runs w16a16, w4a4, w4a8, w8a8");
  check_refused("8x8x8" + hardware + " --dataflow rs",
                "tessera: 'rs' is not a dataflow: weight_stationary (ws), output_stationary (os), "
                "input_stationary (is)");
  check_refused("8x8x8 --hardware edge_32x32 --dataflow is",
                "tessera: the array of edge_32x32 has no dataflow input_stationary; it has "
                "weight_stationary, output_stationary");
  check_refused("8x8x8" + hardware + " --fidelity p",
                "tessera: --fidelity 'p': fidelities are transaction, pe, analytical; did you mean "
                "'pe'?");
  check_refused("8x8x8" + hardware + " --accumulate",
                "tessera: --accumulate adds to results that are in the accumulators: it needs "
                "--resident");
  check_refused("64x64x64" + hardware + " --resident",
                "tessera: --resident does not fit: C needs 16384 bytes of buffer 'accumulators', "
                "which has 8192: 8192 bytes too many");
  check_refused("8x8x8" + hardware + " --set workload.tokens=3",
                "--set:1:1: error: workload: unknown key\n  workload.tokens=3\n  ^\n"
                "allowed: name, hardware, precision, mapping, roofline");
  CHECK_THAT(run_tessera("gemm 8x8x8 --hardware edge_32").err,
             StartsWith("tessera: there is no hardware called 'edge_32'"));
}

TEST_CASE("two products are compared like two runs") {
  const TemporaryFolder folder;
  const std::string gemm = "gemm 64x96x128 --hardware edge_32x32 --format json";
  write_text(folder / "a.json", run_tessera(gemm).out);
  write_text(folder / "b.json", run_tessera(gemm + " --resident").out);
  const Ran ran = run_tessera("compare a.json b.json", folder.path());
  CHECK(ran.exit_code == 0);
  CHECK_THAT(ran.out, Contains("Gemm"));
}
