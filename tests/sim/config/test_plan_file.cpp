// A plan written as YAML reads back as itself; an impossible one is refused.
#include <catch2/catch.hpp>

#include "tests/sim/config/config_fixture.h"

namespace tessera::sim {

namespace {

workloads::Graph small_graph() {
  workloads::Graph graph;
  for (const char* name : {"text.x", "text.L0.w", "text.L0.y", "text.L0.z"}) {
    workloads::Tensor tensor;
    tensor.name = name;
    tensor.shape = {64, 64};
    graph.tensors.push_back(tensor);
  }
  workloads::Operator gemm;
  gemm.name = "MLP_FC1";
  gemm.phase = "text";
  gemm.layer = 0;
  gemm.kind = workloads::OperatorKind::kGemm;
  workloads::Operator norm = gemm;
  norm.name = "Norm";
  norm.kind = workloads::OperatorKind::kRmsNorm;
  graph.operators = {gemm, norm};
  return graph;
}

Plan small_plan(const workloads::Graph& graph) {
  Plan plan;
  OperatorPlan gemm;
  gemm.name = qualified_name(graph.operators[0]);
  gemm.gemm.dataflow = hw::Dataflow::kOutputStationary;
  gemm.gemm.tile = {16, 64, 24};
  gemm.gemm.order = {LoopDim::kN, LoopDim::kK, LoopDim::kM};
  gemm.gemm.resident_b = true;
  gemm.gemm.a = {0, 0, 1024, 2};
  gemm.gemm.b = {1, 100, 1536, 3};
  gemm.gemm.accumulators = {2, 0, 1536, 1};
  OperatorPlan norm;
  norm.name = qualified_name(graph.operators[1]);
  norm.is_gemm = false;
  norm.vector.rows = 8;
  norm.vector.cols = 64;
  norm.vector.inputs = {{0, 2048, 512, 2}};
  norm.vector.outputs = {{0, 4096, 512, 2}};
  norm.vector.parameters = {0, 8192, 64, 1};
  plan.operators = {gemm, norm};
  plan.tensors = {
      {"text.x", 4096, 4096, 64, Layout::kRowMajor, 0, 0, 1024, Lifetime::kActivation, 0, 0},
      {"text.L0.w", 8192, 4096, 64, Layout::kRowMajor, 0, 0, 1024, Lifetime::kWeight, 0, 0},
      {"text.L0.y", -1, 0, 0, Layout::kRowMajor, 0, 0, 0, Lifetime::kActivation, 0, 1},
      {"text.L0.z", 16384, 4160, 65, Layout::kRowMajor, 0, 0, 1, Lifetime::kPersistent, 1, 1}};
  return plan;
}

bool same(const Slots& a, const Slots& b) {
  return a.buffer == b.buffer && a.offset == b.offset && a.bytes == b.bytes && a.count == b.count &&
         a.stride == b.stride;
}

void check_same_gemm(const GemmMapping& a, const GemmMapping& b) {
  CHECK(a.dataflow == b.dataflow);
  CHECK((a.tile.m == b.tile.m && a.tile.k == b.tile.k && a.tile.n == b.tile.n));
  CHECK(a.order == b.order);
  CHECK((a.resident_a == b.resident_a && a.resident_b == b.resident_b));
  CHECK(same(a.a, b.a));
  CHECK(same(a.b, b.b));
  CHECK(same(a.accumulators, b.accumulators));
  CHECK(a.outputs.count == b.outputs.count);
}

std::string error_of_plan(const std::string& text) {
  ConfigFolder folder;
  folder.write("plan.yaml", text);
  try {
    read_plan_file("plan.yaml", small_graph(), load_hardware("tiny_8x8"));
  } catch (const ConfigError& error) {
    const std::string message = error.what();
    return message.substr(0, message.find('\n'));
  }
  return "";
}

std::string written() {
  return write_plan_yaml(small_plan(small_graph()), load_hardware("tiny_8x8"));
}

}  // namespace

TEST_CASE("a plan reads back as it was written") {
  ConfigFolder folder;
  const workloads::Graph graph = small_graph();
  const hw::HardwareConfig hardware = load_hardware("tiny_8x8");
  const Plan plan = small_plan(graph);
  const std::string text = write_plan_yaml(plan, hardware);
  folder.write("plan.yaml", text);
  const Plan again = read_plan_file("plan.yaml", graph, hardware);
  CHECK(write_plan_yaml(again, hardware) == text);
  REQUIRE(again.operators.size() == 2);
  CHECK(again.operators[0].is_gemm);
  check_same_gemm(again.operators[0].gemm, plan.operators[0].gemm);
  CHECK(again.operators[1].vector.rows == 8);
  CHECK(same(again.operators[1].vector.inputs[0], plan.operators[1].vector.inputs[0]));
  CHECK(same(again.operators[1].vector.outputs[0], plan.operators[1].vector.outputs[0]));
  CHECK(same(again.operators[1].vector.parameters, plan.operators[1].vector.parameters));
  REQUIRE(again.tensors.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(again.tensors[i].name == plan.tensors[i].name);
    CHECK(again.tensors[i].address == plan.tensors[i].address);
    CHECK(again.tensors[i].bytes == plan.tensors[i].bytes);
    CHECK(again.tensors[i].pitch == plan.tensors[i].pitch);
    CHECK(again.tensors[i].layout == plan.tensors[i].layout);
    CHECK(again.tensors[i].alignment == plan.tensors[i].alignment);
    CHECK(again.tensors[i].lifetime == plan.tensors[i].lifetime);
    CHECK(again.tensors[i].last_use == plan.tensors[i].last_use);
  }
}

TEST_CASE("slots that lie apart read back with their stride") {
  ConfigFolder folder;
  const workloads::Graph graph = small_graph();
  const hw::HardwareConfig hardware = load_hardware("tiny_8x8");
  Plan plan = small_plan(graph);
  plan.operators[0].gemm.a = {0, 512, 1024, 2, 8192};
  plan.operators[0].gemm.accumulators = {2, 0, 1536, 2, 4096};
  const std::string text = write_plan_yaml(plan, hardware);
  folder.write("plan.yaml", text);
  const Plan again = read_plan_file("plan.yaml", graph, hardware);
  check_same_gemm(again.operators[0].gemm, plan.operators[0].gemm);
  CHECK(again.operators[0].gemm.a.at(1) == 512 + 8192);
  CHECK(write_plan_yaml(again, hardware) == text);
  CHECK_THAT(error_of_plan(replaced(text, "stride: 8 KiB", "stride: 512 B")),
             Catch::Contains("the stride is less than a slot's bytes"));
  CHECK_THAT(error_of_plan(replaced(text, "stride: 4 KiB", "stride: 7 KiB")),
             Catch::Contains("reach beyond 'accumulators'"));
}

TEST_CASE("a plan that does not fit the run is refused") {
  CHECK(error_of_plan(written()) == "");
  CHECK(error_of_plan(replaced(written(), "MLP_FC1", "MLP_FC9")) ==
        "plan.yaml:4:3: error: operators.\"text.L0.MLP_FC9\": the run has no such operator");
  CHECK(error_of_plan(replaced(written(), "text.L0.w", "text.L0.v")) ==
        "plan.yaml:20:3: error: tensors.\"text.L0.v\": the run has no such tensor");
  CHECK(error_of_plan(written() + "  text.L1.w: {}\n") ==
        "plan.yaml:23:3: error: tensors.\"text.L1.w\": the run has no such tensor");
  CHECK(error_of_plan(replaced(written(), "nkm", "nkk")) ==
        "plan.yaml:7:17: error: operators.\"text.L0.MLP_FC1\".loop_order: nkk is not allowed (mkn, "
        "mnk, kmn, knm, nmk, nkm)");
  CHECK(error_of_plan(replaced(written(), "count: 3", "count: 30")) ==
        "plan.yaml:10:8: error: operators.\"text.L0.MLP_FC1\".b: 30 x 1536 B at 100 B reach beyond "
        "'weights' (16 KiB)");
  CHECK(error_of_plan("schema: tessera-plan/2\n") ==
        "plan.yaml:1:9: error: schema: tessera-plan/2 is not allowed (tessera-plan/1)");
  CHECK(error_of_plan("operators: {}\n") == "plan.yaml:1:1: error: schema: the key is missing");
}

}  // namespace tessera::sim
