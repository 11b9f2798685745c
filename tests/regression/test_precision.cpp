// What precisions do to whole runs: STUDY.md's question about INT8 and INT4, with its bound.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/command_line.h"

using namespace tessera::test;

namespace {

using Json = nlohmann::ordered_json;

Json report_of(const std::string& arguments) {
  const Ran ran = run_tessera("run " + arguments + " --format json");
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  return Json::parse(ran.out);
}

double seconds(const Json& report) { return report["totals"]["time_s"]; }
std::string bound(const Json& report) { return report["totals"]["roofline"]["bound"]; }
double traffic(const Json& report, const char* cls) {
  const Json& moved = report["totals"]["traffic"]["dram"][cls];
  return moved["read_bytes"].get<double>() + moved["write_bytes"].get<double>();
}

/// Four layers: enough for the ratio, which is that of all.
std::string text(const std::string& sets) {
  return "smollm2_edge --set workload.model.num_hidden_layers=4 --set "
         "workload.model.lm_head=none "
         "--set mapping.residency=auto " +
         sets;
}

struct Pair {
  Json int8, w4a8;
  double gain() const { return seconds(int8) / seconds(w4a8); }
};

Pair both(const std::string& run) {
  return {report_of(run), report_of(run + " --set precision.weights=int4")};
}

}  // namespace

TEST_CASE("four-bit weights follow the bound, not a slogan") {
  // Ideal: weights are 82 % of the bytes; with compute as the bound, none.
  const Pair edge = both(text(""));
  CHECK(bound(edge.int8) == "compute");
  CHECK(bound(edge.w4a8) == "compute");
  CHECK(edge.gain() > 1.0);
  CHECK(edge.gain() < 1.04);
  const Pair wide = both(text("--set hardware.array.rows=64 --set hardware.array.cols=64"));
  CHECK(bound(wide.int8) == "dram");
  CHECK(wide.gain() > 1.5);
  const Pair narrow = both(text("--set hardware.dram.channels=1"));
  CHECK(bound(narrow.int8) == "dram");
  CHECK(narrow.gain() > 1.5);
  const Pair vision = both(
      "siglip_edge --set workload.model.num_hidden_layers=1 --set hardware.dram.model=bandwidth");
  CHECK(bound(vision.int8) == "compute");
  CHECK(vision.gain() < 1.02);
}

TEST_CASE("decoding takes the time that its bytes take at sustained bandwidth") {
  const Json step = report_of(
      "smollm2_decode_edge --set hardware.dram.model=bandwidth --set "
      "hardware.dram.channels=1");
  CHECK(bound(step) == "dram");
  const double sustained = step.at("config").at("hardware").at("dram").at("efficiency");
  const double bytes = step["dram"]["bursts"].get<double>() * 32;
  CHECK(seconds(step) == Approx(bytes / (12.8e9 * sustained)).epsilon(0.03));
}

TEST_CASE("group scales and wider tensors move more bytes") {
  const std::string run =
      "smollm2_edge --set workload.model.num_hidden_layers=1 --set "
      "fidelity=analytical --set precision.default=w4a8";
  const Json plain = report_of(run);
  const Json grouped = report_of(run + " --set precision.groups.size=128");
  CHECK(traffic(grouped, "weights") / traffic(plain, "weights") ==
        Approx(1 + 0.125 / 4).epsilon(0.01));
  CHECK(traffic(report_of(run + " --set precision.norm=fp16"), "outputs") >
        1.1 * traffic(plain, "outputs"));
  CHECK(traffic(report_of(run + " --set precision.kv_cache=int4"), "kv_cache") ==
        Approx(0.5 * traffic(plain, "kv_cache")));
}

TEST_CASE("weights of four bits run as 16-bit floats, dequantised on the way") {
  const std::string run =
      "smollm2_edge --set workload.model.num_hidden_layers=1 --set precision.default=";
  const Json floats = report_of(run + "bf16");
  const Json narrow = report_of(run + "w4bf16");
  const Json slow = report_of(run + "w4bf16 --set hardware.array.dequantise=1");
  CHECK(floats["totals"]["macs"] == narrow["totals"]["macs"]);
  CHECK(traffic(narrow, "weights") < 0.26 * traffic(floats, "weights"));
  CHECK(seconds(slow) > 2 * seconds(narrow));
}
