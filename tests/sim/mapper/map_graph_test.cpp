#include <catch2/catch.hpp>

#include <random>

#include "sim/mapper/gemm_search.h"
#include "sim/mapper/pins.h"
#include "sim/mapper/placement.h"
#include "tests/sim/mapper/mapper_fixtures.h"
#include "workloads/model_descriptor.h"
#include "workloads/passes/passes.h"

namespace tessera::sim {
namespace {

using namespace fixtures;
using workloads::Graph;

workloads::ModelDescriptor vit() {
  workloads::ModelDescriptor model;
  model.name = "siglip";
  model.hidden_size = 768;
  model.num_hidden_layers = 2;
  model.num_attention_heads = model.num_key_value_heads = 12;
  model.head_dim = 64;
  model.intermediate_size = 3072;
  model.hidden_act = workloads::Activation::kGeluTanh;
  model.image_size = 512;
  model.patch_size = 16;
  model.mask = workloads::Mask::kFull;
  return model;
}

workloads::ModelDescriptor decoder() {
  workloads::ModelDescriptor model;
  model.name = "smollm2";
  model.family = workloads::Family::kDecoder;
  model.hidden_size = 960;
  model.num_hidden_layers = 2;
  model.num_attention_heads = 15;
  model.num_key_value_heads = 5;
  model.head_dim = 64;
  model.intermediate_size = 2560;
  model.hidden_act = workloads::Activation::kSilu;
  model.gated_mlp = true;
  model.norm = workloads::Norm::kRmsNorm;
  model.vocab_size = 49152;
  model.max_position_embeddings = 8192;
  model.rope = true;
  model.mask = workloads::Mask::kCausal;
  model.lm_head = workloads::LmHead::kLastToken;
  model.tokens = 50;
  return model;
}

Graph model_graph() {
  workloads::PhaseRequest vision, text;
  vision.phase = "vision";
  vision.model = vit();
  text.phase = "text";
  text.model = decoder();
  text.tokens = 50;
  return workloads::fuse(workloads::apply_precision(workloads::build_graph({vision, text}), {}),
                         {});
}

/// A graph of random products: every operator reads two earlier tensors and writes a new one.
Graph random_graph(std::mt19937& random, int operators) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  constexpr std::int64_t kSide = 16;
  const auto square = [](workloads::TensorId id) {
    workloads::MatrixView view;
    view.tensor = id;
    view.rows = view.row_stride = view.cols = kSide;
    return view;
  };
  Graph graph;
  const auto add_tensor = [&](workloads::TensorClass cls) {
    workloads::Tensor tensor;
    tensor.name = "t" + std::to_string(graph.tensors.size());
    tensor.shape = {kSide, kSide};
    tensor.cls = cls;
    graph.tensors.push_back(tensor);
    return static_cast<workloads::TensorId>(graph.tensors.size() - 1);
  };
  add_tensor(workloads::TensorClass::kActivations);
  for (int i = 0; i < operators; ++i) {
    workloads::Operator op;
    op.name = "Op" + std::to_string(i);
    op.phase = "p";
    op.m = op.k = op.n = kSide;
    const int last = static_cast<int>(graph.tensors.size()) - 1;
    const auto a = pick(0, last);
    const auto b = pick(0, 2) == 0 ? add_tensor(workloads::TensorClass::kWeights) : pick(0, last);
    op.inputs = {square(a), square(b)};
    op.outputs = {square(add_tensor(workloads::TensorClass::kActivations))};
    op.epilogue = {{"", "requantise"}};
    graph.operators.push_back(op);
  }
  return graph;
}

void require_slots_apart(const Plan& plan, const hw::HardwareConfig& hardware) {
  for (const OperatorPlan& op : plan.operators) {
    const auto slots = slots_of(op);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      const auto& buffer = hardware.buffers[static_cast<std::size_t>(slots[i]->buffer)];
      REQUIRE(slots[i]->offset >= 0);
      REQUIRE(slots[i]->offset % buffer.width == 0);
      REQUIRE(slots[i]->offset + slots[i]->bytes * slots[i]->count <= buffer.capacity);
      for (std::size_t j = 0; j < i; ++j) {
        if (slots[i]->buffer != slots[j]->buffer) continue;
        const bool apart =
            slots[i]->offset + slots[i]->bytes * slots[i]->count <= slots[j]->offset ||
            slots[j]->offset + slots[j]->bytes * slots[j]->count <= slots[i]->offset;
        REQUIRE(apart);
      }
    }
  }
}

