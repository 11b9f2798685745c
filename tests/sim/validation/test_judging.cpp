// From figures and ours to the error table: no simulation.
#include <catch2/catch.hpp>

#include "sim/validation/validation_writers.h"

using namespace tessera;
using namespace tessera::sim;
using Catch::Contains;

namespace {

CaseResult result(const std::string& engine, hw::GemmShape shape, hw::Cycles theirs,
                  hw::Cycles ours, const std::string& notes = "",
                  const std::string& dataflow = "WS") {
  CaseResult out;
  out.reference.engine = engine;
  out.reference.rows = out.reference.cols = 16;
  out.reference.dataflow = dataflow;
  out.reference.shape = shape;
  out.reference.cycles = theirs;
  out.reference.notes = Notes(notes);
  out.reference.file = "folder/figures.csv";
  out.reference.line = 2;
  out.ours = ours;
  return out;
}

CaseResult omitted(const std::string& engine, const std::string& reason) {
  CaseResult out = result(engine, {1, 1, 1}, 1, 0);
  out.reason = reason;
  return out;
}

}  // namespace

TEST_CASE("an exact target is missed by one cycle") {
  const Validation good = judge_results({result("gemmini16_array", {8, 8, 8}, 69, 69)});
  REQUIRE(good.engines.size() == 1);
  CHECK(good.engines[0].name == "gemmini16_array WS");
  CHECK(good.engines[0].verdict == Verdict::kHolds);
  CHECK(good.holds());
  const Validation bad =
      judge_results({result("gemmini16_array", {8, 8, 8}, 69, 69),
                     result("gemmini16_array", {8, 8, 8}, 69'000'000, 69'000'001)});
  CHECK(bad.engines[0].verdict == Verdict::kMissed);
  CHECK(bad.engines[0].limits.at(0).text == "1 of 2 to the cycle");
  CHECK_FALSE(bad.holds());
}

TEST_CASE("dataflows of an array are lines of their own") {
  const Validation validation =
      judge_results({result("gemmini16_array", {8, 8, 8}, 69, 69, "", "WS"),
                     result("gemmini16_array", {8, 8, 8}, 93, 93, "", "OS"),
                     result("gemmini16_array", {8, 8, 8}, 69, 69, "", "WS")});
  REQUIRE(validation.engines.size() == 2);
  CHECK(validation.engines[0].statistics.count == 2);
  CHECK(validation.engines[1].name == "gemmini16_array OS");
}

TEST_CASE("a mean and a worst error are judged apart") {
  const Validation validation = judge_results({result("gemmini16_loop", {8, 8, 8}, 1000, 1000),
                                               result("gemmini16_loop", {8, 8, 9}, 1000, 1000),
                                               result("gemmini16_loop", {8, 8, 10}, 1000, 1000),
                                               result("gemmini16_loop", {8, 8, 11}, 1000, 840)});
  const EngineResult& engine = validation.engines.at(0);
  REQUIRE(engine.limits.size() == 2);
  CHECK(engine.limits[0].holds);  // mean 4 %
  CHECK_FALSE(engine.limits[1].holds);
  CHECK(engine.limits[1].text == "worst 16.00 % of 15 %");
  CHECK(engine.statistics.worst_index == 3);
}

TEST_CASE("where slower memory is faster it must be faster here") {
  const auto pair = [](hw::Cycles fast, hw::Cycles slow) {
    return judge_results(
        {result("gemmini16_loop", {64, 256, 96}, 9386, fast, "mem_lat=20; tile=4x6x16"),
         result("gemmini16_loop", {64, 256, 96}, 8795, slow, "mem_lat=50; tile=4x6x16")});
  };
  CHECK(pair(9300, 8900).holds());
  CHECK_FALSE(pair(9300, 9300).holds());
  CHECK(pair(9300, 9300).engines[0].limits.back().text == "slower memory faster: 0 of 1 pairs");
  // Another tile is another program; 1 % is no sign.
  const Validation none = judge_results(
      {result("gemmini16_loop", {64, 256, 96}, 9386, 9386, "mem_lat=20; tile=4x6x16"),
       result("gemmini16_loop", {64, 256, 96}, 8795, 9000, "mem_lat=50; tile=2x6x16"),
       result("gemmini16_loop", {64, 256, 96}, 9300, 9386, "mem_lat=50; tile=4x6x16")});
  CHECK(none.holds());
  CHECK(none.engines[0].limits.size() == 2);
}

