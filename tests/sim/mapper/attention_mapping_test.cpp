// Mapping of fused attention: what it moves, what it takes, what it refuses.
#include "sim/mapper/attention_mapping.h"

#include <catch2/catch.hpp>

#include "sim/mapper/placement.h"
#include "tests/sim/mapper/mapper_fixtures.h"
#include "tests/workloads/model_zoo.h"
#include "workloads/passes/passes.h"

using namespace tessera;
using namespace tessera::sim;
using Catch::Contains;

namespace {

workloads::Graph graph_of(workloads::ModelDescriptor model, bool fused = true) {
  workloads::Fusion fusion;
  if (fused) fusion.attention = workloads::FusionSwitch::kOn;
  model.num_hidden_layers = 1;
  return workloads::fuse(workloads::zoo::graph_of(model), fusion);
}

const workloads::Operator& attention_of(const workloads::Graph& graph) {
  for (const workloads::Operator& op : graph.operators) {
    if (op.kind == workloads::OperatorKind::kAttention) return op;
  }
  throw std::logic_error("no attention");
}

bool fused_attention_pays(const workloads::Graph& graph, const hw::HardwareConfig& machine,
                          const ObjectiveConfig& objective) {
  const workloads::Operator& fused = attention_of(graph);
  return fusion_judge(machine, objective)(graph, fused.parts, {fused});
}

constexpr Bytes kOnce = 4 * 1024 * 768;  // Q, K, V and O of a layer

}  // namespace

TEST_CASE("fused attention of SigLIP moves queries, keys, values and results once") {
  const workloads::Graph graph = graph_of(workloads::zoo::siglip_b16(512));
  const hw::HardwareConfig machine = fixtures::edge();
  const AttentionProblem problem = attention_problem(graph, attention_of(graph), machine);
  const AttentionResult found = search_attention(problem, {}, machine);
  CHECK(found.cost.dram_bytes == kOnce);
  CHECK(found.least_dram_bytes == kOnce);
  CHECK(compulsory_bytes(problem) == kOnce);
  CHECK(found.choice.resident);
  CHECK(found.choice.scores == 2);
  CHECK(found.cost.array_cycles >= workloads::mac_count(attention_of(graph)) / (32 * 32));
  CHECK(found.cost.latency >= std::max(found.cost.array_cycles, found.cost.vector_cycles));
}

TEST_CASE("keys and values that do not fit are streamed for every block of queries") {
  const workloads::Graph graph = graph_of(workloads::zoo::siglip_b16(512));
  hw::HardwareConfig machine = fixtures::edge();
  machine.buffers[0].capacity = 64 << 10;  // keys and values of a head take 128 KiB
  const AttentionProblem problem = attention_problem(graph, attention_of(graph), machine);
  const AttentionResult found = search_attention(problem, {}, machine);
  CHECK_FALSE(found.choice.resident);
  const std::int64_t blocks = hw::ceil_div(1024, found.choice.rows);
  CHECK(found.cost.dram_bytes == 2 * 1024 * 768 + blocks * 2 * 1024 * 768);
}

TEST_CASE("larger buffers never make fused attention slower") {
  const workloads::Graph graph = graph_of(workloads::zoo::siglip_b16(512));
  hw::HardwareConfig machine = fixtures::edge();
  const AttentionProblem problem = attention_problem(graph, attention_of(graph), machine);
  Cycles before = 0;
  for (const Bytes kilobytes : {512, 256, 128, 64, 32}) {
    machine.buffers[2].capacity = kilobytes << 10;
    const Cycles latency = search_attention(problem, fixtures::fastest(), machine).cost.latency;
    CHECK(latency >= before);
    before = latency;
  }
}

TEST_CASE("attention that does not fit names the buffer, the bytes and the way out") {
  const workloads::Graph graph = graph_of(workloads::zoo::siglip_b16(512));
  hw::HardwareConfig machine = fixtures::edge();
  machine.buffers[2].capacity = 1 << 10;  // a row of scores takes all of it
  const AttentionProblem problem = attention_problem(graph, attention_of(graph), machine);
  CHECK_THROWS_WITH(search_attention(problem, {}, machine),
                    Contains("vision.L0.Attention: fused attention does not fit: one query row "
                             "needs 1152 bytes of buffer 'activations'") &&
                        Contains("which has 1024: 128 bytes too many; with 'fusion.attention: "
                                 "false' it runs unfused"));
}

TEST_CASE("a hardware loop runs no fused attention") {
  const workloads::Graph graph = graph_of(workloads::zoo::siglip_b16(512));
  hw::HardwareConfig machine = fixtures::edge();
  machine.sequencer.loop = {16, 16, 16, 64, 2};
  CHECK_THROWS_WITH(attention_problem(graph, attention_of(graph), machine),
                    Contains("hardware loop") && Contains("'fusion.attention: false'"));
}