void require_tensors_apart(const Graph& graph, const Plan& plan) {
  const auto& tensors = plan.tensors;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].address < 0) continue;
    REQUIRE(tensors[i].address % tensors[i].alignment == 0);
    REQUIRE(tensors[i].bytes >= workloads::stored_bytes(graph.tensors[i]));
    for (std::size_t j = 0; j < i; ++j) {
      if (tensors[j].address < 0) continue;
      const bool together = tensors[i].first_use <= tensors[j].last_use &&
                            tensors[j].first_use <= tensors[i].last_use;
      const bool apart = tensors[i].address + tensors[i].bytes <= tensors[j].address ||
                         tensors[j].address + tensors[j].bytes <= tensors[i].address;
      REQUIRE((apart || !together));
    }
  }
}

const OperatorPlan& named(const Plan& plan, const std::string& name) {
  for (const OperatorPlan& op : plan.operators) {
    if (op.name == name) return op;
  }
  throw std::out_of_range(name);
}

}  // namespace

TEST_CASE("every operator of an encoder and a decoder is mapped and placed") {
  const Graph graph = model_graph();
  const hw::HardwareConfig hardware = edge();
  Plan plan = map_graph(graph, hardware, {});
  REQUIRE(plan.operators.size() == graph.operators.size());
  REQUIRE(plan.tensors.size() == graph.tensors.size());
  require_slots_apart(plan, hardware);
  require_tensors_apart(graph, plan);
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    const OperatorPlan& op = plan.operators[i];
    INFO(op.name);
    CHECK(op.cost.latency > 0);
    CHECK(op.lower_bound_bytes <= op.least_dram_bytes);
    CHECK(op.least_dram_bytes <= op.cost.dram_bytes);
    CHECK(price(graph, graph.operators[i], op, hardware).latency == op.cost.latency);
  }
  CHECK_NOTHROW(validate_plan(plan, graph, hardware));
}

TEST_CASE("equal operators of all layers share one mapping but not their places") {
  const Graph graph = model_graph();
  const Plan plan = map_graph(graph, edge(), {});
  const GemmMapping& first = named(plan, "vision.L0.MLP_FC1").gemm;
  const GemmMapping& second = named(plan, "vision.L1.MLP_FC1").gemm;
  CHECK(first.tile.m == second.tile.m);
  CHECK(first.tile.k == second.tile.k);
  CHECK(first.tile.n == second.tile.n);
  CHECK(first.order == second.order);
}

TEST_CASE("validation keeps what the mapper says of a plan") {
  const Graph graph = model_graph();
  const hw::HardwareConfig hardware = edge();
  const Plan plan = map_graph(graph, hardware, {});
  Plan checked = plan;
  validate_plan(checked, graph, hardware);
  for (std::size_t i = 0; i < plan.operators.size(); ++i) {
    INFO(plan.operators[i].name);
    CHECK(checked.operators[i].cost.latency == plan.operators[i].cost.latency);
    CHECK(checked.operators[i].cost.dram_bytes == plan.operators[i].cost.dram_bytes);
    CHECK(checked.operators[i].least_dram_bytes == plan.operators[i].least_dram_bytes);
    CHECK(checked.operators[i].lower_bound_bytes == plan.operators[i].lower_bound_bytes);
  }
}

TEST_CASE("tensors that are alive together never overlap in random graphs") {
  std::mt19937 random(9);
  for (int trial = 0; trial < 50; ++trial) {
    const Graph graph = random_graph(random, 30);
    const hw::HardwareConfig hardware = edge();
    Plan plan = map_graph(graph, hardware, {});
    require_tensors_apart(graph, plan);
    require_slots_apart(plan, hardware);
    CHECK_NOTHROW(validate_plan(plan, graph, hardware));
  }
}

