// The analytical model against the simulated machine: each operator alone and cold.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <iostream>
#include <set>

#include "sim/config/config.h"
#include "sim/pipeline.h"
#include "tests/support/single_operator.h"

using namespace tessera;

namespace {

/// Above this many cycles the two have to agree.
constexpr hw::Cycles kThreshold = 10'000;
constexpr double kTolerance = 0.05;

void compare_operators(const std::string& run) {
  const sim::PreparedRun prepared = sim::prepare(sim::load_run(run));
  std::set<std::string> seen;
  for (std::size_t i = 0; i < prepared.graph.operators.size(); ++i) {
    const workloads::Operator& op = prepared.graph.operators[i];
    const std::string key = fmt::format("{} {} {} {} {} {}", static_cast<int>(op.kind), op.name,
                                        op.m, op.k, op.n, op.instances);
    if (!seen.insert(key).second) continue;
    const test::Outcome outcome = test::simulate_graph(
        test::isolated(prepared.graph, i), prepared.config.hardware, prepared.config.mapping);
    const sim::MappingCost& cost = outcome.plan.operators[0].cost;
    const hw::Cycles simulated = outcome.counters.total;
    const double error =
        static_cast<double>(cost.latency - simulated) / static_cast<double>(simulated);
    std::cout << fmt::format(
        "{:14} {:5}x{:5}x{:6} analytical {:9} simulated {:9} {:+6.2f} %  array {} dram {}\n",
        op.name, op.m, op.k, op.n, cost.latency, simulated, 100 * error, cost.array_cycles,
        cost.dram_cycles);
    std::string causes;
    for (int c = 0; c < hw::kCauses; ++c)
      causes += fmt::format(" {} {}", hw::to_string(static_cast<hw::Cause>(c)),
                            outcome.counters.operators[0].attribution[static_cast<std::size_t>(c)]);
    const auto& g = outcome.plan.operators[0].gemm;
    const auto& v = outcome.plan.operators[0].vector;
    std::cout << "   " << causes
              << fmt::format(
                     "  tile {} {} {} df {} order {}{}{} a {} b {} c {} o {} res {}{} | rows {} "
                     "cols {}\n",
                     g.tile.m, g.tile.k, g.tile.n, hw::to_string(g.dataflow), int(g.order[0]),
                     int(g.order[1]), int(g.order[2]), g.a.count, g.b.count, g.accumulators.count,
                     g.outputs.count, g.resident_a, g.resident_b, v.rows, v.cols);
    INFO(run << " " << op.name);
    hw::Bytes bytes = 0;
    for (const hw::ReadWrite& t : outcome.counters.operators[0].dram) bytes += t.read + t.write;
    CHECK(bytes == cost.dram_bytes);
    if (simulated > kThreshold) CHECK(std::abs(error) <= kTolerance);
  }
}

}  // namespace

TEST_CASE("analytical and simulated cycles agree on the vision encoder") {
  compare_operators("siglip_edge");
}
TEST_CASE("analytical and simulated cycles agree on the text encoder") {
  compare_operators("smollm2_edge");
}
TEST_CASE("analytical and simulated cycles agree on a vision encoder on the server machine") {
  compare_operators("vit_b16_224_server");
}
TEST_CASE("analytical and simulated cycles agree on BERT") { compare_operators("bert_edge"); }
