#include <catch2/catch.hpp>

#include "sample.h"

using namespace tessera;
using namespace tessera::sim;
using namespace tessera::sim::test;
using Json = nlohmann::ordered_json;
using Catch::Contains;

namespace {

/// The encoder with twice the lanes: each Softmax waits half as long.
Sample faster_sample() {
  Sample sample = edge_sample();
  sample.config.resolved["hardware"]["vector"]["lanes"] = 64;
  add_phase(sample, "vision", "Test-ViT, 1 image");
  for (int layer = 0; layer < 2; ++layer) {
    add_gemm(sample, "Attn_Q", layer, 1024, 768, 768, 500);
    add_softmax(sample, layer, 12288, 1024, 686'000);
    add_gemm(sample, "MLP_FC1", layer, 1024, 768, 3072, 2400, 1.5);
  }
  return sample;
}

}  // namespace

TEST_CASE("comparison finds the operator and the cause that moved most") {
  const Json a = report_json(encoder_sample().report());
  const Json b = report_json(faster_sample().report());
  const Json json = compare_json(a, b);
  CHECK_FALSE(json["identical"].get<bool>());
  CHECK(json["totals"]["cycles"]["delta"] == -2 * 686'000 + 2 * 400);
  CHECK(json["totals"]["moved_most"] == "wait_vector");
  const Json& softmax = json["operators"][0];
  CHECK(softmax["name"] == "vision.Softmax");
  CHECK(softmax["moved_most"] == "wait_vector");
  CHECK(softmax["cycles"]["delta"] == -1'372'000);
  CHECK(json["operators"][1]["moved_most"] == "wait_weights");
  CHECK(json["config"][0]["path"] == "hardware.vector.lanes");
  const std::string text = compare_text(a, b, {100, false, false});
  CHECK_THAT(text, Contains("hardware.vector.lanes: 32 -> 64") &&
                       Contains("wait_vector -1,372,000") &&
                       Contains("1 of 3 operators did not change"));
}

TEST_CASE("identical reports are said to be identical") {
  const Json a = report_json(encoder_sample().report());
  CHECK(compare_json(a, a)["identical"] == true);
  CHECK_THAT(compare_text(a, a, {100, false, false}), Contains("identical"));
}

TEST_CASE("an operator that only one report has is named") {
  const Json a = report_json(encoder_sample().report());
  Sample sample = encoder_sample();
  add_gemm(sample, "Extra", -1, 64, 64, 64, 0);
  const std::string text = compare_text(a, report_json(sample.report()), {100, false, false});
  CHECK_THAT(text, Contains("vision.Extra") && Contains("only in the new report"));
}

TEST_CASE("only what moved has a row, and bytes alone keep their column") {
  const Json a = report_json(encoder_sample().report());
  Json b = a;
  b["operators"][0]["traffic"]["dram"]["weights"]["read_bytes"] = 0;
  b["operators"][1]["attribution"]["compute"] = 0;  // a cause alone
  const std::string text = compare_text(a, b, {80, false, false});
  CHECK_THAT(text, Contains("DRAM MB") && Contains("vision.Attn_Q") && !Contains("vision.Softmax"));
}

TEST_CASE("an incomplete report is told by what it lacks") {
  const Json a = report_json(encoder_sample().report());
  Json part = a;
  part["operators"][0].erase("attribution");
  CHECK_THROWS_WITH(compare_json(a, part), "not a complete report: 'attribution' is missing");
  part["operators"] = 3;
  CHECK_THROWS_WITH(compare_json(a, part), "not a complete report: 'operators' is not a list");
}

TEST_CASE("what is no report is refused") {
  const Json a = report_json(encoder_sample().report());
  CHECK_THROWS_AS(compare_json(a, Json::object()), std::invalid_argument);
  CHECK_THROWS_AS(compare_text(Json(3), a, {}), std::invalid_argument);
  Json part = a;
  part["operators"][0].erase("attribution");
  CHECK_THROWS_AS(compare_json(a, part), std::invalid_argument);
}