TEST_CASE("activation memory is used again once a tensor is dead") {
  const Graph graph = model_graph();
  const Plan plan = map_graph(graph, edge(), {});
  std::int64_t end = 0;
  Bytes all = 0;
  for (const TensorAllocation& tensor : plan.tensors) {
    if (tensor.address < 0) continue;
    end = std::max(end, tensor.address + tensor.bytes);
    all += tensor.bytes;
  }
  CHECK(end < all);
}

TEST_CASE("a tensor that fusion removed takes no memory") {
  const Graph graph = model_graph();
  const Plan plan = map_graph(graph, edge(), {});
  bool any = false;
  for (const TensorAllocation& tensor : plan.tensors) any = any || tensor.address == -1;
  CHECK(any);
}

TEST_CASE("partial sums that leave the chip have scratch memory of their own") {
  std::mt19937 random(1);
  Graph graph = random_graph(random, 3);
  MappingConfig config;
  MappingPin pin;
  pin.pattern = "Op1";
  pin.tile_m = pin.tile_k = pin.tile_n = 8;
  pin.loop_order = "kmn";
  config.pins = {pin};
  const hw::HardwareConfig hardware = edge();
  const Plan plan = map_graph(graph, hardware, config);
  const GemmMapping& spilling = plan.operators[1].gemm;
  CHECK(plan.operators[1].pinned);
  CHECK(spilling.spill_bytes == 16 * 16 * 4);
  for (const TensorAllocation& tensor : plan.tensors) {
    if (tensor.address < 0 || tensor.first_use > 1 || tensor.last_use < 1) continue;
    const bool apart = tensor.address + tensor.bytes <= spilling.spill_address ||
                       spilling.spill_address + spilling.spill_bytes <= tensor.address;
    CHECK(apart);
  }
  CHECK(plan.operators[0].gemm.spill_address == -1);
}

TEST_CASE("pins match names with stars and bare operator names") {
  workloads::Operator op;
  op.name = "MLP_FC2";
  op.phase = "vision";
  op.layer = 3;
  CHECK(matches("vision.*.MLP_FC2", op));
  CHECK(matches("vision.L3.MLP_FC2", op));
  CHECK(matches("MLP_*", op));
  CHECK(matches("*.L3.*", op));
  CHECK_FALSE(matches("vision.L4.*", op));
  CHECK_FALSE(matches("vision", op));
  CHECK_FALSE(matches("MLP_FC", op));
}

TEST_CASE("a pin that matches nothing or names nothing known is refused") {
  std::mt19937 random(1);
  const Graph graph = random_graph(random, 2);
  MappingConfig config;
  config.pins.resize(1);
  config.pins[0].pattern = "Op7";
  CHECK_THROWS_WITH(map_graph(graph, edge(), config), Catch::Contains("Op7"));
  config.pins[0].pattern = "Op1";
  config.pins[0].dataflow = "input_stationary";
  CHECK_THROWS_WITH(map_graph(graph, edge(), config),
                    Catch::Contains("it has weight_stationary, output_stationary"));
  config.pins[0].dataflow = "";
  config.pins[0].loop_order = "mkk";
  CHECK_THROWS_WITH(map_graph(graph, edge(), config), Catch::Contains("permutation"));
}

TEST_CASE("an operation or precision that the machine lacks is named with the known ones") {
  std::mt19937 random(1);
  Graph graph = random_graph(random, 1);
  hw::HardwareConfig hardware = edge();
  hardware.vector.operations.erase("requantise");
  CHECK_THROWS_WITH(map_graph(graph, hardware, {}),
                    Catch::Contains("'requantise'") && Catch::Contains("softmax"));
  for (auto& tensor : graph.tensors) tensor.format.bits = 4;
  CHECK_THROWS_WITH(map_graph(graph, edge(), {}),
                    Catch::Contains("w4a4") && Catch::Contains("w8a8"));
}