TEST_CASE("fused attention pays where it fits, and does not where it cannot run") {
  const workloads::Graph graph = graph_of(workloads::zoo::siglip_b16(512));
  hw::HardwareConfig machine = fixtures::edge();
  CHECK(fused_attention_pays(graph, machine, {}));
  machine.buffers[2].capacity = 1 << 10;
  CHECK_FALSE(fused_attention_pays(graph, machine, {}));
}

TEST_CASE("fused attention does not pay where its blocks are small and DRAM is not the limit") {
  const workloads::Graph graph = graph_of(workloads::zoo::siglip_b16(512));
  hw::HardwareConfig machine = fixtures::edge();
  machine.buffers[2].capacity = 3 << 10;  // one row of scores at a time
  CHECK_FALSE(fused_attention_pays(graph, machine, fixtures::fastest()));
  CHECK(fused_attention_pays(graph, machine, fixtures::least_bytes_first()));
}

TEST_CASE("a mapped attention passes the check of plans and a changed one is refused") {
  const workloads::Graph graph = graph_of(workloads::zoo::llama("decoder", 64, 1, 8, 2, 40));
  const hw::HardwareConfig machine = fixtures::edge();
  const Plan plan = map_graph(graph, machine, {});
  Plan same = plan;
  validate_plan(same, graph, machine);
  const auto with = [&](auto change) {
    Plan changed = plan;
    for (OperatorPlan& op : changed.operators) {
      if (op.is_attention) change(op.attention);
    }
    return changed;
  };
  const auto refused = [&](Plan changed, const std::string& why) {
    CHECK_THROWS_WITH(validate_plan(changed, graph, machine), Contains(why));
  };
  refused(with([](AttentionMapping& m) { m.rows = 1000; }), "rows = 1000 is not within 1 to 200");
  refused(with([](AttentionMapping& m) { m.softmax_rows = m.rows + 1; }), "softmax_rows");
  refused(with([](AttentionMapping& m) { m.scores.bytes = 1; }), "slots of scores");
  refused(with([](AttentionMapping& m) { m.q.count = 3; }), "slots of q: 3");
  refused(with([](AttentionMapping& m) { m.k.buffer = m.q.buffer; }), "does not serve stationary");
  refused(with([](AttentionMapping& m) { m.scores.offset = m.q.offset; }), "overlap");
}

namespace {

workloads::Graph with_softmax(workloads::Softmax softmax) {
  workloads::Graph graph = graph_of(workloads::zoo::siglip_b16(512));
  for (workloads::Operator& op : graph.operators) op.softmax = softmax;
  return graph;
}

AttentionResult searched(workloads::Softmax softmax, const hw::HardwareConfig& machine) {
  const workloads::Graph graph = with_softmax(softmax);
  return search_attention(attention_problem(graph, attention_of(graph), machine), {}, machine);
}

}  // namespace

TEST_CASE("online softmax runs where no whole row of scores fits, and the other one says so") {
  using workloads::Softmax;
  hw::HardwareConfig machine = fixtures::edge();
  machine.buffers[2].capacity = 1 << 10;  // a row of 1,024 scores takes all of it
  CHECK_THROWS_WITH(searched(Softmax::kThreePass, machine), Contains("'fusion.softmax: online'"));
  const AttentionResult online = searched(Softmax::kOnline, machine);
  CHECK(online.choice.online);
  CHECK(online.choice.keys < 1024);
  CHECK(searched(Softmax::kAuto, machine).choice.online);
}

TEST_CASE("online softmax keeps one block of keys of the scores, and statistics of each row") {
  const workloads::Graph graph = with_softmax(workloads::Softmax::kOnline);
  const hw::HardwareConfig machine = fixtures::edge();
  const AttentionProblem problem = attention_problem(graph, attention_of(graph), machine);
  AttentionChoice choice;
  choice.rows = 64;
  choice.keys = 128;
  choice.online = true;
  const AttentionSlots online = attention_slots(problem, choice, machine);
  CHECK(online[3].bytes == 64 * 128);
  CHECK(online[7].bytes == 64 * 16);
  CHECK(online[7].count == 1);
  choice.online = false;
  const AttentionSlots whole = attention_slots(problem, choice, machine);
  CHECK(whole[3].bytes == 64 * 1024);
  CHECK(whole[7].count == 0);
}

TEST_CASE("auto is the better of both kinds of softmax") {
  using workloads::Softmax;
  hw::HardwareConfig machine = fixtures::edge();
  for (const hw::Bytes capacity : {hw::Bytes{4} << 10, hw::Bytes{64} << 10, hw::Bytes{1} << 20}) {
    machine.buffers[2].capacity = capacity;
    const auto latency = [&](Softmax softmax) { return searched(softmax, machine).cost.latency; };
    const Cycles best = std::min(latency(Softmax::kThreePass), latency(Softmax::kOnline));
    CHECK(static_cast<double>(latency(Softmax::kAuto)) <= 1.01 * static_cast<double>(best));
  }
}