TEST_CASE("RedMulE's limits are of full tiles and of shapes that fill the array") {
  const auto redmule = [](hw::GemmShape shape, hw::Cycles ours) {
    CaseResult one = result("redmule", shape, 1000, ours, "W=12 H=4 P=3", "OS-semi");
    one.reference.rows = 12;
    one.reference.cols = 4;
    return judge_results({one});
  };
  CHECK(redmule({24, 32, 32}, 1009).holds());        // full tiles
  CHECK_FALSE(redmule({24, 32, 32}, 1011).holds());  // 1.1 %
  CHECK(redmule({25, 32, 32}, 1019).holds());        // a partial tile: 2 % on average
  CHECK_FALSE(redmule({25, 32, 32}, 1021).holds());
  CHECK(redmule({8, 8, 8}, 1500).engines[0].verdict == Verdict::kNoTarget);  // smaller than W x D
}

TEST_CASE("what cannot be compared is counted by reason and never dropped") {
  const Validation validation = judge_results(
      {omitted("eyeriss", "the engine is not known"), omitted("eyeriss", "the engine is not known"),
       omitted("axis_sa", "there is no hardware called 'axis_sa'")});
  REQUIRE(validation.omissions.size() == 2);
  CHECK(validation.omissions[0].count == 2);
  CHECK(validation.compared == 0);
  CHECK(validation.holds());
  CHECK_THAT(validation_text(validation, {}),
             Contains("nothing was compared") &&
                 Contains("eyeriss, 2 rows: the engine is not known") &&
                 Contains("axis_sa, 1 row: there is no hardware"));
}

TEST_CASE("a simulation that fails is a missed target, not an omission") {
  CaseResult failed = result("gemmini16_dma", {64, 64, 64}, 891, 0);
  failed.failed = true;
  failed.reason = "the simulation failed: deadlock";
  const Validation validation = judge_results({failed});
  CHECK_FALSE(validation.holds());
  CHECK(validation.omissions.empty());
  CHECK_THAT(validation_text(validation, {}), Contains("FAILED") && Contains("deadlock"));
  CHECK(validation_json(validation, true).at("engines").at(0).at("median_percent").is_null());
}

TEST_CASE("the table comes as text Markdown and JSON") {
  const Validation validation =
      judge_results({result("gemmini16_loop", {64, 64, 64}, 2000, 2050, "mem_lat=20"),
                     result("gemmini16_loop", {8, 8, 8}, 200, 198, "mem_lat=20")});
  const std::string text = validation_text(validation, {100, true, false});
  CHECK_THAT(text, Contains("2 figures compared; every target holds"));
  CHECK_THAT(text, Contains("64x64x64 mem_lat=20") && Contains("+2.50") && Contains("-1.00"));
  const std::string markdown = validation_markdown(validation, false);
  CHECK_THAT(markdown,
             Contains("| gemmini16_loop | 2 | 1.75 | 1.75 | 2.50 | holds | 64x64x64 mem_lat=20 |"));
  CHECK_THAT(markdown, !Contains("Every figure"));
  const auto json = validation_json(validation, true);
  CHECK(json.at("schema") == "tessera-validation/1");
  CHECK(json.at("engines").at(0).at("worst_percent") == Approx(2.5));
  CHECK(json.at("engines").at(0).at("cases").at(1).at("error_percent") == Approx(-1));
  CHECK(json.at("engines").at(0).at("worst_case").at("file") == "figures.csv");
  CHECK_FALSE(validation_json(validation, false).at("engines").at(0).contains("cases"));
}