TEST_CASE("tiles of elements narrower than a byte start on whole bytes") {
  std::mt19937 random(1);
  Graph graph = random_graph(random, 2);
  for (auto& tensor : graph.tensors) {
    if (tensor.cls == workloads::TensorClass::kWeights) tensor.format.bits = 4;
  }
  hw::HardwareConfig hardware = edge();
  hardware.array.throughput["w4a8"] = 1;
  MappingConfig config;
  config.pins.resize(1);
  config.pins[0].pattern = "Op1";
  config.pins[0].tile_n = 3;
  CHECK_THROWS_WITH(map_graph(graph, hardware, config),
                    Catch::Contains("tile_n = 3") && Catch::Contains("multiple of 2"));
  config.pins[0].tile_n = 4;
  Plan plan = map_graph(graph, hardware, config);
  plan.operators[1].gemm.tile.n = 3;
  CHECK_THROWS_WITH(validate_plan(plan, graph, hardware),
                    Catch::Contains("tile n = 3 is no multiple of 2"));
}

TEST_CASE("matrices of elements narrower than a byte begin on whole bytes") {
  workloads::Tensor tensor;
  tensor.name = "heads";
  tensor.shape = {4, 18};
  tensor.format.bits = 4;
  workloads::MatrixView view;
  view.tensor = 0;
  view.batch[1] = {2, 9};  // two heads of nine columns: the second begins inside a byte
  view.rows = 4;
  view.row_stride = 18;
  view.cols = 9;
  Graph graph;
  graph.tensors = {tensor};
  CHECK_THROWS_WITH(operand_layout(graph, view),
                    Catch::Contains("'heads'") && Catch::Contains("9 columns of 4 bits"));
  graph.tensors[0].format.bits = 8;
  CHECK_NOTHROW(operand_layout(graph, view));
}

TEST_CASE("validation names what is wrong with an edited plan") {
  std::mt19937 random(2);
  const Graph graph = random_graph(random, 4);
  const hw::HardwareConfig hardware = edge();
  const Plan good = map_graph(graph, hardware, {});
  Plan plan = good;
  plan.operators[1].gemm.tile.k = 17;
  CHECK_THROWS_WITH(validate_plan(plan, graph, hardware), Catch::Contains("tile k = 17"));
  plan = good;
  plan.operators[1].gemm.a.offset = 512 << 10;
  CHECK_THROWS_WITH(validate_plan(plan, graph, hardware), Catch::Contains("'activations'"));
  plan = good;
  plan.operators[1].gemm.outputs.offset = plan.operators[1].gemm.a.offset;
  CHECK_THROWS_WITH(validate_plan(plan, graph, hardware), Catch::Contains("overlap"));
  plan = good;
  plan.operators[1].gemm.b.bytes = 32;
  CHECK_THROWS_WITH(validate_plan(plan, graph, hardware), Catch::Contains("a tile needs 256"));
  plan = good;
  plan.operators[1].gemm.a.buffer = 1;
  CHECK_THROWS_WITH(validate_plan(plan, graph, hardware), Catch::Contains("does not serve"));
  plan = good;
  plan.tensors[static_cast<std::size_t>(graph.operators[1].outputs[0].tensor)].address =
      plan.tensors[static_cast<std::size_t>(graph.operators[1].inputs[0].tensor)].address;
  CHECK_THROWS_WITH(validate_plan(plan, graph, hardware), Catch::Contains("both are alive"));
}

TEST_CASE("the next operators slots lie behind the ones in use") {
  std::mt19937 random(2);
  const Graph graph = random_graph(random, 4);
  const Plan plan = map_graph(graph, edge(), {});
  for (std::size_t i = 1; i < plan.operators.size(); ++i) {
    const Slots& before = plan.operators[i - 1].gemm.b;
    CHECK(plan.operators[i].gemm.b.offset == before.offset + before.bytes * before.count);
  }
}

}  // namespace tessera::sim
